"""Rumor classification on the Hugging Face Trainer: from a raw corpus to a model and a report one can trust."""

from typing import TYPE_CHECKING, Any

from hf_rumor.errors import RumorError


if TYPE_CHECKING:
    from hf_rumor.inference.classifier import Prediction, RumorClassifier

__all__ = ["Prediction", "RumorClassifier", "RumorError", "__version__"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import what is heavier only when it is asked for."""
    if name in ("Prediction", "RumorClassifier"):
        from hf_rumor.inference import classifier

        return getattr(classifier, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
