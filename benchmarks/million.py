"""Claim: a million posts can be processed; the streaming stages need at most 15% more memory for ten times the posts.

    python benchmarks/million.py --posts 100000 1000000 --predict MODEL

Multiplies and mutates the sample into JSON lines, then measures each stage in its own process: JSON lines to Arrow,
clean posts (in memory), near-duplicate groups (in memory), tokenization, ten training steps of `mini` with
--streaming, and predictions of a model. Prints seconds and peak memory for each number of posts, and the ratio.
"""

import argparse
import json
import os
import platform
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hf_rumor.corpus.arrow import load_corpus


SAMPLE = Path(__file__).parents[1] / "data" / "sample"

START = """
import logging, sys
from pathlib import Path
logging.disable()
path = Path(sys.argv[1])
def from_arrow():
    import datasets
    datasets.disable_progress_bars()
    files = sorted(Path(sys.argv[2]).rglob("million/*/*-train*.arrow"))
    return datasets.concatenate_datasets([datasets.Dataset.from_file(str(file)) for file in files])
"""
STAGES = {
    "to Arrow": """
from hf_rumor.corpus.cache import _from_cache
from hf_rumor.corpus.columns import Columns
_from_cache(path, Columns(), "million")
""",
    "clean posts": """
from hf_rumor.corpus.arrow import load_corpus
load_corpus(path)
""",
    "near-duplicate groups": """
from hf_rumor.corpus.arrow import load_corpus
from hf_rumor.corpus.near_duplicates import find_near_duplicates
find_near_duplicates(load_corpus(path).posts["text"][:])
""",
    "tokenization": """
from datasets import DatasetDict
from hf_rumor.models.encoders import load_encoder
from hf_rumor.models.inputs import InputConfig
from hf_rumor.training.tokenization import tokenize
posts = from_arrow()
_, tokenizer = load_encoder("mini", "sigmoid", 256)
tokenize(DatasetDict(train=posts), tokenizer, InputConfig(256))
""",
    "ten steps with --streaming": """
from transformers import DataCollatorWithPadding, TrainingArguments
from hf_rumor.training.losses import make_loss
from hf_rumor.models.encoders import load_encoder
from hf_rumor.models.inputs import InputConfig
from hf_rumor.training.streaming import PostStream
from hf_rumor.training.trainer import RumorTrainer
posts = from_arrow()
loss = make_loss("bce", {}, labels=[0, 1])
model, tokenizer = load_encoder("mini", "sigmoid", 256)
stream = PostStream(posts, tokenizer, InputConfig(256), batch_size=16, grouped=True, seed=0)
args = TrainingArguments(sys.argv[2] + "/out", use_cpu=True, max_steps=10, per_device_train_batch_size=16,
                         save_strategy="no", report_to=[], disable_tqdm=True, dataloader_pin_memory=False)
RumorTrainer(loss=loss, model=model, args=args, train_dataset=stream,
             data_collator=DataCollatorWithPadding(tokenizer)).train()
""",
    "predict": """
from hf_rumor.cli.main import main
sys.exit(main(["predict", sys.argv[3], str(path), "--output", f"{path}.out", *sys.argv[4:]]))
""",
}


def write(path, num_posts):
    """Write posts of the sample with swapped characters and a number, half of them followed by another post."""
    dataset = load_corpus(SAMPLE).posts
    posts = list(zip(dataset["text"][:], dataset["label"][:], strict=True))
    generator = random.Random(0)
    with path.open("w", encoding="utf-8") as file:
        for number in range(num_posts):
            text, label = generator.choice(posts)
            characters = list(text)
            for _ in range(generator.randrange(2, 40)):
                one, other = generator.randrange(len(characters)), generator.randrange(len(characters))
                characters[one], characters[other] = characters[other], characters[one]
            text = f"{''.join(characters)}{number}"
            if generator.random() < 0.5:
                text += generator.choice(posts)[0]
            file.write(json.dumps({"id": str(number), "text": text, "label": label}, ensure_ascii=False) + "\n")


def measure(words, cache):
    """Return the seconds of a process, and its peak memory in MB without mapped files."""
    environment = os.environ | {"HF_RUMOR_CACHE": str(cache), "HF_HUB_OFFLINE": "1"}
    start, peak = time.perf_counter(), 0
    running = subprocess.Popen([sys.executable, *map(str, words)], env=environment, stdout=subprocess.DEVNULL)
    while running.poll() is None:
        match = re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{running.pid}/status").read_text(encoding="utf-8"))
        peak = max(peak, int(match[1]) if match else 0)
        time.sleep(0.05)
    if running.returncode:
        sys.exit(f"{words[:3]} failed with exit status {running.returncode}")
    return time.perf_counter() - start, peak / 1024


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--without", nargs="*", default=[], choices=STAGES, help="stages to skip")
    parser.add_argument(
        "--predict", nargs=argparse.REMAINDER, help="arguments of hf-rumor predict: MODEL [--flag ...]"
    )
    arguments = parser.parse_args()
    skipped = {*arguments.without, *(() if arguments.predict else ("predict",))}
    print(f"{platform.platform()}, {os.cpu_count()} cores")
    print("| stage | posts | seconds | peak memory, MB | ratio to previous line |\n|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for num_posts in arguments.posts:
            write(root / f"{num_posts}.jsonl", num_posts)
        for stage, code in STAGES.items():
            before = 0.0
            for num_posts in arguments.posts if stage not in skipped else ():
                words = ["-c", START + code, root / f"{num_posts}.jsonl", root / str(num_posts)]
                words += arguments.predict or []
                seconds, peak = measure(words, root / str(num_posts))
                ratio = f"{peak / before:.2f}" if before else ""
                print(f"| {stage} | {num_posts:,} | {seconds:.0f} | {peak:,.0f} | {ratio} |", flush=True)
                before = peak


if __name__ == "__main__":
    main()
