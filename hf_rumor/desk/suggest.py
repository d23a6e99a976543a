"""Posts to label next: those that are uncertain for the model and differ from each other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hf_rumor.corpus.near_duplicates import find_near_duplicates
from hf_rumor.corpus.rows import Item
from hf_rumor.desk.queue import readable
from hf_rumor.desk.verdicts import COLUMNS
from hf_rumor.evaluation.decision import name_decisions
from hf_rumor.evaluation.metrics import Floats
from hf_rumor.inference.classifier import RumorClassifier
from hf_rumor.util.tables import beside_input


OWN_COLUMNS = (COLUMNS[0], "decision", "probability")


@dataclass(frozen=True)
class Suggestions:
    """A table to fill in.

    Attributes:
        columns: Ours, then those of the input.
        rows: One per suggested post, in the order of choice.
        num_posts: Number of posts of the input.
        num_stories: Number of stories without a label among them.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    num_posts: int
    num_stories: int


def suggest(classifier: RumorClassifier, items: Iterable[Item], labeled: Sequence[str], num: int) -> Suggestions:
    """Return up to `num` posts to label next, at most one per story and none of a story that has a label.

    Args:
        classifier: The model that will be trained further.
        items: The posts to choose from.
        labeled: Texts that have a label.
        num: Number of posts.

    Raises:
        CorpusError: There is no post.
    """
    kept, posts = readable(items, "suggest")
    texts = [post.text for post in posts]
    stories = new_stories(texts, labeled)
    probabilities = classifier.probabilities([posts[position] for position in stories])
    threshold = classifier.facts.threshold
    chosen = choose([texts[position] for position in stories], uncertainty(probabilities, threshold), num)
    decisions = name_decisions(probabilities, threshold, classifier.facts.abstain_below)
    own = [(None, decisions[place], round(float(probabilities[place]), 3)) for place in chosen]
    columns, rows = beside_input(OWN_COLUMNS, own, [kept[stories[place]].values for place in chosen])
    return Suggestions(columns, rows, len(posts), len(stories))


def new_stories(texts: Sequence[str], labeled: Sequence[str]) -> list[int]:
    """Return the position of the first text of each near-duplicate group that has no labeled text."""
    groups = find_near_duplicates([*texts, *labeled]).groups.tolist()
    seen = set(groups[len(texts) :])
    first: dict[int, int] = {}
    for position, group in enumerate(groups[: len(texts)]):
        first.setdefault(group, position)
    return [position for group, position in first.items() if group not in seen]


def uncertainty(probabilities: Floats, threshold: float) -> Floats:
    """Return 1 for a post at the threshold, falling to 0 at the probability farthest from it. *Shape:* as given."""
    return 1 - np.abs(probabilities - threshold) / max(threshold, 1 - threshold)


def choose(texts: Sequence[str], weights: Floats, num: int) -> list[int]:
    """Return the positions of up to `num` texts that have large weights and differ from each other.

    As BADGE (Ash et al. 2020, algorithm 1): k-means++ on vectors whose length is the uncertainty. There they are
    gradients of the last layer; here, TF-IDF of character bigrams, so that any backend can be used. The first text is
    the one with the largest weight; further ones are drawn with probability proportional to the squared distance to
    the nearest chosen one.

    Args:
        texts: To choose from.
        weights: Their uncertainty. *Shape:* `(num_texts,)`.
        num: Number of texts.
    """
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

    if len(texts) <= num:
        return [int(position) for position in np.argsort(-weights, kind="stable")]
    counts = HashingVectorizer(analyzer="char", ngram_range=(1, 2), norm=None, alternate_sign=False)
    vectors = TfidfTransformer(sublinear_tf=True).fit_transform(counts.transform(texts)).multiply(weights[:, None])
    vectors = vectors.tocsr()
    generator = np.random.default_rng(0)
    chosen = [int(np.argmax(weights))]
    squares = np.square(weights)  # lengths of the vectors
    nearest = squares.copy()  # to the origin, which counts as chosen: a post without uncertainty is not drawn
    while len(chosen) < num:
        last = chosen[-1]
        products = (vectors @ vectors[last].T).toarray().ravel()
        nearest = np.minimum(nearest, np.maximum(squares + squares[last] - 2 * products, 0))
        nearest[chosen] = 0
        if not nearest.any():
            break
        chosen.append(int(generator.choice(len(texts), p=nearest / nearest.sum())))
    return chosen
