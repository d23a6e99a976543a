"""The model card: rendered from a report, and kept if someone has edited it."""

import hashlib
import logging
import math
import re
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import EvalResult, ModelCardData

from hf_rumor.corpus.catalogue import named_in
from hf_rumor.errors import ArgumentError, OutputError
from hf_rumor.report.chinese import CHINESE, translator
from hf_rumor.report.markdown import section_text
from hf_rumor.report.portable import portable
from hf_rumor.report.record import Report
from hf_rumor.report.view import sections
from hf_rumor.report.words import headline
from hf_rumor.util.files import write_text
from hf_rumor.util.translation import Language, Translator


logger = logging.getLogger(__name__)

CARD_FILE = "README.md"
EXAMPLE = "听说明天全市停水一周，速转！"  # synthetic

# Our metric -> its type and name on the Hub.
METRIC_TYPES = {
    "accuracy": ("accuracy", "Accuracy"),
    "macro_f1": ("f1", "Macro-F1"),
    "rumor_precision": ("precision", "Precision (rumor)"),
    "rumor_recall": ("recall", "Recall (rumor)"),
    "rumor_f1": ("f1", "F1 (rumor)"),
    "roc_auc": ("roc_auc", "ROC-AUC"),
    "pr_auc": ("average_precision", "Average precision"),
    "ece": ("ece", "Expected calibration error"),
    "brier": ("brier_score", "Brier score"),
}
CED_NAMES = ("Rumor_Dataset", "Chinese_Rumor_Dataset", "Chinese_Rumor_Dataset-master")  # without suffix
CED = (
    "CED corpus: Song et al., 2018, [arXiv:1811.04175](https://arxiv.org/abs/1811.04175); no license stated, for "
    "research use"
)
ENCODERS = {
    "google-bert/bert-base-chinese": "Devlin et al., 2019, [arXiv:1810.04805](https://arxiv.org/abs/1810.04805)",
    "hfl/chinese-bert-wwm-ext": "Cui et al., 2021, [arXiv:1906.08101](https://arxiv.org/abs/1906.08101)",
}

USAGE = """\
```python
from transformers import pipeline

classify = pipeline("text-classification", "USER/MODEL", top_k=None)
classify("{example}", truncation=True)
```"""
TITLE = "Rumor classifier for Chinese microblog posts"
LIMITS = (
    "The model sees only wording and checks no facts: it misses rumors written in a sober tone.",
    "**Satire** and jokes are classified by their wording alone.",
    "**Breaking news** resembles rumors: urgent, without a source, with calls to share it.",
    "**Dialects**, traditional characters and languages other than that of the training posts have not been tested.",
    "**Drift**: topics, people and phrases change, and scores drop on posts newer than the training posts. Measure it "
    "on your own posts with `hf-rumor evaluate`.",
    "**Prevalence**: the share of rumors in practice differs from that in the corpus. Choose the threshold on your "
    "own posts.",
)

_MARK = "\n<!-- Rendered by hf_rumor, SHA-256 of the text above: "
_NOT_IN_CARD = ("slices", "hyper_parameters")  # sections of the report


def render_card(report: Report, license_id: str | None, language: Language = "en") -> str:
    """Return the card of a finished run: metadata for the Hub, then text for people.

    Paths of this machine and ids of posts are removed. If `license_id` is None, the card states that there is none.
    """
    report, tr = portable(report), translator(language)
    metadata = _metadata(report, license_id).to_yaml()
    shown = [section_text(section) for section in sections(report, tr) if section.id not in _NOT_IN_CARD]
    parts = [*_introduction(report, tr), *_limits(tr), *shown, *_license(report, license_id, tr)]
    text = f"---\n{metadata}\n---\n\n" + "\n\n".join(parts) + "\n"
    return f"{text}{_MARK}{_digest(text)}. An edited card is kept. -->\n"


def _introduction(report: Report, tr: Translator) -> tuple[str, ...]:
    what = tr(
        "Estimates the probability that a post is a rumor. {encoder}, fine-tuned with hf_rumor {version}.",
        encoder=_encoder(report),
        version=report.environment.versions["hf_rumor"],
    )
    threshold = tr(
        "A post is predicted to be a rumor if its probability is at least {threshold}. With hf_rumor installed, "
        "`RumorClassifier.from_pretrained` applies this threshold, and `hf-rumor explain`, `evaluate` and `serve` "
        "work as well.",
        threshold=f"{report.test.threshold:.4g}",
    )
    usage = USAGE.format(example=EXAMPLE)
    return f"# {tr(TITLE)}", what, f"**{headline(report, tr)}**", f"## {tr('Usage')}", usage, threshold


def _limits(tr: Translator) -> tuple[str, ...]:
    purpose = tr(
        "For ranking posts for human review, and for research on rumors. Not for decisions about people or posts "
        "without human review: a false alarm harms the author of the post, and a missed rumor harms those who believe "
        "it."
    )
    return f"## {tr('Intended use and limits')}", purpose, "\n".join(f"- {tr(limit)}" for limit in LIMITS)


def _license(report: Report, license_id: str | None, tr: Translator) -> tuple[str, ...]:
    base = report.model.hub_name
    lines = (
        tr(
            "License of this model: {license}.",
            license=license_id or tr("none is stated; ask the author before using it"),
        ),
        tr("Encoder: {encoder}", encoder=_encoder(report)) + (f", {ENCODERS[base]}" if base in ENCODERS else ""),
        tr("Data: {data}", data=_data(report, tr)),
    )
    return f"## {tr('License and citation')}", "\n".join(f"- {line}" for line in lines)


def _data(report: Report, tr: Translator) -> str:
    """Return where the posts are from, and under which license."""
    known = [f"{one.name} ({one.citation}; {tr.word(one.license)})" for one in named_in(report.data.findings)]
    if known:
        return tr("; ").join(known)
    return tr(CED) if is_ced(report.data.path) else tr("`{path}`; see the terms of its author", path=report.data.path)


def _encoder(report: Report) -> str:
    base = report.model.hub_name
    return f"[{base}](https://huggingface.co/{base})" if base else f"`{report.model.name}`"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def is_ced(path: str | Path) -> bool:
    """Return whether a corpus has a name of the published CED corpus."""
    return Path(path).name.removesuffix(".zip") in CED_NAMES


def _metadata(report: Report, license_id: str | None) -> ModelCardData:
    match = re.match(r"hub:([^/@]+/[^/@]+)", report.data.path)  # hub:user/dataset@revision/file
    hub_dataset = match[1] if match else None
    return ModelCardData(
        language="zh",
        license=license_id,
        library_name="transformers",
        pipeline_tag="text-classification",
        tags=["rumor-detection", "hf_rumor"],
        base_model=report.model.hub_name,
        datasets=[hub_dataset] if hub_dataset else None,
        metrics=["accuracy", "f1", "precision", "recall", "roc_auc"],
        widget=[{"text": EXAMPLE}],
        model_name=f"{Path(report.model.name).name}-rumor",
        eval_results=_results(report, hub_dataset),
    )


def _results(report: Report, hub_dataset: str | None) -> list[EvalResult]:
    """Return the metrics of `METRIC_TYPES` on the test posts, where they are defined, with their intervals.

    The interval of the calibration error is biased, so it is not in the card.
    """
    path, split = report.data.path, report.split
    common: dict[str, Any] = {
        "task_type": "text-classification",
        "task_name": "Rumor detection",
        "dataset_type": hub_dataset or re.sub(r"[^a-z0-9]+", "-", Path(path).stem.lower()).strip("-"),
        "dataset_name": "CED (Chinese rumor dataset)" if is_ced(path) else report.data.name,
        "dataset_config": f"{split.name} split, seed {split.seed}" + (f", fold {report.fold}" if report.fold else ""),
        "dataset_split": "test",
        "dataset_args": {"sha256": report.data.sha256, "num_posts": report.test.num_posts},
    }
    results = []
    for name, (kind, title) in METRIC_TYPES.items():
        value = round(getattr(report.test, name), 4)
        bounds = [round(bound, 4) for bound in report.test.intervals.get(name, (math.nan, math.nan))]
        interval = {"interval_95": bounds} if name != "ece" and all(map(math.isfinite, bounds)) else None
        if math.isfinite(value):
            results.append(
                EvalResult(**common, metric_type=kind, metric_name=title, metric_value=value, metric_args=interval)
            )
    return results


def write_card(
    folder: Path,
    report: Report,
    license_id: str | None,
    *,
    language: Language | None = None,
    overwrite: bool = False,
) -> None:
    """Write `README.md` into the folder of a run; without `overwrite`, keep and log one that someone has edited.

    If `license_id` or `language` is None, that of the previous card is kept.

    Raises:
        ArgumentError: `license_id` is not the name of a license.
    """
    check_license(license_id)
    path = folder / CARD_FILE
    previous = path.read_bytes().decode("utf-8", "replace") if path.exists() else None
    if previous is not None and is_edited(previous) and not overwrite:
        logger.info("card: %s was edited by hand and is kept (replace it with hf-rumor push --overwrite_card)", path)
        return
    if language is None:
        language = "zh" if f"# {CHINESE[TITLE]}\n" in (previous or "") else "en"
    write_text(path, render_card(report, license_id or (license_of(previous) if previous else None), language))


def check_license(license_id: str | None) -> None:
    """Raise `ArgumentError` unless `license_id` is None or could be the name of a license on the Hub."""
    if license_id is not None and not re.fullmatch(r"[a-z0-9][a-z0-9.\-]*", license_id):
        raise ArgumentError(
            f"--license {license_id!r}: not the name of a license on the Hub. Use apache-2.0, mit, cc-by-4.0, ..., or "
            "'other'."
        )


def read_card(path: Path) -> str:
    """Return the text of a card.

    Raises:
        OutputError: It is not UTF-8. The Hub requires UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise OutputError(f"{path}: not UTF-8 ({error}). Save it as UTF-8.") from error


def is_edited(text: str) -> bool:
    """Return whether a card differs from what `render_card` returned."""
    rendered, _, end = text.rpartition(_MARK)
    return not re.fullmatch(rf"{_digest(rendered)}\. [^\n]* -->\n", end)


def license_of(text: str) -> str | None:
    """Return the license in the metadata of a card, or None.

    Raises:
        ArgumentError: The metadata is not YAML.
    """
    match = re.match(r"---\r?\n(.*?)\r?\n---\r?\n", text, re.DOTALL)
    try:
        metadata = yaml.safe_load(match[1]) if match else None
    except yaml.YAMLError as error:
        raise ArgumentError(f"{CARD_FILE}: the metadata is not valid YAML ({error}). Fix it.") from error
    value = metadata.get("license") if isinstance(metadata, dict) else None
    return value if isinstance(value, str) else None
