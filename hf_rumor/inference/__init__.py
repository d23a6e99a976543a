"""Predictions, explanations and exports of a finished model; independent of training."""
