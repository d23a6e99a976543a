"""Claim: the bundled encoder is better than random weights of the same architecture.

Fine-tunes both with the recipe `mini`, on one split and one set of random weights per seed, beside TF-IDF + SVM. The
random weights are trained without adversarial training: the radius in the recipe suits pre-trained embeddings, and
random ones learn nothing with it (docs/log/recipes.md#fold-search).

    python benchmarks/mini.py --data_path Rumor_Dataset.zip --splits grouped chronological --output_dir mini_runs

Prints the accuracy with 95% CI of each run, and the difference. Finished runs are not repeated.
"""

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModel, AutoTokenizer

from hf_rumor.models.encoders import MINI_FOLDER


def save_random(folder, seed):
    """Save the architecture with random weights."""
    torch.manual_seed(seed)
    AutoModel.from_config(AutoConfig.from_pretrained(MINI_FOLDER)).save_pretrained(folder)
    AutoTokenizer.from_pretrained(MINI_FOLDER).save_pretrained(folder)


def train(arguments, split, seed, weights):
    """Return the report of a run, and the seconds of the whole command."""
    folder = arguments.output_dir / f"{weights}-{split}-{seed}"
    report, clock = folder / "report.json", folder.with_suffix(".seconds")
    if not clock.exists():
        flags = ["--data_path", str(arguments.data_path), "--output_dir", str(folder)]
        flags += ["--split", split, "--split_seed", str(seed), "--seed", str(seed)]
        if weights == "random":
            model = str(arguments.output_dir / f"random-weights-{seed}")
            save_random(model, seed)
            flags += ["--model_name_or_path", model, "--adversarial_radius", "0"]
        start = time.monotonic()
        subprocess.run([sys.executable, "-m", "hf_rumor", "train", "mini", *flags], check=True)
        clock.write_text(f"{time.monotonic() - start:.0f}", encoding="utf-8")
    return json.loads(report.read_text(encoding="utf-8")), int(clock.read_text(encoding="utf-8"))


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_path", type=Path, required=True)
    parser.add_argument("--output_dir", type=Path, required=True)
    parser.add_argument("--splits", nargs="+", default=["grouped"])
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    runs = {
        key: train(arguments, *key)
        for key in itertools.product(arguments.splits, range(arguments.seeds), ("pretrained", "random"))
    }
    accuracies, svms = defaultdict(list), defaultdict(list)
    print("| split | weights | seed | accuracy [95% CI] | TF-IDF + SVM | seconds of training, of the command |")
    print("|---|---|---|---|---|---|")
    for (split, seed, weights), (report, whole) in runs.items():
        accuracy, (low, high) = report["test"]["accuracy"], report["test"]["intervals"]["accuracy"]
        svm, seconds = report["baseline"]["tfidf_svm"]["accuracy"], report["train"]["runtime_seconds"]
        accuracies[split, weights].append(accuracy)
        svms[split].append(svm)
        interval = f"[{low:.3f}, {high:.3f}]"
        print(f"| {split} | {weights} | {seed} | {accuracy:.3f} {interval} | {svm:.3f} | {seconds:.0f}, {whole} |")
    for split in arguments.splits:
        pretrained, random = (statistics.mean(accuracies[split, weights]) for weights in ("pretrained", "random"))
        gain, svm = 100 * (pretrained - random), statistics.mean(svms[split])
        print(f"{split}: {pretrained:.3f} against {random:.3f} ({gain:+.1f} pp); SVM {svm:.3f}")


if __name__ == "__main__":
    main()
