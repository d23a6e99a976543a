"""`--data_path` and the flags beside it -> one corpus."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from hf_rumor.corpus.arrow import Corpus, load_corpora
from hf_rumor.corpus.columns import Columns, CorpusFile, columns_of
from hf_rumor.corpus.splits import LEAVE_OUT
from hf_rumor.corpus.values import parse_label_map
from hf_rumor.errors import ArgumentError
from hf_rumor.util.files import user_path


LISTS = (".yaml", ".yml")  # suffixes of files that list corpora
KEYS = ("path", "name", "text_column", "label_column", "id_column", "label_map", "weight")
MOST_WEIGHT = 100


def read_corpora(flags: Any) -> Corpus:
    """Return the corpus that flags name, as attributes; of several, one.

    Raises:
        ArgumentError: A list of corpora is malformed, or a name in it is used twice.
        CorpusError: A corpus does not exist or is broken.
    """
    split = getattr(flags, "split", "")
    first = split.removeprefix(LEAVE_OUT) if split.startswith(LEAVE_OUT) else ""
    return load_corpora(corpus_files(flags), keep_copies=flags.keep_copies, first=first)


def corpus_files(flags: Any) -> list[CorpusFile]:
    """Return the corpora of `--data_path`; those in a .yaml file have names, columns and label maps of their own."""
    columns = columns_of(flags)
    files: list[CorpusFile] = []
    for path in flags.data_path:
        files += _read_list(user_path(path), columns) if path.endswith(LISTS) else [CorpusFile(path, columns=columns)]
    names = [file.name for file in files if file.name]
    if repeated := [name for name in names if names.count(name) > 1]:
        raise ArgumentError(f"--data_path: two corpora are named {repeated[0]!r}. Rename one.")
    return files


def _read_list(path: Path, columns: Columns) -> list[CorpusFile]:
    """Return the corpora of a YAML list; paths in it start at its folder."""
    if not path.is_file():
        raise ArgumentError(f"--data_path {path}: no such file. Check the path.")
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ArgumentError(f"--data_path {path}: not valid YAML ({error}). Fix the file.") from error
    if not isinstance(entries, list) or not all(isinstance(entry, dict) and entry.get("path") for entry in entries):
        raise ArgumentError(f"--data_path {path}: not a list of corpora. Write a line such as `- path: posts.csv`.")
    return [_read_entry(path, entry, columns) for entry in entries]


def _read_entry(path: Path, entry: dict[str, Any], columns: Columns) -> CorpusFile:
    if unknown := sorted(entry.keys() - set(KEYS)):
        raise ArgumentError(f"--data_path {path}: {unknown[0]}: not a key. Use {', '.join(KEYS)}.")
    labels = parse_label_map(json.dumps(entry["label_map"])) if entry.get("label_map") else None
    own = Columns(entry.get("text_column"), entry.get("label_column"), entry.get("id_column"), labels)
    given = {name: value for name, value in vars(own).items() if value is not None}
    place = str(entry["path"])
    if place != "auto" and not place.startswith("hub:"):
        place = str(path.parent / user_path(place))
    name, weight = entry.get("name"), entry.get("weight", 1.0)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight <= MOST_WEIGHT:
        raise ArgumentError(
            f"--data_path {path}: weight: {weight!r} is not a number above 0 and up to {MOST_WEIGHT}. Change it."
        )
    return CorpusFile(place, None if name is None else str(name), replace(columns, **given), float(weight))
