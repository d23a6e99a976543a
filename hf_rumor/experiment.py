"""The experiment as one page: arguments -> corpus -> dataset -> model -> trainer -> report."""

import logging
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from datasets import Dataset, DatasetDict
from torch import Tensor
from torch.nn import functional as F
from transformers import (
    DataCollatorWithPadding,
    PrinterCallback,
    ProgressCallback,
    TrainingArguments,
    set_seed,
)

from hf_rumor import __version__
from hf_rumor.arguments import (
    Arguments,
    RunArguments,
    make_training_arguments,
    parse_arguments,
    with_defaults_of_recipe,
)
from hf_rumor.corpus.dataset import Corpus, load_corpus, split_dataset, to_dataset_dict
from hf_rumor.corpus.files import write_text
from hf_rumor.corpus.findings import describe
from hf_rumor.corpus.near_duplicates import NearDuplicates, find_near_duplicates
from hf_rumor.corpus.post import LABEL_NAMES
from hf_rumor.corpus.readers import Columns
from hf_rumor.corpus.sources import resolve_corpus
from hf_rumor.corpus.splits import Split
from hf_rumor.errors import ArgumentError, OutputError
from hf_rumor.evaluation.baseline import predict_baselines
from hf_rumor.evaluation.calibration import fit_lines
from hf_rumor.evaluation.curves import confident_mistakes, measure_curves
from hf_rumor.evaluation.decision import choose_threshold, parse_decision
from hf_rumor.evaluation.measure import (
    NUM_RESAMPLES,
    Scored,
    measure,
    measure_baselines,
    measure_calibration,
    measure_decision,
    measure_with_intervals,
    predictions,
)
from hf_rumor.evaluation.metrics import decide
from hf_rumor.evaluation.report import Report, write_report
from hf_rumor.evaluation.slices import PostTraits, measure_slices
from hf_rumor.inference.probabilities import rumor_probabilities
from hf_rumor.inference.scoring import predict_logits
from hf_rumor.training.calibrate import apply_lines, fold_into_head
from hf_rumor.training.callbacks import EarlyStopping, EpochLines, Progress
from hf_rumor.training.hardware import choose_precision, detect_hardware
from hf_rumor.training.history import summarise_training
from hf_rumor.training.losses import Loss, make_loss
from hf_rumor.training.models import MINI, load_model, resolve_model, save_model
from hf_rumor.training.run_folder import check_folder, claim_folder, finish_folder
from hf_rumor.training.tokenization import num_truncated, tokenize
from hf_rumor.training.trainer import RumorTrainer, ValidationMetrics


logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Finished:
    """A finished run: its report, and the folder it lies in."""

    report: Report
    folder: Path


@dataclass(frozen=True)
class SplitCorpus:
    """A corpus, its near-duplicates, and how it was cut."""

    corpus: Corpus
    near_duplicates: NearDuplicates
    split: Split
    dataset: DatasetDict


@dataclass(frozen=True)
class Outcome:
    """What a trained model says, calibrated.

    Attributes:
        scored: `validation` and `test`.
        threshold: Probability from which on a post is called a rumor.
        abstain_below: Confidence below which it is called uncertain, or None.
        calibration: The part of the report.
        decision: The part of the report.
        curves: The part of the report.
    """

    scored: dict[str, Scored]
    threshold: float
    abstain_below: float | None
    calibration: dict[str, Any]
    decision: dict[str, Any]
    curves: dict[str, Any]


def run(argv: Sequence[str]) -> Finished | None:
    """Do the run that a command line tells; None on all processes but the first.

    Raises:
        RumorError: The user has made a mistake; nothing is half-written.
    """
    arguments = parse_arguments(argv)
    flags = arguments.run
    loss_kwargs, overrides = flags.parsed("loss_kwargs"), flags.parsed("config_overrides")
    make_loss(flags.loss, loss_kwargs, labels=[0, 1])  # a mistake shows before any work
    data_path = resolve_corpus(flags.data_path)
    model_name = resolve_model(flags.model_name_or_path)
    auto = {flag for flag in ("data_path", "model_name_or_path", "precision") if getattr(flags, flag) == "auto"}
    if model_name == MINI:
        arguments = with_defaults_of_recipe(arguments, MINI)
        flags = arguments.run
    args, environment = prepare_training(arguments)

    with args.main_process_first():
        data = load_and_split(data_path, flags)
    train_posts = data.dataset["train"]
    set_seed(args.seed)
    loss = make_loss(flags.loss, loss_kwargs, labels=train_posts["label"][:])
    logger.info("loss: %s trains, outputs.loss does not; probability: %s", loss.formula, loss.activation)
    texts = train_posts["text"][:]
    model, tokenizer = load_model(model_name, loss.activation, texts, flags.max_length, overrides, flags.pooling)

    chosen = {"data_path": str(data_path), "model_name_or_path": model_name, "precision": environment["precision"]}
    recipe = arguments.recipe(**chosen)
    folder = Path(arguments.training["output_dir"])
    check_folder(folder, recipe, data.corpus.sha256)
    with args.main_process_first():
        encoded = tokenize(data.dataset, tokenizer, max_length=flags.max_length)
    logger.info("tokens: %d posts are cut off at %d", num_truncated(encoded), flags.max_length)
    trainer = make_trainer(model, tokenizer, args, encoded, loss, flags)
    with args.main_process_first():  # the first process claims the folder, the others then find the same claim
        claim = claim_folder(folder, recipe, data.corpus.sha256, arguments.training["resume_from_checkpoint"])
    logger.info("run: %s %s", folder, claim.note)
    started_at = datetime.now().astimezone()
    trainer.train(resume_from_checkpoint=str(claim.checkpoint) if claim.checkpoint else None)
    train = summarise_training(trainer, started_at, datetime.now().astimezone())
    if not trainer.is_world_process_zero():
        trainer.part()
        return None

    outcome = conclude(trainer, data, flags)
    report = make_report(
        data,
        loss,
        outcome,
        model=model_facts(model_name, trainer.plain_model(), flags),
        train=train,
        environment=environment,
        recipe=recipe,
        auto={flag: chosen[flag] for flag in sorted(auto)},
    )
    write_results(folder, trainer, report, outcome, data.dataset["test"])
    finish_folder(folder, recipe, data.corpus.sha256)
    trainer.part()
    return Finished(report, folder)


def load_and_split(data_path: Path, flags: RunArguments) -> SplitCorpus:
    """Read the corpus, find its near-duplicates, cut it; tell what was odd and what leaks."""
    corpus = load_corpus(data_path, Columns(flags.text_column, flags.label_column, flags.id_column))
    posts = corpus.posts
    logger.info("corpus: %s, %s posts, %s rumors", data_path, f"{len(posts):,}", f"{sum(posts['label'][:]):,}")
    for line in describe(corpus.findings):
        logger.info("corpus: %s", line)
    near_duplicates = find_near_duplicates(posts["text"][:])
    split = split_dataset(posts, flags.split, flags.split_seed, near_duplicates.groups)
    logger.info(
        "split: %s, seed %d: %d training, %d validation, %d test posts, %d of them with a near-duplicate in the rest",
        *(split.name, split.seed, len(split.train), len(split.validation), len(split.test)),
        len(near_duplicates.leaking(split.test, split.development())),
    )
    return SplitCorpus(corpus, near_duplicates, split, to_dataset_dict(posts, split))


def prepare_training(arguments: Arguments) -> tuple[TrainingArguments, dict[str, Any]]:
    """Return Trainer's arguments with precision and device decided, and the `environment` part of the report."""
    requested = requested_precision(arguments)
    hardware = detect_hardware(use_cpu=arguments.training.get("use_cpu", False))
    precision, reason = choose_precision(requested, hardware)
    args = make_training_arguments(arguments.training, precision=precision, device=hardware.device)
    logger.info("device: %s; precision %s (%s); %d process(es)", hardware.name, precision, reason, args.world_size)
    packages = ("torch", "transformers", "datasets", "evaluate", "accelerate", "scikit-learn")
    return args, {
        "versions": {
            "hf_rumor": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in packages},
        },
        "platform": platform.platform(),
        "device": hardware.name,
        "precision": precision,
        "precision_reason": reason,
        "num_processes": args.world_size,
    }


def requested_precision(arguments: Arguments) -> str:
    """Return what `--precision`, `--bf16`, `--fp16` and the launcher ask for together.

    Raises:
        ArgumentError: They ask for different things.
    """
    asked: dict[str, str] = {"--precision": arguments.run.precision} if arguments.run.precision != "auto" else {}
    asked |= {f"--{flag}": flag for flag in ("bf16", "fp16") if arguments.training.get(flag)}
    launched = os.environ.get("ACCELERATE_MIXED_PRECISION", "no")  # set by accelerate launch
    asked |= {"--mixed_precision of accelerate": launched} if launched in ("bf16", "fp16") else {}
    if len(set(asked.values())) > 1:
        found = " and ".join(f"{value} by {source}" for source, value in asked.items())
        raise ArgumentError(f"expected one precision, got {found}; keep one of them")
    return next(iter(asked.values()), "auto")


def make_trainer(
    model: Any, tokenizer: Any, args: TrainingArguments, encoded: DatasetDict, loss: Loss, flags: RunArguments
) -> RumorTrainer:
    """Return a trainer on tokenized posts that stops early where validation no longer gets better.

    Raises:
        ArgumentError: Trainer, its optimizer or its schedule refuses the flags.
    """
    try:
        trainer = RumorTrainer(
            loss=loss,
            layer_lr_decay=flags.layer_lr_decay,
            adversarial_radius=flags.adversarial_radius,
            model=model,
            args=args,
            data_collator=DataCollatorWithPadding(tokenizer, pad_to_multiple_of=8),
            train_dataset=encoded["train"],
            eval_dataset=encoded["validation"],
            processing_class=tokenizer,
            compute_metrics=ValidationMetrics(loss.activation),
            callbacks=[EpochLines()],
        )
        trainer.check_schedule()
    except OSError as error:
        raise OutputError(f"--output_dir: expected a folder that can be written, got {error}; give another") from error
    except (ValueError, TypeError, ImportError, RuntimeError, ArithmeticError) as error:
        raise ArgumentError(f"expected flags that Trainer takes, got {type(error).__name__}: {error}") from error
    trainer.remove_callback(PrinterCallback if args.disable_tqdm else ProgressCallback)
    if not args.disable_tqdm:
        trainer.add_callback(Progress())
    if flags.early_stopping_patience and args.load_best_model_at_end:
        trainer.add_callback(EarlyStopping(flags.early_stopping_patience))
    return trainer


def conclude(trainer: RumorTrainer, data: SplitCorpus, flags: RunArguments) -> Outcome:
    """Calibrate the trained model and choose its threshold, both on validation posts; then score the test posts."""
    model, activation = trainer.plain_model(), trainer.loss.activation
    raw = {part: logits_of(trainer, data.dataset[part], flags.max_length) for part in ("validation", "test")}
    before = {part: score(trainer, data.dataset[part], logits) for part, logits in raw.items()}
    lines = None
    if flags.calibration == "platt":
        lines = fit_lines(before["validation"].labels, raw["validation"].double().numpy(), activation)
        if lines is None:
            logger.info("calibration: left out; on validation posts it would turn the order of the posts round")
    after = before
    if lines is not None:
        fold_into_head(model, lines)
        calibrated = {part: apply_lines(lines, logits) for part, logits in raw.items()}
        after = {part: score(trainer, data.dataset[part], logits) for part, logits in calibrated.items()}
    validation = after["validation"]
    threshold = choose_threshold(parse_decision(flags.decision), validation.labels, validation.probabilities)
    logger.info(
        "threshold: %.4f (--decision %s%s)",
        *(threshold.value, flags.decision, "" if threshold.reached else ", which no threshold reaches on validation"),
    )
    calibration = {
        "method": "none" if lines is None else flags.calibration,
        "lines": None if lines is None else {name: asdict(lines[label]) for label, name in enumerate(LABEL_NAMES)},
        **measure_calibration(before, after),
    }
    decision = measure_decision(flags.decision, threshold, flags.abstain_below, after)
    test = after["test"]
    curves = measure_curves(test.labels, before["test"].probabilities, test.probabilities)
    return Outcome(after, threshold.value, flags.abstain_below, calibration, decision, curves)


def make_report(data: SplitCorpus, loss: Loss, outcome: Outcome, **parts: Any) -> Report:
    """Return the report: `parts` as they are, the others from data, loss and outcome."""
    development = data.corpus.posts.select(data.split.development())
    test, threshold = outcome.scored["test"], outcome.threshold
    groups = data.near_duplicates.groups[data.split.test]
    baselines = predict_baselines(development["text"][:], development["label"][:], data.dataset["test"]["text"][:])
    return Report(
        data=data_facts(data.corpus),
        split=split_facts(data),
        loss={"name": loss.name, "kwargs": loss.kwargs, "formula": loss.formula, "activation": loss.activation},
        validation=measure(outcome.scored["validation"], threshold),
        test=measure_with_intervals(test, threshold, groups),
        baseline=measure_baselines(baselines, test, threshold, groups),
        calibration=outcome.calibration,
        decision=outcome.decision,
        curves=outcome.curves,
        slices=measure_slices(traits_of(data), test.labels, decide(test.probabilities, threshold), groups),
        mistakes=confident_mistakes(test.ids, test.labels, test.probabilities, threshold),
        **parts,
    )


def traits_of(data: SplitCorpus) -> PostTraits:
    """Return what is known of the test posts beside their label."""
    posts = data.corpus.posts.select(data.split.test)
    return PostTraits(
        texts=posts["text"][:],
        posted_at=posts["posted_at"][:],
        has_url=posts["has_url"][:],
        num_reposts=posts["num_reposts"][:],
        author_verified=posts["author_verified"][:],
    )


def data_facts(corpus: Corpus) -> dict[str, Any]:
    """Return the `data` part of the report."""
    labels = corpus.posts["label"][:]
    return {
        "path": str(corpus.path),
        "sha256": corpus.sha256,
        "num_posts": len(labels),
        "num_rumors": sum(labels),
        "findings": dict(corpus.findings),
    }


def split_facts(data: SplitCorpus) -> dict[str, Any]:
    """Return the `split` part of the report."""
    split = data.split
    return {
        "name": split.name,
        "seed": split.seed,
        **{part: len(positions) for part, positions in split.parts().items()},
        "num_leaking_test_posts": len(data.near_duplicates.leaking(split.test, split.development())),
        "num_resamples": NUM_RESAMPLES,
    }


def model_facts(name: str, model: Any, flags: RunArguments) -> dict[str, Any]:
    """Return the `model` part of the report."""
    return {
        "name": name,
        "architecture": type(model).__name__,
        "num_parameters": model.num_parameters(),
        "max_length": flags.max_length,
        "pooling": flags.pooling,
    }


def logits_of(trainer: RumorTrainer, posts: Dataset, max_length: int) -> Tensor:
    """Return the logits of `posts`, in their order. *Shape:* `(num_posts, 2)`."""
    return predict_logits(trainer.plain_model(), trainer.processing_class, posts["text"][:], max_length=max_length)


def score(trainer: RumorTrainer, posts: Dataset, logits: Tensor) -> Scored:
    """Return what `logits` say of `posts`, and the loss recomputed from them."""
    labels = np.asarray(posts["label"][:], dtype=np.int64)
    target = F.one_hot(posts.with_format("torch")["label"][:], len(LABEL_NAMES)).float()
    loss = float(trainer.loss.function(logits.float().to(trainer.args.device), target.to(trainer.args.device)))
    return Scored(posts["id"][:], labels, rumor_probabilities(logits, trainer.loss.activation), loss)


def write_results(folder: Path, trainer: RumorTrainer, report: Report, outcome: Outcome, test: Dataset) -> None:
    """Write model, recipe, report and predictions."""
    facts = {
        "version": __version__,
        **report.loss,
        "threshold": outcome.threshold,
        "abstain_below": outcome.abstain_below,
        "calibration": report.calibration["method"],
        "max_length": report.model["max_length"],
        "pooling": report.model["pooling"],
    }
    save_model(trainer.plain_model(), trainer.processing_class, folder, facts)
    write_text(folder / "recipe.yaml", recipe_text(report))
    told = predictions(outcome.scored["test"], outcome.threshold, outcome.abstain_below)
    mistaken = {mistake["id"] for mistake in report.mistakes}
    texts = {post["id"]: post["text"] for post in test if post["id"] in mistaken}
    write_report(folder, report, told, texts)


def recipe_text(report: Report) -> str:
    """Return `recipe.yaml`: what repeats the run, and as comments what it ran on."""
    versions = ", ".join(f"{name} {number}" for name, number in report.environment["versions"].items())
    return (
        "# Repeats this run: python run_rumor.py recipe.yaml --output_dir again\n"
        f"# data: SHA-256 {report.data['sha256']}\n# versions: {versions}\n"
        + yaml.safe_dump(report.recipe, allow_unicode=True)
    )
