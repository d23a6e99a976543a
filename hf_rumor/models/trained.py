"""Load a model of transformers for inference."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import numpy as np
import torch
from huggingface_hub.errors import HfHubHTTPError
from numpy.typing import NDArray
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from hf_rumor.errors import ModelError
from hf_rumor.models.cpu.attention import attend_shortly
from hf_rumor.models.cpu.fused import fuse_linear_layers, is_fusing_possible
from hf_rumor.models.cpu.shortcuts import narrow_last_layer
from hf_rumor.models.facts import Arrays, Facts, LogitsOf, Precision, read_facts
from hf_rumor.models.hub import check_reachable


MOST_AT_A_TIME = 4  # batches that a CPU computes side by side: each holds its own activations
Logits = NDArray[np.float32]
_one_at_a_time = Lock()


def load_torch(name: str, precision: Precision, revision: str | None = None) -> tuple[LogitsOf, Any, Facts]:
    """Return the logits of a model as a function of batches, its tokenizer, and how to read the logits.

    Raises:
        ModelError: There is no such model, or it is none that tells rumors.
    """
    model, tokenizer, facts = load_model(name, precision, revision)
    return _logits_of(model, tokenizer), tokenizer.backend_tokenizer, facts


def load_model(name: str, precision: Precision = "fp32", revision: str | None = None) -> tuple[Any, Any, Facts]:
    """Return a classifier of transformers in evaluation mode, its tokenizer, and how to read its logits.

    Weights are read from safetensors only; no code of a model runs. A GPU is used where there is one.

    Raises:
        ModelError: There is no such model, or it is none that tells rumors.
    """
    check_reachable(name, "model", revision)
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, revision=revision, trust_remote_code=False)
        model, loaded = AutoModelForSequenceClassification.from_pretrained(
            name,
            revision=revision,
            dtype=torch.bfloat16 if precision == "bf16" else torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, ImportError, HfHubHTTPError) as error:
        raise ModelError(f"{name}: expected a classifier with safetensors weights, got {error}; check it") from error
    if loaded["missing_keys"]:
        found = f"an encoder without {sorted(loaded['missing_keys'])[0]}"
        raise ModelError(f"{name}: expected a trained classifier, found {found}; train it first: hf-rumor train")
    if getattr(tokenizer, "backend_tokenizer", None) is None:
        raise ModelError(f"{name}: expected a fast tokenizer, found {type(tokenizer).__name__}; choose another model")
    device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"  # set by torchrun and accelerate launch
    model.to(device if torch.cuda.is_available() else "cpu").eval()
    return model, tokenizer, read_facts(name, model.config.to_dict(), tokenizer.model_max_length)


def _logits_of(model: Any, tokenizer: Any) -> LogitsOf:
    names = [name for name in tokenizer.model_input_names if name != "special_tokens_mask"]

    def logits_of_one(arrays: Arrays) -> Logits:
        inputs = {name: torch.from_numpy(arrays[name]).to(model.device) for name in names}
        with torch.inference_mode():
            logits: Logits = model(**inputs).logits.float().cpu().numpy()
        return logits

    if model.device.type == "cpu":
        narrow_last_layer(model)
        if model.dtype == torch.bfloat16:
            _quicken(model)
            return lambda batches: compute_side_by_side(logits_of_one, batches)
    return lambda batches: [logits_of_one(arrays) for arrays in batches]


def _quicken(model: Any) -> None:
    """Choose what is fastest for scoring in bf16 on this CPU."""
    # With AMX the kernels of SDPA score faster; in training they do not. See benchmarks/attention.py.
    if not torch.cpu._is_amx_tile_supported():
        attend_shortly(model)
    if is_fusing_possible():
        fuse_linear_layers(model)


def compute_side_by_side(compute: Callable[[Arrays], Logits], batches: Sequence[Arrays]) -> list[Logits]:
    """Compute batches on a share of the threads each: what is no product of matrices gains little from all of them.

    One caller at a time: a thread that first uses torch meanwhile starts with such a share.
    """
    with _one_at_a_time:
        num_threads = torch.get_num_threads()
        at_a_time = _best_at_a_time(num_threads, len(batches))
        if at_a_time == 1:
            return [compute(arrays) for arrays in batches]
        share = num_threads // at_a_time
        try:
            with ThreadPoolExecutor(at_a_time, initializer=torch.set_num_threads, initargs=(share,)) as pool:
                return list(pool.map(compute, batches))
        finally:
            torch.set_num_threads(num_threads)  # this thread has it still; but others start with the last that was set


def _best_at_a_time(num_threads: int, num_batches: int) -> int:
    """Return so many batches that the fewest threads are idle; of these, the most."""
    possible = range(1, max(1, min(num_threads, num_batches, MOST_AT_A_TIME)) + 1)
    return min(possible, key=lambda at_a_time: (num_threads % at_a_time, -at_a_time))
