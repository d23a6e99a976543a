"""Can a model be had? Asked before `from_pretrained`, which would try for a minute without a network."""

from pathlib import Path

from huggingface_hub import constants, try_to_load_from_cache

from hf_rumor.errors import ModelError
from hf_rumor.network import can_connect


def is_cached(name: str, *files: str) -> bool:
    """Return whether all `files` of a model of the Hub are in the cache."""
    return all(isinstance(try_to_load_from_cache(name, file), str) for file in files)


def hub_is_there() -> bool:
    """Return whether the Hub can be reached, and may be (`HF_HUB_OFFLINE`)."""
    return not constants.HF_HUB_OFFLINE and can_connect(constants.ENDPOINT)


def check_reachable(name: str, flag: str) -> None:
    """Refuse at once a model that is no folder, not in the cache, and not to be asked for.

    Args:
        name: A folder, or a name on the Hub.
        flag: Where the name was given, for the message.

    Raises:
        ModelError: The message tells a folder that is missing from a network that is not there.
    """
    if Path(name).is_dir():
        return
    if name.startswith((".", "/", "~")) or name.count("/") > 1 or Path(name).exists():
        raise ModelError(f"{flag} {name}: expected a folder with a model, found none; check the path")
    if not is_cached(name, "config.json") and not hub_is_there():
        raise ModelError(
            f"{flag} {name}: expected a folder, or a model in the cache or on the Hub, found no such folder, nothing "
            f"in the cache, and no way to {constants.ENDPOINT}; check the name, or go online once"
        )
