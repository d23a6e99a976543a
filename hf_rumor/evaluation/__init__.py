"""Labels and probabilities (plain arrays) -> numbers and a report; knows nothing of models."""
