"""Save a model."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hf_rumor.util.files import written_whole


def save_model(model: Any, tokenizer: Any, folder: Path, facts: dict[str, Any]) -> None:
    """Save weights (safetensors), configuration and tokenizer into `folder`, each file completely or not at all.

    The facts (inputs, loss, threshold and so on) are stored in the configuration under `hf_rumor`.
    """
    model.config.hf_rumor = facts
    with TemporaryDirectory(dir=folder, prefix=".model.") as temporary:
        model.save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)
        for file in sorted(Path(temporary).iterdir()):
            with written_whole(folder / file.name) as part:
                shutil.copyfile(file, part)  # not moved: safetensors creates files that only their owner can read
