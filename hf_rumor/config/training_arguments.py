"""Flags -> `transformers.TrainingArguments`."""

import importlib.util
import json
import sys
from collections.abc import Mapping
from typing import Any

from transformers import TrainingArguments

from hf_rumor.errors import ArgumentError
from hf_rumor.evaluation.metrics import LOWER_IS_BETTER, METRICS


class SingleDeviceArguments(TrainingArguments):
    """`TrainingArguments` that use one GPU per process, never `nn.DataParallel`; several GPUs need a launcher."""

    @property
    def n_gpu(self) -> int:
        """Return 1 if there is any GPU, else 0."""
        return min(int(super().n_gpu), 1)


def make_training_arguments(flags: Mapping[str, Any], *, precision: str, device: str) -> TrainingArguments:
    """Return the arguments of Trainer for flags, a precision (`fp32`, `bf16`, `fp16`) and a device (`cuda`, `cpu`).

    Raises:
        ArgumentError: `TrainingArguments` refuses a value.
    """
    settings = dict(flags)
    settings.pop("resume_from_checkpoint")
    settings.pop("push_to_hub", None)  # hf_rumor.hub pushes; Trainer would upload pickles too
    settings |= {"bf16": precision == "bf16", "fp16": precision == "fp16"}
    if device == "cpu":
        settings["use_cpu"] = True
    if settings["report_to"] in ("auto", ["auto"]):
        settings["report_to"] = ["tensorboard"] if importlib.util.find_spec("tensorboard") else []
    settings.setdefault("disable_tqdm", not sys.stderr.isatty())
    settings.setdefault("greater_is_better", _greater_is_better(settings["metric_for_best_model"]))
    if str(settings.get("lr_scheduler_type")) == "reduce_lr_on_plateau":
        kwargs = settings.get("lr_scheduler_kwargs") or {}
        kwargs = json.loads(kwargs) if isinstance(kwargs, str) else kwargs
        settings["lr_scheduler_kwargs"] = {"mode": "max" if settings["greater_is_better"] else "min"} | kwargs
    try:
        return SingleDeviceArguments(**settings)
    except (ValueError, TypeError, ImportError, RuntimeError, OSError) as error:
        raise ArgumentError(f"TrainingArguments: {error}. Change these flags.") from error


def _greater_is_better(metric: str) -> bool:
    name = metric.removeprefix("eval_")
    if name not in (*METRICS, "loss"):
        raise ArgumentError(f"--metric_for_best_model {metric}: not a metric. Use {', '.join(METRICS)} or loss.")
    return name not in (*LOWER_IS_BETTER, "loss")
