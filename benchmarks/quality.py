"""Claim: what makes a training step of hf_rumor fast costs no quality.

Trains the same encoder on the same posts, with several seeds of split and training, in these ways:

plain   fp32, SDPA, posts in random order, dropout as torch draws it;
fast    as a run on this machine: precision auto, batches of similar length, dropout drawn in bulk;
frozen  as fast, with --freeze_embeddings.

    python benchmarks/quality.py --data_path Rumor_Dataset.zip --model_name_or_path me5-small-zh

Prints macro-F1 on validation posts after the last epoch; the test posts are not used.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from transformers import DataCollatorWithPadding, TrainingArguments, set_seed

from hf_rumor.corpus.arrow import load_corpus
from hf_rumor.corpus.parts import split_corpus
from hf_rumor.models.encoders import freeze_embeddings, load_encoder
from hf_rumor.models.inputs import InputConfig
from hf_rumor.training.hardware import choose_precision, detect_hardware
from hf_rumor.training.losses import make_loss
from hf_rumor.training.tokenization import tokenize
from hf_rumor.training.trainer import RumorTrainer
from hf_rumor.training.validation import ValidationMetrics


def train(data, name, seed, way, epochs):
    """Return macro-F1 on validation, and the seconds of training."""
    set_seed(seed)
    loss = make_loss("bce", {}, labels=data["train"]["label"][:])
    model, tokenizer = load_encoder(name, loss.activation, 256, pooling="mean")
    hardware = detect_hardware(use_cpu=False)
    precision = "fp32" if way == "plain" else choose_precision("auto", hardware)[0]
    if way == "frozen":
        freeze_embeddings(model)
    with tempfile.TemporaryDirectory() as folder:
        args = TrainingArguments(
            folder,
            use_cpu=hardware.device == "cpu",
            seed=seed,
            learning_rate=1e-4,
            warmup_steps=0.1,
            per_device_train_batch_size=16,
            per_device_eval_batch_size=16,
            num_train_epochs=epochs,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            bf16=precision == "bf16",
            fp16=precision == "fp16",
            train_sampling_strategy="random" if way == "plain" else "group_by_length",
        )
        trainer = RumorTrainer(
            loss=loss,
            layer_lr_decay=0.9,
            speed_up=way != "plain",
            model=model,
            args=args,
            train_dataset=data["train"],
            eval_dataset=data["validation"],
            data_collator=DataCollatorWithPadding(tokenizer),
            processing_class=tokenizer,
            compute_metrics=ValidationMetrics(loss.activation),
        )
        start = time.perf_counter()
        trainer.train()
        return trainer.evaluate()["eval_macro_f1"], time.perf_counter() - start


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_path", type=Path, default=Path("data/sample"))
    parser.add_argument("--model_name_or_path", default="mini")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--ways", nargs="+", default=["frozen", "plain", "fast"], choices=["plain", "fast", "frozen"])
    arguments = parser.parse_args()
    corpus = load_corpus(arguments.data_path)
    values = {way: [] for way in arguments.ways}
    for seed in range(arguments.seeds):
        data = split_corpus(corpus, "grouped", seed=seed).dataset
        _, tokenizer = load_encoder(arguments.model_name_or_path, "sigmoid", 256)
        encoded = tokenize(data, tokenizer, InputConfig(256))
        for way in arguments.ways:
            value, seconds = train(encoded, arguments.model_name_or_path, seed, way, arguments.epochs)
            values[way].append(value)
            print(f"seed {seed}, {way}: macro-F1 {value:.4f} after {seconds:.0f} s", flush=True)
    print("| way | macro-F1 on validation, mean | range |\n|---|---|---|")
    for way, scores in values.items():
        print(f"| {way} | {statistics.mean(scores):.4f} | {min(scores):.4f} to {max(scores):.4f} |")


if __name__ == "__main__":
    main()
