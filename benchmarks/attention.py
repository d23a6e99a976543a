"""Attention on this CPU, at the length of a post: ours, eager and fused (SDPA), in training and in scoring.

Claim: in bf16, for posts of about 128 tokens, `hf_rumor.models.cpu.attention` trains fastest; with AMX, SDPA scores
fastest. hf_rumor chooses accordingly.

    python benchmarks/attention.py

Prints the machine, and posts per second for two shapes and each precision: medians of five alternating rounds.
"""

import itertools
import platform
import statistics
import time
from contextlib import AbstractContextManager, nullcontext

import torch
from transformers import BertConfig, BertForSequenceClassification

from hf_rumor.models.cpu.attention import NAME, attend_shortly
from hf_rumor.models.cpu.shortcuts import narrow_last_layer


BATCH, LENGTH, STEPS, ROUNDS = 16, 128, 4, 5
SHAPES = {"mini (4 x 320)": (4, 320, 10), "me5-small (12 x 384)": (12, 384, 12)}  # layers, width, heads


def make_config(shape: tuple[int, int, int], **settings) -> BertConfig:
    """Return the configuration of a BERT with the layers, width and heads of `shape`."""
    layers, width, heads = shape
    return BertConfig(
        vocab_size=3000,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * width,
        **settings,
    )


def make_step(
    kind: str,
    shape: tuple[int, int, int],
    dtype: torch.dtype,
    task: str,
    *,
    is_narrow: bool = False,
    context: AbstractContextManager | None = None,
):
    """Return a function that takes one training step on random tokens, within `context`, or scores them."""
    model = BertForSequenceClassification(make_config(shape, attention_probs_dropout_prob=0.0))
    if kind == NAME:
        attend_shortly(model)
    else:
        model.set_attn_implementation(kind)
    if is_narrow:
        narrow_last_layer(model)
    tokens, labels = torch.randint(10, 3000, (BATCH, LENGTH)), torch.randint(0, 2, (BATCH,))
    mask = torch.ones_like(tokens)
    mask[: BATCH // 2, -LENGTH // 8 :] = 0  # half of the posts are padded, as in real batches

    if task == "scoring":
        model.to(dtype).eval()
        return torch.inference_mode()(lambda: model(input_ids=tokens, attention_mask=mask))
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)

    def step() -> None:
        with context or nullcontext():
            with torch.autocast("cpu", dtype=dtype, enabled=dtype != torch.float32):
                loss = model(input_ids=tokens, attention_mask=mask, labels=labels).loss
            loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def posts_per_second(step) -> float:
    """Return the speed over a few steps."""
    start = time.perf_counter()
    for _ in range(STEPS):
        step()
    return STEPS * BATCH / (time.perf_counter() - start)


def main() -> None:
    """Print the table."""
    torch.manual_seed(0)
    print(f"{platform.platform()}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    print("| shape | task | precision | ours, posts/s | eager, posts/s | SDPA, posts/s |\n|---|---|---|---|---|---|")
    for name, shape in SHAPES.items():
        for task, dtype in itertools.product(("training", "scoring"), (torch.bfloat16, torch.float32)):
            steps = {kind: make_step(kind, shape, dtype, task) for kind in (NAME, "eager", "sdpa")}
            for step in steps.values():
                step()
            rounds = [{kind: posts_per_second(step) for kind, step in steps.items()} for _ in range(ROUNDS)]
            medians = [f"{statistics.median(speeds[kind] for speeds in rounds):.1f}" for kind in steps]
            print(f"| {name} | {task} | {str(dtype).removeprefix('torch.')} | {' | '.join(medians)} |")


if __name__ == "__main__":
    main()
