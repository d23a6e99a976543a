"""The reposts of a run: their model is fitted after that of the text, and measured at each deadline."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from datasets import Dataset
from numpy.typing import ArrayLike
from tokenizers import Tokenizer

from hf_rumor.corpus.arrow import posts_of
from hf_rumor.corpus.observed import DEADLINES
from hf_rumor.corpus.parts import SplitCorpus
from hf_rumor.errors import ArgumentError, RunError
from hf_rumor.evaluation.early import (
    MOMENTS,
    BaselineScores,
    EarlyDetection,
    choose_confidence,
    compare_at,
    draw_curve,
    measure_calls,
)
from hf_rumor.evaluation.intervals import Groups
from hf_rumor.evaluation.metrics import Floats, Scored
from hf_rumor.labels import sigmoid
from hf_rumor.models.check import TOLERANCE
from hf_rumor.models.encoders import MINI_FOLDER
from hf_rumor.models.inputs import InputConfig, encode
from hf_rumor.reposts.baselines import count_features, count_tokens, number_scores, svm_scores
from hf_rumor.reposts.fit import Examples
from hf_rumor.reposts.fit import fit_reposts as fit_examples
from hf_rumor.reposts.model import RepostModel, Texts, load_reposts, save_reposts
from hf_rumor.reposts.tokens import Counts, Reposts, read_reposts


logger = logging.getLogger(__name__)

LONGEST_TEXT = InputConfig(512)  # tokens of a post that the baseline reads


@dataclass(frozen=True)
class CorpusReposts:
    """The reposts of a corpus, and the names of the deadlines at which they are read."""

    tokenizer: Tokenizer
    reposts: Reposts
    counts: Counts
    names: tuple[str, ...]  # in rising order

    @property
    def deadlines(self) -> list[float]:
        """Return the deadlines in seconds."""
        return [DEADLINES[name] for name in self.names]


@dataclass(frozen=True)
class Part:
    """Posts as a model of the reposts reads them."""

    model: RepostModel
    scored: Scored  # by the classifier
    texts: Texts
    reposts: Reposts

    def at(self, deadlines: ArrayLike) -> Floats:
        """Return the probability of rumor of each post at a deadline."""
        return self.model.probabilities(self.texts, self.reposts, deadlines)


def make_part(model: RepostModel, scored: Scored, texts: Sequence[str], reposts: Reposts) -> Part:
    """Return scored posts as a model of the reposts reads them."""
    return Part(model, scored, model.read_texts(texts, scored.probabilities), reposts)


def read_corpus_reposts(data: SplitCorpus, deadline: str) -> CorpusReposts:
    """Return the reposts of a corpus, for a run with `--reposts DEADLINE`.

    Raises:
        ArgumentError: The training posts of a label have no reposts with words and known dates.
    """
    read = read_reposts_of(data.corpus.posts, deadline)
    labels = np.array(data.dataset["train"]["label"][:])
    spoken = read.reposts.of_posts(data.split.train).counts() > 0
    logger.info(
        "reposts: %s with a known date, %s of them without words of their own; %d of %d training posts have some "
        "within the deadline",
        *(f"{read.counts.visible:,}", f"{read.counts.bare:,}", spoken.sum(), len(spoken)),
    )
    if len(np.unique(labels[spoken])) < 2:
        raise ArgumentError(
            f"--reposts {deadline}: {data.corpus.path} has training posts of one label at most with reposts until "
            "then. They need the dates of posts and reposts. Use --reposts none."
        )
    return read


def read_reposts_of(posts: Dataset, deadline: str) -> CorpusReposts:
    """Return the reposts of a corpus until a deadline, given by its name."""
    names = tuple(name for name, seconds in DEADLINES.items() if seconds <= DEADLINES[deadline])
    tokenizer = Tokenizer.from_file(str(MINI_FOLDER / "tokenizer.json"))
    reposts, counts = read_reposts(posts, tokenizer)
    return CorpusReposts(tokenizer, reposts.until(DEADLINES[deadline]), counts, names)


def fit_reposts(read: CorpusReposts, data: SplitCorpus, validation: Scored, seed: int) -> RepostModel:
    """Fit the model on training and validation posts; see `hf_rumor.reposts.fit.fit_reposts`."""
    positions = data.split.development()
    posts = data.corpus.posts.select_columns(["text", "label"]).select(positions)
    examples = Examples(
        texts=posts["text"][:],
        reposts=read.reposts.of_posts(positions),
        labels=np.array(posts["label"][:]),
        groups=data.groups[positions],
        validation=np.arange(len(data.split.train), len(positions)),
        text_probabilities=validation.probabilities,
    )
    return fit_examples(examples, read.tokenizer, MINI_FOLDER / "model.safetensors", read.deadlines, seed)


def fit_baselines(read: CorpusReposts, data: SplitCorpus) -> list[BaselineScores]:
    """Fit the baselines on training and validation posts, without reposts and at each deadline."""
    development, test = data.split.development(), data.split.test
    labels = np.array(data.corpus.posts.select(development)["label"][:])
    size = read.tokenizer.get_vocab_size()
    fit_texts, test_texts = (
        count_features([text.ids for text in encode(posts_of(posts[:]), read.tokenizer, LONGEST_TEXT)], size)
        for posts in (data.corpus.posts.select_columns(["text"]).select(part) for part in (development, test))
    )
    baselines = [BaselineScores(sigmoid(svm_scores(fit_texts, labels, test_texts)))]
    for deadline in read.deadlines:
        fit, held_out = (read.reposts.until(deadline).of_posts(part) for part in (development, test))
        fit_counts, test_counts = count_tokens(fit, size), count_tokens(held_out, size)
        scores = (
            svm_scores(fit_texts + fit_counts, labels, test_texts + test_counts),
            svm_scores(fit_counts, labels, test_counts),
            number_scores(fit.counts(), labels, held_out.counts()),
        )
        baselines.append(BaselineScores(*map(sigmoid, scores)))
    return baselines


def call_confidence(validation: Part, threshold: float) -> tuple[float, bool]:
    """Return the confidence of a call, chosen on validation posts; see `choose_confidence`."""
    probabilities = np.array([validation.at(moment) for moment in moments_until(validation.model.deadline)])
    return choose_confidence(validation.scored.labels, probabilities, threshold)


def moments_until(deadline: float) -> tuple[float, ...]:
    """Return the moments of `MOMENTS` before a deadline, and the deadline."""
    return (*(moment for moment in MOMENTS if moment < deadline), deadline)


def measure_early(
    read: CorpusReposts,
    test: Part,
    groups: Groups,
    threshold: float,
    confidence: tuple[float, bool],
    baselines: Sequence[BaselineScores] | None,
) -> EarlyDetection:
    """Return the scores of the test posts at each deadline, and how early they can be called.

    Args:
        read: The reposts of the corpus.
        test: The test posts.
        groups: Near-duplicate groups of the test posts.
        threshold: Of a rumor.
        confidence: As `call_confidence` returns it.
        baselines: As `fit_baselines` returns them; None for another corpus.
    """
    undenied = replace(test, reposts=test.reposts.take(np.flatnonzero(~test.reposts.denies)))
    names, deadlines = ("0", *read.names), (0.0, *read.deadlines)
    rows = []
    for name, deadline, baseline in zip(names, deadlines, baselines or [BaselineScores()] * len(names), strict=True):
        share = float((test.reposts.until(deadline).counts() > 0).mean())
        read_all, read_undenied = (part.at(deadline) for part in (test, undenied))
        labels = test.scored.labels
        rows.append(compare_at(name, share, labels, read_all, read_undenied, baseline, groups, threshold))
    moments = moments_until(read.deadlines[-1])
    over_time = np.array([test.at(moment) for moment in moments])
    return EarlyDetection(
        deadline=read.names[-1],
        num_visible=read.counts.visible,
        num_bare=read.counts.bare,
        num_chains=read.counts.chains,
        deadlines=tuple(rows),
        calls=measure_calls(test.scored.labels, over_time, threshold, moments, *confidence),
        curve=draw_curve(test.scored.labels, over_time, threshold, moments),
    )


@dataclass(frozen=True)
class Reading:
    """What a run learned from reposts."""

    test: Part
    test_texts: Sequence[str]
    early: EarlyDetection


def read_and_measure(
    read: CorpusReposts, data: SplitCorpus, scored: Mapping[str, Scored], threshold: float, seed: int
) -> Reading:
    """Fit the model of the reposts of a run, and measure it on the test posts."""
    start = time.monotonic()
    model = fit_reposts(read, data, scored["validation"], seed)
    validation, test = (
        make_part(model, scored[name], data.dataset[name]["text"][:], read.reposts.of_posts(positions))
        for name, positions in (("validation", data.split.validation), ("test", data.split.test))
    )
    logger.info("reposts: model fitted in %.0f s", time.monotonic() - start)
    early = measure_early(
        read,
        test,
        data.groups[data.split.test],
        threshold,
        call_confidence(validation, threshold),
        fit_baselines(read, data),
    )
    return Reading(test, data.dataset["test"]["text"][:], early)


def save_reading(folder: Path, reading: Reading) -> None:
    """Save the model of the reposts, load it again, and compare its probabilities of the test posts.

    Raises:
        RunError: They differ.
    """
    test = reading.test
    save_reposts(test.model, folder)
    saved = load_reposts(folder)
    part = make_part(saved, test.scored, reading.test_texts, test.reposts) if saved else None
    deadline = test.model.deadline
    if part is None or abs(part.at(deadline) - test.at(deadline)).max(initial=0.0) > TOLERANCE:
        raise RunError(f"{folder}: the saved model of the reposts does not reproduce the probabilities. Train again.")
