"""The architecture of a model, read from its files in milliseconds: without torch and without weights."""

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import get_safetensors_metadata
from huggingface_hub.errors import HfHubHTTPError
from safetensors import SafetensorError, safe_open

from hf_rumor.errors import ModelError
from hf_rumor.models.hub import check_reachable, find_file


# Names of the same setting in different families of models.
LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
WIDTH = ("hidden_size", "n_embd", "dim", "d_model", "emb_dim")
ACTIVATION = ("hidden_act", "hidden_activation", "activation", "activation_function", "ff_activation")
POSITIONS = ("max_position_embeddings", "n_positions")


@dataclass(frozen=True)
class Anatomy:
    """The configuration of a model, and the shapes of its weights."""

    config: Mapping[str, Any]  # `config.json`
    shapes: Mapping[str, tuple[int, ...]]  # by name; empty if there is no safetensors file

    def setting(self, names: tuple[str, ...]) -> Any:
        """Return the first of these settings that the configuration has, or None."""
        return next((self.config[name] for name in names if name in self.config), None)

    @property
    def num_parameters(self) -> int:
        """Number of weights."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    @property
    def head(self) -> list[str]:
        """Names and shapes of the layers between the encoder and the logits."""
        encoder = Counter(name.partition(".")[0] for name in self.shapes).most_common(1)
        prefix = f"{encoder[0][0]}." if encoder else ""
        return [
            f"{name.removesuffix('.weight')} {'x'.join(map(str, self.shapes[name]))}"
            for name in sorted(self.shapes, key=lambda name: (".pooler." not in name, name))
            if name.endswith(".weight") and "embed" not in name and ("pooler." in name or not name.startswith(prefix))
        ]


def read_anatomy(name: str, revision: str | None = None) -> Anatomy:
    """Return the anatomy of a model in a folder, in the cache, or on the Hub.

    Raises:
        ModelError: The model is not available, or is not a model of transformers.
    """
    check_reachable(name, "model", revision)
    try:
        path = find_file(name, "config.json", revision)
        if path is None:
            raise FileNotFoundError("no config.json")
        config = json.loads(path.read_text(encoding="utf-8"))
        if "model_type" not in config:
            raise ValueError("config.json has no model_type")
        return Anatomy(config, _read_shapes(name, path.parent, revision))
    except (OSError, ValueError, TypeError, SafetensorError) as error:
        raise ModelError(f"{name}: not a transformers model ({error}). Check the name.") from error


def _read_shapes(name: str, folder: Path, revision: str | None) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for file in sorted(folder.glob("model*.safetensors")):
        with safe_open(file, "np") as weights:
            shapes |= {key: tuple(weights.get_slice(key).get_shape()) for key in weights.keys()}  # noqa: SIM118
    if shapes or Path(name).is_dir():
        return shapes
    try:  # reads the header of the file, not its weights
        files = get_safetensors_metadata(name, revision=revision).files_metadata.values()
    except (OSError, HfHubHTTPError, SafetensorError, ValueError):
        return {}
    return {key: tuple(tensor.shape) for file in files for key, tensor in file.tensors.items()}
