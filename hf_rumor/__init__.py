"""Rumor classification on the Hugging Face Trainer: from a raw corpus to a model and a report one can trust."""

from hf_rumor.errors import RumorError


__all__ = ["RumorError", "__version__"]

__version__ = "0.1.0"
