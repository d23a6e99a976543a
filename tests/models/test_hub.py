import pytest

from hf_rumor.errors import ModelError
from hf_rumor.models import hub


@pytest.mark.parametrize(
    "name", ["./nowhere", "/no/such/folder", "~/nowhere", "a/b/c", "nowhere/", "my model", "我的模型", "a--b"]
)
def test_what_can_only_be_a_path_is_refused_if_it_is_not_a_folder(name):
    with pytest.raises(ModelError, match=r"--flag .*: not a folder with a model"):
        hub.check_reachable(name, "--flag")


def test_a_name_without_cache_and_network_is_refused():
    with pytest.raises(ModelError, match=r"no such folder, not in the cache, and .* is unreachable"):
        hub.check_reachable("someone/some-model", "--flag")


def test_a_folder_and_a_name_on_a_reachable_hub_are_accepted(tmp_path, monkeypatch):
    hub.check_reachable(str(tmp_path), "--flag")
    monkeypatch.setattr(hub, "is_hub_reachable", lambda: True)
    hub.check_reachable("someone/some-model", "--flag")


def test_with_hf_hub_offline_the_hub_is_not_reachable(monkeypatch):
    monkeypatch.setattr(hub, "can_connect", lambda url: True)
    assert not hub.is_hub_reachable()  # HF_HUB_OFFLINE is set for all tests
    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", False)
    assert hub.is_hub_reachable()


def test_a_folder_has_no_revisions(tmp_path):
    with pytest.raises(ModelError, match="a folder has no revision main"):
        hub.check_reachable(str(tmp_path), "--flag", "main")


def test_a_file_is_found_or_is_none(tmp_path):
    assert hub.find_file("someone/some-model", "report.json") is None
    assert hub.find_file(str(tmp_path), "report.json") is None
    (tmp_path / "report.json").write_text("{}")
    assert hub.find_file(str(tmp_path), "report.json") == tmp_path / "report.json"


@pytest.mark.parametrize(
    ("files", "is_pickled"),
    [(["pytorch_model.bin"], True), (["model.safetensors", "training_args.bin"], False), ([], False)],
)
def test_the_message_about_pickled_weights_says_how_to_convert_them(tmp_path, files, is_pickled):
    for file in files:
        (tmp_path / file).touch()
    problem = hub.pickled_weights(str(tmp_path), "AutoModel")
    assert problem is None if not is_pickled else "save_pretrained" in problem
    assert hub.pickled_weights("someone/some-model", "AutoModel") is None
