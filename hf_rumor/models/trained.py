"""Load a finished classifier of transformers for inference."""

import os
from typing import Any

import torch
from huggingface_hub.errors import HfHubHTTPError
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from hf_rumor.errors import ModelError
from hf_rumor.models.encoders import check_tokenizer
from hf_rumor.models.facts import Facts, Precision, read_facts
from hf_rumor.models.hub import check_reachable, pickled_weights
from hf_rumor.models.inputs import tokenizer_facts
from hf_rumor.models.positions import longest_input


def load_classifier(
    name: str, precision: Precision = "fp32", revision: str | None = None, *, use_cpu: bool = False
) -> tuple[Any, Any, Facts]:
    """Return a classifier of transformers in evaluation mode, its tokenizer, and how to read its logits.

    Weights are read from safetensors only; no code of a model runs. A GPU is used if there is one.

    Args:
        name: A finished folder, or a model on the Hub.
        precision: Of the weights.
        revision: Branch, tag or commit of a model on the Hub; None: the newest.
        use_cpu: Whether to ignore a GPU.

    Raises:
        ModelError: The model is not available, or is not a rumor classifier, or its weights do not fit it exactly.
    """
    check_reachable(name, "model", revision)
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, revision=revision, trust_remote_code=False)
        model, loaded = AutoModelForSequenceClassification.from_pretrained(
            name,
            revision=revision,
            dtype=torch.bfloat16 if precision == "bf16" else torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, ImportError, HfHubHTTPError) as error:
        reason = pickled_weights(name, "AutoModelForSequenceClassification")
        reason = reason or f"not a classifier with safetensors weights ({error}). Check the name."
        raise ModelError(f"{name}: {reason}") from error
    if loaded["missing_keys"]:
        raise ModelError(
            f"{name}: not a trained classifier, since {min(loaded['missing_keys'])} is missing. Train it first: "
            f"hf-rumor train --model_name_or_path {name}"
        )
    if loaded["unexpected_keys"]:
        raise ModelError(
            f"{name}: {min(loaded['unexpected_keys'])} does not belong to {type(model).__name__}; predictions would "
            "be wrong. Retrain the model."
        )
    check_tokenizer(name, tokenizer)
    if model.config.pad_token_id is None:  # a decoder needs it to find the last token of a padded post
        model.config.pad_token_id = tokenizer.pad_token_id
    device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"  # set by torchrun and accelerate launch
    model.to(device if torch.cuda.is_available() and not use_cpu else "cpu").eval()
    longest = longest_input(model, tokenizer)
    return model, tokenizer, read_facts(name, model.config.to_dict(), tokenizer_facts(tokenizer), longest)
