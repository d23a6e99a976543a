"""Find, load or make the encoder and its tokenizer."""

import logging
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError, StrictDataclassError
from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
)

from hf_rumor.errors import ModelError
from hf_rumor.labels import LABEL_NAMES, PROBLEM_TYPES, Activation
from hf_rumor.models.hub import check_reachable, hub_is_there, is_cached
from hf_rumor.util.files import written_whole


logger = logging.getLogger(__name__)

AUTO_MODEL = "google-bert/bert-base-chinese"
AUTO_FILES = ("config.json", "model.safetensors", "tokenizer_config.json")
MINI = "mini"  # the encoder that the package brings along
MINI_FOLDER = Path(__file__).parents[1] / MINI

Pooling = Literal["first_token", "mean"]
MEAN_WEIGHT = 4.0  # of the mean, where the first token has 1; not tuned


def resolve_model(name: str) -> str:
    """Return the model that `auto` means: bert-base-chinese from the cache or the Hub, else `mini`; log the choice."""
    if name != "auto":
        return name
    if is_cached(AUTO_MODEL, *AUTO_FILES):
        choice, reason = AUTO_MODEL, "it is in the cache"
    elif not hub_is_there():
        choice, reason = MINI, f"{AUTO_MODEL} is not in the cache and the Hub is not to be reached"
    else:
        choice, reason = _download_auto_model()
    logger.info("model: %s (auto: %s)", choice, reason)
    return choice


def _download_auto_model() -> tuple[str, str]:
    try:
        snapshot_download(AUTO_MODEL, allow_patterns=["*.json", "vocab.txt", "model.safetensors"])
    except (OSError, HfHubHTTPError, ValueError) as error:
        return MINI, f"the Hub did not give {AUTO_MODEL}: {error}"
    return AUTO_MODEL, "from the Hub"


def load_model(
    name: str,
    activation: Activation,
    max_length: int,
    config_overrides: Mapping[str, Any] | None = None,
    pooling: Pooling = "first_token",
    revision: str | None = None,
) -> tuple[Any, Any]:
    """Return a sequence classifier in float32 with two labels, and its tokenizer.

    Args:
        name: A folder, a name on the Hub, or `mini`. Weights are read from safetensors only; no code of a model runs.
        activation: Saved as `problem_type`, so that the plain pipeline forms the same probabilities.
        max_length: Saved with the tokenizer as the length to cut at.
        config_overrides: Values that take the place of those in the model's configuration, as dropout rates.
        pooling: What the head reads: `first_token`, as the architecture does, or `mean`: see `_start_as_mean`.
        revision: Branch, tag or commit of a model of the Hub; None: its newest state.

    Raises:
        ModelError: There is no such model, or it cannot be had or loaded; the message tells these apart.
    """
    head = {
        "num_labels": len(LABEL_NAMES),
        "id2label": dict(enumerate(LABEL_NAMES)),
        "label2id": {name: number for number, name in enumerate(LABEL_NAMES)},
        "problem_type": PROBLEM_TYPES[activation],
    }
    if name == MINI and revision:
        raise ModelError(f"--model_revision {revision}: expected a model of the Hub, found {MINI}; leave it out")
    source = str(MINI_FOLDER) if name == MINI else name
    check_reachable(source, "--model_name_or_path", revision)
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, revision=revision, trust_remote_code=False)
        config = AutoConfig.from_pretrained(source, revision=revision, trust_remote_code=False, **head)
        _override(config, config_overrides or {}, head)
        appended = pooling == "mean" and _append_layer(config)
        model, loaded = AutoModelForSequenceClassification.from_pretrained(
            source,
            revision=revision,
            config=config,
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, ImportError, StrictDataclassError) as error:
        raise _explain(name, error) from error
    _check_tokenizer(name, tokenizer)
    _check_weights(name, model, loaded["missing_keys"], appended)
    longest = _longest(tokenizer, model.config)
    if max_length > longest:
        raise ModelError(f"--max_length {max_length}: expected at most the {longest} tokens of {name}; lower it")
    tokenizer.model_max_length = max_length
    _start_pooler_as_identity(model, loaded["missing_keys"])
    if appended:
        logger.info("model: a layer is added; it starts as the mean over the tokens")
        _start_as_mean(model)
    return model, tokenizer


def freeze_embeddings(model: Any) -> None:
    """Leave the token embeddings as they come. Half of a small multilingual encoder is nothing else.

    The rest of the embeddings, of positions and types, is small and learns on.
    """
    model.get_input_embeddings().requires_grad_(False)


def _append_layer(config: Any) -> bool:
    """Ask for one layer more than the checkpoint has; False where the checkpoint came with it.

    Raises:
        ModelError: It is no BERT.
    """
    if config.model_type != "bert":
        raise ModelError(f"--pooling mean: expected a BERT, found {config.model_type}; leave the flag out")
    if getattr(config, "hf_rumor", {}).get("pooling") == "mean":
        return False
    config.num_hidden_layers += 1
    return True


def _start_as_mean(model: Any) -> None:
    """Start the last layer of a BERT so that its first token reads the mean over all tokens of the text.

    Sentence encoders as e5 (Wang et al., 2022, https://arxiv.org/abs/2212.03533) are pre-trained on that mean; their
    first token says less. A layer with queries of zero attends to every token alike and leaves out padding; its values
    are the tokens themselves, and `MEAN_WEIGHT` lets the mean outweigh the token it is added to. So plain transformers
    loads the model, and training can still move what it attends to.
    """
    layer = model.base_model.encoder.layer[-1]
    attention, feed_forward = layer.attention, layer.output.dense
    with torch.no_grad():
        nn.init.zeros_(attention.self.query.weight)
        nn.init.eye_(attention.self.value.weight)
        nn.init.eye_(attention.output.dense.weight).mul_(MEAN_WEIGHT)
        nn.init.zeros_(feed_forward.weight)
        for part in (attention.self.query, attention.self.value, attention.output.dense, feed_forward):
            nn.init.zeros_(part.bias)
        for norm in (attention.output.LayerNorm, layer.output.LayerNorm):  # of a layer left out, if there was one
            norm.reset_parameters()


def _check_tokenizer(name: str, tokenizer: Any) -> None:
    """Refuse what would train on nothing: transformers makes an empty tokenizer where a folder has none."""
    found = None
    if len(tokenizer) <= len(tokenizer.all_special_ids):
        found = "one without a vocabulary; save the tokenizer into the folder"
    elif not tokenizer.is_fast:
        found = f"{type(tokenizer).__name__}, a slow one; choose another model"
    elif tokenizer.pad_token_id is None:
        found = "one without a padding token; choose an encoder"
    if found:
        raise ModelError(f"--model_name_or_path {name}: expected a fast tokenizer of an encoder, found {found}")


def _longest(tokenizer: Any, config: Any) -> int:
    """Return how many tokens an encoder takes; the tokenizer of a folder of ours says what was trained."""
    positions: int = getattr(config, "max_position_embeddings", tokenizer.model_max_length)
    return positions if hasattr(config, "hf_rumor") else min(tokenizer.model_max_length, positions)


def _check_weights(name: str, model: Any, missing: Collection[str], appended: bool) -> None:
    """Refuse an encoder of which weights are not in the checkpoint: they would be random, and nobody would know.

    Its pooler may be missing, and the layer that was appended.
    """
    prefix = f"{model.base_model_prefix}."
    made = ("pooler.", *([f"encoder.layer.{model.config.num_hidden_layers - 1}."] if appended else []))
    lost = sorted(key for key in missing if key.startswith(prefix) and not key.removeprefix(prefix).startswith(made))
    if lost:
        raise ModelError(
            f"--model_name_or_path {name}: expected the weights of the encoder, found {len(lost)} of them missing, "
            f"{lost[0]} the first; save it with save_pretrained, or leave --config_overrides out"
        )


def _override(config: Any, overrides: Mapping[str, Any], head: Mapping[str, Any]) -> None:
    for key, value in overrides.items():
        if key in (*head, "output_hidden_states", "output_attentions"):
            raise ModelError(f"--config_overrides: expected keys of the encoder, got {key}; leave it out")
        if not hasattr(config, key):
            raise ModelError(f"--config_overrides: expected a key of {type(config).__name__}, got {key}; correct it")
        setattr(config, key, value)


def _start_pooler_as_identity(model: Any, missing: Collection[str]) -> None:
    """Let a BERT pooler that is not in the checkpoint pass on what the encoder says, not a random mix of it."""
    pooler = getattr(model.base_model, "pooler", None)
    dense = getattr(pooler, "dense", None)
    if any(name.endswith("pooler.dense.weight") for name in missing) and isinstance(dense, nn.Linear):
        _start_as_identity(dense)
        logger.info("model: no pooler in the checkpoint; it starts as the identity")


def _start_as_identity(dense: nn.Linear) -> None:
    with torch.no_grad():
        nn.init.eye_(dense.weight)
        nn.init.zeros_(dense.bias)


def _explain(name: str, error: Exception) -> ModelError:
    causes: list[BaseException] = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(cause)
    if any(isinstance(cause, GatedRepoError) for cause in causes):
        return ModelError(
            f"--model_name_or_path {name}: expected access, the Hub refused it; accept its terms, log in"
        )
    if any(isinstance(cause, RepositoryNotFoundError) for cause in causes):
        return ModelError(f"--model_name_or_path {name}: expected a model, the Hub knows none of this name; check it")
    return ModelError(
        f"--model_name_or_path {name}: expected an encoder with a tokenizer and safetensors weights, got {error}; "
        "choose another model"
    )


def save_model(model: Any, tokenizer: Any, folder: Path, facts: dict[str, Any]) -> None:
    """Save weights (safetensors), configuration and tokenizer into `folder`, file by file whole or not at all.

    Args:
        model: A model of transformers.
        tokenizer: Its tokenizer.
        folder: Exists.
        facts: Kept in the configuration under `hf_rumor`: the loss, the threshold and so on.
    """
    model.config.hf_rumor = facts
    with TemporaryDirectory(dir=folder, prefix=".model.") as temporary:
        model.save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)
        for file in sorted(Path(temporary).iterdir()):
            with written_whole(folder / file.name) as part:
                shutil.copyfile(file, part)  # safetensors makes files that only their owner can read
