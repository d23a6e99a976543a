import pytest

from hf_rumor.report.markdown import section_text, table_text, to_markdown
from hf_rumor.report.view import Section, sections, table
from hf_rumor.report.words import headline, summary


def test_a_section_is_heading_paragraphs_list_code_and_tables():
    section = Section("id", "Title", ("One.", "Two."), ("a", "b"), "code\n", (table("x|#y", [("1", "2")], "Note."),))
    assert section_text(section) == (
        "## Title\n\nOne.\n\nTwo.\n\n- a\n- b\n\n```\ncode\n```\n\n| x | y |\n| --- | ---: |\n| 1 | 2 |\n\nNote."
    )


def test_a_pipe_in_a_cell_does_not_end_it():
    assert table_text(table("x", [("a|b",)])).splitlines()[-1] == r"| a\|b |"


@pytest.mark.parametrize("given", [{}, {"labels": [1] * 3, "probabilities": [0.1] * 3}])
def test_the_report_is_headline_summary_and_every_section(make_report, given):
    report = make_report(**given)
    text = to_markdown(report)
    assert text.startswith(f"# Report on a rumor classifier\n\n**{headline(report)}**\n\n- {summary(report)[0]}\n")
    assert all(section_text(section) in text for section in sections(report))
    assert "nan" not in text
