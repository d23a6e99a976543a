"""What only makes a CPU faster, behind one function for training and one for scoring; everything works without it.

`benchmarks/ablation.py` measures what each of them gains.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import torch
from transformers import PreTrainedModel

from hf_rumor.models.cpu.attention import attend_shortly
from hf_rumor.models.cpu.dropout import BulkDropout
from hf_rumor.models.cpu.features import has_amx
from hf_rumor.models.cpu.fused import fuse_linear_layers, is_fusing_possible
from hf_rumor.models.cpu.memory import keep_freed_memory
from hf_rumor.models.cpu.parallel import compute_side_by_side
from hf_rumor.models.cpu.shortcuts import narrow_last_layer
from hf_rumor.models.facts import ScoreBatch, ScoreBatches


if TYPE_CHECKING:
    from transformers import TrainingArguments


def speed_up_training(model: Any, args: "TrainingArguments") -> AbstractContextManager[Any]:
    """Make training on a CPU faster without changing gradients; return a context to enter around each step.

    Args:
        model: A sequence classifier; is changed in place, but not in what is saved.
        args: Device, precision and compilation of the training.
    """
    if args.device.type != "cpu":
        return nullcontext()
    keep_freed_memory()
    is_known = isinstance(model, PreTrainedModel)
    if is_known and args.bf16:
        attend_shortly(model)
    if args.torch_compile:
        return nullcontext()
    if is_known:
        narrow_last_layer(model)
    return BulkDropout()


def speed_up_scoring(model: Any, score: ScoreBatch) -> ScoreBatches:
    """Make scoring on a CPU faster; return a function from batches to their logits.

    Args:
        model: A classifier that will only be asked for logits; is changed in place.
        score: Computes the logits of one batch with it.
    """
    if model.device.type == "cpu":
        narrow_last_layer(model)
    if model.device.type != "cpu" or model.dtype != torch.bfloat16:
        return one_by_one(score)
    # With AMX the kernels of SDPA score faster; in training they do not.
    if not has_amx():
        attend_shortly(model)
    if is_fusing_possible():
        fuse_linear_layers(model)
    return lambda batches: compute_side_by_side(score, batches)


def one_by_one(score: ScoreBatch) -> ScoreBatches:
    """Return a function that scores one batch after the other."""
    return lambda batches: [score(arrays) for arrays in batches]
