import json
from dataclasses import replace

import numpy as np
import pytest

from hf_rumor.evaluation.metrics import Scored
from hf_rumor.report.markdown import to_markdown
from hf_rumor.report.record import to_json
from hf_rumor.report.write import write_report


SCORED = Scored(["0", "“b”", "2", "d"], np.array([0, 1, 1, 0]), np.array([0.1, 0.9, 0.4, 0.6]), 0.25)
TEXTS = ["不错的微博", "别的", "一条合成的微博", "别的"]


def test_four_files_are_written_and_only_the_page_shows_texts(make_report, tmp_path):
    report = make_report()
    write_report(tmp_path / "run", report, SCORED, TEXTS)
    files = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "run").iterdir()}
    assert files.keys() == {"report.json", "report.md", "report.html", "predictions.jsonl"}
    assert [name for name, content in files.items() if "一条合成的微博" in content] == ["report.html"]
    assert not any("不错的微博" in content for content in files.values())  # it is not a mistake
    assert (files["report.json"], files["report.md"]) == (to_json(report), to_markdown(report))
    assert "“b”" in files["predictions.jsonl"]


@pytest.mark.parametrize(
    ("abstain_below", "predicted"),
    [(None, ["non-rumor", "rumor", "non-rumor", "rumor"]), (0.8, ["non-rumor", "rumor", "uncertain", "uncertain"])],
)
def test_each_post_has_a_prediction_in_order(make_report, tmp_path, abstain_below, predicted):
    decision = replace(make_report().decision, abstain_below=abstain_below, certain=None)
    write_report(tmp_path, replace(make_report(), decision=decision), SCORED, TEXTS)
    rows = [json.loads(line) for line in (tmp_path / "predictions.jsonl").read_text(encoding="utf-8").splitlines()]
    labels = ["non-rumor", "rumor", "rumor", "non-rumor"]
    names = ("id", "label", "predicted", "rumor_probability")
    expected = zip(SCORED.ids, labels, predicted, SCORED.probabilities.tolist(), strict=True)
    assert [tuple(row.items()) for row in rows] == [tuple(zip(names, row, strict=True)) for row in expected]
