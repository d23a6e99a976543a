import io
import json
import sys

import pytest

from hf_rumor import RumorClassifier
from hf_rumor.cli import main as cli
from hf_rumor.errors import ModelError
from hf_rumor.inference.explain import Explainer


@pytest.fixture(scope="module")
def explainer(folder):
    return Explainer(RumorClassifier.from_pretrained(folder))


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
    classifier = RumorClassifier.from_pretrained(save(activation, threshold=0.4))
    found = [Explainer(classifier).explain(text).prediction for text in texts[:5]]
    expected = classifier.predict(texts[:5])
    assert [of.predicted for of in found] == [of.predicted for of in expected]
    assert [of.rumor_probability for of in found] == pytest.approx([of.rumor_probability for of in expected], abs=1e-5)


def test_tokens_and_words_stand_where_they_are(explainer):
    text = "听说 NBA停水12"
    of = explainer.explain(text)
    for piece in (*of.tokens, *of.words):
        assert text[piece.start : piece.start + len(piece.text)] == piece.text
    assert {"听说", "NBA", "停水", "12"} <= {word.text for word in of.words}


@pytest.mark.parametrize("text", ["停", "🐵", "\ud800停", "停水" * 200])
def test_unusual_texts_are_explained(explainer, text):
    assert explainer.explain(text).tokens


def test_a_text_is_explained_as_it_was_read_in_training(explainer):
    found = explainer.explain(" \ud800停水\n")
    assert found == explainer.explain("?停水")


def test_the_tokens_that_weigh_most_change_the_probability_most(explainer, texts):
    found = explainer.faithfulness(texts[:30])
    assert found.num_posts > 20
    assert found.top > 1.5 * found.random
    with pytest.raises(ModelError, match="no post has more than two tokens"):
        explainer.faithfulness(["停"])


def test_whitespace_around_a_text_does_not_change_which_tokens_are_deleted(explainer, texts):
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
    for bad in (b"", b"\n"):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(bad)))
        assert cli.main(["explain", str(folder)]) == 2


def test_without_captum_the_error_names_the_command(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(ModelError, match=r"pip install captum jieba"):
        Explainer(RumorClassifier.from_pretrained(folder))


@pytest.mark.parametrize("backend", ["onnx", "bf16"])
def test_only_torch_in_fp32_can_be_explained(folder, exported, backend):
    if backend == "onnx":
        classifier = RumorClassifier.from_pretrained(exported.folder, backend="onnx")
    else:
        classifier = RumorClassifier.from_pretrained(folder, precision="bf16")
    with pytest.raises(ModelError, match="needs the torch backend in fp32"):
        Explainer(classifier)


@pytest.mark.parametrize("kind", ["roberta", "gpt2"])
def test_the_reference_of_padding_changes_neither_positions_nor_pooling(kind, save_other, texts):
    classifier = RumorClassifier.from_pretrained(save_other(kind))
    explainer = Explainer(classifier)
    for text in texts[:2]:
        explanation = explainer.explain(text)
        assert explanation.error <= 0.05
        [expected] = classifier.predict([text])
        assert explanation.prediction.rumor_probability == pytest.approx(expected.rumor_probability, abs=1e-5)
