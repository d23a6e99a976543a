import copy
import json
from dataclasses import fields

import numpy as np
import pytest

from hf_rumor.evaluation.measure import Prediction
from hf_rumor.report.markdown import to_markdown
from hf_rumor.report.record import (
    SCHEMA_VERSION,
    Report,
    _without_nan,
    to_json,
    write_report,
)


CONTRACT = {"schema_version", "data", "split", "model", "loss", "train", "validation", "test", "environment"}
NAN, INFINITY = float("nan"), float("inf")
NEW_YEAR_2013 = 1356969600


def refuse(constant):
    raise AssertionError(f"{constant} is no JSON")


def test_json_has_the_keys_of_the_contract(make_report):
    found = json.loads(to_json(make_report()))
    assert found.keys() >= CONTRACT
    assert found.keys() == {field.name for field in fields(Report)}
    assert found["schema_version"] == SCHEMA_VERSION == 1


def test_json_round_trips_and_a_number_that_is_not_defined_is_null(make_report):
    report = make_report(labels=(1, 1, 1, 1))
    found = json.loads(to_json(report), parse_constant=refuse)
    assert found["test"]["roc_auc"] is None
    assert found["test"]["intervals"]["pr_auc"] == [None, None]
    assert found["train"]["history"][0]["mean_loss"] is None
    assert found["test"]["accuracy"] == report.test["accuracy"]
    assert found["validation"]["confusion"] == report.validation["confusion"]
    assert found["data"] == report.data
    assert json.loads(json.dumps(found)) == found


def test_json_does_not_change_the_report(make_report):
    report = make_report(labels=(0, 0, 0, 0))
    before = copy.deepcopy(report)
    to_json(report)
    assert repr(report) == repr(before)


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
def test_what_is_not_defined_is_none_at_any_depth(value, expected):
    assert _without_nan(value) == expected


def test_text_is_written_as_it_is(make_report):
    report = make_report()
    report.data["path"] = "语料/谣言.zip"
    assert '"语料/谣言.zip"' in to_json(report)


def test_four_files_are_written_and_hold_what_was_told(make_report, tmp_path):
    report = make_report()
    told = [Prediction("a", "rumor", "non-rumor", 0.25), Prediction("“b”", "non-rumor", "rumor", 0.75)]
    write_report(tmp_path / "run", report, told, {"2": "一条编造的微博"})
    files = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "run").iterdir()}
    assert files.keys() == {"report.json", "report.md", "report.html", "predictions.jsonl"}
    assert "一条编造的微博" in files["report.html"]
    assert "一条编造的微博" not in files["report.json"]
    assert files["report.json"] == to_json(report)
    assert files["report.md"] == to_markdown(report)
    assert [Prediction(**json.loads(line)) for line in files["predictions.jsonl"].splitlines()] == told
    assert "“b”" in files["predictions.jsonl"]
