"""Save a model."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hf_rumor.util.files import written_whole


def save_model(model: Any, tokenizer: Any, folder: Path, facts: dict[str, Any]) -> None:
    """Save weights (safetensors), configuration and tokenizer into `folder`, each file completely or not at all.

    Args:
        model: A model of transformers.
        tokenizer: Its tokenizer.
        folder: Exists.
        facts: Stored in the configuration under `hf_rumor`: the inputs, the loss, the threshold and so on.
    """
    model.config.hf_rumor = facts
    with TemporaryDirectory(dir=folder, prefix=".model.") as temporary:
        model.save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)
        for file in sorted(Path(temporary).iterdir()):
            with written_whole(folder / file.name) as part:
                shutil.copyfile(file, part)  # safetensors creates files that only their owner can read
