"""Events -> decisions: a post is decided when it arrives, and again at every repost of it."""

import json
import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from itertools import islice

import numpy as np

from hf_rumor.corpus.observed import Observed, own_words
from hf_rumor.evaluation.decision import name_decisions
from hf_rumor.inference.classifier import RumorClassifier
from hf_rumor.reposts.model import RepostModel, Texts
from hf_rumor.reposts.running import RunningScores
from hf_rumor.reposts.tokens import encode
from hf_rumor.watch.events import Event, PostEvent, RepostEvent, parse_events
from hf_rumor.watch.state import State, Watched


logger = logging.getLogger(__name__)

MAX_REPOSTS = 5_000  # with words, that are kept of a post
MAX_RUNNING = 2_000  # posts whose sums are in memory; those of others are computed again
POSTS_AT_ONCE = 1_000  # at the end


class Watcher:
    """Follow posts and their reposts.

    Args:
        classifier: Of texts.
        model: Of reposts, which was trained with it.
        state: What is known so far.
        max_posts: Number of posts to keep; those without an event for the longest time are forgotten.
        now: Returns the time, in seconds since 1970-01-01 UTC.
    """

    def __init__(
        self,
        classifier: RumorClassifier,
        model: RepostModel,
        state: State,
        max_posts: int,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.skipped: Counter[str] = Counter()  # reason -> number of events
        self._classifier, self._model, self._state = classifier, model, state
        self._max_posts, self._now = max_posts, now
        self._running: OrderedDict[str, RunningScores] = OrderedDict()

    def process(self, lines: Sequence[str]) -> list[str]:
        """Return a line for each decision that the events change."""
        events = [event for line in lines for event in self._parse(line)]
        texts = self._read_texts(events)
        changed: list[str] = []
        for event in events:
            self._state.progress.num_events += 1
            if isinstance(event, PostEvent):
                self._state.advance(event.posted_at)
                changed += self._add_post(event, texts)
            else:
                self._state.advance(event.reposted_at)
                changed += self._add_repost(event)
        for post_id in self._state.forget(self._max_posts):
            self._running.pop(post_id, None)
        return changed

    def finish(self) -> list[str]:
        """Return a line for each decision that differs from the current one of `predict`."""
        changed: list[tuple[Watched, str]] = []
        posts = self._state.posts()
        while some := list(islice(posts, POSTS_AT_ONCE)):
            changed += self._decide(some, self._now())
        for post, _ in changed:
            self._state.put(post)
        return [line for _, line in changed]

    def _parse(self, line: str) -> list[Event]:
        try:
            return parse_events(line, self._now()) if line.strip() else []
        except ValueError as error:
            self.skipped["malformed"] += 1
            logger.warning("watch: malformed event skipped (%s): %.80s", error, line.strip())
            return []

    def _read_texts(self, events: Sequence[Event]) -> dict[str, tuple[float, float]]:
        """Return probability and score of the text of each post that has not arrived before, by its id."""
        texts = {event.post_id: event.text for event in reversed(events) if isinstance(event, PostEvent)}
        new = [post_id for post_id in texts if (known := self._state.get(post_id)) is None or known.posted_at is None]
        if not new:
            return {}
        new_texts = [texts[post_id] for post_id in new]
        read = self._model.read_texts(new_texts, self._classifier.text_probabilities(new_texts))
        return dict(zip(new, zip(read.probabilities.tolist(), read.scores.tolist(), strict=True), strict=True))

    def _add_post(self, event: PostEvent, texts: dict[str, tuple[float, float]]) -> list[str]:
        post = self._state.get(event.post_id) or Watched(event.post_id)
        if post.posted_at is not None:
            self.skipped["duplicates"] += 1
            return []
        post.posted_at, (post.text_probability, post.text_score) = event.posted_at, texts[event.post_id]
        return self._update(post, self._running_of(post))

    def _add_repost(self, event: RepostEvent) -> list[str]:
        words, post = own_words(event.text), self._state.get(event.post_id) or Watched(event.post_id)
        if not words:
            return []
        delay = None if post.posted_at is None else event.reposted_at - post.posted_at
        if delay is not None and not 0 <= delay <= self._model.deadline:
            self.skipped["before the post or after the deadline of the model"] += 1
            return []
        if post.num_reposts >= MAX_REPOSTS:
            self.skipped[f"after {MAX_REPOSTS:,} reposts of the same post"] += 1
            return []
        running = None if delay is None else self._running_of(post)
        if not self._state.add_repost(event.post_id, event.key, event.reposted_at, words):
            self.skipped["duplicates"] += 1
            return []
        post.num_reposts += 1
        if delay is None or running is None:  # the post has not arrived
            self._state.put(post)
            return []
        running.add(encode([Observed((delay,), (words,))], self._model.tokenizer))
        return self._update(post, running)

    def _running_of(self, post: Watched) -> RunningScores:
        """Return the sums over the reposts of a post that has arrived, from memory or from the state."""
        running = self._running.pop(post.post_id, None)
        if running is None:
            running = RunningScores(self._model.weights)
            reposts = [
                (seconds - (post.posted_at or 0), words) for seconds, words in self._state.reposts(post.post_id)
            ]
            visible = [(delay, words) for delay, words in reposts if 0 <= delay <= self._model.deadline]
            if visible:
                delays, words = zip(*visible, strict=True)
                running.add(encode([Observed(delays, words)], self._model.tokenizer))
        self._running[post.post_id] = running
        if len(self._running) > MAX_RUNNING:
            self._running.popitem(last=False)
        return running

    def _update(self, post: Watched, running: RunningScores) -> list[str]:
        post.words, post.attention = running.scores()
        post.num_read = running.num_reposts
        lines = [line for _, line in self._decide([post], self._state.progress.clock)]
        self._state.put(post)
        return lines

    def _decide(self, posts: Sequence[Watched], observed_at: float) -> list[tuple[Watched, str]]:
        """Decide posts that have arrived; return those with a new decision, each with its line."""
        probabilities = self._model.combine(
            Texts(*np.array([(post.text_probability, post.text_score) for post in posts]).T),
            np.array([(post.words, post.attention) for post in posts]),
            np.array([post.num_read > 0 for post in posts]),
            np.array([observed_at - (post.posted_at or 0) for post in posts]),
        )
        facts, changed = self._classifier.facts, []
        names = name_decisions(probabilities, facts.threshold, facts.abstain_below)
        for post, probability, predicted in zip(posts, probabilities.tolist(), names, strict=True):
            if predicted != post.predicted:
                post.predicted = predicted
                line = {"id": post.post_id, "observed_at": int(observed_at), "rumor_probability": probability}
                line |= {"predicted": predicted, "num_reposts_read": post.num_read}
                changed.append((post, json.dumps(line, ensure_ascii=False)))
        return changed
