import csv
import io
import json
import os
import random
import shutil
import stat
import subprocess
import sys
import time
from contextlib import nullcontext

import pytest

from hf_rumor import RumorClassifier
from hf_rumor.cli import main as cli
from hf_rumor.corpus.post import Post
from hf_rumor.corpus.rows import Item
from hf_rumor.corpus.seen import seen_posts, write_seen
from hf_rumor.errors import ArgumentError, CorpusError, OutputError
from hf_rumor.inference import bulk, classifier
from hf_rumor.inference.bulk import Share, describe_job, join_shares, predict_items, write_predictions, write_share
from hf_rumor.inference.export import export_model


class Counting:
    """A classifier that predicts by the length of a text and records its windows."""

    prior = None

    def __init__(self):
        self.windows = []

    def predict(self, posts, batch_size, observed_at=None):
        texts = [post.text for post in posts]
        self.windows.append(texts)
        return [classifier.Prediction(len(text) / 10, "rumor" if len(text) > 5 else "non-rumor") for text in texts]


@pytest.fixture
def items(monkeypatch):
    monkeypatch.setattr(bulk, "BATCHES_PER_WINDOW", 2)
    return [Item(n, None, "broken") if n % 7 == 3 else Item(n, Post(text="停" * (n % 9))) for n in range(1, 24)]


def lines_of(items, done=0, counting=None):
    return [line for lines in predict_items(counting or Counting(), items, 4, done) for line in lines]


def test_each_item_has_one_line_in_order(items):
    rows = [json.loads(line) for line in lines_of(items)]
    assert [row["id"] for row in rows] == list(range(1, 24))
    assert [row["id"] for row in rows if "error" in row] == [3, 10, 17]
    assert rows[4] == {"id": 5, "rumor_probability": 0.5, "predicted": "non-rumor"}
    assert rows[2] == {"id": 3, "error": "broken"}


@pytest.mark.parametrize("done", [0, 1, 7, 8, 9, 22, 23])
def test_done_lines_are_skipped_and_every_window_has_the_same_texts(items, done):
    whole, rest = Counting(), Counting()
    lines = lines_of(items, 0, whole)
    assert lines_of(items, done, rest) == lines[done:]
    assert rest.windows == whole.windows[done // 8 :]


@pytest.mark.parametrize("num_shares", [2, 3, 5])
def test_joined_shares_are_the_whole_job(items, tmp_path, num_shares):
    path, job, windows = tmp_path / "out.jsonl", {"model": "m"}, []
    for number in range(num_shares):
        counting, share = Counting(), Share(number, num_shares)
        lines = list(predict_items(counting, items, 4, 0, share))
        write_share(path, job, lambda done, lines=lines: iter(lines), share, resume=False)
        windows += counting.windows
    whole = Counting()
    expected = lines_of(items, 0, whole)
    join_shares(path, job, num_shares, 4)
    assert path.read_text("utf-8").splitlines() == expected
    assert sorted(windows) == sorted(whole.windows)
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.jsonl"]


@pytest.mark.parametrize("done", [0, 3, 8, 11])
def test_a_share_is_resumed(items, done):
    share = Share(1, 2)
    rest = [line for lines in predict_items(Counting(), items, 4, done, share) for line in lines]
    assert rest == lines_of(items)[8:16][done:]


def test_a_finished_share_is_kept_on_resume_for_the_same_job_only(items, tmp_path):
    path, share = tmp_path / "out.jsonl", Share(0, 2)
    piece = write_share(path, {"model": "m"}, lambda done: iter([["a"]]), share, resume=False)
    with pytest.raises(OutputError, match="Add --resume"):
        write_share(path, {"model": "m"}, lambda done: iter([["b"]]), share, resume=False)
    assert write_share(path, {"model": "m"}, lambda done: iter([["b"]]), share, resume=True) == piece
    assert piece.read_text("utf-8") == "a\n"
    other = write_share(path, {"model": "n"}, lambda done: iter([["b"]]), share, resume=True)
    assert other.read_text("utf-8") == "b\n"


def write(path, lines, job, resume):
    """Write the lines that are not done; return how many are done."""
    num_done = []
    write_predictions(path, job, lambda done: num_done.append(done) or iter([lines[done:]]), resume=resume)
    return num_done[0]


def test_the_output_has_its_name_only_when_it_is_complete(tmp_path):
    path = tmp_path / "new" / "out.jsonl"

    def lines(done):
        yield ["a", "b"]
        assert not path.exists()
        assert (path.parent / "out.jsonl.part").read_text("utf-8") == "a\nb\n"
        yield ["c"]

    write_predictions(path, {}, lines, resume=False)
    assert [(entry.name, entry.read_text("utf-8")) for entry in path.parent.iterdir()] == [("out.jsonl", "a\nb\nc\n")]


@pytest.mark.parametrize("cut", [1, 4, 5, 6, 11])
def test_a_job_is_resumed_after_the_last_complete_line(tmp_path, cut):
    path, lines = tmp_path / "out.jsonl", ["停水", "ab", "c"]
    whole = "停水\nab\nc\n".encode()

    def killed(done):
        raise KeyboardInterrupt
        yield

    with pytest.raises(KeyboardInterrupt):
        write_predictions(path, {"model": "m"}, killed, resume=False)
    (tmp_path / "out.jsonl.part").write_bytes(whole[:cut])
    with pytest.raises(OutputError, match="Add --resume, or remove it"):
        write(path, lines, {"model": "m"}, resume=False)
    assert write(path, lines, {"model": "m"}, resume=True) == whole[:cut].count(b"\n")
    assert path.read_bytes() == whole


def test_an_empty_part_is_ignored(tmp_path):
    path = tmp_path / "out.jsonl"

    def mistaken(done):
        raise ArgumentError("--text_column: no such column")
        yield

    with pytest.raises(ArgumentError):
        write_predictions(path, {"column": "wrong"}, mistaken, resume=False)
    assert write(path, ["a"], {"column": "right"}, resume=False) == 0
    assert [(entry.name, entry.read_text("utf-8")) for entry in tmp_path.iterdir()] == [("out.jsonl", "a\n")]
    (tmp_path / "out.jsonl.part").touch()  # of a job that was killed before it wrote its note
    assert write(path, ["b"], {}, resume=True) == 0
    assert path.read_text("utf-8") == "b\n"


@pytest.mark.parametrize("resume", [False, True])
def test_two_jobs_do_not_write_the_same_part(tmp_path, resume):
    path = tmp_path / "out.jsonl"

    def lines(done):
        yield ["a"]
        with pytest.raises(OutputError, match="another job is writing it"):
            write(path, ["b"], {"model": "m"}, resume=resume)
        yield ["c"]

    write_predictions(path, {"model": "m"}, lines, resume=False)
    assert path.read_text("utf-8") == "a\nc\n"


def test_the_part_of_another_job_is_refused(tmp_path):
    path = tmp_path / "out.jsonl"
    (tmp_path / "out.jsonl.part").write_text("a\n", "utf-8")
    (tmp_path / "out.jsonl.part.json").write_text('{"model": "other", "input": 1}', "utf-8")
    with pytest.raises(OutputError, match="belongs to a job with another model"):
        write(path, ["a"], {"model": "m", "input": 1}, resume=True)
    (tmp_path / "out.jsonl.part.json").unlink()
    with pytest.raises(OutputError, match="belongs to a job with another input, model"):
        write(path, ["a"], {"model": "m", "input": 1}, resume=True)


def test_a_job_is_identified_by_model_input_and_settings(tmp_path, folder):
    posts = tmp_path / "posts.txt"
    posts.write_text("停水\n", "utf-8")
    job = describe_job(str(folder), str(posts), batch_size=4)
    assert job == describe_job(str(folder), str(posts), batch_size=4)
    assert job != describe_job(str(folder), str(posts), batch_size=8)
    (folder / "out.jsonl.part").touch()
    assert job == describe_job(str(folder), str(posts), batch_size=4)
    (folder / "out.jsonl.part").unlink()
    posts.write_text("停水了\n", "utf-8")
    assert job != describe_job(str(folder), str(posts), batch_size=4)


@pytest.fixture
def posts(tmp_path, texts):
    path = tmp_path / "posts.jsonl"
    rows = [json.dumps({"id": f"微博{n}", "text": text}, ensure_ascii=False) for n, text in enumerate(texts)]
    rows[5:5] = ["{broken", '{"id": "x", "text": ""}']
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def test_mark_seen_marks_the_posts_that_the_model_has_seen(folder, texts, tmp_path, capsys):
    command = ["predict", str(folder), str(tmp_path / "posts.txt"), "--mark_seen"]
    (tmp_path / "posts.txt").write_text(f"{texts[0]}\n\n{texts[40]}\n", encoding="utf-8")
    assert cli.main(command) == 2
    assert "has no record of its training posts" in capsys.readouterr().err
    copy = shutil.copytree(folder, tmp_path / "model")
    write_seen(copy, seen_posts(texts[:30], []))
    command[1] = str(copy)
    assert cli.main(command) == 0
    marks = [json.loads(line).get("seen_in_training") for line in capsys.readouterr().out.splitlines()]
    assert marks == [True, None, False]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16"])
def test_files_in_chinese_encodings_are_predicted(folder, tmp_path, capsys, encoding):
    rows = ["编号,text", "1,听说昨夜停水，速转！", "2,小城下雪"]
    printed = []
    for name, used in (("one.csv", "utf-8"), ("other.csv", encoding)):
        (tmp_path / name).write_bytes("\r\n".join(rows).encode(used))
        assert cli.main(["predict", str(folder), str(tmp_path / name), "--id_column", "编号"]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert "error" not in printed[0]


def test_the_verb_writes_a_line_for_each_line(folder, posts, texts, tmp_path, capsys):
    output = tmp_path / "out.jsonl"
    assert cli.main(["predict", str(folder), str(posts), "--output", str(output)]) == 0
    rows = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    assert len(rows) == 102
    assert rows[5]["id"] == 6
    assert "not a JSON object" in rows[5]["error"]
    assert rows[6] == {"id": "x", "error": "the text is empty."}
    predicted = [row for row in rows if "error" not in row]
    expected = RumorClassifier.from_pretrained(folder).predict(texts)
    assert [row["predicted"] for row in predicted] == [prediction.predicted for prediction in expected]
    probabilities = [prediction.rumor_probability for prediction in expected]
    assert [row["rumor_probability"] for row in predicted] == pytest.approx(probabilities, abs=1e-5)
    assert {row["predicted"] for row in predicted} == {"rumor", "non-rumor"}
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "predict: 102 posts in" in captured.err
    assert "2 with an error" in captured.err
    assert cli.main(["predict", str(folder), str(posts)]) == 0
    assert capsys.readouterr().out == output.read_text("utf-8")


def test_two_processes_write_the_same_file_as_one(folder, posts, tmp_path, monkeypatch, capsys):
    one, two, flags = tmp_path / "one.jsonl", tmp_path / "two.jsonl", ["--batch_size", "2"]
    assert cli.main(["predict", str(folder), str(posts), "--output", str(one), *flags]) == 0
    for name, value in {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    assert cli.main(["predict", str(folder), str(posts), *flags]) == 2
    assert "with 2 processes, INPUT and --output must be files" in capsys.readouterr().err
    for rank in ("1", "0"):  # the first process waits for the other one and joins the shares
        monkeypatch.setenv("RANK", rank)
        assert cli.main(["predict", str(folder), str(posts), "--output", str(two), *flags]) == 0
    assert two.read_bytes() == one.read_bytes()
    assert not list(tmp_path.glob("two.jsonl.*"))


def test_stdin_is_read_as_lines(folder, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("停水\n\n下雪\n".encode())))
    assert cli.main(["predict", str(folder)]) == 0
    printed = capsys.readouterr()
    rows = [json.loads(line) for line in printed.out.splitlines()]
    assert [row["id"] for row in rows] == [1, 2, 3]
    assert "error" in rows[1]
    assert "input: stdin is read as lines" in printed.err


def test_stdout_may_be_closed_early(folder, texts):
    many = "".join(f"{text}\n" for text in texts * 30)
    shell = f"'{sys.executable}' -m hf_rumor predict '{folder}' | head -n 1"
    done = subprocess.run(["bash", "-c", shell], input=many, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["id"] == 1
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("INPUT --resume", "--resume: there is no --output to resume"),
        ("INPUT --batch_size 0", "expected a whole number of at least 1"),
        ("INPUT --text_column body --format csv", "no column named 'body'"),
        ("INPUT --format xml", "invalid choice"),
        ("INPUT --output predictions.ods", "not a supported format. Use a name that ends in .jsonl, .csv"),
        ("INPUT --output predictions.jsonl --top 3", "--top: needs a table. Name an --output that ends in .csv"),
        ("INPUT --sort", "--sort: needs a table"),
        ("INPUT --output predictions.csv --resume", "a table does not support --resume"),
        ("INPUT --output INPUT", "this is the input file; it would be overwritten"),
        ("INPUT --output FOLDER", "is a folder. Name a file"),
        ("- --output out.jsonl --resume", "INPUT must be a file"),
        ("/no/such/file", "/no/such/file: no such file"),
    ],
)
def test_a_user_error_is_reported_and_nothing_is_written(folder, posts, tmp_path, capsys, arguments, message):
    before = posts.read_bytes()
    words = [{"INPUT": str(posts), "FOLDER": str(tmp_path)}.get(word, word) for word in arguments.split()]
    assert cli.main(["predict", str(folder), *words]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""
    assert posts.read_bytes() == before


def test_a_table_has_the_columns_of_the_input(folder, tmp_path):
    (tmp_path / "posts.csv").write_text("id,正文,链接\na,停水,x\nb,,y\nc,下雨,z\n", encoding="utf-8")
    words = [str(tmp_path / "posts.csv"), "--output", str(tmp_path / "out.csv"), "--top", "2"]
    assert cli.main(["predict", str(folder), *words]) == 0
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [{row["id"], row["链接"], row["正文"]} for row in rows] in (
        [{"a", "x", "停水"}, {"c", "z", "下雨"}],
        [{"c", "z", "下雨"}, {"a", "x", "停水"}],
    )
    assert float(rows[0]["rumor_probability"]) >= float(rows[1]["rumor_probability"])


def test_on_a_terminal_the_progress_reaches_100_percent(folder, tmp_path, monkeypatch, capsys):
    posts = tmp_path / "posts.csv"
    posts.write_text("id,text\na,停水\n", "utf-8")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert cli.main(["predict", str(folder), str(posts)]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["id"] == "a"
    assert "predict: 100%" in captured.err


FAILING = json.dumps({"id": 1, "error": "the line is empty."})


@pytest.mark.parametrize("resume", [False, True])
def test_a_job_without_a_prediction_is_an_error_and_leaves_no_file(tmp_path, resume):
    path = tmp_path / "out.jsonl"
    path.write_text("earlier output\n")
    with pytest.raises(CorpusError, match=r"no post could be read\. The first error \(id 1\): the line is empty\."):
        write(path, [FAILING] * 3, {}, resume=resume)
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [("out.jsonl", "earlier output\n")]
    write(path, [FAILING, "{}"], {}, resume=resume)
    assert path.read_text() == f"{FAILING}\n{{}}\n"


@pytest.mark.parametrize("last", [FAILING, "{}"])
def test_shares_without_a_prediction_are_an_error_and_leave_no_file(tmp_path, last):
    path, job = tmp_path / "out.jsonl", {"model": "m"}
    for number, line in enumerate((FAILING, last)):
        write_share(path, job, lambda done, line=line: iter([[line]]), Share(number, 2), resume=False)
    with pytest.raises(CorpusError, match="no post could be read") if last == FAILING else nullcontext():
        join_shares(path, job, 2, 4)
    assert [entry.name for entry in tmp_path.iterdir()] == ([] if last == FAILING else ["out.jsonl"])


@pytest.mark.parametrize("to_file", [False, True])
def test_the_exit_status_is_2_if_every_line_fails(folder, tmp_path, capsys, to_file):
    posts, output = tmp_path / "posts.jsonl", tmp_path / "out.jsonl"
    posts.write_text('{"body": "雪"}\n' * 3, encoding="utf-8")
    assert cli.main(["predict", str(folder), str(posts), *(["--output", str(output)] if to_file else [])]) == 2
    captured = capsys.readouterr()
    assert captured.err.splitlines()[-1].startswith("hf-rumor: error: predict: no post could be read. The first error")
    assert captured.out.count("error") == (0 if to_file else 3)
    assert not list(tmp_path.glob("out.jsonl*"))


def test_a_pipe_is_refused_and_a_link_is_kept(tmp_path):
    pipe, link, target = tmp_path / "pipe", tmp_path / "link", tmp_path / "far" / "target"
    os.mkfifo(pipe)
    with pytest.raises(OutputError, match="is not a regular file"):
        write(pipe, ["{}"], {}, resume=False)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    link.symlink_to(target)
    write(link, ["{}"], {}, resume=False)
    assert link.is_symlink()
    assert [entry.name for entry in target.parent.iterdir()] == ["target"]


def test_a_dash_is_stdout_and_a_tilde_the_home_folder(folder, posts, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert cli.main(["predict", str(folder), "~/posts.jsonl", "--output", "-"]) == 0
    printed = capsys.readouterr().out
    assert cli.main(["predict", str(folder), str(posts), "--output", "~/out.jsonl"]) == 0
    assert (tmp_path / "out.jsonl").read_text(encoding="utf-8") == printed
    assert not (tmp_path / "-").exists()


def size_of(path):
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


@pytest.mark.slow
def test_a_killed_and_resumed_job_writes_the_same_bytes(folder, tmp_path, texts):
    onnx = export_model(str(folder), tmp_path / "onnx", texts, precision="fp32").folder  # starts in less than a second
    posts = tmp_path / "posts.txt"
    posts.write_text("".join(f"{text}\n" for text in texts * 20), encoding="utf-8")
    output, killed, part = (tmp_path / name for name in ("out.jsonl", "killed.jsonl", "killed.jsonl.part"))
    command = [sys.executable, "-m", "hf_rumor", "predict", str(onnx), str(posts)]
    command += ["--backend", "onnx", "--batch_size", "1"]
    subprocess.run([*command, "--output", str(output)], check=True, capture_output=True)
    generator = random.Random(0)
    for number in range(20):
        running = subprocess.Popen([*command, "--output", str(killed), "--resume"], stderr=subprocess.DEVNULL)
        size = generator.uniform(number - 1, number) / 20 * size_of(output)
        while running.poll() is None and size_of(part) <= size:
            time.sleep(generator.uniform(0, 0.01))
        running.kill()
        running.wait()
    subprocess.run([*command, "--output", str(killed), "--resume"], check=True, capture_output=True)
    assert killed.read_bytes() == output.read_bytes()
    assert not list(tmp_path.glob("*.part*"))


def test_a_time_of_observation_is_refused_by_a_model_that_reads_no_reposts(folder, capsys):
    assert cli.main(["predict", str(folder), "停水", "--observed_at", "2026-11-30"]) == 2
    assert "--observed_at: " in (error := capsys.readouterr().err)
    assert "reads no reposts. Remove the flag." in error
