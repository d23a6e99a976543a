import pytest

from hf_rumor.util.processes import is_first_process, num_processes, process_rank


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, (0, 1)),
        ({"RANK": "3", "WORLD_SIZE": "4", "MASTER_ADDR": "127.0.0.1"}, (3, 4)),
        ({"RANK": "3", "WORLD_SIZE": "4"}, (0, 1)),  # a job scheduler's shell
        ({"RANK": "", "WORLD_SIZE": "", "MASTER_ADDR": ""}, (0, 1)),
    ],
)
def test_only_a_launcher_starts_several_processes(monkeypatch, environment, expected):
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert (process_rank(), num_processes()) == expected
    assert is_first_process() == (expected[0] == 0)
