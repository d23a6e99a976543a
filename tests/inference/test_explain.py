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
        explanation = explainer.explain(text)
        total = sum(token.weight for token in explanation.tokens)
        assert explanation.error <= 0.05
        # The embeddings of special tokens do not change, so that their weights are 0.
        assert total == pytest.approx(explanation.log_odds - explanation.log_odds_without, rel=0.06)
        assert sum(word.weight for word in explanation.words) == pytest.approx(total, abs=1e-4)
        assert "".join(word.text for word in explanation.words) == text


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_the_prediction_is_that_of_the_classifier(save, texts, activation):
    classifier = RumorClassifier.from_pretrained(save(activation, threshold=0.4))
    explained = [Explainer(classifier).explain(text).prediction for text in texts[:5]]
    expected = classifier.predict(texts[:5])
    assert [p.predicted for p in explained] == [p.predicted for p in expected]
    assert [p.rumor_probability for p in explained] == pytest.approx([p.rumor_probability for p in expected], abs=1e-5)


def test_tokens_and_words_have_the_positions_of_their_characters(explainer):
    text = "听说 NBA停水12"
    explanation = explainer.explain(text)
    for piece in (*explanation.tokens, *explanation.words):
        assert text[piece.start : piece.start + len(piece.text)] == piece.text
    assert {"听说", "NBA", "停水", "12"} <= {word.text for word in explanation.words}


@pytest.mark.parametrize("text", ["停", "🐵", "\ud800停", "停水" * 200])
def test_unusual_texts_are_explained(explainer, text):
    assert explainer.explain(text).tokens


def test_a_text_is_normalized_as_in_training(explainer):
    assert explainer.explain(" \ud800停水\n") == explainer.explain("?停水")


def test_the_tokens_with_the_largest_weights_change_the_probability_most(explainer, texts):
    result = explainer.faithfulness(texts[:30])
    assert result.num_posts > 20
    assert result.top > 1.5 * result.random
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
    for empty in (b"", b"\n"):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(empty)))
        assert cli.main(["explain", str(folder)]) == 2


def test_without_captum_the_error_names_the_command(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(ModelError, match=r"pip install captum jieba"):
        Explainer(RumorClassifier.from_pretrained(folder))


@pytest.mark.parametrize("backend", ["onnx", "bf16"])
def test_only_torch_in_fp32_can_be_explained(folder, exported, backend):
    name, flags = (exported.folder, {"backend": "onnx"}) if backend == "onnx" else (folder, {"precision": "bf16"})
    classifier = RumorClassifier.from_pretrained(name, **flags)
    with pytest.raises(ModelError, match="needs the torch backend in fp32"):
        Explainer(classifier)


@pytest.mark.parametrize("kind", ["roberta", "gpt2"])
def test_a_text_of_padding_changes_neither_positions_nor_pooling(kind, save_other, texts):
    classifier = RumorClassifier.from_pretrained(save_other(kind))
    explainer = Explainer(classifier)
    for text in texts[:2]:
        explanation = explainer.explain(text)
        assert explanation.error <= 0.05
        [expected] = classifier.predict([text])
        assert explanation.prediction.rumor_probability == pytest.approx(expected.rumor_probability, abs=1e-5)
