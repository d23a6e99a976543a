import json
import math
from dataclasses import replace

import pytest

from hf_rumor import RumorClassifier
from hf_rumor.cli import main as cli
from hf_rumor.corpus.arrow import load_corpus
from hf_rumor.errors import ModelError, OutputError
from hf_rumor.evaluation import measure
from hf_rumor.evaluation.baseline import TOO_FEW_POSTS, Baselines
from hf_rumor.evaluation.metrics import METRICS
from hf_rumor.report.record import read_report
from hf_rumor.runs.evaluate import evaluate_outside


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
def another(make_posts, write_ced, tmp_path):
    return write_ced(tmp_path / "another", make_posts(50, seed=9))


def test_every_post_of_another_corpus_is_scored_and_nothing_else_changes(
    trained, another, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("hf_rumor.evaluation.measure.NUM_RESAMPLES", 20)
    folder, output = trained[0], tmp_path / "evaluation"
    assert cli.main(["evaluate", str(folder), "--data_path", str(another), "--output_dir", str(output)]) == 0
    assert "on 50 posts of another corpus. Compared with the baseline, TF-IDF" in capsys.readouterr().out
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
    posts = load_corpus(another).posts
    expected = RumorClassifier.from_pretrained(folder).predict(posts["text"][:])
    assert [row["id"] for row in rows] == posts["id"][:]
    assert [row["predicted"] for row in rows] == [prediction.predicted for prediction in expected]
    for name in ("report.md", "report.html"):
        page = (output / name).read_text("utf-8")
        assert "It is unknown how many of these posts" in page
        assert "unseen" not in page
        assert "5-fold cross-validation" in page
        assert "hf-rumor evaluate MODEL" in page
    assert not (output / "model.safetensors").exists()


def test_the_training_corpus_is_refused(trained, tmp_path):
    folder, corpus = trained
    with pytest.raises(ModelError, match="it was trained on this corpus"):
        evaluate_outside(str(folder), load_corpus(corpus), tmp_path / "evaluation")
    assert not (tmp_path / "evaluation").exists()


def test_the_training_corpus_is_refused_in_another_file_too(trained, tmp_path):
    folder, corpus = trained
    posts = load_corpus(corpus).posts
    path = tmp_path / "same.jsonl"
    rows = [json.dumps({"text": post["text"], "label": post["label"]}) for post in posts]
    path.write_text("\n".join(reversed(rows)), encoding="utf-8")
    with pytest.raises(ModelError, match="it was trained on this corpus"):
        evaluate_outside(str(folder), load_corpus(path), tmp_path / "evaluation")


def test_the_report_of_the_model_is_not_overwritten(trained, another):
    before = (trained[0] / "report.json").read_bytes()
    with pytest.raises(OutputError, match="holds a model, whose report would be lost"):
        evaluate_outside(str(trained[0]), load_corpus(another), trained[0])
    assert (trained[0] / "report.json").read_bytes() == before


@pytest.mark.parametrize(("num_posts", "is_rumor"), [(30, True), (30, False), (1, True)])
def test_on_one_label_the_defined_metrics_are_reported_without_a_baseline(
    trained, make_posts, write_ced, tmp_path, num_posts, is_rumor
):
    posts = [replace(post, is_rumor=is_rumor) for post in make_posts(num_posts, seed=9)]
    report = evaluate_outside(
        str(trained[0]), load_corpus(write_ced(tmp_path / "one", posts)), tmp_path / "evaluation"
    )
    assert report.baseline == Baselines(skipped=TOO_FEW_POSTS)
    assert math.isnan(report.test.rumor_recall) is not is_rumor
    assert math.isnan(report.test.non_rumor_recall) is is_rumor
    assert math.isnan(report.test.macro_f1)
    assert repr(read_report(tmp_path / "evaluation" / "report.json")) == repr(report)
    for name in ("report.md", "report.html"):
        page = (tmp_path / "evaluation" / name).read_text("utf-8")
        assert TOO_FEW_POSTS in page
        assert "not defined" in page


def test_on_few_posts_of_both_labels_every_metric_is_reported(trained, make_posts, write_ced, tmp_path):
    corpus = load_corpus(write_ced(tmp_path / "few", make_posts(4, seed=9)))
    report = evaluate_outside(str(trained[0]), corpus, tmp_path / "evaluation")
    assert report.baseline.skipped == TOO_FEW_POSTS
    assert not any(math.isnan(getattr(report.test, name)) for name in METRICS)
