"""Flags, recipes and their defaults."""
