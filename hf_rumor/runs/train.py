"""A run on one page: resolve -> model -> trainer -> outcome -> report -> write (-> push)."""

import logging
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from datasets import Dataset
from transformers import set_seed

from hf_rumor import __version__
from hf_rumor.config.parse import Arguments, parse_arguments
from hf_rumor.corpus.arrow import posts_of
from hf_rumor.evaluation.measure import predict_posts
from hf_rumor.hub.background import PushCheckpoints
from hf_rumor.hub.push import Target, check_target
from hf_rumor.models.check import check_saved
from hf_rumor.models.head import find_head
from hf_rumor.models.inputs import InputConfig
from hf_rumor.models.save import save_model
from hf_rumor.report.card import check_license, write_card
from hf_rumor.report.record import Report
from hf_rumor.report.view import recipe_text
from hf_rumor.report.write import write_report
from hf_rumor.runs.fit import encode, fit, make_trainer
from hf_rumor.runs.history import summarize_training
from hf_rumor.runs.outcome import Outcome, conclude, make_report, model_facts
from hf_rumor.runs.resolve import InMemory, resolve
from hf_rumor.training.run_folder import check_folder, full_disk_explained, locked, write_run
from hf_rumor.training.trackers import finish_tracking
from hf_rumor.training.trainer import RumorTrainer
from hf_rumor.util.files import write_text


logger = logging.getLogger(__name__)

NUM_CHECKED = 16  # test posts that the saved model scores again


@dataclass(frozen=True)
class Finished:
    """A finished run.

    Attributes:
        report: Its results.
        folder: The output folder, with the model.
        is_pushed: Whether it is on the Hub; None if that was not asked for.
    """

    report: Report
    folder: Path
    is_pushed: bool | None = None


def run(argv: Sequence[str]) -> Finished | None:
    """Do the run of a command line; return None on all processes but the first."""
    return train(parse_arguments(argv))


def train(arguments: Arguments, data: InMemory | None = None) -> Finished | None:
    """Train, measure and write; return None on all processes but the first.

    Args:
        arguments: What the user named.
        data: A corpus in memory, in place of `--data_path`.

    Raises:
        RumorError: A user error; nothing is left half-written.
        Interrupted: SIGINT or SIGTERM arrived; a checkpoint is saved.
    """
    run = resolve(arguments, data)
    pusher = make_pusher(arguments)
    check_folder(run.folder, run.identity)
    set_seed(run.args.seed)
    model, tokenizer = run.load_model()
    if arguments.given.get("calibration") == "platt":
        find_head(model)  # would fail after training
    is_first = run.args.process_index == 0
    with locked(run.folder) if is_first else nullcontext(), full_disk_explained(run.folder):
        trainer = make_trainer(run, model, tokenizer, *encode(run, tokenizer))
        if pusher:
            trainer.add_callback(pusher)
        started_at = fit(run, trainer)
        if not is_first:
            return None
        summary = summarize_training(trainer, run.flags, started_at, datetime.now().astimezone())
        outcome = conclude(trainer, run.data, run.flags)
        report = make_report(
            run.data,
            run.loss,
            outcome,
            model=model_facts(run.flags.model_name_or_path, trainer.plain_model(), run.flags),
            train=summary,
            environment=run.environment,
            recipe=run.recipe,
            auto=run.auto,
        )
        write_results(run.folder, trainer, report, outcome, run.data.dataset["test"])
        write_card(run.folder, report, run.flags.license)
        finish_tracking(trainer, asdict(report.test))
        write_run(run.folder, run.identity, finished=True)
    return Finished(report, run.folder, pusher.finish(run.folder, report) if pusher else None)


def write_results(folder: Path, trainer: RumorTrainer, report: Report, outcome: Outcome, test: Dataset) -> None:
    """Write model, recipe, report and predictions."""
    facts = {
        "version": __version__,
        **asdict(report.loss),
        "threshold": report.decision.threshold,
        "abstain_below": report.decision.abstain_below,
        "calibration": report.calibration.method,
        "inputs": asdict(InputConfig(report.model.max_length)),
        "pooling": report.model.pooling,
    }
    save_model(trainer.plain_model(), trainer.processing_class, folder, facts)
    check_saved(folder, posts_of(test[:NUM_CHECKED]), outcome.scored["test"].probabilities[:NUM_CHECKED])
    write_text(folder / "recipe.yaml", recipe_text(report))
    predictions = predict_posts(outcome.scored["test"], report.decision.threshold, report.decision.abstain_below)
    write_report(folder, report, predictions, dict(zip(test["id"][:], test["text"][:], strict=True)))


def make_pusher(arguments: Arguments) -> PushCheckpoints | None:
    """Return what pushes checkpoints and result; None without `--push_to_hub`.

    Raises:
        ArgumentError: The license or the repository is invalid, or there is no token.
    """
    training, license_id = arguments.training, arguments.run.license
    check_license(license_id)
    if not training.get("push_to_hub") or license_id is None:  # `config.parse` requires it
        return None
    repo_id = training.get("hub_model_id") or Path(training["output_dir"]).resolve().name
    target = Target(repo_id, private=training.get("hub_private_repo"), revision=training.get("hub_revision"))
    check_target(target)
    strategy = str(training.get("hub_strategy", "every_save"))
    return PushCheckpoints(target, strategy, license_id, always=training.get("hub_always_push", False))
