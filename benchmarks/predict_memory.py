"""Peak memory of `hf-rumor predict` over 10,000 and over 100,000 posts.

Claim: ten times the posts take at most 10 % more memory.

    python benchmarks/predict_memory.py MODEL [--num_posts 10000] [-- flags of hf-rumor predict]

The posts are those of the sample, repeated, each with its number appended.
"""

import argparse
import itertools
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hf_rumor.corpus.arrow import load_corpus


SAMPLE = Path(__file__).parents[1] / "data" / "sample"


def measure(model: str, num_posts: int, flags: list[str], folder: Path) -> tuple[float, float]:
    """Return the peak memory in MB and the seconds of a job."""
    texts = load_corpus(SAMPLE).posts["text"][:]
    path = folder / f"{num_posts}.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number, text in zip(range(num_posts), itertools.cycle(texts), strict=False):
            file.write(json.dumps({"id": number, "text": f"{text}{number}"}, ensure_ascii=False) + "\n")
    command = [sys.executable, "-m", "hf_rumor", "predict", model, str(path), "--output", f"{path}.out", *flags]
    start = time.perf_counter()
    running = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(running.pid, 0)
    running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode:
        raise SystemExit(f"{' '.join(command)} failed with exit status {running.returncode}")
    return usage.ru_maxrss / 1024, time.perf_counter() - start


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--num_posts", type=int, default=10_000)
    arguments, flags = parser.parse_known_args()
    flags = [flag for flag in flags if flag != "--"]
    print(f"{platform.platform()}; {' '.join(flags) or 'no flags'}")
    print("| posts | peak memory, MB | s |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        peaks = []
        for num_posts in (arguments.num_posts, 10 * arguments.num_posts):
            peak, seconds = measure(arguments.model, num_posts, flags, Path(folder))
            peaks.append(peak)
            print(f"| {num_posts:,} | {peak:.0f} | {seconds:.0f} |", flush=True)
    print(f"\nTen times the posts: {peaks[1] / peaks[0]:.3f} times the memory.")


if __name__ == "__main__":
    main()
