"""How many rumors a desk finds with a queue: a corpus is replayed day by day, with true labels as verdicts.

    python benchmarks/desk.py MODEL --trained_on CED --data_path WEIBO17 --output_dir replay [--days 28] [--checks 30]

MODEL was trained on `--trained_on`. Near-duplicates of its posts are removed from `--data_path`, and so are stories of
rumors, at random, until 10% of the posts are rumors. Rumors and other posts each follow in the order of their times,
mixed evenly: corpora collect them in different years, and the date would give the label away. Each day the desk
checks 30 posts or stories; each week the model is trained for one more epoch, on `--trained_on` and all verdicts.
Orders that are compared:

    chronological  the first posts of the day
    posts          the posts with the highest probability of rumor, by the first model
    stories        the queue of `hf-rumor triage`, by the first model, with the verdicts of earlier days as history
    retrained      the same, by the latest model

Later posts, which no model has seen, compare the models of the weeks. Prints two tables, in Markdown, and writes
`curve.csv` and `curve.svg`: distinct rumors found by each order, day by day. With `--output_dir` of an earlier run,
finished models are used again.
"""

import argparse
import csv
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hf_rumor.corpus.arrow import load_corpus, posts_of
from hf_rumor.corpus.near_duplicates import find_near_duplicates
from hf_rumor.corpus.post import Post
from hf_rumor.desk.stories import Earlier, find_stories
from hf_rumor.evaluation.intervals import paired_differences, paired_roc_auc
from hf_rumor.inference.classifier import RumorClassifier
from hf_rumor.labels import LABEL_NAMES, decide
from hf_rumor.report.drawing import drawing


SHARE_OF_RUMORS = 0.1
DAYS_PER_WEEK = 7
DESK_WEIGHT = 3
ORDERS = ("chronological", "posts", "stories", "retrained")


@dataclass(frozen=True)
class Stream:
    """Posts in the order of their times."""

    posts: list[Post]
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]  # near-duplicates


def read_stream(data_path: str, trained_on: str, seed: int) -> Stream:
    """Return the posts of a corpus without those of the other, with fewer rumors."""
    columns = load_corpus(data_path).posts.sort("posted_at")[:]
    posts, labels = posts_of(columns), np.array(columns["label"])
    known = [post.text for post in posts_of(load_corpus(trained_on).posts[:])]
    groups = find_near_duplicates([*(post.text for post in posts), *known]).groups
    is_kept = ~np.isin(groups[: len(posts)], groups[len(posts) :])
    groups = groups[: len(posts)]
    num_rumors = round(np.sum(is_kept & (labels == 0)) * SHARE_OF_RUMORS / (1 - SHARE_OF_RUMORS))
    stories = np.random.default_rng(seed).permutation(np.unique(groups[is_kept & (labels == 1)]))
    sizes = [np.sum(is_kept & (labels == 1) & (groups == story)) for story in stories]
    kept_stories = stories[np.cumsum(sizes) - sizes < num_rumors]  # the last one may be larger than what is missing
    kept = np.flatnonzero(is_kept & ((labels == 0) | np.isin(groups, kept_stories)))
    ranks = np.empty(len(kept))
    for label in (0, 1):
        places = np.flatnonzero(labels[kept] == label)
        ranks[places] = (np.arange(len(places)) + 0.5) / len(places)
    kept = kept[np.argsort(ranks, kind="stable")]
    return Stream([posts[position] for position in kept], labels[kept], groups[kept])


class Desk:
    """What one order of checks has found."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.num_checks = self.num_rumors = 0
        self.stories: set[int] = set()  # distinct rumors
        self.history: list[Earlier] = []  # of all posts so far, in the order of their times
        self.verdicts: list[int] = []  # positions of checked posts

    def check(self, positions: Sequence[int], day: range) -> None:
        """Give the posts at `positions` their verdicts."""
        self.num_checks += len(positions)
        self.num_rumors += int(self.stream.labels[list(positions)].sum())
        self.stories |= {int(self.stream.groups[one]) for one in positions if self.stream.labels[one]}
        self.verdicts += positions
        checked = set(positions)
        for one in day:
            verdict = LABEL_NAMES[self.stream.labels[one]] if one in checked else ""
            self.history.append(Earlier(self.stream.posts[one].text, verdict))


def queue(desk: Desk, day: range, probabilities: NDArray[np.float64], num: int) -> list[int]:
    """Return the posts that stand for the first stories of the queue of a day."""
    posts = [replace(post, posted_at=None) for post in desk.stream.posts[day.start : day.stop]]  # all of this day
    stories = find_stories(posts, probabilities, [0] * len(posts), desk.history)
    return [day.start + story.posts[0] for story in stories[:num]]


def retrain(folder: Path, previous: Path, trained_on: str, stream: Stream, verdicts: Sequence[int]) -> None:
    """Train the previous model further, on the first corpus and the verdicts, as in docs/howto/desk.md."""
    folder.mkdir(parents=True, exist_ok=True)
    ours = folder / "desk.jsonl"
    rows = ({"text": stream.posts[one].text, "label": LABEL_NAMES[stream.labels[one]]} for one in verdicts)
    ours.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")
    corpora = folder / "corpora.yaml"
    corpora.write_text(f"- {{path: {ours}, weight: {DESK_WEIGHT}}}\n- path: {trained_on}\n", encoding="utf-8")
    command = [sys.executable, "-m", "hf_rumor", "train", "mini", "--model_name_or_path", str(previous)]
    command += ["--data_path", str(corpora), "--num_train_epochs", "1", "--report_to", "none"]
    subprocess.run([*command, "--output_dir", str(folder / "model")], check=True)


def replay(arguments: argparse.Namespace, stream: Stream) -> tuple[dict[str, Desk], list[RumorClassifier]]:
    """Check day by day; write the curve; return what each order has found, and the model of each week."""
    desks = {order: Desk(stream) for order in ORDERS}
    latest = arguments.model.resolve()
    models = [RumorClassifier.from_pretrained(str(latest))]
    with (arguments.output_dir / "curve.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["day", *ORDERS])
        for number in range(arguments.days):
            day = range(number * arguments.posts, (number + 1) * arguments.posts)
            posts = stream.posts[day.start : day.stop]
            first = models[0].probabilities(posts)
            updated = models[-1].probabilities(posts) if len(models) > 1 else first
            desks["chronological"].check(list(day)[: arguments.checks], day)
            by_probability = day.start + np.argsort(-first, kind="stable")[: arguments.checks]
            desks["posts"].check(by_probability.tolist(), day)
            desks["stories"].check(queue(desks["stories"], day, first, arguments.checks), day)
            desks["retrained"].check(queue(desks["retrained"], day, updated, arguments.checks), day)
            table.writerow([number + 1, *(len(desk.stories) for desk in desks.values())])
            if (number + 1) % DAYS_PER_WEEK == 0 and not arguments.no_training:
                folder = arguments.output_dir / f"week_{(number + 1) // DAYS_PER_WEEK}"
                if not (folder / "model" / "report.json").exists():
                    retrain(folder, latest, arguments.trained_on, stream, desks["retrained"].verdicts)
                latest = folder / "model"
                models.append(RumorClassifier.from_pretrained(str(latest)))
    return desks, models


def draw_curve(folder: Path) -> None:
    """Draw `curve.csv`."""
    with (folder / "curve.csv").open(encoding="utf-8", newline="") as file:
        rows = [{name: int(value) for name, value in row.items()} for row in csv.DictReader(file)]
    with drawing("curve", "Distinct rumors found", "day", "distinct rumors") as picture:
        for order in ORDERS:
            picture.axes.plot([row["day"] for row in rows], [row[order] for row in rows], label=order)
    (folder / "curve.svg").write_text(picture.svg, encoding="utf-8")


def print_orders(desks: dict[str, Desk]) -> None:
    """Print what each order has found."""
    first, posts = desks["chronological"], desks["posts"]
    print("| order | checks | rumors per check | times chronological | distinct rumors | times posts |")
    print("|---|---|---|---|---|---|")
    for order, desk in desks.items():
        shares = (desk.num_rumors / desk.num_checks, desk.num_rumors / first.num_rumors)
        distinct = f"{len(desk.stories)} | {len(desk.stories) / len(posts.stories):.2f}"
        print(f"| {order} | {desk.num_checks} | {shares[0]:.3f} | {shares[1]:.2f} | {distinct} |")
    print()


def print_models(later: Stream, models: Sequence[RumorClassifier]) -> None:
    """Print how well the model of each week classifies later posts, and how much better it is than the first."""
    from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

    print(f"{len(later.posts)} later posts, {later.labels.sum()} of which are rumors\n")
    print("| model | macro-F1 | ROC-AUC | average precision | ROC-AUC minus the first |\n|---|---|---|---|---|")
    scores = [model.probabilities(later.posts) for model in models]
    predicted = [decide(one, model.facts.threshold) for one, model in zip(scores, models, strict=True)]
    for week, (one, decisions) in enumerate(zip(scores, predicted, strict=True)):
        difference = paired_roc_auc(later.labels, one, scores[0], later.groups)
        columns = (
            f"{f1_score(later.labels, decisions, average='macro'):.3f}",
            f"{roc_auc_score(later.labels, one):.3f}",
            f"{average_precision_score(later.labels, one):.3f}",
            f"{difference.difference:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]",
        )
        print(f"| week {week} | {' | '.join(columns)} |")
    better = paired_differences(later.labels, predicted[-1], predicted[0], later.groups)
    for name in ("accuracy", "macro_f1"):
        one = getattr(better, name)
        print(f"\n{name}, last minus first: {one.difference:+.3f} [{one.low:+.3f}, {one.high:+.3f}]")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL", type=Path, help="Output folder of a run on --trained_on.")
    parser.add_argument("--trained_on", required=True)
    parser.add_argument("--data_path", required=True)
    parser.add_argument("--output_dir", type=Path, required=True)
    parser.add_argument("--no_training", action="store_true", help="Compare the orders of the first model only.")
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--posts", type=int, default=120, help="Number of posts of a day.")
    parser.add_argument("--checks", type=int, default=30, help="Number of checks of a day.")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    arguments.output_dir.mkdir(parents=True, exist_ok=True)
    stream = read_stream(arguments.data_path, arguments.trained_on, arguments.seed)
    last = arguments.days * arguments.posts
    rumors = stream.labels == 1
    print(f"{len(stream.posts)} posts, {rumors.sum()} rumors in {len(np.unique(stream.groups[rumors]))} stories\n")
    desks, models = replay(arguments, stream)
    draw_curve(arguments.output_dir)
    print_orders(desks)
    seen = np.isin(stream.groups[last:], stream.groups[:last])
    kept = np.flatnonzero(~seen) + last
    later = Stream([stream.posts[one] for one in kept], stream.labels[kept], stream.groups[kept])
    print_models(later, models)


if __name__ == "__main__":
    main()
