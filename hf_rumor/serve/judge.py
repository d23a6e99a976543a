"""Classify the texts and files that the web page and the API receive, and keep none of them."""

import os
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from hf_rumor.corpus.columns import Columns
from hf_rumor.corpus.formats import open_input
from hf_rumor.corpus.observed import observe
from hf_rumor.corpus.post import Post
from hf_rumor.corpus.rows import Item, read_items
from hf_rumor.errors import ArgumentError, ModelError, RumorError
from hf_rumor.inference.bulk import ERROR_KEY, predict_items
from hf_rumor.inference.classifier import RumorClassifier, seconds_observed
from hf_rumor.inference.explain import Explainer
from hf_rumor.models.hub import find_file
from hf_rumor.report.record import REPORT_FILE, Report, read_report
from hf_rumor.reposts.timeline import Moment, most_important, timeline
from hf_rumor.serve.curve import draw
from hf_rumor.serve.requests import post_of_page, posts_of_request
from hf_rumor.serve.words import WORDS


KEEP_SECONDS = 600  # uploads and results that are older are removed
BATCH_SIZE = 32
MOST_IMPORTANT = 5  # reposts that the page shows


@dataclass(frozen=True)
class Limits:
    """Limits of one request and of the queue."""

    max_characters: int  # per text
    max_posts: int  # per file, or per request to the API
    max_bytes: int  # per request
    max_waiting: int = 64  # queued requests; further ones get status 503


def _read_report(model: str, revision: str | None) -> Report | None:
    """Return the report beside a model; None if there is none, or one of another version."""
    file = find_file(model, REPORT_FILE, revision)
    try:
        return read_report(file) if file else None
    except ModelError:
        return None


class Judge:
    """Answer requests of the page and of the API, one at a time; remove uploads and results."""

    def __init__(
        self, model: str, limits: Limits, revision: str | None = None, threshold: float | None = None
    ) -> None:
        self.limits = limits
        self.classifier = RumorClassifier.from_pretrained(model, revision=revision, threshold=threshold)
        self.report = _read_report(model, revision)
        self.explainer = Explainer(self.classifier)  # one model in memory
        self.folder = Path(tempfile.mkdtemp(prefix="hf_rumor_")).resolve()  # of uploads and results
        self._turn = threading.Lock()
        self._uploads: Counter[Path] = Counter()  # path -> uploads not yet classified; equal files share a path
        self._counting = threading.Lock()
        environment = Environment(
            loader=PackageLoader("hf_rumor.serve"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._template = environment.get_template("verdict.html")

    def answer(self, text: str, language: str, posted_at: str = "", reposts: str = "") -> str:
        """Return the result for a post as HTML; see `post_of_page`."""
        words = WORDS[language]
        if not text.strip():
            return self._problem(words["empty"])
        if len(text) > self.limits.max_characters:
            return self._problem(words["too_long"].format(self.limits.max_characters, len(text)))
        try:
            post = post_of_page(text, posted_at, reposts)
        except ValueError as error:
            return self._problem(words["no_time"].format(f"{str(error).strip():.60}"))
        with self._turn:
            explanation = self.explainer.explain(text)
            [prediction] = self.classifier.predict([post])
            moments = self._moments(post, explanation.prediction.rumor_probability)
        drawing = draw(explanation.prediction.rumor_probability, moments) if moments else None
        return self._template.render(
            explanation=explanation,
            prediction=prediction,
            drawing=drawing,
            moments=most_important(moments, MOST_IMPORTANT),
            facts=self.classifier.facts,
            words=words,
        )

    def _moments(self, post: Post, text_probability: float) -> list[Moment]:
        """Return the moments at which the reposts of a post arrived; none if the model does not read them."""
        if self.classifier.reposts is None:
            return []
        deadline = min(seconds_observed(post, time.time()), self.classifier.reposts.deadline)
        text = self.classifier.reposts.read_texts([post.text], np.array([text_probability]))
        return timeline(self.classifier.reposts, text, observe(post, deadline))

    def expect_file(self, path: str | None) -> None:
        """Count an upload; the file is removed after as many classifications, or after `KEEP_SECONDS`."""
        with self._counting:
            self._uploads[Path(path or "").resolve()] += 1

    def answer_file(self, path: str | None, language: str) -> tuple[str, str | None]:
        """Classify an uploaded file; return a message as HTML, and the path of the result."""
        words = WORDS[language]
        self._sweep()
        upload = Path(path or "").resolve()
        if path is None or not upload.is_relative_to(self.folder) or not upload.is_file():
            return self._problem(words["no_file"]), None
        try:
            with self._turn:
                lines = self._predict_file(upload)
        except RumorError as error:
            return self._problem(f"{words['wrong_file']} {error}"), None
        finally:
            self._release(upload)
        num_errors = sum(ERROR_KEY in line for line in lines)
        descriptor, name = tempfile.mkstemp(dir=self.folder, prefix="predictions_", suffix=".jsonl")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
        return self._template.render(done=words["done"].format(len(lines), num_errors)), name

    def _release(self, upload: Path) -> None:
        with self._counting:
            self._uploads[upload] -= 1
            if self._uploads[upload] <= 0:
                del self._uploads[upload]
                upload.unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Remove old uploads and results."""
        oldest = time.time() - KEEP_SECONDS
        for file in self.folder.rglob("*"):
            if file.is_file() and file.stat().st_mtime < oldest:
                file.unlink(missing_ok=True)
        with self._counting:  # Gradio removes old uploads too
            self._uploads = Counter({path: count for path, count in self._uploads.items() if path.is_file()})

    def _predict_file(self, path: Path) -> list[str]:
        with open_input(path, is_labeled=False, name=path.name) as source:
            items = list(islice(read_items(source, Columns()), self.limits.max_posts + 1))
        if not items:
            raise ArgumentError(f"{path.name}: no posts. Choose another file.")
        if len(items) > self.limits.max_posts:
            raise ArgumentError(f"{path.name}: more than {self.limits.max_posts:,} posts. Split the file.")
        return list(chain.from_iterable(predict_items(self.classifier, map(self._limited, items), BATCH_SIZE)))

    def _limited(self, item: Item) -> Item:
        if item.post is None or len(item.post.text) <= self.limits.max_characters:
            return item
        limit = self.limits.max_characters
        return Item(item.id, None, f"the text has {len(item.post.text):,} characters; at most {limit:,} are allowed.")

    def answer_api(self, body: Any) -> tuple[int, Any]:
        """Return status and answer of an API request; see `posts_of_request`."""
        try:
            posts = posts_of_request(body)
        except ValueError as error:
            return 400, {"error": str(error)}
        if len(posts) > self.limits.max_posts:
            return 413, {"error": f"expected at most {self.limits.max_posts} posts, got {len(posts)}"}
        longest = max(len(post.text) for post in posts)
        if longest > self.limits.max_characters:
            return 413, {"error": f"expected at most {self.limits.max_characters} characters, got {longest}"}
        with self._turn:
            predictions = [vars(prediction) for prediction in self.classifier.predict(posts, BATCH_SIZE)]
        return 200, predictions[0] if "text" in body else predictions

    def _problem(self, message: str) -> str:
        return self._template.render(problem=message.encode("utf-8", "replace").decode("utf-8"))
