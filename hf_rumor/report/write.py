"""Writes the files of a report."""

import json
from collections.abc import Sequence
from pathlib import Path

from hf_rumor.evaluation.decision import name_decisions
from hf_rumor.evaluation.metrics import Scored
from hf_rumor.labels import LABEL_NAMES
from hf_rumor.report.html import to_html
from hf_rumor.report.markdown import to_markdown
from hf_rumor.report.record import REPORT_FILE, Report, to_json
from hf_rumor.util.files import write_text


def write_report(folder: Path, report: Report, scored: Scored, texts: Sequence[str]) -> None:
    """Write `report.json`, `report.md`, `report.html` and `predictions.jsonl`, each completely or not at all.

    `scored` and `texts` are the test posts; `report.html` shows the texts of the mistakes.
    """
    predicted = name_decisions(scored.probabilities, report.decision.threshold, report.decision.abstain_below)
    columns = (scored.ids, scored.labels.tolist(), predicted, scored.probabilities.tolist())
    rows = [
        {"id": post_id, "label": LABEL_NAMES[label], "predicted": prediction, "rumor_probability": probability}
        for post_id, label, prediction, probability in zip(*columns, strict=True)
    ]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_text(folder / "predictions.jsonl", lines)
    write_text(folder / "report.md", to_markdown(report))
    write_text(folder / "report.html", to_html(report, dict(zip(scored.ids, texts, strict=True))))
    write_text(folder / REPORT_FILE, to_json(report))
