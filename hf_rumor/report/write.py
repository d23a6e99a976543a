"""Writes the files of a report, and renders a finished one again in another language."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from hf_rumor.errors import ModelError
from hf_rumor.evaluation.curves import find_mistakes
from hf_rumor.evaluation.decision import name_decisions
from hf_rumor.evaluation.intervals import Groups
from hf_rumor.evaluation.metrics import Scored
from hf_rumor.labels import LABEL_NAMES
from hf_rumor.report.card import CARD_FILE, write_card
from hf_rumor.report.chinese import translator
from hf_rumor.report.drawing import write_figures
from hf_rumor.report.html import to_html
from hf_rumor.report.markdown import to_markdown
from hf_rumor.report.plots import draw_all
from hf_rumor.report.record import REPORT_FILE, Report, read_report, to_json
from hf_rumor.util.files import from_cell, write_csv, write_text
from hf_rumor.util.translation import Language


MISTAKES_FILE = "mistakes.csv"
FIGURES = "figures"


def write_report(
    folder: Path, report: Report, scored: Scored, texts: Sequence[str], groups: Groups, language: Language = "en"
) -> None:
    """Write the files of a report, each completely or not at all.

    `report.json`, `report.md`, `report.html`, `figures/`, `predictions.jsonl`, and `mistakes.csv`: all misclassified
    posts with their texts. `report.html` shows the texts of some of them.

    Args:
        folder: Created if it does not exist.
        report: The report.
        scored: The test posts.
        texts: Of the test posts.
        groups: Near-duplicate groups of the test posts.
        language: Of texts for people.
    """
    predicted = name_decisions(scored.probabilities, report.decision.threshold, report.decision.abstain_below)
    columns = (scored.ids, scored.labels.tolist(), predicted, scored.probabilities.tolist())
    rows = [
        {"id": post_id, "label": LABEL_NAMES[label], "predicted": prediction, "rumor_probability": probability}
        for post_id, label, prediction, probability in zip(*columns, strict=True)
    ]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_text(folder / "predictions.jsonl", lines)
    mistakes = (
        (*(rows[position][name] for name in rows[position]), groups[position], texts[position])
        for position in find_mistakes(scored, report.decision.threshold).tolist()
    )
    names = (*rows[0], "near_duplicate_group", "text")
    write_csv(folder / MISTAKES_FILE, names, mistakes, for_people=True)
    _write_rendered(folder, report, dict(zip(scored.ids, texts, strict=True)), language)
    write_text(folder / REPORT_FILE, to_json(report))


def _write_rendered(folder: Path, report: Report, texts: Mapping[str, str], language: Language) -> None:
    tr = translator(language)
    pictures = draw_all(report, tr)
    write_text(folder / "report.md", to_markdown(report, tr))
    write_text(folder / "report.html", to_html(report, texts, pictures, tr))
    write_figures(folder / FIGURES, pictures, language)


def render(folder: Path, language: Language) -> None:
    """Render the report, its figures and the model card of a finished folder again, in this language.

    Raises:
        ModelError: It has no report of this version.
    """
    report = read_report(folder / REPORT_FILE)
    try:
        table = (folder / MISTAKES_FILE).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ModelError(f"{folder / MISTAKES_FILE}: cannot be read ({error}). Rerun the training.") from error
    texts = {from_cell(row["id"]): from_cell(row["text"]) for row in csv.DictReader(io.StringIO(table, newline=""))}
    _write_rendered(folder, report, texts, language)
    if (folder / CARD_FILE).exists():
        write_card(folder, report, None, language=language)
