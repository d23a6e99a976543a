import errno
import json
import subprocess
import sys

import pytest
import torch

from hf_rumor.errors import ArgumentError, OutputError
from hf_rumor.training.run_folder import Identity, claim_folder, full_disk_explained, locked, write_run


RECIPE = {"learning_rate": 5e-5, "split": "grouped"}
SHA = "0123456789abcdef"
RUN = Identity(RECIPE, SHA)
OTHER = Identity({"loss": "ce"}, SHA)
STEPS = {"processes": 1}


def claim(folder, run=RUN, resume_from="auto"):
    return claim_folder(folder, run, resume_from, STEPS)


def add_checkpoint(folder, step, *, complete=True, facts=STEPS, **state):
    checkpoint = folder / f"checkpoint-{step}"
    checkpoint.mkdir()
    if complete:
        for name in ("optimizer.pt", "scheduler.pt"):
            torch.save({}, checkpoint / name)
        callbacks = {"StepFacts": {"args": {}, "attributes": {"facts": facts}}}
        (checkpoint / "trainer_state.json").write_text(json.dumps({"stateful_callbacks": callbacks, **state}))
    return checkpoint


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "out"


def test_a_new_folder_is_created_and_claimed(folder):
    assert claim(folder) is None
    run = {"recipe": RECIPE, "data_sha256": SHA, "finished": False}
    assert json.loads((folder / "run.json").read_text()) == run


def test_an_interrupted_run_resumes_at_its_newest_complete_checkpoint(folder, caplog):
    claim(folder)
    add_checkpoint(folder, 9)
    newest = add_checkpoint(folder, 10)
    add_checkpoint(folder, 11, complete=False)
    with caplog.at_level("INFO", logger="hf_rumor"):
        assert claim(folder) == newest
    assert "resumes the interrupted run at checkpoint-10" in caplog.text
    assert claim(folder) == newest  # in a second process


def test_a_finished_run_starts_again(folder):
    claim(folder)
    checkpoint = add_checkpoint(folder, 3)
    write_run(folder, RUN, finished=True)
    assert claim(folder) is None
    assert not checkpoint.exists()


@pytest.mark.parametrize(
    ("recipe", "sha256", "message"),
    [
        (RECIPE | {"learning_rate": 1e-4}, SHA, "learning_rate 5e-05 there, 0.0001 here"),
        (RECIPE | {"loss": "ce"}, SHA, "loss not set there, ce here"),
        (RECIPE, "f" * 16, "content of the corpus 0123456789ab there, ffffffffffff here"),
    ],
)
def test_another_run_is_refused_with_the_difference_and_leaves_the_folder_unchanged(folder, recipe, sha256, message):
    claim(folder)
    add_checkpoint(folder, 3)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(OutputError) as caught:
        claim(folder, Identity(recipe, sha256))
    assert message in str(caught.value)
    assert "another --output_dir" in str(caught.value)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_results_of_another_run_are_kept_even_if_it_was_restarted_and_killed(folder):
    claim(folder)
    (folder / "report.json").write_text("{}")
    write_run(folder, RUN, finished=True)
    claim(folder)  # restarted; killed before its first checkpoint
    with pytest.raises(OutputError, match="contains another run"):
        claim(folder, OTHER)


def test_a_checkpoint_with_another_name_is_ignored(folder):
    claim(folder)
    add_checkpoint(folder, "best")
    assert claim(folder) is None


def test_a_claim_without_results_does_not_block_another_run(folder):
    claim(folder)
    assert claim(folder, OTHER) is None


def test_a_folder_with_other_files_is_refused_unchanged(folder):
    folder.mkdir()
    (folder / "thesis.tex").write_text("years of work")
    with pytest.raises(OutputError, match=r"other files \(thesis\.tex\)"):
        claim(folder)
    assert [path.name for path in folder.iterdir()] == ["thesis.tex"]


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        claim(tmp_path / "file" / "out")
    with pytest.raises(OutputError, match="not a folder"):
        claim(tmp_path / "file")
    with pytest.raises(OutputError, match="cannot be written"), locked(tmp_path / "file"):
        pytest.fail("locked")


def test_a_corrupt_run_file_is_an_error(folder):
    folder.mkdir()
    for text in ("{", "{}", "[]"):
        (folder / "run.json").write_text(text)
        with pytest.raises(OutputError, match="not a folder of a run"):
            claim(folder)


def test_a_named_checkpoint_is_used_or_refused(folder, tmp_path):
    claim(folder)
    named, _ = add_checkpoint(folder, 3), add_checkpoint(folder, 6)
    assert claim(folder, resume_from=str(named)) == named
    with pytest.raises(ArgumentError, match="not a checkpoint"):
        claim(folder, resume_from=str(tmp_path / "nowhere"))
    (named / "scheduler.pt").unlink()
    with pytest.raises(ArgumentError, match=r"scheduler\.pt is missing"):
        claim(folder, resume_from=str(named))


@pytest.mark.parametrize("resume_from", ["auto", "checkpoint-3"])
def test_a_checkpoint_of_other_steps_is_refused_before_anything_is_written(folder, resume_from):
    claim(folder)
    add_checkpoint(folder, 3, facts={"processes": 2})
    before = (folder / "run.json").stat().st_mtime_ns
    with pytest.raises(ArgumentError, match="processes 2 there, 1 here"):
        claim(folder, resume_from=resume_from if resume_from == "auto" else str(folder / resume_from))
    assert (folder / "run.json").stat().st_mtime_ns == before


def test_a_folder_that_was_moved_finds_its_best_checkpoint(folder, tmp_path):
    claim(folder)
    for step in (3, 6):
        add_checkpoint(folder, step, best_model_checkpoint=str(folder / "checkpoint-3"), global_step=step)
    moved = folder.rename(tmp_path / "moved")
    state = json.loads((claim(moved) / "trainer_state.json").read_text())
    assert (state["best_model_checkpoint"], state["global_step"]) == (str(moved / "checkpoint-3"), 6)


def test_a_second_run_is_refused_until_the_first_ends(folder):
    with locked(folder), pytest.raises(OutputError, match="another run is using it"), locked(folder):
        pytest.fail("locked twice")
    with locked(folder):
        assert list(folder.iterdir()) == []


def test_a_killed_run_leaves_no_lock(folder):
    code = "import sys; from pathlib import Path; from hf_rumor.training.run_folder import locked\n"
    code += "with locked(Path(sys.argv[1])): print('in', flush=True); sys.stdin.read()"
    process = subprocess.Popen([sys.executable, "-c", code, str(folder)], stdin=-1, stdout=-1)
    assert process.stdout.readline() == b"in\n"
    with pytest.raises(OutputError), locked(folder):
        pytest.fail("locked twice")
    process.kill()
    process.communicate()
    with locked(folder):
        pass


def test_a_full_disk_is_explained_and_other_errors_are_not(folder):
    with pytest.raises(OutputError, match="the disk is full"), full_disk_explained(folder):
        raise RuntimeError(f"[enforce fail at inline_container.cc] {OSError(errno.ENOSPC, 'No space left on device')}")
    with pytest.raises(RuntimeError, match="something else"), full_disk_explained(folder):
        raise RuntimeError("something else")
