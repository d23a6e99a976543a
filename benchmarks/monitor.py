"""Claim: `hf-rumor monitor` alarms in at most 1 of 20 weeks of the training period, and on day one of another corpus.

    for fold in 0 1; do
        hf-rumor train mini --data_path CED --folds 2 --fold $fold --output_dir half_$fold
    done
    python benchmarks/monitor.py --corpus CED --other weibo17 --models half_0 half_1 --scores scores.pkl

Each post of the corpus is scored by a model that has neither it nor a near-duplicate among its training and validation
posts. A week is a piece of the corpus, contiguous in time, cut into seven days of the same number of posts; all other
posts of the corpus are the reference. After each week comes one day of the other corpus, also contiguous in time, each
of whose posts is scored by one of the models at random. For comparison, the same with the posts of the corpus in
random order. Days of the other corpus come from its later half; the earlier half was used for development. Prints, for
each number of posts per day and each seed: the effective number of windows behind the limits, the lowest limit, the
weeks and the days with an alarm, the days of the other corpus with an alarm, and the mean deviation of each statistic
there.
"""

import argparse
import pickle
import time
from pathlib import Path

import numpy as np

from hf_rumor import RumorClassifier, load_corpus
from hf_rumor.corpus.near_duplicates import find_near_duplicates
from hf_rumor.corpus.normalization import normalize
from hf_rumor.corpus.post import Post
from hf_rumor.corpus.seen import find_seen
from hf_rumor.desk.drift import (
    DAYS_PER_WEEK,
    STATISTICS,
    Batch,
    Reference,
    alarm_limits,
    complete,
    deviations,
    distinct,
    strengths,
)
from hf_rumor.desk.monitor import count_tokens, in_time
from hf_rumor.models.seen import load_seen


WEEKS = 20
RATE = 0.05


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--other", required=True)
    parser.add_argument("--models", nargs="+", required=True)
    parser.add_argument(
        "--scores", type=Path, required=True, help="File that keeps the scored posts for the next run."
    )
    parser.add_argument("--sizes", nargs="+", type=int, default=[30, 60, 150])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    arguments = parser.parse_args()
    if not arguments.scores.exists():
        arguments.scores.write_bytes(pickle.dumps(read(arguments)))
    own, other = pickle.loads(arguments.scores.read_bytes())
    other = other.take(np.arange(len(other) // 2, len(other)))
    print(f"{len(own)} distinct posts of the corpus, {len(other)} of the other", flush=True)
    titles = ("order", "posts per day", "seed", "windows", "limit", "weeks with an alarm", "days with an alarm")
    print(*titles, "alarms on day one of the other corpus", *STATISTICS, "seconds", sep=" | ", flush=True)
    for order in ("time", "random"):
        for size in arguments.sizes:
            for seed in arguments.seeds[: None if order == "time" else 1]:
                print(order, size, seed, *measure(own, other, order, size, seed), sep=" | ", flush=True)


def read(arguments):
    """Return the distinct posts of both corpora, scored, in the order of time."""
    posts = [read_posts(path) for path in (arguments.corpus, arguments.other)]
    texts = [normalize(post.text) for part in posts for post in part]
    groups = find_near_duplicates(texts).groups
    choices = np.random.default_rng(0).integers(0, len(arguments.models), size=len(posts[1]))
    scored = [np.full((3, len(part)), np.nan) for part in posts]
    for number, name in enumerate(arguments.models):
        classifier = RumorClassifier.from_pretrained(name)
        is_new = ~find_seen([post.text for post in posts[0]], load_seen(name))
        for part, values, chosen in zip(
            posts, scored, (is_new & np.isnan(scored[0][0]), choices == number), strict=True
        ):
            values[:, chosen] = score(classifier, [part[place] for place in np.flatnonzero(chosen)])
    ends = (0, len(posts[0]), len(texts))
    batches = []
    for part, values in enumerate(scored):
        place = slice(ends[part], ends[part + 1])
        known = np.flatnonzero(~np.isnan(values[0]))
        counts = np.nan_to_num(values[1:]).astype(int)
        batches.append(distinct(Batch(tuple(texts[place]), values[0], *counts, groups[place]).take(known)))
    return batches


def read_posts(path):
    """Return the posts of a corpus in the order of time."""
    dataset = load_corpus(path).posts.select_columns(["text", "posted_at"])
    return in_time([Post(text=row["text"], posted_at=row["posted_at"]) for row in dataset])


def score(classifier, posts):
    """Return confidences, numbers of tokens and of unknown tokens. *Shape:* `(3, num_posts)`."""
    probabilities = classifier.probabilities(posts)
    return np.stack([np.maximum(probabilities, 1 - probabilities), *count_tokens(classifier, posts)])


def measure(own, other, order, size, seed):
    """Return the columns of a row."""
    start, generator = time.perf_counter(), np.random.default_rng(seed)
    weeks, days, limits, switches = 0, 0, [], []
    for _ in range(WEEKS):
        places = np.arange(len(own)) if order == "time" else generator.permutation(len(own))
        first = generator.integers(0, len(own) - DAYS_PER_WEEK * size + 1)
        week = places[first : first + DAYS_PER_WEEK * size]
        reference = Reference(own.take(np.delete(places, np.arange(first, first + DAYS_PER_WEEK * size))))
        windows = reference.windows(size)
        limits.append(alarm_limits(RATE, windows))
        tested = [
            deviations(complete(reference.measure(own.take(day)), windows), windows) for day in week.reshape(-1, size)
        ]
        alarms = [(strengths(day) > limits[-1]).any() for day in tested]
        weeks, days = weeks + any(alarms), days + sum(alarms)
        first = generator.integers(0, len(other) - size + 1)
        switched = other.take(np.arange(first, first + size))
        switches.append(deviations(complete(reference.measure(switched), windows), windows))
    is_found = (strengths(np.array(switches)) > np.array(limits)).any(axis=1)
    means = [f"{mean:+.1f}" for mean in np.mean(switches, axis=0)]
    counts = (f"{weeks} of {WEEKS}", f"{days} of {WEEKS * DAYS_PER_WEEK}", f"{is_found.sum()} of {WEEKS}")
    return (int(windows.num_windows), f"{np.min(limits):.1f}", *counts, *means, f"{time.perf_counter() - start:.0f}")


if __name__ == "__main__":
    main()
