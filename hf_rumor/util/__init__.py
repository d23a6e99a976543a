"""Atomic files, encodings, the network: what every package may use."""
