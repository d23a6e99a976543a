import json
from dataclasses import replace
from types import SimpleNamespace

from hf_rumor.serve.about import SCORES, describe_model


def about(judge, report):
    return describe_model(SimpleNamespace(**{**vars(judge), "report": report}))


def test_the_facts_of_a_model_are_those_of_its_report(judge, make_report):
    report = make_report(data={"is_synthetic": True})
    facts = about(judge, report)["report"]
    assert (facts["num_posts"], facts["num_rumors"], facts["corpus"]) == (4321, 2000, "posts.csv")
    assert facts["parts"] == {"train": 3000, "validation": 321, "test": 1000}
    assert facts["scores"]["accuracy"][0] == report.test.accuracy
    assert facts["scores"].keys() == set(SCORES)
    assert "synthetic" in facts["warnings"]["en"][0]
    assert "人工合成" in facts["warnings"]["zh"][0]
    assert "0.750" in facts["result"]["zh"]
    json.dumps(facts, allow_nan=False)


def test_a_model_without_report_has_facts_too(judge):
    facts = about(judge, None)
    assert facts["report"] is None
    assert facts["limits"] == {"max_characters": 100, "max_posts": 20, "max_bytes": 20_000}
    assert facts["reads_reposts"] is False


def test_a_score_that_is_not_defined_is_null(judge, make_report):
    report = make_report()
    nan = float("nan")
    intervals = {**report.test.intervals, "roc_auc": (nan, nan)}
    report = replace(report, test=replace(report.test, roc_auc=nan, intervals=intervals))
    assert about(judge, report)["report"]["scores"]["roc_auc"] == [None, None, None]
