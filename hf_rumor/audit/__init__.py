"""What is wrong with a corpus: leakage, conflicting labels, giveaways, label errors."""
