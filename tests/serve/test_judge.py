"""What the server answers, without a server."""

import time

import pytest

from hf_rumor import RumorClassifier
from hf_rumor.corpus.columns import Columns
from hf_rumor.corpus.post import Post
from hf_rumor.corpus.rows import Item
from hf_rumor.serve.problem import Problem
from hf_rumor.serve.upload import read_upload


POST = "听说昨夜公园停水，速转！"


def test_one_model_predicts_and_explains(judge):
    assert judge.explainer.model is judge.classifier.model


def test_an_explanation_has_the_probability_of_the_classifier_and_weights(judge, folder):
    answer = judge.explain({"text": POST})
    [expected] = RumorClassifier.from_pretrained(folder).predict([POST])
    assert answer["rumor_probability"] == pytest.approx(expected.rumor_probability, abs=1e-5)
    assert (answer["predicted"], answer["threshold"]) == (expected.predicted, 0.5)
    assert "".join(word["text"] for word in answer["words"]) == POST
    assert any(word["weight"] for word in answer["words"])
    assert answer["curve"] is None


def test_a_text_to_explain_is_limited(judge):
    with pytest.raises(Problem) as caught:
        judge.explain({"text": "停" * 101})
    assert (caught.value.status, caught.value.values) == (413, {"limit": 100, "length": 101})


def test_a_file_becomes_a_table_with_its_columns(judge, texts):
    content = (
        "mid,正文\n"
        + "".join(f"p{number},{text[:100]}\n" for number, text in enumerate(texts[:5]))
        + f"p5,{'停' * 101}\n"
    )
    predicted = judge.predict_file(read_upload(content.encode(), "a.csv", Columns(), judge.limits))
    assert predicted.columns[:3] == ["id", "rumor_probability", "predicted"]
    assert {"mid", "正文"} <= set(predicted.columns)
    assert (len(predicted.rows), predicted.num_errors) == (6, 1)
    assert predicted.num_rumors == sum(row[2] == "rumor" for row in predicted.rows)


def test_a_queue_without_posts_is_refused(judge):
    with pytest.raises(Problem) as caught:
        judge.make_queue([Item(1, None, "the text is empty.")], [], 10)
    assert caught.value.code == "no_posts"


def test_the_moments_of_a_post_are_those_of_its_reposts(judge, reading_classifier, monkeypatch):
    monkeypatch.setattr(judge.classifier, "reposts", reading_classifier.reposts)
    now = int(time.time())
    reposts = [{"text": "假的", "time": now - 3000}, {"text": "真的吗", "time": now - 2000}]
    answer = judge.explain({"text": POST, "time": now - 3600, "reposts": reposts})
    assert sorted(moment["delay"] for moment in answer["moments"]) == [600, 1600]
    assert answer["curve"]["points"].count(",") == 5
    assert judge._moments(Post(text=POST), 0.5) == []
