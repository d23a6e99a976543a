"""Claim: the encoder that comes along is worth more than its architecture: pre-trained against random weights.

Both fine-tuned by the recipe `mini`, each seed with a split and random weights of its own, beside TF-IDF + SVM. The
recipe's adversary moves embeddings by a length that is small for pre-trained ones alone: random weights learn nothing
beside it (docs/LOG.md), so they are trained without.

    python benchmarks/mini.py --data_path Rumor_Dataset.zip --splits grouped chronological --output_dir mini_runs

Prints accuracy with the intervals of the runs, and the difference in points. A finished run is not repeated.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModel, AutoTokenizer

from hf_rumor.models.encoders import MINI_FOLDER


def save_random(folder, seed):
    """Save the architecture with random weights."""
    torch.manual_seed(seed)
    AutoModel.from_config(AutoConfig.from_pretrained(MINI_FOLDER)).save_pretrained(folder)
    AutoTokenizer.from_pretrained(MINI_FOLDER).save_pretrained(folder)


def train(told, split, seed, start):
    """Return the report of a run, and the seconds of its whole command."""
    folder = told.output_dir / f"{start}-{split}-{seed}"
    report, clock = folder / "report.json", folder.with_suffix(".seconds")
    if not clock.exists():
        model = "mini"
        adversary = []
        if start == "random":
            adversary = ["--adversarial_radius", "0"]
            model = str(told.output_dir / f"random-weights-{seed}")
            save_random(model, seed)
        flags = ["--model_name_or_path", model, "--data_path", str(told.data_path), "--output_dir", str(folder)]
        flags += ["--split", split, "--split_seed", str(seed), "--seed", str(seed), *adversary]
        started = time.monotonic()
        subprocess.run([sys.executable, "-m", "hf_rumor", "train", "mini", *flags], check=True)
        clock.write_text(f"{time.monotonic() - started:.0f}", encoding="utf-8")
    return json.loads(report.read_text(encoding="utf-8")), int(clock.read_text(encoding="utf-8"))


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_path", type=Path, required=True)
    parser.add_argument("--output_dir", type=Path, required=True)
    parser.add_argument("--splits", nargs="+", default=["grouped"])
    parser.add_argument("--seeds", type=int, default=3)
    told = parser.parse_args()
    rows = []
    for split in told.splits:
        for seed in range(told.seeds):
            found = {start: train(told, split, seed, start) for start in ("pretrained", "random")}
            for start, (report, whole) in found.items():
                accuracy, (low, high) = report["test"]["accuracy"], report["test"]["intervals"]["accuracy"]
                seconds = report["train"]["runtime_seconds"]
                svm = report["baseline"]["tfidf_svm"]["accuracy"]
                rows.append((split, start, seed, accuracy, low, high, svm, seconds, whole))
    print("| split | weights | seed | accuracy [95% CI] | TF-IDF + SVM | seconds of training, of the command |")
    print("|---|---|---|---|---|---|")
    for split, start, seed, accuracy, low, high, svm, seconds, whole in sorted(rows):
        interval = f"[{low:.3f}, {high:.3f}]"
        print(f"| {split} | {start} | {seed} | {accuracy:.3f} {interval} | {svm:.3f} | {seconds:.0f}, {whole} |")
    for split in told.splits:
        means = {
            start: statistics.mean(row[3] for row in rows if row[:2] == (split, start))
            for start in ("pretrained", "random")
        }
        svm = statistics.mean(row[6] for row in rows if row[0] == split)
        gain = 100 * (means["pretrained"] - means["random"])
        print(f"{split}: {means['pretrained']:.3f} against {means['random']:.3f} ({gain:+.1f} points); SVM {svm:.3f}")


if __name__ == "__main__":
    main()
