import json
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from transformers import pipeline

from hf_rumor import Prediction, RumorClassifier
from hf_rumor.corpus.post import Post, Repost
from hf_rumor.errors import ArgumentError, ModelError
from hf_rumor.evaluation.decision import name_decisions
from hf_rumor.evaluation.prior import Validation
from hf_rumor.inference import classifier as module
from hf_rumor.reposts.model import save_reposts


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_probabilities_are_those_of_the_plain_pipeline(save, texts, activation):
    folder = str(save(activation))
    scores = pipeline("text-classification", folder, top_k=None)(texts, truncation=True)
    expected = [{entry["label"]: entry["score"] for entry in row}["rumor"] for row in scores]
    probabilities = RumorClassifier.from_pretrained(folder).probabilities(texts)
    assert probabilities == pytest.approx(expected, abs=1e-5)
    assert probabilities.max() - probabilities.min() > 0.1


def test_another_threshold_changes_the_predicted_label_only(folder, exported, texts):
    for name, backend in ((folder, "torch"), (exported.folder, "onnx")):
        probabilities = RumorClassifier.from_pretrained(name, backend=backend).probabilities(texts)
        classifier = RumorClassifier.from_pretrained(name, backend=backend, threshold=0.8)
        predictions = classifier.predict(texts)
        assert [prediction.rumor_probability for prediction in predictions] == probabilities.tolist()
        expected = name_decisions(probabilities, 0.8, classifier.facts.abstain_below)
        assert [prediction.predicted for prediction in predictions] == expected
    with pytest.raises(ArgumentError, match="threshold: 1 is not between 0 and 1"):
        RumorClassifier.from_pretrained(folder, threshold=1)


def test_predictions_are_in_the_order_of_the_texts(folder, texts, monkeypatch):
    monkeypatch.setattr(module, "BATCHES_PER_WINDOW", 2)
    classifier = RumorClassifier.from_pretrained(folder)
    single = [classifier.predict([text])[0] for text in texts]
    for batch_size in (1, 7, 100):
        batched = classifier.predict(texts, batch_size)
        assert [p.rumor_probability for p in batched] == pytest.approx([p.rumor_probability for p in single])
        assert [p.predicted for p in batched] == [p.predicted for p in single]
    assert classifier.predict([]) == []


def test_a_stream_is_read_window_by_window(folder, texts, monkeypatch):
    monkeypatch.setattr(module, "BATCHES_PER_WINDOW", 2)
    read = []

    def stream():
        for text in texts:
            read.append(text)
            yield text

    predictions = RumorClassifier.from_pretrained(folder).predict_iter(stream(), batch_size=4)
    next(predictions)
    assert len(read) == 8
    assert len(list(predictions)) == 99


def test_threshold_and_abstention_are_those_of_the_folder(save, texts):
    probabilities = RumorClassifier.from_pretrained(save()).probabilities(texts)
    threshold = float(np.median(probabilities))
    predictions = RumorClassifier.from_pretrained(save(threshold=threshold)).predict(texts)
    assert [prediction.predicted == "rumor" for prediction in predictions] == (probabilities >= threshold).tolist()
    abstaining = RumorClassifier.from_pretrained(save(abstain_below=0.99)).predict(texts)
    assert "uncertain" in {prediction.predicted for prediction in abstaining}


def test_long_empty_and_unusual_texts_are_predicted(folder):
    texts = ["停水" * 5000, "", "\ud800停水", "\0", "🐵"]
    probabilities = RumorClassifier.from_pretrained(folder).probabilities(texts)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()


def test_whitespace_around_a_text_is_removed_as_in_training(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "model")
    path = tmp_path / "model" / "tokenizer.json"
    config = json.loads(path.read_text("utf-8"))
    config["normalizer"] = None  # whitespace becomes a token
    config["pre_tokenizer"] = {"type": "Split", "pattern": {"Regex": "."}, "behavior": "Isolated", "invert": False}
    path.write_text(json.dumps(config), encoding="utf-8")
    classifier = RumorClassifier.from_pretrained(tmp_path / "model")
    stripped, padded = "听说停水", " \n听说停水\u3000"
    assert classifier.tokenizer.encode(stripped).ids != classifier.tokenizer.encode(padded).ids
    assert classifier.predict([padded]) == classifier.predict([stripped])


@pytest.mark.parametrize(
    ("texts", "batch_size", "message"), [("听说停水", 32, "Pass a list"), (["听说停水"], 0, "batch_size is 0")]
)
def test_a_single_text_and_an_empty_batch_are_refused(folder, texts, batch_size, message):
    with pytest.raises(ValueError, match=message):
        RumorClassifier.from_pretrained(folder).predict(texts, batch_size)


def test_bf16_is_refused_with_onnx(folder):
    with pytest.raises(ModelError, match="precision bf16 is not available with --backend onnx"):
        RumorClassifier.from_pretrained(folder, backend="onnx", precision="bf16")


def test_importing_the_classifier_from_the_package_does_not_import_torch():
    code = (
        "import hf_rumor, sys; hf_rumor.RumorClassifier; print(sorted({'torch', 'transformers'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
    with pytest.raises(AttributeError):
        __import__("hf_rumor").NoSuchThing  # noqa: B018


def test_a_prediction_is_a_line_of_json():
    line = module.to_json(Prediction(0.12345678, "non-rumor"), "微博1")
    assert json.loads(line) == {"id": "微博1", "rumor_probability": 0.12345678, "predicted": "non-rumor"}
    assert "微博1" in line


def test_posts_and_their_texts_have_the_same_predictions(folder, texts):
    classifier = RumorClassifier.from_pretrained(folder)
    assert classifier.predict([Post(text=text, post_id="7") for text in texts]) == classifier.predict(texts)


def test_long_texts_are_truncated_for_a_model_whose_positions_start_after_padding(save_other):
    classifier = RumorClassifier.from_pretrained(save_other("roberta"))
    assert classifier.facts.inputs.max_length == 63  # 64 rows, the first is that of padding
    assert len(classifier.predict(["停水" * 500, "停"])) == 2


def test_posts_in_another_language_cause_one_warning(folder, caplog):
    classifier = RumorClassifier.from_pretrained(folder)
    for _ in range(2):
        classifier.predict(["срочно завтра отключат воду"])
    assert caplog.text.count("of the tokens are unknown to the model") == 1


START = 1372480809
REPOSTS = (Repost("1", "假的", START + 5), Repost("2", "真的吗", START + 700), Repost("3", "谣言", START + 9000))


def probability(classifier, *reposts, observed_at=START + 10_000, posted_at=START, own=None):
    post = Post(text="昨夜停水", posted_at=posted_at, reposts=reposts, observed_at=own)
    [value] = classifier.probabilities([post], observed_at=observed_at)
    return value


@pytest.mark.parametrize("delay", [0, 4, 5, 699, 700, 9000])
def test_a_repost_after_the_observation_changes_nothing(reading_classifier, delay):
    visible = [repost for repost in REPOSTS if repost.reposted_at <= START + delay]
    later = probability(reading_classifier, *REPOSTS, observed_at=START + delay)
    assert later == probability(reading_classifier, *visible, observed_at=START + delay)


def test_the_order_of_reposts_changes_nothing(reading_classifier):
    assert probability(reading_classifier, *REPOSTS) == probability(reading_classifier, *reversed(REPOSTS))


def test_at_the_time_of_the_post_the_probability_is_that_of_the_text(reading_classifier):
    [text] = reading_classifier.text_probabilities(["昨夜停水"])
    assert probability(reading_classifier, *REPOSTS, observed_at=START) == text
    assert probability(reading_classifier) == text
    assert probability(reading_classifier, *REPOSTS, posted_at=None) == text
    assert probability(reading_classifier, *REPOSTS) != text


def test_a_post_that_says_when_it_was_observed_is_right(reading_classifier):
    expected = probability(reading_classifier, *REPOSTS, observed_at=START + 700)
    assert probability(reading_classifier, *REPOSTS, own=START + 700) == expected


def test_without_a_time_of_observation_it_is_now(reading_classifier, monkeypatch):
    monkeypatch.setattr(module.time, "time", lambda: START + 700)
    expected = probability(reading_classifier, *REPOSTS, observed_at=START + 700)
    assert probability(reading_classifier, *REPOSTS, observed_at=None) == expected


def test_a_saved_classifier_reads_the_same_reposts(folder, reading_classifier, tmp_path):
    plain = RumorClassifier.from_pretrained(folder)
    save_reposts(reading_classifier.reposts, shutil.copytree(folder, tmp_path / "model"))
    reading = RumorClassifier.from_pretrained(tmp_path / "model")
    assert (plain.reposts, reading.reposts.deadline) == (None, 86_400)
    assert probability(plain, *REPOSTS) == probability(reading, *REPOSTS, observed_at=START)
    assert probability(reading, *REPOSTS) != probability(plain, *REPOSTS)


def test_an_exported_classifier_reads_the_same_reposts(exported):
    torch, onnx = (
        RumorClassifier.from_pretrained(name, backend=backend)
        for name, backend in ((exported.source, "torch"), (exported.folder, "onnx"))
    )
    assert probability(onnx, *REPOSTS) == pytest.approx(probability(torch, *REPOSTS), abs=1e-5)
    assert probability(onnx, *REPOSTS) != probability(onnx)


def test_a_prior_moves_the_probabilities_and_the_decisions(folder, texts):
    classifier = RumorClassifier.from_pretrained(folder)
    with pytest.raises(ModelError, match="does not store the share of rumors"):
        classifier.with_prior(0.1)
    classifier.facts = replace(classifier.facts, validation=Validation(0.5, 0.9, 0.1, threshold=0.5))
    plain, fewer = classifier.probabilities(texts), classifier.with_prior(0.1).probabilities(texts)
    assert (fewer < plain).all()
    assert classifier.with_prior(0.5).probabilities(texts) == pytest.approx(plain)
    assert classifier.probabilities(texts) == pytest.approx(plain)  # it is another classifier
    prior = classifier.with_prior(0.1).estimate_prior(texts * 20)  # from probabilities that are not adjusted
    assert prior == classifier.estimate_prior(texts * 20)
    classifier.facts = replace(classifier.facts, threshold=0.9)  # recall and false alarm rate are at the saved one
    assert prior == classifier.estimate_prior(texts * 20)
    assert classifier.with_prior(prior).prior is prior
