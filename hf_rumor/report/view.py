"""A report as sections of sentences and tables, for Markdown, HTML and the model card."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from itertools import chain

import yaml

from hf_rumor.corpus.findings import Findings, describe
from hf_rumor.evaluation.baseline import BASELINES, Comparison
from hf_rumor.evaluation.metrics import CELLS, LOWER_IS_BETTER, METRICS
from hf_rumor.labels import LABEL_NAMES
from hf_rumor.report.record import Report
from hf_rumor.report.words import SIGNIFICANT, comparison, estimate, leakage, number, points, verdict


@dataclass(frozen=True)
class Column:
    """A column of a table; numbers are aligned to the right."""

    title: str
    is_number: bool = False


@dataclass(frozen=True)
class Table:
    """A table with as many cells per row as columns, and a note below it."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Section:
    """A section of the report: paragraphs, then a list, then code, then tables."""

    id: str
    title: str
    paragraphs: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    code: str = ""
    tables: tuple[Table, ...] = ()


def table(titles: str, rows: Iterable[tuple[str, ...]], note: str = "") -> Table:
    """Return a table; `titles` are separated by `|`, and `#` before one marks a column of numbers."""
    columns = tuple(Column(title.strip().removeprefix("#"), "#" in title) for title in titles.split("|"))
    return Table(columns, tuple(rows), note)


def sections(report: Report) -> tuple[Section, ...]:
    """Return the report, section by section."""
    parts = (_metrics, _baseline, _calibration, _slices, _data, _training, _hyper_parameters, _reproduce)
    return tuple(part(report) for part in parts)


def _metrics(report: Report) -> Section:
    unseen = {} if report.unseen is None else {"#unseen posts [95% CI]": report.unseen}
    parts = {"#test [95% CI]": report.test, **unseen, "#validation": report.validation}
    rows = [
        (
            name,
            *(estimate(getattr(part, name), part.intervals.get(name)) for part in parts.values()),
            meaning + ("; lower is better" if name in LOWER_IS_BETTER else ""),
        )
        for name, meaning in METRICS.items()
    ]
    rows.append(("loss", *(number(part.loss) for part in parts.values()), report.loss.formula))
    note = (
        f"95% CI in brackets: {report.split.num_resamples:,} bootstrap resamples of near-duplicate groups. That of "
        "`ece` is biased upwards, because resampling adds noise."
    )
    cells = zip(CELLS, chain(*report.test.confusion), strict=True)
    counts = [estimate(count, report.test.intervals[name], 0) for name, count in cells]
    confusion = [(f"actual {name}", *counts[2 * label : 2 * label + 2]) for label, name in enumerate(LABEL_NAMES)]
    titles = "|".join(f"#predicted {name}" for name in LABEL_NAMES)
    tables = (
        table("|".join(["metric", *parts, "meaning"]), rows, note),
        table(f"test posts [95% CI]|{titles}", confusion),
    )
    return Section("metrics", "Metrics", tables=tables)


def _baseline(report: Report) -> Section:
    title = "Comparison with baselines"
    if report.baseline.skipped:
        return Section("baseline", title, (comparison(report),))
    rows = []
    for name, words in BASELINES.items():
        scores: Comparison = getattr(report.baseline, name)
        macro_f1 = points(scores.difference.macro_f1)
        rows.append((words, number(scores.accuracy), number(scores.macro_f1), verdict(scores), macro_f1))
    fitted = "on training and validation posts"
    if report.is_outside:
        fitted = f"by 5-fold cross-validation on {'the unseen' if report.unseen else 'these'} posts"
    note = (
        f"Baselines were fitted {fitted}. Differences are paired, model minus baseline, with 95% CI. "
        f"A difference in accuracy is significant if its interval excludes 0 and a sign test gives p < {SIGNIFICANT}."
    )
    titles = "baseline|#accuracy|#macro-F1|difference in accuracy|#difference in macro-F1"
    return Section("baseline", title, tables=(table(titles, rows, note),))


def _calibration(report: Report) -> Section:
    calibration, decision = report.calibration, report.decision
    how = "Probabilities were not calibrated."
    if calibration.lines is not None:
        lines = "; ".join(
            f"{label}: {line.slope:.3f} · logit {line.intercept:+.3f}" for label, line in calibration.lines.items()
        )
        how = (
            "Probabilities were calibrated by Platt scaling, fitted on validation posts with a prior of "
            f"{calibration.prior_posts} posts and folded into the last layer ({lines})."
        )
    reached = (
        "" if decision.reached_on_validation else "; no threshold reaches this on validation, this is the closest"
    )
    paragraphs = [
        f"The probability of rumor is the {report.loss.activation} of the rumor logit. {how}",
        f"A post is predicted to be a rumor if its probability is at least {decision.threshold:.4g} "
        f"(`--decision {decision.rule}`{reached}).",
    ]
    if decision.certain is not None:
        paragraphs.append(
            f"A post is uncertain if its confidence is below {decision.abstain_below:g}. "
            f"{decision.certain.num_posts:,} of {report.test.num_posts:,} test posts are not; their accuracy is "
            f"{number(decision.certain.accuracy)}."
        )
    moments = {"before calibration": calibration.before, "after calibration": calibration.after}
    scores = [(moment, *map(number, vars(part).values())) for moment, part in moments.items() if part]
    titles = "|".join(["test posts", *(f"#{entry.name.replace('_', ' ')}" for entry in fields(calibration.after))])
    points_at_threshold = [
        (part, number(point.precision), number(point.recall), f"{point.share_flagged:.1%}")
        for part, point in (("validation", decision.validation), ("test", decision.test))
    ]
    tables = (table(titles, scores), table("posts|#precision|#recall|#flagged as rumors", points_at_threshold))
    return Section("calibration", "Calibration and threshold", tuple(paragraphs), tables=tables)


def _slices(report: Report) -> Section:
    title = "Accuracy on kinds of posts"
    if not report.slices:
        return Section("slices", title, ("The posts differ in no known property.",))
    rows = [
        (
            *(row.trait, row.slice, f"{row.num_posts:,}", f"{row.num_rumors:,}"),
            *(estimate(row.accuracy, row.interval), "too few posts to judge" if row.too_small else ""),
        )
        for row in report.slices
    ]
    return Section("slices", title, tables=(table("property|value|#posts|#rumors|#accuracy [95% CI]|", rows),))


def _data(report: Report) -> Section:
    data, split = report.data, report.split
    items = [
        f"Corpus: `{data.path}`, SHA-256 `{data.sha256}`",
        f"{data.num_posts:,} posts: {data.num_rumors:,} rumors, {data.num_posts - data.num_rumors:,} non-rumors",
        *describe(Findings(data.findings)),
    ]
    if report.is_outside:
        items.append("All posts are test posts; the model was trained on another corpus")
    else:
        fold = f", fold {report.fold}" if report.fold else ""
        items += [
            f"Split: `{split.name}`, seed {split.seed}{fold}; {split.train:,} training, {split.validation:,} "
            f"validation and {split.test:,} test posts",
            "Validation posts selected the checkpoint, the calibration and the threshold; test posts selected nothing",
        ]
    return Section("data", "Data and leakage", items=(*items, leakage(report).removesuffix(".")))


def _training(report: Report) -> Section:
    model, train, environment = report.model, report.train, report.environment
    steps = f"{train.total_steps:,} steps"
    if train.total_steps < train.planned_steps:
        steps += f" of {train.planned_steps:,} (stopped early)"
    since = "" if train.resumed_at_step is None else f" (since it resumed at step {train.resumed_at_step:,})"
    kept = "the model after the last step"
    if train.best_checkpoint:
        kept = f"`{train.best_checkpoint}`, the best on validation ({train.chosen_by} {number(train.best_metric)})"
    items = (
        f"Model: {model.name} ({model.architecture}, {model.num_parameters:,} parameters), texts truncated to "
        f"{model.max_length} tokens",
        f"Loss: {report.loss.formula} {report.loss.kwargs or ''}".rstrip(),
        f"{train.epochs:g} epochs, {steps}, {train.warmup_steps:,} of them warm-up; global batch size "
        f"{train.batch_size:,}; schedule {train.schedule}, peak learning rate {train.learning_rate:g}",
        f"Model kept: {kept}",
        f"{train.runtime_seconds:.0f} s from {train.started_at} to {train.ended_at}{since}, "
        f"{number(train.posts_per_second, 1)} posts per second",
        f"{environment.device}, {environment.precision} ({environment.precision_reason}), "
        f"{environment.num_processes} process(es)",
    )
    rows = [
        (
            f"{epoch.epoch:g}" + (" (kept)" if train.best_checkpoint == f"checkpoint-{epoch.step}" else ""),
            *(number(value) for value in (epoch.mean_loss, epoch.validation_loss, epoch.validation_macro_f1)),
        )
        for epoch in train.history
    ]
    titles = "epoch|#mean training loss|#validation loss|#validation macro-F1"
    return Section("training", "Model and training", items=items, tables=(table(titles, rows),) if rows else ())


def _hyper_parameters(report: Report) -> Section:
    def origin(name: str) -> str:
        if name in report.auto:
            return "chosen automatically"
        return "set by flag or recipe" if name in report.recipe else "default"

    values = report.train.hyper_parameters
    rows = [(f"`{name}`", str(report.auto.get(name, value)), origin(name)) for name, value in sorted(values.items())]
    return Section("hyper_parameters", "Hyper-parameters", tables=(table("name|value|origin", rows),))


def _reproduce(report: Report) -> Section:
    versions = f"Versions: {_versions(report)}."
    if report.is_outside:
        code = f"hf-rumor evaluate MODEL --data_path {report.data.path}"
        return Section("reproduce", "How to reproduce it", (versions,), code=code)
    chosen = ", ".join(f"`{name}` {value}" for name, value in report.auto.items()) or "nothing"
    command = f"python run_rumor.py recipe.yaml --output_dir again --data_path {report.data.path}"
    code = f"{command}\n\n# recipe.yaml\n{recipe_text(report)}"
    return Section("reproduce", "How to reproduce it", (f"Chosen automatically: {chosen}.", versions), code=code)


def recipe_text(report: Report) -> str:
    """Return the text of `recipe.yaml`: the flags that repeat the run, and the versions as a comment."""
    comment = "Repeats this run: python run_rumor.py recipe.yaml --output_dir again"
    facts = f"# data: SHA-256 {report.data.sha256}\n# versions: {_versions(report)}"
    return f"# {comment}\n{facts}\n{yaml.safe_dump(report.recipe, allow_unicode=True)}"


def _versions(report: Report) -> str:
    return ", ".join(f"{name} {version}" for name, version in report.environment.versions.items())
