"""A trained model -> calibrated, with a threshold, scored on test posts -> the report."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from torch import Tensor
from torch.nn import functional as F

from hf_rumor.config.arguments import RunArguments
from hf_rumor.corpus.arrow import Corpus, SplitCorpus, posts_of
from hf_rumor.corpus.near_duplicates import normalise
from hf_rumor.corpus.sources import name_of
from hf_rumor.evaluation.baseline import predict_baselines
from hf_rumor.evaluation.calibration import PRIOR_POSTS, fit_lines
from hf_rumor.evaluation.curves import confident_mistakes, measure_curves
from hf_rumor.evaluation.decision import choose_threshold, parse_decision
from hf_rumor.evaluation.measure import (
    NUM_RESAMPLES,
    Scored,
    measure,
    measure_baselines,
    measure_calibration,
    measure_decision,
    measure_with_intervals,
)
from hf_rumor.evaluation.slices import PostTraits, measure_slices
from hf_rumor.labels import LABEL_NAMES, decide, rumor_probabilities
from hf_rumor.models.encoders import MINI
from hf_rumor.models.head import apply_lines, can_calibrate, fold_into_head
from hf_rumor.models.inputs import InputConfig
from hf_rumor.models.logits import predict_logits
from hf_rumor.report.record import Report
from hf_rumor.training.losses import Loss
from hf_rumor.training.trainer import RumorTrainer


logger = logging.getLogger(__name__)

FEWEST_TO_CALIBRATE = 5  # validation posts of a label; a line through fewer moves every probability by chance


@dataclass(frozen=True)
class Outcome:
    """What a trained model says, calibrated.

    Attributes:
        scored: `validation` and `test`.
        threshold: Probability from which on a post is called a rumor.
        abstain_below: Confidence below which it is called uncertain, or None.
        calibration: The part of the report.
        decision: The part of the report.
        curves: The part of the report.
    """

    scored: dict[str, Scored]
    threshold: float
    abstain_below: float | None
    calibration: dict[str, Any]
    decision: dict[str, Any]
    curves: dict[str, Any]


def conclude(trainer: RumorTrainer, data: SplitCorpus, flags: RunArguments) -> Outcome:
    """Calibrate the trained model and choose its threshold, both on validation posts; then score the test posts."""
    model, activation = trainer.plain_model(), trainer.loss.activation
    raw = {part: logits_of(trainer, data.dataset[part], flags.max_length) for part in ("validation", "test")}
    before = {part: score(trainer, data.dataset[part], logits) for part, logits in raw.items()}
    lines = None
    num_rarer = int(np.bincount(before["validation"].labels, minlength=2).min())
    if flags.calibration == "platt" and num_rarer < FEWEST_TO_CALIBRATE:
        logger.info("calibration: left out; validation holds %d posts of the rarer label, too few", num_rarer)
    elif flags.calibration == "platt" and not can_calibrate(model):
        logger.info("calibration: skipped; the head of %s cannot store it", type(model).__name__)
    elif flags.calibration == "platt":
        seen = np.asarray(data.corpus.posts.select(data.split.development())["label"][:])
        logits = raw["validation"].double().numpy()
        lines = fit_lines(before["validation"].labels, logits, activation, float(seen.mean()))
        if lines is None:
            logger.info("calibration: left out; on validation posts it would turn the order of the posts round")
    after = before
    if lines is not None:
        fold_into_head(model, lines)
        calibrated = {part: apply_lines(lines, logits) for part, logits in raw.items()}
        after = {part: score(trainer, data.dataset[part], logits) for part, logits in calibrated.items()}
    validation = after["validation"]
    threshold = choose_threshold(parse_decision(flags.decision), validation.labels, validation.probabilities)
    logger.info(
        "threshold: %.4f (--decision %s%s)",
        *(threshold.value, flags.decision, "" if threshold.reached else ", which no threshold reaches on validation"),
    )
    calibration = {
        "method": "none" if lines is None else flags.calibration,
        "prior_posts": PRIOR_POSTS,
        "lines": None if lines is None else {name: asdict(lines[label]) for label, name in enumerate(LABEL_NAMES)},
        **measure_calibration(before, after),
    }
    decision = measure_decision(flags.decision, threshold, flags.abstain_below, after)
    test = after["test"]
    curves = measure_curves(test.labels, before["test"].probabilities, test.probabilities)
    return Outcome(after, threshold.value, flags.abstain_below, calibration, decision, curves)


def make_report(data: SplitCorpus, loss: Loss, outcome: Outcome, **parts: Any) -> Report:
    """Return the report: `parts` as they are, the others from data, loss and outcome."""
    development = data.corpus.posts.select(data.split.development())
    test, threshold = outcome.scored["test"], outcome.threshold
    groups = data.groups[data.split.test]
    traits = traits_of(data.corpus.posts.select(data.split.test))
    baselines = predict_baselines(development["text"][:], development["label"][:], data.dataset["test"]["text"][:])
    return Report(
        data=data_facts(data.corpus),
        split=split_facts(data),
        loss={"name": loss.name, "kwargs": loss.kwargs, "formula": loss.formula, "activation": loss.activation},
        validation=measure(outcome.scored["validation"], threshold),
        test=measure_with_intervals(test, threshold, groups),
        baseline=measure_baselines(baselines, test, threshold, groups),
        calibration=outcome.calibration,
        decision=outcome.decision,
        curves=outcome.curves,
        slices=measure_slices(traits, test.labels, decide(test.probabilities, threshold), groups),
        mistakes=confident_mistakes(test.ids, test.labels, test.probabilities, threshold),
        **parts,
    )


def traits_of(posts: Dataset) -> PostTraits:
    """Return what is known of posts beside their label."""
    return PostTraits(
        texts=posts["text"][:],
        posted_at=posts["posted_at"][:],
        has_url=posts["has_url"][:],
        num_reposts=posts["num_reposts"][:],
        author_verified=posts["author_verified"][:],
    )


def data_facts(corpus: Corpus) -> dict[str, Any]:
    """Return the `data` part of the report."""
    labels = corpus.posts["label"][:]
    return {
        "path": name_of(corpus.path),
        "sha256": corpus.sha256,
        "texts_sha256": _texts_digest(corpus.posts["text"][:]),
        "num_posts": len(labels),
        "num_rumors": sum(labels),
        "findings": dict(corpus.findings),
    }


def _texts_digest(texts: Sequence[str]) -> str:
    """Return what tells a corpus whatever file it lies in: a digest of its texts, in no order."""
    lines = sorted(normalise(text) for text in texts)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def split_facts(data: SplitCorpus) -> dict[str, Any]:
    """Return the `split` part of the report."""
    split = data.split
    return {
        "name": split.name,
        "seed": split.seed,
        "fold": split.fold,
        **{part: len(positions) for part, positions in split.parts().items()},
        "num_leaking_test_posts": data.num_leaking,
        "num_resamples": NUM_RESAMPLES,
    }


def model_facts(name: str, model: Any, flags: RunArguments) -> dict[str, Any]:
    """Return the `model` part of the report."""
    return {
        "name": name,
        "hub_name": None if name == MINI or Path(name).is_dir() else name,
        "architecture": type(model).__name__,
        "num_parameters": model.num_parameters(),
        "max_length": flags.max_length,
        "pooling": flags.pooling,
    }


def logits_of(trainer: RumorTrainer, posts: Dataset, max_length: int) -> Tensor:
    """Return the logits of `posts`, in their order. *Shape:* `(num_posts, 2)`."""
    config = InputConfig(max_length)
    return predict_logits(trainer.plain_model(), trainer.processing_class, posts_of(posts[:]), config)


def score(trainer: RumorTrainer, posts: Dataset, logits: Tensor) -> Scored:
    """Return what `logits` say of `posts`, and the loss recomputed from them."""
    labels = np.asarray(posts["label"][:], dtype=np.int64)
    target = F.one_hot(posts.with_format("torch")["label"][:], len(LABEL_NAMES)).float()
    loss = float(trainer.loss.function(logits.float().to(trainer.args.device), target.to(trainer.args.device)))
    return Scored(posts["id"][:], labels, rumor_probabilities(logits, trainer.loss.activation), loss)
