"""The report for people: `report.md`, and the sections that the model card takes from it."""

import math
from typing import TYPE_CHECKING, Any

import yaml

from hf_rumor.corpus.findings import Findings, describe
from hf_rumor.evaluation.baseline import BASELINES, BASELINES_FITTED, OUTSIDE
from hf_rumor.evaluation.metrics import METRICS
from hf_rumor.evaluation.resamples import COUNTS


if TYPE_CHECKING:
    from hf_rumor.report.record import Report


def headline(report: "Report") -> str:
    """Return the result in one sentence."""
    low, high = report.test["intervals"]["accuracy"]
    name = report.split["name"]
    where = "posts from elsewhere" if name == OUTSIDE else f"test posts of the {name} split"
    return (
        f"accuracy {report.test['accuracy']:.3f} (95 % interval {low:.3f} to {high:.3f}), "
        f"macro-F1 {report.test['macro_f1']:.3f}, on {report.test['num_posts']:,} {where}; "
        f"against TF-IDF + SVM {report.baseline['tfidf_svm']['verdict']}"
    )


def to_markdown(report: "Report") -> str:
    """Return the report for people."""
    parts = [
        f"# Report\n\n**{headline(report)[0].upper()}{headline(report)[1:]}.**",
        "## How good it is\n\n" + metrics_table(report) + "\n\n" + _confusion_table(report),
        "## Is it better than the simplest thing?\n\n" + baseline_text(report),
        "## What the probability means\n\n" + calibration_text(report) + "\n\n" + decision_text(report),
        "## Is it as good on every kind of post?\n\n" + _slices_text(report),
        "## What the number is worth\n\n" + split_text(report),
        "## Data\n\n" + data_text(report),
        "## Model and training\n\n" + training_text(report),
        "## Repeat it\n\n" + _repeat_text(report),
    ]
    return "\n\n".join(parts) + "\n"


def _number(value: float | None, digits: int = 4) -> str:
    return "not defined" if value is None or not math.isfinite(value) else f"{value:.{digits}f}"  # JSON knows no NaN


def metrics_table(report: "Report") -> str:
    """Return each metric of test posts with its interval, and that of validation posts."""
    rows = ["| metric | test | 95 % interval | validation | what it says |", "|---|---|---|---|---|"]
    for name, words in METRICS.items():
        low, high = report.test["intervals"][name]
        rows.append(
            f"| {name} | {_number(report.test[name])} | {_number(low)} to {_number(high)} "
            f"| {_number(report.validation[name])} | {words} |"
        )
    rows.append(
        f"| loss | {_number(report.test['loss'])} | | {_number(report.validation['loss'])} "
        f"| {report.loss['formula']} |"
    )
    return "\n".join(rows)


def _confusion_table(report: "Report") -> str:
    counts = [count for row in report.test["confusion"] for count in row]
    bounds = [report.test["intervals"][name] for name in COUNTS]
    right_no, false_alarm, missed, right_yes = (
        f"{count:,} ({_number(low, 0)} to {_number(high, 0)})"
        for count, (low, high) in zip(counts, bounds, strict=True)
    )
    return (
        f"| test posts (95 % interval) | called non-rumor | called rumor |\n|---|---|---|\n"
        f"| non-rumor | {right_no} | {false_alarm} |\n| rumor | {missed} | {right_yes} |\n\n"
        f"A post is called a rumor from a probability of {report.test['threshold']:.4g} on; the probability is the "
        f"{report.loss['activation']} of the rumor logit."
    )


def baseline_text(report: "Report") -> str:
    """Return how the simplest things do on the same posts."""
    rows = ["| baseline | accuracy | macro-F1 | the model's accuracy is |", "|---|---|---|---|"]
    for name, of in report.baseline.items():
        rows.append(f"| {BASELINES[name]} | {_number(of['accuracy'])} | {_number(of['macro_f1'])} | {of['verdict']} |")
    return (
        "\n".join(rows)
        + f"\n\n{BASELINES_FITTED[report.split['name'] == OUTSIDE]}; intervals are of the paired difference, "
        "resampled by near-duplicate group."
    )


def calibration_text(report: "Report") -> str:
    """Return what calibration changed."""
    calibration = report.calibration
    names = {"ece": "ece", "ece_by_chance": "ece of chance alone", "brier": "brier"}
    names |= {"log_loss": "log_loss", "roc_auc": "roc_auc"}
    rows = [f"| test posts | {' | '.join(names.values())} |", f"|---|{'---|' * len(names)}"]
    for when in ("before", "after") if calibration["before"] else ("after",):
        values = " | ".join(_number(calibration[when]["test"].get(name)) for name in names)
        rows.append(f"| {when} calibration | {values} |")
    if calibration["method"] == "none":
        return "\n".join(rows) + "\n\nProbabilities were not calibrated."
    prior = calibration.get("prior_posts")  # None: the report is of an earlier version
    beside = f", beside which the logits as they were have the weight of {prior} more," if prior else ""
    lines = "; ".join(
        f"{label}: {line['slope']:.3f} · logit {line['intercept']:+.3f}"
        for label, line in calibration["lines"].items()
    )
    how = f"Platt scaling, fitted on validation posts{beside} and folded into the weights of the last layer ({lines})."
    return "\n".join(rows) + f"\n\n{how}"


def _slices_text(report: "Report") -> str:
    rows = ["| trait | | posts | accuracy | 95 % interval | |", "|---|---|---|---|---|---|"]
    for row in report.slices:
        low, high = row["interval"]
        warning = "too few posts to say" if row["too_small"] else ""
        rows.append(
            f"| {row['trait']} | {row['slice']} | {row['num_posts']:,} | {_number(row['accuracy'])} "
            f"| {_number(low)} to {_number(high)} | {warning} |"
        )
    return "\n".join(rows)


def decision_text(report: "Report") -> str:
    """Return the threshold, how it was chosen and what it gives."""
    decision = report.decision
    rows = ["| threshold | precision | recall | share of posts flagged |", "|---|---|---|---|"]
    for part in ("validation", "test"):
        values = decision[part]
        cells = " | ".join(_number(values[name]) for name in ("precision", "recall", "share_flagged"))
        rows.append(f"| {decision['threshold']:.4g}, {part} | {cells} |")
    reached = "" if decision["reached_on_validation"] else ", which none reaches on validation; this one comes closest"
    lines = [f"Threshold by `--decision {decision['rule']}`{reached}."]
    if decision["abstain_below"] is not None:
        certain = decision["certain"]
        lines.append(
            f"Below a confidence of {decision['abstain_below']:g} a post is called uncertain: "
            f"{certain['num_posts']:,} of {report.test['num_posts']:,} test posts are not, with an accuracy of "
            f"{_number(certain['accuracy'])}."
        )
    return "\n".join(rows) + "\n\n" + " ".join(lines)


def split_text(report: "Report") -> str:
    """Return how test posts were chosen, and how many of them leak."""
    split = report.split
    if split["name"] == OUTSIDE:
        return (
            f"- All {split['test']:,} posts of a corpus in another file than the one that the model was trained on.\n"
            "- How many of them, or of their near-duplicates, are among its training posts is not known: the result "
            "is too good by what it remembers of them.\n"
            f"- Intervals: {split['num_resamples']:,} bootstrap resamples of near-duplicate groups."
        )
    fold = f", fold {split['fold']}" if split["fold"] else ""
    return (
        f"- Split `{split['name']}`, seed {split['seed']}{fold}: {split['train']:,} training, {split['validation']:,} "
        f"validation, {split['test']:,} test posts.\n"
        f"- Test posts that have a near-duplicate (character 5-gram Jaccard of 0.5 or more) in the training part: "
        f"**{split['num_leaking_test_posts']:,}** ({split['num_leaking_test_posts'] / split['test']:.1%}).\n"
        "- Validation posts, cut from the training part, made every choice; test posts made none.\n"
        f"- Intervals: {split['num_resamples']:,} bootstrap resamples of near-duplicate groups."
    )


def data_text(report: "Report") -> str:
    """Return what the corpus is, and what was odd."""
    data = report.data
    lines = [
        f"- `{data['path']}`, SHA-256 `{data['sha256']}`",
        f"- {data['num_posts']:,} posts: {data['num_rumors']:,} rumors and {data['num_posts'] - data['num_rumors']:,} "
        "non-rumors",
        *(f"- {line}" for line in describe(Findings(data["findings"]))),
    ]
    return "\n".join(lines)


def steps_text(train: dict[str, Any]) -> str:
    """Return how many steps were taken, and how many were planned if it stopped before."""
    taken, planned = train["total_steps"], train.get("planned_steps", train["total_steps"])
    return f"{taken:,} steps" + (f" of {planned:,} (stopped early)" if taken < planned else "")


def since_text(train: dict[str, Any]) -> str:
    """Return from where on times were taken, if the run had been interrupted."""
    step = train.get("resumed_at_step")
    return "" if step is None else f" (since it was resumed at step {step:,})"


def training_text(report: "Report") -> str:
    """Return model, loss, schedule, speed, machine and the course of the epochs."""
    model, train, environment = report.model, report.train, report.environment
    lines = [
        f"- Model: {model['name']} ({model['architecture']}, {model['num_parameters']:,} weights), texts cut at "
        f"{model['max_length']} tokens",
        f"- Loss: {report.loss['formula']} {report.loss['kwargs'] or ''}".rstrip(),
        f"- {train['epochs']:g} epochs, {steps_text(train)}, {train['warmup_steps']:,} of them warm-up, "
        f"schedule {train['schedule']}, peak learning rate {train['learning_rate']:g}",
        f"- {train['runtime_seconds']:.0f} s from {train['started_at']} to {train['ended_at']}{since_text(train)}, "
        f"{_number(train['posts_per_second'], 1)} posts per second",
        f"- {environment['device']}, {environment['precision']} ({environment['precision_reason']}), "
        f"{environment['num_processes']} process(es)",
    ]
    if not train["history"]:  # --eval_strategy no
        return "\n".join(lines)
    rows = ["", "| epoch | mean training loss | validation loss | validation macro-F1 |", "|---|---|---|---|"]
    for epoch in train["history"]:
        kept = " (kept)" if train.get("best_checkpoint") == f"checkpoint-{epoch.get('step')}" else ""
        rows.append(
            f"| {epoch['epoch']:g}{kept} | {_number(epoch['mean_loss'])} | {_number(epoch['validation_loss'])} "
            f"| {_number(epoch['validation_macro_f1'])} |"
        )
    return "\n".join(lines + rows)


def _repeat_text(report: "Report") -> str:
    versions = ", ".join(f"{name} {version}" for name, version in report.environment["versions"].items())
    chosen = ", ".join(f"{flag} {value}" for flag, value in report.auto.items())
    if report.split["name"] == OUTSIDE:
        return f"```\nhf-rumor evaluate MODEL --data_path {report.data['path']}\n```\n\nVersions: {versions}."
    return (
        "```\npython run_rumor.py recipe.yaml --output_dir again\n```\n\n"
        f"with the `recipe.yaml` beside this file. Chosen for this run: {chosen or 'nothing'}. Versions: {versions}."
    )


def recipe_text(report: "Report") -> str:
    """Return `recipe.yaml`: what repeats the run, and as comments what it ran on."""
    versions = ", ".join(f"{name} {number}" for name, number in report.environment["versions"].items())
    return (
        "# Repeats this run: python run_rumor.py recipe.yaml --output_dir again\n"
        f"# data: SHA-256 {report.data['sha256']}\n# versions: {versions}\n"
        + yaml.safe_dump(report.recipe, allow_unicode=True)
    )
