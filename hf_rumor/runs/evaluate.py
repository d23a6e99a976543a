"""A finished model on labelled posts from elsewhere: the whole report, and what the simplest thing does on them."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hf_rumor.corpus.arrow import Corpus
from hf_rumor.corpus.near_duplicates import find_near_duplicates
from hf_rumor.errors import ModelError, OutputError
from hf_rumor.evaluation.baseline import OUTSIDE, cross_predict_baselines
from hf_rumor.evaluation.curves import confident_mistakes, measure_curves
from hf_rumor.evaluation.decision import Threshold
from hf_rumor.evaluation.measure import (
    NUM_RESAMPLES,
    Scored,
    calibration_facts,
    measure_baselines,
    measure_decision,
    measure_with_intervals,
    predictions,
)
from hf_rumor.evaluation.slices import measure_slices
from hf_rumor.inference.classifier import RumorClassifier
from hf_rumor.labels import decide
from hf_rumor.models.hub import check_reachable, find_file
from hf_rumor.report.record import Report, write_report
from hf_rumor.runs.outcome import data_facts, traits_of


def evaluate_outside(name: str, corpus: Corpus, folder: Path, revision: str | None = None) -> Report:
    """Score every post of a corpus with a finished model, and write the report on it.

    What the report says of training, calibration and threshold is what the report of the model says; nothing is
    fitted to the corpus but the baseline, by cross-validation.

    Args:
        name: A finished folder with its `report.json`, or a model of the Hub with one.
        corpus: Labelled posts, none of which the model should have seen.
        revision: Branch, tag or commit, if the model is one of the Hub.
        folder: Gets `report.json`, `report.md`, `report.html` and `predictions.jsonl`.

    Raises:
        ModelError: There is no such model, or no report beside it, or it was trained on this very corpus.
        CorpusError: There are too few posts of a label.
        OutputError: `folder` holds a model, whose own report would be lost.
    """
    if (folder / "config.json").exists():
        raise OutputError(
            f"--output_dir {folder}: expected a folder for the report, found one with a model; give another"
        )
    check_reachable(name, "evaluate", revision)
    trained = read_report(find_file(name, "report.json", revision) or Path(name) / "report.json")
    data = data_facts(corpus)
    if trained.data["sha256"] == data["sha256"] or trained.data.get("texts_sha256") == data["texts_sha256"]:
        raise ModelError(
            f"{name}: expected a corpus that it was not trained on, found {corpus.path}, its own; report.md says how "
            "good it is on test posts"
        )
    classifier = RumorClassifier.from_pretrained(name, revision=revision)
    facts, posts = classifier.facts, corpus.posts
    labels, texts = np.asarray(posts["label"][:], dtype=np.int64), posts["text"][:]
    groups = find_near_duplicates(texts).groups
    baselines = cross_predict_baselines(texts, labels, groups)
    scored = Scored(posts["id"][:], labels, classifier.probabilities(texts), math.nan)
    threshold = Threshold(facts.threshold, reached=trained.decision["reached_on_validation"])
    decision = measure_decision(trained.decision["rule"], threshold, facts.abstain_below, {"test": scored})
    report = replace(
        trained,
        data=data,
        split={
            **trained.split,
            "name": OUTSIDE,
            "seed": None,
            "fold": None,
            "test": len(labels),
            "num_leaking_test_posts": None,
            "num_resamples": NUM_RESAMPLES,
        },
        test=measure_with_intervals(scored, facts.threshold, groups),
        baseline=measure_baselines(baselines, scored, facts.threshold, groups),
        calibration=trained.calibration | {"before": None, "after": {"test": calibration_facts(scored)}},
        decision={**decision, "validation": trained.decision["validation"]},
        curves=measure_curves(labels, scored.probabilities, scored.probabilities),
        slices=measure_slices(traits_of(posts), labels, decide(scored.probabilities, facts.threshold), groups),
        mistakes=confident_mistakes(scored.ids, labels, scored.probabilities, facts.threshold),
    )
    mistaken = {mistake["id"] for mistake in report.mistakes}
    told = {post_id: text for post_id, text in zip(scored.ids, texts, strict=True) if post_id in mistaken}
    write_report(folder, report, predictions(scored, facts.threshold, facts.abstain_below), told)
    return report


def read_report(path: Path) -> Report:
    """Return the report of a run.

    Raises:
        ModelError: There is none, or it is not ours.
    """
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        report = Report(**values)
        return replace(report, **{part: _with_nan(values[part]) for part in ("validation", "test", "train")})
    except FileNotFoundError as error:
        raise ModelError(f"{path}: expected the report of a run of ours, found none; train with hf-rumor") from error
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: expected a report of hf_rumor, got {error}; restore it") from error


def _with_nan(value: Any) -> Any:
    """Return what JSON holds with a number that is not defined as NaN again."""
    if isinstance(value, dict):
        return {key: _with_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_nan(item) for item in value]
    return math.nan if value is None else value
