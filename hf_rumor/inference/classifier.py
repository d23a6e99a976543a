"""Texts -> predictions, by a finished folder; needs neither torch nor transformers for the ONNX backend."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hf_rumor.errors import ModelError
from hf_rumor.evaluation.decision import name_decisions
from hf_rumor.labels import LABEL_NAMES, rumor_probabilities
from hf_rumor.models.facts import Facts, LogitsOf, Precision


BATCHES_PER_WINDOW = 32  # that are put in order of length together

Backend = Literal["torch", "onnx"]


@dataclass(frozen=True)
class Prediction:
    """What a model says of one text.

    Attributes:
        rumor_probability: From 0 to 1.
        predicted: `rumor` exactly when the probability is at least the threshold, else `non-rumor`; `uncertain` where
            the model abstains.
    """

    rumor_probability: float
    predicted: str


class Tokens(NamedTuple):
    """The tokens of a text, and the numbers of the segments that they belong to."""

    ids: list[int]
    type_ids: list[int]


class RumorClassifier:
    """Says of texts how likely they are a rumor.

    ```python
    classifier = RumorClassifier.from_pretrained("out")
    classifier.predict(["听说明天全市停水一周，速转！"])  # [Prediction(rumor_probability=..., predicted="rumor")]
    ```

    Args:
        logits_of: Batches of token ids -> the logits of each.
        tokenizer: A `tokenizers.Tokenizer`.
        facts: Of the model.
    """

    def __init__(self, logits_of: LogitsOf, tokenizer: Any, facts: Facts) -> None:
        self.facts = facts
        self._logits_of = logits_of
        self._tokenizer = tokenizer
        tokenizer.no_padding()
        tokenizer.enable_truncation(facts.max_length)

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path,
        *,
        backend: Backend = "torch",
        precision: Precision = "fp32",
        revision: str | None = None,
    ) -> "RumorClassifier":
        """Load a folder, or (torch) a model of the Hub.

        Args:
            name: A finished folder of ours, or any classifier with the labels non-rumor and rumor.
            backend: `torch`, or `onnx` for a folder that `hf-rumor export` wrote.
            precision: fp32 gives what the report says. bf16 is faster where the hardware has it; see
                `docs/howto_predict.md` for how far its probabilities are off.
            revision: Branch, tag or commit of a model of the Hub; None: its newest state.

        Raises:
            ModelError: There is no such model, or it is none that tells rumors.
        """
        if backend == "onnx":
            from hf_rumor.inference.onnx import load_onnx

            if precision != "fp32":
                raise ModelError(f"{name}: expected fp32 for the onnx backend, got {precision}; leave it out")
            if revision:
                raise ModelError(
                    f"{name}: expected a folder for the onnx backend, got revision {revision}; leave it out"
                )
            return cls(*load_onnx(Path(name)))
        from hf_rumor.models.trained import load_torch

        return cls(*load_torch(str(name), precision, revision))

    def predict(self, texts: Sequence[str], batch_size: int = 32) -> list[Prediction]:
        """Return one prediction for each text, in order."""
        return list(self.predict_iter(texts, batch_size))

    def predict_iter(self, texts: Iterable[str], batch_size: int = 32) -> Iterator[Prediction]:
        """Yield one prediction for each text, in order, keeping few texts in memory.

        Batches are made of texts of like length, out of a window of `BATCHES_PER_WINDOW` batches.

        Raises:
            ValueError: `texts` is one text, or `batch_size` not positive.
        """
        if isinstance(texts, str) or batch_size < 1:
            told = "one text" if isinstance(texts, str) else f"a batch_size of {batch_size}"
            raise ValueError(f"predict: expected a list of texts and a batch_size of at least 1, got {told}")
        iterator = iter(texts)
        while window := list(islice(iterator, batch_size * BATCHES_PER_WINDOW)):
            probabilities = self.probabilities(window, batch_size)
            called = name_decisions(probabilities, self.facts.threshold, LABEL_NAMES, self.facts.abstain_below)
            yield from map(Prediction, probabilities.tolist(), called)

    def probabilities(self, texts: Sequence[str], batch_size: int = 32) -> NDArray[np.float64]:
        """Return the probability of rumor of each text. *Shape:* `(num_texts,)`."""
        # A few at a time: what is cut off of a long text comes along until its tokens are taken out.
        encodings = [
            Tokens(encoding.ids, encoding.type_ids)
            for start in range(0, len(texts), batch_size)
            for encoding in self._tokenizer.encode_batch(list(map(as_trained, texts[start : start + batch_size])))
        ]
        # The longest first: what they needed serves all others.
        order = sorted(range(len(texts)), key=lambda position: -len(encodings[position].ids))
        batches = [
            _pad([encodings[position] for position in order[start : start + batch_size]], self.facts)
            for start in range(0, len(order), batch_size)
        ]
        logits = np.empty((len(texts), len(LABEL_NAMES)), dtype=np.float32)
        logits[order] = np.concatenate([logits[:0], *self._logits_of(batches)])
        return rumor_probabilities(logits, self.facts.activation)


def as_trained(text: str) -> str:
    """Return a text as the readers of corpora give it: without blanks at its ends, which are tokens to some models.

    A lone surrogate is no character, and becomes a question mark; tokenizers would refuse the whole batch for it.
    """
    return text.encode("utf-8", "replace").decode("utf-8").strip()


def _pad(encodings: Sequence[Tokens], facts: Facts) -> dict[str, NDArray[np.int64]]:
    """Return encodings as arrays, the shorter ones filled up at the end with what attention leaves out.

    Widths are multiples of 8: torch keeps something for each shape that it has met, and few shapes are few megabytes.
    """
    longest = max(len(encoding.ids) for encoding in encodings)
    shape = (len(encodings), min(-(-longest // 8) * 8, facts.max_length))
    arrays = {name: np.zeros(shape, dtype=np.int64) for name in ("attention_mask", "token_type_ids")}
    arrays["input_ids"] = np.full(shape, facts.padding_id, dtype=np.int64)
    for row, encoding in enumerate(encodings):
        length = len(encoding.ids)
        arrays["input_ids"][row, :length] = encoding.ids
        arrays["attention_mask"][row, :length] = 1
        arrays["token_type_ids"][row, :length] = encoding.type_ids
    return arrays


def to_json(prediction: Prediction, item_id: str | int) -> str:
    """Return a prediction as a line of JSON, without its end."""
    return json.dumps({"id": item_id, **vars(prediction)}, ensure_ascii=False)
