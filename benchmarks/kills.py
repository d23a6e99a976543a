"""Claim: a run that is killed (SIGKILL) at any moment and rerun with the same command ends with the same files.

    python benchmarks/kills.py --kills 20

For each stage of a short run on the sample: starts it in a new folder with a new cache, kills it at a random moment of
that stage, reruns it, and compares weights and predictions bit for bit, and the names of all files, with an
uninterrupted run, which also measures the length of each stage. The first stage is the download of a megabyte from a
slow server on loopback. Prints one line per stage; exit status 1 if anything differs.
"""

import argparse
import itertools
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


CHECKOUT = Path(__file__).resolve().parents[1]
FLAGS = ["mini", "--data_path", str(CHECKOUT / "data" / "sample"), "--precision", "fp32", "--report_to", "none"]
FLAGS += ["--max_steps", "12", "--save_strategy", "steps", "--save_steps", "2", "--eval_strategy", "steps"]
FLAGS += ["--eval_steps", "2"]
# Stage -> the log line at its start; it ends with the line of the next stage, or with the process.
STAGES = {
    "start and Arrow": "",
    "near-duplicates and tokens": "corpus: ",
    "training and checkpoints": "steps: ",
    "calibration and report": "threshold: ",
}
COMPARED = ("model.safetensors", "predictions.jsonl", "config.json", "tokenizer.json", "recipe.yaml")


def start(root):
    """Start the run in its own folder."""
    environment = {"HF_RUMOR_CACHE": str(root / "cache"), "HF_HUB_OFFLINE": "1", "PATH": "/usr/bin:/bin"}
    environment["PYTHONPATH"] = str(CHECKOUT)
    words = [sys.executable, "-m", "hf_rumor", "train", *FLAGS, "--output_dir", str(root / "out")]
    return subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment)


def finish(root):
    """Run to the end; return the files of the folder by name, those of the cache, and the seconds of each stage."""
    run, lines, times = start(root), [], {"": time.monotonic()}
    for line in run.stderr:
        lines.append(line)
        times |= {
            first: time.monotonic() for first in STAGES.values() if first not in times and line.startswith(first)
        }
    if run.wait():
        raise SystemExit(f"the run failed with exit status {run.returncode}:\n{''.join(lines)}")
    moments = [*times.values(), time.monotonic()]
    lengths = [after - before for before, after in itertools.pairwise(moments)]
    out = {str(path.relative_to(root)): path for path in (root / "out").rglob("*") if path.is_file()}
    cache = {str(path.relative_to(root)) for path in (root / "cache").rglob("*") if path.suffix != ".lock"}
    return out, cache, lengths


def kill(root, first_line, seconds):
    """Kill the run some seconds after it logged the first line of a stage; return whether it was still running."""
    run = start(root)
    if first_line:
        next((line for line in run.stderr if line.startswith(first_line)), None)
    threading.Thread(target=run.stderr.read, daemon=True).start()  # so that the run does not wait for a full pipe
    time.sleep(seconds)
    is_running = run.poll() is None
    run.kill()
    run.wait()
    return is_running


class SlowServer(BaseHTTPRequestHandler):
    """Sends the same megabyte to every client, in a second."""

    content = os.urandom(1 << 20)

    def do_GET(self):
        """Send the megabyte in sixteen parts."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        try:
            for start in range(0, len(self.content), 1 << 16):
                self.wfile.write(self.content[start : start + (1 << 16)])
                time.sleep(1 / 16)
        except ConnectionError:  # the client was killed
            pass

    def log_message(self, *args):
        """Log nothing."""


def kill_downloads(folder, kills, generator):
    """Kill and repeat downloads; return whether all ended the same."""
    code = "import sys; from pathlib import Path; from hf_rumor.corpus import sources; "
    code += "sources.check_published = lambda path: None; sources.download(sys.argv[1], Path(sys.argv[2]))"
    server = ThreadingHTTPServer(("127.0.0.1", 0), SlowServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def words(target):
        return [sys.executable, "-c", code, f"http://127.0.0.1:{server.server_port}/", str(target / "corpus.zip")]

    start = time.monotonic()
    subprocess.run(words(folder / "uninterrupted"), check=True)
    longest, num_alive, num_equal = time.monotonic() - start, 0, 0
    for number in range(kills):
        target = folder / str(number)
        run = subprocess.Popen(words(target))
        time.sleep(generator.uniform(0, longest))
        num_alive += run.poll() is None
        run.kill()
        run.wait()
        subprocess.run(words(target), check=True)
        names = [path.name for path in target.iterdir()]
        num_equal += names == ["corpus.zip"] and (target / "corpus.zip").read_bytes() == SlowServer.content
    server.shutdown()
    print_stage("download", longest, kills, num_alive, num_equal)
    return num_equal == kills


def print_stage(stage, longest, kills, num_alive, num_equal):
    """Print the line of a stage."""
    print(
        f"{stage}, {longest:.1f} s: {kills} kills, {num_alive} before the end; {num_equal} with equal files",
        flush=True,
    )


def main():
    """Kill and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=5, help="for each stage (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    generator = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        all_equal = kill_downloads(Path(folder) / "downloads", arguments.kills, generator)
        expected, expected_cache, lengths = finish(Path(folder) / "uninterrupted")
        for (stage, first_line), longest in zip(STAGES.items(), lengths, strict=True):
            num_alive = num_equal = 0
            for number in range(arguments.kills):
                root = Path(folder) / f"{stage} {number}"
                num_alive += kill(root, first_line, generator.uniform(0, longest))
                files, cache, _ = finish(root)
                paths = [f"out/{name}" for name in COMPARED]
                differing = [path for path in paths if files[path].read_bytes() != expected[path].read_bytes()]
                unexpected = sorted((files.keys() ^ expected.keys()) | (cache ^ expected_cache))
                num_equal += not differing and not unexpected
                if differing or unexpected:
                    print(f"{stage}, kill {number}: differing {differing}, added or missing {unexpected[:6]}")
            all_equal &= num_equal == arguments.kills
            print_stage(stage, longest, arguments.kills, num_alive, num_equal)
    return 0 if all_equal else 1


if __name__ == "__main__":
    sys.exit(main())
