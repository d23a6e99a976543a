import io
import json
import sys
from dataclasses import replace

import pytest

from hf_rumor import RumorClassifier
from hf_rumor.cli import main as cli
from hf_rumor.errors import ModelError
from hf_rumor.inference.classifier import Prediction
from hf_rumor.inference.explain import Explainer, Explanation, Piece, to_html, to_text


@pytest.fixture(scope="module")
def explainer(folder):
    return Explainer(str(folder))


def test_the_weights_of_a_text_add_up(explainer, texts):
    for text in texts[:10]:
        of = explainer.explain(text)
        total = sum(token.weight for token in of.tokens)
        assert of.error <= 0.05
        # What is left is on the marks of beginning and end, which do not change: nothing.
        assert total == pytest.approx(
            of.log_odds - of.log_odds_without, abs=0.06 * abs(of.log_odds - of.log_odds_without)
        )
        assert sum(word.weight for word in of.words) == pytest.approx(total, abs=1e-4)
        assert "".join(word.text for word in of.words) == text


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_the_prediction_is_that_of_the_classifier(save, texts, activation):
    folder = str(save(activation, threshold=0.4))
    found = [Explainer(folder).explain(text).prediction for text in texts[:5]]
    expected = RumorClassifier.from_pretrained(folder).predict(texts[:5])
    assert [of.predicted for of in found] == [of.predicted for of in expected]
    assert [of.rumor_probability for of in found] == pytest.approx([of.rumor_probability for of in expected], abs=1e-5)


def test_tokens_and_words_stand_where_they_are(explainer):
    text = "听说 NBA停水12"
    of = explainer.explain(text)
    for piece in (*of.tokens, *of.words):
        assert text[piece.start : piece.start + len(piece.text)] == piece.text
    assert {"听说", "NBA", "停水", "12"} <= {word.text for word in of.words}


@pytest.mark.parametrize("text", ["停", "🐵", "\ud800停", "停水" * 200])
def test_a_text_that_is_strange_or_long_is_explained_too(explainer, text):
    assert explainer.explain(text).tokens


def test_a_text_is_explained_as_it_was_read_in_training(explainer):
    found = explainer.explain(" \ud800停水\n")
    assert found == explainer.explain("?停水")
    assert to_html([found], explainer.facts, "out").encode("utf-8")


def test_the_tokens_that_weigh_most_move_the_probability_most(explainer, texts):
    found = explainer.faithfulness(texts[:30])
    assert found.num_texts > 20
    assert found.top > 1.5 * found.random
    with pytest.raises(ModelError, match="expected texts of more than two tokens"):
        explainer.faithfulness(["停"])


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


def test_a_terminal_shows_colours_only_if_it_can():
    plain, coloured = to_text(EXPLANATION, colours=False), to_text(EXPLANATION, colours=True)
    assert plain.splitlines()[1] == "听说<b>停水"
    assert "for rumor 听说 +1.50" in plain
    assert "against   停水 -0.75" in plain
    assert "\x1b[30;48;2;255;100;100m听说\x1b[0m<b>\x1b[30;48;2;178;178;255m停水" in coloured


def test_the_page_holds_no_markup_of_a_text(explainer):
    page = to_html([EXPLANATION], explainer.facts, "out")
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert "rgba(220, 60, 50, 0.80)" in page
    assert "rgba(50, 100, 220, 0.40)" in page


@pytest.mark.parametrize(("weight", "faint"), [(0.05, True), (-0.2, False)])
def test_where_no_word_moved_it_that_is_said(explainer, weight, faint):
    of = replace(EXPLANATION, words=[Piece("停水", 0, weight)])
    assert ("no word moved it" in to_text(of, colours=False)) == faint
    page = to_html([of], explainer.facts, "out")
    assert ("No word moved it" in page, "0.80)" in page) == (faint, not faint)


def test_blanks_around_a_text_do_not_change_which_tokens_are_deleted(explainer, texts):
    assert explainer.faithfulness([f"  {text}\n" for text in texts[:5]]) == explainer.faithfulness(texts[:5])


def test_the_verb_prints_json_and_writes_a_page(folder, tmp_path, capsys, monkeypatch):
    page = tmp_path / "page.html"
    assert cli.main(["explain", str(folder), "听说停水", "下雪", "--json", "--html", str(page)]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["text"] for row in rows] == ["听说停水", "下雪"]
    assert {"text", "start", "weight"} == rows[0]["words"][0].keys()
    assert page.read_text("utf-8").count("<article>") == 2
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("听说停水\n".encode())))
    assert cli.main(["explain", str(folder)]) == 0
    assert "probability of rumor" in capsys.readouterr().out
    for bad in (b"", b"\n", b"\xd7\xf2\n"):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(bad)))
        assert cli.main(["explain", str(folder)]) == 2


def test_without_captum_the_way_out_is_told(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(ModelError, match=r"pip install 'hf_rumor\[explain\]'"):
        Explainer(str(folder))
