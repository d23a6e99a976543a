import json
import logging
import threading
from types import SimpleNamespace

import pytest
from transformers import TrainerControl, TrainerState

from hf_rumor.hub.background import PushCheckpoints
from hf_rumor.hub.push import Target


@pytest.fixture
def folder(tmp_path, make_report):
    """Return a finished folder with a checkpoint."""
    for where, weights in (("", b"finished"), ("checkpoint-3", b"three"), ("checkpoint-6", b"six")):
        here = tmp_path / "out" / where
        here.mkdir(parents=True, exist_ok=True)
        (here / "config.json").write_text("{}")
        (here / "model.safetensors").write_bytes(weights)
        (here / "optimizer.pt").write_bytes(b"pickle")
        (here / "training_args.bin").write_bytes(b"pickle")
        (here / "trainer_state.json").write_text(json.dumps({"best_model_checkpoint": "/home/someone/checkpoint-3"}))
    (tmp_path / "out" / "README.md").write_text("card")
    return tmp_path / "out"


@pytest.fixture
def save(folder):
    def save(pusher, step):
        state = TrainerState(global_step=step, is_world_process_zero=True)
        pusher.on_save(SimpleNamespace(output_dir=str(folder)), state, TrainerControl())

    return save


def pusher_of(strategy, **flags):
    return PushCheckpoints(Target("tester/model"), strategy, "mit", **flags)


def wait(pusher):
    pusher._last.join(300)
    assert not pusher.is_pushing()


INNER = {"config.json", "model.safetensors", "trainer_state.json"}


@pytest.mark.parametrize(
    ("strategy", "inner"),
    [
        ("every_save", set()),
        ("checkpoint", {f"last-checkpoint/{name}" for name in INNER}),
        ("all_checkpoints", {f"checkpoint-{step}/{name}" for name in INNER for step in (3, 6)}),
    ],
)
def test_each_strategy_pushes_its_files_and_no_pickle(hub, folder, save, make_report, strategy, inner):
    pusher = pusher_of(strategy)
    for step in (3, 6):
        save(pusher, step)
        wait(pusher)
    files = hub.files("tester/model")
    assert files.keys() == {"config.json", "model.safetensors", "README.md"} | inner
    assert files["model.safetensors"] == b"six"
    assert b"Unfinished: checkpoint at step 6" in files["README.md"]
    assert pusher.finish(folder, make_report())
    files = hub.files("tester/model")
    assert files["model.safetensors"] == b"finished"
    assert files["README.md"] == b"card"
    assert {"report.json", "recipe.yaml"} <= files.keys()
    assert b"someone" not in hub.everything()
    assert hub.messages == ["Checkpoint at step 3", "Checkpoint at step 6", "Model after training"]


def test_strategy_end_pushes_no_checkpoint(hub, folder, save, make_report):
    pusher = pusher_of("end")
    save(pusher, 3)
    assert hub.received == []
    assert pusher.finish(folder, make_report())
    assert hub.messages == ["Model after training"]


def test_only_the_first_process_pushes(hub, folder):
    pusher = pusher_of("every_save")
    state = TrainerState(global_step=3, is_world_process_zero=False)
    pusher.on_save(SimpleNamespace(output_dir=str(folder)), state, TrainerControl())
    assert not pusher.is_pushing()


@pytest.mark.parametrize("failure", [401, 403, 404, 409, 429, 503, "cut"])
def test_a_failed_push_is_a_warning_and_the_next_push_succeeds(hub, folder, save, make_report, caplog, failure):
    hub.failures = [failure] * 2
    pusher = pusher_of("every_save")
    save(pusher, 3)
    wait(pusher)
    hub.failures = []
    save(pusher, 6)
    wait(pusher)
    assert hub.files("tester/model")["model.safetensors"] == b"six"


@pytest.mark.parametrize(
    ("target", "flags"),
    [(Target("tester/model"), ""), (Target("tester/model", private=True, revision="v2"), " --revision v2 --private")],
)
def test_after_a_failed_final_push_the_command_to_push_later_is_logged(
    hub, folder, make_report, caplog, target, flags
):
    hub.failures = [403] * 9
    assert not PushCheckpoints(target, "end", "mit").finish(folder, make_report())
    assert caplog.text.endswith(f"To push it later: hf-rumor push {folder} tester/model{flags}\n")
    assert (folder / "model.safetensors").read_bytes() == b"finished"


def test_a_slow_hub_delays_no_step_and_a_removed_checkpoint_stays_readable(hub, folder, save, make_report, caplog):
    hub.failures = ["hold"]
    pusher = pusher_of("every_save")
    with caplog.at_level(logging.INFO):
        save(pusher, 3)
        (folder / "checkpoint-3" / "model.safetensors").unlink()
        save(pusher, 6)
    assert "checkpoint-6 skipped" in caplog.text
    hub.released.set()
    wait(pusher)
    assert hub.files("tester/model")["model.safetensors"] == b"three"


def test_always_queues_pushes(hub, folder, save):
    pusher = pusher_of("every_save", always=True)
    save(pusher, 3)
    save(pusher, 6)
    wait(pusher)
    assert hub.messages == ["Checkpoint at step 3", "Checkpoint at step 6"]


def test_an_unreadable_checkpoint_is_skipped(hub, folder, save, caplog):
    (folder / "checkpoint-3" / "model.safetensors").unlink()
    save(pusher_of("every_save"), 3)
    assert "checkpoint-3 skipped" in caplog.text
    assert hub.received == []


def test_the_final_push_replaces_queued_checkpoints(hub, folder, save, make_report):
    report = make_report()
    hub.failures = ["hold"]
    pusher = pusher_of("every_save", always=True)
    save(pusher, 3)
    save(pusher, 6)
    threading.Timer(0.5, hub.released.set).start()
    assert pusher.finish(folder, report)
    assert hub.messages == ["Checkpoint at step 3", "Model after training"]
