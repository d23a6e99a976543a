"""Load which posts a model has seen."""

from pathlib import Path

from hf_rumor.corpus.seen import SEEN_FILE, SeenPosts, read_seen
from hf_rumor.models.hub import find_file, is_hub_reachable


def load_seen(name: str, revision: str | None = None) -> SeenPosts | None:
    """Return which posts a model has seen in training; None if that is not known.

    `name` is a folder or a name on the Hub. For a checkpoint, the folder of its run is read.
    """
    path = Path(name)
    if path.is_dir():
        return read_seen(path) or (read_seen(path.resolve().parent) if path.name.startswith("checkpoint-") else None)
    file = find_file(name, SEEN_FILE, revision) if is_hub_reachable() else None
    return read_seen(file.parent) if file else None
