"""What is known of public corpora: `catalogue.yaml`."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from hf_rumor.corpus.values import LabelMap, parse_label_map
from hf_rumor.labels import LABEL_NAMES


CATALOGUE = Path(__file__).with_name("catalogue.yaml")


@dataclass(frozen=True)
class KnownCorpus:
    """An entry of the catalogue."""

    name: str
    citation: str
    license: str
    defects: tuple[str, ...]
    format: str | None = None  # by which it is recognized; None: by its columns
    num_posts: tuple[int, int] | None = None  # non-rumors and rumors; not None: it must have so many
    columns: frozenset[str] = frozenset()  # of its rows, without `leaking_columns`
    leaking_columns: frozenset[str] = frozenset()  # that give the label away
    labels: LabelMap | None = None  # None: its labels are words


@cache
def catalogue() -> tuple[KnownCorpus, ...]:
    """Return all entries."""
    return tuple(
        KnownCorpus(
            name=entry["name"],
            citation=entry["citation"],
            license=entry["license"],
            defects=tuple(entry["defects"]),
            format=entry.get("format"),
            num_posts=tuple(entry["num_posts"][name] for name in LABEL_NAMES) if "num_posts" in entry else None,
            columns=frozenset(entry.get("columns", ())),
            leaking_columns=frozenset(entry.get("leaking_columns", ())),
            labels=parse_label_map(json.dumps(entry["label_map"])) if "label_map" in entry else None,
        )
        for entry in yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
    )


def named_in(findings: Iterable[str]) -> list[KnownCorpus]:
    """Return the public corpora that the findings of a corpus name."""
    return [known for known in catalogue() if f"known_corpora: {known.name}" in findings]


def recognize(format_name: str, columns: Collection[str]) -> KnownCorpus | None:
    """Return the public corpus that has this format or these columns, unless its size matters too."""
    names = {column.strip().lower() for column in columns}
    for known in catalogue():
        is_like = known.columns == names - known.leaking_columns if known.columns else known.format == format_name
        if is_like and known.num_posts is None:
            return known
    return None


def recognize_by_size(format_name: str, num_posts: Sequence[int]) -> KnownCorpus | None:
    """Return the public corpus that has this format and so many non-rumors and rumors."""
    matches = (known for known in catalogue() if (known.format, known.num_posts) == (format_name, tuple(num_posts)))
    return next(matches, None)
