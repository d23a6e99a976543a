"""The whole run on the sample: done once, then checked in each test."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from hf_rumor import RumorClassifier
from hf_rumor.cli import main as cli
from hf_rumor.config.parse import parse_arguments, recipe_flags
from hf_rumor.corpus.arrow import load_corpus
from hf_rumor.corpus.parts import split_dataset
from hf_rumor.errors import ModelError
from hf_rumor.evaluation import baseline, measure
from hf_rumor.evaluation.baseline import make_tfidf_svm
from hf_rumor.models.inputs import InputConfig, as_posts
from hf_rumor.models.logits import predict_logits
from hf_rumor.runs.train import run


SAMPLE = Path(__file__).parents[2] / "data" / "sample"
STEPS = ["--max_steps", "6", "--eval_strategy", "steps", "--eval_steps", "3"]
STEPS += ["--save_strategy", "steps", "--save_steps", "3", "--report_to", "none"]


def text_of(post_id):
    """Return the text of a post of the sample."""
    path = SAMPLE / "CED_Dataset" / "original-microblog" / f"{post_id}.json"
    return json.loads(path.read_text(encoding="utf-8"))["text"]


@pytest.fixture(scope="module")
def short(tiny_encoder):
    """Return the flags of a short run of a small encoder, by the recipe of `mini`."""
    return ["mini", "--model_name_or_path", str(tiny_encoder), "--data_path", str(SAMPLE), *STEPS]


@pytest.fixture(scope="module")
def finished(short, tmp_path_factory):
    """Return the folder and the output of one short run; the cache stays for the tests that follow."""
    root = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_RUMOR_CACHE", str(root / "cache"))
        patch.setattr(measure, "NUM_RESAMPLES", 50)
        done = run([*short, "--output_dir", str(root / "out")])
    return done.folder, root / "cache"


@pytest.fixture
def with_cache(finished, monkeypatch):
    """Let runs use the cache of the finished one, and few resamples."""
    monkeypatch.setenv("HF_RUMOR_CACHE", str(finished[1]))
    monkeypatch.setattr(measure, "NUM_RESAMPLES", 2)


@pytest.fixture
def report(finished):
    return json.loads((finished[0] / "report.json").read_text(encoding="utf-8"))


def predictions_in(folder):
    return [json.loads(line) for line in (folder / "predictions.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def predictions(finished):
    return predictions_in(finished[0])


def test_the_folder_has_the_files_of_the_contract(finished):
    names = {path.name for path in finished[0].iterdir() if path.is_file()}
    assert names == {
        *("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"),
        *("report.json", "report.md", "report.html", "predictions.jsonl", "recipe.yaml", "run.json"),
        *("README.md", "mistakes.csv", "seen_posts.npz"),
    }


def test_the_report_has_the_keys_of_the_contract(report):
    keys = {"schema_version", "data", "split", "model", "loss", "train", "validation", "test", "environment"}
    assert keys <= report.keys()
    assert {"path", "sha256", "num_posts"} <= report["data"].keys()
    assert {"name", "seed", "train", "validation", "test"} <= report["split"].keys()
    assert {"runtime_seconds", "posts_per_second", "epochs"} <= report["train"].keys()
    metrics = {*("accuracy", "macro_f1", "rumor_f1", "rumor_precision", "rumor_recall", "roc_auc", "pr_auc", "ece")}
    assert metrics | {"num_posts", "intervals"} <= report["test"].keys()
    assert metrics <= report["test"]["intervals"].keys()
    assert report["split"]["num_leaking_test_posts"] == 0
    assert report["train"]["total_steps"] == 6


def test_every_test_post_has_one_prediction_that_follows_the_threshold(report, predictions):
    assert len({row["id"] for row in predictions}) == len(predictions) == report["test"]["num_posts"]
    for row in predictions:
        assert list(row) == ["id", "label", "predicted", "rumor_probability"]
        assert row["predicted"] == ("rumor" if row["rumor_probability"] >= 0.5 else "non-rumor")
    right = sum(row["predicted"] == row["label"] for row in predictions)
    assert right / len(predictions) == pytest.approx(report["test"]["accuracy"])


def test_mini_found_by_auto_trains_by_its_recipe(with_cache, tmp_path):
    done = run(["--data_path", str(SAMPLE), *STEPS, "--max_steps", "1", "--output_dir", str(tmp_path / "out")])
    assert done.report.model.pooling == "mean"
    assert done.report.auto == {"model_name_or_path": "mini", "precision": done.report.environment.precision}
    assert done.report.train.learning_rate == recipe_flags("mini")["learning_rate"]
    assert done.report.train.learning_rate != parse_arguments([]).training["learning_rate"]


def test_the_loss_of_the_report_is_that_of_the_saved_model(finished, report, predictions):
    model = AutoModelForSequenceClassification.from_pretrained(finished[0])
    tokenizer = AutoTokenizer.from_pretrained(finished[0])
    logits = predict_logits(model, tokenizer, as_posts([text_of(row["id"]) for row in predictions]), InputConfig(256))
    target = torch.tensor([[1.0, 0.0] if row["label"] == "non-rumor" else [0.0, 1.0] for row in predictions])
    assert report["test"]["loss"] == pytest.approx(float(torch.nn.BCEWithLogitsLoss()(logits, target)), abs=1e-6)


@pytest.mark.slow
def test_a_model_trained_in_bf16_is_scored_in_float32(short, with_cache, tmp_path):
    done = run([*short, "--max_steps", "3", "--precision", "bf16", "--output_dir", str(tmp_path / "out")])
    rows = predictions_in(done.folder)
    model = AutoModelForSequenceClassification.from_pretrained(done.folder)
    tokenizer = AutoTokenizer.from_pretrained(done.folder)
    logits = predict_logits(model, tokenizer, as_posts([text_of(row["id"]) for row in rows]), InputConfig(256))
    assert model.dtype == torch.float32
    assert [row["rumor_probability"] for row in rows] == pytest.approx(logits[:, 1].sigmoid().tolist(), abs=1e-6)


@pytest.mark.parametrize(
    "flags",
    [["--lr_scheduler_type", "cosine_with_min_lr"], ["--optim", "adamw_8bit"], ["--report_to", "wandb"]],
)
def test_what_trainer_refuses_is_an_error_before_the_folder_is_claimed(short, with_cache, tmp_path, capsys, flags):
    assert cli.main(["train", *short, "--output_dir", str(tmp_path / "out"), *flags]) == 2
    assert "training: cannot start with these flags" in capsys.readouterr().err
    assert not list((tmp_path / "out").glob("*"))


def test_the_model_folder_knows_its_threshold_and_calibration(finished, report):
    facts = json.loads((finished[0] / "config.json").read_text(encoding="utf-8"))["hf_rumor"]
    assert facts["threshold"] == report["decision"]["threshold"] == report["test"]["threshold"] == 0.5
    assert facts["calibration"] == report["calibration"]["method"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ["--decision", "f1"],
            "--decision f1: not a threshold or a rule. Use a number in (0, 1), max_f1, precision>=0.9",
        ),
        (["--abstain_below", "0.4"], "--abstain_below 0.4: not between 0.5 and 1"),
        (["--adversarial_radius", "-1"], "--adversarial_radius -1.0: must be at least 0"),
    ],
)
def test_a_value_out_of_range_leaves_nothing_behind(short, with_cache, tmp_path, capsys, flags, message):
    assert cli.main(["train", *short, "--output_dir", str(tmp_path / "out"), *flags]) == 2
    assert message in capsys.readouterr().err
    assert not list((tmp_path / "out").glob("*"))


@pytest.mark.slow
def test_nothing_that_is_fitted_saw_a_test_post(short, tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "NUM_RESAMPLES", 50)
    baselines = []
    monkeypatch.setattr(baseline, "make_tfidf_svm", lambda: baselines.append(make_tfidf_svm()) or baselines[-1])
    posts = load_corpus(SAMPLE).posts
    test = set(split_dataset(posts, "random", 0, np.arange(len(posts))).test.tolist())  # a split that reads no text
    folders = []
    for name in ("as_it_is", "noise"):
        rows = [
            {
                "id": post["id"],
                "label": post["label"],
                "text": f"噪声{'#' * (position % 7)}{position}"
                if name == "noise" and position in test
                else post["text"],
            }
            for position, post in enumerate(posts.select_columns(["id", "label", "text"]))
        ]
        path = tmp_path / f"{name}.jsonl"
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        flags = ["--data_path", str(path), "--split", "random", "--decision", "max_f1"]
        folders.append(run([*short, *flags, "--output_dir", str(tmp_path / name / "out")]).folder)
    for file in ("model.safetensors", "tokenizer.json", "config.json"):
        assert (folders[0] / file).read_bytes() == (folders[1] / file).read_bytes()
    reports = [json.loads((folder / "report.json").read_text(encoding="utf-8")) for folder in folders]
    assert reports[0]["test"]["roc_auc"] != reports[1]["test"]["roc_auc"]
    for part, key in (
        *(("calibration", "lines"), ("decision", "threshold"), ("decision", "validation")),
        *(("train", "best_checkpoint"), ("train", "best_metric"), ("train", "history")),
    ):
        assert reports[0][part][key] == reports[1][part][key]
    one, other = baselines
    assert one[0].vocabulary_ == other[0].vocabulary_
    assert np.array_equal(one[1].coef_, other[1].coef_)


STRANGER = """
import json, sys
sys.modules["hf_rumor"] = None
from transformers import AutoModelForSequenceClassification, pipeline
folder, texts = sys.argv[1], json.load(sys.stdin)
assert AutoModelForSequenceClassification.from_pretrained(folder).config.id2label == {0: "non-rumor", 1: "rumor"}
scores = pipeline("text-classification", folder, top_k=None)(texts, truncation=True, batch_size=8)
print(json.dumps([{entry["label"]: entry["score"] for entry in row}["rumor"] for row in scores]))
"""


def test_the_plain_pipeline_gives_the_predicted_probabilities(finished, predictions, tmp_path):
    texts = [text_of(row["id"]) for row in predictions]
    done = subprocess.run(
        [sys.executable, "-c", STRANGER, str(finished[0])],
        input=json.dumps(texts),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == pytest.approx([row["rumor_probability"] for row in predictions], abs=1e-5)


def test_the_recipe_repeats_the_run_bit_for_bit(finished, with_cache, tmp_path):
    again = run([str(finished[0] / "recipe.yaml"), "--output_dir", str(tmp_path / "again")])
    for name in ("model.safetensors", "predictions.jsonl"):
        assert (again.folder / name).read_bytes() == (finished[0] / name).read_bytes()
    assert yaml.safe_load((again.folder / "recipe.yaml").read_text()) == yaml.safe_load(
        (finished[0] / "recipe.yaml").read_text()
    )


def test_another_run_in_the_folder_is_refused_and_leaves_it_unchanged(short, finished, with_cache, capsys):
    before = {path: path.stat().st_mtime_ns for path in finished[0].rglob("*")}
    assert cli.main(["train", *short, "--loss", "ce", "--output_dir", str(finished[0])]) == 2
    assert "loss not set there, ce here" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in finished[0].rglob("*")} == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--model_name_or_path", "./nowhere"], "not a folder with a model"),
        (["--model_name_or_path", "someone/some-model"], "is unreachable"),
        (["--output_dir", str(SAMPLE.parent / "README.md" / "out")], "Not a directory"),
    ],
)
def test_an_error_leaves_nothing_behind(short, with_cache, tmp_path, capsys, words, message):
    assert cli.main(["train", *short, "--output_dir", str(tmp_path / "out"), *words]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


KILLED = """
import os, sys
from transformers import TrainerCallback
from hf_rumor.runs import fit
from hf_rumor.runs.train import run
from hf_rumor.training.callbacks import EpochLines

class Die(EpochLines):
    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step == 5:
            os.kill(os.getpid(), 9)

fit.EpochLines = Die
run(sys.argv[1:])
"""


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_result(short, finished, tmp_path):
    environment = os.environ | {"HF_RUMOR_CACHE": str(finished[1])}
    words = [*short, "--output_dir", str(tmp_path / "out")]
    killed = subprocess.run([sys.executable, "-c", KILLED, *words], env=environment, capture_output=True, check=False)
    assert killed.returncode == -9
    assert not (tmp_path / "out" / "report.json").exists()
    again = subprocess.run(
        [sys.executable, "-m", "hf_rumor", "train", *words],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "resumes the interrupted run at checkpoint-3" in again.stderr
    for name in ("model.safetensors", "predictions.jsonl"):
        assert (tmp_path / "out" / name).read_bytes() == (finished[0] / name).read_bytes()


TRACE = """
import sys
raw = sys.argv[1]
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
from hf_rumor.corpus.arrow import load_corpus
from pathlib import Path
posts = load_corpus(Path(raw)).posts
assert len(posts) == 360 and posts["text"][0]
print(sum(path.startswith(raw) for path in opened))
"""


def test_a_second_run_reads_no_raw_file(finished):
    environment = os.environ | {"HF_RUMOR_CACHE": str(finished[1])}
    command = [sys.executable, "-c", TRACE, str(SAMPLE.resolve())]
    assert subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout == "0\n"


@pytest.mark.slow
def test_two_processes_end_in_one_report(short, tmp_path):
    environment = os.environ | {"HF_RUMOR_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    script = str(SAMPLE.parents[1] / "run_rumor.py")
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone", script]
    done = subprocess.run(
        [*command, *short, "--use_cpu", "--output_dir", str(tmp_path / "out")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=1200,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("accuracy") == 1
    assert json.loads((tmp_path / "out" / "report.json").read_text())["environment"]["num_processes"] == 2


@pytest.mark.slow
def test_a_full_disk_is_one_line_and_the_run_resumes_with_free_space(short, tmp_path):
    command = [sys.executable, "-m", "hf_rumor", "train", *short, "--output_dir", str(tmp_path / "out")]
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))  # noqa: E731
    full = subprocess.run(command, capture_output=True, text=True, preexec_fn=limit)
    assert full.returncode == 2, full.stderr
    assert "Traceback" not in full.stderr
    assert "the disk is full" in full.stderr.splitlines()[-1]
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert not list((tmp_path / "out").glob(".*"))


def test_a_head_without_a_bias_is_reported_as_it_is_saved(save_other, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(measure, "NUM_RESAMPLES", 50)
    flags = ["--model_name_or_path", str(save_other("gpt2")), "--data_path", str(SAMPLE), "--max_steps", "1"]
    flags += ["--eval_strategy", "no"]
    flags += ["--save_strategy", "no", "--load_best_model_at_end", "False", "--early_stopping_patience", "0"]
    flags += ["--max_length", "32", "--precision", "fp32", "--output_dir", str(tmp_path / "out")]
    with pytest.raises(ModelError, match=r"--calibration platt: GPT2For\w+ has a head without a bias"):
        run([*flags, "--calibration", "platt"])
    assert not (tmp_path / "out").exists()
    with caplog.at_level("INFO", logger="hf_rumor"):
        run(flags)
    assert "cannot store it" in caplog.text
    rows = predictions_in(tmp_path / "out")
    scored = RumorClassifier.from_pretrained(tmp_path / "out").probabilities([text_of(row["id"]) for row in rows])
    assert scored == pytest.approx([row["rumor_probability"] for row in rows], abs=1e-5)
