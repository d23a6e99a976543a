import json

from hf_rumor.evaluation.measure import Prediction
from hf_rumor.report.markdown import to_markdown
from hf_rumor.report.record import to_json
from hf_rumor.report.write import write_report


def test_four_files_are_written_and_only_the_page_shows_texts(make_report, tmp_path):
    report = make_report()
    predictions = [Prediction("a", "rumor", "non-rumor", 0.25), Prediction("“b”", "non-rumor", "rumor", 0.75)]
    write_report(tmp_path / "run", report, predictions, {"0": "不错的微博", "2": "一条合成的微博"})
    files = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "run").iterdir()}
    assert files.keys() == {"report.json", "report.md", "report.html", "predictions.jsonl"}
    assert [name for name, content in files.items() if "一条合成的微博" in content] == ["report.html"]
    assert not any("不错的微博" in content for content in files.values())  # it is not a mistake
    assert (files["report.json"], files["report.md"]) == (to_json(report), to_markdown(report))
    assert [Prediction(**json.loads(line)) for line in files["predictions.jsonl"].splitlines()] == predictions
    assert "“b”" in files["predictions.jsonl"]
