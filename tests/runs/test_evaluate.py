import json
import math
import shutil
from dataclasses import replace

import pytest

from hf_rumor import RumorClassifier
from hf_rumor.api import train
from hf_rumor.cli import main as cli
from hf_rumor.corpus.arrow import load_corpus
from hf_rumor.corpus.seen import find_seen, read_seen
from hf_rumor.errors import ModelError, OutputError
from hf_rumor.evaluation import measure
from hf_rumor.evaluation.baseline import TOO_FEW_POSTS, Baselines
from hf_rumor.evaluation.metrics import METRICS
from hf_rumor.report.record import read_report, to_json
from hf_rumor.report.words import headline
from hf_rumor.reposts.model import save_reposts
from hf_rumor.runs.evaluate import evaluate_outside


def predictions_in(folder):
    return [json.loads(line) for line in (folder / "predictions.jsonl").read_text("utf-8").splitlines()]


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
    assert "on 50 posts of `another`. Compared with the baseline, TF-IDF" in capsys.readouterr().out
    old, new = (json.loads((path / "report.json").read_text("utf-8")) for path in (folder, output))
    for part in ("model", "loss", "train", "validation", "recipe"):
        assert new[part] == old[part]
    assert (new["split"]["name"], new["split"]["num_leaking_test_posts"], new["test"]["num_posts"]) == (
        "outside",
        None,
        50,
    )
    assert new["test"]["threshold"] == old["decision"]["threshold"]
    rows = predictions_in(output)
    posts = load_corpus(another).posts
    expected = RumorClassifier.from_pretrained(folder).predict(posts["text"][:])
    assert [row["id"] for row in rows] == posts["id"][:]
    assert [row["predicted"] for row in rows] == [prediction.predicted for prediction in expected]
    assert new["split"]["num_seen_test_posts"] == 0
    assert new["unseen"] is None
    for name in ("report.md", "report.html"):
        page = (output / name).read_text("utf-8")
        assert "0 of 50 posts (0.0%) are training" in page
        assert "unseen" not in page
        assert "5-fold cross-validation" in page
        assert "hf-rumor evaluate MODEL" in page
    assert not (output / "model.safetensors").exists()


def test_posts_that_the_model_has_seen_are_counted_and_the_others_measured_apart(
    trained, make_posts, write_ced, tmp_path, monkeypatch
):
    monkeypatch.setattr("hf_rumor.evaluation.measure.NUM_RESAMPLES", 20)
    folder, corpus = trained
    mixed = write_ced(tmp_path / "mixed", [*make_posts(60)[:20], *make_posts(90, seed=9)[60:]])
    report = evaluate_outside(str(folder), load_corpus(mixed), tmp_path / "evaluation")
    assert report.split.num_seen_test_posts <= 20  # some were test posts
    assert report.split.num_seen_test_posts + report.unseen.num_posts == report.test.num_posts == 50
    assert f"on {report.unseen.num_posts} posts of `mixed` that the model has not seen" in headline(report)
    assert "unseen posts [95% CI]" in (tmp_path / "evaluation" / "report.md").read_text("utf-8")
    whole = evaluate_outside(str(folder), load_corpus(corpus), tmp_path / "whole")
    test = json.loads((folder / "report.json").read_text("utf-8"))["split"]["test"]
    assert (whole.unseen.num_posts, whole.split.num_seen_test_posts) == (test, 60 - test)


def test_a_corpus_that_was_seen_entirely_is_refused(trained, tmp_path):
    folder, corpus = trained
    tested = {row["id"] for row in predictions_in(folder)}
    posts = load_corpus(corpus).posts.filter(lambda post: post["id"] not in tested)
    with pytest.raises(ModelError, match=f"the model has seen all {len(posts)} posts"):
        evaluate_outside(str(folder), load_corpus(posts), tmp_path / "evaluation")
    assert not (tmp_path / "evaluation").exists()


def test_without_seen_posts_the_training_corpus_is_refused_in_any_file(trained, tmp_path):
    folder, corpus = trained
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "seen_posts.npz").unlink()
    rows = [json.dumps({"text": post["text"], "label": post["label"]}) for post in load_corpus(corpus).posts]
    (tmp_path / "same.jsonl").write_text("\n".join(reversed(rows)), encoding="utf-8")
    for path in (corpus, tmp_path / "same.jsonl"):
        with pytest.raises(ModelError, match="the model was trained on this corpus"):
            evaluate_outside(str(copy), load_corpus(path), tmp_path / "evaluation")


def test_training_further_drops_test_posts_that_were_seen_and_remembers_both_runs(trained, make_posts, tmp_path):
    folder, _ = trained
    new = [replace(post, post_id=f"new {number}") for number, post in enumerate(make_posts(200, seed=9)[60:])]
    more = load_corpus([*make_posts(60), *new])
    flags = {"max_steps": 1, "use_cpu": True, "report_to": "none", "split_seed": 5}
    finished = train(more, output_dir=tmp_path / "further", model_name_or_path=str(folder), **flags)
    split, before = finished.report.split, read_seen(folder)
    assert split.num_seen_test_posts > 0
    assert split.train + split.validation + split.test + split.num_seen_test_posts == len(more.posts)
    after = read_seen(finished.folder)
    assert set(before.digests.tolist()) < set(after.digests.tolist())
    tested = {row["id"] for row in predictions_in(finished.folder)}
    texts = more.posts.filter(lambda post: post["id"] in tested)["text"][:]
    assert not find_seen(texts, before).any()
    assert not find_seen(texts, after).any()


def test_the_report_of_the_model_is_not_overwritten(trained, another):
    before = (trained[0] / "report.json").read_bytes()
    with pytest.raises(OutputError, match="contains a model; its report would be lost"):
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
        assert "n/a" in page


def test_on_few_posts_of_both_labels_every_metric_is_reported(trained, make_posts, write_ced, tmp_path):
    corpus = load_corpus(write_ced(tmp_path / "few", make_posts(4, seed=9)))
    report = evaluate_outside(str(trained[0]), corpus, tmp_path / "evaluation")
    assert report.baseline.skipped == TOO_FEW_POSTS
    assert not any(math.isnan(getattr(report.test, name)) for name in METRICS)


def test_reposts_are_measured_on_posts_that_the_model_has_not_seen(
    trained, another, reading_classifier, early, tmp_path, monkeypatch
):
    monkeypatch.setattr("hf_rumor.evaluation.measure.NUM_RESAMPLES", 20)
    folder, corpus = shutil.copytree(trained[0], tmp_path / "model"), load_corpus(another)
    assert evaluate_outside(str(folder), corpus, tmp_path / "without").early is None
    save_reposts(reading_classifier.reposts, folder)
    report = replace(read_report(folder / "report.json"), early=early)
    (folder / "report.json").write_text(to_json(report), encoding="utf-8")
    measured = evaluate_outside(str(folder), corpus, tmp_path / "with").early
    assert [row.deadline for row in measured.deadlines] == ["0", "10min", "1h", "6h", "24h", "all"]
    assert measured.deadlines[0].share_with_reposts == 0 < measured.deadlines[-1].share_with_reposts
    assert measured.deadlines[-1].svm is None
    assert measured.calls.confidence == early.calls.confidence


def test_the_share_of_rumors_can_be_estimated_and_is_reported(trained, another, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("hf_rumor.evaluation.measure.NUM_RESAMPLES", 20)
    folder, posts = trained[0], load_corpus(another).posts["text"][:]
    classifier = RumorClassifier.from_pretrained(folder)
    expected = classifier.with_prior(classifier.estimate_prior(posts))
    command = ["evaluate", str(folder), "--data_path", str(another), "--output_dir", str(tmp_path / "evaluation")]
    assert cli.main([*command, "--prior", "auto"]) == 0
    assert "adjusted to an estimated share of rumors of" in capsys.readouterr().out
    assert read_report(tmp_path / "evaluation" / "report.json").prior == expected.prior
    scores = {row["id"]: row["rumor_probability"] for row in predictions_in(tmp_path / "evaluation")}
    assert list(scores.values()) == pytest.approx(expected.probabilities(posts))

    (tmp_path / "posts.txt").write_text("\n".join(posts), encoding="utf-8")
    assert cli.main(["predict", str(folder), str(tmp_path / "posts.txt"), "--prior", "0.1"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["prior"] for line in lines} == {0.1}
    assert [line["rumor_probability"] for line in lines] == pytest.approx(
        classifier.with_prior(0.1).probabilities(posts)
    )
    assert cli.main(["predict", str(folder), str(tmp_path / "posts.txt"), "--prior", "auto"]) == 0
    assert {json.loads(line)["prior"] for line in capsys.readouterr().out.splitlines()} == {
        round(expected.prior.share, 4)
    }
