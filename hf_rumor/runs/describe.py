"""The description of a model: architecture, head, loss, probabilities; and its score, from its report."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hf_rumor.evaluation.early import EarlyDetection
from hf_rumor.models.anatomy import ACTIVATION, LAYERS, POSITIONS, WIDTH, read_anatomy
from hf_rumor.models.hub import find_file
from hf_rumor.report.record import REPORT_FILE, Report, read_report
from hf_rumor.report.words import comparison, estimate, leakage, warnings


# `config.problem_type` -> the loss that transformers computes as `outputs.loss` if the call has `labels`.
OUTPUTS_LOSS = {
    "multi_label_classification": "BCEWithLogitsLoss on float one-hot labels (int labels fail)",
    "single_label_classification": "CrossEntropyLoss on int labels",
    "regression": "MSELoss",
    None: "chosen at the first call: CrossEntropyLoss for int labels, BCEWithLogitsLoss for float labels",
}
PROBABILITY = {
    "multi_label_classification": "sigmoid of the rumor logit; the two labels need not add up to 1",
    "single_label_classification": "softmax over both logits",
    None: "softmax over both logits (the pipeline's default)",
}
SHOWN_METRICS = ("accuracy", "macro_f1", "rumor_precision", "rumor_recall", "roc_auc", "brier")
LIMITS = (
    "The model sees only wording and checks no facts. Satire, breaking news, dialects and posts newer than the "
    "training posts mislead it. A false alarm does harm: do not base decisions about people on the model alone."
)


@dataclass(frozen=True)
class Score:
    """The score of a model, in words, from the report beside it."""

    warnings: tuple[str, ...]
    data: str  # corpus, number of posts, digest
    split: str  # how test posts were chosen, how many, and how many of them leak
    metrics: dict[str, str]  # metric -> its value on test posts, with the 95% CI in brackets
    with_reposts: str | None  # accuracy at each deadline; None if the model reads no reposts
    baseline: str  # comparison with TF-IDF + SVM on the same posts
    trained_at: str  # date


@dataclass(frozen=True)
class Description:
    """A model in words and numbers; None for what other libraries do not save."""

    name: str
    architecture: str
    encoder: str
    activation: str
    head: str
    num_parameters: int | None
    max_tokens: int | None
    labels: dict[int, str]
    trained_with: str | None
    outputs_loss: str
    probability: str
    threshold: float | None
    abstain_below: float | None
    calibration: str | None
    score: Score | None
    limits: str


def describe_model(name: str, revision: str | None = None) -> Description:
    """Describe a folder or a model of the Hub from its configuration; weights are not loaded.

    Raises:
        ModelError: The model is not available, or is not a model of transformers, or its report is corrupt.
    """
    anatomy = read_anatomy(name, revision)
    config, report_file = anatomy.config, find_file(name, REPORT_FILE, revision)
    labels: Mapping[str, str] = config.get("id2label", {"0": "LABEL_0", "1": "LABEL_1"})
    facts: Mapping[str, Any] = config.get("hf_rumor", {})
    problem_type = config.get("problem_type")
    layers, width, activation = (anatomy.setting(names) for names in (LAYERS, WIDTH, ACTIVATION))
    return Description(
        name=name,
        architecture=", ".join(config.get("architectures") or ["unknown"]),
        encoder=f"{config['model_type']}, {layers} layers, {width} wide, vocabulary of {config.get('vocab_size')}",
        activation=activation or "not in the configuration",
        head=" -> ".join(anatomy.head) or "none",
        num_parameters=anatomy.num_parameters or None,
        max_tokens=facts.get("inputs", {}).get("max_length") or anatomy.setting(POSITIONS),
        labels={int(number): label for number, label in labels.items()},
        trained_with=f"{facts['formula']} {facts['kwargs'] or ''}".strip() if "formula" in facts else None,
        outputs_loss=OUTPUTS_LOSS[problem_type],
        probability=PROBABILITY.get(problem_type, "none: a regression"),
        threshold=facts.get("threshold"),
        abstain_below=facts.get("abstain_below"),
        calibration=facts.get("calibration"),
        score=_score(read_report(report_file)) if report_file else None,
        limits=LIMITS,
    )


def _score(report: Report) -> Score:
    data, split, test = report.data, report.split, report.test
    return Score(
        warnings=warnings(report),
        data=f"{data.name}, {data.num_posts:,} posts, SHA-256 {data.sha256[:12]}",
        split=f"{split.name}, seed {split.seed}: {split.train:,} training posts, {split.test:,} test posts. "
        f"{leakage(report)}",
        metrics={name: estimate(getattr(test, name), test.intervals.get(name)) for name in SHOWN_METRICS},
        with_reposts=_with_reposts(report.early) if report.early else None,
        baseline=comparison(report),
        trained_at=report.train.ended_at[:10],
    )


def _with_reposts(early: EarlyDetection) -> str:
    rows = [(row.deadline, row.model) for row in early.deadlines if row.deadline != "0"]
    return "accuracy " + ", ".join(
        f"{estimate(scores.accuracy, scores.intervals['accuracy'])} at {deadline}" for deadline, scores in rows
    )


def to_text(description: Description) -> str:
    """Return the description for people."""
    rows = {
        "architecture": f"{description.architecture}: {description.encoder}",
        "activation": f"{description.activation} (between the layers)",
        "head": description.head,
        "weights": "unknown" if description.num_parameters is None else f"{description.num_parameters:,}",
        "longest text": f"{description.max_tokens} tokens",
        "labels": ", ".join(f"{number} = {name}" for number, name in description.labels.items()),
        "trained with": description.trained_with or "unknown: not trained by hf_rumor",
        "outputs.loss": description.outputs_loss,
        "probability": description.probability,
        "calibration": description.calibration or "unknown",
        "threshold": "0.5 (none is stored)" if description.threshold is None else f"{description.threshold:g}",
    }
    if description.abstain_below is not None:
        rows["uncertain"] = f"below a confidence of {description.abstain_below:g}"
    if score := description.score:
        rows |= {"data": score.data, "split": score.split, "score": "on test posts, 95% CI in brackets"}
        rows |= {"warning": " ".join(score.warnings)} if score.warnings else {}
        rows |= {"with reposts": score.with_reposts} if score.with_reposts else {}
        rows |= {**score.metrics, "baseline": score.baseline, "trained": score.trained_at}
    else:
        rows["score"] = f"unknown: no {REPORT_FILE} beside it"
    rows["limits"] = description.limits
    return "\n".join([description.name, *(f"  {name:<16}{value}" for name, value in rows.items())])
