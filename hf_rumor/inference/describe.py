"""What a model is: architecture, activation, head, weights, the losses it knows, how probabilities are formed."""

from dataclasses import dataclass
from typing import Any

import torch
from huggingface_hub.errors import HfHubHTTPError
from transformers import AutoConfig, AutoModelForSequenceClassification

from hf_rumor.errors import ModelError
from hf_rumor.inference.hub import check_reachable


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


@dataclass(frozen=True)
class Description:
    """A model in words and numbers; `trained_with` and `threshold` are None for models of other makers."""

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


def describe_model(name: str) -> Description:
    """Describe a folder or a model of the Hub from its configuration; weights are not loaded.

    Raises:
        ModelError: There is no such model, or it is no sequence classifier.
    """
    check_reachable(name, "describe")
    try:
        config = AutoConfig.from_pretrained(name, trust_remote_code=False)
        with torch.device("meta"):
            model = AutoModelForSequenceClassification.from_config(config)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, KeyError, ImportError, HfHubHTTPError) as error:
        raise ModelError(f"{name}: expected a model of transformers, got {error}; check the name") from error
    facts: dict[str, Any] = getattr(config, "hf_rumor", {})
    width = f"{getattr(config, 'num_hidden_layers', '?')} layers, {getattr(config, 'hidden_size', '?')} wide"
    return Description(
        name=name,
        architecture=type(model).__name__,
        encoder=f"{config.model_type}, {width}, vocabulary of {getattr(config, 'vocab_size', '?')}",
        activation=_activation(config),
        head=_head(model),
        num_parameters=sum(parameter.numel() for parameter in model.parameters()),
        max_tokens=facts.get("max_length") or getattr(config, "max_position_embeddings", None),
        labels=dict(config.id2label),
        trained_with=f"{facts['formula']} {facts['kwargs'] or ''}".strip() if facts else None,
        outputs_loss=OUTPUTS_LOSS[config.problem_type],
        probability=PROBABILITY.get(config.problem_type, "none: a regression"),
        threshold=facts.get("threshold"),
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
        "threshold": "0.5 (none is stored)" if description.threshold is None else f"{description.threshold:g}",
    }
    return "\n".join([description.name, *(f"  {name:<14}{value}" for name, value in rows.items())])
