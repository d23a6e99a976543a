"""The last layer of a BERT for the first token alone, on this CPU: in steps of training and in scoring.

Claim: it is faster by most of a layer, for the same logits and gradients.

    python benchmarks/shortcuts.py

Prints the machine, and posts per second with and without for two shapes (random weights; a layer more, as the recipes
have by `pooling: mean`), alternating, median of five.
"""

import itertools
import platform
import statistics

import torch
from attention import ROUNDS, SHAPES, make_step, posts_per_second  # benchmarks/attention.py

from hf_rumor.models.cpu.features import has_bf16


def main() -> None:
    """Print the table."""
    torch.manual_seed(0)
    print(f"{platform.platform()}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    print("| shape | doing | precision | whole, posts/s | first token, posts/s | ratio |\n|---|---|---|---|---|---|")
    precisions = (torch.bfloat16, torch.float32) if has_bf16() else (torch.float32,)
    for name, (layers, *rest) in SHAPES.items():
        shape = (layers + 1, *rest)
        for doing, dtype in itertools.product(("training", "scoring"), precisions):
            steps = [make_step("sdpa", shape, dtype, doing, is_narrow=is_narrow) for is_narrow in (False, True)]
            for step in steps:
                step()
            rounds = [[posts_per_second(step) for step in steps] for _ in range(ROUNDS)]
            whole, narrow = (statistics.median(speeds) for speeds in zip(*rounds, strict=True))
            row = f"{doing} | {str(dtype).removeprefix('torch.')} | {whole:.1f} | {narrow:.1f} | {narrow / whole:.2f}"
            print(f"| {name} and a layer | {row} |")


if __name__ == "__main__":
    main()
