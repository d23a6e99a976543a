"""Rumor classification with the Hugging Face Trainer: from a raw corpus to a model and a report that can be trusted.

Everything but `RumorError` is imported when it is first used, so that `import hf_rumor` is fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hf_rumor.errors import RumorError


if TYPE_CHECKING:
    from hf_rumor.api import evaluate, train
    from hf_rumor.corpus.arrow import load_corpus
    from hf_rumor.corpus.parts import split_corpus
    from hf_rumor.corpus.post import Post, Repost
    from hf_rumor.inference.classifier import Prediction, RumorClassifier
    from hf_rumor.report.record import Report
    from hf_rumor.training.losses import make_loss
    from hf_rumor.training.trainer import RumorTrainer

__all__ = [
    "Post",
    "Prediction",
    "Report",
    "Repost",
    "RumorClassifier",
    "RumorError",
    "RumorTrainer",
    "__version__",
    "evaluate",
    "load_corpus",
    "make_loss",
    "split_corpus",
    "train",
]

__version__ = "0.2.0.dev0"

_MODULES = {
    "Post": "hf_rumor.corpus.post",
    "Prediction": "hf_rumor.inference.classifier",
    "Report": "hf_rumor.report.record",
    "Repost": "hf_rumor.corpus.post",
    "RumorClassifier": "hf_rumor.inference.classifier",
    "RumorTrainer": "hf_rumor.training.trainer",
    "evaluate": "hf_rumor.api",
    "load_corpus": "hf_rumor.corpus.arrow",
    "make_loss": "hf_rumor.training.losses",
    "split_corpus": "hf_rumor.corpus.parts",
    "train": "hf_rumor.api",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
