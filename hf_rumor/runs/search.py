"""Search hyper-parameters on training and validation posts; the test posts are never tokenized, let alone scored."""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from datasets import DatasetDict

from hf_rumor.config.arguments import Arguments, parse_arguments
from hf_rumor.errors import ArgumentError, OutputError, RunError
from hf_rumor.models.inputs import InputConfig
from hf_rumor.runs.prepare import Setup, set_up
from hf_rumor.runs.train import make_trainer
from hf_rumor.training.tokenization import tokenize
from hf_rumor.training.trainer import RumorTrainer, ValidationMetrics
from hf_rumor.util.files import write_text


if TYPE_CHECKING:
    from optuna import Study, Trial


logger = logging.getLogger(__name__)

DEFAULT_SPACE = {
    "learning_rate": {"low": 1e-5, "high": 5e-4, "log": True},
    "num_train_epochs": {"low": 2, "high": 10},
    "per_device_train_batch_size": [8, 16, 32],
}
# A trial keeps no checkpoint: it is judged by its last validation, as the schedule meant it to end.
TRIAL_FLAGS = ("--save_strategy", "no", "--load_best_model_at_end", "False", "--early_stopping_patience", "0")
LENGTHS = {"num_train_epochs", "max_steps"}  # of a run; one that is varied must not be chosen for few posts
STUDY = "search"

Space = dict[str, Any]  # flag -> list of choices, or a range {"low", "high", "log"}


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        metric: What was optimised, on validation posts.
        trials: One row a trial: `number`, `state`, `value` (None if it did not end), and its flags.
        best: Row of the best trial.
        recipe: File of the run with the best flags.
    """

    metric: str
    trials: list[dict[str, Any]]
    best: dict[str, Any]
    recipe: Path


def search(argv: Sequence[str], space: Space, num_trials: int, folder: Path) -> Found:
    """Train with flags out of `space`, again and again, and write the recipe of the best trial into `folder`.

    Trainer's own backend: Optuna's tree-structured Parzen estimator (Bergstra et al., 2011, Algorithms for
    hyper-parameter optimization) proposes, and trials that stay behind the median of the others are broken off. The
    same command goes on where it was interrupted; the trial that was under way is lost.

    Args:
        argv: Of the run whose flags are varied.
        space: What to vary, and within which bounds.
        num_trials: How many trials there shall be in the end.
        folder: Holds `search.db` (the trials), `search.json` and `recipe.yaml`.

    Raises:
        RumorError: The user has made a mistake.
    """
    told = parse_arguments(argv)
    if told.run.streaming:
        raise ArgumentError("search: expected tokens that serve all trials, got --streaming; leave it out")
    check_space(space, argv, told)
    lengths = [word for flag in LENGTHS & space.keys() - told.given.keys() for word in (f"--{flag}", "1")]
    setup = set_up([*argv, *lengths, *TRIAL_FLAGS, "--output_dir", str(folder)])
    if setup.args.world_size > 1:
        raise ArgumentError(f"search: expected one process, got {setup.args.world_size}; start it without a launcher")
    study = _open_study(setup, space, folder)
    _try_out(study, setup, space, num_trials, folder)
    if not _has_ended(study):
        raise RunError(f"search: expected a trial that ends, found none in {num_trials}; change --space")
    metric = str(setup.args.metric_for_best_model)
    trials = [
        {"number": trial.number, "state": trial.state.name.lower(), "value": trial.value, **trial.params}
        for trial in study.get_trials(deepcopy=False)
    ]
    recipe = told.recipe(**(setup.chosen | study.best_params))
    write_text(folder / "recipe.yaml", yaml.safe_dump(recipe, allow_unicode=True))
    write_text(folder / "search.json", json.dumps({"metric": metric, "trials": trials}, indent=2) + "\n")
    return Found(metric, trials, trials[study.best_trial.number], folder / "recipe.yaml")


def check_space(space: Space, argv: Sequence[str], told: Arguments) -> None:
    """Try every bound and choice as the flag it stands for.

    Raises:
        ArgumentError: `space` is not well formed, or a flag of it is unknown, not Trainer's, or takes no such value.
    """
    for flag, values in space.items():
        is_range = isinstance(values, dict) and {"low", "high"} <= values.keys() <= {"low", "high", "log"}
        if not is_range and not (isinstance(values, list) and values):
            raise ArgumentError(
                f'--space: {flag}: expected a list of choices, or {{"low": ..., "high": ..., "log": true}}, '
                f"got {json.dumps(values)}"
            )
        bounds = [values["low"], values["high"]] if is_range else values
        for value in bounds:
            tried = parse_arguments([*argv, f"--{flag}", str(value)])
            if flag not in tried.training:
                raise ArgumentError(f"--space: expected flags of TrainingArguments, found {flag}; remove it")
        if is_range and not (
            all(isinstance(bound, int | float) for bound in bounds)
            and bounds[0] < bounds[1]
            and (bounds[0] > 0 or not values.get("log"))
        ):
            raise ArgumentError(f"--space: {flag}: expected numbers, low below high (above 0 for log), got {values}")
        if flag in told.given:
            logger.info("search: %s is varied; the %s that was given is not used", flag, told.given[flag])


def _open_study(setup: Setup, space: Space, folder: Path) -> "Study":
    """Return the study in `folder`, which is made if it is not there.

    Raises:
        ArgumentError: Optuna is not installed.
        OutputError: The folder holds something else.
    """
    try:
        import optuna
    except ImportError as error:
        raise ArgumentError("search: expected optuna, found none; pip install 'hf_rumor[search]'") from error
    way_out = "give another --output_dir, or remove the folder"
    if folder.exists() and any(folder.iterdir()) and not (folder / "search.db").is_file():
        raise OutputError(f"--output_dir {folder}: expected an empty folder or an earlier search; {way_out}")
    folder.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name=STUDY,
        storage=_storage(folder),
        direction="maximize" if setup.args.greater_is_better else "minimize",
        load_if_exists=True,
    )
    recipe = {key: value for key, value in setup.recipe().items() if key != "data_path"}
    identity = json.loads(json.dumps({"recipe": recipe, "space": space, "data_sha256": setup.data.corpus.sha256}))
    found = study.user_attrs.get("identity")
    if found is None:
        study.set_user_attr("identity", identity)
    elif found != identity:
        differing = ", ".join(sorted(key for key in identity if found.get(key) != identity[key]))
        raise OutputError(f"--output_dir {folder}: expected this search, found one of another {differing}; {way_out}")
    return study


def _has_ended(study: "Study") -> bool:
    from optuna.trial import TrialState

    return bool(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))


def _storage(folder: Path) -> str:
    return f"sqlite:///{(folder / 'search.db').resolve()}"


def _try_out(study: "Study", setup: Setup, space: Space, num_trials: int, folder: Path) -> None:
    """Run the trials that are still missing."""
    from optuna.trial import TrialState

    ended = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    if len(ended) >= num_trials:
        return
    logger.info("search: %d of %d trials are done", len(ended), num_trials)
    data = setup.data.dataset
    model, tokenizer = setup.load_model()
    seen = DatasetDict(train=data["train"], validation=data["validation"])
    encoded = tokenize(seen, tokenizer, InputConfig(setup.arguments.run.max_length))
    parts = encoded["train"], encoded["validation"]
    trainer = make_trainer(model, tokenizer, setup.args, *parts, setup.loss, setup.arguments.run)
    trainer.compute_metrics = _breaking_off(ValidationMetrics(setup.loss.activation))
    trainer.model_init = lambda: setup.load_model()[0]
    metric = f"eval_{str(setup.args.metric_for_best_model).removeprefix('eval_')}"
    failed = (TrialState.FAIL,)
    num_failed = len(study.get_trials(deepcopy=False, states=failed))
    try:
        _search(trainer, study, space, metric, num_trials - len(ended), folder)
    except (ValueError, TypeError, ImportError, RuntimeError) as error:
        if len(study.get_trials(deepcopy=False, states=failed)) > num_failed:
            raise ArgumentError(
                f"search: expected values that Trainer takes, got {type(error).__name__}: {error}; "
                "change --space, and --output_dir"
            ) from error
        if _has_ended(study):  # else Optuna says that there is no best one
            raise


def _search(trainer: RumorTrainer, study: "Study", space: Space, metric: str, num_trials: int, folder: Path) -> None:
    from optuna.samplers import TPESampler

    trainer.hyperparameter_search(
        backend="optuna",
        hp_space=lambda trial: _propose(trial, space),
        compute_objective=lambda metrics: metrics[metric],
        n_trials=num_trials,
        direction=study.direction.name.lower(),
        study_name=STUDY,
        storage=_storage(folder),
        load_if_exists=True,
        # Another seed after an interruption: the same one would propose the first trials once more.
        sampler=TPESampler(seed=trainer.args.seed + len(study.get_trials(deepcopy=False))),
    )


def _breaking_off(compute: Callable[[Any], dict[str, float]]) -> Callable[[Any], dict[str, float]]:
    """Let a trial that diverges be broken off: the others say more."""
    from optuna import TrialPruned

    def measure(prediction: Any) -> dict[str, float]:
        try:
            return compute(prediction)
        except RunError as error:
            logger.info("search: the trial has diverged and is broken off")
            raise TrialPruned(str(error)) from error

    return measure


def _propose(trial: "Trial", space: Space) -> dict[str, Any]:
    proposed: dict[str, Any] = {}
    for flag, values in space.items():
        if isinstance(values, list):
            proposed[flag] = trial.suggest_categorical(flag, values)
        elif isinstance(values["low"], int) and isinstance(values["high"], int):
            proposed[flag] = trial.suggest_int(flag, values["low"], values["high"], log=values.get("log", False))
        else:
            proposed[flag] = trial.suggest_float(flag, values["low"], values["high"], log=values.get("log", False))
    told = ", ".join(
        f"{flag} {value:.3g}" if isinstance(value, float) else f"{flag} {value}" for flag, value in proposed.items()
    )
    logger.info("search: trial %d: %s", trial.number, told)
    return proposed


def to_text(found: Found) -> str:
    """Return the trials as a table, the best first, and how to train with its flags."""
    flags = [name for name in found.best if name not in ("number", "state", "value")]
    ended = [trial for trial in found.trials if trial["value"] is not None]
    best_first = sorted(ended, key=lambda trial: (trial["number"] != found.best["number"], trial["number"]))
    lines = [
        f"| trial | {found.metric} on validation | {' | '.join(flags)} |",
        f"|{'---|' * (2 + len(flags))}",
        *(
            f"| {trial['number']} | {trial['value']:.4f}{' (broken off)' if trial['state'] == 'pruned' else ''} | "
            + " | ".join(
                f"{trial[flag]:.3g}" if isinstance(trial[flag], float) else f"{trial[flag]}" for flag in flags
            )
            + " |"
            for trial in best_first
        ),
    ]
    return "\n".join(lines) + f"\n\nThe best, trial {found.best['number']}, is in {found.recipe}; train with it."
