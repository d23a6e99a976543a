import json
import math
import subprocess
import sys
from dataclasses import dataclass, fields, replace

import numpy as np
import pytest

from hf_rumor.errors import ModelError
from hf_rumor.report.record import (
    REPORT_FILE,
    SCHEMA_VERSION,
    Report,
    from_json,
    read_report,
    to_json,
    without_nan,
)


CONTRACT = {"schema_version", "data", "split", "model", "loss", "train", "validation", "test", "environment"}
NAN, INFINITY = float("nan"), float("inf")


def refuse(constant):
    raise AssertionError(f"{constant} is not JSON")


def test_json_has_the_keys_of_the_contract(make_report):
    values = json.loads(to_json(make_report()))
    assert values.keys() == {entry.name for entry in fields(Report)} >= CONTRACT
    assert values["schema_version"] == SCHEMA_VERSION == 2
    assert values["test"].keys() >= {
        "num_posts",
        "accuracy",
        "macro_f1",
        "rumor_recall",
        "roc_auc",
        "ece",
        "intervals",
    }
    assert values["test"]["intervals"]["accuracy"] == [0.625, 0.875]


def test_a_report_is_read_back_as_it_was_written(make_report, tmp_path):
    report = make_report(data={"path": "语料/谣言.zip"}, train={"resumed_at_step": 7})
    (tmp_path / REPORT_FILE).write_text(to_json(report), encoding="utf-8")
    assert repr(read_report(tmp_path / REPORT_FILE)) == repr(report)  # NaN does not equal NaN, but has its name
    assert '"语料/谣言.zip"' in to_json(report)


@pytest.mark.parametrize("labels", [(1, 1, 1), (0, 0, 1)])
def test_null_is_nan_in_a_float_and_none_in_an_optional(make_report, labels):
    report = make_report(labels, (0.2, 0.3, 0.4), train={"best_metric": None, "posts_per_second": NAN})
    text = to_json(report)
    values = json.loads(text, parse_constant=refuse)
    assert (values["train"]["best_metric"], values["train"]["posts_per_second"]) == (None, None)
    again = from_json(Report, values)
    assert (again.train.resumed_at_step, again.train.best_metric) == (None, None)
    assert math.isnan(again.train.posts_per_second)
    assert math.isnan(again.test.roc_auc) == (set(labels) == {1})
    assert repr(again) == repr(report)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (NAN, None),
        (-INFINITY, None),
        (np.float64("nan"), None),
        ((1, NAN), [1, None]),
        ({"a": [{"b": INFINITY}], "c": "nan"}, {"a": [{"b": None}], "c": "nan"}),
        (None, None),
        (True, True),
        (0, 0),
    ],
)
def test_a_number_that_is_not_defined_is_null_at_any_depth(value, expected):
    assert without_nan(value) == expected


@dataclass(frozen=True)
class Part:
    number: float
    pair: tuple[int, str]
    rest: dict[str, tuple[float, ...]]
    part: "Part | None"


def test_a_report_from_before_a_metric_was_added_can_be_read(make_report):
    values = json.loads(to_json(make_report()))
    del values["test"]["macro_f1"]
    assert math.isnan(from_json(Report, values).test.macro_f1)
    del values["test"]["num_posts"]
    with pytest.raises(LookupError):
        from_json(Report, values)


def test_types_decide_how_json_is_read():
    inner = {"number": 1, "pair": [2, "b"], "rest": {}, "part": None}
    part = from_json(Part, {"number": 1, "pair": [1, "a"], "rest": {"x": [1, 2]}, "part": inner})
    assert part == Part(1.0, (1, "a"), {"x": (1.0, 2.0)}, Part(1.0, (2, "b"), {}, None))


@pytest.mark.parametrize(
    "change", [{"pair": [1]}, {"pair": ["a", 1]}, {"rest": []}, {"number": "one"}, {"part": 3}, {"pair": None}]
)
def test_json_of_another_type_is_refused(change):
    with pytest.raises((TypeError, ValueError)):
        from_json(Part, {"number": 1.0, "pair": [1, "a"], "rest": {}, "part": None} | change)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file. Train the model"),
        *((content, "not a report of hf_rumor") for content in ("{", "[]", "{}", '{"schema_version": 2, "data": 3}')),
        ('{"schema_version": 1}', "schema version 1 instead of 2"),
    ],
)
def test_a_file_that_is_not_a_report_is_an_error(tmp_path, content, message):
    if content is not None:
        (tmp_path / REPORT_FILE).write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match=message):
        read_report(tmp_path / REPORT_FILE)


def test_a_fold_is_reported_only_if_folds_were_requested(make_report):
    report = make_report()
    assert report.split.fold is not None
    assert report.fold is None
    assert replace(report, recipe={"fold": 0}).fold == report.split.fold


def test_reports_need_neither_torch_nor_transformers():
    modules = "hf_rumor.report.card, hf_rumor.report.write, hf_rumor.report.portable"
    code = f"import {modules}, sys; print(sorted({{'torch', 'transformers', 'datasets'}} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
