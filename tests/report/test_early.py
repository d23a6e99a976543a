import json
from dataclasses import replace

import pytest

from hf_rumor.corpus.observed import DEADLINES
from hf_rumor.report.chinese import translator
from hf_rumor.report.early import early_section
from hf_rumor.report.markdown import section_text, to_markdown
from hf_rumor.report.plots import draw_all
from hf_rumor.report.record import Report, from_json, to_json
from hf_rumor.report.view import sections
from hf_rumor.report.words import DEADLINE_WORDS
from hf_rumor.util.translation import ENGLISH


NAN = float("nan")


@pytest.fixture
def section_of(make_report):
    """Return a function that returns the section of a report on early detection."""
    return lambda early: early_section(make_report(early=early), ENGLISH)


def rows(table):
    return {row[0]: row[1:] for row in table.rows}


def titles(table):
    return [column.title for column in table.columns]


def test_the_section_follows_the_metrics_if_the_run_read_reposts(make_report, early):
    assert "early" not in [section.id for section in sections(make_report())]
    assert [section.id for section in sections(make_report(early=early))][:3] == ["metrics", "early", "baseline"]


def test_each_deadline_has_a_row_with_scores_and_the_share_of_posts_with_reposts(section_of, early):
    scores = rows(section_of(early).tables[0])
    assert list(scores) == ["text alone", "10 minutes", "1 hour", "6 hours", "24 hours", "all reposts"]
    assert scores["1 hour"] == ("0.930 [0.910, 0.950]", "0.925 [0.910, 0.950]", "n/a", "50.0%")
    assert DEADLINE_WORDS.keys() == {"0", *DEADLINES}


def test_every_row_has_as_many_cells_as_columns(section_of, early):
    for table in section_of(early).tables:
        assert {len(row) for row in table.rows} == {len(table.columns)}


def test_the_model_is_compared_with_baselines_and_with_itself_without_denials(section_of, early):
    comparison = section_of(early).tables[1]
    assert titles(comparison)[1:3] == ["model", "without denials"]
    assert rows(comparison)["1 hour"] == ("0.930", "0.900", "0.850", "0.800", "0.550", "+2.1 pp [-0.4, 4.6]")
    assert rows(comparison)["text alone"][3:5] == ("", "")  # there are no reposts


def test_without_baselines_their_columns_and_notes_are_absent(section_of, early):
    without = {"svm": None, "reposts_only": None, "number_only": None, "difference": None}
    deadlines = tuple(replace(row, **without) for row in early.deadlines)
    comparison = section_of(replace(early, deadlines=deadlines)).tables[1]
    assert titles(comparison) == ["deadline", "model", "without denials"]
    assert rows(comparison)["1 hour"] == ("0.930", "0.900")
    assert "SVM" not in comparison.note


def test_the_reposts_of_the_corpus_are_counted(section_of, early):
    note = section_of(early).tables[0].note
    assert "4,321 reposts" in note
    assert "1,234 of them are bare forwards" in note
    assert "567 also repeat the words of others" in note


def test_calls_have_a_value_and_a_definition_each(section_of, early):
    calls = section_of(early).tables[2]
    assert {name: cells[0] for name, cells in rows(calls).items()} == {
        "confidence": "0.850",
        "posts decided": "75.0%",
        "wrong decisions": "6.2%",
        "minutes to the decision": "20",
        "accuracy": "0.875",
        "early rate (ER)": "0.250",
        "instability": "0.125",
        "SEA": "0.833",
    }
    assert "of the 7 moments" in rows(calls)["early rate (ER)"][1]
    assert "0, 2, 10, 60, 360, 1440, all reposts." in calls.note


@pytest.mark.parametrize(
    ("reached", "words"),
    [(True, "The confidence is the lowest with at most 5% wrong decisions"), (False, "the highest is used")],
)
def test_the_choice_of_the_confidence_is_explained(section_of, early, reached, words):
    assert words in section_of(replace(early, calls=replace(early.calls, reached=reached))).tables[2].note


def test_undefined_numbers_are_named(section_of, early):
    calls = replace(early.calls, share_called=0.0, error=NAN, median_minutes=NAN)
    section = section_of(replace(early, calls=calls))
    shown = rows(section.tables[2])
    assert [shown[name][0] for name in ("wrong decisions", "minutes to the decision")] == ["n/a", "n/a"]
    assert "nan" not in section_text(section)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_report_that_was_read_back_is_rendered_as_before(make_report, early, language):
    report, tr = make_report(early=early), translator(language)
    again = from_json(Report, json.loads(to_json(report)))  # JSON has no infinity
    assert to_markdown(again, tr) == to_markdown(report, tr)
    assert draw_all(again, tr) == draw_all(report, tr)
