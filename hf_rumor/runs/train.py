"""A run on one page: resolve -> model -> trainer -> outcome -> report -> write (-> push)."""

import logging
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

from transformers import set_seed

from hf_rumor import __version__
from hf_rumor.config.parse import Arguments, parse_arguments
from hf_rumor.corpus.arrow import posts_of
from hf_rumor.evaluation.early import EarlyDetection
from hf_rumor.evaluation.prior import summarize_validation
from hf_rumor.hub.background import PushCheckpoints
from hf_rumor.hub.push import Target, check_target
from hf_rumor.models.check import check_saved
from hf_rumor.models.head import find_head
from hf_rumor.models.inputs import InputConfig
from hf_rumor.models.save import save_model
from hf_rumor.report.card import check_license, write_card
from hf_rumor.report.provenance import recipe_text
from hf_rumor.report.record import Report
from hf_rumor.report.write import write_report
from hf_rumor.runs.fit import fit, make_trainer
from hf_rumor.runs.history import summarize_training
from hf_rumor.runs.outcome import Outcome, conclude, loss_facts, make_report
from hf_rumor.runs.reposts import read_and_measure, save_reading
from hf_rumor.runs.resolve import InMemory, Run, resolve
from hf_rumor.training.run_folder import check_folder, full_disk_explained, locked, write_run
from hf_rumor.training.trackers import finish_tracking
from hf_rumor.training.trainer import RumorTrainer
from hf_rumor.util.files import write_text


logger = logging.getLogger(__name__)

NUM_CHECKED = 16  # test posts that the saved model scores again


@dataclass(frozen=True)
class Finished:
    """A finished run."""

    report: Report
    folder: Path  # the output folder, with the model
    is_pushed: bool | None = None  # whether it is on the Hub; None without `--push_to_hub`


def run(argv: Sequence[str]) -> Finished | None:
    """Do the run of a command line; return None on all processes but the first."""
    return train(parse_arguments(argv))


def train(arguments: Arguments, data: InMemory | None = None) -> Finished | None:
    """Train, measure and write; return None on all processes but the first.

    A corpus in memory, `data`, takes the place of `--data_path`.

    Raises:
        RumorError: A user error; nothing is left half-written.
        Interrupted: SIGINT or SIGTERM arrived; a checkpoint is saved.
    """
    run = resolve(arguments, data)
    if "metric_for_best_model" in arguments.given and not run.args.load_best_model_at_end:
        logger.warning(
            "--metric_for_best_model %s: does not select the model, since the last one is kept. Add "
            "--load_best_model_at_end True to keep the best one.",
            run.args.metric_for_best_model,
        )
    pusher = make_pusher(arguments)
    check_folder(run.folder, run.identity)
    set_seed(run.args.seed)
    model, tokenizer = run.load_model()
    if arguments.given.get("calibration") == "platt":
        find_head(model)  # would fail after training
    is_first = run.args.process_index == 0
    with locked(run.folder) if is_first else nullcontext(), full_disk_explained(run.folder):
        trainer = make_trainer(run, model, tokenizer)
        if pusher:
            trainer.add_callback(pusher)
        fitted = fit(run, trainer)
        if not is_first:
            return None
        summary = summarize_training(trainer, run.flags, fitted.started_at)
        outcome = conclude(trainer, run.data, run.flags, fitted.logits)
        save_checked(run, trainer, outcome)
        early = add_reposts(run, outcome)
        report = make_report(run, trainer.plain_model(), summary, outcome, early)
        write_text(run.folder / "recipe.yaml", recipe_text(report))
        texts, groups = run.data.dataset["test"]["text"][:], run.data.groups[run.data.split.test]
        write_report(run.folder, report, outcome.scored["test"], texts, groups, run.flags.language)
        write_card(run.folder, report, run.flags.license, language=run.flags.language)
        finish_tracking(trainer, asdict(report.test))
        write_run(run.folder, run.identity, finished=True)
    return Finished(report, run.folder, pusher.finish(run.folder, report) if pusher else None)


def save_checked(run: Run, trainer: RumorTrainer, outcome: Outcome) -> None:
    """Save the model, load it again and compare its probabilities of some test posts."""
    facts = {
        "version": __version__,
        **asdict(loss_facts(run.loss)),
        "threshold": outcome.decision.threshold,
        "abstain_below": outcome.decision.abstain_below,
        "calibration": outcome.calibration.method,
        "validation": asdict(summarize_validation(outcome.scored["validation"], outcome.decision.threshold)),
        "inputs": asdict(InputConfig(run.flags.max_length)),
        "pooling": run.flags.pooling,
    }
    save_model(trainer.plain_model(), trainer.processing_class, run.folder, facts)
    posts = posts_of(run.data.dataset["test"][:NUM_CHECKED])
    check_saved(run.folder, posts, outcome.scored["test"].probabilities[:NUM_CHECKED])


def add_reposts(run: Run, outcome: Outcome) -> EarlyDetection | None:
    """Fit, measure and save the model of the reposts; None for a run without."""
    if run.reposts is None:
        return None
    reading = read_and_measure(run.reposts, run.data, outcome.scored, outcome.decision.threshold, run.args.seed)
    save_reading(run.folder, reading)
    return reading.early


def make_pusher(arguments: Arguments) -> PushCheckpoints | None:
    """Return the callback that pushes checkpoints and the result; None without `--push_to_hub`.

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
