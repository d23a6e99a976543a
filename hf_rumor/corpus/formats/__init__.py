"""One file for each corpus format."""
