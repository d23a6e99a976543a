"""Find and load the encoder to fine-tune, and its tokenizer."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError, StrictDataclassError
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

from hf_rumor.errors import ModelError
from hf_rumor.labels import LABEL_NAMES, PROBLEM_TYPES, Activation
from hf_rumor.models.hub import check_reachable, is_cached, is_hub_reachable, pickled_weights
from hf_rumor.models.padding import pad_on_the_right, reads_last_token
from hf_rumor.models.pooling import Pooling, append_layer, start_as_mean, start_pooler_as_identity
from hf_rumor.models.positions import longest_input


logger = logging.getLogger(__name__)

AUTO_MODEL = "google-bert/bert-base-chinese"
AUTO_FILES = ("config.json", "model.safetensors", "tokenizer_config.json")
MINI = "mini"  # the bundled encoder
MINI_FOLDER = Path(__file__).parents[1] / MINI
LABELS = {
    "num_labels": len(LABEL_NAMES),
    "id2label": dict(enumerate(LABEL_NAMES)),
    "label2id": {label: number for number, label in enumerate(LABEL_NAMES)},
}
BUFFERS = ("position_ids", "masked_bias", "inv_freq")  # constants that older checkpoints contain


def resolve_model(name: str) -> str:
    """Return the model that `auto` stands for: bert-base-chinese from the cache or the Hub, else `mini`; log it."""
    if name != "auto":
        return name
    if is_cached(AUTO_MODEL, *AUTO_FILES):
        choice, reason = AUTO_MODEL, "found in the cache"
    elif not is_hub_reachable():
        choice, reason = MINI, f"{AUTO_MODEL} is not in the cache and the Hub is unreachable"
    else:
        try:
            snapshot_download(AUTO_MODEL, allow_patterns=["*.json", "vocab.txt", "model.safetensors"])
            choice, reason = AUTO_MODEL, "from the Hub"
        except (OSError, HfHubHTTPError, ValueError) as error:
            choice, reason = MINI, f"downloading {AUTO_MODEL} failed: {error}"
    logger.info("model: %s (auto: %s)", choice, reason)
    return choice


def load_encoder(
    name: str,
    activation: Activation,
    max_length: int,
    config_overrides: Mapping[str, Any] | None = None,
    pooling: Pooling = "first_token",
    revision: str | None = None,
) -> tuple[Any, Any]:
    """Return a sequence classifier in float32 with two labels, ready for training, and its tokenizer.

    Args:
        name: A folder, a name on the Hub, or `mini`. Weights are read from safetensors only; no code of a model runs.
        activation: Saved as `problem_type`, so that the plain pipeline computes the same probabilities.
        max_length: Saved with the tokenizer as the length to truncate at.
        config_overrides: Values that replace those of the configuration, such as dropout rates.
        pooling: `first_token`, as in the architecture, or `mean`: see `hf_rumor.models.pooling`.
        revision: Branch, tag or commit of a model on the Hub; None: the newest.

    Raises:
        ModelError: The model is not available or cannot be loaded; the message states which.
    """
    where = f"--model_name_or_path {name}"
    if name == MINI and revision:
        raise ModelError(f"--model_revision {revision}: {MINI} is bundled and has no revisions. Omit the flag.")
    source = str(MINI_FOLDER) if name == MINI else name
    check_reachable(source, "--model_name_or_path", revision)
    overrides = config_overrides or {}
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, revision=revision, trust_remote_code=False)
        config = AutoConfig.from_pretrained(
            source, revision=revision, trust_remote_code=False, **LABELS, problem_type=PROBLEM_TYPES[activation]
        )
        _override(config, overrides)
        is_appended = pooling == "mean" and append_layer(config)
        if config.pad_token_id is None:
            config.pad_token_id = tokenizer.pad_token_id
        model, loaded = AutoModelForSequenceClassification.from_pretrained(
            source,
            revision=revision,
            config=config,
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
        )
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, ImportError, StrictDataclassError) as error:
        raise _explain(where, source, error) from error
    if reads_last_token(model):
        pad_on_the_right(tokenizer, model.config)
    check_tokenizer(where, tokenizer)
    _check_weights(where, model, loaded, is_appended=is_appended, is_overridden=bool(overrides))
    longest = longest_input(model, tokenizer)
    if max_length > longest:
        raise ModelError(f"--max_length {max_length}: {name} accepts at most {longest} tokens. Lower it.")
    tokenizer.model_max_length = max_length
    start_pooler_as_identity(model, loaded["missing_keys"])
    if is_appended:
        start_as_mean(model)
    return model, tokenizer


def freeze_embeddings(model: Any) -> None:
    """Exclude the token embeddings from training: they are half of a small multilingual encoder.

    The embeddings of positions and types are small and still train.
    """
    model.get_input_embeddings().requires_grad_(False)


def check_tokenizer(where: str, tokenizer: Any) -> None:
    """Refuse an unusable tokenizer: transformers creates an empty one if a folder has none."""
    if len(tokenizer) <= len(tokenizer.all_special_ids):
        raise ModelError(f"{where}: the tokenizer has no vocabulary. Save the tokenizer into the folder.")
    if not tokenizer.is_fast:
        raise ModelError(f"{where}: {type(tokenizer).__name__} is not a fast tokenizer. Use another model.")
    if tokenizer.pad_token_id is None:
        raise ModelError(f"{where}: the tokenizer has no padding token. Set one and save it, or use another model.")


def _check_weights(
    where: str, model: Any, loaded: Mapping[str, Any], *, is_appended: bool, is_overridden: bool
) -> None:
    """Refuse an encoder if weights are missing, unknown or of another shape: it would not be the named one.

    The pooler and an appended layer may be missing. Heads of other tasks are ignored.
    """
    base, prefix = model.base_model, f"{model.base_model_prefix}."
    parts = {part for part, _ in base.named_children()}
    new = ("pooler.", *([f"encoder.layer.{model.config.num_hidden_layers - 1}."] if is_appended else []))
    missing = sorted(
        key
        for key in loaded["missing_keys"]
        if key.startswith(prefix) and not key.removeprefix(prefix).startswith(new)
    )
    unknown = sorted(
        key
        for key in loaded["unexpected_keys"]
        if key.removeprefix(prefix).partition(".")[0] in parts and not key.endswith(BUFFERS)
    )
    other_shapes = sorted(str(key) for key, *_ in loaded["mismatched_keys"])
    if missing:
        raise ModelError(
            f"{where}: {len(missing)} weights of the encoder are missing, such as {missing[0]}. Save it with "
            "save_pretrained, or omit --config_overrides."
        )
    if unknown and not is_overridden:
        raise ModelError(
            f"{where}: {len(unknown)} weights do not belong to {type(model).__name__}, such as {unknown[0]}. Fix "
            "config.json, or use another model."
        )
    if any(key.startswith(prefix) for key in other_shapes):
        raise ModelError(f"{where}: the shape of {other_shapes[0]} does not match config.json. Fix config.json.")
    if other_shapes:
        logger.info("model: the head of the checkpoint has other labels; a new one is trained")


def _override(config: Any, overrides: Mapping[str, Any]) -> None:
    for key, value in overrides.items():
        if key in (*LABELS, "problem_type", "output_hidden_states", "output_attentions"):
            raise ModelError(f"--config_overrides: {key} is not a setting of the encoder. Remove it.")
        if not hasattr(config, key):
            raise ModelError(f"--config_overrides: {type(config).__name__} has no key {key}. Check the spelling.")
        setattr(config, key, value)


def _explain(where: str, source: str, error: Exception) -> ModelError:
    causes: list[BaseException] = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(cause)
    if any(isinstance(cause, GatedRepoError) for cause in causes):
        return ModelError(f"{where}: the Hub refused access. Accept the terms of the model and log in.")
    if any(isinstance(cause, RepositoryNotFoundError) for cause in causes):
        return ModelError(f"{where}: the Hub has no model of this name. Check the name, or log in if it is private.")
    if pickled := pickled_weights(source, "AutoModel"):
        return ModelError(f"{where}: {pickled}")
    return ModelError(
        f"{where}: not an encoder with a tokenizer and safetensors weights ({error}). Use another model."
    )
