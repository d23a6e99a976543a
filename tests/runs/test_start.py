from types import SimpleNamespace

import pytest

from hf_rumor.config.flags import RunArguments
from hf_rumor.errors import ArgumentError
from hf_rumor.runs.start import check_start
from hf_rumor.training.run_folder import Identity, finish_folder


SHA = "0123456789abcdef"


@pytest.fixture
def trained(tmp_path):
    """Return the folder of a run split by seed 0, with a checkpoint."""
    folder = tmp_path / "trained"
    (folder / "checkpoint-3").mkdir(parents=True)
    (folder / "checkpoint-3" / "trainer_state.json").write_text("{}")
    finish_folder(folder, Identity({"learning_rate": 5e-5}, SHA))
    return folder


def a_run(resume_from="auto", sha256=SHA, **flags):
    data = SimpleNamespace(corpus=SimpleNamespace(sha256=sha256))
    return SimpleNamespace(flags=RunArguments(**flags), resume_from=resume_from, data=data)


def test_a_checkpoint_that_was_trained_on_test_posts_is_refused(trained):
    checkpoint = str(trained / "checkpoint-3")
    with pytest.raises(ArgumentError) as caught:
        check_start(a_run(resume_from=checkpoint, split_seed=1))
    assert "trained on posts that are test posts here" in str(caught.value)
    assert "--split_seed 0" in str(caught.value)
    check_start(a_run(resume_from=checkpoint))  # the same test posts
    check_start(a_run(resume_from=checkpoint, split_seed=1, sha256="another"))
    check_start(a_run(resume_from="auto", split_seed=1))


def test_of_a_split_without_folds_only_the_name_counts(trained):
    finish_folder(trained, Identity({"split": "chronological"}, SHA))
    checkpoint = str(trained / "checkpoint-3")
    check_start(a_run(resume_from=checkpoint, split="chronological", split_seed=1))
    with pytest.raises(ArgumentError):
        check_start(a_run(resume_from=checkpoint, split="every_8th"))
