"""A model of the reposts of a post, which is combined with the classifier of its text. Needs numpy only.

Three parts read the post and its visible reposts. None is given their number, which depends on how a corpus was
collected:

- text: a linear model over the TF-IDF of tokens and pairs of tokens of the post;
- words: a linear model over the TF-IDF of all tokens of the reposts together;
- attention: the average of a few small networks. Each repost is the mean of its token vectors; a learned weight
  decides how much it counts in each of several weighted means over all reposts (a deep set with attention, Zaheer et
  al., 2017, arXiv:1703.06114; Ilse et al., 2018, arXiv:1802.04712).

A logistic regression of the three scores takes the deadline into account. A second one adds its log-odds to those of
the classifier, each times a weight.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hf_rumor.errors import ModelError
from hf_rumor.labels import log_odds, sigmoid
from hf_rumor.reposts.texts import text_features, text_score
from hf_rumor.reposts.tokens import Reposts
from hf_rumor.util.files import write_text, written_whole


if TYPE_CHECKING:
    from tokenizers import Tokenizer

FOLDER = "reposts"  # in the folder of a model
FILES = ("config.json", "model.safetensors", "tokenizer.json")
SHORT, LONG = 600.0, 7 * 86400.0  # seconds between which the deadline changes the combination
MAX_ATTENTION = 8.0  # largest and smallest logit of a weight
BUCKETS = 10  # of delays
POSTS_AT_ONCE = 64

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Weights:
    """The arrays of the model; V tokens, D dimensions of a token vector, M members, H hidden units, A weighted means.

    Attributes:
        text_idf: Inverse document frequency of each feature of a text. *Shape:* `(V + NUM_PAIRS,)`.
        text_words: Weights of the linear model over texts. *Shape:* `(V + NUM_PAIRS,)`.
        idf: Inverse document frequency of each token; a document is the reposts of a post. *Shape:* `(V,)`.
        words: Weights of the linear model over TF-IDF. *Shape:* `(V,)`.
        vectors: Token vectors, times the inverse frequency of the token among reposts. *Shape:* `(V, D)`.
        hidden: *Shape:* `(M, D, H)`.
        hidden_bias: Bias for each bucket of delays. *Shape:* `(M, BUCKETS, H)`.
        attention: *Shape:* `(M, H, A)`.
        attention_bias: *Shape:* `(M, A)`.
        joint: *Shape:* `(M, H + A * H, J)`.
        joint_bias: *Shape:* `(M, J)`.
        output: *Shape:* `(M, J)`.
        reading: Intercept and weights of `with_lateness` of the scores of the three parts. *Shape:* `(8,)`.
        combination: Weights of the log-odds of the classifier and of `reading`. *Shape:* `(2,)`.
    """

    text_idf: Floats
    text_words: Floats
    idf: Floats
    words: Floats
    vectors: Floats
    hidden: Floats
    hidden_bias: Floats
    attention: Floats
    attention_bias: Floats
    joint: Floats
    joint_bias: Floats
    output: Floats
    reading: NDArray[np.float64]
    combination: NDArray[np.float64]


@dataclass(frozen=True)
class Texts:
    """What is known of the texts of some posts, each of length `num_posts`."""

    probabilities: NDArray[np.float64]  # of rumor, by the classifier
    scores: NDArray[np.float64]  # by the part `text`


@dataclass(frozen=True)
class RepostModel:
    """A fitted model.

    Attributes:
        weights: Its arrays.
        tokenizer: Of the words of reposts.
        deadline: Seconds after the post until which reposts are read; later ones change nothing.
    """

    weights: Weights
    tokenizer: "Tokenizer"
    deadline: float

    def read_texts(self, texts: Sequence[str], probabilities: NDArray[np.float64]) -> Texts:
        """Return what is known of some texts, whose probabilities by the classifier are given."""
        features = text_features(texts, self.tokenizer)
        weights = self.weights
        scores = [text_score(numbers, weights.text_idf, weights.text_words) for numbers in features]
        return Texts(probabilities, np.array(scores, dtype=np.float64))

    def probabilities(self, texts: Texts, reposts: Reposts, deadlines: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of rumor of some posts, each at a deadline.

        Without a visible repost that has words, it is that of the classifier.

        Args:
            texts: Of these posts.
            reposts: Of these posts; those after the deadline are not read.
            deadlines: Seconds after the post: one number, or one for each post.
        """
        deadlines = np.minimum(np.asarray(deadlines, dtype=np.float64), self.deadline)
        visible = reposts.until(deadlines)
        return self.combine(texts, part_scores(self.weights, visible), visible.counts() > 0, deadlines)

    def combine(
        self, texts: Texts, scores: NDArray[np.float64], has_words: NDArray[np.bool_], deadlines: ArrayLike
    ) -> NDArray[np.float64]:
        """Return the probability of rumor of some posts from the scores of their reposts; see `probabilities`.

        Args:
            texts: Of these posts.
            scores: As `part_scores` returns them. *Shape:* `(num_posts, 2)`.
            has_words: Whether a repost with words is visible. *Shape:* `(num_posts,)`.
            deadlines: Seconds after the post.
        """
        seconds = np.clip(np.asarray(deadlines, dtype=np.float64), 0, self.deadline)
        read = linear(self.weights.reading, with_lateness(np.column_stack([texts.scores, scores]), seconds))
        logits = np.column_stack([log_odds(texts.probabilities), read]) @ self.weights.combination
        return np.where(has_words, sigmoid(logits), texts.probabilities)


def bucket_of(delays: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the bucket of each delay in seconds: 0 below 1 minute, 1 below 3, 2 below 7, ..., 9 from 511 on."""
    return np.asarray(np.minimum(np.log2(delays / 60 + 1), BUCKETS - 1), dtype=np.int64)


def with_lateness(values: NDArray[np.float64], deadlines: ArrayLike) -> NDArray[np.float64]:
    """Return three columns, how late the deadline is, and the products of these. *Shape:* `(num_posts, 7)`.

    Lateness rises with the logarithm of the deadline, from 0 at the time of the post to 1 a week later and after.
    """
    seconds = np.minimum(np.broadcast_to(np.asarray(deadlines, dtype=np.float64), len(values)), LONG)
    lateness = (np.log1p(seconds / SHORT) / math.log1p(LONG / SHORT))[:, None]
    return np.hstack([values, lateness, values * lateness])


def linear(weights: NDArray[np.float64], features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the intercept, which is the first weight, plus the weighted sum of the features."""
    return np.asarray(weights[0] + features @ weights[1:])


def part_scores(weights: Weights, reposts: Reposts) -> NDArray[np.float64]:
    """Return the scores of reposts, by words and by attention; 0 without reposts. *Shape:* `(num_posts, 2)`."""
    scores = np.zeros((len(reposts), 2))
    for start in range(0, len(reposts), POSTS_AT_ONCE):
        chunk = reposts.of_posts(np.arange(start, min(start + POSTS_AT_ONCE, len(reposts))))
        spoken = np.flatnonzero(chunk.counts())
        if len(spoken):
            chunk = chunk.of_posts(spoken)
            scores[start + spoken, 0] = tf_idf(weights.idf, chunk) @ weights.words
            scores[start + spoken, 1] = _attention_scores(weights, chunk)
    return scores


def tf_idf(idf: Floats, reposts: Reposts) -> Floats:
    """Return (1 + ln count) * idf of each token over the reposts of a post, with length 1. *Shape:* `(posts, V)`."""
    counts = np.bincount(reposts.token_owners() * len(idf) + reposts.ids, minlength=len(reposts) * len(idf))
    counts = counts.reshape(len(reposts), len(idf)).astype(np.float32)
    values = np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), 0).astype(np.float32) * idf
    return np.asarray(values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-9), dtype=np.float32)


def embed(vectors: Floats, reposts: Reposts) -> Floats:
    """Return the mean of the token vectors of each repost, with length 1. *Shape:* `(num_reposts, D)`."""
    lengths = np.diff(reposts.starts)
    order = np.argsort(-lengths, kind="stable")  # the longest first, so that the reposts with a k-th token are a slice
    starts, longest = reposts.starts[:-1][order], int(lengths.max(initial=0))
    sums = np.zeros((len(lengths), vectors.shape[1]), dtype=np.float32)
    for place, num_reposts in enumerate(len(lengths) - np.cumsum(np.bincount(lengths, minlength=longest))[:longest]):
        sums[:num_reposts] += vectors[reposts.ids[starts[:num_reposts] + place]]
    embedded = np.empty_like(sums)
    embedded[order] = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
    return embedded


def _attention_scores(weights: Weights, reposts: Reposts) -> NDArray[np.float64]:
    """Return the mean score of the members; each post has a repost."""
    starts = reposts.first[:-1]
    embedded, buckets = embed(weights.vectors, reposts), bucket_of(reposts.delays)
    scores = np.zeros(len(reposts))
    for member in range(len(weights.output)):
        hidden, shares = read_member(weights, member, embedded, buckets)
        sums = [np.add.reduceat(share[:, None] * hidden, starts, axis=0) for share in shares.T]
        scores += score_member(weights, member, np.stack(sums, axis=1), np.add.reduceat(shares, starts))
    return scores / len(weights.output)


def read_member(weights: Weights, member: int, embedded: Floats, buckets: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Return the hidden units of each repost, and how much it counts in each mean; the first mean is not weighted.

    *Shapes:* `(num_reposts, H)` and `(num_reposts, 1 + A)`.
    """
    hidden = np.maximum(embedded @ weights.hidden[member] + weights.hidden_bias[member][buckets], 0)
    logits = hidden @ weights.attention[member] + weights.attention_bias[member]
    shares = np.exp(np.clip(logits, -MAX_ATTENTION, MAX_ATTENTION))
    return hidden, np.hstack([np.ones_like(shares[:, :1]), shares])


def score_member(weights: Weights, member: int, sums: Floats, totals: Floats) -> Floats:
    """Return the score of each post from the sums over its reposts.

    Args:
        weights: Of the model.
        member: Number of the network.
        sums: Of share x hidden unit. *Shape:* `(num_posts, 1 + A, H)`.
        totals: Of the shares. *Shape:* `(num_posts, 1 + A)`.
    """
    means = (sums / totals[:, :, None]).reshape(len(sums), -1)
    joint = np.maximum(means @ weights.joint[member] + weights.joint_bias[member], 0)
    return np.asarray(joint @ weights.output[member], dtype=np.float32)


def save_reposts(model: RepostModel, folder: Path) -> None:
    """Save the model in `reposts/` of the folder of the text model: safetensors and JSON, each file completely."""
    from safetensors.numpy import save_file

    arrays = {field.name: np.ascontiguousarray(getattr(model.weights, field.name)) for field in fields(Weights)}
    arrays["vectors"] = arrays["vectors"].astype(np.float16)
    facts = {"deadline": None if math.isinf(model.deadline) else model.deadline}
    with written_whole(folder / FOLDER / "model.safetensors") as part:
        save_file(arrays, part)
    write_text(folder / FOLDER / "config.json", json.dumps(facts) + "\n")
    write_text(folder / FOLDER / "tokenizer.json", model.tokenizer.to_str())


def load_reposts(folder: Path) -> RepostModel | None:
    """Return the model of the reposts in the folder of a model; None if it was trained without.

    Raises:
        ModelError: It is damaged.
    """
    path = folder / FOLDER
    if not path.is_dir():
        return None
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    try:
        facts = json.loads((path / "config.json").read_text(encoding="utf-8"))
        arrays = load_file(path / "model.safetensors")
        arrays["vectors"] = arrays["vectors"].astype(np.float32)
        tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
        return RepostModel(Weights(**arrays), tokenizer, math.inf if facts["deadline"] is None else facts["deadline"])
    except Exception as error:  # safetensors and tokenizers raise exceptions of their own
        raise ModelError(f"{path}: the model of the reposts is corrupt ({error!r}). Train again.") from error
