from dataclasses import replace

import pytest

from hf_rumor.evaluation.baseline import Comparison
from hf_rumor.evaluation.intervals import Difference, Differences
from hf_rumor.report.benchmark import Row, draw_figures, to_latex, to_markdown


@pytest.fixture
def rows():
    """Return a baseline and two variants, the second with its differences to the first."""
    numbers = {"split": "grouped", "num_runs": 2, "accuracy_spread": 0.141, "macro_f1_spread": 0.1, "leakage": 0.0}
    trained = {"accuracy_interval": (0.6, 0.8), "difference": 0.2, "seconds": 7.0}
    gain = Difference(0.05, -0.01, 0.11)
    comparison = Comparison(0.7, 0.7, Differences(gain, gain), sign_test=0.2)
    return [
        Row(model="majority class", accuracy=0.5, macro_f1=0.4, **numbers),
        Row(model="mini, loss=bce", accuracy=0.7, macro_f1=0.7, **trained, **numbers),
        Row(model="mini, loss=ce", accuracy=0.75, macro_f1=0.75, over_first=comparison, **trained, **numbers),
    ]


def lines(text):
    return [line for line in text.splitlines() if line.startswith("|")]


def test_a_single_variant_has_one_table(rows, make_report):
    text = to_markdown(rows[:2], make_report(data={"num_posts": 360}))
    assert lines(text)[-1] == (
        "| grouped | mini, loss=bce | 2 | 0.700 ± 0.141 | [0.600, 0.800] | 0.700 | +20.0 pp | 0.0% | 7 |"
    )
    assert len(lines(text)) == 4
    assert "360 posts, SHA-256 `5ca1ab1e`" in text


def test_the_second_table_has_the_differences_to_the_first_variant(rows, make_report):
    text = to_markdown(rows, make_report())
    assert lines(text)[-1] == (
        "| mini, loss=ce | 2 | 0.750 ± 0.141 | 0.750 ± 0.100 | +5.0 pp [-1.0, 11.0] | +5.0 pp [-1.0, 11.0] | 0.200 |"
    )
    assert {line.count("|") for line in lines(text)[-5:]} == {8}
    assert "difference from mini, loss=bce" in text


def test_two_splits_are_named_in_every_row_and_label(rows, make_report):
    rows += [replace(row, split="random") for row in rows]
    assert lines(to_markdown(rows, make_report()))[-1].startswith("| random | mini, loss=ce |")
    figures = draw_figures(rows)
    assert [figure.name for figure in figures] == ["accuracy", "differences-grouped", "differences-random"]
    assert "random: mini, loss=ce" in figures[0].svg


def test_the_spreads_of_splits_and_seeds_are_columns_if_both_vary(rows, make_report):
    rows[1] = replace(rows[1], spread_over_splits=0.02, spread_over_seeds=0.01)
    text = to_markdown(rows[:2], make_report())
    assert lines(text)[-1] == "| mini, loss=bce | 2 | 0.700 ± 0.141 | 0.020 | 0.010 | 0.700 ± 0.100 |"
    assert "SD over splits" in text


def test_the_latex_table_has_the_rows_of_the_second_table(rows, make_report):
    text = to_latex(rows, make_report())
    assert r"{}mini, loss=ce & 2 & 0.750 $\pm$ 0.141 & 0.750 $\pm$ 0.100 & +5.0 pp [$-$1.0, 11.0] &" in text
    assert text.count(r" \\") == 4


def test_a_single_variant_has_no_figure_of_differences(rows):
    assert [figure.name for figure in draw_figures(rows)] == ["accuracy", "differences-grouped"]
    assert [figure.name for figure in draw_figures(rows[:2])] == ["accuracy"]
