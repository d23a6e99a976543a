"""Load, save and run encoders and classifiers."""
