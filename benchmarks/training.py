"""Claim: hf_rumor trains on several times as many posts per second as a hand-written loop or the usual defaults.

Trains the same encoder on the same posts in five ways, in alternating rounds. Each training has its own process, so
that no way profits from settings of another:

(a) a hand-written loop: every post padded to 256 tokens, batches of 4, fp32;
(b) the defaults of `run_classification.py` of transformers: padded to 128, batches of 8, fp32, plain Trainer;
(c) hf_rumor: batches of 16 of similar length, padded to the longest post, bf16 if the hardware supports it, dropout
    drawn in bulk, freed memory kept;
(d) as (c), with `--freeze_embeddings`;
(e) as (c), without the faster operations for CPUs (`hf_rumor.models.cpu`).

    python benchmarks/training.py --data_path Rumor_Dataset.zip --model_name_or_path me5-small-zh --output now.json

Prints posts per second (median and range over the rounds), ratios, FLOP/s beside the measured peak of a matrix
product, and the peak memory of the process.
"""

import argparse
import json
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import torch
from datasets import Dataset
from torch.utils.data import DataLoader
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    DataCollatorWithPadding,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    default_data_collator,
)

from hf_rumor.corpus.arrow import load_corpus
from hf_rumor.models.encoders import freeze_embeddings, load_encoder
from hf_rumor.training.hardware import choose_precision, detect_hardware
from hf_rumor.training.losses import make_loss
from hf_rumor.training.trainer import RumorTrainer


WARM_UP = 2  # steps that are not timed


class Clock(TrainerCallback):
    """Times the steps after the warm-up."""

    def on_step_end(self, args, state, control, **kwargs):
        """Start after the warm-up, and update the seconds after each further step."""
        if state.global_step == WARM_UP:
            self.start = time.perf_counter()
        if args.device.type == "cuda":
            torch.cuda.synchronize()
        if state.global_step > WARM_UP:
            self.seconds = time.perf_counter() - self.start


def load_model(name):
    """Return an encoder with a new head, and its tokenizer; without a name, a BERT with random weights."""
    if name:
        tokenizer = AutoTokenizer.from_pretrained(name)
        return AutoModelForSequenceClassification.from_pretrained(name, dtype=torch.float32), tokenizer
    _, tokenizer = load_encoder("mini", "sigmoid", 256)
    return BertForSequenceClassification(BertConfig(vocab_size=len(tokenizer))), tokenizer


def encode(posts, tokenizer, length, padding):
    """Return the labels and token ids of the posts."""
    encoded = tokenizer(posts["text"][:], truncation=True, max_length=length, padding=padding)
    names = ("input_ids", "attention_mask")
    return Dataset.from_dict({"labels": posts["label"][:], **{name: encoded[name] for name in names}})


def make_arguments(device, folder, batch_size, **settings):
    """Return the arguments of Trainer for one epoch."""
    return TrainingArguments(
        folder,
        use_cpu=device == "cpu",
        per_device_train_batch_size=batch_size,
        num_train_epochs=1,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        dataloader_pin_memory=device != "cpu",
        **settings,
    )


def hand_written(posts, name, device, folder):
    """(a) Return posts per second, and padded tokens per post."""
    model, tokenizer = load_model(name)
    model.to(device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5)
    data = encode(posts, tokenizer, 256, "max_length").with_format("torch")
    start = 0.0
    for step, batch in enumerate(DataLoader(data, batch_size=4, shuffle=True), 1):
        inputs = {key: value.to(device) for key, value in batch.items()}
        loss = model(**inputs).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        loss.item()
        if step == WARM_UP:
            start = time.perf_counter()
    return (step - WARM_UP) * 4 / (time.perf_counter() - start), 256


def run_classification(posts, name, device, folder):
    """(b) Return posts per second, and padded tokens per post."""
    model, tokenizer = load_model(name)
    args, clock = make_arguments(device, folder, 8), Clock()
    data = encode(posts, tokenizer, 128, "max_length")
    trainer = Trainer(model, args, train_dataset=data, data_collator=default_data_collator, callbacks=[clock])
    trainer.train()
    return (trainer.state.global_step - WARM_UP) * 8 / clock.seconds, 128


def ours(posts, name, device, folder, frozen=False, speed_up=True):
    """(c), (d) if frozen, or (e) without speed_up: return posts per second, and padded tokens per post."""
    model, tokenizer = load_model(name)
    if frozen:
        freeze_embeddings(model)
    precision, _ = choose_precision("auto", detect_hardware(use_cpu=device == "cpu"))
    mixed = {"bf16": precision == "bf16", "fp16": precision == "fp16"}
    args = make_arguments(device, folder, 16, train_sampling_strategy="group_by_length", **mixed)
    clock, tokens = Clock(), []

    class Counting(DataCollatorWithPadding):
        def __call__(self, features):
            batch = super().__call__(features)
            tokens.append(batch["input_ids"].shape[1])
            return batch

    data = encode(posts, tokenizer, 256, False)
    trainer = RumorTrainer(
        loss=make_loss("bce", {}, labels=[0, 1]),
        speed_up=speed_up,
        model=model,
        args=args,
        train_dataset=data,
        data_collator=Counting(tokenizer, pad_to_multiple_of=2 if device == "cpu" else 8),
        callbacks=[clock],
    )
    trainer.train()
    return (trainer.state.global_step - WARM_UP) * 16 / clock.seconds, statistics.mean(tokens)


def peak(device, dtype):
    """Return the FLOP/s of a large matrix product."""
    size = 8192 if device == "cuda" else 2048
    a = torch.randn(size, size, device=device, dtype=dtype)
    best = 0.0
    for _ in range(5):
        start = time.perf_counter()
        a @ a
        if device == "cuda":
            torch.cuda.synchronize()
        best = max(best, 2 * size**3 / (time.perf_counter() - start))
    return best


def flops_per_post(name, tokens):
    """Return the operations of a forward and a backward pass over a post with `tokens` tokens."""
    model, _ = load_model(name)
    weights = sum(value.numel() for key, value in model.named_parameters() if "embeddings" not in key)
    layers, width = model.config.num_hidden_layers, model.config.hidden_size
    return 6 * weights * tokens + 12 * layers * width * tokens**2


def measure(way, arguments, device):
    """Train in one way; return posts per second, tokens per post and the peak memory."""
    posts = load_corpus(arguments.data_path).posts.shuffle(seed=0).select(range(arguments.posts))
    with tempfile.TemporaryDirectory() as folder:
        speed, tokens = WAYS[way](posts, arguments.model_name_or_path, device, folder)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if device == "cuda":
        memory = torch.cuda.max_memory_allocated() / 2**20
    return {"speed": speed, "tokens": tokens, "memory": memory}


def measure_elsewhere(way):
    """Return the result of `measure` in a new process."""
    done = subprocess.run([sys.executable, __file__, *sys.argv[1:], "--way", way], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.splitlines()[-1])


WAYS = {
    "(a) hand-written loop": hand_written,
    "(b) run_classification": run_classification,
    "(c) hf_rumor": ours,
    "(d) hf_rumor, frozen embeddings": partial(ours, frozen=True),
    "(e) hf_rumor, plain operations": partial(ours, speed_up=False),
}


def compare(ours, others):
    """Return the ratio of the medians, and the range of the ratios within a round."""
    ratios = [our / other for our, other in zip(ours, others, strict=True)]
    return f"{statistics.median(ours) / statistics.median(others):.1f}x ({min(ratios):.1f} to {max(ratios):.1f})"


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_path", type=Path, default=Path("data/sample"))
    parser.add_argument("--model_name_or_path", help="an encoder; default: bert-base with random weights")
    parser.add_argument("--posts", type=int, default=192)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, help="write the numbers as JSON")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if arguments.way:
        print(json.dumps(measure(arguments.way, arguments, device)))
        return
    records = {way: [] for way in WAYS}
    for _ in range(arguments.rounds):
        for way in WAYS:
            records[way].append(measure_elsewhere(way))
    peaks = {"fp32": peak(device, torch.float32), "bf16": peak(device, torch.bfloat16)}
    machine = torch.cuda.get_device_name() if device == "cuda" else platform.processor() or platform.machine()
    print(f"{machine}, {torch.get_num_threads()} threads, torch {torch.__version__}; {arguments.posts} posts")
    rates = ", ".join(f"{key} {value / 1e9:,.0f} GFLOP/s" for key, value in peaks.items())
    print(f"peak of a matrix product: {rates}")
    print("| way | posts/s (range) | tokens per post | GFLOP/s | peak memory, MB | (c) is | (d) is |")
    print("|---|---|---|---|---|---|---|")
    speeds = {way: [record["speed"] for record in records[way]] for way in WAYS}
    for way, values in speeds.items():
        median = statistics.median(values)
        tokens = statistics.mean(record["tokens"] for record in records[way])
        memory = max(record["memory"] for record in records[way])
        rate = median * flops_per_post(arguments.model_name_or_path, tokens) / 1e9
        ratios = " | ".join(compare(speeds[ours], values) for ours in list(WAYS)[2:4])
        print(
            f"| {way} | {median:.2f} ({min(values):.2f} to {max(values):.2f}) | {tokens:.0f} | {rate:,.0f} "
            f"| {memory:,.0f} | {ratios} |"
        )
    if arguments.output:
        numbers = {"machine": machine, "records": records, "peaks": peaks}
        arguments.output.write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
