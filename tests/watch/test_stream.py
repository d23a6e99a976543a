import json
import shutil
import signal
import subprocess
import sys
import time

import pytest

from hf_rumor.errors import OutputError
from hf_rumor.reposts.model import save_reposts
from hf_rumor.watch import stream
from hf_rumor.watch.state import State
from hf_rumor.watch.watcher import Watcher


START = 1372480809


@pytest.fixture
def events(tmp_path):
    """Return a file of posts, each with reposts that follow."""
    lines = []
    for number in range(12):
        lines.append({"id": str(number), "text": f"第{number}条", "time": START + number})
        for place, text in enumerate(("假的", "真的吗", "谣言", "快看")):
            lines.append({"repost_of": str(number), "text": text, "time": START + number + 60 * place})
    file = tmp_path / "events.jsonl"
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return file


class Crash(Exception):
    """Stands for a power failure."""


def watch(classifier, events, folder, crash_at=None):
    """Watch until the end, or until the process dies after `crash_at` lines have been written but not committed."""
    state = State(folder / "state.db", "model")
    watcher = Watcher(classifier, classifier.reposts, state, 100)

    def commit():
        if crash_at is not None and state.progress.num_events >= crash_at:
            raise Crash
        State.commit(state)

    state.commit = commit
    try:
        with stream.open_output(folder / "decisions.jsonl", state) as output, events.open("rb") as source:
            stream.watch(watcher, state, source, output, follow=False)
    finally:
        state.close()
    return (folder / "decisions.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize("crash_at", [0, 20, 45, 60])
def test_after_a_crash_no_line_is_missing_or_there_twice(reading_classifier, events, tmp_path, monkeypatch, crash_at):
    monkeypatch.setattr(stream, "CHUNK", 300)
    for name in ("whole", "crashed"):
        (tmp_path / name).mkdir()
    expected = watch(reading_classifier, events, tmp_path / "whole")
    assert expected.count("\n") > 12
    with pytest.raises(Crash):
        watch(reading_classifier, events, tmp_path / "crashed", crash_at)
    assert watch(reading_classifier, events, tmp_path / "crashed") == expected
    assert watch(reading_classifier, events, tmp_path / "crashed") == expected


def test_events_that_are_added_to_the_file_are_read_from_there(reading_classifier, events, tmp_path):
    whole = events.read_bytes()
    events.write_bytes(whole[:700])  # ends within a line
    watch(reading_classifier, events, tmp_path)
    events.write_bytes(whole)
    watch(reading_classifier, events, tmp_path)
    state = State(tmp_path / "state.db", "model")
    assert state.progress.num_events == 60
    assert state.progress.position == len(whole)


def test_another_file_is_read_from_its_start(reading_classifier, events, tmp_path):
    watch(reading_classifier, events, tmp_path)
    other = tmp_path / "other.jsonl"
    other.write_text('{"id": "x", "text": "新的", "time": 1372480809}\n', encoding="utf-8")
    assert '"id": "x"' in watch(reading_classifier, other, tmp_path)


def test_a_file_that_no_watch_has_written_is_left_alone(reading_classifier, events, tmp_path):
    (tmp_path / "decisions.jsonl").write_text("mine\n")
    with pytest.raises(OutputError, match="not written with this --state"):
        watch(reading_classifier, events, tmp_path)
    assert (tmp_path / "decisions.jsonl").read_text() == "mine\n"


@pytest.mark.slow
def test_a_killed_watch_goes_on_where_it_was(folder, reading_classifier, events, tmp_path):
    model = shutil.copytree(folder, tmp_path / "model")
    save_reposts(reading_classifier.reposts, model)
    whole, growing, decisions = events.read_bytes(), tmp_path / "growing.jsonl", tmp_path / "decisions.jsonl"
    command = [sys.executable, "-m", "hf_rumor", "watch", str(model)]
    expected = subprocess.run([*command, str(events)], capture_output=True, text=True, check=True).stdout
    growing.touch()
    command += [str(growing), "--state", str(tmp_path / "state.db"), "--output", str(decisions)]
    for share in (0.3, 0.6):
        written = decisions.stat().st_size if decisions.exists() else 0
        with subprocess.Popen([*command, "--follow"], stderr=subprocess.DEVNULL) as running:
            growing.write_bytes(whole[: int(share * len(whole))])
            while not decisions.exists() or decisions.stat().st_size == written:
                time.sleep(0.01)
            running.send_signal(signal.SIGKILL)
    growing.write_bytes(whole)
    subprocess.run(command, check=True, capture_output=True)
    assert decisions.read_text(encoding="utf-8") == expected
