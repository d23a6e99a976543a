"""Posts -> predictions by a finished model; the ONNX backend needs neither torch nor transformers."""

import copy
import json
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from hf_rumor.corpus.observed import observe
from hf_rumor.corpus.post import Post
from hf_rumor.errors import ArgumentError, ModelError
from hf_rumor.evaluation.decision import name_decisions
from hf_rumor.evaluation.prior import Prior, Validation, adjust, estimate_prior, given_prior
from hf_rumor.labels import LABEL_NAMES, rumor_probabilities
from hf_rumor.models.facts import Facts, Precision, ScoreBatches
from hf_rumor.models.inputs import as_posts, check_vocabulary, make_batches, model_text
from hf_rumor.reposts.model import FILES, FOLDER, load_reposts
from hf_rumor.reposts.tokens import encode


if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from hf_rumor.reposts.model import RepostModel

logger = logging.getLogger(__name__)

BATCHES_PER_WINDOW = 32  # batches that are sorted by length together

Backend = Literal["torch", "onnx"]


@dataclass(frozen=True)
class Prediction:
    """The prediction for one post.

    Attributes:
        rumor_probability: From 0 to 1.
        predicted: `rumor` exactly if the probability is at least the threshold, else `non-rumor`; `uncertain` if the
            model abstains.
    """

    rumor_probability: float
    predicted: str


class RumorClassifier:
    """Predicts how likely posts are rumors.

    ```python
    classifier = RumorClassifier.from_pretrained("out")
    classifier.predict(["听说明天全市停水一周，速转！"])  # [Prediction(rumor_probability=..., predicted="rumor")]
    ```

    Args:
        score: Returns the logits of batches.
        tokenizer: Tokenizer of the model.
        facts: How to feed the model and read its logits.
        model: The model of transformers that `score` uses, if there is one.
        reposts: The model of the reposts, if it was trained with reposts.
    """

    def __init__(
        self,
        score: ScoreBatches,
        tokenizer: "Tokenizer",
        facts: Facts,
        model: Any = None,
        reposts: "RepostModel | None" = None,
    ) -> None:
        self.facts = facts
        self.tokenizer = tokenizer
        self.model = model
        self.reposts = reposts
        self.prior: Prior | None = None
        self._score = score
        self._is_vocabulary_checked = False

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path,
        *,
        backend: Backend = "torch",
        precision: Precision = "fp32",
        revision: str | None = None,
        threshold: float | None = None,
        speed_up: bool = True,
    ) -> "RumorClassifier":
        """Load a folder, or (torch) a model on the Hub.

        Args:
            name: A finished folder, or any classifier with the labels non-rumor and rumor.
            backend: `torch`, or `onnx` for a folder that `hf-rumor export` wrote.
            precision: fp32 reproduces the report. bf16 is faster on hardware that supports it; see
                `docs/howto/predict.md` for how far its probabilities deviate.
            revision: Branch, tag or commit of a model on the Hub; None: the newest.
            threshold: Predict rumor if the probability is at least this; None: the threshold of the model.
            speed_up: Whether to use the optimizations for CPUs (torch).

        Raises:
            ModelError: The model is not available, or is not a rumor classifier.
            ArgumentError: `threshold` is not between 0 and 1.
        """
        if threshold is not None and not 0 < threshold < 1:
            raise ArgumentError(f"threshold: {threshold} is not between 0 and 1. Pass another one.")
        if backend == "onnx":
            from hf_rumor.inference.onnx import load_onnx

            if precision != "fp32":
                raise ModelError(f"{name}: precision {precision} is not available with --backend onnx. Use fp32.")
            if revision:
                raise ModelError(f"{name}: an exported folder has no revision {revision}. Remove the revision.")
            score_batches, onnx_tokenizer, facts = load_onnx(Path(name))
            return cls(
                score_batches, onnx_tokenizer, _with_threshold(facts, threshold), reposts=load_reposts(Path(name))
            )
        from hf_rumor.models.cpu.speed import one_by_one, speed_up_scoring
        from hf_rumor.models.logits import make_score
        from hf_rumor.models.trained import load_classifier

        model, tokenizer, facts = load_classifier(str(name), precision, revision)
        score = make_score(model)
        score_batches = speed_up_scoring(model, score) if speed_up else one_by_one(score)
        reposts = find_reposts(str(name), revision)
        return cls(score_batches, tokenizer.backend_tokenizer, _with_threshold(facts, threshold), model, reposts)

    def with_prior(self, prior: Prior | float) -> "RumorClassifier":
        """Return this classifier with probabilities that are adjusted to another share of rumors than in training.

        Args:
            prior: As `estimate_prior` returns it, or the share itself, between 0 and 1.

        Raises:
            ModelError: The share in training is not saved with the model.
            ArgumentError: The share is not between 0 and 1.
        """
        adjusted = copy.copy(self)
        adjusted.prior = prior if isinstance(prior, Prior) else given_prior(prior, self._validation())
        return adjusted

    def estimate_prior(
        self, posts: Iterable[Post | str], batch_size: int = 32, observed_at: float | None = None
    ) -> Prior:
        """Estimate the share of rumors among posts, without their labels; see `hf_rumor.evaluation.prior`.

        Raises:
            ModelError: The share in training is not saved with the model.
            ArgumentError: There are too few posts.
        """
        validation = self._validation()
        plain = copy.copy(self)
        plain.prior = None
        predictions = plain.predict_iter(posts, batch_size, observed_at)
        return estimate_prior(np.array([one.rumor_probability for one in predictions]), validation)

    def _validation(self) -> Validation:
        if self.facts.validation is None:
            raise ModelError("--prior: the model does not store the share of rumors in training. Retrain it.")
        return self.facts.validation

    def predict(
        self, posts: Sequence[Post | str], batch_size: int = 32, observed_at: float | None = None
    ) -> list[Prediction]:
        """Return one prediction for each post or text, in order.

        A model that was trained with reposts also reads those of each post, until the time of observation.

        Args:
            posts: A list of texts or posts, of any length; long ones are truncated as in training.
            batch_size: Number of posts that are scored at once.
            observed_at: Seconds since 1970-01-01 UTC; reposts after it are not read. None: now. Posts with a time of
                observation of their own keep it. No effect on a model that reads no reposts.

        Raises:
            ValueError: `posts` is one text, or `batch_size` is not positive.
        """
        return list(self.predict_iter(posts, batch_size, observed_at))

    def predict_iter(
        self, posts: Iterable[Post | str], batch_size: int = 32, observed_at: float | None = None
    ) -> Iterator[Prediction]:
        """Yield one prediction for each post or text, in order; only a window of batches is in memory.

        Batches consist of posts of similar length, from a window of `BATCHES_PER_WINDOW` batches.

        Raises:
            ValueError: `posts` is one text, or `batch_size` is not positive.
        """
        if isinstance(posts, str | Post):
            raise ValueError("predict: this is one post. Pass a list of posts.")
        if batch_size < 1:
            raise ValueError(f"predict: batch_size is {batch_size}. Pass a number of at least 1.")
        iterator = iter(posts)
        while window := list(islice(iterator, batch_size * BATCHES_PER_WINDOW)):
            probabilities = self.probabilities(window, batch_size, observed_at)
            names = name_decisions(probabilities, self.facts.threshold, self.facts.abstain_below)
            yield from map(Prediction, probabilities.tolist(), names)

    def probabilities(
        self, posts: Sequence[Post | str], batch_size: int = 32, observed_at: float | None = None
    ) -> NDArray[np.float64]:
        """Return the probability of rumor of each post, from 0 to 1; see `predict`. *Shape:* `(num_posts,)`."""
        plain = self._plain_probabilities(as_posts(posts), batch_size, observed_at)
        return plain if self.prior is None else adjust(plain, self.prior)

    def _plain_probabilities(
        self, whole: Sequence[Post], batch_size: int, observed_at: float | None
    ) -> NDArray[np.float64]:
        of_texts = self.text_probabilities(whole, batch_size)
        if self.reposts is None:
            return of_texts
        observed_at = time.time() if observed_at is None else observed_at
        deadlines = [seconds_observed(post, observed_at) for post in whole]
        observed = [observe(post, deadline) for post, deadline in zip(whole, deadlines, strict=True)]
        texts = self.reposts.read_texts([model_text(post) for post in whole], of_texts)
        return self.reposts.probabilities(texts, encode(observed, self.reposts.tokenizer), deadlines)

    def text_probabilities(self, posts: Sequence[Post | str], batch_size: int = 32) -> NDArray[np.float64]:
        """Return the probability of rumor of each post given its text alone, not adjusted. *Shape:* `(num_posts,)`."""
        facts = self.facts
        order, batches = make_batches(as_posts(posts), self.tokenizer, facts.tokenizer, facts.inputs, batch_size)
        if batches and not self._is_vocabulary_checked:
            self._is_vocabulary_checked = True
            num_unknown = sum((arrays["input_ids"] == facts.tokenizer.unknown_id).sum() for arrays in batches)
            check_vocabulary("predict", num_unknown, sum(arrays["attention_mask"].sum() for arrays in batches))
        logits = np.empty((len(posts), len(LABEL_NAMES)), dtype=np.float32)
        logits[order] = np.concatenate([logits[:0], *self._score(batches)])
        return rumor_probabilities(logits, facts.activation)


def seconds_observed(post: Post, observed_at: float) -> float:
    """Return the seconds from a post to its observation, which is at `observed_at` if the post does not say when."""
    if post.posted_at is None:
        return 0.0
    return (observed_at if post.observed_at is None else post.observed_at) - post.posted_at


def find_reposts(name: str, revision: str | None) -> "RepostModel | None":
    """Return the model of the reposts beside a model of the text, in a folder or on the Hub; None without one."""
    if Path(name).is_dir():
        return load_reposts(Path(name))
    from hf_rumor.models.hub import find_file

    config = find_file(name, f"{FOLDER}/config.json", revision)
    if config is None:
        return None
    for file in FILES:
        find_file(name, f"{FOLDER}/{file}", revision)
    return load_reposts(config.parent.parent)


def _with_threshold(facts: Facts, threshold: float | None) -> Facts:
    return facts if threshold is None else replace(facts, threshold=threshold)


def to_json(prediction: Prediction, item_id: str | int, **marks: Any) -> str:
    """Return a prediction as a line of JSON, without its end."""
    return json.dumps({"id": item_id, **vars(prediction), **marks}, ensure_ascii=False)
