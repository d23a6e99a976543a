"""What only makes a CPU faster."""
