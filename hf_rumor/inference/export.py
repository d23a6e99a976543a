"""A finished folder -> the same model as ONNX, checked against torch on real posts."""

import io
import json
import logging
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from hf_rumor.errors import ModelError, OutputError
from hf_rumor.evaluation.decision import name_decisions
from hf_rumor.inference.classifier import RumorClassifier
from hf_rumor.labels import LABEL_NAMES
from hf_rumor.models.hub import check_reachable


MOST_POSTS = 512  # compared
MOST_FLIPS = 0.005  # share of decisions that int8 may change
FP32_BOUND = 1e-4  # of a probability
COMPARISON_FILE = "comparison.json"


@dataclass(frozen=True)
class Variant:
    """A way to run a model, against torch in fp32 on the same posts.

    Attributes:
        name: Backend and precision.
        largest_difference: Of a probability.
        agreement: Share of posts with the same decision.
        posts_per_second: Tokenization included.
        num_bytes: Of its weights; None for a model that is not a folder.
    """

    name: str
    largest_difference: float
    agreement: float
    posts_per_second: float
    num_bytes: int | None


@dataclass(frozen=True)
class Exported:
    """What was written, and how it compares."""

    folder: Path
    num_posts: int
    variants: list[Variant]


def export_model(
    name: str,
    folder: Path,
    texts: Sequence[str],
    *,
    precision: Literal["fp32", "int8"],
    force: bool = False,
    revision: str | None = None,
) -> Exported:
    """Write a model as ONNX through the exporter of transformers, if it says the same as torch does.

    Args:
        name: A finished folder, or a model of the Hub.
        folder: Is made; holds `model.onnx`, its weights, configuration and tokenizer, and what is returned here, as
            `comparison.json`.
        texts: Real posts; up to `MOST_POSTS` of all lengths are compared.
        precision: int8: weights of the linear layers in 8 bits, activations quantized as they come.
        force: Whether to keep an int8 model that changes more than `MOST_FLIPS` of the decisions.
        revision: Branch, tag or commit of a model of the Hub.

    Raises:
        ModelError: There is no such model, it cannot be exported, or it does not say the same.
        OutputError: The folder is not empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise OutputError(f"--output_dir {folder}: expected an empty folder, found files; give another, or empty it")
    classifier = RumorClassifier.from_pretrained(name, revision=revision)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix=".export.") as temporary:
        made = Path(temporary) / "onnx"
        _write(name, made, precision, revision)
        chosen = _of_all_lengths(texts)
        reference, reference_speed = _time(classifier, chosen)
        exported = RumorClassifier.from_pretrained(made, backend="onnx")
        found, speed = _time(exported, chosen)
        facts = classifier.facts
        decided = [name_decisions(of, facts.threshold, LABEL_NAMES, facts.abstain_below) for of in (found, reference)]
        difference = float(np.abs(found - reference).max())
        agreement = float(np.mean([here == there for here, there in zip(*decided, strict=True)]))
        _check(name, precision, difference, agreement, force=force)
        variants = [
            Variant("torch, fp32", 0.0, 1.0, reference_speed, _num_bytes(Path(name))),
            Variant(f"onnx, {precision}", difference, agreement, speed, _num_bytes(made)),
        ]
        compared = {"num_posts": len(chosen), "variants": [asdict(variant) for variant in variants]}
        (made / COMPARISON_FILE).write_text(json.dumps(compared, indent=2) + "\n", encoding="utf-8")
        if folder.exists():
            folder.rmdir()
        made.rename(folder)
    return Exported(folder, len(chosen), variants)


def _write(name: str, folder: Path, precision: str, revision: str | None) -> None:
    try:
        from transformers import exporters
    except ImportError as error:
        raise ModelError(f"export: expected onnx, got {error}; pip install 'hf_rumor[onnx]'") from error
    check_reachable(name, "model", revision)
    tokenizer = AutoTokenizer.from_pretrained(name, revision=revision, trust_remote_code=False)
    model = AutoModelForSequenceClassification.from_pretrained(
        name, revision=revision, use_safetensors=True, trust_remote_code=False, dtype=torch.float32
    )
    tools: Any = exporters  # without types
    quantizer = (
        tools.OnnxRuntimeQuantizer(tools.OnnxRuntimeDynamicConfig(per_channel=True)) if precision == "int8" else None
    )
    sample = dict(tokenizer(["今天晴", "听说明天全市停水一周"], padding=True, return_tensors="pt"))
    try:
        with _quiet():
            config = tools.OnnxConfig(dynamic=True, quantizer=quantizer)
            exported = tools.OnnxExporter().export(model.eval(), sample, config=config)
            exported.save_pretrained(folder)
    except (ImportError, RuntimeError, ValueError, TypeError) as error:
        told = str(error).partition("\n")[0]
        raise ModelError(f"{name}: expected a model that ONNX can hold, got {told}; keep to torch") from error
    model.config.save_pretrained(folder)  # with our facts, whatever the exporter keeps of them
    tokenizer.save_pretrained(folder)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporters' progress off stdout, and their warnings, meant for their makers, off stderr."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "transformers.exporters", "onnxscript", "root")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def _of_all_lengths(texts: Sequence[str]) -> list[str]:
    """Return texts from the shortest to the longest, evenly."""
    by_length = sorted(texts, key=len)
    chosen = np.unique(np.linspace(0, len(by_length) - 1, min(MOST_POSTS, len(by_length))).astype(int))
    return [by_length[position] for position in chosen]


def _time(classifier: RumorClassifier, texts: Sequence[str]) -> tuple[NDArray[np.float64], float]:
    classifier.probabilities(texts[:32])  # warm
    start = time.perf_counter()
    probabilities = classifier.probabilities(texts)
    return probabilities, len(texts) / (time.perf_counter() - start)


def _check(name: str, precision: str, difference: float, agreement: float, *, force: bool) -> None:
    if precision == "fp32" and not difference <= FP32_BOUND:
        raise ModelError(
            f"{name}: expected probabilities within {FP32_BOUND:g} of torch, found a difference of {difference:.2g}; "
            "nothing is written"
        )
    if precision == "int8" and agreement < 1 - MOST_FLIPS and not force:
        raise ModelError(
            f"{name}: expected int8 to change at most {MOST_FLIPS:.1%} of the decisions, found {1 - agreement:.1%}; "
            "nothing is written; take --precision fp32, or --force"
        )


def _num_bytes(folder: Path) -> int | None:
    if not folder.is_dir():
        return None
    weights = (path for pattern in ("*.safetensors", "*.onnx", "*.onnx.data") for path in folder.glob(pattern))
    return sum(path.stat().st_size for path in weights)


def to_text(exported: Exported) -> str:
    """Return the comparison as a table."""
    rows = [
        f"| {of.name} | {of.largest_difference:.1e} | {of.agreement:.1%} | {of.posts_per_second:.0f} | "
        f"{'' if of.num_bytes is None else f'{of.num_bytes / 1e6:.1f}'} |"
        for of in exported.variants
    ]
    header = "| variant | largest difference of a probability | same decision | posts/s | MB |\n|---|---|---|---|---|"
    return "\n".join([header, *rows, "", f"On {exported.num_posts} posts of all lengths. Written: {exported.folder}/"])
