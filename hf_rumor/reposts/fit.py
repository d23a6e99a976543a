"""Fit the model of the reposts: its parts on training and validation posts, their combination out of fold."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from scipy.sparse import vstack
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.svm import LinearSVC
from torch import Tensor, nn
from torch.nn import functional as F

from hf_rumor.labels import log_odds
from hf_rumor.reposts.baselines import count_tokens
from hf_rumor.reposts.model import (
    BUCKETS,
    MAX_ATTENTION,
    RepostModel,
    Weights,
    bucket_of,
    embed,
    linear,
    part_scores,
    with_lateness,
)
from hf_rumor.reposts.tokens import Reposts


if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from hf_rumor.evaluation.intervals import Groups
    from hf_rumor.evaluation.metrics import Labels

MEMBERS, HIDDEN, MEANS, JOINT = 3, 128, 4, 32
DROPOUT = 0.3
EPOCHS, BATCH_SIZE, LEARNING_RATE, WEIGHT_DECAY = 25, 32, 2e-3, 0.05
SHARE_READ = 0.25  # of the reposts of a post in a training step
MOST_READ = 400
EARLIEST, LATEST = 300.0, 3e5  # seconds; deadlines of training steps are log-uniform between them
SHARE_LATEST = 0.25  # of training steps, which are at the last deadline instead


class AttentionNetwork(nn.Module):
    """One member; see `hf_rumor.reposts.model` for the computation."""

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(dimensions, HIDDEN)
        self.delay = nn.Embedding(BUCKETS, HIDDEN)
        self.attention = nn.Linear(HIDDEN, MEANS)
        self.joint = nn.Linear(HIDDEN * (1 + MEANS), JOINT)
        self.output = nn.Linear(JOINT, 1, bias=False)
        self.dropout = nn.Dropout(DROPOUT)
        nn.init.zeros_(self.output.weight)

    def forward(self, embedded: Tensor, buckets: Tensor, owners: Tensor, num_posts: int) -> Tensor:
        """Return the score of each post. *Shape:* `(num_posts,)`."""
        hidden = torch.relu(self.hidden(self.dropout(embedded)) + self.delay(buckets))
        shares = self.attention(hidden).clamp(-MAX_ATTENTION, MAX_ATTENTION).exp()
        weights = torch.cat([torch.ones_like(shares[:, :1]), shares], dim=1)  # the first mean is not weighted
        total = embedded.new_zeros(num_posts, 1 + MEANS).index_add(0, owners, weights)
        weighted = (weights[:, :, None] * hidden[:, None]).flatten(1)
        means = embedded.new_zeros(num_posts, weighted.shape[1]).index_add(0, owners, weighted)
        means = means.view(num_posts, 1 + MEANS, HIDDEN) / total.clamp(min=1e-6)[:, :, None]  # 0 without reposts
        joint = torch.relu(self.joint(self.dropout(means.flatten(1))))
        scores: Tensor = self.output(self.dropout(joint)).squeeze(1)
        return scores


@dataclass(frozen=True)
class Examples:
    """Posts to fit on.

    Attributes:
        reposts: Their reposts, until the last deadline.
        labels: 1 for rumors. *Shape:* `(num_posts,)`.
        groups: Number of the near-duplicate group of each post. *Shape:* `(num_posts,)`.
        validation: Positions of the posts that the model of the text was not trained on.
        text_probabilities: Of these, the probability of rumor given the text. *Shape:* `(num_validation,)`.
    """

    reposts: Reposts
    labels: "Labels"
    groups: "Groups"
    validation: "Groups"
    text_probabilities: NDArray[np.float64]


def fit_reposts(
    examples: Examples, tokenizer: "Tokenizer", vectors: Path, deadlines: Sequence[float], seed: int
) -> RepostModel:
    """Return the model of the reposts.

    Both parts are fitted on all posts. What combines them is fitted on scores by parts that were fitted on the other
    half of the posts; what combines the result with the text is fitted on the validation posts alone.

    Args:
        examples: Training and validation posts.
        tokenizer: Of the words.
        vectors: The file of the weights of `mini`, whose token vectors are read.
        deadlines: Seconds after the post, in rising order. Each post with visible reposts counts once per deadline.
        seed: Of the halves and of the networks.
    """
    reposts, labels = examples.reposts, examples.labels
    scores = np.zeros((len(deadlines), len(labels), 2))  # of parts that have not seen the post
    halves = StratifiedGroupKFold(2, shuffle=True, random_state=seed)
    for fit, held_out in halves.split(labels, labels, examples.groups):
        parts = fit_parts(reposts.of_posts(fit), labels[fit], tokenizer, vectors, deadlines, seed)
        rest = reposts.of_posts(held_out)
        scores[:, held_out] = [part_scores(parts.weights, rest.until(deadline)) for deadline in deadlines]
    model = fit_parts(reposts, labels, tokenizer, vectors, deadlines, seed)
    has_words = np.array([reposts.until(deadline).counts() > 0 for deadline in deadlines])
    reading = _fit_linear(scores, has_words, labels, deadlines)
    if reading is None:
        return model
    read = [linear(reading, with_lateness(rows, deadline)) for rows, deadline in zip(scores, deadlines, strict=True)]
    text = np.broadcast_to(log_odds(examples.text_probabilities), (len(deadlines), len(examples.validation)))
    both = np.stack([text, np.array(read)[:, examples.validation]], axis=2)
    chosen = examples.validation
    combination = _fit_linear(both, has_words[:, chosen], labels[chosen], deadlines)
    if combination is None:
        return model
    return replace(model, weights=replace(model.weights, reading=reading, combination=combination))


def fit_parts(
    reposts: Reposts, labels: "Labels", tokenizer: "Tokenizer", vectors: Path, deadlines: Sequence[float], seed: int
) -> RepostModel:
    """Return a model whose parts are fitted on these posts, and whose probability is still that of the text."""
    frequencies = np.bincount(reposts.ids, minlength=tokenizer.get_vocab_size())
    table = load_file(vectors)["bert.embeddings.word_embeddings.weight"].float().numpy()
    rarity = np.log((len(reposts.delays) + 1) / (frequencies + 1)) + 1
    table = (table * rarity[:, None]).astype(np.float16).astype(np.float32)  # as it is saved
    spoken = reposts.of_posts(np.flatnonzero(reposts.counts()))
    idf = TfidfTransformer(sublinear_tf=True).fit(count_tokens(spoken, len(table)))
    words = _fit_words(idf, reposts, labels, deadlines, len(table))
    members = [
        _train_member(table, reposts, labels, deadlines[-1], seed * MEMBERS + number) for number in range(MEMBERS)
    ]
    arrays = {name: np.stack([member[name] for member in members]) for name in members[0]}
    reading, combination = np.zeros(6), np.array([0.0, 1, 0, 0, 0, 0])
    weights = Weights(
        idf=idf.idf_.astype(np.float32), words=words, vectors=table, reading=reading, combination=combination, **arrays
    )
    return RepostModel(weights, tokenizer, deadlines[-1])


def _fit_linear(
    values: NDArray[np.float64], is_used: NDArray[np.bool_], labels: "Labels", deadlines: Sequence[float]
) -> NDArray[np.float64] | None:
    """Return intercept and weights of a logistic regression; None if the posts are of one label only.

    Args:
        values: *Shape:* `(num_deadlines, num_posts, 2)`.
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
    idf: TfidfTransformer, reposts: Reposts, labels: "Labels", deadlines: Sequence[float], vocabulary: int
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


def _train_member(
    table: NDArray[np.float32], reposts: Reposts, labels: "Labels", last: float, seed: int
) -> dict[str, NDArray[np.float32]]:
    """Return the arrays of a network; each step reads a random quarter of the reposts before a random deadline."""
    generator = np.random.default_rng(seed)
    sample = embed(table, reposts.take(np.sort(generator.permutation(len(reposts.delays))[:20_000])))
    mean, spread = sample.mean(axis=0), np.maximum(sample.std(axis=0), 1e-6)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = AttentionNetwork(table.shape[1])
        steps = EPOCHS * max(len(labels) // BATCH_SIZE, 1)
        optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
        order = np.empty(0, dtype=np.int64)
        for _ in range(steps):
            if len(order) < min(BATCH_SIZE, len(labels)):
                order = generator.permutation(len(labels))
            batch, order = order[:BATCH_SIZE], order[BATCH_SIZE:]
            read = _draw(reposts.of_posts(batch), last, generator)
            embedded = (embed(table, read) - mean) / spread
            inputs = (torch.from_numpy(array) for array in (embedded, bucket_of(read.delays), read.owners()))
            target = torch.from_numpy(labels[batch]).float()
            loss = F.binary_cross_entropy_with_logits(network(*inputs, len(batch)), target)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return _arrays(network, mean, spread)


def _draw(reposts: Reposts, last: float, generator: np.random.Generator) -> Reposts:
    """Return a random part of the reposts before a random deadline for each post."""
    low, high = math.log(EARLIEST), math.log(min(last, LATEST))
    deadlines = np.exp(generator.uniform(min(low, high), high, len(reposts)))
    deadlines[generator.random(len(reposts)) < SHARE_LATEST] = last
    owners = reposts.owners()
    visible = np.flatnonzero(reposts.delays <= deadlines[owners])
    kept = visible[generator.random(len(visible)) < SHARE_READ]
    drawn = reposts.take(kept)
    place = np.arange(len(kept)) - drawn.first[drawn.owners()]
    return drawn.take(np.flatnonzero(place < MOST_READ))


def _arrays(
    network: AttentionNetwork, mean: NDArray[np.float32], spread: NDArray[np.float32]
) -> dict[str, NDArray[np.float32]]:
    """Return the arrays of a trained network as in `Weights`; the standardization becomes part of the first layer."""
    weights = {name: tensor.detach().numpy() for name, tensor in network.named_parameters()}
    hidden = weights["hidden.weight"].T / spread[:, None]
    arrays = {
        "hidden": hidden,
        "hidden_bias": weights["delay.weight"] + weights["hidden.bias"] - mean @ hidden,
        "attention": weights["attention.weight"].T,
        "attention_bias": weights["attention.bias"],
        "joint": weights["joint.weight"].T,
        "joint_bias": weights["joint.bias"],
        "output": weights["output.weight"][0],
    }
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}
