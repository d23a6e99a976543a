"""A finished folder -> probabilities and a description; knows nothing of training or corpora."""
