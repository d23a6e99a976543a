"""The flags of a run: our own, and the defaults we change in `TrainingArguments`.

Importing this module is cheap: the command line prints its help from here.
"""

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from hf_rumor.errors import ArgumentError


# Defaults that differ from those of TrainingArguments.
TRAINING_DEFAULTS: dict[str, tuple[Any, str]] = {  # flag -> default, help
    "output_dir": ("out", "Folder for the model and the report."),
    "num_train_epochs": (
        4.0,
        "Number of training epochs. If neither this nor --max_steps is given, small corpora train for up to 20 epochs "
        "to reach 150 steps.",
    ),
    "per_device_train_batch_size": (16, "Training batch size per device."),
    "per_device_eval_batch_size": (32, "Validation batch size per device."),
    "learning_rate": (5e-5, "Peak learning rate of AdamW."),
    "weight_decay": (0.01, "Weight decay of AdamW."),
    "warmup_steps": (0.06, "Number of linear warm-up steps; a value below 1 is a fraction of all steps."),
    "eval_strategy": ("epoch", "When to validate: epoch, steps or no."),
    "save_strategy": ("epoch", "When to save a checkpoint: epoch, steps, best or no."),
    "save_total_limit": (
        2,
        "Number of checkpoints to keep: the newest ones, and always the best one with --load_best_model_at_end.",
    ),
    "load_best_model_at_end": (True, "Use the checkpoint with the best validation metric, not the last one."),
    "metric_for_best_model": ("macro_f1", "Metric that selects the best checkpoint."),
    "logging_steps": (10.0, "Number of steps between two points of the training loss curve."),
    "train_sampling_strategy": (
        "group_by_length",
        "Order of training posts: group_by_length (less padding), random or sequential.",
    ),
    "report_to": ("auto", "Experiment trackers; auto: TensorBoard if it is installed."),
    "restore_callback_states_from_checkpoint": (True, "Restore the early-stopping counter when a run resumes."),
    "resume_from_checkpoint": (
        "auto",
        "Checkpoint folder to resume from. auto: resume an interrupted run in --output_dir.",
    ),
    "ddp_find_unused_parameters": (False, "Search for unused parameters in DistributedDataParallel."),
}


def _flag(default: Any, help_text: str) -> Any:
    return field(default=default, metadata={"help": help_text})


@dataclass(frozen=True)
class RunArguments:
    """The flags of a run that `transformers.TrainingArguments` does not have."""

    # Corpus
    data_path: list[str] = field(
        default_factory=lambda: ["auto"],
        metadata={
            "help": "Corpus, or several: a .csv, .tsv, .json, .jsonl, .xlsx or .parquet file, also compressed; a zip "
            "or folder that contains such files, CED, Weibo16 or Weibo17; hub:user/dataset; or a .yaml file that "
            "lists corpora. auto: data/Rumor_Dataset.zip, else the published corpus from the cache or the "
            "network, else data/sample."
        },
    )
    text_column: str | None = _flag(None, "Name of the text column; detected if not given.")
    label_column: str | None = _flag(None, "Name of the label column; detected if not given.")
    id_column: str | None = _flag(None, "Name of the id column; detected if not given.")
    label_map: str | None = _flag(
        None,
        "Meaning of each label, as JSON: "
        """'{"fake": "rumor", "real": "non-rumor", "2": null}'; null skips the posts with this label.""",
    )
    keep_copies: bool = _flag(
        False, "With several corpora: keep posts that are near-duplicates of posts in a corpus named earlier."
    )
    streaming: bool = _flag(
        False, "Tokenize training posts on the fly, without storing tokens: for corpora of millions of posts."
    )

    # Split
    split: str = _flag(
        "grouped",
        "Split into training, validation and test posts: grouped (near-duplicates stay together), random, "
        "chronological, every_8th, column (the predefined split, from the corpus column named split), or "
        "leave_out:SOURCE (one of several corpora is the test set).",
    )
    split_seed: int = _flag(0, "Seed of the split.")
    folds: int = _flag(5, "Number of folds of about equal size (grouped, random); one of them is the test set.")
    fold: int = _flag(0, "Fold to use as the test set (0, 1, ...).")

    # Reposts
    reposts: Literal["none", "10min", "1h", "6h", "24h", "all"] = _flag(
        "none",
        "Train a second model that also reads timestamped reposts, up to this long after each post (all: no "
        "limit), and report how early rumors are detected. The text model does not change; the repost model is "
        "saved next to it.",
    )

    # Model
    model_name_or_path: str = _flag(
        "auto",
        "Encoder: a folder, a name on the Hub, or mini, the bundled encoder. auto: google-bert/bert-base-chinese from "
        "the cache or the Hub, else mini.",
    )
    model_revision: str | None = _flag(
        None, "Branch, tag or commit of a model on the Hub; default: the newest commit."
    )
    config_overrides: str = _flag(
        "{}", """Values that override the model configuration, as JSON: '{"hidden_dropout_prob": 0.2}'."""
    )
    pooling: Literal["first_token", "mean"] = _flag(
        "first_token",
        "Pooling for the classification head: first_token, or mean (over all tokens; adds one layer; BERT only).",
    )
    max_length: int = _flag(256, "Maximum number of tokens; longer posts are truncated.")
    mask_sources: bool = _flag(
        False,
        "Mask features that differ between sources: links, mentions, brackets, hashtags, repeated punctuation and "
        "digits. Saved with the tokenizer.",
    )
    freeze_embeddings: bool = _flag(False, "Freeze the token embeddings, which saves time and memory.")
    lora_r: int = _flag(
        0,
        "LoRA: rank of the adapters of each linear layer. Only adapters and head are trained; the adapters are "
        "merged into the weights at the end. 0: train all weights.",
    )
    lora_alpha: int = _flag(16, "LoRA: the output of each adapter is multiplied by lora_alpha / lora_r.")
    lora_dropout: float = _flag(0.0, "LoRA: dropout rate of the input of each adapter.")

    # Training
    loss: str = _flag("bce", "Loss: bce, ce, focal, mse, or package.module:name.")
    loss_kwargs: str = _flag(
        "{}",
        """Arguments of the loss, as JSON: '{"class_weights": "balanced", "label_smoothing": 0.1}'; focal also """
        'takes "gamma".',
    )
    layer_lr_decay: float = _flag(
        1.0, "Layer-wise learning rate decay: factor from each layer to the layer below it; 1: no decay."
    )
    adversarial_radius: float = _flag(
        0.0, "Adversarial training (FGM): radius of the embedding perturbation; 0: off. Doubles the training time."
    )
    teacher: str | None = _flag(
        None, "Distillation: teacher, a folder or a name on the Hub; its probabilities are used as soft labels."
    )
    unlabelled_path: str | None = _flag(None, "Distillation: file or folder of posts that the teacher labels.")
    distillation_weight: float = _flag(
        0.5, "Distillation: weight of the teacher's probabilities; the labels have 1 minus this weight."
    )
    distillation_temperature: float = _flag(
        2.0, "Distillation: temperature that softens the probabilities of teacher and student."
    )
    early_stopping_patience: int = _flag(
        2,
        "Stop after this many validations without an improvement of --metric_for_best_model; 0: never. Needs "
        "--load_best_model_at_end. If not given, the patience grows with the epochs on small corpora.",
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = _flag(
        "auto",
        "Precision of training: fp32, bf16, fp16, or auto (bf16 if the hardware supports it, else fp16 on CUDA, else "
        "fp32).",
    )

    # Decision
    calibration: Literal["platt", "none"] = _flag(
        "platt",
        "Calibration of the probabilities: platt (fitted on validation posts and stored in the weights) or none.",
    )
    decision: str = _flag(
        "0.5",
        "Threshold: a post is predicted to be a rumor if its probability is at least this. A number, or a rule "
        "applied to validation posts: max_f1, precision>=0.9, recall>=0.9, cost=5:1 (a missed rumor costs 5 times as "
        "much as a false alarm), or flag=30 (at most 30 validation posts are flagged).",
    )
    abstain_below: float | None = _flag(None, "Abstain (predict uncertain) below this confidence, between 0.5 and 1.")

    abstain: str | None = _flag(
        None,
        "Abstain so that the share of wrong decisions is bounded. error<=0.05: with a probability of 0.95, at "
        "most 0.05 of all posts get a wrong decision. The confidence for this is chosen on validation posts.",
    )

    license: str | None = _flag(
        None, "License of the model, for the model card: apache-2.0, mit, ... Required by --push_to_hub."
    )

    language: Literal["en", "zh"] = _flag("en", "Language of the report and the model card: en or zh.")

    def __post_init__(self) -> None:
        """Raise `ArgumentError` on values outside their range."""
        from hf_rumor.evaluation.abstention import parse_abstain
        from hf_rumor.evaluation.decision import parse_decision

        parse_decision(self.decision)
        if self.abstain_below is not None and not 0.5 < self.abstain_below < 1:
            raise ArgumentError(
                f"--abstain_below {self.abstain_below:g}: not between 0.5 and 1. Use a value such as 0.8."
            )
        if self.abstain is not None:
            parse_abstain(self.abstain)
            if self.abstain_below is not None:
                raise ArgumentError("--abstain: cannot be combined with --abstain_below. Remove one of them.")
        if not 0 < self.layer_lr_decay <= 1:
            raise ArgumentError(
                f"--layer_lr_decay {self.layer_lr_decay:g}: not in (0, 1]. Use a value such as 0.9; 1: no decay."
            )
        if not 0 < self.distillation_weight <= 1:
            raise ArgumentError(
                f"--distillation_weight {self.distillation_weight:g}: not in (0, 1]. Use a value such as 0.5."
            )
        if not self.distillation_temperature > 0:
            raise ArgumentError(
                f"--distillation_temperature {self.distillation_temperature:g}: must be above 0. Use 1 or 2."
            )
        if self.teacher and self.streaming:
            raise ArgumentError("--teacher: cannot be combined with --streaming. Remove one of them.")
        if self.lora_dropout >= 1:
            raise ArgumentError(f"--lora_dropout {self.lora_dropout:g}: must be below 1. Use a value such as 0.1.")
        if self.lora_r and self.freeze_embeddings:
            raise ArgumentError("--freeze_embeddings: --lora_r freezes all weights of the encoder. Remove the flag.")
        self.parsed("loss_kwargs")
        self.parsed("config_overrides")

    def parsed(self, name: str) -> dict[str, Any]:
        """Return the JSON object in the flag `name`."""
        text = getattr(self, name)
        try:
            value = json.loads(text)
        except ValueError as error:
            raise ArgumentError(f"--{name} {text}: not valid JSON ({error}). Write '{{\"key\": value}}'.") from error
        if not isinstance(value, dict):
            raise ArgumentError(f"--{name} {text}: not a JSON object. Write '{{\"key\": value}}'.")
        return value


def shown_default(name: str) -> Any:
    """Return the default of one of our flags as on a command line; None if there is none."""
    value = getattr(RunArguments(), name)
    return " ".join(value) if isinstance(value, list) else value
