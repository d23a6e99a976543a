"""The files of a finished folder that may be uploaded; all others stay on this machine."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from huggingface_hub import get_token

from hf_rumor.corpus.seen import SEEN_FILE
from hf_rumor.errors import ModelError, OutputError
from hf_rumor.report.card import CARD_FILE
from hf_rumor.report.portable import portable_value
from hf_rumor.report.provenance import recipe_text
from hf_rumor.report.record import REPORT_FILE, Report, to_json
from hf_rumor.reposts.model import FILES, FOLDER


# Weights, configuration and tokenizer, by the names that transformers gives them.
MODEL_FILES = (
    "config.json",
    "model*.safetensors",
    "model.safetensors.index.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "*.model",  # of SentencePiece
    *(f"{FOLDER}/{name}" for name in FILES),  # the model of the reposts
)
FOR_TRACKERS = "hf_rumor_run"  # `tracked` keeps it in the configuration during training
PAGE = 1 << 20  # bytes read at a time


@dataclass(frozen=True)
class Upload:
    """One file of a repository."""

    path: str  # in the repository
    content: bytes | Path | BinaryIO
    note: str = ""  # how it differs from the file in the folder

    def size(self) -> int:
        """Return the number of bytes."""
        if isinstance(self.content, bytes):
            return len(self.content)
        return os.stat(self.content if isinstance(self.content, Path) else self.content.fileno()).st_size


def contents_of(folder: Path, report: Report, *, with_seen: bool = False) -> list[Upload]:
    """Return what may be uploaded of a finished folder: model, tokenizer, card, recipe and the portable `report`.

    `with_seen` adds the digests and sketches of the posts that the model has seen.

    Raises:
        ModelError: It contains no model, or not the seen posts that were requested.
        OutputError: A file contains something private.
    """
    uploads = model_contents(folder)
    uploads += [
        Upload(CARD_FILE, folder / CARD_FILE),
        Upload(REPORT_FILE, to_json(report).encode(), "without local paths and post ids"),
        Upload("recipe.yaml", recipe_text(report).encode(), "without local paths"),
    ]
    if with_seen:
        if not (folder / SEEN_FILE).is_file():
            raise ModelError(f"{folder}: no {SEEN_FILE} in it. Push without --with_seen_posts.")
        uploads.append(Upload(SEEN_FILE, folder / SEEN_FILE))
    check_private(uploads)
    return uploads


def model_contents(folder: Path) -> list[Upload]:
    """Return weights, configuration and tokenizer of a folder or a checkpoint.

    Raises:
        ModelError: There are no weights in safetensors.
    """
    found = {path for pattern in MODEL_FILES for path in folder.glob(pattern) if path.is_file()}
    names = sorted(path.relative_to(folder).as_posix() for path in found)
    has_weights = any(path.suffix == ".safetensors" and path.parent == folder for path in found)
    if not has_weights or "config.json" not in names:
        raise ModelError(f"{folder}: not a folder with a model. Train one with hf-rumor train.")
    return [_config(folder / name) if name == "config.json" else Upload(name, folder / name) for name in names]


def _config(path: Path) -> Upload:
    """Return the configuration without the facts for trackers and the path that some versions of transformers keep."""
    config = json.loads(path.read_text(encoding="utf-8"))
    clean = {key: portable_value(value) for key, value in config.items() if key != FOR_TRACKERS}
    if clean == config:
        return Upload(path.name, path)
    return Upload(path.name, (json.dumps(clean, indent=2, sort_keys=True) + "\n").encode(), "without paths")


def check_private(uploads: list[Upload]) -> None:
    """Search every byte for the token, and for the home folder, unless it is "/" or "/root".

    Raises:
        OutputError: A file contains one of them; the message names the file, not the secret.
    """
    secrets = {"the token of the Hub": get_token() or "", "the home folder": str(Path.home())}
    for upload in uploads:
        for what, secret in secrets.items():
            if len(secret) > 4 and secret != "/root" and _contains(upload.content, secret.encode()):
                raise OutputError(f"{upload.path}: contains {what}; nothing was sent. Remove it.")


def _contains(content: bytes | Path | BinaryIO, secret: bytes) -> bool:
    if isinstance(content, bytes):
        return secret in content
    if isinstance(content, Path):
        with content.open("rb") as file:
            return _contains(file, secret)
    content.seek(0)
    overlap = b""
    while page := content.read(PAGE):
        if secret in overlap + page:
            return True
        overlap = page[-len(secret) :]
    return False
