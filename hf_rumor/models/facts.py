"""How to feed a model and how to read its logits, from its configuration; for torch and ONNX."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hf_rumor.errors import ModelError
from hf_rumor.evaluation.prior import Validation
from hf_rumor.labels import LABEL_NAMES, PROBLEM_TYPES, Activation
from hf_rumor.models.inputs import Arrays, InputConfig, TokenizerFacts


Precision = Literal["fp32", "bf16"]
Logits = NDArray[np.float32]  # (batch, 2)
ScoreBatch = Callable[[Arrays], Logits]
ScoreBatches = Callable[[Sequence[Arrays]], list[Logits]]


@dataclass(frozen=True)
class Facts:
    """How to feed a model and how to read its logits."""

    activation: Activation
    threshold: float  # a post is predicted to be a rumor if its probability is at least this
    abstain_below: float | None  # confidence below which a post is `uncertain`
    inputs: InputConfig
    tokenizer: TokenizerFacts
    validation: Validation | None = None  # None: hf_rumor 0.2 or later did not train the model


def read_facts(name: str, config: Mapping[str, Any], tokenizer: TokenizerFacts, longest: int) -> Facts:
    """Return the facts in `config.json`; `longest` is the maximum length if hf_rumor did not train the model.

    Raises:
        ModelError: Its labels are not `non-rumor` and `rumor`.
    """
    labels = [label for _, label in sorted((int(number), label) for number, label in config["id2label"].items())]
    if tuple(labels) != LABEL_NAMES:
        named = ", ".join(f"{number} = {label}" for number, label in enumerate(labels[:5]))
        advice = f"Train it on these two: hf-rumor train --model_name_or_path {name}"
        if len(labels) == len(LABEL_NAMES):
            advice = "If they mean the same, rename them under id2label in its config.json."
        raise ModelError(f"{name}: the labels are {named}, not 0 = non-rumor, 1 = rumor. {advice}")
    saved: Mapping[str, Any] = config.get("hf_rumor") or {}
    is_sigmoid = config.get("problem_type") == PROBLEM_TYPES["sigmoid"]
    return Facts(
        activation="sigmoid" if is_sigmoid else "softmax",
        threshold=0.5 if saved.get("threshold") is None else saved["threshold"],
        abstain_below=saved.get("abstain_below"),
        inputs=InputConfig(**saved.get("inputs", {"max_length": longest})),
        tokenizer=tokenizer,
        validation=Validation(**saved["validation"]) if "validation" in saved else None,
    )
