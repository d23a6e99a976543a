"""A report without what must not leave the machine: paths, names of skipped files, ids of posts."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from hf_rumor.corpus.findings import Findings, without_names
from hf_rumor.report.record import JOIN, Report


def portable(report: Report) -> Report:
    """Return the report without paths of this machine, names of skipped files, and ids of posts of the corpus."""
    data, model, train = report.data, report.model, report.train
    names = ["data_path", "unlabelled_path"] + ([] if model.hub_name else ["model_name_or_path"])
    if Path(str(report.recipe.get("teacher"))).is_dir():  # else it is a name on the Hub
        names.append("teacher")

    def clean(flags: dict[str, Any]) -> dict[str, Any]:
        paths = {name: _without_folders(flags[name]) for name in names if flags.get(name)}
        return {name: portable_value(value) for name, value in flags.items()} | paths

    return replace(
        report,
        data=replace(data, path=_without_folders(data.path), findings=dict(without_names(Findings(data.findings)))),
        model=model if model.hub_name else replace(model, name=_without_folders(model.name)),
        train=replace(train, hyper_parameters=clean(train.hyper_parameters)),
        recipe=clean(report.recipe),
        auto=clean(report.auto),
        mistakes=(),
    )


def _without_folders(place: Any) -> Any:
    """Return the last part of a path, or of each; the sample and datasets of the Hub are available to others."""
    if isinstance(place, list):
        return [_without_folders(one) for one in place]
    if JOIN in place:
        return JOIN.join(map(_without_folders, place.split(JOIN)))
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
