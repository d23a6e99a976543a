import csv
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from hf_rumor.cli import main as cli
from hf_rumor.corpus.arrow import load_corpus
from hf_rumor.corpus.seen import seen_posts, write_seen
from hf_rumor.errors import ModelError, OutputError
from hf_rumor.evaluation.metrics import compute_metrics
from hf_rumor.labels import LABEL_NAMES, decide
from hf_rumor.models.encoders import load_encoder
from hf_rumor.models.save import save_model
from hf_rumor.runs import compare
from hf_rumor.runs.compare import compare_models


THRESHOLDS = {"a": 0.5, "b": 0.3}


@pytest.fixture(scope="module")
def corpus(make_posts):
    return load_corpus(make_posts(60))


@pytest.fixture
def models(tmp_path, monkeypatch):
    """Return the folders `a` and `b` of two models, which return random probabilities."""

    def load(name):
        name = name[-1]
        random = np.random.default_rng(ord(name))
        facts = SimpleNamespace(threshold=THRESHOLDS[name])
        return SimpleNamespace(facts=facts, probabilities=lambda texts: random.random(len(texts)))

    monkeypatch.setattr(compare, "RumorClassifier", SimpleNamespace(from_pretrained=load))
    for name in THRESHOLDS:
        (tmp_path / name).mkdir()
    return str(tmp_path / "a"), str(tmp_path / "b")


def answers(name):
    probabilities = np.random.default_rng(ord(name)).random(60)
    return decide(probabilities, THRESHOLDS[name]), probabilities


def test_both_models_are_scored_at_their_own_threshold(models, corpus):
    result = compare_models(models, corpus)
    labels = np.array(corpus.posts["label"][:])
    scores = [compute_metrics(labels, *answers(name)) for name in "ab"]
    assert list(result.unseen.scores) == scores
    assert [model.threshold for model in result.models] == [0.5, 0.3]
    difference = result.unseen.comparison.difference
    assert difference.accuracy.difference == pytest.approx(scores[1].accuracy - scores[0].accuracy)
    assert difference.macro_f1.difference == pytest.approx(scores[1].macro_f1 - scores[0].macro_f1)
    assert result.unseen.roc_auc.difference == pytest.approx(scores[1].roc_auc - scores[0].roc_auc)
    assert result.all_posts is None


def test_posts_that_one_of_the_models_has_seen_are_counted_and_compared_apart(models, corpus, tmp_path):
    texts = corpus.posts["text"][:]
    write_seen(tmp_path / "a", seen_posts(texts[:10], []))
    assert [model.num_seen for model in compare_models(models, corpus).models] == [10, None]
    write_seen(tmp_path / "b", seen_posts(texts[5:20], []))
    result = compare_models(models, corpus)
    assert [model.num_seen for model in result.models] == [10, 15]
    assert (result.unseen.num_posts, result.all_posts.num_posts) == (40, 60)
    write_seen(tmp_path / "b", seen_posts(texts, []))
    with pytest.raises(ModelError, match=r"of 60 posts, .*a has seen 10 and .*b has seen 60 in training"):
        compare_models(models, corpus)


def test_the_posts_on_which_the_models_disagree_are_written(models, corpus, tmp_path):
    write_seen(tmp_path / "b", seen_posts(corpus.posts["text"][:20], []))
    output = tmp_path / "disagreements.csv"
    result = compare_models(models, corpus, output)
    with output.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    (first, _), (second, probabilities) = answers("a"), answers("b")
    places = np.flatnonzero(first != second).tolist()
    assert len(rows) == result.all_posts.num_disagreements == len(places)
    for row, place in zip(rows, places, strict=True):
        post = corpus.posts[place]
        assert (row["id"], row["text"], row["label"]) == (post["id"], post["text"], LABEL_NAMES[post["label"]])
        assert (row["predicted_a"], row["predicted_b"]) == (LABEL_NAMES[first[place]], LABEL_NAMES[second[place]])
        assert float(row["probability_b"]) == pytest.approx(probabilities[place], abs=1e-6)
        assert row["seen_in_training"] == ("yes" if place < 20 else "no")
    with pytest.raises(OutputError, match="exists"):
        compare_models(models, corpus, output)


def test_the_verb_prints_tables_or_json(tiny_encoder, make_posts, write_ced, tmp_path, capsys):
    for name in "ab":
        (tmp_path / name).mkdir()
        facts = {"threshold": THRESHOLDS[name], "inputs": {"max_length": 32}}
        torch.manual_seed(0)
        save_model(*load_encoder(str(tiny_encoder), "sigmoid", 32), tmp_path / name, facts)
    rumors = write_ced(tmp_path / "ced", [post for post in make_posts(60) if post.is_rumor])
    words = ["compare", str(tmp_path / "a"), str(tmp_path / "b"), "--data_path", str(rumors)]
    assert cli.main(words) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("B compared with A in accuracy: ")
    assert "| 30 posts | A | B | B minus A [95% CI] |" in printed
    assert "| roc_auc | n/a | n/a | n/a |" in printed
    assert f"B: {tmp_path / 'b'}, threshold 0.3, has seen an unknown number of the posts" in printed
    assert cli.main([*words, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["unseen"]["num_posts"], result["unseen"]["roc_auc"]["low"]) == (30, None)
    difference = result["unseen"]["comparison"]["difference"]["macro_f1"]["difference"]
    assert difference > 0
    assert cli.main([*words, "--fail_if_worse"]) == 0
    assert cli.main(["compare", words[2], words[1], *words[3:], "--fail_if_worse"]) == 1
    assert cli.main(["compare", str(tmp_path / "a"), str(tmp_path / "c"), "--data_path", str(rumors)]) == 2
    assert "c: not a folder with a model" in capsys.readouterr().err
