"""Files on disk or a download -> posts -> a `DatasetDict` in Arrow; knows nothing of models."""
