"""Claim: training with 24 h of reposts takes at most twice as long as training on the text alone.

    python benchmarks/repost_time.py --data_path Rumor_Dataset.zip

Trains `mini` without and with reposts, one after the other, each with an empty cache, so that reading the corpus and
its reposts is part of the time. Nothing else should run on the machine. Prints the seconds and their ratio.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time


def main():
    """Print the seconds of both runs, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_path", required=True)
    path = parser.parse_args().data_path
    seconds = {}
    for reposts in ("none", "24h"):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "hf_rumor", "train", "mini", "--data_path", path, "--reposts", reposts]
            start = time.perf_counter()
            environment = os.environ | {"HF_RUMOR_CACHE": f"{folder}/cache"}
            subprocess.run([*command, "--output_dir", f"{folder}/out"], env=environment, check=True)
            seconds[reposts] = time.perf_counter() - start
    print(*(f"{name}: {value:.0f} s" for name, value in seconds.items()), sep="; ")
    print(f"ratio: {seconds['24h'] / seconds['none']:.2f}")


if __name__ == "__main__":
    main()
