"""The report in Markdown: `report.md`, and the sections of the model card."""

from hf_rumor.report.record import Report
from hf_rumor.report.section import Section, Table
from hf_rumor.report.view import sections
from hf_rumor.report.words import headline, summary
from hf_rumor.util.translation import ENGLISH, Translator


def to_markdown(report: Report, tr: Translator = ENGLISH) -> str:
    """Return the report for people."""
    lines = "\n".join(f"- {line}" for line in summary(report, tr))
    parts = [f"# {tr('Report on a rumor classifier')}", f"**{headline(report, tr)}**", lines]
    return "\n\n".join([*parts, *map(section_text, sections(report, tr))]) + "\n"


def section_text(section: Section) -> str:
    """Return a section with its heading."""
    parts = [f"## {section.title}", *section.paragraphs]
    if section.items:
        parts.append("\n".join(f"- {item}" for item in section.items))
    if section.code:
        parts.append(f"```\n{section.code.rstrip()}\n```")
    return "\n\n".join([*parts, *map(table_text, section.tables)])


def table_text(table: Table) -> str:
    """Return a table with the note below it; a `|` in a cell is escaped."""
    rule = ("---:" if column.is_number else "---" for column in table.columns)
    rows = [[column.title for column in table.columns], rule, *table.rows]
    lines = ["| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + (f"\n\n{table.note}" if table.note else "")
