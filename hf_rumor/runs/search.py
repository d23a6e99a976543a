"""Search hyperparameters on training and validation posts; test posts are neither tokenized nor scored."""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from hf_rumor.config.parse import Arguments, parse_arguments
from hf_rumor.errors import ArgumentError, OutputError, RunError
from hf_rumor.report.markdown import table_text
from hf_rumor.report.section import table
from hf_rumor.runs.fit import make_trainer
from hf_rumor.runs.resolve import Run, resolve
from hf_rumor.training.validation import ValidationMetrics
from hf_rumor.util.files import write_text


if TYPE_CHECKING:
    from optuna import Study, Trial


logger = logging.getLogger(__name__)

DEFAULT_SPACE = {
    "learning_rate": {"low": 1e-5, "high": 5e-4, "log": True},
    "num_train_epochs": {"low": 2, "high": 10},
    "per_device_train_batch_size": [8, 16, 32],
}
# A trial saves no checkpoint: its last validation counts, at the end of its schedule.
TRIAL_FLAGS = ("--save_strategy", "no", "--load_best_model_at_end", "False", "--early_stopping_patience", "0")
LENGTHS = {"num_train_epochs", "max_steps"}  # if one is varied, the other is not chosen for small corpora
STUDY = "search"

Space = dict[str, Any]  # flag -> list of choices, or a range {"low", "high", "log"}


@dataclass(frozen=True)
class Search:
    """A finished search."""

    metric: str  # that was optimized, on validation posts
    trials: list[dict[str, Any]]  # for each, `number`, `state`, `value` (None if it failed) and its flags
    best: dict[str, Any]  # one of `trials`
    recipe: Path  # with the flags of the best trial


def search(argv: Sequence[str], space: Space, num_trials: int, folder: Path) -> Search:
    """Train with flags from `space`, trial by trial, and write the recipe of the best one into `folder`.

    Trainer calls Optuna: a tree-structured Parzen estimator (Bergstra et al., 2011, Algorithms for hyperparameter
    optimization) proposes the flags, and trials that are worse than the median are pruned. A second call resumes
    after an interruption; the trial that was running is lost.

    Args:
        argv: Command line of the run whose flags are varied.
        space: The flags to vary, and their bounds or choices.
        num_trials: Total number of trials, those of earlier calls included.
        folder: For `search.db` (the trials), `search.json` and `recipe.yaml`.

    Raises:
        RumorError: A user error.
    """
    named = parse_arguments(argv)
    if named.run.streaming:
        raise ArgumentError("search: --streaming is not supported, since all trials share the tokens. Remove it.")
    check_space(space, argv, named)
    lengths = [word for flag in LENGTHS & space.keys() - named.given.keys() for word in (f"--{flag}", "1")]
    run = resolve(parse_arguments([*argv, *lengths, *TRIAL_FLAGS, "--output_dir", str(folder)]))
    if run.args.world_size > 1:
        raise ArgumentError(f"search: runs in one process, not in {run.args.world_size}. Start it without a launcher.")
    study = _open_study(run, space, folder)
    _run_trials(study, run, space, num_trials)
    if not _count(study, "COMPLETE"):
        raise RunError(f"search: none of {num_trials} trials completed. Change --space.")
    metric = str(run.args.metric_for_best_model)
    trials = [
        {"number": trial.number, "state": trial.state.name.lower(), "value": trial.value, **trial.params}
        for trial in study.get_trials(deepcopy=False)
    ]
    resolved = {flag: run.recipe[flag] for flag in ("data_path", "model_name_or_path", "precision", *run.auto)}
    recipe = named.resolved(resolved | study.best_params).recipe()
    write_text(folder / "recipe.yaml", yaml.safe_dump(recipe, allow_unicode=True))
    write_text(folder / "search.json", json.dumps({"metric": metric, "trials": trials}, indent=2) + "\n")
    return Search(metric, trials, trials[study.best_trial.number], folder / "recipe.yaml")


def check_space(space: Space, argv: Sequence[str], named: Arguments) -> None:
    """Parse every bound and choice as a flag.

    Raises:
        ArgumentError: `space` is malformed, or a flag in it is unknown, not one of Trainer, or refuses a value.
    """
    for flag, values in space.items():
        is_range = isinstance(values, dict) and {"low", "high"} <= values.keys() <= {"low", "high", "log"}
        if not is_range and not (isinstance(values, list) and values):
            raise ArgumentError(
                f"--space: {flag} is {json.dumps(values)}. Use a list of choices, or "
                '{"low": ..., "high": ..., "log": true}.'
            )
        bounds = [values["low"], values["high"]] if is_range else values
        for value in bounds:
            if flag not in parse_arguments([*argv, f"--{flag}", str(value)]).training:
                raise ArgumentError(f"--space: {flag} is not a flag of TrainingArguments. Remove it.")
        if is_range and not (
            all(isinstance(bound, int | float) for bound in bounds)
            and bounds[0] < bounds[1]
            and (bounds[0] > 0 or not values.get("log"))
        ):
            raise ArgumentError(f"--space: {flag} is {values}. Use numbers with low < high, above 0 for log.")
        if flag in named.given:
            logger.info("search: %s is varied; its value %s is not used", flag, named.given[flag])


def _open_study(run: Run, space: Space, folder: Path) -> "Study":
    """Return the study in `folder`, created if it does not exist.

    Raises:
        ArgumentError: Optuna is not installed.
        OutputError: The folder contains something else.
    """
    try:
        import optuna
    except ImportError as error:
        raise ArgumentError("search: optuna is not installed. Run: pip install optuna") from error
    way_out = "Use another --output_dir, or remove the folder."
    if folder.exists() and any(folder.iterdir()) and not (folder / "search.db").is_file():
        raise OutputError(f"--output_dir {folder}: contains files that are not from a search. {way_out}")
    folder.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name=STUDY,
        storage=_storage(folder),
        direction="maximize" if run.args.greater_is_better else "minimize",
        load_if_exists=True,
    )
    identity = json.loads(json.dumps({**asdict(run.identity), "space": space}))
    stored = study.user_attrs.get("identity")
    if stored is None:
        study.set_user_attr("identity", identity)
    elif stored != identity:
        differing = ", ".join(sorted(key for key in identity if stored.get(key) != identity[key]))
        raise OutputError(f"--output_dir {folder}: contains a search with another {differing}. {way_out}")
    return study


def _count(study: "Study", *states: str) -> int:
    """Return the number of trials in one of `states`."""
    return sum(trial.state.name in states for trial in study.get_trials(deepcopy=False))


def _storage(folder: Path) -> str:
    return f"sqlite:///{(folder / 'search.db').resolve()}"


def _run_trials(study: "Study", run: Run, space: Space, num_trials: int) -> None:
    """Run the trials that are still missing."""
    from optuna.samplers import TPESampler

    num_done, num_failed = _count(study, "COMPLETE", "PRUNED"), _count(study, "FAIL")
    if num_done >= num_trials:
        return
    logger.info("search: %d of %d trials are done", num_done, num_trials)
    trainer = make_trainer(run, *run.load_model())
    trainer.compute_metrics = _pruning(ValidationMetrics(run.loss.activation))
    trainer.model_init = lambda: run.load_model()[0]
    metric = f"eval_{str(run.args.metric_for_best_model).removeprefix('eval_')}"
    try:
        trainer.hyperparameter_search(
            backend="optuna",
            hp_space=lambda trial: _propose(trial, space),
            compute_objective=lambda metrics: metrics[metric],
            n_trials=num_trials - num_done,
            direction=study.direction.name.lower(),
            study_name=STUDY,
            storage=_storage(run.folder),
            load_if_exists=True,
            # Another seed after an interruption: the same one would propose the first trials again.
            sampler=TPESampler(seed=run.args.seed + len(study.get_trials(deepcopy=False))),
        )
    except (ValueError, TypeError, ImportError, RuntimeError) as error:
        if _count(study, "FAIL") > num_failed:
            raise ArgumentError(
                f"search: a trial cannot start ({type(error).__name__}: {error}). Change --space and --output_dir."
            ) from error
        if _count(study, "COMPLETE"):  # else Optuna raises since there is no best trial
            raise


def _pruning(compute: Callable[[Any], dict[str, float]]) -> Callable[[Any], dict[str, float]]:
    """Prune a trial that diverges instead of ending the search."""
    from optuna import TrialPruned

    def measure(prediction: Any) -> dict[str, float]:
        try:
            return compute(prediction)
        except RunError as error:
            logger.info("search: the trial diverged and is pruned")
            raise TrialPruned(str(error)) from error

    return measure


def _propose(trial: "Trial", space: Space) -> dict[str, Any]:
    proposed: dict[str, Any] = {}
    for flag, values in space.items():
        if isinstance(values, list):
            proposed[flag] = trial.suggest_categorical(flag, values)
        elif isinstance(values["low"], int) and isinstance(values["high"], int):
            proposed[flag] = trial.suggest_int(flag, **values)
        else:
            proposed[flag] = trial.suggest_float(flag, **values)
    values_text = ", ".join(f"{flag} {_short(value)}" for flag, value in proposed.items())
    logger.info("search: trial %d: %s", trial.number, values_text)
    return proposed


def to_text(finished: Search) -> str:
    """Return the trials as a table, the best one first, and the recipe to train with."""
    flags = [name for name in finished.best if name not in ("number", "state", "value")]
    ended = [trial for trial in finished.trials if trial["value"] is not None]
    best_first = sorted(ended, key=lambda trial: (trial["number"] != finished.best["number"], trial["number"]))
    rows = [
        (
            *(str(trial["number"]), f"{trial['value']:.4f}" + (" (pruned)" if trial["state"] == "pruned" else "")),
            *(_short(trial[flag]) for flag in flags),
        )
        for trial in best_first
    ]
    note = f"The best, trial {finished.best['number']}, is in {finished.recipe}; train with it."
    return table_text(table("|".join(["trial", f"{finished.metric} on validation", *flags]), rows, note))


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
