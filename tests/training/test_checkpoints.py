import json

import pytest
import torch
from safetensors.torch import save_file

from hf_rumor.errors import ArgumentError
from hf_rumor.training.callbacks import StepFacts, facts_of_steps
from hf_rumor.training.checkpoints import check_steps, find_damage, newest_checkpoint, remove_leftovers


def write_checkpoint(folder, step):
    checkpoint = folder / f"checkpoint-{step}"
    checkpoint.mkdir(parents=True)
    save_file({"weight": torch.ones(100)}, checkpoint / "model.safetensors")
    torch.save({"state": torch.ones(100)}, checkpoint / "optimizer.pt")
    torch.save({}, checkpoint / "scheduler.pt")
    (checkpoint / "trainer_state.json").write_text('{"log_history": []}')
    return checkpoint


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.pt", "trainer_state.json"])
@pytest.mark.parametrize("how", ["truncated", "emptied", "overwritten"])
def test_a_corrupt_checkpoint_is_logged_and_the_previous_one_is_used(tmp_path, caplog, name, how):
    for step in (5, 10):
        write_checkpoint(tmp_path, step)
    path = tmp_path / "checkpoint-10" / name
    content = path.read_bytes()
    path.write_bytes({"truncated": content[:-9], "emptied": b"", "overwritten": b"?" * len(content)}[how])
    assert find_damage(tmp_path / "checkpoint-5") is None
    assert newest_checkpoint(tmp_path) == tmp_path / "checkpoint-5"
    assert "checkpoint-10 is corrupt" in caplog.text
    assert "going back to checkpoint-5" in caplog.text


@pytest.mark.parametrize("name", ["optimizer.pt", "scheduler.pt"])
def test_a_checkpoint_of_the_model_alone_is_skipped(tmp_path, caplog, name):
    (write_checkpoint(tmp_path, 5) / name).unlink()  # --save_only_model: the schedule would restart
    assert newest_checkpoint(tmp_path) is None
    assert f"{name} is missing" in caplog.text


def test_if_every_checkpoint_is_corrupt_there_is_none(tmp_path, caplog):
    (write_checkpoint(tmp_path, 5) / "model.safetensors").write_bytes(b"")
    assert newest_checkpoint(tmp_path) is None
    assert "going back to the start" in caplog.text


def test_leftovers_of_a_killed_run_are_removed_and_nothing_else(tmp_path):
    write_checkpoint(tmp_path, 5)
    (write_checkpoint(tmp_path, 7) / "trainer_state.json").unlink()
    (tmp_path / ".model.abc").mkdir()
    (tmp_path / "runs").mkdir()
    remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-5", "runs"]


@pytest.mark.parametrize(
    "change",
    [
        {"per_device_train_batch_size": 5},
        {"gradient_accumulation_steps": 2},
        {"dataloader_drop_last": True},
        {"train_sampling_strategy": "random"},
        {"data_seed": 7},
        {"seed": 7},
    ],
)
def test_a_checkpoint_resumes_with_the_same_steps_only(make_trainer, tmp_path, change):
    settings = {"per_device_train_batch_size": 4, "max_steps": 1, "save_strategy": "steps", "save_steps": 1}
    trainer = make_trainer(**settings)
    facts = facts_of_steps(trainer.args, posts="10 (abc)", is_streaming=False)
    trainer.add_callback(StepFacts(facts))
    trainer.train()
    checkpoint = tmp_path / "out" / "checkpoint-1"
    check_steps(checkpoint, facts)
    other = make_trainer(**(settings | change)).args
    for wrong in (
        facts_of_steps(other, posts="10 (abc)", is_streaming=False),
        facts_of_steps(trainer.args, posts="10 (def)", is_streaming=False),
        facts_of_steps(trainer.args, posts="10 (abc)", is_streaming=True),
        facts | {"processes": 2},
    ):
        with pytest.raises(ArgumentError, match="its steps differ from those of this run"):
            check_steps(checkpoint, wrong)


def test_a_resumed_run_saves_the_facts_too(make_trainer, tmp_path):
    settings = {"max_steps": 2, "save_strategy": "steps", "save_steps": 1}
    settings["restore_callback_states_from_checkpoint"] = True
    for checkpoint in (None, str(tmp_path / "out" / "checkpoint-1")):
        trainer = make_trainer(**settings)
        trainer.add_callback(StepFacts({"processes": 1}))
        trainer.train(resume_from_checkpoint=checkpoint)
    state = json.loads((tmp_path / "out" / "checkpoint-2" / "trainer_state.json").read_text(encoding="utf-8"))
    assert state["stateful_callbacks"]["StepFacts"]["attributes"]["facts"] == {"processes": 1}


def test_a_checkpoint_of_another_tool_is_refused(tmp_path):
    checkpoint = write_checkpoint(tmp_path, 5)
    (checkpoint / "trainer_state.json").write_text(json.dumps({"train_batch_size": 16}))
    with pytest.raises(ArgumentError, match="processes unknown there, 1 here"):
        check_steps(checkpoint, {"processes": 1})
