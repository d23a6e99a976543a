"""Scoring in bf16 on this CPU: linear layers with bias and GELU in one pass, batches side by side, and both together.

Claim: together they score posts of about 128 tokens faster than plain layers and one batch at a time.

    python benchmarks/fused.py

Prints the machine, and posts per second for two shapes with random weights: medians of seven alternating rounds.
"""

import platform
import statistics
import time

import numpy as np
import torch
from attention import SHAPES, make_config  # benchmarks/attention.py
from transformers import BertForSequenceClassification

from hf_rumor.models.cpu.attention import attend_shortly
from hf_rumor.models.cpu.features import has_amx
from hf_rumor.models.cpu.fused import fuse_linear_layers, is_fusing_possible
from hf_rumor.models.cpu.parallel import compute_side_by_side


BATCH, LENGTH, BATCHES, ROUNDS = 32, 128, 8, 7


def make_scorer(shape: tuple[int, int, int], fuse: bool):
    """Return a function from arrays to logits."""
    model = BertForSequenceClassification(make_config(shape)).bfloat16().eval()
    if not has_amx():
        attend_shortly(model)
    if fuse:
        fuse_linear_layers(model)

    def score(arrays):
        with torch.inference_mode():
            return model(torch.from_numpy(arrays["input_ids"])).logits.float().numpy()

    return score


def main() -> None:
    """Print the table."""
    if not is_fusing_possible():
        raise SystemExit("this processor does not multiply in bf16")
    print(f"{platform.platform()}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    print("| shape | plain | fused | plain, side by side | fused, side by side | last / first |")
    print("|---|---|---|---|---|---|")
    rng = np.random.default_rng(0)
    batches = [{"input_ids": rng.integers(10, 3000, (BATCH, LENGTH))} for _ in range(BATCHES)]
    for name, shape in SHAPES.items():
        scorers = [make_scorer(shape, fuse) for fuse in (False, True)]
        seconds = [[] for _ in range(4)]
        for _ in range(ROUNDS + 1):
            for number, measured in enumerate(seconds):
                score = scorers[number % 2]
                start = time.perf_counter()
                if number < 2:
                    [score(arrays) for arrays in batches]
                else:
                    compute_side_by_side(score, batches)
                measured.append(time.perf_counter() - start)
        speeds = [BATCH * BATCHES / statistics.median(measured[1:]) for measured in seconds]  # round 1 warms up
        print(f"| {name} | {' | '.join(f'{speed:.0f}' for speed in speeds)} | {speeds[3] / speeds[0]:.2f} |")


if __name__ == "__main__":
    main()
