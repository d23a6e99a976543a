"""Train the small networks that read the reposts of a post as a set; `hf_rumor.reposts.model` computes them."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from hf_rumor.reposts.model import BUCKETS, MAX_ATTENTION, bucket_of, embed
from hf_rumor.reposts.tokens import Ints, Reposts, ranges


HIDDEN, MEANS, JOINT = 128, 4, 32
DROPOUT = 0.3
EPOCHS, BATCH_SIZE, LEARNING_RATE, WEIGHT_DECAY = 25, 32, 2e-3, 0.05
SHARE_READ = 0.25  # of the reposts of a post in a training step
MOST_READ = 400
EARLIEST, LATEST = 300.0, 3e5  # seconds; deadlines of training steps are log-uniform between them
SHARE_LATEST = 0.25  # of training steps, which are at the last deadline instead
POSTS_AT_ONCE = 64

Arrays = dict[str, NDArray[np.float32]]


class Embedded:
    """The reposts of posts to train on, each as a vector of mean 0 and spread 1 in every dimension.

    Args:
        vectors: Of the tokens. *Shape:* `(V, D)`.
        reposts: Of the posts.
    """

    def __init__(self, vectors: NDArray[np.float32], reposts: Reposts) -> None:
        self.reposts, self.buckets = reposts, bucket_of(reposts.delays)
        some = np.sort(np.random.default_rng(0).permutation(len(reposts.delays))[:20_000])
        sample = embed(vectors, reposts.take(some))
        self.mean, self.spread = sample.mean(axis=0), np.maximum(sample.std(axis=0), 1e-6)
        self.values = np.empty((len(reposts.delays), vectors.shape[1]), dtype=np.float16)  # a gigabyte has 1.6 million
        for start in range(0, len(reposts), POSTS_AT_ONCE):
            posts = np.arange(start, min(start + POSTS_AT_ONCE, len(reposts)))
            place = slice(reposts.first[start], reposts.first[posts[-1] + 1])
            self.values[place] = (embed(vectors, reposts.of_posts(posts)) - self.mean) / self.spread


class AttentionNetwork(nn.Module):
    """One network; see `hf_rumor.reposts.model` for the computation."""

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
        hidden = torch.relu(self.hidden(embedded) + self.delay(buckets))
        shares = self.attention(hidden).clamp(-MAX_ATTENTION, MAX_ATTENTION).exp()
        weights = torch.cat([torch.ones_like(shares[:, :1]), shares], dim=1)  # the first mean is not weighted
        total = embedded.new_zeros(num_posts, 1 + MEANS).index_add(0, owners, weights)
        weighted = (weights[:, :, None] * hidden[:, None]).flatten(1)
        means = embedded.new_zeros(num_posts, weighted.shape[1]).index_add(0, owners, weighted)
        means = means.view(num_posts, 1 + MEANS, HIDDEN) / total.clamp(min=1e-6)[:, :, None]  # 0 without reposts
        joint = torch.relu(self.joint(self.dropout(means.flatten(1))))
        scores: Tensor = self.output(self.dropout(joint)).squeeze(1)
        return scores


def train_network(embedded: Embedded, labels: Ints, posts: Ints, last: float, seed: int) -> Arrays:
    """Return the arrays of a network; each step reads a random quarter of the reposts before a random deadline.

    Args:
        embedded: The reposts of all posts.
        labels: Of all posts, 1 for rumors.
        posts: Positions of the posts to train on.
        last: The last deadline, in seconds after the post.
        seed: Of the weights, and of the order of posts and reposts.
    """
    generator = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = AttentionNetwork(embedded.values.shape[1])
        steps = EPOCHS * max(len(posts) // BATCH_SIZE, 1)
        optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
        order = np.empty(0, dtype=np.int64)
        for _ in range(steps):
            if len(order) < min(BATCH_SIZE, len(posts)):
                order = generator.permutation(posts)
            batch, order = order[:BATCH_SIZE], order[BATCH_SIZE:]
            drawn, owners = draw_reposts(embedded.reposts, batch, last, generator)
            inputs = (drop_out(embedded.values[drawn], generator), embedded.buckets[drawn], owners)
            target = torch.from_numpy(labels[batch]).float()
            scores = network(*map(torch.from_numpy, inputs), len(batch))
            loss = F.binary_cross_entropy_with_logits(scores, target)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return _arrays(network, embedded.mean, embedded.spread)


def draw_reposts(reposts: Reposts, posts: Ints, last: float, generator: np.random.Generator) -> tuple[Ints, Ints]:
    """Return positions of a random part of the reposts before a random deadline for each post, and whose they are."""
    counts = reposts.counts()[posts]
    positions, owners = ranges(reposts.first[posts], counts), np.repeat(np.arange(len(posts)), counts)
    low, high = math.log(EARLIEST), math.log(min(last, LATEST))
    deadlines = np.exp(generator.uniform(min(low, high), high, len(posts)))
    deadlines[generator.random(len(posts)) < SHARE_LATEST] = last
    is_drawn = (reposts.delays[positions] <= deadlines[owners]) & (generator.random(len(positions)) < SHARE_READ)
    positions, owners = positions[is_drawn], owners[is_drawn]
    place = np.arange(len(owners)) - np.searchsorted(owners, owners)
    return positions[place < MOST_READ], owners[place < MOST_READ]


def drop_out(values: NDArray[np.float16], generator: np.random.Generator) -> NDArray[np.float32]:
    """Return the values with a random `DROPOUT` of them set to 0, scaled; that of torch is slow on a CPU."""
    is_kept = np.frombuffer(generator.bytes(values.size), dtype=np.uint8).reshape(values.shape) >= 256 * DROPOUT
    return np.where(is_kept, values, 0).astype(np.float32) / np.float32(1 - DROPOUT)


def _arrays(network: AttentionNetwork, mean: NDArray[np.float32], spread: NDArray[np.float32]) -> Arrays:
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
