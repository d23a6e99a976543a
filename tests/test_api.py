"""The Python API: what it exports, what an import costs, and that fifteen lines train a classifier."""

import logging
import subprocess
import sys

import pytest
from datasets import Dataset

import hf_rumor
from hf_rumor.errors import ArgumentError


def test_every_export_exists_and_the_list_is_sorted():
    assert hf_rumor.__all__ == sorted(hf_rumor.__all__)
    assert {*hf_rumor.__all__} == {
        *("Post", "Prediction", "Report", "Repost", "RumorClassifier", "RumorError", "RumorTrainer", "__version__"),
        *("evaluate", "load_corpus", "make_loss", "split_corpus", "train"),
    }
    assert all(getattr(hf_rumor, name).__doc__ for name in hf_rumor.__all__ if name != "__version__")
    assert dir(hf_rumor) == hf_rumor.__all__
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = hf_rumor.nonsense


LOADED = """
import sys
import hf_rumor
print(sorted({"torch", "transformers", "datasets", "numpy"} & sys.modules.keys()))
"""


def test_an_import_loads_no_heavy_package():
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.fixture
def flags(tiny_encoder, tmp_path):
    """Return the flags of a run that takes a second."""
    plain = {"max_length": 64, "max_steps": 2, "save_strategy": "no", "eval_strategy": "no", "use_cpu": True}
    plain |= {"load_best_model_at_end": False, "report_to": "none", "output_dir": tmp_path / "out"}
    return {"model_name_or_path": str(tiny_encoder), **plain}


@pytest.fixture
def texts_and_labels(make_posts):
    posts = make_posts(60)
    return [post.text for post in posts], [int(post.is_rumor) for post in posts]


def test_a_list_of_texts_and_labels_trains_a_classifier(texts_and_labels, flags, capsys):
    texts, labels = texts_and_labels
    handlers = list(logging.getLogger().handlers), list(logging.getLogger("hf_rumor").handlers)
    corpus = hf_rumor.load_corpus(texts, labels=labels)
    finished = hf_rumor.train(corpus, loss="focal", loss_kwargs={"gamma": 1.0}, learning_rate=1e-3, **flags)
    assert finished.report.loss.kwargs == {"gamma": 1.0}
    assert 0 <= finished.report.test.accuracy <= 1
    assert "data_path" not in finished.report.recipe
    assert finished.report.data.sha256 == corpus.sha256
    classifier = hf_rumor.RumorClassifier.from_pretrained(str(finished.folder))
    assert classifier.predict(["听说停水"])
    assert capsys.readouterr().out == ""
    assert handlers == (list(logging.getLogger().handlers), list(logging.getLogger("hf_rumor").handlers))


def test_a_dataset_trains_a_classifier_that_can_be_evaluated_on_another_one(
    texts_and_labels, flags, tmp_path, make_posts
):
    texts, labels = texts_and_labels
    dataset = Dataset.from_dict({"text": texts, "label": labels})
    corpus = hf_rumor.split_corpus(hf_rumor.load_corpus(dataset), "random", seed=1)
    finished = hf_rumor.train(corpus, **flags)
    assert finished.report.split.test == 12
    others = make_posts(60, seed=1)
    other = Dataset.from_dict({"text": [post.text for post in others], "label": [int(p.is_rumor) for p in others]})
    report = hf_rumor.evaluate(finished.folder, other, output_dir=tmp_path / "evaluation")
    assert report.test.num_posts == 60
    assert (tmp_path / "evaluation" / "report.html").exists()


def test_keywords_are_checked_like_flags(flags):
    for wrong, message in (
        ({"lr": 1e-3}, "did you mean --learning_rate"),
        ({"learning_rate": "fast"}, "invalid float value"),
        ({"data_path": "posts.csv"}, "data_path: given twice"),
        ({"loss_kwargs": [1]}, "--loss_kwargs 1"),
        ({"recipe": "nowhere"}, "nowhere: neither a flag nor a recipe"),
    ):
        with pytest.raises(ArgumentError) as caught:
            hf_rumor.train("auto", **flags | wrong)
        assert message in str(caught.value)
