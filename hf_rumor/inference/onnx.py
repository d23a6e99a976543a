"""Load a folder that `hf-rumor export` wrote; needs onnxruntime and tokenizers, neither torch nor transformers."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hf_rumor.errors import ModelError
from hf_rumor.models.facts import Arrays, Facts, LogitsOf, read_facts


MODEL_FILE = "model.onnx"


def load_onnx(folder: Path) -> tuple[LogitsOf, Any, Facts]:
    """Return the logits of a model as a function of batches, its tokenizer, and how to read the logits.

    Raises:
        ModelError: There is no such folder, or onnxruntime is not installed.
    """
    try:
        import onnxruntime
        from tokenizers import Tokenizer
    except ImportError as error:
        raise ModelError(
            f"backend onnx: expected onnxruntime and tokenizers, got {error}; pip install 'hf_rumor[onnx]'"
        ) from error
    missing = [name for name in (MODEL_FILE, "config.json", "tokenizer.json") if not (folder / name).is_file()]
    if missing:
        raise ModelError(
            f"{folder}: expected an exported model, found no {missing[0]}; write one with hf-rumor export MODEL"
        )
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        session = onnxruntime.InferenceSession(folder / MODEL_FILE, providers=["CPUExecutionProvider"])
        facts = read_facts(str(folder), config, None)
    except ModelError:
        raise
    except Exception as error:  # onnxruntime and tokenizers raise kinds of their own, and bare Exception
        raise ModelError(f"{folder}: expected an exported model, got {error}; export it again") from error
    names = [entry.name for entry in session.get_inputs()]

    def logits_of(batches: Sequence[Arrays]) -> list[NDArray[np.float32]]:
        return [session.run(None, {name: arrays[name] for name in names})[0] for arrays in batches]

    return logits_of, tokenizer, facts
