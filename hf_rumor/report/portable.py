"""A report without what must not leave the machine: paths, names of skipped files, ids of posts."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from hf_rumor.corpus.findings import Findings, without_names
from hf_rumor.report.record import Report


def portable(report: Report) -> Report:
    """Return the report without paths of this machine, names of skipped files, and ids of posts of the corpus."""
    parts = {name: portable_value(getattr(report, name)) for name in ("data", "model", "recipe", "auto")}
    parts["data"] |= {"findings": dict(without_names(Findings(parts["data"]["findings"])))}
    places = [("data", "path"), ("recipe", "data_path"), ("auto", "data_path")]
    if not report.model.get("hub_name"):
        places += [("model", "name"), ("recipe", "model_name_or_path"), ("auto", "model_name_or_path")]
    for part, key in places:
        if key in parts[part]:
            parts[part][key] = _without_folders(parts[part][key])
    return replace(report, mistakes=[], **parts)


def _without_folders(place: str) -> str:
    """Return the last part of a path, relative or not; the sample and datasets of the Hub can be found by others."""
    return place if place.startswith("hub:") or place == "data/sample" else Path(place).name


def portable_value(value: Any) -> Any:
    """Return a value of JSON in which an absolute path, at any depth, is its last part alone."""
    if isinstance(value, dict):
        return {key: portable_value(item) for key, item in value.items()}
    if isinstance(value, list):
        return [portable_value(item) for item in value]
    if isinstance(value, str) and value.startswith(("/", "~/")):
        return Path(value).name
    return value
