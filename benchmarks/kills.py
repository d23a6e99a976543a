"""Claim: a run that is killed (SIGKILL) at any moment ends, after the same command again, as if it had not been.

    python benchmarks/kills.py --kills 20

For each stage of a short run on the sample: starts it in a new folder with a new cache, kills it at a random moment of
that stage (the run that is left alone says how long it is), starts it again, and compares weights and predictions bit
for bit, and the names of all files, with the run that was left alone. Before these stages, the download of a megabyte
from a slow server on loopback, in a process of its own. Prints a line for each stage; exit status 1 if anything
differs.
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
# Stage -> the line with which it starts; it ends with the line of the next one, or the process.
STAGES = {
    "start and Arrow": "",
    "near-duplicates and tokens": "corpus: ",
    "training and checkpoints": "steps: ",
    "calibration and report": "calibration: ",
}
COMPARED = ("model.safetensors", "predictions.jsonl", "config.json", "tokenizer.json", "recipe.yaml")


def start(root):
    """Start the run in a folder of its own."""
    environment = {"HF_RUMOR_CACHE": str(root / "cache"), "HF_HUB_OFFLINE": "1", "PATH": "/usr/bin:/bin"}
    environment["PYTHONPATH"] = str(CHECKOUT)
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


class SlowServer(BaseHTTPRequestHandler):
    """Sends the same megabyte to all, in a second."""

    content = os.urandom(1 << 20)

    def do_GET(self):
        """Send it, in sixteen parts."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        try:
            for start in range(0, len(self.content), 1 << 16):
                self.wfile.write(self.content[start : start + (1 << 16)])
                time.sleep(1 / 16)
        except ConnectionError:  # the one who asked was killed
            pass

    def log_message(self, *args):
        """Say nothing."""


def kill_downloads(folder, kills, generator):
    """Kill downloads and do them again; return whether all ended the same."""
    code = "import sys; from pathlib import Path; from hf_rumor.corpus import sources; "
    code += "sources.check_published = lambda path: None; sources.download(sys.argv[1], Path(sys.argv[2]))"
    server = ThreadingHTTPServer(("127.0.0.1", 0), SlowServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def words(place):
        return [sys.executable, "-c", code, f"http://127.0.0.1:{server.server_port}/", str(place / "corpus.zip")]

    start = time.monotonic()
    subprocess.run(words(folder / "alone"), check=True)
    longest, num_alive, num_equal = time.monotonic() - start, 0, 0
    for number in range(kills):
        place = folder / str(number)
        run = subprocess.Popen(words(place))
        time.sleep(generator.uniform(0, longest))
        num_alive += run.poll() is None
        run.kill()
        run.wait()
        subprocess.run(words(place), check=True)
        names = [path.name for path in place.iterdir()]
        num_equal += names == ["corpus.zip"] and (place / "corpus.zip").read_bytes() == SlowServer.content
    server.shutdown()
    tell("download", longest, kills, num_alive, num_equal)
    return num_equal == kills


def tell(stage, longest, kills, num_alive, num_equal):
    """Print the line of a stage."""
    print(
        f"{stage}, {longest:.1f} s: {kills} kills, {num_alive} before the end; {num_equal} ended the same", flush=True
    )


def main():
    """Kill and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=5, help="for each stage (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    told = parser.parse_args()
    generator, failed = random.Random(told.seed), 0
    with tempfile.TemporaryDirectory() as folder:
        failed += not kill_downloads(Path(folder) / "downloads", told.kills, generator)
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
            tell(stage, longest, told.kills, num_alive, num_equal)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
