import copy
import json
from dataclasses import fields
from itertools import pairwise

import numpy as np
import pytest

from hf_rumor.evaluation.measure import (
    Prediction,
)
from hf_rumor.evaluation.report import (
    SCHEMA_VERSION,
    Report,
    _without_nan,
    headline,
    to_json,
    to_markdown,
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


def test_the_headline_tells_the_number_its_doubt_and_where_it_was_found(make_report):
    assert headline(make_report()) == (
        "accuracy 0.750 (95 % interval 0.625 to 0.875), macro-F1 0.733, on 4 test posts of the grouped split; against "
        "TF-IDF + SVM not distinguishable: +25.0 points, 95 % interval 0.0 to 75.0"
    )


@pytest.mark.parametrize(
    "words",
    [
        "**Accuracy 0.750 (95 % interval 0.625 to 0.875)",
        "| accuracy | 0.7500 | 0.6250 to 0.8750 | 0.7500 | share of posts that were told right |",
        "| loss | 0.2500 | | 0.2500 | -y log p - (1 - y) log(1 - p) |",
        "| non-rumor | 2 (2 to 4) | 0 (0 to 0) |",
        "| rumor | 1 (1 to 2) | 1 (1 to 2) |",
        "from a probability of 0.5 on; the probability is the sigmoid of the rumor logit",
        "| character TF-IDF + linear SVM | 0.5000 | 0.3333 | not distinguishable: +25.0 points",
        "| always the more frequent label | 0.5000 | 0.3333 |",
        "| before calibration | 0.2500 | 0.1050 |",
        "rumor: 0.750 · logit -0.500",
        "| 0.5, test | 1.0000 | 0.5000 | 0.2500 |",
        "Threshold by `--decision precision>=0.9`, which none reaches on validation; this one comes closest.",
        "Below a confidence of 0.75 a post is called uncertain: 3 of 4 test posts are not,",
        "| characters | 0 to 49 | 2 | 0.5000 | 0.0000 to 1.0000 | too few posts to say |",
        "Split `grouped`, seed 42, fold 0 of 5: 3,000 training, 321 validation, 1,000 test posts.",
        "in the training part: **25** (2.5%)",
        "1,000 bootstrap resamples",
        "`data/sample`, SHA-256 `5ca1ab1e`",
        "4,321 posts: 2,000 rumors and 2,321 non-rumors",
        "12 posts whose time is written out as text",
        "mini (BertModel, 1,234,567 weights), texts cut at 128 tokens",
        "3 epochs, 1,200 steps, 120 of them warm-up, schedule linear, peak learning rate 5e-05",
        "cpu, fp32 (no GPU), 1 process(es)",
        "| 1 | not defined | 0.5000 | 0.7000 |",
        "| 2 | 0.2500 | 0.3750 | 0.7500 |",
        "Chosen by `auto`: model_name_or_path mini, precision fp32.",
        "Versions: hf_rumor 0.1.0, torch 2.13.",
    ],
)
def test_markdown_tells(make_report, words):
    assert words in to_markdown(make_report())


@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("probability", [0.1, 0.9])
def test_markdown_renders_for_one_label_and_one_decision(make_report, label, probability):
    text = to_markdown(make_report(labels=[label] * 3, probabilities=[probability] * 3))
    decision = int(probability > 0.5)
    cells = [["0 (0 to 0)", "0 (0 to 0)"], ["0 (0 to 0)", "0 (0 to 0)"]]
    cells[label][decision] = "3 (3 to 6)"
    assert f"| non-rumor | {' | '.join(cells[0])} |\n| rumor | {' | '.join(cells[1])} |" in text
    assert "| roc_auc | not defined | not defined to not defined | not defined |" in text
    assert "nan" not in text


def test_markdown_tells_no_speed_that_is_not_known(make_report):
    report = make_report()
    report.train["posts_per_second"] = NAN
    assert "nan" not in to_markdown(report)


def test_every_row_of_a_table_has_as_many_cells_as_its_header(make_report):
    lines = to_markdown(make_report()).splitlines()
    widths = [line.count("|") for line in lines if line.startswith("|")]
    rules = [line.count("|") for line in lines if line.startswith("|---")]
    assert len(rules) == 7
    assert set(widths) == set(rules)
    for above, line in pairwise(lines):
        if above.startswith("|") and line.startswith("|"):
            assert above.count("|") == line.count("|")


def test_the_loss_tells_its_settings_if_there_are_any(make_report):
    report = make_report()
    assert "- Loss: -y log p - (1 - y) log(1 - p)\n" in to_markdown(report)
    report.loss["kwargs"] = {"gamma": 2.0}
    assert "- Loss: -y log p - (1 - y) log(1 - p) {'gamma': 2.0}\n" in to_markdown(report)


def test_where_auto_chose_nothing_it_says_so(make_report):
    report = make_report()
    report.auto.clear()
    assert "Chosen by `auto`: nothing." in to_markdown(report)


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
