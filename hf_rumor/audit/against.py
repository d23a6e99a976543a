"""Compare two corpora: shared posts, labels, giveaways, vocabulary and time."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from hf_rumor.audit.audit import years_of
from hf_rumor.audit.giveaways import find_giveaways, pieces_of
from hf_rumor.audit.text import readable
from hf_rumor.corpus.arrow import Corpus
from hf_rumor.corpus.merging import count_votes
from hf_rumor.corpus.near_duplicates import Indices, find_near_duplicates
from hf_rumor.corpus.normalization import normalize
from hf_rumor.evaluation.baseline import make_tfidf_svm
from hf_rumor.labels import LABEL_NAMES


NUM_PIECES = 8  # of each label or corpus
NUM_FOLDS = 5


@dataclass(frozen=True)
class Side:
    """One of the corpora.

    Attributes:
        path: Its path.
        posts: Number of posts of each label.
        copies: Number of posts with a near-duplicate in the other corpus.
        years: Number of posts of each year and label.
        typical: Pieces of text that are far more frequent than in the other corpus.
    """

    path: str
    posts: dict[str, int]
    copies: int
    years: dict[str, dict[str, int]]
    typical: list[str]


@dataclass(frozen=True)
class PieceInBoth:
    """A piece of text that gives the label away in the first corpus, and the numbers of posts with it in both."""

    piece: str
    label: str  # that it indicates
    num_rumors: tuple[int, int]  # in the first corpus; in the other one
    num_non_rumors: tuple[int, int]


@dataclass(frozen=True)
class Against:
    """Two corpora side by side.

    Attributes:
        first: The corpus of `--data_path`.
        other: That of `--against`.
        same_label: Posts of the other corpus with a near-duplicate of the same label in the first one.
        other_label: Those with a near-duplicate of the other label.
        giveaways: Pieces that give the label away in the first corpus, the strongest of each label first.
        area: ROC-AUC of a classifier that distinguishes the corpora by the text; 0.5: not at all.
    """

    first: Side
    other: Side
    same_label: int
    other_label: int
    giveaways: list[PieceInBoth]
    area: float


def compare_corpora(first: Corpus, other: Corpus) -> Against:
    """Compare two corpora; neither of them is changed."""
    texts = [[normalize(text) for text in corpus.posts["text"][:]] for corpus in (first, other)]
    labels = [np.array(corpus.posts["label"][:], dtype=np.int64) for corpus in (first, other)]
    both, is_other = texts[0] + texts[1], np.repeat([0, 1], [len(texts[0]), len(texts[1])])
    near = find_near_duplicates(both)
    places = [np.flatnonzero(is_other == side) for side in (0, 1)]
    same, opposite = count_votes(near, np.concatenate(labels), places[1], places[0])
    typical = find_giveaways(both, is_other, near.groups)
    sides = [
        Side(
            path=str(corpus.path),
            posts={name: int((labels[side] == label).sum()) for label, name in enumerate(LABEL_NAMES)},
            copies=len(near.leaking(places[side], places[1 - side])),
            years=years_of(corpus.posts["posted_at"][:], labels[side]),
            typical=[one.piece for one in typical if one.label == LABEL_NAMES[side]][:NUM_PIECES],
        )
        for side, corpus in enumerate((first, other))
    ]
    giveaways = _giveaways(texts, labels, near.among(places[0]).groups)
    return Against(sides[0], sides[1], same, opposite, giveaways, _area(both, is_other, near.groups))


def _giveaways(texts: Sequence[Sequence[str]], labels: Sequence[Indices], groups: Indices) -> list[PieceInBoth]:
    """Return the giveaways of the first corpus with their numbers in the other one."""
    found = find_giveaways(texts[0], labels[0], groups)
    strongest = [one for name in reversed(LABEL_NAMES) for one in [g for g in found if g.label == name][:NUM_PIECES]]
    pieces = [set(pieces_of(text)) for text in texts[1]]
    rows = []
    for one in strongest:
        occurs = np.array([one.piece in of_post for of_post in pieces])
        num_non_rumors, num_rumors = (int(occurs[labels[1] == label].sum()) for label in (0, 1))
        rows.append(
            PieceInBoth(one.piece, one.label, (one.num_rumors, num_rumors), (one.num_non_rumors, num_non_rumors))
        )
    return rows


def to_text(against: Against) -> str:
    """Return the comparison as text."""
    non_rumor, rumor = LABEL_NAMES
    sides = (against.first, against.other)
    lines = []
    for side, other in zip(sides, reversed(sides), strict=True):
        num_posts = sum(side.posts.values())
        lines += [
            f"{side.path}",
            f"  posts: {side.posts[rumor]:,} rumor, {side.posts[non_rumor]:,} non-rumor",
            f"  with a near-duplicate in {Path(other.path).name}: {side.copies:,} ({side.copies / num_posts:.1%})",
            f"  years: {', '.join(f'{year} {sum(row.values()):,}' for year, row in side.years.items())}",
            f"  typical: {'  '.join(map(readable, side.typical)) or 'none'}",
        ]
    lines += [
        f"labels of near-duplicates: {against.same_label:,} equal, {against.other_label:,} opposite",
        f"ROC-AUC of a classifier that separates the two corpora: {against.area:.3f} (0.5: chance)",
        "",
        f"what reveals the label in {Path(against.first.path).name} (rumors, non-rumors; then in the other)",
    ]
    for one in against.giveaways:
        numbers = zip(one.num_rumors, one.num_non_rumors, strict=True)
        lines.append(f"  {one.label:<10} {readable(one.piece):<12} {'   '.join(f'{a:,}, {b:,}' for a, b in numbers)}")
    return "\n".join(lines)


def _area(texts: Sequence[str], is_other: Indices, groups: Indices) -> float:
    """Return the ROC-AUC of TF-IDF + SVM, by cross-validation; near-duplicates are in one fold."""
    folds = StratifiedGroupKFold(NUM_FOLDS, shuffle=True, random_state=0)
    scores = cross_val_predict(
        make_tfidf_svm(), np.array(texts, dtype=object), is_other, groups=groups, cv=folds, method="decision_function"
    )
    return float(roc_auc_score(is_other, scores))
