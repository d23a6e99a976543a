"""The sections of a report on data, training, hyperparameters and how to reproduce the run."""

import yaml

from hf_rumor.corpus.catalogue import named_in
from hf_rumor.corpus.findings import Findings, describe
from hf_rumor.report.record import Report, Training
from hf_rumor.report.section import Section, Table, table
from hf_rumor.report.words import leakage, number
from hf_rumor.util.translation import Translator


def data_section(report: Report, tr: Translator) -> Section:
    """Return the corpus, its split, and what leaks."""
    data, split = report.data, report.split
    items = [
        tr("Corpus: `{path}`, SHA-256 `{digest}`", path=data.path, digest=data.sha256),
        tr(
            "{total} posts: {rumors} rumors, {others} non-rumors",
            total=f"{data.num_posts:,}",
            rumors=f"{data.num_rumors:,}",
            others=f"{data.num_posts - data.num_rumors:,}",
        ),
        *describe(Findings(data.findings), tr.word),
        *(
            tr(
                "{name}: {citation}; license: {license}; known defects: {defects}",
                name=known.name,
                citation=known.citation,
                license=tr.word(known.license),
                defects=tr("; ").join(map(tr.word, known.defects)),
            )
            for known in named_in(data.findings)
        ),
    ]
    if data.share_unknown_tokens >= 0:  # not in earlier reports
        share = f"{data.share_unknown_tokens:.1%}"
        items.append(tr("Tokens of the test posts that are unknown to the model: {share}", share=share))
    if report.is_outside:
        items.append(tr("All posts are test posts; the model was trained on another corpus"))
    else:
        items += [
            tr(
                "Split: `{name}`, seed {seed}{fold}; {train} training, {validation} validation and {test} test posts",
                name=split.name,
                seed=split.seed,
                fold=tr(", fold {fold}", fold=report.fold) if report.fold else "",
                train=f"{split.train:,}",
                validation=f"{split.validation:,}",
                test=f"{split.test:,}",
            ),
            tr("No test post was used to choose the checkpoint, the calibration or the threshold"),
        ]
    items.append(leakage(report, tr).rstrip(".。"))
    return Section("data", tr("Data and leakage"), items=tuple(items))


def training_section(report: Report, tr: Translator) -> Section:
    """Return the model, its training and the hardware."""
    model, train, environment = report.model, report.train, report.environment
    steps = tr("{count} steps", count=f"{train.total_steps:,}")
    if train.total_steps < train.planned_steps:
        steps = tr("{steps} of {planned} (stopped early)", steps=steps, planned=f"{train.planned_steps:,}")
    since = ""
    if train.resumed_at_step is not None:
        since = tr(" (since it resumed at step {step})", step=f"{train.resumed_at_step:,}")
    items = (
        tr(
            "Model: {name} ({architecture}, {count} parameters), texts truncated to {length} tokens",
            name=model.name,
            architecture=model.architecture,
            count=f"{model.num_parameters:,}",
            length=model.max_length,
        ),
        tr("Loss: {formula} {kwargs}", formula=tr.word(report.loss.formula), kwargs=report.loss.kwargs or "").rstrip(),
        tr(
            "{epochs} epochs, {steps}, {warmup} of them warm-up; global batch size {batch}; schedule {schedule}, peak "
            "learning rate {rate}",
            epochs=f"{round(train.epochs, 2):g}",
            steps=steps,
            warmup=f"{train.warmup_steps:,}",
            batch=f"{train.batch_size:,}",
            schedule=train.schedule,
            rate=f"{train.learning_rate:g}",
        ),
        tr("Model kept: {kept}", kept=_kept(report.train, tr)),
        tr(
            "{seconds} s from {start} to {end}{since}, {speed} posts per second",
            seconds=f"{train.runtime_seconds:.0f}",
            start=train.started_at,
            end=train.ended_at,
            since=since,
            speed=number(train.posts_per_second, 1),
        ),
        tr(
            "{device}, {precision} ({reason}), {count} process(es)",
            device=environment.device,
            precision=environment.precision,
            reason=tr.word(environment.precision_reason),
            count=environment.num_processes,
        ),
    )
    tables = (_epochs(train, tr),) if train.history else ()
    return Section("training", tr("Model and training"), items=items, tables=tables)


def _kept(train: Training, tr: Translator) -> str:
    if train.best_checkpoint is None:
        return tr("the model after the last step")
    return tr(
        "`{checkpoint}`, the best on validation posts ({metric} {value})",
        checkpoint=train.best_checkpoint,
        metric=train.chosen_by,
        value=number(train.best_metric),
    )


def _epochs(train: Training, tr: Translator) -> Table:
    rows = [
        (
            f"{epoch.epoch:g}" + (tr(" (kept)") if train.best_checkpoint == f"checkpoint-{epoch.step}" else ""),
            *(number(value) for value in (epoch.mean_loss, epoch.validation_loss, epoch.validation_macro_f1)),
        )
        for epoch in train.history
    ]
    titles = tr("epoch|#mean training loss|#validation loss|#validation macro-F1")
    return table(titles, rows)


def hyper_parameters_section(report: Report, tr: Translator) -> Section:
    """Return every hyperparameter with its origin."""

    def origin(name: str) -> str:
        if name in report.auto:
            return tr("chosen automatically")
        return tr("set by flag or recipe") if name in report.recipe else tr("default")

    values = report.train.hyper_parameters
    rows = [(f"`{name}`", str(report.auto.get(name, value)), origin(name)) for name, value in sorted(values.items())]
    return Section("hyper_parameters", tr("Hyperparameters"), tables=(table(tr("name|value|origin"), rows),))


def reproduce_section(report: Report, tr: Translator) -> Section:
    """Return the command that repeats the run."""
    title, versions = tr("How to reproduce it"), tr("Versions: {versions}.", versions=_versions(report))
    if report.is_outside:
        code = f"hf-rumor evaluate MODEL --data_path {report.data.path}"
        return Section("reproduce", title, (versions,), code=code)
    chosen = tr("nothing")
    if report.auto:
        chosen = ", ".join(f"`{name}` {value}" for name, value in report.auto.items())
    paths = report.recipe.get("data_path", report.data.path)
    named = paths if isinstance(paths, str) else " ".join(paths)
    command = f"python run_rumor.py recipe.yaml --output_dir again --data_path {named}"
    code = f"{command}\n\n# recipe.yaml\n{recipe_text(report)}"
    return Section("reproduce", title, (tr("Chosen automatically: {flags}.", flags=chosen), versions), code=code)


def recipe_text(report: Report) -> str:
    """Return the text of `recipe.yaml`: the flags that repeat the run, and the versions as a comment."""
    comment = "Repeats this run: python run_rumor.py recipe.yaml --output_dir again"
    facts = f"# data: SHA-256 {report.data.sha256}\n# versions: {_versions(report)}"
    return f"# {comment}\n{facts}\n{yaml.safe_dump(report.recipe, allow_unicode=True)}"


def _versions(report: Report) -> str:
    return ", ".join(f"{name} {version}" for name, version in report.environment.versions.items())
