"""LoRA: low-rank adapters beside frozen weights, merged into them after training.

Hu et al., 2021, https://arxiv.org/abs/2106.09685. Every linear layer of the encoder gets one (Dettmers et al., 2023,
https://arxiv.org/abs/2305.14314, Sec. 4). The head is trained fully.
"""

import logging
import warnings
from typing import Any

from torch import nn
from transformers.pytorch_utils import Conv1D

from hf_rumor.errors import ArgumentError


logger = logging.getLogger(__name__)


def add_lora(model: Any, r: int, alpha: int, dropout: float) -> Any:
    """Return a `PeftModel` around a classifier, in which only adapters and head are trained.

    Args:
        model: A sequence classifier; is changed in place.
        r: Rank of the adapters.
        alpha: Their outputs are multiplied by `alpha / r`.
        dropout: Of their inputs.

    Raises:
        ArgumentError: `peft` is not installed.
    """
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError as error:
        raise ArgumentError(f"--lora_r {r}: peft is not installed. Run: pip install 'hf_rumor[lora]'") from error
    head = parts_of_head(model)
    config = LoraConfig(
        task_type="SEQ_CLS",
        r=r,
        lora_alpha=alpha,
        lora_dropout=dropout,
        target_modules=linear_layers(model),
        modules_to_save=head,
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in model.modules()),  # GPT-2
    )
    with warnings.catch_warnings():  # it reads a property that transformers has deprecated
        warnings.simplefilter("ignore", FutureWarning)
        wrapped = get_peft_model(model, config)
    trained, total = wrapped.get_nb_trainable_parameters()
    logger.info(
        "lora: rank %d, alpha %d; %s of %s weights are trained: adapters and head (%s)",
        *(r, alpha, f"{trained:,}", f"{total:,}", ", ".join(head)),
    )
    return wrapped


def linear_layers(model: Any) -> list[str]:
    """Return the names of the linear layers of the encoder, without its pooler."""
    prefix = f"{model.base_model_prefix}."
    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear | Conv1D)
        and name.startswith(prefix)
        and not f"{name}.".startswith(f"{prefix}pooler.")
    ]


def parts_of_head(model: Any) -> list[str]:
    """Return the names of the modules with weights outside the encoder, and of its pooler."""
    prefix = model.base_model_prefix
    parts = [name for name, part in model.named_children() if name != prefix and list(part.parameters())]
    return [*parts, *([f"{prefix}.pooler"] if getattr(model.base_model, "pooler", None) is not None else [])]


def classifier_in(model: Any) -> Any:
    """Return the classifier in a `PeftModel`; other models stay."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def merge_lora(model: Any) -> Any:
    """Return the plain classifier of a `PeftModel`, with the adapters added to its weights; other models stay."""
    return model.merge_and_unload() if hasattr(model, "merge_and_unload") else model
