"""Ask a trained model about the posts that another one learns from."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from datasets import Dataset, concatenate_datasets
from numpy.typing import NDArray

from hf_rumor.corpus.columns import Columns
from hf_rumor.corpus.formats import open_input
from hf_rumor.corpus.normalization import normalize
from hf_rumor.corpus.parts import SplitCorpus
from hf_rumor.corpus.rows import read_items
from hf_rumor.corpus.seen import find_seen, seen_posts
from hf_rumor.evaluation.metrics import Labels
from hf_rumor.inference.classifier import RumorClassifier
from hf_rumor.labels import decide
from hf_rumor.training.distillation import COLUMN, UNLABELED


logger = logging.getLogger(__name__)

MOST_CERTAIN = 1e-6  # probability; a logit has to be finite


@dataclass(frozen=True)
class Teacher:
    """Outputs of a trained model for posts."""

    name: str
    training: NDArray[np.float64]  # (num_training_posts,): logit of rumor
    unlabeled_texts: tuple[str, ...]
    unlabeled: NDArray[np.float64]  # (num_unlabeled_texts,): logit of rumor
    test: Labels  # (num_test_posts,): its predictions

    def with_logits(self, labeled: Dataset, unlabeled: Dataset | None) -> Dataset:
        """Return the training posts with a column of logits, followed by the posts without a label."""
        posts = labeled.add_column(COLUMN, self.training.tolist())
        if unlabeled is None:
            return posts
        more = unlabeled.add_column(COLUMN, self.unlabeled.tolist())
        return concatenate_datasets([posts, more.cast(posts.features)])

    def unlabeled_posts(self, like: Dataset) -> Dataset | None:
        """Return the posts without a label as a dataset with the columns of `like`; None if there are none."""
        if not self.unlabeled_texts:
            return None
        numbers = range(len(self.unlabeled_texts))
        rows = {"id": [f"unlabeled/{number}" for number in numbers], "text": list(self.unlabeled_texts)}
        return Dataset.from_dict({**rows, "label": [UNLABELED for _ in numbers]}, features=like.features)


def ask_teacher(name: str, parts: SplitCorpus, unlabelled_path: str | None, columns: Columns) -> Teacher:
    """Return the outputs of the model `name` for training posts, unlabeled posts and test posts.

    Raises:
        ModelError: It is not available, or is not a rumor classifier.
        CorpusError: `unlabelled_path` cannot be read.
    """
    classifier = RumorClassifier.from_pretrained(name)
    posts = parts.dataset
    unlabeled = _read_unlabeled(unlabelled_path, parts, columns) if unlabelled_path else ()
    logger.info(
        "teacher: %s scores %s training posts and %s unlabeled posts",
        *(name, f"{len(posts['train']):,}", f"{len(unlabeled):,}"),
    )
    return Teacher(
        name=name,
        training=_logits(classifier, posts["train"]["text"][:]),
        unlabeled_texts=unlabeled,
        unlabeled=_logits(classifier, unlabeled),
        test=decide(classifier.probabilities(posts["test"]["text"][:]), classifier.facts.threshold),
    )


def _logits(classifier: RumorClassifier, texts: Sequence[str]) -> NDArray[np.float64]:
    probabilities = np.clip(classifier.probabilities(texts), MOST_CERTAIN, 1 - MOST_CERTAIN)
    logits: NDArray[np.float64] = np.log(probabilities) - np.log1p(-probabilities)
    return logits


def _read_unlabeled(path: str, parts: SplitCorpus, columns: Columns) -> tuple[str, ...]:
    """Return the distinct texts of a file that are not near-duplicates of posts of the corpus."""
    with open_input(Path(path), is_labeled=False) as source:
        texts = [item.post.text for item in read_items(source, columns) if item.post is not None]
    distinct = list({normalize(text): text for text in texts}.values())
    is_known = find_seen(distinct, seen_posts(parts.corpus.posts["text"][:], []))
    kept = tuple(text for text, known in zip(distinct, is_known, strict=True) if not known)
    logger.info(
        "teacher: %s unlabeled posts of %s are used; %s are skipped: copies, or near-duplicates of the corpus",
        *(f"{len(kept):,}", path, f"{len(texts) - len(kept):,}"),
    )
    return kept
