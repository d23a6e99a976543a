"""Writes the files of a report."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from hf_rumor.evaluation.measure import Prediction
from hf_rumor.report.html import to_html
from hf_rumor.report.markdown import to_markdown
from hf_rumor.report.record import REPORT_FILE, Report, to_json
from hf_rumor.util.files import write_text


def write_report(folder: Path, report: Report, predictions: Sequence[Prediction], texts: Mapping[str, str]) -> None:
    """Write `report.json`, `report.md`, `report.html` and `predictions.jsonl`, each completely or not at all.

    Args:
        folder: Where.
        report: Of a finished run.
        predictions: One for each test post.
        texts: Text of each test post, by id; `report.html` shows those of the mistakes.
    """
    lines = [json.dumps(asdict(prediction), ensure_ascii=False) for prediction in predictions]
    write_text(folder / "predictions.jsonl", "".join(f"{line}\n" for line in lines))
    write_text(folder / "report.md", to_markdown(report))
    write_text(folder / "report.html", to_html(report, texts))
    write_text(folder / REPORT_FILE, to_json(report))
