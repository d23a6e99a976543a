"""Claim: a run that is killed (SIGKILL) at any moment ends, after the same command again, as if it had not been.

    python benchmarks/kills.py --kills 20

For each stage of a short run on the sample: starts it in a new folder with a new cache, kills it at a random moment of
that stage (the run that is left alone says how long it is), starts it again, and compares weights and predictions bit
for bit, and the names of all files, with the run that was left alone. Prints a line for each stage; exit status 1 if
anything differs.
"""

import argparse
import itertools
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path


CHECKOUT = Path(__file__).resolve().parents[1]
FLAGS = ["mini", "--data_path", str(CHECKOUT / "data" / "sample"), "--precision", "fp32", "--report_to", "none"]
FLAGS += ["--max_steps", "12", "--save_strategy", "steps", "--save_steps", "2", "--eval_strategy", "steps"]
FLAGS += ["--eval_steps", "2"]
# Stage -> the line with which it starts; it ends with the line of the next one, or the process.
STAGES = {
    "start and Arrow": "",
    "near-duplicates and tokens": "corpus: ",
    "training and checkpoints": "steps: ",
    "calibration and report": "epoch 0.706",
}
COMPARED = ("model.safetensors", "predictions.jsonl", "config.json", "tokenizer.json", "recipe.yaml")


def start(root):
    """Start the run in a folder of its own."""
    environment = {"HF_RUMOR_CACHE": str(root / "cache"), "HF_HUB_OFFLINE": "1", "PATH": "/usr/bin:/bin"}
    words = [sys.executable, "-m", "hf_rumor", "train", *FLAGS, "--output_dir", str(root / "out")]
    return subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment)


def finish(root):
    """Run to the end; return the files of the folder by name, those of the cache, and the seconds of each stage."""
    run, lines, times = start(root), [], {"": time.monotonic()}
    for told in run.stderr:
        lines.append(told)
        times |= {line: time.monotonic() for line in STAGES.values() if line not in times and told.startswith(line)}
    if run.wait():
        raise SystemExit(f"expected the run to end well, got {run.returncode}:\n{''.join(lines)}")
    moments = [*times.values(), time.monotonic()]
    lengths = [after - before for before, after in itertools.pairwise(moments)]
    out = {str(path.relative_to(root)): path for path in (root / "out").rglob("*") if path.is_file()}
    cache = {str(path.relative_to(root)) for path in (root / "cache").rglob("*") if path.suffix != ".lock"}
    return out, cache, lengths


def kill(root, line, seconds):
    """Kill the run so many seconds after it told a line; return whether it was still there."""
    run = start(root)
    seen = threading.Event()

    def read():
        for told in run.stderr:
            if told.startswith(line):
                seen.set()

    if not line:
        seen.set()
    reader = threading.Thread(target=read)
    reader.start()
    while not seen.wait(0.01):
        if run.poll() is not None:
            return False
    time.sleep(seconds)
    alive = run.poll() is None
    run.kill()
    run.wait()
    reader.join()
    run.stderr.close()
    return alive


def main():
    """Kill and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=5, help="for each stage (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    told = parser.parse_args()
    generator, failed = random.Random(told.seed), 0
    with tempfile.TemporaryDirectory() as folder:
        expected, expected_cache, lengths = finish(Path(folder) / "alone")
        for (stage, line), longest in zip(STAGES.items(), lengths, strict=True):
            num_alive = num_equal = 0
            for number in range(told.kills):
                root = Path(folder) / f"{stage} {number}"
                num_alive += kill(root, line, generator.uniform(0, longest))
                found, cache, _ = finish(root)
                differing = [
                    name
                    for name in COMPARED
                    if found[f"out/{name}"].read_bytes() != expected[f"out/{name}"].read_bytes()
                ]
                odd = sorted((found.keys() ^ expected.keys()) | (cache ^ expected_cache))
                num_equal += not differing and not odd
                if differing or odd:
                    print(f"{stage}, kill {number}: differing {differing}, files {odd[:6]}")
            failed += num_equal < told.kills
            print(
                f"{stage}, {longest:.1f} s: {told.kills} kills, {num_alive} before the run's end; "
                f"{num_equal} ended the same",
                flush=True,
            )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
