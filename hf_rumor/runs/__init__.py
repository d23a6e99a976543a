"""Whole runs: train, evaluate, search, benchmark."""
