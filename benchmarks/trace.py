"""Claim: the text of a post visits at most 20 files between corpus file and report, and no package twice.

    python benchmarks/trace.py

Trains two steps on the sample, with every text marked, and records the functions of hf_rumor that receive or return a
marked text. Prints the files in the order of their first visit. A text that is read from the Arrow table again
(`posts_of`) starts a new path. Exit status 1 if the claim does not hold. docs/decisions/0017 has the result.
"""

import json
import os
import sys
import tempfile
import threading
from dataclasses import fields, is_dataclass
from pathlib import Path


CHECKOUT = Path(__file__).resolve().parents[1]
PACKAGE = f"{CHECKOUT / 'hf_rumor'}/"
MARK = "独一无二的标记"
MAX_FILES = 20
FLAGS = [
    "--max_steps",
    "2",
    "--precision",
    "fp32",
    "--report_to",
    "none",
    "--eval_strategy",
    "no",
    "--save_strategy",
    "no",
]


def has_mark(value, depth=0):
    """Return whether a value is or holds a marked text."""
    if isinstance(value, str):
        return MARK in value
    if depth > 3:
        return False
    if isinstance(value, list | tuple | set | frozenset | dict):
        return any(has_mark(one, depth + 1) for one in [*value, *(value.values() if isinstance(value, dict) else ())])
    if is_dataclass(value) and type(value).__module__.startswith("hf_rumor"):
        return any(has_mark(getattr(value, field.name, None), depth + 1) for field in fields(value))
    return False


def recorder(visits):
    """Return a profile function that appends (file, function) for each call and return with a marked text."""

    def record(frame, event, result):
        code = frame.f_code
        if event not in ("call", "return") or not code.co_filename.startswith(PACKAGE):
            return
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        values = [frame.f_locals.get(name) for name in names] if event == "call" else [result]
        if any(has_mark(value) for value in values):
            visits.append((code.co_filename.removeprefix(PACKAGE), code.co_qualname))

    return record


def repeated_packages(visits):
    """Return the packages to which a path came back; a path starts in `corpus`, and again at `posts_of`."""
    repeated, left, current = set(), set(), ""
    for file, function in visits:
        package = file.split("/")[0]
        if function.startswith("posts_of"):
            left, current = set(), package
        elif package != current:
            left, current = left | {current}, package
            repeated |= {package} & left
    return repeated


def main():
    """Print the files and the verdict."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HF_RUMOR_CACHE"] = f"{folder}/cache"
        from hf_rumor.cli.main import main as run_command
        from hf_rumor.corpus.arrow import load_corpus

        posts = load_corpus(CHECKOUT / "data" / "sample").posts.select_columns(["id", "text", "label"])
        lines = [json.dumps({**post, "text": post["text"] + MARK}, ensure_ascii=False) for post in posts]
        path = Path(folder, "posts.jsonl")
        path.write_text("\n".join(lines), encoding="utf-8")
        visits = []
        threading.setprofile(recorder(visits))
        sys.setprofile(recorder(visits))
        status = run_command(["train", "mini", "--data_path", str(path), "--output_dir", f"{folder}/out", *FLAGS])
        sys.setprofile(None)
    files = list(dict.fromkeys(file for file, _ in visits))
    for file in files:
        functions = dict.fromkeys(function for place, function in visits if place == file and "<" not in function)
        print(f"{file:<32} {', '.join(functions)}")
    repeated = repeated_packages(visits)
    print(f"{len(files)} files; packages visited again: {', '.join(sorted(repeated)) or 'none'}")
    sys.exit(status or len(files) > MAX_FILES or bool(repeated))


if __name__ == "__main__":
    main()
