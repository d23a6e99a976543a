"""Load a folder that `hf-rumor export` wrote; needs onnxruntime and tokenizers, neither torch nor transformers."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hf_rumor.errors import ModelError
from hf_rumor.models.facts import Facts, Logits, ScoreBatches, read_facts
from hf_rumor.models.inputs import Arrays, TokenizerFacts


MODEL_FILE = "model.onnx"


def load_onnx(folder: Path) -> tuple[ScoreBatches, Any, Facts]:
    """Return a function from batches to logits, the tokenizer, and how to feed the model and read its logits.

    Raises:
        ModelError: The folder is not an export, or onnxruntime is not installed.
    """
    try:
        import onnxruntime
        from tokenizers import Tokenizer
    except ImportError as error:
        raise ModelError(f"backend onnx: {error}. Run: pip install onnxruntime tokenizers") from error
    missing = [name for name in (MODEL_FILE, "config.json", "tokenizer.json") if not (folder / name).is_file()]
    if missing:
        raise ModelError(f"{folder}: no {missing[0]}, so it is not an export. Create one: hf-rumor export MODEL")
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        session = onnxruntime.InferenceSession(folder / MODEL_FILE, providers=["CPUExecutionProvider"])
        saved = config["hf_rumor"]
        facts = read_facts(str(folder), config, TokenizerFacts(**saved["tokenizer"]), saved["inputs"]["max_length"])
    except ModelError:
        raise
    except Exception as error:  # onnxruntime and tokenizers raise exceptions of their own, and bare Exception
        raise ModelError(f"{folder}: the export is corrupt ({error!r}). Export it again.") from error

    def score(batches: Sequence[Arrays]) -> list[Logits]:
        return [session.run(None, dict(arrays))[0] for arrays in batches]

    return score, tokenizer, facts
