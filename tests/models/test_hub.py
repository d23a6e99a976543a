import pytest

from hf_rumor.errors import ModelError
from hf_rumor.models import hub


@pytest.mark.parametrize(
    "name", ["./nowhere", "/no/such/folder", "~/nowhere", "a/b/c", "nowhere/", "my model", "我的模型", "a--b"]
)
def test_a_folder_that_is_not_there_is_told_as_a_folder(name):
    with pytest.raises(ModelError, match=r"--flag .*: expected a folder with a model, found none"):
        hub.check_reachable(name, "--flag")


def test_a_name_without_cache_and_network_is_told_as_such():
    with pytest.raises(ModelError, match="no such folder, nothing in the cache, and no way to"):
        hub.check_reachable("someone/some-model", "--flag")


def test_what_is_there_passes(tmp_path, monkeypatch):
    hub.check_reachable(str(tmp_path), "--flag")
    monkeypatch.setattr(hub, "hub_is_there", lambda: True)
    hub.check_reachable("someone/some-model", "--flag")


def test_a_hub_that_may_not_be_asked_is_not_there(monkeypatch):
    monkeypatch.setattr(hub, "can_connect", lambda url: True)
    assert not hub.hub_is_there()  # HF_HUB_OFFLINE is set for all tests
    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", False)
    assert hub.hub_is_there()


def test_a_folder_has_no_revisions(tmp_path):
    with pytest.raises(ModelError, match="found a folder"):
        hub.check_reachable(str(tmp_path), "--flag", "main")


def test_a_file_of_a_folder_is_found_or_is_none(tmp_path):
    assert hub.find_file(str(tmp_path), "report.json") is None
    (tmp_path / "report.json").write_text("{}")
    assert hub.find_file(str(tmp_path), "report.json") == tmp_path / "report.json"


def test_a_file_that_is_neither_cached_nor_to_be_had_is_none():
    assert hub.find_file("someone/some-model", "report.json") is None


@pytest.mark.parametrize(
    ("files", "is_pickled"),
    [(["pytorch_model.bin"], True), (["model.safetensors", "training_args.bin"], False), ([], False)],
)
def test_pickled_weights_are_named_with_what_to_do(tmp_path, files, is_pickled):
    for file in files:
        (tmp_path / file).touch()
    problem = hub.pickled_weights(str(tmp_path))
    assert problem is None if not is_pickled else "save_pretrained" in problem
    assert hub.pickled_weights("someone/some-model") is None
