import json
import math
from dataclasses import replace

import numpy as np
import pytest

from hf_rumor import RumorClassifier
from hf_rumor.cli import main as cli
from hf_rumor.corpus.arrow import load_corpus
from hf_rumor.errors import CorpusError, ModelError, OutputError
from hf_rumor.evaluation import measure
from hf_rumor.report.card import render_card
from hf_rumor.report.record import to_json
from hf_rumor.runs.evaluate import evaluate_outside, read_report


@pytest.fixture(scope="module")
def trained(make_posts, write_ced, tmp_path_factory, tiny_encoder):
    """Return the folder of a model trained in a second, and the corpus it was trained on."""
    root = tmp_path_factory.mktemp("trained")
    corpus = write_ced(root / "ced", make_posts(60))
    flags = ["--data_path", str(corpus), "--model_name_or_path", str(tiny_encoder)]
    flags += ["--num_train_epochs", "1", "--use_cpu", "--report_to", "none", "--decision", "max_f1"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_RUMOR_CACHE", str(root / "cache"))
        patch.setattr(measure, "NUM_RESAMPLES", 20)
        assert cli.main(["train", *flags, "--output_dir", str(root / "out")]) == 0
    return root / "out", corpus


@pytest.fixture
def elsewhere(make_posts, write_ced, tmp_path):
    return write_ced(tmp_path / "elsewhere", make_posts(50, seed=9))


def test_every_post_from_elsewhere_is_scored_and_nothing_else_changes(
    trained, elsewhere, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("hf_rumor.evaluation.measure.NUM_RESAMPLES", 20)
    folder, output = trained[0], tmp_path / "evaluation"
    assert cli.main(["evaluate", str(folder), "--data_path", str(elsewhere), "--output_dir", str(output)]) == 0
    assert "on 50 posts from elsewhere; against TF-IDF + SVM" in capsys.readouterr().out
    old, new = (json.loads((path / "report.json").read_text("utf-8")) for path in (folder, output))
    for part in ("model", "loss", "train", "validation", "recipe"):
        assert new[part] == old[part]
    assert (new["split"]["name"], new["split"]["num_leaking_test_posts"], new["test"]["num_posts"]) == (
        "outside",
        None,
        50,
    )
    assert new["test"]["threshold"] == old["decision"]["threshold"]
    rows = [json.loads(line) for line in (output / "predictions.jsonl").read_text("utf-8").splitlines()]
    posts = load_corpus(elsewhere).posts
    expected = RumorClassifier.from_pretrained(folder).predict(posts["text"][:])
    assert [row["id"] for row in rows] == posts["id"][:]
    assert [row["predicted"] for row in rows] == [of.predicted for of in expected]
    for name in ("report.md", "report.html"):
        page = (output / name).read_text("utf-8")
        assert "or of their near-duplicates, are among its training posts is not known" in page
        assert "that it has not seen" not in page
        assert "5-fold cross-validation" in page
        assert "hf-rumor evaluate MODEL" in page
    assert not (output / "model.safetensors").exists()


def test_what_is_not_defined_in_a_report_can_be_read_and_rendered_again(make_report, tmp_path):
    report = make_report()
    report.test["intervals"]["macro_f1"] = (math.nan, math.nan)
    path = tmp_path / "report.json"
    path.write_text(to_json(report), encoding="utf-8")
    again = read_report(path)
    assert np.isnan(again.test["intervals"]["macro_f1"]).all()
    assert render_card(again, "mit") == render_card(report, "mit")


def test_the_corpus_it_was_trained_on_is_refused(trained, tmp_path):
    folder, corpus = trained
    with pytest.raises(ModelError, match="expected a corpus that it was not trained on"):
        evaluate_outside(str(folder), load_corpus(corpus), tmp_path / "evaluation")
    assert not (tmp_path / "evaluation").exists()


def test_the_corpus_it_was_trained_on_is_refused_in_another_file_too(trained, tmp_path):
    folder, corpus = trained
    posts = load_corpus(corpus).posts
    path = tmp_path / "same.jsonl"
    rows = [json.dumps({"text": post["text"], "label": post["label"]}) for post in posts]
    path.write_text("\n".join(reversed(rows)), encoding="utf-8")
    with pytest.raises(ModelError, match="expected a corpus that it was not trained on"):
        evaluate_outside(str(folder), load_corpus(path), tmp_path / "evaluation")


def test_the_report_of_the_model_is_not_overwritten(trained, elsewhere):
    before = (trained[0] / "report.json").read_bytes()
    with pytest.raises(OutputError, match="found one with a model"):
        evaluate_outside(str(trained[0]), load_corpus(elsewhere), trained[0])
    assert (trained[0] / "report.json").read_bytes() == before


def test_one_label_is_too_few(trained, make_posts, write_ced, tmp_path):
    posts = [replace(post, is_rumor=True) for post in make_posts(30, seed=9)]
    with pytest.raises(CorpusError, match="expected at least 20 posts of each label, copies counted once, found 0"):
        evaluate_outside(str(trained[0]), load_corpus(write_ced(tmp_path / "one", posts)), tmp_path / "evaluation")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "found none; train with hf-rumor"),
        ("{", "expected a report"),
        ("[]", "expected a report"),
        ('{"x": 1}', "expected a report"),
    ],
)
def test_without_a_report_of_ours_there_is_none_on_other_posts(tmp_path, content, said):
    if content is not None:
        (tmp_path / "report.json").write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match=said):
        read_report(tmp_path / "report.json")
