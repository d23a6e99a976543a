import re
from dataclasses import replace

import pytest

from hf_rumor.inference.classifier import Prediction
from hf_rumor.inference.explanation import Explanation, Piece, explanation_page, explanation_text
from hf_rumor.models.facts import Facts
from hf_rumor.models.inputs import InputConfig, TokenizerFacts


FACTS = Facts("sigmoid", 0.5, None, InputConfig(64), TokenizerFacts())
EXPLANATION = Explanation(
    text="听说<b>停水",
    prediction=Prediction(0.875, "rumor"),
    tokens=[],
    words=[Piece("听说", 0, 1.5), Piece("<b>", 2, 0.0), Piece("停水", 5, -0.75)],
    log_odds=1.95,
    log_odds_without=1.2,
    error=0.01,
    num_steps=32,
)


def test_a_terminal_without_colors_gets_plain_text():
    plain, colored = explanation_text(EXPLANATION, colors=False), explanation_text(EXPLANATION, colors=True)
    assert plain.splitlines()[1] == "听说<b>停水"
    assert "for rumor 听说 +1.50" in plain
    assert "against   停水 -0.75" in plain
    assert "\x1b[30;48;2;255;100;100m听说\x1b[0m<b>\x1b[30;48;2;178;178;255m停水" in colored


def test_the_page_escapes_the_markup_of_a_text():
    page = explanation_page([EXPLANATION], FACTS, "out")
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert "rgba(220, 60, 50, 0.75)" in page
    assert "rgba(50, 100, 220, 0.38)" in page


@pytest.mark.parametrize(("weight", "is_faint"), [(0.05, True), (-0.2, False)])
def test_small_weights_are_described_as_not_noticeable(weight, is_faint):
    explanation = replace(EXPLANATION, words=[Piece("停水", 0, weight)])
    assert ("no word changed the log-odds" in explanation_text(explanation, colors=False)) == is_faint
    page = explanation_page([explanation], FACTS, "out")
    assert ("No word changes the prediction" in page, "0.75)" in page) == (is_faint, not is_faint)


@pytest.mark.parametrize("error", [0.12, float("nan")])
def test_a_failed_explanation_states_it_and_shows_no_weights(error):
    failed = replace(EXPLANATION, error=error)
    for page in (explanation_text(failed, colors=True), explanation_page([failed], FACTS, "out")):
        assert "explanation failed" in page.lower()
        assert "+1.50" not in page
        assert "\x1b" not in page


def test_the_page_lists_weights_and_has_no_path_of_the_machine(tmp_path):
    (tmp_path / "mine").mkdir()
    page = explanation_page([EXPLANATION], FACTS, str(tmp_path / "mine"))
    assert str(tmp_path) not in page
    assert "Model: mine" in page
    assert re.search("Increase the probability.*听说.*\\+1.50.*Decrease the probability.*停水.*-0.75", page, re.DOTALL)
    assert "Model: user/model" in explanation_page([EXPLANATION], FACTS, "user/model")


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [1200, 390])
def test_the_page_is_accessible_and_fits_its_width(open_page, barriers, language, width):
    failed = replace(EXPLANATION, error=0.12)
    page = open_page(explanation_page([EXPLANATION, failed], FACTS, "out", language), width)
    assert barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
