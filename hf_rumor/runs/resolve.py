"""Arguments -> a run in which nothing is open: corpus, model, precision, epochs, `TrainingArguments`."""

import hashlib
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from datasets import Dataset
from transformers import TrainingArguments

from hf_rumor.config.corpora import LISTS, read_corpora
from hf_rumor.config.flags import RunArguments
from hf_rumor.config.parse import Arguments, recipe_flags
from hf_rumor.config.training_arguments import make_training_arguments
from hf_rumor.corpus.arrow import Corpus, load_corpus
from hf_rumor.corpus.columns import columns_of
from hf_rumor.corpus.near_duplicates import Indices
from hf_rumor.corpus.parts import SplitCorpus, split_corpus
from hf_rumor.corpus.seen import SeenPosts
from hf_rumor.errors import ArgumentError
from hf_rumor.models.encoders import MINI, freeze_embeddings, load_encoder, resolve_model
from hf_rumor.models.hub import check_reachable
from hf_rumor.models.lora import add_lora
from hf_rumor.models.masking import mask_sources
from hf_rumor.models.seen import load_seen
from hf_rumor.report.record import Environment
from hf_rumor.runs.environment import check_launcher, describe_environment, requested_precisions, resolve_precision
from hf_rumor.runs.reposts import CorpusReposts, read_corpus_reposts
from hf_rumor.runs.seen import drop_seen, seen_after
from hf_rumor.runs.teacher import Teacher, ask_teacher
from hf_rumor.training.callbacks import facts_of_steps
from hf_rumor.training.distillation import Distillation
from hf_rumor.training.hardware import detect_hardware
from hf_rumor.training.losses import Loss, make_loss
from hf_rumor.training.run_folder import Identity


logger = logging.getLogger(__name__)

FEWEST_STEPS = 150  # of a run without a given length, if MOST_EPOCHS are enough
MOST_EPOCHS = 20

InMemory: TypeAlias = Corpus | SplitCorpus | Dataset


@dataclass(frozen=True)
class Run:
    """A run in which nothing is open."""

    flags: RunArguments
    args: TrainingArguments
    data: SplitCorpus
    loss: Loss
    recipe: dict[str, Any]  # flag -> value; repeats the run
    auto: dict[str, Any]  # flag -> value, for flags that were chosen automatically
    environment: Environment
    resume_from: str  # `auto`, or the folder of a checkpoint
    seen: SeenPosts  # posts that the model will have seen, those of the model to start from included
    reposts: CorpusReposts | None  # None without `--reposts`
    teacher: Teacher | None  # None without `--teacher`

    @property
    def folder(self) -> Path:
        """Return the output folder."""
        return Path(str(self.args.output_dir))

    @property
    def identity(self) -> Identity:
        """Return the recipe and the corpus, by which a run in the same folder is recognized."""
        # Epochs that were chosen depend on the number of processes: with another number it is still the same run.
        by_size = {"num_train_epochs", "early_stopping_patience"} & self.auto.keys()
        recipe = {flag: value for flag, value in self.recipe.items() if flag not in {"data_path", *by_size}}
        return Identity(recipe, self.data.corpus.identity)

    @property
    def steps(self) -> dict[str, Any]:
        """Return the facts that decide which posts are in which step: checkpoints with others are refused."""
        train = self.data.split.train
        more = "\n".join(self.teacher.unlabeled_texts) if self.teacher else ""
        content = self.data.corpus.identity.encode() + train.tobytes() + more.encode("utf-8", "replace")
        digest = hashlib.sha256(content).hexdigest()
        return facts_of_steps(self.args, posts=f"{len(train)} ({digest[:8]})", is_streaming=self.flags.streaming)

    @property
    def epoch(self) -> Indices:
        """Return the positions of the posts of an epoch: those of the training set, then those without a label."""
        return _epoch(self.data, self.teacher)

    @property
    def distillation(self) -> Distillation | None:
        """Return how the teacher is used; None without one."""
        if self.teacher is None:
            return None
        return Distillation(self.flags.distillation_weight, self.flags.distillation_temperature)

    def load_model(self) -> tuple[Any, Any]:
        """Return a new model and its tokenizer."""
        flags = self.flags
        model, tokenizer = load_encoder(
            flags.model_name_or_path,
            self.loss.activation,
            flags.max_length,
            flags.parsed("config_overrides"),
            flags.pooling,
            flags.model_revision,
        )
        if flags.mask_sources:
            mask_sources(tokenizer)
        if flags.freeze_embeddings:
            freeze_embeddings(model)
        if flags.lora_r:
            model = add_lora(model, flags.lora_r, flags.lora_alpha, flags.lora_dropout)
        return model, tokenizer


def resolve(arguments: Arguments, data: InMemory | None = None) -> Run:
    """Decide everything that `arguments` leave open, and log each choice; `data` takes the place of `--data_path`.

    Raises:
        RumorError: A value is wrong, or contradicts another one.
    """
    check_launcher()
    named = arguments.run
    model = resolve_model(named.model_name_or_path)
    arguments = complete_by_recipe(arguments, model)
    flags = arguments.run
    make_loss(flags.loss, flags.parsed("loss_kwargs"), labels=[0, 1])  # raises its errors before the corpus is read
    hardware = detect_hardware(use_cpu=arguments.training.get("use_cpu", False))
    precision, reason = resolve_precision(arguments, hardware)
    # Made twice: its errors are raised before the corpus is read, and the number of epochs depends on the corpus.
    draft = make_training_arguments(arguments.training, precision=precision, device=hardware.device)
    if draft.torch_compile and flags.adversarial_radius:
        raise ArgumentError(
            f"--torch_compile: adversarial training (--adversarial_radius {flags.adversarial_radius:g}) cannot be "
            "compiled. Set --adversarial_radius 0, or remove --torch_compile."
        )
    environment = describe_environment(hardware, precision, reason, draft.world_size)
    split = read_corpus(flags, data)
    seen = None if model == MINI else load_seen(model, flags.model_revision)
    if seen is not None:
        split = drop_seen(split, seen, model)
    teacher = None
    if flags.teacher:
        check_reachable(flags.teacher, "--teacher")
        taught = load_seen(flags.teacher)
        split = split if taught is None else drop_seen(split, taught, flags.teacher)
        teacher = ask_teacher(flags.teacher, split, flags.unlabelled_path, columns_of(flags))
    reposts = None if flags.reposts == "none" else read_corpus_reposts(split, flags.reposts)
    loss = make_loss(flags.loss, flags.parsed("loss_kwargs"), labels=split.dataset["train"]["label"][:])
    settings = f" {loss.kwargs}" if loss.kwargs else ""
    logger.info("loss: %s%s, not outputs.loss of the model; probability: %s", loss.formula, settings, loss.activation)
    epochs = choose_epochs(arguments, draft, len(_epoch(split, teacher)))
    choices = {"model_name_or_path": model, "precision": precision, **_corpus_flags(arguments, split, data), **epochs}
    final = arguments.resolved(choices)
    left_open = {flag for flag in choices if getattr(named, flag, None) in ("auto", ["auto"])}
    if data is not None:
        left_open.discard("data_path")
    if requested_precisions(arguments):  # by --bf16 or by the launcher
        left_open.discard("precision")
    recipe = {flag: value for flag, value in final.recipe().items() if flag != "data_path" or flag in choices}
    return Run(
        flags=final.run,
        args=make_training_arguments(final.training, precision=precision, device=hardware.device),
        data=split,
        loss=loss,
        recipe=recipe,
        auto={flag: recipe[flag] for flag in sorted({*left_open, *epochs})},
        environment=environment,
        resume_from=final.training["resume_from_checkpoint"],
        seen=seen_after(split, seen),
        reposts=reposts,
        teacher=teacher,
    )


def _epoch(parts: SplitCorpus, teacher: Teacher | None) -> Indices:
    num_more = len(teacher.unlabeled_texts) if teacher else 0
    return np.concatenate([parts.epoch, len(parts.split.train) + np.arange(num_more)])


def complete_by_recipe(arguments: Arguments, model: str) -> Arguments:
    """Return the arguments with the recipe of `mini` if that is the model; log where recipe and model do not match."""
    if model == MINI:
        flags = recipe_flags(MINI)
        missing = sorted(flags.keys() - arguments.given.keys() - {"model_name_or_path"})
        if missing:
            logger.info("recipe: %s sets %s; flags override it", MINI, ", ".join(missing))
        return arguments.resolved({**flags, **arguments.given})
    if arguments.recipe_model not in (None, "auto", model):
        logger.info("recipe: tuned for %s, but the model is %s", arguments.recipe_model, model)
    return arguments


def read_corpus(flags: RunArguments, data: InMemory | None) -> SplitCorpus:
    """Return the corpus in memory, or that of `--data_path`, in three parts."""
    if isinstance(data, SplitCorpus):
        return data
    if data is None:
        corpus = read_corpora(flags)
    else:
        corpus = data if isinstance(data, Corpus) else load_corpus(data, columns=columns_of(flags))
    return split_corpus(corpus, flags.split, seed=flags.split_seed, folds=flags.folds, fold=flags.fold)


def _corpus_flags(arguments: Arguments, parts: SplitCorpus, data: InMemory | None) -> dict[str, Any]:
    """Return the flags that find the corpus again, except for one in memory, and those of a split that is given.

    Raises:
        ArgumentError: The corpus is split already, and the flags ask for a split.
    """
    paths = parts.corpus.data_path
    if any(path.endswith(LISTS) for path in arguments.run.data_path):  # which also says how corpora are read
        paths = arguments.run.data_path
    flags: dict[str, Any] = {"data_path": paths} if paths else {}
    if isinstance(data, SplitCorpus):
        clash = sorted(arguments.given.keys() & {"split", "split_seed", "folds", "fold"})
        if clash:
            raise ArgumentError(
                f"{', '.join(clash)}: the corpus is already split. Remove the flag, or pass the whole corpus."
            )
        flags |= {"split": parts.split.name, "split_seed": parts.split.seed}
        if parts.split.fold:
            fold, _, folds = parts.split.fold.partition(" of ")
            flags |= {"fold": int(fold), "folds": int(folds)}
    return flags


def choose_epochs(arguments: Arguments, args: TrainingArguments, num_posts: int) -> dict[str, Any]:
    """Return epochs and patience, if none were named and a small corpus needs more; log the size of a step.

    On small corpora, fine-tuning fails by too few steps rather than by overfitting (Mosbach et al., 2021,
    https://arxiv.org/abs/2006.04884; Zhang et al., 2021, https://arxiv.org/abs/2006.05987). How the bounds were
    chosen: `docs/decisions/0014-more-epochs-for-small-corpora.md`.

    Raises:
        ArgumentError: There is no step.
    """
    steps = steps_per_epoch(num_posts, args, is_streaming=arguments.run.streaming)
    per_step = args.train_batch_size * args.world_size * args.gradient_accumulation_steps
    logger.info(
        "batch: %d posts per step (%d per device x %d process(es) x %d accumulated); %d steps per epoch",
        *(per_step, args.train_batch_size, args.world_size, args.gradient_accumulation_steps, steps),
    )
    if not steps:
        raise ArgumentError(
            f"--dataloader_drop_last: {num_posts} training posts do not fill a batch, so there is no step. Lower "
            "--per_device_train_batch_size, or remove the flag."
        )
    if args.max_steps > 0:
        return {}
    if not args.num_train_epochs:
        raise ArgumentError("--num_train_epochs 0: no training step would run. Use a larger value.")
    if "num_train_epochs" in arguments.given:
        return {}
    usual, epochs = args.num_train_epochs, min(math.ceil(FEWEST_STEPS / steps), MOST_EPOCHS)
    if epochs <= usual:
        return {}
    logger.info("epochs: %d instead of %g, to reach enough steps; --num_train_epochs overrides it", epochs, usual)
    flags: dict[str, Any] = {"num_train_epochs": epochs}
    if args.load_best_model_at_end and "early_stopping_patience" not in arguments.given:
        flags["early_stopping_patience"] = round(arguments.run.early_stopping_patience * epochs / usual)
    return flags


def steps_per_epoch(num_posts: int, args: TrainingArguments, *, is_streaming: bool = False) -> int:
    """Return the number of optimizer steps in an epoch, over all processes; 0 if no batch is full."""
    rounded: Callable[[float], int] = math.floor if args.dataloader_drop_last and not is_streaming else math.ceil
    batches = rounded(rounded(num_posts / args.train_batch_size) / args.world_size)
    return math.ceil(batches / args.gradient_accumulation_steps)
