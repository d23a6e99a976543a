"""What a model is: architecture, head, loss, how probabilities are formed; and its score, from its report."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import HfHubHTTPError
from transformers import AutoConfig, AutoModelForSequenceClassification

from hf_rumor.errors import ModelError
from hf_rumor.models.hub import check_reachable, find_file
from hf_rumor.report.record import REPORT_FILE, read_report
from hf_rumor.report.words import comparison, estimate, leakage, warnings


# What `outputs.loss` of transformers is computed with, by `config.problem_type`; needs `labels` in the call.
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
    "The model reads wording and does not verify claims. Satire, breaking news, dialects and posts newer than the "
    "training posts mislead it. A false alarm harms: do not base decisions about people on it alone."
)


@dataclass(frozen=True)
class Score:
    """The score of a model, in words, from the report beside it.

    Attributes:
        warnings: What a reader must know before the score.
        data: Corpus, number of posts, digest.
        split: How test posts were chosen, how many, and how many of them leak.
        metrics: Metric -> its value on test posts, with the 95% CI in brackets.
        baseline: Comparison with TF-IDF + SVM on the same posts.
        trained_at: Date.
    """

    warnings: tuple[str, ...]
    data: str
    split: str
    metrics: dict[str, str]
    baseline: str
    trained_at: str


@dataclass(frozen=True)
class Description:
    """A model in words and numbers; what only hf_rumor saves is None for other models."""

    name: str
    architecture: str
    encoder: str
    activation: str
    head: str
    num_parameters: int
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
        ModelError: There is no such model, or it is no sequence classifier.
    """
    check_reachable(name, "describe", revision)
    try:
        config = AutoConfig.from_pretrained(name, revision=revision, trust_remote_code=False)
        with torch.device("meta"):
            model = AutoModelForSequenceClassification.from_config(config)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, KeyError, ImportError, HfHubHTTPError) as error:
        raise ModelError(f"{name}: not a model of transformers ({error}). Check the name.") from error
    facts: dict[str, Any] = getattr(config, "hf_rumor", {})
    width = f"{getattr(config, 'num_hidden_layers', '?')} layers, {getattr(config, 'hidden_size', '?')} wide"
    return Description(
        name=name,
        architecture=type(model).__name__,
        encoder=f"{config.model_type}, {width}, vocabulary of {getattr(config, 'vocab_size', '?')}",
        activation=_activation(config),
        head=_head(model),
        num_parameters=sum(parameter.numel() for parameter in model.parameters()),
        max_tokens=facts.get("inputs", {}).get("max_length") or getattr(config, "max_position_embeddings", None),
        labels=dict(config.id2label),
        trained_with=f"{facts['formula']} {facts['kwargs'] or ''}".strip() if "formula" in facts else None,
        outputs_loss=OUTPUTS_LOSS[config.problem_type],
        probability=PROBABILITY.get(config.problem_type, "none: a regression"),
        threshold=facts.get("threshold"),
        abstain_below=facts.get("abstain_below"),
        calibration=facts.get("calibration"),
        score=_score(find_file(name, REPORT_FILE, revision)),
        limits=LIMITS,
    )


def _score(path: Path | None) -> Score | None:
    """Return the score in the report at `path`; None where there is none.

    Raises:
        ModelError: It is not a report of hf_rumor.
    """
    if path is None:
        return None
    report = read_report(path)
    data, split, test = report.data, report.split, report.test
    return Score(
        warnings=warnings(report),
        data=f"{Path(data.path).name}, {data.num_posts:,} posts, SHA-256 {data.sha256[:12]}",
        split=f"{split.name}, seed {split.seed}: {split.train:,} training posts, {split.test:,} test posts. "
        f"{leakage(report)}",
        metrics={name: estimate(getattr(test, name), test.intervals[name]) for name in SHOWN_METRICS},
        baseline=comparison(report),
        trained_at=report.train.ended_at[:10],
    )


def _activation(config: Any) -> str:
    """Return the activation between the layers; families name it differently."""
    names = ("hidden_act", "hidden_activation", "activation", "activation_function")
    return next((str(getattr(config, name)) for name in names if hasattr(config, name)), "not in the configuration")


def _head(model: Any) -> str:
    """Return the modules between the encoder's last layer and the logits."""
    encoder = model.base_model
    parts = [f"pooler {pooler}"] if (pooler := getattr(encoder, "pooler", None)) is not None else []
    parts += [f"{name} {module}" for name, module in model.named_children() if module is not encoder]
    return " ".join(" -> ".join(parts).split())


def to_text(description: Description) -> str:
    """Return the description for people."""
    rows = {
        "architecture": f"{description.architecture}: {description.encoder}",
        "activation": f"{description.activation} (between the layers)",
        "head": description.head,
        "weights": f"{description.num_parameters:,}",
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
        rows |= {**score.metrics, "baseline": score.baseline, "trained": score.trained_at}
    else:
        rows["score"] = f"unknown: no {REPORT_FILE} beside it"
    rows["limits"] = description.limits
    return "\n".join([description.name, *(f"  {name:<16}{value}" for name, value in rows.items())])
