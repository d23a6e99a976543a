"""Claim: without any one of the optimizations for CPUs, training or scoring by a recipe is at least 5% slower.

    python benchmarks/ablation.py mini --data_path Rumor_Dataset.zip
    python benchmarks/ablation.py me5_small --data_path Rumor_Dataset.zip --model_name_or_path me5-small-zh

Trains by a recipe, then scores in bf16 with an untrained head: as the package does, and without one optimization of
`hf_rumor.models.cpu` at a time. Each measurement has its own process; rounds alternate. Prints the machine, posts per
second (medians over the rounds), and the share of speed that is lost.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from unittest import mock

import torch
from transformers import TrainerCallback

from hf_rumor import RumorClassifier
from hf_rumor.config.parse import parse_arguments
from hf_rumor.corpus.arrow import posts_of
from hf_rumor.models.cpu import speed
from hf_rumor.models.cpu.features import has_amx
from hf_rumor.models.inputs import InputConfig
from hf_rumor.models.save import save_model
from hf_rumor.runs.fit import make_trainer
from hf_rumor.runs.resolve import resolve


def nothing(*_):
    """Do nothing, in place of an optimization."""


# Task -> name in the module `speed` -> what takes its place.
WITHOUT = {
    "training": {
        "attend_shortly": nothing,
        "narrow_last_layer": nothing,
        "BulkDropout": nullcontext,
        "keep_freed_memory": nothing,
    },
    "scoring": {
        **({} if has_amx() else {"attend_shortly": nothing}),
        "narrow_last_layer": nothing,
        "is_fusing_possible": bool,  # False
        "compute_side_by_side": lambda score, batches: [score(arrays) for arrays in batches],
    },
}
WARM_UP = 4  # steps that are not timed


class Clock(TrainerCallback):
    """Times the steps after the warm-up."""

    def on_step_end(self, args, state, control, **kwargs):
        """Start after the warm-up, and update the seconds after each further step."""
        if state.global_step == WARM_UP:
            self.start = time.perf_counter()
        elif state.global_step > WARM_UP:
            self.seconds = time.perf_counter() - self.start


def train(run):
    """Return the posts per second of the steps of a run."""
    trainer, clock = make_trainer(run, *run.load_model()), Clock()
    trainer.add_callback(clock)
    trainer.train()
    return (run.args.max_steps - WARM_UP) * run.args.train_batch_size / clock.seconds


def score(run):
    """Return the posts per second of a classifier on the validation and test posts of a run."""
    model, tokenizer = run.load_model()
    facts = {"activation": run.loss.activation, "inputs": vars(InputConfig(run.flags.max_length))}
    save_model(model, tokenizer, run.folder, facts)
    classifier = RumorClassifier.from_pretrained(run.folder, precision="bf16")
    posts = [*posts_of(run.data.dataset["validation"][:]), *posts_of(run.data.dataset["test"][:])]
    classifier.probabilities(posts[:64])
    start = time.perf_counter()
    classifier.predict(posts)
    return len(posts) / (time.perf_counter() - start)


def measure(task, without, words, steps):
    """Return the posts per second of a task; `without` names what is not used, or is empty."""
    with tempfile.TemporaryDirectory() as folder:
        flags = ["--output_dir", folder, "--max_steps", str(steps), "--save_strategy", "no", "--eval_strategy", "no"]
        run = resolve(parse_arguments([*words, *flags, "--report_to", "none", "--disable_tqdm", "True"]))
        with mock.patch.object(speed, without, WITHOUT[task][without]) if without else nullcontext():
            return {"training": train, "scoring": score}[task](run)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)  # task and what is not used, in a process of its own
    arguments, words = parser.parse_known_args()
    if arguments.one:
        print(json.dumps(measure(*arguments.one, words, arguments.steps)))
        return
    print(f"{platform.platform()}, {torch.get_num_threads()} threads, torch {torch.__version__}, {' '.join(words)}")
    print("| task | without | posts/s | lost |\n|---|---|---|---|")
    for task, names in WITHOUT.items():
        speeds = {name: [] for name in ("", *names)}
        for _ in range(arguments.rounds):
            for name, values in speeds.items():
                command = [sys.executable, str(Path(__file__)), "--one", task, name, "--steps", str(arguments.steps)]
                done = subprocess.run([*command, *words], stdout=subprocess.PIPE, text=True, check=True)
                values.append(json.loads(done.stdout.splitlines()[-1]))
        everything = statistics.median(speeds[""])
        for name, values in speeds.items():
            median = statistics.median(values)
            print(f"| {task} | {name or '-'} | {median:.1f} | {1 - median / everything:.0%} |", flush=True)


if __name__ == "__main__":
    main()
