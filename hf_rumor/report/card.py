"""The model card: rendered from a report, never typed; kept where someone has edited it."""

import hashlib
import logging
import math
import re
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import EvalResult, ModelCardData

from hf_rumor.errors import ArgumentError, OutputError
from hf_rumor.report.markdown import (
    baseline_text,
    calibration_text,
    data_text,
    decision_text,
    headline,
    metrics_table,
    recipe_text,
    split_text,
    training_text,
)
from hf_rumor.report.portable import portable
from hf_rumor.report.record import Report
from hf_rumor.util.files import write_text


logger = logging.getLogger(__name__)

CARD_FILE = "README.md"
EXAMPLE = "听说明天全市停水一周，速转！"  # invented
SAMPLE = "sample"  # folder of the invented posts

# Our metric -> the field's name of it, and how it is read.
METRIC_TYPES = {
    "accuracy": ("accuracy", "Accuracy"),
    "macro_f1": ("f1", "Macro-F1"),
    "rumor_precision": ("precision", "Precision of rumor"),
    "rumor_recall": ("recall", "Recall of rumor"),
    "rumor_f1": ("f1", "F1 of rumor"),
    "roc_auc": ("roc_auc", "Area under ROC"),
    "pr_auc": ("average_precision", "Average precision"),
    "ece": ("ece", "Expected calibration error"),
    "brier": ("brier_score", "Brier score"),
}
CED_NAMES = ("Rumor_Dataset", "Chinese_Rumor_Dataset", "Chinese_Rumor_Dataset-master")  # without suffix
CED = (
    "CED corpus: Song et al., 2018, [arXiv:1811.04175](https://arxiv.org/abs/1811.04175); no licence is stated, "
    "research use"
)
ENCODERS = {
    "google-bert/bert-base-chinese": "Devlin et al., 2019, [arXiv:1810.04805](https://arxiv.org/abs/1810.04805)",
    "hfl/chinese-bert-wwm-ext": "Cui et al., 2021, [arXiv:1906.08101](https://arxiv.org/abs/1906.08101)",
}

USES = """\
For ranking posts that a person then checks, and for research on rumors. Not for deciding about people or posts
without a person: a false flag harms whoever wrote the post, and a missed rumor those who believe it.

- It reads wording, not the world: it cannot know whether a claim is true, and a rumor told soberly passes.
- **Satire** and jokes are told as rumors, or not, by their wording alone.
- **Breaking news** reads like rumor: urgent, unsourced, with calls to pass it on.
- **Dialects**, traditional characters and other languages than that of its training posts were not measured.
- **Time shifts it**: topics, people and phrases change; it is worse on posts newer than its training posts. Measure it
  on posts of your own: `hf-rumor evaluate`.
- The share of rumors where it is used differs from that in its corpus: choose a threshold of your own, on posts of
  your own."""

USAGE = """\
```python
from transformers import pipeline

classify = pipeline("text-classification", "{name}", top_k=None)
classify("{example}", truncation=True)
```

The probability of rumor is the {activation} of the rumor logit, {calibrated}; a post is called a rumor from
{threshold:.4g} on. With hf_rumor installed, `RumorClassifier.from_pretrained` applies the threshold, and
`hf-rumor explain`, `evaluate` and `serve` work on it too."""

_MARK = "\n<!-- Rendered by hf_rumor, SHA-256 of the text above: {digest}. Edit at will: an edited card is kept. -->\n"
_MARK_PATTERN = re.compile(r"\n<!-- Rendered by hf_rumor, SHA-256 of the text above: ([0-9a-f]{64})\. [^\n]* -->\n\Z")


def render_card(report: Report, license_id: str | None) -> str:
    """Return the card of a finished run: metadata of the Hub, then text for people.

    Args:
        report: Of the run; paths of this machine and ids of posts are left out.
        license_id: As the Hub names licences (`apache-2.0`), or None: the card then says that none is stated.
    """
    report = portable(report)
    base = report.model.get("hub_name")
    encoder = f"[{base}](https://huggingface.co/{base})" if base else f"`{report.model['name']}`"
    usage = USAGE.format(
        name="USER/MODEL",
        example=EXAMPLE,
        activation=report.loss["activation"],
        calibrated="not calibrated" if report.calibration["method"] == "none" else "calibrated inside the weights",
        threshold=report.test["threshold"],
    )
    parts = [
        f"---\n{_metadata(report, license_id).to_yaml()}\n---",
        f"# Rumor classifier for Chinese microblog posts\n\n{_opening(report, encoder)}",
        f"## Use it\n\n{usage}",
        f"## Intended use and limits\n\n{USES}",
        f"## How good it is\n\n{metrics_table(report)}",
        f"Against the simplest things that could work, on the same posts:\n\n{baseline_text(report)}",
        f"## What the number is worth\n\n{split_text(report)}",
        f"## Calibration and threshold\n\n{calibration_text(report)}\n\n{decision_text(report)}",
        f"## Data\n\n{data_text(report)}",
        f"## Training\n\n{training_text(report)}",
        f"## Repeat it\n\n{_repeat(report)}",
        f"## Licence and citation\n\n{_citation(report, license_id, encoder)}",
    ]
    text = "\n\n".join(parts) + "\n"
    return text + _MARK.format(digest=_digest(text))


def _opening(report: Report, encoder: str) -> str:
    sentence = headline(report)
    told = (
        f"How probable is it that a post is a rumor? {encoder}, fine-tuned with "
        f"hf_rumor {report.environment['versions']['hf_rumor']}.\n\n"
        f"**{sentence[0].upper()}{sentence[1:]}.**\n\n"
        "判断一条中文微博是谣言的概率。模型只看措辞，不核实事实；结果供人工核查参考，不能单独作为处理依据。"
    )
    if report.data["path"].rpartition("/")[2] == SAMPLE:
        told += "\n\n**Trained on invented posts: it shows that the program runs, and says nothing about the world.**"
    return told


def _repeat(report: Report) -> str:
    return (
        f"```\npython run_rumor.py recipe.yaml --output_dir again --data_path {report.data['path']}\n```\n\n"
        f"with this `recipe.yaml`, which is in the repository too:\n\n```yaml\n{recipe_text(report)}```"
    )


def _citation(report: Report, license_id: str | None, encoder: str) -> str:
    lines = [
        f"- Licence of this model: {license_id or 'none is stated; ask its maker before using it'}.",
        f"- Encoder: {encoder}"
        + (f", {ENCODERS[base]}" if (base := report.model.get("hub_name")) in ENCODERS else ""),
        f"- Data: {CED if is_ced(report.data['path']) else report.data['path'] + '; see what its maker asks for'}",
    ]
    return "\n".join(lines)


def is_ced(path: str | Path) -> bool:
    """Return whether a corpus has a name of the published one."""
    return Path(path).name.removesuffix(".zip") in CED_NAMES


def _metadata(report: Report, license_id: str | None) -> ModelCardData:
    hub_dataset = _hub_dataset(report.data["path"])
    return ModelCardData(
        language="zh",
        license=license_id,
        library_name="transformers",
        pipeline_tag="text-classification",
        tags=["rumor-detection", "hf_rumor"],
        base_model=report.model.get("hub_name"),
        datasets=[hub_dataset] if hub_dataset else None,
        metrics=["accuracy", "f1", "precision", "recall", "roc_auc"],
        widget=[{"text": EXAMPLE}],
        model_name=f"{Path(report.model['name']).name}-rumor",
        eval_results=_results(report, hub_dataset),
    )


def _hub_dataset(path: str) -> str | None:
    """Return `user/dataset` of `hub:user/dataset@revision/file`."""
    found = re.match(r"hub:([^/@]+/[^/@]+)", path)
    return found[1] if found else None


def _results(report: Report, hub_dataset: str | None) -> list[EvalResult]:
    """Return the metrics of `METRIC_TYPES` on the test posts, where they are defined, with their intervals."""
    name = "CED (Chinese rumor dataset)" if is_ced(report.data["path"]) else Path(report.data["path"]).name
    split, fold = report.split, report.split["fold"]
    common: dict[str, Any] = {
        "task_type": "text-classification",
        "task_name": "Rumor detection",
        "dataset_type": hub_dataset or re.sub(r"[^a-z0-9]+", "-", Path(report.data["path"]).stem.lower()).strip("-"),
        "dataset_name": name,
        "dataset_config": f"{split['name']} split, seed {split['seed']}" + (f", fold {fold}" if fold else ""),
        "dataset_split": "test",
        "dataset_args": {"sha256": report.data["sha256"], "num_posts": report.test["num_posts"]},
    }
    return [
        EvalResult(
            **common,
            metric_type=metric_type,
            metric_name=words,
            metric_value=round(report.test[name], 4),
            metric_args=_interval(report, name),
        )
        for name, (metric_type, words) in METRIC_TYPES.items()
        if math.isfinite(report.test[name])
    ]


def _interval(report: Report, name: str) -> dict[str, list[float]] | None:
    """Return the interval of a metric, if it has one; percentiles of the calibration error are no 95 % interval."""
    bounds = report.test["intervals"][name]
    if name == "ece" or not all(math.isfinite(bound) for bound in bounds):
        return None
    return {"interval_95": [round(bound, 4) for bound in bounds]}


def write_card(folder: Path, report: Report, license_id: str | None, *, overwrite: bool = False) -> None:
    """Write `README.md`, unless there is one that someone has edited; say so.

    Args:
        folder: Of the run.
        report: Of the run.
        license_id: None keeps the licence that the card there names.
        overwrite: Replace an edited card too.

    Raises:
        ArgumentError: `license_id` is no name of a licence.
    """
    check_license(license_id)
    path = folder / CARD_FILE
    there = path.read_bytes().decode("utf-8", "replace") if path.exists() else None
    if there is not None and is_edited(there) and not overwrite:
        logger.info("card: %s was edited by hand and is kept (hf-rumor push --overwrite_card renders it anew)", path)
        return
    write_text(path, render_card(report, license_id or (license_of(there) if there else None)))


def check_license(license_id: str | None) -> None:
    """Raise `ArgumentError` unless `license_id` is None or could be a licence of the Hub."""
    if license_id is not None and not re.fullmatch(r"[a-z0-9][a-z0-9.\-]*", license_id):
        raise ArgumentError(
            f"--license: expected a name as the Hub has it (apache-2.0, mit, cc-by-4.0, other), got {license_id!r}"
        )


def read_card(path: Path) -> str:
    """Return the text of a card.

    Raises:
        OutputError: It is not UTF-8, which the Hub wants.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise OutputError(f"{path}: expected UTF-8, got {error}; save it as UTF-8") from error


def is_edited(text: str) -> bool:
    """Return whether a card is not, to the letter, one that `render_card` returned."""
    mark = _MARK_PATTERN.search(text)
    return mark is None or mark[1] != _digest(text[: mark.start()])


def license_of(text: str) -> str | None:
    """Return the licence that the metadata of a card names, None where there is none.

    Raises:
        ArgumentError: The metadata is no YAML.
    """
    found = re.match(r"---\r?\n(.*?)\r?\n---\r?\n", text, re.DOTALL)
    try:
        metadata = yaml.safe_load(found[1]) if found else None
    except yaml.YAMLError as error:
        raise ArgumentError(f"{CARD_FILE}: expected YAML between the lines ---, got {error}; correct it") from error
    value = metadata.get("license") if isinstance(metadata, dict) else None
    return value if isinstance(value, str) else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
