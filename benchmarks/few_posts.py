"""Claim: on small corpora, more epochs train a better model.

Draws training posts and 500 others for scoring from the posts that are in no test part of the grouped splits 0, 1 and
2; near-duplicates stay together. Trains with each number of epochs, and TF-IDF + SVM on the same posts.

    python benchmarks/few_posts.py mini --data_path Rumor_Dataset.zip --sizes 150 300 --epochs 4 9 --output_dir few

Prints the accuracy of each draw, and the mean. Finished runs are not repeated: use one folder per model.
"""

import argparse
import json
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

from hf_rumor import RumorClassifier
from hf_rumor.corpus.arrow import load_corpus
from hf_rumor.corpus.near_duplicates import find_near_duplicates
from hf_rumor.corpus.parts import split_dataset
from hf_rumor.evaluation.baseline import make_tfidf_svm


REPORTED_SEEDS = (0, 1, 2)
NUM_SCORED = 500


def kept_posts(posts):
    """Return the posts that are in no test part of the reported splits, and their groups."""
    groups = find_near_duplicates(posts["text"][:]).groups
    reported = [split_dataset(posts, "grouped", seed, groups).test for seed in REPORTED_SEEDS]
    kept = np.setdiff1d(np.arange(len(posts)), np.concatenate(reported))
    return posts.select(kept), groups[kept]


def draw(groups, size, seed):
    """Return the indices of `size` training posts and of the posts to score; no group is in both."""
    order = np.random.default_rng(seed).permutation(np.unique(groups))
    indices = np.concatenate([np.flatnonzero(groups == group) for group in order])
    scored = indices[-NUM_SCORED:]
    return indices[~np.isin(groups[indices], groups[scored])][:size], scored


def train(arguments, name, posts, epochs, seed):
    """Train on `posts`, a twentieth of which is the test part of the run; return its folder."""
    folder = arguments.output_dir / f"{name}-{epochs}"
    if not (folder / "report.json").exists():
        corpus = arguments.output_dir / f"{name}.jsonl"
        lines = [json.dumps({key: post[key] for key in ("id", "text", "label")}) for post in posts]
        corpus.write_text("\n".join(lines), encoding="utf-8")
        flags = ["--data_path", str(corpus), "--output_dir", str(folder), "--folds", "20", "--seed", str(seed)]
        flags += ["--num_train_epochs", str(epochs)]
        flags += ["--model_name_or_path", arguments.model_name_or_path] if arguments.model_name_or_path else []
        subprocess.run([sys.executable, "-m", "hf_rumor", "train", arguments.recipe, *flags], check=True)
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
    arguments = parser.parse_args()
    arguments.output_dir.mkdir(parents=True, exist_ok=True)
    posts, groups = kept_posts(load_corpus(arguments.data_path).posts)
    print("| training posts | epochs | accuracy of each draw | mean |\n|---|---|---|---|")
    for size in arguments.sizes:
        accuracies = defaultdict(list)
        for seed in range(arguments.draws):
            training, scored = (posts.select(indices) for indices in draw(groups, size, seed))
            if len(training) < size:
                parser.error(f"--sizes: only {len(training)} training posts are available, not {size}")
            texts, labels = scored["text"][:], np.array(scored["label"][:])
            svm = make_tfidf_svm().fit(training["text"][:], training["label"][:])
            accuracies["TF-IDF + SVM"].append((svm.predict(texts) == labels).mean())
            for epochs in arguments.epochs:
                folder = train(arguments, f"{size}-{seed}", training, epochs, seed)
                predicted = RumorClassifier.from_pretrained(folder).probabilities(texts) >= 0.5
                accuracies[epochs].append((predicted == labels).mean())
        for epochs, values in accuracies.items():
            each = ", ".join(f"{value:.3f}" for value in values)
            print(f"| {size} | {epochs} | {each} | {statistics.mean(values):.3f} |", flush=True)


if __name__ == "__main__":
    main()
