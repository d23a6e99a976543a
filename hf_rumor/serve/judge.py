"""Classify and explain what the page and the API receive, and keep none of it."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from hf_rumor.corpus.observed import observe
from hf_rumor.corpus.post import Post
from hf_rumor.corpus.rows import Item
from hf_rumor.desk.queue import Queue, make_queue
from hf_rumor.desk.stories import Earlier
from hf_rumor.errors import ModelError
from hf_rumor.inference.bulk import ERROR_KEY, predict_items
from hf_rumor.inference.classifier import RumorClassifier, seconds_observed
from hf_rumor.inference.explain import Explainer
from hf_rumor.inference.table import to_table
from hf_rumor.models.hub import find_file
from hf_rumor.report.record import REPORT_FILE, Report, read_report
from hf_rumor.reposts.timeline import Moment, most_important, timeline
from hf_rumor.serve.curve import draw
from hf_rumor.serve.problem import Problem
from hf_rumor.serve.requests import post_to_explain, posts_of_request
from hf_rumor.serve.upload import Limits


BATCH_SIZE = 32
MOST_IMPORTANT = 5  # reposts that an answer lists


@dataclass(frozen=True)
class PredictedFile:
    """The predictions of a file as a table, and counts for the page."""

    columns: list[str]
    rows: list[list[Any]]
    num_rumors: int
    num_errors: int


def _read_report(model: str, revision: str | None) -> Report | None:
    """Return the report beside a model; None if there is none, or one of another version."""
    file = find_file(model, REPORT_FILE, revision)
    try:
        return read_report(file) if file else None
    except ModelError:
        return None


class Judge:
    """Answer requests with one model."""

    def __init__(
        self, model: str, limits: Limits, revision: str | None = None, threshold: float | None = None
    ) -> None:
        self.limits = limits
        self.name = Path(model).resolve().name if Path(model).is_dir() else model
        self.classifier = RumorClassifier.from_pretrained(model, revision=revision, threshold=threshold)
        self.report = _read_report(model, revision)
        self.explainer = Explainer(self.classifier)  # one model in memory

    def predict(self, body: Any) -> Any:
        """Return the prediction for one post, or a list of predictions; see `posts_of_request`.

        Raises:
            Problem: The body is not posts, or there are too many, or one is too long.
        """
        try:
            posts = posts_of_request(body)
        except ValueError as error:
            raise Problem(400, "request", str(error)) from error
        limit = self.limits.max_posts
        if len(posts) > limit:
            raise Problem(413, "too_many", f"expected at most {limit} posts, got {len(posts)}", limit=limit)
        self._check_length(max(len(post.text) for post in posts))
        predictions = [vars(prediction) for prediction in self.classifier.predict(posts, BATCH_SIZE)]
        return predictions[0] if "text" in body else predictions

    def _check_length(self, length: int) -> None:
        limit = self.limits.max_characters
        if length > limit:
            message = f"expected at most {limit} characters, got {length}"
            raise Problem(413, "too_long", message, limit=limit, length=length)

    def explain(self, body: Any) -> dict[str, Any]:
        """Return the prediction for one post, its words with their weights, and the probability over time.

        Raises:
            Problem: The body is not one post; see `post_to_explain`.
        """
        post = post_to_explain(body)
        self._check_length(len(post.text))
        explanation = self.explainer.explain(post.text)
        [prediction] = self.classifier.predict([post])
        text_probability = explanation.prediction.rumor_probability
        moments = self._moments(post, text_probability)
        return {
            **vars(prediction),
            "threshold": self.classifier.facts.threshold,
            "text_probability": text_probability,
            "text": explanation.text,
            "has_failed": explanation.has_failed,
            "is_faint": explanation.is_faint,
            "full_color": explanation.full_color,
            "words": [] if explanation.has_failed else [asdict(word) for word in explanation.words],
            "curve": asdict(draw(text_probability, moments)) if moments else None,
            "moments": [asdict(moment) for moment in most_important(moments, MOST_IMPORTANT)],
        }

    def _moments(self, post: Post, text_probability: float) -> list[Moment]:
        """Return the moments at which the reposts of a post arrived; none if the model does not read them."""
        if self.classifier.reposts is None:
            return []
        deadline = min(seconds_observed(post, time.time()), self.classifier.reposts.deadline)
        text = self.classifier.reposts.read_texts([post.text], np.array([text_probability]))
        return timeline(self.classifier.reposts, text, observe(post, deadline))

    def predict_file(self, items: Sequence[Item]) -> PredictedFile:
        """Return the predictions for the posts of a file, beside its columns."""
        lines = list(chain.from_iterable(predict_items(self.classifier, items, BATCH_SIZE)))
        columns, rows = to_table(lines, items)
        num_errors = sum(ERROR_KEY in line for line in lines)
        place = columns.index("predicted") if "predicted" in columns else None
        num_rumors = sum(place is not None and row[place] == "rumor" for row in rows)
        return PredictedFile(columns, rows, num_rumors, num_errors)

    def make_queue(self, items: Sequence[Item], history: Sequence[Earlier], top: int) -> Queue:
        """Return the queue of a day.

        Raises:
            Problem: No row is a post.
        """
        if all(item.post is None for item in items):
            raise Problem(400, "no_posts", f"no posts; the first row: {items[0].error}")
        return make_queue(self.classifier, items, history, top)
