import json
from contextlib import nullcontext

import pytest

from hf_rumor.errors import ModelError, OutputError
from hf_rumor.hub import contents
from hf_rumor.hub.contents import Upload, check_private, contents_of, model_contents
from hf_rumor.report.card import render_card
from hf_rumor.report.portable import portable, portable_value
from hf_rumor.reposts.model import FILES


MODEL = {
    "config.json": b"{}",
    "model.safetensors": b"weights",
    "tokenizer.json": b"{}",
    "tokenizer_config.json": b"{}",
}
STAY = {
    "training_args.bin": b"pickle",
    "optimizer.pt": b"pickle",
    "predictions.jsonl": b"ids",
    "report.html": b"texts",
    "mistakes.csv": b"texts",
    "report.md": b"path",
    "run.json": b"{}",
    ".hidden": b"",
    "pytorch_model.bin": b"pickle",
    "code.py": b"code",
}


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    for name, content in (MODEL | STAY | {"README.md": b"card"}).items():
        (folder / name).write_bytes(content)
    (folder / "figures").mkdir()
    (folder / "figures" / "roc.svg").write_bytes(b"<svg/>")
    (folder / "runs").mkdir()
    (folder / "runs" / "events.out.tfevents.1.host").write_bytes(b"host")
    return folder


def read(upload):
    return upload.content if isinstance(upload.content, bytes) else upload.content.read_bytes()


def test_only_listed_files_are_uploaded(folder, make_report):
    uploads = contents_of(folder, portable(make_report()))
    assert {upload.path for upload in uploads} == {*MODEL, "README.md", "report.json", "recipe.yaml"}
    assert all(read(upload) == MODEL[upload.path] for upload in uploads if upload.path in MODEL)


def test_the_model_of_the_reposts_is_uploaded_if_there_is_one(folder, make_report):
    (folder / "reposts").mkdir()
    for name in (*FILES, "notes.txt"):
        (folder / "reposts" / name).write_bytes(b"{}")
    uploads = {upload.path: upload for upload in contents_of(folder, portable(make_report()))}
    of_reposts = {path for path in uploads if path.startswith("reposts/")}
    assert of_reposts == {f"reposts/{name}" for name in FILES}
    assert read(uploads["reposts/config.json"]) == b"{}"


def test_seen_posts_are_uploaded_on_request_only(folder, make_report):
    report = portable(make_report())
    with pytest.raises(ModelError, match=r"no seen_posts\.npz in it"):
        contents_of(folder, report, with_seen=True)
    (folder / "seen_posts.npz").write_bytes(b"digests")
    names = [{upload.path for upload in contents_of(folder, report, with_seen=seen)} for seen in (False, True)]
    assert names[1] - names[0] == {"seen_posts.npz"}


def test_every_shard_of_a_model_is_uploaded(folder):
    shards = {f"model-0000{number}-of-00002.safetensors" for number in (1, 2)} | {"model.safetensors.index.json"}
    for name in shards:
        (folder / name).write_bytes(b"{}")
    assert shards <= {upload.path for upload in model_contents(folder)}


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_folder_without_a_model_is_refused(folder, name):
    (folder / name).unlink()
    with pytest.raises(ModelError, match="not a folder with a model"):
        model_contents(folder)


@pytest.mark.parametrize(
    ("config", "uploaded"),
    [
        (
            {"_name_or_path": "/home/someone/models/small", "x": [1, "/data/a"]},
            {"_name_or_path": "small", "x": [1, "a"]},
        ),
        ({"x": 1, "hf_rumor_run": {"recipe": {"data_path": "clients/acme/posts.csv"}, "split": {}}}, {"x": 1}),
    ],
)
def test_paths_and_the_facts_for_trackers_are_removed_from_the_configuration(folder, config, uploaded):
    (folder / "config.json").write_text(json.dumps(config))
    upload = next(upload for upload in model_contents(folder) if upload.path == "config.json")
    assert json.loads(read(upload)) == uploaded
    assert upload.note


def test_a_report_is_uploaded_without_paths_and_ids(folder, make_report):
    path, model = "/home/someone/corpora/posts.jsonl", "/home/someone/models/small"
    report = make_report(data={"path": path}, recipe={"model_name_or_path": model})
    texts = {upload.path: read(upload).decode() for upload in contents_of(folder, portable(report))}
    assert "someone" not in texts["report.json"] + texts["recipe.yaml"]
    assert json.loads(texts["report.json"])["data"]["path"] == "posts.jsonl"
    assert json.loads(texts["report.json"])["mistakes"] == []
    assert "model_name_or_path: small" in texts["recipe.yaml"]


def test_no_folder_and_no_name_of_a_skipped_file_is_uploaded(folder, make_report):
    data, model = "../secret folder/posts.jsonl", "../secret folder/small"
    report = make_report(
        data={"path": data, "findings": {"other_files": 1, "other_files: secret/1_mid_uid.json": 1}},
        model={"name": model},
        train={"hyper_parameters": {"optim_args": "/secret/a"}},
        recipe={"data_path": data, "model_name_or_path": model},
        auto={"data_path": data},
    )
    texts = {upload.path: read(upload).decode() for upload in contents_of(folder, portable(report))}
    assert "secret" not in texts["report.json"] + texts["recipe.yaml"] + render_card(report, "mit")
    assert json.loads(texts["report.json"])["data"]["findings"] == {"other_files": 1}


def test_a_model_of_the_hub_keeps_its_name(make_report):
    name = "google-bert/bert-base-chinese"
    report = portable(make_report(model={"name": name, "hub_name": name}, recipe={"model_name_or_path": name}))
    assert (report.model.name, report.recipe["model_name_or_path"]) == (name, name)


@pytest.mark.parametrize(
    ("home", "content", "is_private"),
    [
        ("/home/someone", b"see /home/someone/notes", True),
        ("/home/someone", b"see /home/another/notes", False),
        ("/root", b"http://t.cn/rooter", False),  # of a container
        ("/", b"http://t.cn/er", False),
    ],
)
def test_the_home_folder_is_detected(monkeypatch, home, content, is_private):
    monkeypatch.setenv("HOME", home)
    with pytest.raises(OutputError, match="contains the home folder") if is_private else nullcontext():
        check_private([Upload("README.md", content)])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("/a/b/c.zip", "c.zip"),
        ("~/c.zip", "c.zip"),
        ("data/sample", "data/sample"),
        ("user/model", "user/model"),
        ("hub:user/posts@main/a.csv", "hub:user/posts@main/a.csv"),
        ({"a": ["/b/c", 1, None]}, {"a": ["c", 1, None]}),
    ],
)
def test_an_absolute_path_is_reduced_to_its_last_part(value, expected):
    assert portable_value(value) == expected


@pytest.mark.parametrize("size", [0, contents.PAGE - 5, 3 * contents.PAGE + 1])
def test_a_token_is_detected_wherever_it_is(tmp_path, monkeypatch, size):
    monkeypatch.setenv("HF_TOKEN", "hf_canaryToken")
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"\0" * size + b"hf_canaryToken" + b"\0")
    with path.open("rb") as handle:
        for content in (path, path.read_bytes(), handle):
            with pytest.raises(OutputError, match="token of the Hub") as caught:
                check_private([Upload("model.safetensors", content)])
            assert "hf_canary" not in str(caught.value)
