"""Claim: `hf-rumor watch` processes at least 500 events per second on one core, in constant memory.

    OMP_NUM_THREADS=1 taskset -c 0 python benchmarks/watch.py --model out --data_path Rumor_Dataset.zip

Replays the posts and reposts of a corpus in the order of time, as often as it takes for the number of events; each
time with other ids. The model is one that was trained with `--reposts`. Prints the events per second of the whole
command, its start included, and the largest memory after a tenth of the events and at the end.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from itertools import count, islice
from pathlib import Path

import psutil

from hf_rumor.corpus.arrow import load_corpus


def events_of(data_path):
    """Yield the lines of a corpus in the order of time, again and again."""
    columns = load_corpus(data_path).posts.select_columns(["id", "text", "posted_at", "reposts"])
    events = []
    for row in columns:
        if row["posted_at"] is not None:
            events.append((row["posted_at"], {"id": row["id"], "text": row["text"], "time": row["posted_at"]}))
            events += [
                (
                    repost["reposted_at"],
                    {"repost_of": row["id"], "text": repost["text"], "time": repost["reposted_at"]},
                )
                for repost in row["reposts"]
                if repost["reposted_at"] is not None
            ]
    events.sort(key=lambda event: event[0])
    for turn in count():
        for _, event in events:
            key = "repost_of" if "repost_of" in event else "id"
            yield json.dumps({**event, key: f"{turn}-{event[key]}"}, ensure_ascii=False) + "\n"


def main():
    """Print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--data_path", type=Path, required=True)
    parser.add_argument("--events", type=int, default=1_000_000)
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file, decisions = Path(folder) / "events.jsonl", Path(folder) / "decisions.jsonl"
        with file.open("w", encoding="utf-8") as stream:
            stream.writelines(islice(events_of(flags.data_path), flags.events))
        command = [sys.executable, "-m", "hf_rumor", "watch", flags.model, str(file), "--output", str(decisions)]
        start, size, largest, early = time.monotonic(), file.stat().st_size, 0, 0
        with subprocess.Popen([*command, "--state", f"{folder}/state.db"]) as running:
            process = psutil.Process(running.pid)
            while running.poll() is None:
                largest = max(largest, process.memory_info().rss)
                position = next((opened.position for opened in process.open_files() if opened.path == str(file)), 0)
                early = early if position > size / 10 else largest
                time.sleep(0.2)
        seconds = time.monotonic() - start
        state = (Path(folder) / "state.db").stat().st_size
        print(
            f"{flags.events:,} events in {seconds:.0f} s: {flags.events / seconds:,.0f} per second; largest memory "
            f"{early / 1e6:.0f} MB in the first tenth, {largest / 1e6:.0f} MB in all; state {state / 1e6:.0f} MB; "
            f"{decisions.read_text(encoding='utf-8').count(chr(10)):,} decisions"
        )


if __name__ == "__main__":
    main()
