"""Several processes, started as a user starts them: the weights are those of one process."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file


CHECKOUT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
# Without randomness: only the gradients are computed in other halves.
FLAGS = ["--optim", "sgd", "--learning_rate", "0.1", "--max_steps", "4"]
FLAGS += ["--config_overrides", '{"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}']
FLAGS += ["--report_to", "none", "--precision", "fp32", "--calibration", "none", "--seed", "3"]
FLAGS += ["--save_strategy", "steps", "--save_steps", "2", "--eval_strategy", "steps", "--eval_steps", "2"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data(tmp_path_factory, make_posts, write_ced, tiny_encoder):
    """Return a folder with a corpus and an encoder."""
    root = tmp_path_factory.mktemp("launch")
    (root / "encoder").symlink_to(tiny_encoder)
    write_ced(root / "posts", make_posts(120))
    return root


def command(launcher, data, name, batch):
    script = [str(CHECKOUT / "run_rumor.py"), "mini", "--data_path", str(data / "posts"), *FLAGS]
    script += ["--model_name_or_path", str(data / "encoder")]
    return [*launcher, *script, "--per_device_train_batch_size", str(batch), "--output_dir", str(data / name)]


def launch(launcher, data, name, batch):
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_RUMOR_CACHE": str(data / "cache")}
    words = command(launcher, data, name, batch)
    done = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=1200)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def alone(data):
    launch([sys.executable], data, "alone", 16)
    return load_file(data / "alone" / "model.safetensors")


@pytest.mark.parametrize("kind", ["torchrun", "accelerate"])
def test_two_processes_give_the_weights_of_one_and_log_once(data, alone, kind):
    launcher, *flags = {
        "torchrun": ["torchrun", "--nproc-per-node", "2", "--standalone"],
        "accelerate": ["accelerate", "launch", "--multi_gpu", "--num_processes", "2", "--main_process_port", "0"],
    }[kind]
    done = launch([str(BIN / launcher), *flags], data, kind, 8)
    assert done.stdout.count("accuracy") == 1
    assert done.stderr.count("corpus: ") <= 4  # each finding is logged once
    assert done.stderr.count("starts\n") == 1
    report = json.loads((data / kind / "report.json").read_text(encoding="utf-8"))
    assert report["environment"]["num_processes"] == 2
    weights = load_file(data / kind / "model.safetensors")
    for name, weight in alone.items():
        torch.testing.assert_close(weights[name], weight, rtol=0, atol=1e-5)
    lines = [(data / name / "predictions.jsonl").read_text(encoding="utf-8").splitlines() for name in ("alone", kind)]
    assert [json.loads(line)["id"] for line in lines[0]] == [json.loads(line)["id"] for line in lines[1]]


def test_a_process_that_dies_ends_the_others(data):
    launcher = [str(BIN / "torchrun"), "--nproc-per-node", "2", "--standalone"]
    words = [*command(launcher, data, "dies", 8), "--max_steps", "4000"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_RUMOR_CACHE": str(data / "cache")}
    run = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    while not any((data / "dies").glob("checkpoint-*/trainer_state.json")):
        assert run.poll() is None, run.stderr.read()
        time.sleep(0.1)
    children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
    os.kill(int(children[-1]), signal.SIGKILL)
    try:
        _, errors = run.communicate(timeout=600)
    finally:
        run.kill()
    assert run.returncode != 0
    assert "SIGKILL" in errors or "-9" in errors
    assert not [child for child in children if Path(f"/proc/{child}").exists()]


BAD_LOSS = """
import os
from torch.nn.functional import cross_entropy

def loss(logits, target):
    if os.environ["RANK"] == "1":
        raise ValueError("the second process fails")
    return cross_entropy(logits, target)
"""


def test_an_error_of_another_process_is_printed_with_its_rank_and_ends_all(data):
    (data / "bad_loss.py").write_text(BAD_LOSS)
    launcher = [str(BIN / "torchrun"), "--nproc-per-node", "2", "--standalone"]
    words = [*command(launcher, data, "fails", 8), "--loss", "bad_loss:loss"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_RUMOR_CACHE": str(data / "cache")}
    started = time.monotonic()
    done = subprocess.run(words, capture_output=True, text=True, env=environment, cwd=data, timeout=600)
    assert done.returncode != 0
    assert "hf-rumor: error: process 1: --loss bad_loss:loss: fails on" in done.stderr
    assert "the second process fails" in done.stderr
    assert time.monotonic() - started < 300
    assert not (data / "fails" / "run.json").exists()
