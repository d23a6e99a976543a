"""Fit the model of the reposts: its parts on training and validation posts, what combines them out of fold."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import load_file
from scipy.sparse import csr_matrix, vstack
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.svm import LinearSVC

from hf_rumor.labels import log_odds
from hf_rumor.reposts.attention import Embedded, train_network
from hf_rumor.reposts.baselines import count_features, count_tokens
from hf_rumor.reposts.model import RepostModel, Weights, linear, part_scores, with_lateness
from hf_rumor.reposts.texts import NUM_PAIRS, text_features, text_score
from hf_rumor.reposts.tokens import Ints, Reposts


if TYPE_CHECKING:
    from tokenizers import Tokenizer

MEMBERS = 3  # networks


@dataclass(frozen=True)
class Examples:
    """Posts to fit on.

    Attributes:
        texts: Their texts.
        reposts: Their reposts, until the last deadline.
        labels: 1 for rumors. *Shape:* `(num_posts,)`.
        groups: Number of the near-duplicate group of each post. *Shape:* `(num_posts,)`.
        validation: Positions of the posts that the model of the text was not trained on.
        text_probabilities: Of these, the probability of rumor given the text. *Shape:* `(num_validation,)`.
    """

    texts: Sequence[str]
    reposts: Reposts
    labels: Ints
    groups: Ints
    validation: Ints
    text_probabilities: NDArray[np.float64]


def fit_reposts(
    examples: Examples, tokenizer: "Tokenizer", vectors: Path, deadlines: Sequence[float], seed: int
) -> RepostModel:
    """Return the model of the reposts.

    The parts are fitted on all posts. What combines them is fitted on scores by parts that were fitted on the other
    half of the posts; what combines the result with the classifier is fitted on validation posts alone.

    Args:
        examples: Training and validation posts.
        tokenizer: Of the words.
        vectors: The file of the weights of `mini`, whose token vectors are read.
        deadlines: Seconds after the post, in rising order. Each post with visible reposts counts once per deadline.
        seed: Of the halves and of the networks.
    """
    reposts, labels, chosen = examples.reposts, examples.labels, examples.validation
    table = token_vectors(vectors, reposts)
    embedded = Embedded(table, reposts)
    features = text_features(examples.texts, tokenizer)
    texts = count_features(features, len(table) + NUM_PAIRS)
    scores = np.zeros((len(deadlines), len(labels), 3))  # of parts that have not seen the post
    halves = StratifiedGroupKFold(2, shuffle=True, random_state=seed)
    for posts, held_out in halves.split(labels, labels, examples.groups):
        parts = fit_parts(texts, embedded, table, labels, posts, deadlines, seed)
        rest = reposts.of_posts(held_out)
        scores[:, held_out, 0] = [text_score(features[post], parts.text_idf, parts.text_words) for post in held_out]
        scores[:, held_out, 1:] = [part_scores(parts, rest.until(deadline)) for deadline in deadlines]
    weights = fit_parts(texts, embedded, table, labels, np.arange(len(labels)), deadlines, seed)
    has_words = np.array([reposts.until(deadline).counts() > 0 for deadline in deadlines])
    reading = _fit_linear(scores, has_words, labels, deadlines)
    if reading is not None:
        rows = zip(scores, deadlines, strict=True)
        read = np.array([linear(reading, with_lateness(row, deadline)) for row, deadline in rows])[:, chosen]
        classified = np.broadcast_to(log_odds(examples.text_probabilities), read.shape)
        both = np.stack([classified, read], axis=2)[has_words[:, chosen]]
        target = np.tile(labels[chosen], (len(deadlines), 1))[has_words[:, chosen]]
        if len(np.unique(target)) == 2:
            fitted = LogisticRegression(fit_intercept=False).fit(both, target)
            weights = replace(weights, reading=reading, combination=fitted.coef_[0])
    return RepostModel(weights, tokenizer, deadlines[-1])


def token_vectors(vectors: Path, reposts: Reposts) -> NDArray[np.float32]:
    """Return the token vectors of `mini`, times the inverse frequency of the token among the reposts."""
    table = load_file(vectors)["bert.embeddings.word_embeddings.weight"].float().numpy()
    frequencies = np.bincount(reposts.ids, minlength=len(table))
    rarity = np.log((len(reposts.delays) + 1) / (frequencies + 1)) + 1
    return np.asarray((table * rarity[:, None]).astype(np.float16), dtype=np.float32)  # as it is saved


def fit_parts(
    texts: csr_matrix,
    embedded: Embedded,
    table: NDArray[np.float32],
    labels: Ints,
    posts: Ints,
    deadlines: Sequence[float],
    seed: int,
) -> Weights:
    """Return weights whose parts are fitted on some of the posts, and whose probability is still that of the text."""
    some = embedded.reposts.of_posts(posts)
    spoken = some.of_posts(np.flatnonzero(some.counts()))
    idf = TfidfTransformer(sublinear_tf=True).fit(count_tokens(spoken, len(table)))
    networks = [
        train_network(embedded, labels, posts, deadlines[-1], seed * MEMBERS + number) for number in range(MEMBERS)
    ]
    text_idf = TfidfTransformer(sublinear_tf=True).fit(texts[posts])
    text_svm = LinearSVC(random_state=0).fit(text_idf.transform(texts[posts]), labels[posts])
    return Weights(
        text_idf=text_idf.idf_.astype(np.float32),
        text_words=text_svm.coef_[0].astype(np.float32),
        idf=idf.idf_.astype(np.float32),
        words=_fit_words(idf, some, labels[posts], deadlines, len(table)),
        vectors=table,
        **{name: np.stack([arrays[name] for arrays in networks]) for name in networks[0]},
        reading=np.zeros(8),
        combination=np.array([1.0, 0.0]),
    )


def _fit_linear(
    values: NDArray[np.float64], is_used: NDArray[np.bool_], labels: Ints, deadlines: Sequence[float]
) -> NDArray[np.float64] | None:
    """Return intercept and weights of a logistic regression; None if the posts are of one label only.

    Args:
        values: *Shape:* `(num_deadlines, num_posts, 3)`.
        is_used: *Shape:* `(num_deadlines, num_posts)`.
        labels: *Shape:* `(num_posts,)`.
        deadlines: Seconds after the post.
    """
    rows = [with_lateness(row, deadline) for row, deadline in zip(values, deadlines, strict=True)]
    features = np.concatenate(rows)[is_used.ravel()]
    target = np.tile(labels, len(deadlines))[is_used.ravel()]
    if len(np.unique(target)) < 2:
        return None
    spread = np.maximum(features.std(axis=0), 1e-6)
    fitted = LogisticRegression(max_iter=1000).fit(features / spread, target)
    return np.concatenate([fitted.intercept_, fitted.coef_[0] / spread])


def _fit_words(
    idf: TfidfTransformer, reposts: Reposts, labels: Ints, deadlines: Sequence[float], vocabulary: int
) -> NDArray[np.float32]:
    """Return the weights of a linear SVM over the reposts at all deadlines, without its intercept."""
    rows, targets = [], []
    for deadline in deadlines:
        visible = reposts.until(deadline)
        spoken = np.flatnonzero(visible.counts())
        if not len(spoken):
            continue
        rows.append(idf.transform(count_tokens(visible.of_posts(spoken), vocabulary)))
        targets.append(labels[spoken])
    svm = LinearSVC(C=0.2, random_state=0).fit(vstack(rows), np.concatenate(targets))
    return np.asarray(svm.coef_[0], dtype=np.float32)
