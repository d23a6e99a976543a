"""A finished model -> the same model as ONNX, compared with torch on real posts."""

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

from hf_rumor.errors import ModelError, OutputError
from hf_rumor.evaluation.decision import name_decisions
from hf_rumor.inference.classifier import RumorClassifier, find_reposts
from hf_rumor.models.inputs import as_posts, make_batches
from hf_rumor.models.trained import load_classifier
from hf_rumor.reposts.model import save_reposts


MAX_POSTS = 512  # in the comparison
MAX_CHANGED = 0.005  # share of decisions that int8 may change
MAX_DIFFERENCE = 1e-4  # of a probability in fp32
SAMPLE = ("今天晴", "听说明天全市停水一周")  # texts that the exporter traces


@dataclass(frozen=True)
class Variant:
    """Backend and precision of a model, compared with torch in fp32 on the same posts."""

    name: str
    largest_difference: float  # of a probability
    agreement: float  # share of posts with the same decision
    posts_per_second: float  # tokenization included
    num_bytes: int | None  # of the weights; None for a model on the Hub


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
    """Write a model as ONNX through the exporter of transformers, if its probabilities equal those of torch.

    Args:
        name: A finished folder, or a model on the Hub.
        folder: Created; gets `model.onnx`, its weights, configuration and tokenizer, and the returned comparison as
            `comparison.json`.
        texts: Texts of real posts; up to `MAX_POSTS` of all lengths are compared.
        precision: int8: weights of the linear layers in 8 bits, activations quantized dynamically.
        force: Whether to keep an int8 model that changes more than `MAX_CHANGED` of the decisions.
        revision: Branch, tag or commit of a model on the Hub.

    Raises:
        ModelError: The model is not available, cannot be exported, or its probabilities differ.
        OutputError: The folder is not empty.
    """
    folder = folder.resolve()  # a link to a folder is not replaced
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise OutputError(f"--output_dir {folder}: this is not an empty folder. Name another one, or empty it.")
    classifier = RumorClassifier.from_pretrained(name, revision=revision)
    facts = classifier.facts
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix=".export.") as temporary:
        written = Path(temporary) / "onnx"
        _write(name, written, precision, revision)
        chosen = _of_all_lengths(texts)
        reference, reference_speed = _time(classifier, chosen)
        probabilities, speed = _time(RumorClassifier.from_pretrained(written, backend="onnx"), chosen)
        decisions = [
            name_decisions(values, facts.threshold, facts.abstain_below) for values in (probabilities, reference)
        ]
        difference = float(np.abs(probabilities - reference).max())
        agreement = float(np.mean([one == other for one, other in zip(*decisions, strict=True)]))
        _check(name, precision, difference, agreement, force=force)
        variants = [
            Variant("torch, fp32", 0.0, 1.0, reference_speed, _num_bytes(Path(name))),
            Variant(f"onnx, {precision}", difference, agreement, speed, _num_bytes(written)),
        ]
        comparison = {"num_posts": len(chosen), "variants": [asdict(variant) for variant in variants]}
        (written / "comparison.json").write_text(json.dumps(comparison, indent=2) + "\n", encoding="utf-8")
        if folder.exists():
            folder.rmdir()
        written.rename(folder)
    return Exported(folder, len(chosen), variants)


def _write(name: str, folder: Path, precision: str, revision: str | None) -> None:
    try:
        from transformers import exporters
    except ImportError as error:
        raise ModelError(f"export: {error}. Run: pip install onnx onnxruntime onnxscript") from error
    model, tokenizer, facts = load_classifier(name, revision=revision, use_cpu=True)
    tools: Any = exporters  # has no types
    quantizer = None
    if precision == "int8":
        quantizer = tools.OnnxRuntimeQuantizer(tools.OnnxRuntimeDynamicConfig(per_channel=True))
    _, [arrays] = make_batches(
        as_posts(SAMPLE), tokenizer.backend_tokenizer, facts.tokenizer, facts.inputs, len(SAMPLE)
    )
    sample = {key: torch.from_numpy(values) for key, values in arrays.items()}
    try:
        with _quiet():
            config = tools.OnnxConfig(dynamic=True, quantizer=quantizer)
            exported = tools.OnnxExporter().export(model, sample, config=config)
            exported.save_pretrained(folder)
    except (ImportError, RuntimeError, ValueError, TypeError) as error:
        reason = str(error).partition("\n")[0]
        raise ModelError(f"{name}: the model cannot be exported as ONNX ({reason}). Use it with torch.") from error
    stored = getattr(model.config, "hf_rumor", {})  # `load_onnx` has no tokenizer of transformers to read these from
    model.config.hf_rumor = {**stored, "inputs": asdict(facts.inputs), "tokenizer": asdict(facts.tokenizer)}
    model.config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    if reposts := find_reposts(name, revision):
        save_reposts(reposts, folder)


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the progress of the exporters on stdout, and their warnings for developers on stderr."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(action="ignore"), redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(before)


def _of_all_lengths(texts: Sequence[str]) -> list[str]:
    """Return texts from the shortest to the longest, evenly."""
    by_length = sorted(texts, key=len)
    chosen = np.unique(np.linspace(0, len(by_length) - 1, min(MAX_POSTS, len(by_length))).astype(int))
    return [by_length[position] for position in chosen]


def _time(classifier: RumorClassifier, texts: Sequence[str]) -> tuple[NDArray[np.float64], float]:
    classifier.probabilities(texts[:32])  # warm up
    start = time.perf_counter()
    probabilities = classifier.probabilities(texts)
    return probabilities, len(texts) / (time.perf_counter() - start)


def _check(name: str, precision: str, difference: float, agreement: float, *, force: bool) -> None:
    if precision == "fp32" and not difference <= MAX_DIFFERENCE:
        raise ModelError(
            f"{name}: the probabilities of ONNX differ from those of torch by up to {difference:.2g}, more than "
            f"{MAX_DIFFERENCE:g}. Nothing is written. Use it with torch."
        )
    if precision == "int8" and agreement < 1 - MAX_CHANGED and not force:
        raise ModelError(
            f"{name}: int8 changes {1 - agreement:.1%} of the decisions, more than {MAX_CHANGED:.1%}. Nothing is "
            "written. Use --precision fp32, or --force."
        )


def _num_bytes(folder: Path) -> int | None:
    if not folder.is_dir():
        return None
    weights = (path for pattern in ("*.safetensors", "*.onnx", "*.onnx.data") for path in folder.glob(pattern))
    return sum(path.stat().st_size for path in weights)


def comparison_table(exported: Exported) -> str:
    """Return the comparison as a Markdown table."""
    rows = [
        f"| {variant.name} | {variant.largest_difference:.1e} | {variant.agreement:.1%} | "
        f"{variant.posts_per_second:.0f} | {'' if variant.num_bytes is None else f'{variant.num_bytes / 1e6:.1f}'} |"
        for variant in exported.variants
    ]
    header = "| variant | largest difference in probability | same decision | posts/s | MB |\n|---|---|---|---|---|"
    return "\n".join([header, *rows, "", f"On {exported.num_posts} posts of all lengths. Written: {exported.folder}/"])
