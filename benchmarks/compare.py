"""Run a benchmark of this checkout and of another one, alternating, and print their numbers side by side.

    git worktree add /tmp/before HEAD~1
    python benchmarks/compare.py /tmp/before training.py --data_path Rumor_Dataset.zip --model_name_or_path mini

Each checkout runs its own copy of the script with its own package and cache. Flags after the script are passed to it.
A number that differs is printed as `before -> after`: the medians over the rounds.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path


CHECKOUT = Path(__file__).resolve().parents[1]
NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?")
HOLE = "\0"  # replaces a number


def run(checkout, script, flags, cache):
    """Return the output of the script of a checkout, line by line."""
    environment = os.environ | {"PYTHONPATH": str(checkout), "HF_RUMOR_CACHE": str(cache)}
    words = [sys.executable, str(checkout / "benchmarks" / script), *flags]
    done = subprocess.run(words, cwd=checkout, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    return [*done.stdout.splitlines(), f"exit status {done.returncode}"]


def numbers_by_line(outputs):
    """Return the medians of the numbers of each line; lines are matched by their words."""
    values = defaultdict(list)
    for output in outputs:
        counts = Counter()
        for line in output:
            words = " ".join(NUMBER.sub(HOLE, line).split())
            counts[words] += 1
            values[words, counts[words]].append([float(number.replace(",", "")) for number in NUMBER.findall(line)])
    return {
        line: [statistics.median(column) for column in zip(*rounds, strict=True)] for line, rounds in values.items()
    }


def side_by_side(before, after):
    """Yield the lines of `after`, with the numbers of `before` where they differ, then the lines only in `before`."""
    for line, numbers in after.items():
        pairs = zip(before.get(line, numbers), numbers, strict=True)
        texts = [f"{new:g}" if old == new else f"{old:g} -> {new:g}" for old, new in pairs]
        yield fill(line, texts) + ("" if line in before else "  (only after)")
    for line, numbers in before.items():
        if line not in after:
            yield fill(line, [f"{number:g}" for number in numbers]) + "  (only before)"


def fill(line, texts):
    """Return a line with its numbers replaced by texts."""
    return "".join(part for pair in zip(line[0].split(HOLE), [*texts, ""], strict=True) for part in pair)


def main():
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("folder", type=Path, help="the other checkout")
    parser.add_argument("script", help="file in benchmarks/")
    parser.add_argument("flags", nargs=argparse.REMAINDER, help="flags of the script")
    arguments = parser.parse_args()
    flags = [str(Path(flag).resolve()) if Path(flag).exists() else flag for flag in arguments.flags]
    before, after = [], []
    with tempfile.TemporaryDirectory() as caches:
        for _ in range(arguments.rounds):
            before.append(run(arguments.folder.resolve(), arguments.script, flags, Path(caches) / "before"))
            after.append(run(CHECKOUT, arguments.script, flags, Path(caches) / "after"))
    print(*side_by_side(numbers_by_line(before), numbers_by_line(after)), sep="\n")


if __name__ == "__main__":
    main()
