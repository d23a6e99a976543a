"""The reposts of a run; how good the model is, is measured on a real corpus."""

from dataclasses import replace

import numpy as np
import pytest
from datasets import Dataset

from hf_rumor.cli import main as cli
from hf_rumor.corpus.arrow import load_corpus
from hf_rumor.corpus.observed import ALL
from hf_rumor.corpus.parts import split_corpus
from hf_rumor.corpus.post import Post, Repost
from hf_rumor.errors import ArgumentError, RunError
from hf_rumor.evaluation.metrics import Scored
from hf_rumor.report.record import read_report
from hf_rumor.reposts import attention
from hf_rumor.reposts.model import load_reposts
from hf_rumor.runs import reposts as module
from hf_rumor.runs.reposts import moments_until, read_and_measure, read_corpus_reposts, save_reading


START = 1372480809


@pytest.fixture(scope="module")
def data():
    """Return a corpus whose rumors are denied within the first hour, and whose texts say nothing."""
    posts = [
        Post(
            text=f"第{number}条消息{'甲乙丙丁戊'[number % 5]}{number * 7919}",
            post_id=str(number),
            is_rumor=bool(number % 2),
            posted_at=START + number * 3600,
            reposts=(
                Repost(f"{number}-1", "转发微博", START + number * 3600 + 10),
                Repost(f"{number}-2", ("真好看", "这是谣言")[number % 2], START + number * 3600 + 1800),
                Repost(f"{number}-3", "路过//@甲:真的", START + number * 3600 + 90_000),
            ),
        )
        for number in range(200)
    ]
    return split_corpus(load_corpus(posts))


@pytest.fixture(scope="module")
def reading(data):
    """Return what a run learns from the reposts of the first day."""
    scored = {
        name: Scored(part["id"][:], np.array(part["label"][:]), np.full(len(part), 0.4), 0.7)
        for name, part in data.dataset.items()
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attention, "EPOCHS", 2)
        return read_and_measure(read_corpus_reposts(data, "24h"), data, scored, 0.5, seed=0)


def test_the_scores_are_those_at_each_deadline(reading):
    early = reading.early
    rows = {row.deadline: row for row in early.deadlines}
    assert list(rows) == ["0", "10min", "1h", "6h", "24h"]
    assert [row.share_with_reposts for row in rows.values()] == [0, 0, 1, 1, 1]
    assert [row.model.accuracy for row in rows.values()][2:] == [1, 1, 1]
    assert rows["10min"].model == rows["0"].model
    assert rows["1h"].svm.accuracy == rows["1h"].reposts_only.accuracy == 1
    assert rows["1h"].without_denials.accuracy < 1
    assert rows["0"].reposts_only is None


def test_reposts_are_counted(reading):
    counts = (reading.early.num_visible, reading.early.num_bare, reading.early.num_chains)
    assert counts == (600, 200, 200)


def test_posts_are_called_when_their_reposts_are_visible(reading):
    calls = reading.early.calls
    assert (calls.error, calls.share_called, calls.median_minutes) == (0, 1, 40)


def test_moments_end_with_the_deadline():
    assert moments_until(600) == (0, 120, 300, 600)
    assert moments_until(ALL)[-2:] == (86_400, ALL)


def test_a_saved_model_is_compared_with_the_one_measured(reading, tmp_path, monkeypatch):
    save_reading(tmp_path, reading)
    assert load_reposts(tmp_path).deadline == 86_400
    monkeypatch.setattr(module, "load_reposts", lambda folder: None)
    with pytest.raises(RunError, match="does not reproduce the probabilities"):
        save_reading(tmp_path, reading)


def test_a_corpus_without_dated_reposts_is_an_error():
    texts = Dataset.from_dict({"text": [f"第{n}条{n * 7919}" for n in range(80)], "label": [0, 1] * 40})
    with pytest.raises(ArgumentError, match="--reposts 1h: in-memory has training posts of one label at most"):
        read_corpus_reposts(split_corpus(load_corpus(texts)), "1h")


def test_a_run_with_reposts_has_the_same_model_of_the_text(make_posts, write_ced, tiny_encoder, tmp_path, monkeypatch):
    monkeypatch.setattr(attention, "EPOCHS", 1)
    monkeypatch.setattr("hf_rumor.evaluation.measure.NUM_RESAMPLES", 20)
    corpus = write_ced(tmp_path / "ced", make_posts(60))
    flags = ["--data_path", str(corpus), "--model_name_or_path", str(tiny_encoder), "--max_steps", "2", "--use_cpu"]
    for name, more in (("without", []), ("with", ["--reposts", "24h"])):
        assert cli.main(["train", *flags, "--report_to", "none", *more, "--output_dir", str(tmp_path / name)]) == 0
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("without", "with")]
    assert weights[0] == weights[1]
    reports = [read_report(tmp_path / name / "report.json") for name in ("without", "with")]
    assert replace(reports[1].test, loss=0) == replace(reports[0].test, loss=0)
    assert (reports[0].early, reports[1].early.deadline) == (None, "24h")
    assert (tmp_path / "with" / "reposts" / "model.safetensors").exists()
    assert not (tmp_path / "without" / "reposts").exists()
    assert "## Early detection" in (tmp_path / "with" / "README.md").read_text(encoding="utf-8")
