"""Whether a model is available, checked before `from_pretrained`, which retries for a minute without a network."""

from pathlib import Path

from huggingface_hub import constants, hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    RevisionNotFoundError,
)

from hf_rumor.errors import ModelError
from hf_rumor.util.network import can_connect


def is_cached(name: str, *files: str, revision: str | None = None) -> bool:
    """Return whether all `files` of a model on the Hub are in the cache."""
    return all(isinstance(try_to_load_from_cache(name, file, revision=revision), str) for file in files)


def is_hub_reachable() -> bool:
    """Return whether the Hub is reachable and `HF_HUB_OFFLINE` is not set."""
    return not constants.HF_HUB_OFFLINE and can_connect(constants.ENDPOINT)


def check_reachable(name: str, flag: str, revision: str | None = None) -> None:
    """Refuse a model that is neither a folder nor in the cache nor on the Hub; `flag` is for the message.

    Raises:
        ModelError: The folder or the revision does not exist, or the Hub is unreachable.
    """
    if Path(name).is_dir():
        if revision:
            raise ModelError(f"{flag} {name}: a folder has no revision {revision}. Omit the revision.")
        return
    no_folder = ModelError(f"{flag} {name}: not a folder with a model. Check the path.")
    if name.startswith((".", "/", "~")) or name.count("/") > 1 or Path(name).exists():
        raise no_folder
    try:
        if is_cached(name, "config.json", revision=revision):
            return
    except HFValidationError as error:  # not a valid name on the Hub: `out/`, `my model`, `模型`
        raise no_folder from error
    if not is_hub_reachable():
        raise ModelError(
            f"{flag} {name}: no such folder, not in the cache, and {constants.ENDPOINT} is unreachable. Check the "
            "name or the network."
        )
    try:
        hf_hub_download(name, "config.json", revision=revision)
    except RevisionNotFoundError as error:
        raise ModelError(f"{flag} {name}: the Hub has no revision {revision}. Check its name.") from error
    except (OSError, ValueError, HfHubHTTPError):  # reported when the model is loaded
        pass


def find_file(name: str, file: str, revision: str | None = None) -> Path | None:
    """Return a file of a folder, or of a model on the Hub, downloaded if necessary; None if there is none.

    If the Hub is unreachable, only the cache is searched.

    Raises:
        ModelError: The download fails.
    """
    if Path(name).is_dir():
        return Path(name) / file if (Path(name) / file).is_file() else None
    try:
        return Path(hf_hub_download(name, file, revision=revision, local_files_only=not is_hub_reachable()))
    except (EntryNotFoundError, LocalEntryNotFoundError):
        return None
    except (OSError, ValueError, HfHubHTTPError) as error:
        raise ModelError(f"{name}: {file} cannot be downloaded ({error}). Try again.") from error


def pickled_weights(name: str, model_class: str) -> str | None:
    """Return what to do about a folder whose weights are pickled; None if they are not.

    Args:
        name: A folder.
        model_class: Class of transformers that converts them.
    """
    files = sorted(Path(name).glob("*.bin")) if Path(name).is_dir() else []
    if not files or any(Path(name).glob("*.safetensors")):
        return None
    return (
        f"{files[0].name} is not loaded, since pickled weights can run code. If you trust it, convert it: python -c "
        f'"from transformers import {model_class} as M; M.from_pretrained({name!r}).save_pretrained({name!r})"'
    )
