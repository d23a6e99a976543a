"""Two finished models on the same labeled posts: scores, differences, and the posts on which they disagree."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hf_rumor.corpus.arrow import Corpus
from hf_rumor.corpus.near_duplicates import find_near_duplicates
from hf_rumor.corpus.seen import find_seen
from hf_rumor.errors import ModelError, OutputError
from hf_rumor.evaluation.baseline import Comparison
from hf_rumor.evaluation.intervals import Difference, Groups, paired_differences, paired_roc_auc, sign_test
from hf_rumor.evaluation.metrics import Floats, Labels, Metrics, compute_metrics
from hf_rumor.inference.classifier import RumorClassifier
from hf_rumor.labels import LABEL_NAMES, decide
from hf_rumor.models.hub import check_reachable
from hf_rumor.models.seen import load_seen
from hf_rumor.util.files import write_csv


@dataclass(frozen=True)
class ComparedModel:
    """One of the two models."""

    name: str
    threshold: float
    num_seen: int | None  # posts that it, or a near-duplicate, has seen in training; None if unknown


@dataclass(frozen=True)
class PairedScores:
    """The scores of models A and B on the same posts, and how much better B is."""

    num_posts: int
    num_groups: int  # of near-duplicates
    num_disagreements: int
    scores: tuple[Metrics, Metrics]
    comparison: Comparison  # of B with A
    roc_auc: Difference


@dataclass(frozen=True)
class ModelComparison:
    """Two models on the posts that neither has seen in training, and on all posts."""

    models: tuple[ComparedModel, ComparedModel]
    unseen: PairedScores
    all_posts: PairedScores | None  # None if no post was seen


@dataclass(frozen=True)
class _Predictions:
    """The predictions of both models. *Shape:* `(num_posts,)` or `(2, num_posts)` each."""

    labels: Labels
    probabilities: Floats
    predicted: Labels
    groups: Groups

    def select(self, is_kept: NDArray[np.bool_]) -> "_Predictions":
        return _Predictions(*(values[..., is_kept] for values in vars(self).values()))


def compare_models(names: tuple[str, str], corpus: Corpus, output: Path | None = None) -> ModelComparison:
    """Compare two finished models on labeled posts, each at its own threshold and without abstention.

    Args:
        names: Model A and model B: folders, or models on the Hub.
        corpus: Labeled posts.
        output: CSV file to write, with the posts on which the models disagree.

    Raises:
        ModelError: There is no such model, or every post was seen in training.
        OutputError: `output` exists.
    """
    if output is not None and output.exists():
        raise OutputError(f"--output {output}: already exists. Remove it, or name another file.")
    for name in names:
        check_reachable(name, "model")
    texts, labels = corpus.posts["text"][:], np.asarray(corpus.posts["label"][:], dtype=np.int64)
    known = [load_seen(name) for name in names]
    is_seen = np.array(
        [np.zeros(len(texts), dtype=np.bool_) if seen is None else find_seen(texts, seen) for seen in known]
    )
    is_unseen = ~np.logical_or(*is_seen)
    if not is_unseen.any():
        counts = " and ".join(f"{name} has seen {seen.sum():,}" for name, seen in zip(names, is_seen, strict=True))
        raise ModelError(f"compare: no unseen posts: of {len(texts):,} posts, {counts} in training. Use other posts.")
    probabilities, thresholds = [], []
    for name in names:
        classifier = RumorClassifier.from_pretrained(name)
        thresholds.append(classifier.facts.threshold)
        probabilities.append(classifier.probabilities(texts))
    first, second = (
        ComparedModel(name, threshold, None if seen is None else int(marks.sum()))
        for name, threshold, seen, marks in zip(names, thresholds, known, is_seen, strict=True)
    )
    predicted = [decide(scores, threshold) for scores, threshold in zip(probabilities, thresholds, strict=True)]
    everything = _Predictions(labels, np.array(probabilities), np.array(predicted), find_near_duplicates(texts).groups)
    if output is not None:
        _write_disagreements(output, corpus, everything, ~is_unseen)
    return ModelComparison(
        (first, second),
        unseen=_compare(everything.select(is_unseen)),
        all_posts=None if is_unseen.all() else _compare(everything),
    )


def _compare(posts: _Predictions) -> PairedScores:
    labels, groups, (first, second) = posts.labels, posts.groups, posts.predicted
    scores = [compute_metrics(labels, *both) for both in zip(posts.predicted, posts.probabilities, strict=True)]
    return PairedScores(
        num_posts=len(labels),
        num_groups=len(np.unique(groups)),
        num_disagreements=int((first != second).sum()),
        scores=(scores[0], scores[1]),
        comparison=Comparison(
            accuracy=scores[0].accuracy,
            macro_f1=scores[0].macro_f1,
            difference=paired_differences(labels, second, first, groups),
            sign_test=sign_test(labels, second, first, groups),
        ),
        roc_auc=paired_roc_auc(labels, posts.probabilities[1], posts.probabilities[0], groups),
    )


def _write_disagreements(path: Path, corpus: Corpus, posts: _Predictions, is_seen: NDArray[np.bool_]) -> None:
    """Write the posts on which the models disagree, in the order of the corpus."""
    places = np.flatnonzero(posts.predicted[0] != posts.predicted[1])
    chosen = corpus.posts.select(places)
    names = np.array(LABEL_NAMES)
    columns = {
        "id": chosen["id"][:],
        "text": chosen["text"][:],
        "label": names[posts.labels[places]],
        **{f"probability_{model}": posts.probabilities[row, places].round(6) for row, model in enumerate("ab")},
        **{f"predicted_{model}": names[posts.predicted[row, places]] for row, model in enumerate("ab")},
        "seen_in_training": np.where(is_seen[places], "yes", "no"),
    }
    write_csv(path, list(columns), zip(*columns.values(), strict=True), for_people=True)
