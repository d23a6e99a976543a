"""Scoring: RumorClassifier in fp32, bf16 and ONNX int8 against `pipeline("text-classification")` at its defaults.

Aim: the fastest variant scores at least 5 times as many posts per second as the pipeline, and loses at most 0.3 pp.
With AMX it does, with AVX-512 BF16 alone it does not; docs/log/speed.md has the numbers.

    python benchmarks/scoring.py MODEL [--data_path CORPUS] [--int8 FOLDER] [--num_posts 500]

MODEL is a finished folder. Scores the test posts of its run, or all posts if the corpus is another one. Every variant
scores the same posts in the same order, in three alternating rounds; speeds are medians. The pipeline gets only
`truncation=True`, because long posts make it fail otherwise.
"""

import argparse
import json
import platform
import statistics
import time
from pathlib import Path

import numpy as np
import torch
from transformers import pipeline

from hf_rumor import RumorClassifier
from hf_rumor.corpus.arrow import load_corpus
from hf_rumor.corpus.sources import resolve_corpus


ROUNDS = 3


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--data_path", default="auto")
    parser.add_argument("--int8", help="folder of hf-rumor export --precision int8")
    parser.add_argument("--onnx", help="folder of hf-rumor export")
    parser.add_argument("--num_posts", type=int, default=500)
    arguments = parser.parse_args()

    posts = load_corpus(resolve_corpus(arguments.data_path)).posts
    file = Path(arguments.model, "predictions.jsonl")
    test_ids = {json.loads(line)["id"] for line in file.read_text("utf-8").splitlines()} if file.exists() else set()
    chosen = [index for index, post_id in enumerate(posts["id"][:]) if post_id in test_ids] or range(len(posts))
    posts = posts.select(chosen).shuffle(seed=0)
    texts, labels = posts["text"][: arguments.num_posts], np.array(posts["label"][: arguments.num_posts])

    classify = pipeline("text-classification", arguments.model, top_k=None, device="cpu")

    def score_with_pipeline(texts):
        rows = classify(texts, truncation=True)
        return np.array([{entry["label"]: entry["score"] for entry in row}["rumor"] for row in rows])

    variants = {
        "pipeline, defaults": score_with_pipeline,
        "RumorClassifier, fp32": RumorClassifier.from_pretrained(arguments.model).probabilities,
        "RumorClassifier, bf16": RumorClassifier.from_pretrained(arguments.model, precision="bf16").probabilities,
    }
    for name, folder in (("ONNX, fp32", arguments.onnx), ("ONNX, int8", arguments.int8)):
        if folder:
            variants[name] = RumorClassifier.from_pretrained(folder, backend="onnx").probabilities
    speeds = {name: [] for name in variants}
    scores = {}
    for _ in range(ROUNDS):
        for name, score in variants.items():
            score(texts[:16])
            start = time.perf_counter()
            scores[name] = score(texts)
            speeds[name].append(len(texts) / (time.perf_counter() - start))
    reference = scores["pipeline, defaults"]
    base = statistics.median(speeds["pipeline, defaults"])
    print(f"{platform.platform()}, {torch.get_num_threads()} threads, torch {torch.__version__}; {len(texts)} posts")
    print("| variant | posts/s | times the pipeline | accuracy | largest difference | decisions changed |")
    print("|---|---|---|---|---|---|")
    for name, probabilities in scores.items():
        speed = statistics.median(speeds[name])
        accuracy = ((probabilities >= 0.5) == labels).mean()
        changed = ((probabilities >= 0.5) != (reference >= 0.5)).mean()
        print(
            f"| {name} | {speed:.1f} | {speed / base:.2f} | {accuracy:.4f} "
            f"| {abs(probabilities - reference).max():.1e} | {changed:.2%} |"
        )


if __name__ == "__main__":
    main()
