"""A `DatasetDict` -> a trained model."""
