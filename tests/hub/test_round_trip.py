"""From a training that pushes to strangers who pull: real commands against a Hub on loopback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import snapshot_download

from hf_rumor.cli import main as cli
from hf_rumor.reposts.model import save_reposts


CANARY = "金丝雀停在第七百三十一号路灯上唱了整整一夜的歌"
HOST, PERSON = "canary-host-731", "canary-person-731"
TOKEN = "hf_canaryTokenThatMustNotLeave"
WITHOUT_US = """
import json, sys
sys.modules["hf_rumor"] = None
from transformers import pipeline
classify = pipeline("text-classification", sys.argv[1], top_k=None)
scores = classify(json.loads(sys.argv[2]), truncation=True)
print(json.dumps([next(row["score"] for row in rows if row["label"] == "rumor") for rows in scores]))
"""

# Runs commands in children of a process that has imported what takes seconds: one line of words and files each.
COMMANDS = """
import json, os, sys, traceback
import hf_rumor.inference.classifier, hf_rumor.runs.train
from hf_rumor.cli.main import main
for line in sys.stdin:
    words, files = json.loads(line)
    child = os.fork()
    if not child:
        status = 1
        try:
            for number, file in enumerate(files, start=1):
                os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
            status = main(words)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""

pytestmark = pytest.mark.slow


@pytest.fixture
def posts(tmp_path, make_posts):
    """Return a corpus with a canary among its posts."""
    rows = [{"id": post.post_id, "text": post.text, "label": int(post.is_rumor)} for post in make_posts(80)]
    rows.append({"id": "canary", "text": CANARY, "label": 1})
    path = tmp_path / "posts.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def command(hub, tmp_path):
    """Return a function that runs `hf-rumor` against the Hub: `command(*words, status=0)` -> stdout, stderr."""

    code = f"import platform, socket\nsocket.gethostname = platform.node = lambda: {HOST!r}\n"
    (tmp_path / "sitecustomize.py").write_text(code, encoding="utf-8")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("HF_HUB", "TRANSFORMERS_"))}
    ours = {
        "PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[2]}",
        "USER": PERSON,
        "LOGNAME": PERSON,
        "HOME": str(tmp_path / PERSON),
        "HF_ENDPOINT": hub.address,
        "HF_TOKEN": TOKEN,
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HOME": str(tmp_path / "hf_home"),
        "HF_RUMOR_CACHE": str(tmp_path / "cache"),
    }

    def start(**environment):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        env = inherited | ours | environment
        return subprocess.Popen([sys.executable, "-c", COMMANDS], cwd=tmp_path, env=env, **pipes)

    started = {(): start()}

    def command(*words, status=0, **environment):
        key = tuple(environment.items())  # libraries read it when they are imported
        process = started[key] = started.get(key) or start(**environment)
        files = [tmp_path / "stdout", tmp_path / "stderr"]
        process.stdin.write(json.dumps([list(map(str, words)), list(map(str, files))]) + "\n")
        process.stdin.flush()
        returned = int(process.stdout.readline())
        printed, logged = (file.read_text(encoding="utf-8") for file in files)
        assert returned == status, logged
        assert "Traceback" not in logged
        return printed, logged

    yield command
    for process in started.values():
        process.stdin.close()
        process.stdout.close()
        process.wait(timeout=60)


@pytest.fixture
def train(command, posts, tiny_encoder, tmp_path):
    def train(*words, status=0):
        flags = ["--model_name_or_path", tiny_encoder, "--data_path", posts, "--output_dir", tmp_path / "out"]
        flags += ["--max_steps", "4"]
        flags += ["--save_strategy", "steps", "--save_steps", "2", "--eval_strategy", "steps", "--eval_steps", "2"]
        return command("train", "mini", *flags, *words, status=status)

    return train


def test_a_pushed_model_is_complete_and_contains_nothing_private(
    hub, train, command, posts, reading_classifier, tmp_path
):
    share = ["--push_to_hub", "--hub_model_id", "tester/model", "--license", "mit", "--hub_strategy", "checkpoint"]
    _, logged = train(*share)
    assert "push: done" in logged
    out = tmp_path / "out"
    files = hub.files("tester/model")
    assert "last-checkpoint/model.safetensors" in files
    for name in ("model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json", "README.md"):
        assert files[name] == (out / name).read_bytes()

    everything = hub.everything()
    secrets = [CANARY, json.dumps(CANARY)[1:-1], TOKEN, HOST, PERSON, str(Path.home()), str(tmp_path)]
    assert [secret for secret in secrets if secret.encode() in everything] == []
    assert not {name for name in files if name.endswith((".bin", ".pt", ".pth", ".pkl"))}
    assert TOKEN.encode() not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())

    # Others get bit-equal files and the same probabilities with plain transformers, and can use every verb.
    pulled = Path(snapshot_download("tester/model", cache_dir=tmp_path / "pulled"))
    assert {str(path.relative_to(pulled)) for path in pulled.rglob("*") if path.is_file()} == files.keys()
    assert all((pulled / name).read_bytes() == content for name, content in files.items())
    rows = [json.loads(line) for line in posts.read_text(encoding="utf-8").splitlines()]
    by_id = {row["id"]: row["text"] for row in rows}
    rows = [json.loads(line) for line in (out / "predictions.jsonl").read_text(encoding="utf-8").splitlines()]
    texts = json.dumps([by_id[row["id"]] for row in rows])
    plain = [sys.executable, "-c", WITHOUT_US, str(pulled), texts]
    done = subprocess.run(plain, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert json.loads(done.stdout) == pytest.approx([row["rumor_probability"] for row in rows], abs=1e-5)

    local, _ = command("predict", out, posts)
    assert command("predict", "tester/model", posts)[0] == local
    assert command("predict", "tester/model", posts, "--revision", "main")[0] == local
    save_reposts(reading_classifier.reposts, out)
    command("push", out, "tester/model", "--revision", "reposts")
    dated = tmp_path / "dated.jsonl"
    reposts = [{"text": "假的", "time": 1372480869}]
    dated.write_text(json.dumps({"id": 1, "text": "昨夜停水", "time": 1372480809, "reposts": reposts}), "utf-8")
    local, _ = command("predict", out, dated)
    assert command("predict", "tester/model", dated, "--revision", "reposts")[0] == local
    assert command("predict", "tester/model", dated)[0] != local
    _, error = command("predict", "tester/model", posts, "--revision", "nowhere", status=2)
    assert "the Hub has no revision nowhere" in error
    assert "BertForSequenceClassification" in command("describe", "tester/model")[0]
    one = ["--max_steps", "1", "--save_strategy", "no", "--eval_strategy", "no", "--load_best_model_at_end", "false"]
    start = ["train", "--model_name_or_path", "tester/model", "--model_revision", "main", "--data_path", posts]
    command(*start, *one, "--output_dir", tmp_path / "next")
    assert "base_model: tester/model" in (tmp_path / "next" / "README.md").read_text(encoding="utf-8")


def test_a_finished_folder_can_be_listed_and_pushed_later_to_several_branches(hub, train, tmp_path, capsys):
    train()
    out = tmp_path / "out"

    def push(*words, status=0):
        assert cli.main(["push", str(out), "tester/model", *words]) == status
        return capsys.readouterr()

    assert "--license" in push(status=2).err
    listed = push("--license", "mit", "--dry_run").out
    assert hub.received == []
    push()  # the license is in the card now
    assert {line.split()[1] for line in listed.splitlines()} == hub.files("tester/model").keys()
    card = out / "README.md"
    card.write_text(card.read_text(encoding="utf-8") + "\n## My notes\n", encoding="utf-8")
    captured = push("--revision", "mine")
    assert "kept" in captured.err
    assert captured.out == f"{hub.address}/tester/model\n"
    assert b"My notes" in hub.files("tester/model", "mine")["README.md"]
    assert b"My notes" not in hub.files("tester/model")["README.md"]
    assert "--license apache-2.0: the edited README.md names mit" in push("--license", "apache-2.0", status=2).err
    assert "/discussions/" in push("--create_pr").out
    card.write_text("no licence, in my words\n", encoding="utf-8")
    assert f"Add `license: mit` at the top of {card}" in push("--license", "mit", status=2).err
    push("--overwrite_card", "--license", "mit")
    assert b"My notes" not in hub.files("tester/model")["README.md"]


def test_a_refused_push_keeps_the_model_and_logs_a_command(hub, train, tmp_path):
    hub.failures = [403] * 20
    printed, logged = train("--push_to_hub", "--hub_model_id", "tester/model", "--license", "mit", status=1)
    assert "accuracy" in printed
    assert "checkpoint-2 skipped" in logged
    assert f"To push it later: hf-rumor push {tmp_path / 'out'} tester/model" in logged
    assert (tmp_path / "out" / "report.json").exists()


def test_a_corpus_is_published_and_trained_on_by_name(hub, command, posts, tmp_path):
    listed, _ = command("data", "push", "tester/posts", "--data_path", posts, "--license", "cc-by-4.0", "--dry_run")
    assert "data/train-00000-of-00001.parquet" in listed
    command("data", "push", "tester/posts", "--data_path", posts, "--license", "cc-by-4.0")
    assert CANARY.encode() in hub.everything()  # here the posts are what is published
    steps = ["--max_steps", "1", "--eval_strategy", "no", "--save_strategy", "no", "--load_best_model_at_end", "false"]
    name = "hub:tester/posts"
    command("train", "mini", "--data_path", name, *steps, "--output_dir", tmp_path / "one")
    report = json.loads((tmp_path / "one" / "report.json").read_text(encoding="utf-8"))
    sha = hub.sha("datasets/tester/posts", "main")
    assert report["data"]["path"] == f"hub:tester/posts@{sha}/data/train-00000-of-00001.parquet"
    assert "datasets:\n- tester/posts\n" in (tmp_path / "one" / "README.md").read_text(encoding="utf-8")
    # the recipe repeats it, from the cache, without the Hub
    again = ["train", tmp_path / "one" / "recipe.yaml", "--output_dir", tmp_path / "two"]
    command(*again, HF_HUB_OFFLINE="1")
    _, error = command("audit", "--data_path", "hub:tester/nothing", status=2)
    assert error.count("\n") == 1
