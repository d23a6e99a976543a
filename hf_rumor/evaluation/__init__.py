"""Labels and probabilities (plain arrays) -> numbers and a report; does not depend on models."""
