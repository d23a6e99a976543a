"""Can a model be had? Asked before `from_pretrained`, which would try for a minute without a network."""

from pathlib import Path
from typing import TYPE_CHECKING

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


if TYPE_CHECKING:
    from hf_rumor.corpus.seen import SeenPosts


def is_cached(name: str, *files: str, revision: str | None = None) -> bool:
    """Return whether all `files` of a model of the Hub are in the cache."""
    return all(isinstance(try_to_load_from_cache(name, file, revision=revision), str) for file in files)


def hub_is_there() -> bool:
    """Return whether the Hub can be reached, and may be (`HF_HUB_OFFLINE`)."""
    return not constants.HF_HUB_OFFLINE and can_connect(constants.ENDPOINT)


def check_reachable(name: str, flag: str, revision: str | None = None) -> None:
    """Refuse at once a model that is no folder, not in the cache, and not to be asked for.

    Args:
        name: A folder, or a name on the Hub.
        flag: Where the name was given, for the message.
        revision: Branch, tag or commit of a model of the Hub.

    Raises:
        ModelError: The message tells a folder that is missing from a network that is not there.
    """
    if Path(name).is_dir():
        if revision:
            raise ModelError(f"{flag} {name}: expected a model of the Hub for revision {revision}, found a folder")
        return
    no_folder = ModelError(f"{flag} {name}: expected a folder with a model, found none; check the path")
    if name.startswith((".", "/", "~")) or name.count("/") > 1 or Path(name).exists():
        raise no_folder
    try:
        if is_cached(name, "config.json", revision=revision):
            return
    except HFValidationError as error:  # a name that the Hub cannot have: `out/`, `my model`, `模型`
        raise no_folder from error
    if not hub_is_there():
        raise ModelError(
            f"{flag} {name}: expected a folder, or a model in the cache or on the Hub, found no such folder, nothing "
            f"in the cache, and no way to {constants.ENDPOINT}; check the name, or go online once"
        )
    try:
        hf_hub_download(name, "config.json", revision=revision)
    except RevisionNotFoundError as error:
        raise ModelError(f"{flag} {name}: expected revision {revision}, the Hub knows none of this name") from error
    except (OSError, ValueError, HfHubHTTPError):  # told by whoever loads the model
        pass


def find_file(name: str, file: str, revision: str | None = None) -> Path | None:
    """Return a file of a folder, or of a model of the Hub, fetched if need be; None where there is none.

    Raises:
        ModelError: The Hub does not give it.
    """
    if Path(name).is_dir():
        return Path(name) / file if (Path(name) / file).is_file() else None
    try:
        return Path(hf_hub_download(name, file, revision=revision))
    except (EntryNotFoundError, LocalEntryNotFoundError):
        return None
    except (OSError, ValueError, HfHubHTTPError) as error:
        raise ModelError(f"{name}: expected {file} from the Hub, got {error}; try again") from error


def pickled_weights(name: str) -> str | None:
    """Return what to do about a folder whose weights are pickled, which can run code; None if there are none."""
    files = sorted(Path(name).glob("*.bin")) if Path(name).is_dir() else []
    if not files or any(Path(name).glob("*.safetensors")):
        return None
    return (
        f"{files[0].name} is pickled and not loaded, since it can run code. Convert it where you trust it: "
        "load it with from_pretrained, then save_pretrained."
    )


def load_seen(name: str, revision: str | None = None) -> "SeenPosts | None":
    """Return which posts a model has seen in training; None if that is not known.

    Args:
        name: A folder, also that of a checkpoint, whose run knows it; or a name on the Hub.
        revision: Branch, tag or commit of a model on the Hub.
    """
    from hf_rumor.corpus.seen import SEEN_FILE, read_seen  # imports datasets, which describe and predict do not need

    path = Path(name)
    if path.is_dir():
        return read_seen(path) or (read_seen(path.resolve().parent) if path.name.startswith("checkpoint-") else None)
    file = find_file(name, SEEN_FILE, revision) if hub_is_there() else None
    return read_seen(file.parent) if file else None
