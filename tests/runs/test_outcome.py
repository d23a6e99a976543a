import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from hf_rumor.config.flags import RunArguments
from hf_rumor.corpus.arrow import load_corpus, posts_of
from hf_rumor.corpus.near_duplicates import find_near_duplicates
from hf_rumor.corpus.parts import SplitCorpus, split_dataset
from hf_rumor.evaluation.calibration import Platt
from hf_rumor.models.encoders import load_encoder
from hf_rumor.models.inputs import InputConfig
from hf_rumor.runs import outcome
from hf_rumor.runs.outcome import data_facts, traits_of
from hf_rumor.training.losses import make_loss
from hf_rumor.training.scoring import score_together


LINES = (Platt(0.5, 0.25), Platt(1.75, -0.5))


@pytest.fixture
def data(tmp_path, write_ced, corpus_posts, monkeypatch):
    monkeypatch.setattr(outcome, "FEWEST_TO_CALIBRATE", 1)  # it is a small corpus
    corpus = load_corpus(write_ced(tmp_path / "corpus", corpus_posts))
    groups = find_near_duplicates(corpus.posts["text"][:]).groups
    split = split_dataset(corpus.posts, "random", 0, groups)
    return SplitCorpus(corpus, groups, split, leaking=[])


@pytest.fixture
def trainer(data):
    """Return what of a trainer is needed once it has trained; the model has read nothing."""
    torch.manual_seed(0)
    model, tokenizer = load_encoder("mini", "sigmoid", 64)
    return SimpleNamespace(
        plain_model=lambda: model,
        processing_class=tokenizer,
        loss=make_loss("bce"),
        args=SimpleNamespace(device=torch.device("cpu"), process_index=0, world_size=1),
    )


def logits_of(trainer, posts):
    return score_together(trainer, posts_of(posts[:]), InputConfig(64))


def conclude(trainer, data, flags):
    raw = {part: logits_of(trainer, data.dataset[part]) for part in ("validation", "test")}
    return outcome.conclude(trainer, data, flags, raw)


def test_the_report_has_the_probabilities_of_the_calibrated_model(data, trainer, monkeypatch):
    monkeypatch.setattr(outcome, "fit_lines", lambda *given: LINES)
    concluded = conclude(trainer, data, RunArguments(max_length=64))
    assert concluded.calibration.lines["rumor"] == Platt(1.75, -0.5)
    assert concluded.share_unknown_tokens < 0.05
    for part in ("validation", "test"):
        saved = logits_of(trainer, data.dataset[part])[:, 1].sigmoid()
        assert concluded.scored[part].probabilities == pytest.approx(saved.tolist(), abs=1e-6)
    before, after = concluded.calibration.before, concluded.calibration.after
    assert before.roc_auc == pytest.approx(after.roc_auc, abs=1e-12)


@pytest.mark.parametrize(("method", "lines"), [("none", LINES), ("platt", None)])
def test_without_calibration_the_model_stays_as_it_is(data, trainer, monkeypatch, method, lines):
    monkeypatch.setattr(outcome, "fit_lines", lambda *given: lines)
    before = logits_of(trainer, data.dataset["test"])
    concluded = conclude(trainer, data, RunArguments(max_length=64, calibration=method))
    assert torch.equal(logits_of(trainer, data.dataset["test"]), before)
    assert concluded.calibration.method == "none"


def test_with_few_posts_of_a_label_calibration_is_skipped_and_logged(data, trainer, monkeypatch, caplog):
    monkeypatch.setattr(outcome, "FEWEST_TO_CALIBRATE", 9)
    with caplog.at_level("INFO", logger="hf_rumor"):
        assert conclude(trainer, data, RunArguments(max_length=64)).calibration.method == "none"
    assert "skipped; only 2 validation posts have the rarer label" in caplog.text


def test_a_head_that_cannot_store_a_calibration_stays_uncalibrated(data, trainer, caplog):
    head = trainer.plain_model().classifier
    trainer.plain_model().classifier = torch.nn.Linear(head.in_features, 2, bias=False)
    before = logits_of(trainer, data.dataset["test"])
    with caplog.at_level("INFO", logger="hf_rumor"):
        assert conclude(trainer, data, RunArguments(max_length=64)).calibration.method == "none"
    assert "calibration: skipped; the head of BertForSequenceClassification cannot store it" in caplog.text
    assert torch.equal(logits_of(trainer, data.dataset["test"]), before)


def test_calibration_and_threshold_are_fitted_on_validation_posts(data, trainer, monkeypatch):
    arguments = {}

    def spy_on(name):
        real = getattr(outcome, name)
        monkeypatch.setattr(outcome, name, lambda *given: arguments.update({name: given}) or real(*given))

    spy_on("fit_lines")
    spy_on("choose_threshold")
    conclude(trainer, data, RunArguments(max_length=64, decision="max_f1"))
    labels = data.dataset["validation"]["label"][:]
    assert arguments["fit_lines"][0].tolist() == arguments["choose_threshold"][1].tolist() == labels
    assert len(arguments["fit_lines"][1]) == len(arguments["choose_threshold"][2]) == len(labels)


def test_traits_are_those_of_the_test_posts_in_order(data):
    posts = {row["id"]: row for row in data.corpus.posts}
    traits = traits_of(data.corpus.posts.select(data.split.test))
    test = [posts[post_id] for post_id in data.dataset["test"]["id"][:]]
    assert traits.num_characters == [len(post["text"]) for post in test]
    assert traits.posted_at == [post["posted_at"] for post in test]
    assert traits.num_reposts == [post["num_reposts"] for post in test]


def test_a_copy_of_the_sample_is_known_to_be_synthetic_and_other_posts_are_not(data, tmp_path):
    sample = shutil.copytree(Path(__file__).parents[2] / "data" / "sample", tmp_path / "copy")
    assert data_facts(load_corpus(sample)).is_synthetic
    assert data_facts(load_corpus(sample / "CED_Dataset")).is_synthetic
    [source] = data.corpus.sources
    corpus = replace(data.corpus, sources=(replace(source, path=Path("data/sample")),))
    assert not data_facts(corpus).is_synthetic
