"""Files on disk or a download -> posts -> a `DatasetDict` in Arrow; does not depend on models."""
