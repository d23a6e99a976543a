import json
import subprocess
import sys

import pytest
import torch
from safetensors.torch import save_file

from hf_rumor.errors import ArgumentError, OutputError
from hf_rumor.training.run_folder import (
    claim_folder,
    find_damage,
    finish_folder,
    locked,
    recipe_of_run,
    remove_leftovers,
)


RECIPE = {"learning_rate": 5e-5, "split": "grouped"}
SHA = "0123456789abcdef"


def add_checkpoint(folder, step, *, complete=True):
    checkpoint = folder / f"checkpoint-{step}"
    checkpoint.mkdir()
    if complete:
        for name in ("optimizer.pt", "scheduler.pt"):
            torch.save({}, checkpoint / name)
        (checkpoint / "trainer_state.json").write_text("{}")
    return checkpoint


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "out"


def test_a_new_folder_is_made_and_claimed(folder):
    assert claim_folder(folder, RECIPE, SHA, "auto").checkpoint is None
    assert json.loads((folder / "run.json").read_text()) == {"recipe": RECIPE, "data_sha256": SHA, "finished": False}


def test_an_interrupted_run_continues_at_its_newest_complete_checkpoint(folder):
    claim_folder(folder, RECIPE, SHA, "auto")
    add_checkpoint(folder, 9)
    newest = add_checkpoint(folder, 10)
    add_checkpoint(folder, 11, complete=False)
    assert claim_folder(folder, RECIPE, SHA, "auto").checkpoint == newest


def test_a_second_process_finds_the_same_claim(folder):
    claim_folder(folder, RECIPE, SHA, "auto")
    add_checkpoint(folder, 3)
    assert claim_folder(folder, RECIPE, SHA, "auto") == claim_folder(folder, RECIPE, SHA, "auto")


def test_a_finished_run_is_done_again_from_the_beginning(folder):
    claim_folder(folder, RECIPE, SHA, "auto")
    checkpoint = add_checkpoint(folder, 3)
    finish_folder(folder, RECIPE, SHA)
    assert claim_folder(folder, RECIPE, SHA, "auto").checkpoint is None
    assert not checkpoint.exists()


@pytest.mark.parametrize(
    ("recipe", "sha256", "said"),
    [
        (RECIPE | {"learning_rate": 1e-4}, SHA, "learning_rate 5e-05 there, 0.0001 here"),
        (RECIPE | {"loss": "ce"}, SHA, "loss not set there, ce here"),
        (RECIPE, "f" * 16, "content of the corpus 0123456789ab there, ffffffffffff here"),
    ],
)
def test_another_run_is_refused_with_the_difference_and_a_way_out(folder, recipe, sha256, said):
    claim_folder(folder, RECIPE, SHA, "auto")
    add_checkpoint(folder, 3)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(OutputError) as caught:
        claim_folder(folder, recipe, sha256, "auto")
    assert said in str(caught.value)
    assert "another --output_dir" in str(caught.value)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_corpus_that_was_moved_is_the_same_run(folder):
    claim_folder(folder, RECIPE | {"data_path": "here.zip"}, SHA, "auto")
    checkpoint = add_checkpoint(folder, 3)
    assert claim_folder(folder, RECIPE | {"data_path": "there.zip"}, SHA, "auto").checkpoint == checkpoint


def test_results_of_another_run_are_kept_even_if_it_was_started_again_and_killed(folder):
    claim_folder(folder, RECIPE, SHA, "auto")
    (folder / "report.json").write_text("{}")
    finish_folder(folder, RECIPE, SHA)
    claim_folder(folder, RECIPE, SHA, "auto")  # started again; killed before its first checkpoint
    with pytest.raises(OutputError, match="found another one"):
        claim_folder(folder, {"loss": "ce"}, SHA, "auto")


def test_a_checkpoint_of_another_name_is_left_alone(folder):
    claim_folder(folder, RECIPE, SHA, "auto")
    add_checkpoint(folder, "best")
    assert claim_folder(folder, RECIPE, SHA, "auto").checkpoint is None


def test_a_claim_that_came_to_nothing_does_not_stand_in_the_way(folder):
    claim_folder(folder, RECIPE, SHA, "auto")
    assert claim_folder(folder, {"loss": "ce"}, SHA, "auto").checkpoint is None


def test_a_folder_of_something_else_is_refused_untouched(folder):
    folder.mkdir()
    (folder / "thesis.tex").write_text("years of work")
    with pytest.raises(OutputError, match=r"found thesis\.tex"):
        claim_folder(folder, RECIPE, SHA, "auto")
    assert [path.name for path in folder.iterdir()] == ["thesis.tex"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="expected a folder"):
        claim_folder(tmp_path / "file" / "out", RECIPE, SHA, "auto")
    with pytest.raises(OutputError, match="expected a folder"):
        claim_folder(tmp_path / "file", RECIPE, SHA, "auto")


def test_a_damaged_run_file_is_told(folder):
    folder.mkdir()
    for damaged in ("{", "{}", "[]"):
        (folder / "run.json").write_text(damaged)
        with pytest.raises(OutputError, match="expected a folder of a run"):
            claim_folder(folder, RECIPE, SHA, "auto")


def test_a_named_checkpoint_is_taken_or_refused(folder, tmp_path):
    claim_folder(folder, RECIPE, SHA, "auto")
    named, _ = add_checkpoint(folder, 3), add_checkpoint(folder, 6)
    assert claim_folder(folder, RECIPE, SHA, str(named)).checkpoint == named
    with pytest.raises(ArgumentError, match="expected auto or a checkpoint folder"):
        claim_folder(folder, RECIPE, SHA, str(tmp_path / "nowhere"))
    (named / "scheduler.pt").unlink()
    with pytest.raises(ArgumentError, match=r"expected a whole checkpoint, found scheduler.pt is missing"):
        claim_folder(folder, RECIPE, SHA, str(named))


def test_a_checkpoint_of_another_number_of_processes_is_refused(folder):
    claim_folder(folder, RECIPE, SHA, "auto")
    checkpoint = add_checkpoint(folder, 3)
    for rank in range(2):
        torch.save({}, checkpoint / f"rng_state_{rank}.pth")
    assert claim_folder(folder, RECIPE, SHA, "auto", num_processes=2).checkpoint == checkpoint
    with pytest.raises(ArgumentError, match=r"expected a checkpoint of 1 process\(es\), found one of 2"):
        claim_folder(folder, RECIPE, SHA, "auto", num_processes=1)
    assert claim_folder(folder, RECIPE, SHA, "auto").checkpoint == checkpoint  # each machine keeps its own


def test_the_recipe_of_a_run_is_found_for_its_corpus_alone(folder):
    assert recipe_of_run(folder, SHA) is None
    claim_folder(folder, RECIPE, SHA, "auto")
    assert recipe_of_run(folder, SHA) == RECIPE
    assert recipe_of_run(folder, "another") is None
    (folder / "run.json").write_text("[]")
    assert recipe_of_run(folder, SHA) is None


def test_a_folder_that_was_moved_still_knows_its_best_checkpoint(folder, tmp_path):
    claim_folder(folder, RECIPE, SHA, "auto")
    for step in (3, 6):
        state = {"best_model_checkpoint": str(folder / "checkpoint-3"), "global_step": step}
        (add_checkpoint(folder, step) / "trainer_state.json").write_text(json.dumps(state))
    moved = folder.rename(tmp_path / "moved")
    newest = claim_folder(moved, RECIPE, SHA, "auto").checkpoint
    state = json.loads((newest / "trainer_state.json").read_text())
    assert state == {"best_model_checkpoint": str(moved / "checkpoint-3"), "global_step": 6}


def test_a_second_run_is_kept_out_until_the_first_ends(folder):
    with locked(folder):
        with pytest.raises(OutputError, match="found one under way"), locked(folder):
            pytest.fail("let in")
        with locked(folder, wanted=False):
            pass
    with locked(folder):
        assert list(folder.iterdir()) == []


def test_a_killed_run_keeps_nobody_out(folder):
    code = "import sys; from pathlib import Path; from hf_rumor.training.run_folder import locked\n"
    code += "with locked(Path(sys.argv[1])): print('in', flush=True); sys.stdin.read()"
    process = subprocess.Popen([sys.executable, "-c", code, str(folder)], stdin=-1, stdout=-1)
    assert process.stdout.readline() == b"in\n"
    with pytest.raises(OutputError), locked(folder):
        pytest.fail("let in")
    process.kill()
    process.communicate()
    with locked(folder):
        pass


def write_whole_checkpoint(folder, step):
    here = folder / f"checkpoint-{step}"
    here.mkdir(parents=True)
    save_file({"weight": torch.ones(100)}, here / "model.safetensors")
    torch.save({"state": torch.ones(100)}, here / "optimizer.pt")
    torch.save({}, here / "scheduler.pt")
    (here / "trainer_state.json").write_text('{"log_history": []}')
    return here


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.pt", "trainer_state.json"])
@pytest.mark.parametrize("how", ["cut off", "emptied", "overwritten"])
def test_of_a_damaged_checkpoint_the_one_before_is_used_and_told(folder, caplog, name, how):
    claim_folder(folder, {}, "digest", "auto")
    for step in (5, 10):
        write_whole_checkpoint(folder, step)
    path = folder / "checkpoint-10" / name
    content = path.read_bytes()
    path.write_bytes({"cut off": content[:-9], "emptied": b"", "overwritten": b"?" * len(content)}[how])
    assert find_damage(folder / "checkpoint-5") is None
    assert claim_folder(folder, {}, "digest", "auto").checkpoint == folder / "checkpoint-5"
    assert "checkpoint-10 is damaged" in caplog.text
    assert "going back to checkpoint-5" in caplog.text


@pytest.mark.parametrize("name", ["optimizer.pt", "scheduler.pt"])
def test_a_checkpoint_of_the_model_alone_is_passed_over(folder, caplog, name):
    claim_folder(folder, {}, "digest", "auto")
    (write_whole_checkpoint(folder, 5) / name).unlink()  # as --save_only_model leaves it: the rate would start anew
    assert claim_folder(folder, {}, "digest", "auto").checkpoint is None
    assert f"{name} is missing" in caplog.text


def test_where_every_checkpoint_is_damaged_the_run_starts_again(folder, caplog):
    claim_folder(folder, {}, "digest", "auto")
    (write_whole_checkpoint(folder, 5) / "model.safetensors").write_bytes(b"")
    assert claim_folder(folder, {}, "digest", "auto").checkpoint is None
    assert "going back to the start" in caplog.text


def test_leftovers_of_a_killed_run_are_removed_and_nothing_else(folder):
    write_whole_checkpoint(folder, 5)
    (write_whole_checkpoint(folder, 7) / "trainer_state.json").unlink()
    (folder / ".model.abc").mkdir()
    (folder / "runs").mkdir()
    remove_leftovers(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["checkpoint-5", "runs"]
