"""What the folder of a model says about it, whatever computes its logits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hf_rumor.errors import ModelError
from hf_rumor.labels import LABEL_NAMES, PROBLEM_TYPES, Activation


Precision = Literal["fp32", "bf16"]
Arrays = Mapping[str, NDArray[np.int64]]  # input_ids, attention_mask, token_type_ids: (batch, tokens)
# Batches -> of each, (batch, 2)
LogitsOf = Callable[[Sequence[Arrays]], list[NDArray[np.float32]]]


@dataclass(frozen=True)
class Facts:
    """What the folder of a model says about reading its logits.

    Attributes:
        activation: How logits become probabilities.
        threshold: Probability from which on a text is called a rumor.
        abstain_below: Confidence below which it is called uncertain, or None.
        max_length: Tokens after which a text is cut off.
        padding_id: Token that fills up the shorter texts of a batch.
    """

    activation: Activation
    threshold: float
    abstain_below: float | None
    max_length: int
    padding_id: int


def read_facts(name: str, config: Mapping[str, Any], longest: int | None) -> Facts:
    """Return the facts that the configuration of a model holds.

    Args:
        name: Of the model, for messages.
        config: Its `config.json`.
        longest: Tokens that its tokenizer allows, or None.

    Raises:
        ModelError: Its labels are not `non-rumor` and `rumor`.
    """
    labels = [label for _, label in sorted((int(number), label) for number, label in config["id2label"].items())]
    if tuple(labels) != LABEL_NAMES:
        found = ", ".join(f"{number} = {label}" for number, label in enumerate(labels[:5]))
        raise ModelError(f"{name}: expected the labels 0 = non-rumor, 1 = rumor, found {found}; choose another model")
    ours: Mapping[str, Any] = config.get("hf_rumor") or {}
    activations: dict[str | None, Activation] = {PROBLEM_TYPES["sigmoid"]: "sigmoid"}
    positions = config.get("max_position_embeddings") or 512
    return Facts(
        activation=activations.get(config.get("problem_type"), "softmax"),
        threshold=0.5 if ours.get("threshold") is None else ours["threshold"],
        abstain_below=ours.get("abstain_below"),
        max_length=ours.get("max_length") or min(positions, longest or positions),
        padding_id=config.get("pad_token_id") or 0,
    )
