"""Shortcuts on this CPU that do not change the result: the last layer of a BERT for the first token only, dropout
drawn in bulk, and freed memory that stays in the process.

Claim: each is faster, for the same logits and gradients (dropout: the same distribution).

    python benchmarks/shortcuts.py [--keep_memory]

Prints the machine, and posts per second for two shapes with random weights: medians of five alternating rounds. Each
shape has one more layer, as with `pooling: mean` in the recipes. To measure kept memory, compare two runs.
"""

import argparse
import itertools
import platform
import statistics

import torch
from attention import ROUNDS, SHAPES, make_step, posts_per_second  # benchmarks/attention.py

from hf_rumor.models.cpu.dropout import BulkDropout
from hf_rumor.models.cpu.features import has_bf16
from hf_rumor.models.cpu.memory import keep_freed_memory


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep_memory", action="store_true", help="keep freed memory in the process")
    memory = "kept" if parser.parse_args().keep_memory and keep_freed_memory() else "returned"
    torch.manual_seed(0)
    print(f"{platform.platform()}, {torch.get_num_threads()} threads, torch {torch.__version__}, memory {memory}")
    print("| shape | task | precision | plain, posts/s | first token | dropout in bulk |\n|---|---|---|---|---|---|")
    precisions = (torch.bfloat16, torch.float32) if has_bf16() else (torch.float32,)
    for name, (layers, *rest) in SHAPES.items():
        shape = (layers + 1, *rest)
        for task, dtype in itertools.product(("training", "scoring"), precisions):
            steps = [
                make_step("sdpa", shape, dtype, task),
                make_step("sdpa", shape, dtype, task, is_narrow=True),
                make_step("sdpa", shape, dtype, task, context=BulkDropout()),
            ]
            for step in steps:
                step()
            rounds = [[posts_per_second(step) for step in steps] for _ in range(ROUNDS)]
            plain, *others = (statistics.median(speeds) for speeds in zip(*rounds, strict=True))
            ratios = " | ".join(f"{speed:.1f} ({speed / plain:.2f}x)" for speed in others)
            print(f"| {name} and a layer | {task} | {str(dtype).removeprefix('torch.')} | {plain:.1f} | {ratios} |")


if __name__ == "__main__":
    main()
