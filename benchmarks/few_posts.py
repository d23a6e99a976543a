"""Claim: with few posts to learn from, more epochs make a better model.

Of the posts that are a test post of none of the grouped splits 0, 1 and 2, draws some to learn from and 500 others to
score, near-duplicates on one side; trains with each number of epochs. Beside it, TF-IDF + SVM on the same posts.

    python benchmarks/few_posts.py mini --data_path Rumor_Dataset.zip --sizes 150 300 --epochs 4 9 --output_dir few

Prints the accuracy of each draw, and the mean. A finished run is not repeated: give each model a folder of its own.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np

from hf_rumor import RumorClassifier
from hf_rumor.corpus.arrow import load_corpus, split_dataset
from hf_rumor.corpus.near_duplicates import find_near_duplicates
from hf_rumor.evaluation.baseline import make_tfidf_svm


REPORTED_SEEDS = (0, 1, 2)
NUM_SCORED = 500


def kept_posts(posts):
    """Return the posts that are a test post of none of the reported splits, and the group of each."""
    groups = find_near_duplicates(posts["text"][:]).groups
    reported = [split_dataset(posts, "grouped", seed, groups).test for seed in REPORTED_SEEDS]
    kept = np.setdiff1d(np.arange(len(posts)), np.concatenate(reported))
    return posts.select(kept), groups[kept]


def draw(groups, size, seed):
    """Return the places of `size` posts to learn from and of those to score; no group is on both sides."""
    order = np.random.default_rng(seed).permutation(np.unique(groups))
    places = np.concatenate([np.flatnonzero(groups == group) for group in order])
    scored = places[-NUM_SCORED:]
    return places[~np.isin(groups[places], groups[scored])][:size], scored


def train(told, name, posts, epochs, seed):
    """Return the folder of a run on `posts`, a twentieth of which it keeps for its own test."""
    folder = told.output_dir / f"{name}-{epochs}"
    if not (folder / "report.json").exists():
        corpus = told.output_dir / f"{name}.jsonl"
        lines = [json.dumps({key: post[key] for key in ("id", "text", "label")}) for post in posts]
        corpus.write_text("\n".join(lines), encoding="utf-8")
        flags = ["--data_path", str(corpus), "--output_dir", str(folder), "--folds", "20", "--seed", str(seed)]
        flags += ["--num_train_epochs", str(epochs)]
        flags += ["--model_name_or_path", told.model_name_or_path] if told.model_name_or_path else []
        subprocess.run([sys.executable, "-m", "hf_rumor", "train", told.recipe, *flags], check=True)
    return folder


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe")
    parser.add_argument("--model_name_or_path")
    parser.add_argument("--data_path", type=Path, required=True)
    parser.add_argument("--output_dir", type=Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=[150, 300, 600])
    parser.add_argument("--epochs", type=int, nargs="+", default=[4, 8, 16])
    parser.add_argument("--draws", type=int, default=3)
    told = parser.parse_args()
    told.output_dir.mkdir(parents=True, exist_ok=True)
    posts, groups = kept_posts(load_corpus(told.data_path).posts)
    print("| posts to learn from | epochs | accuracy of each draw | mean |\n|---|---|---|---|")
    for size in told.sizes:
        found = {}
        for seed in range(told.draws):
            learned, scored = (posts.select(places) for places in draw(groups, size, seed))
            if len(learned) < size:
                parser.error(f"--sizes: expected at most {len(learned)}, which are left to learn from, got {size}")
            texts, labels = scored["text"][:], np.array(scored["label"][:])
            svm = make_tfidf_svm().fit(learned["text"][:], learned["label"][:])
            found.setdefault("TF-IDF + SVM", []).append((svm.predict(texts) == labels).mean())
            for epochs in told.epochs:
                folder = train(told, f"{size}-{seed}", learned, epochs, seed)
                predicted = RumorClassifier.from_pretrained(folder).probabilities(texts) >= 0.5
                found.setdefault(epochs, []).append((predicted == labels).mean())
        for epochs, accuracies in found.items():
            each = ", ".join(f"{accuracy:.3f}" for accuracy in accuracies)
            print(f"| {size} | {epochs} | {each} | {statistics.mean(accuracies):.3f} |", flush=True)


if __name__ == "__main__":
    main()
