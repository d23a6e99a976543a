"""A finished model on the labeled posts of another corpus: the whole report."""

import math
from dataclasses import replace
from itertools import compress
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hf_rumor.corpus.arrow import Corpus
from hf_rumor.corpus.seen import find_seen
from hf_rumor.errors import ModelError, OutputError
from hf_rumor.evaluation.baseline import compare_baselines, cross_predict_baselines
from hf_rumor.evaluation.calibration import measure_calibration
from hf_rumor.evaluation.curves import confident_mistakes, measure_curves
from hf_rumor.evaluation.decision import Threshold, measure_decision
from hf_rumor.evaluation.early import EarlyDetection
from hf_rumor.evaluation.intervals import Groups
from hf_rumor.evaluation.measure import NUM_RESAMPLES, measure
from hf_rumor.evaluation.metrics import Scored
from hf_rumor.evaluation.slices import measure_slices
from hf_rumor.inference.classifier import RumorClassifier
from hf_rumor.models.hub import check_reachable, find_file
from hf_rumor.models.inputs import as_posts, share_unknown
from hf_rumor.models.seen import load_seen
from hf_rumor.report.record import OUTSIDE, REPORT_FILE, DataFacts, Report, read_report
from hf_rumor.report.write import write_report
from hf_rumor.runs.outcome import data_facts, traits_of
from hf_rumor.runs.reposts import make_part, measure_early, read_reposts_of
from hf_rumor.util.translation import Language


def evaluate_outside(
    name: str,
    corpus: Corpus,
    folder: Path,
    revision: str | None = None,
    language: Language = "en",
    prior: float | Literal["auto"] | None = None,
) -> Report:
    """Score every post of a corpus with a finished model, and write the report on it.

    The parts on training, validation and calibration are those of the model's own report. Nothing is fitted to the
    corpus but the baseline, by cross-validation; it is skipped if there are too few posts of a label.

    Args:
        name: A finished folder with its `report.json`, or a model of the Hub with one.
        corpus: Labeled posts. If the model has seen some of them in training, the others are also measured alone.
        folder: For the files that `write_report` lists.
        revision: Branch, tag or commit, if the model is one of the Hub.
        language: Of the report.
        prior: Share of rumors to which the probabilities are adjusted; `auto`: estimated from the posts without their
            labels. Reposts are not read then.

    Raises:
        ArgumentError: There are too few posts for `auto`.
        ModelError: There is no such model, or no report beside it, or it has seen all posts.
        OutputError: `folder` holds a model, whose own report would be lost.
    """
    if (folder / "config.json").exists():
        raise OutputError(f"--output_dir {folder}: contains a model; its report would be lost. Use another folder.")
    check_reachable(name, "model", revision)
    trained = read_report(find_file(name, REPORT_FILE, revision) or Path(name) / REPORT_FILE)
    seen = load_seen(name, revision)
    data = data_facts(corpus)
    if seen is None and (data.sha256 == trained.data.sha256 or data.texts_sha256 == trained.data.texts_sha256):
        raise ModelError(
            f"{name}: the model was trained on this corpus, {corpus.path}. Use another one; the score on its own test "
            "posts is in its report.md."
        )
    labels, texts = np.asarray(corpus.posts["label"][:], dtype=np.int64), corpus.posts["text"][:]
    is_seen = None if seen is None else find_seen(texts, seen)
    if is_seen is not None and is_seen.all():
        raise ModelError(f"{name}: the model has seen all {len(texts):,} posts of {corpus.path}. Use other posts.")
    classifier = RumorClassifier.from_pretrained(name, revision=revision)
    if prior is not None:
        classifier = classifier.with_prior(classifier.estimate_prior(texts) if prior == "auto" else prior)
    scored = Scored(corpus.posts["id"][:], labels, classifier.probabilities(texts), loss=math.nan)
    facts = classifier.facts
    share = share_unknown(as_posts(texts), classifier.tokenizer, facts.inputs, facts.tokenizer.unknown_id)
    groups = corpus.near_duplicates.groups
    report = _report_on(corpus, replace(data, share_unknown_tokens=share), scored, groups, trained, is_seen)
    early = None if prior is not None else _early(classifier, corpus, scored, groups, trained, is_seen)
    report = replace(report, prior=classifier.prior, early=early)
    write_report(folder, report, scored, texts, groups, language)
    return report


def _early(
    classifier: RumorClassifier,
    corpus: Corpus,
    scored: Scored,
    groups: Groups,
    trained: Report,
    is_seen: NDArray[np.bool_] | None,
) -> EarlyDetection | None:
    """Return what reposts add on the posts that the model has not seen; None if there are none, or it reads none."""
    if classifier.reposts is None or trained.early is None:
        return None
    read = read_reposts_of(corpus.posts, trained.early.deadline)
    if not read.counts.visible:
        return None
    kept = np.arange(len(groups)) if is_seen is None else np.flatnonzero(~is_seen)
    texts = corpus.posts.select_columns(["text"]).select(kept)["text"][:]
    kept_scored = scored if is_seen is None else scored.select(~is_seen)
    unseen = make_part(classifier.reposts, kept_scored, texts, read.reposts.of_posts(kept))
    calls = trained.early.calls
    confidence = (calls.confidence, calls.reached)
    return measure_early(read, unseen, groups[kept], trained.decision.threshold, confidence, None)


def _report_on(
    corpus: Corpus,
    data: DataFacts,
    scored: Scored,
    groups: Groups,
    trained: Report,
    is_seen: NDArray[np.bool_] | None,
) -> Report:
    """Return the report of a trained model with another corpus as its test posts."""
    texts, threshold = corpus.posts["text"][:], trained.decision.threshold
    # The baselines have seen no post, so the comparison is on posts that the model has not seen.
    is_unseen = np.ones(len(texts), dtype=np.bool_) if is_seen is None else ~is_seen
    unseen, groups_unseen = scored.select(is_unseen), groups[is_unseen]
    baselines = cross_predict_baselines(list(compress(texts, is_unseen)), unseen.labels, groups_unseen)
    return replace(
        trained,
        data=data,
        split=replace(
            trained.split,
            name=OUTSIDE,
            seed=None,
            fold=None,
            test=len(texts),
            num_leaking_test_posts=None,
            num_seen_test_posts=None if is_seen is None else int(is_seen.sum()),
            num_resamples=NUM_RESAMPLES,
        ),
        test=measure(scored, threshold, groups),
        unseen=None if is_unseen.all() else measure(unseen, threshold, groups_unseen),
        baseline=compare_baselines(baselines, unseen, threshold, groups_unseen),
        calibration=replace(trained.calibration, before=None, after=measure_calibration(scored)),
        decision=measure_decision(
            trained.decision.rule,
            Threshold(threshold, reached=trained.decision.reached_on_validation),
            trained.decision.abstain_below,
            scored,
            trained.decision.validation,
        ),
        curves=measure_curves(scored.labels, scored.probabilities, scored.probabilities),
        slices=measure_slices(traits_of(corpus.posts), scored, threshold, groups),
        mistakes=confident_mistakes(scored, threshold, groups),
    )
