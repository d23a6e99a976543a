"""A trained model -> calibrated, with a threshold, scored on validation and test posts -> the report."""

import logging
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from torch import Tensor
from torch.nn import functional as F

from hf_rumor.config.flags import RunArguments
from hf_rumor.corpus.arrow import Corpus, posts_of
from hf_rumor.corpus.near_duplicates import Indices
from hf_rumor.corpus.parts import SplitCorpus
from hf_rumor.evaluation.abstention import choose_confidence, parse_abstain
from hf_rumor.evaluation.baseline import compare_baselines, predict_baselines
from hf_rumor.evaluation.calibration import PRIOR_POSTS, Calibration, Platt, fit_lines, measure_calibration
from hf_rumor.evaluation.curves import Curves, confident_mistakes, measure_curves
from hf_rumor.evaluation.decision import (
    Abstention,
    Decision,
    choose_threshold,
    measure_decision,
    operating_point,
    parse_decision,
)
from hf_rumor.evaluation.early import EarlyDetection
from hf_rumor.evaluation.measure import NUM_RESAMPLES, measure
from hf_rumor.evaluation.metrics import Scored
from hf_rumor.evaluation.slices import PostTraits, measure_slices
from hf_rumor.labels import LABEL_NAMES, rumor_probabilities
from hf_rumor.models.encoders import MINI
from hf_rumor.models.head import apply_lines, can_calibrate, fold_into_head
from hf_rumor.models.inputs import InputConfig, share_unknown
from hf_rumor.report.record import JOIN, DataFacts, LossFacts, ModelFacts, Report, SplitFacts, Training
from hf_rumor.runs.resolve import Run
from hf_rumor.training.losses import Loss
from hf_rumor.training.trainer import RumorTrainer


logger = logging.getLogger(__name__)

# Digests of `data/sample` and of its texts, wherever a copy of it is.
SAMPLE = "d73f4f5fe138bc355ad751ced03914d6b4eef94d60f2e3524b1289624203293e"
SAMPLE_TEXTS = "35c291e9362fb0f222f008fefa08b8bb4caa573b32fbbe86c84b312b0db17408"
FEWEST_TO_CALIBRATE = 5  # validation posts of a label; with fewer, chance decides the line


@dataclass(frozen=True)
class Outcome:
    """The calibrated model on validation and test posts, and parts of the report."""

    scored: dict[str, Scored]  # `validation` and `test`
    calibration: Calibration
    decision: Decision
    curves: Curves
    share_unknown_tokens: float  # of the test posts


def conclude(trainer: RumorTrainer, data: SplitCorpus, flags: RunArguments, raw: dict[str, Tensor]) -> Outcome:
    """Calibrate the trained model and choose its threshold, both on validation posts; then measure.

    Args:
        trainer: Its model is calibrated in place.
        data: The posts.
        flags: For calibration and threshold.
        raw: The logits of the validation and the test posts.
    """
    before = {part: score(trainer, data.dataset[part], logits) for part, logits in raw.items()}
    lines = _fit_lines(trainer, data, flags, before["validation"], raw["validation"])
    after = before
    if lines is not None:
        fold_into_head(trainer.plain_model(), lines)
        after = {part: score(trainer, data.dataset[part], apply_lines(lines, logits)) for part, logits in raw.items()}
    validation, test = after["validation"], after["test"]
    threshold = choose_threshold(parse_decision(flags.decision), validation.labels, validation.probabilities)
    logger.info(
        "threshold: %.4f (--decision %s%s)",
        *(threshold.value, flags.decision, "" if threshold.reached else "; not reached on validation posts"),
    )
    abstain_below, abstention = flags.abstain_below, None
    if flags.abstain is not None:
        groups = data.groups[data.split.validation]
        abstain_below, abstention = _abstain(flags.abstain, validation, threshold.value, groups)
    point = operating_point(validation.labels, validation.probabilities, threshold.value)
    return Outcome(
        scored=after,
        calibration=Calibration(
            method="none" if lines is None else flags.calibration,
            prior_posts=PRIOR_POSTS,
            lines=None if lines is None else dict(zip(LABEL_NAMES, lines, strict=True)),
            before=measure_calibration(before["test"]),
            after=measure_calibration(test),
        ),
        decision=replace(
            measure_decision(flags.decision, threshold, abstain_below, test, point), abstention=abstention
        ),
        curves=measure_curves(test.labels, before["test"].probabilities, test.probabilities),
        share_unknown_tokens=_share_unknown(trainer, data.dataset["test"], flags.max_length),
    )


def _abstain(rule: str, validation: Scored, threshold: float, groups: Indices) -> tuple[float | None, Abstention]:
    """Return the confidence below which a post is uncertain, by the rule of `--abstain`; log it."""
    bound = parse_abstain(rule)
    chosen = choose_confidence(validation.labels, validation.probabilities, threshold, groups, bound)
    if chosen is None:
        logger.warning("abstain: no confidence satisfies %s on validation posts; the model does not abstain", rule)
    else:
        logger.info("abstain: below a confidence of %.4f (%s)", chosen, rule)
    return chosen, Abstention(rule, bound, reached=chosen is not None)


def _fit_lines(
    trainer: RumorTrainer, data: SplitCorpus, flags: RunArguments, validation: Scored, logits: Tensor
) -> tuple[Platt, Platt] | None:
    """Return the lines that calibrate the logits; None without `--calibration`, or if they cannot be trusted."""
    if flags.calibration == "none":
        return None
    num_rarer = int(np.bincount(validation.labels, minlength=2).min())
    if num_rarer < FEWEST_TO_CALIBRATE:
        logger.info("calibration: skipped; only %d validation posts have the rarer label", num_rarer)
        return None
    if not can_calibrate(trainer.plain_model()):
        logger.info("calibration: skipped; the head of %s cannot store it", type(trainer.plain_model()).__name__)
        return None
    share_of_rumors = float(np.mean(data.corpus.posts.select(data.split.development())["label"][:]))
    lines = fit_lines(validation.labels, logits.double().numpy(), trainer.loss.activation, share_of_rumors)
    if lines is None:
        logger.info("calibration: skipped; on validation posts it would invert the ranking of the posts")
    return lines


def make_report(
    run: Run, model: Any, train: Training, outcome: Outcome, early: EarlyDetection | None = None
) -> Report:
    """Return the report of a finished run with this trained model."""
    data, flags, name = run.data, run.flags, run.flags.model_name_or_path
    development = data.corpus.posts.select(data.split.development())
    test, threshold = outcome.scored["test"], outcome.decision.threshold
    groups = data.groups[data.split.test]
    teacher = None if run.teacher is None else run.teacher.test
    baselines = predict_baselines(development["text"][:], development["label"][:], data.dataset["test"]["text"][:])
    return Report(
        data=replace(data_facts(data.corpus), share_unknown_tokens=outcome.share_unknown_tokens),
        split=split_facts(data),
        model=ModelFacts(
            name=name,
            hub_name=None if name == MINI or Path(name).is_dir() else name,
            architecture=type(model).__name__,
            num_parameters=model.num_parameters(),
            max_length=flags.max_length,
            pooling=flags.pooling,
        ),
        loss=loss_facts(run.loss),
        train=train,
        validation=measure(outcome.scored["validation"], threshold),
        test=measure(test, threshold, groups),
        unseen=None,
        early=early,
        baseline=compare_baselines(baselines, test, threshold, groups, teacher),
        calibration=outcome.calibration,
        decision=outcome.decision,
        curves=outcome.curves,
        slices=measure_slices(traits_of(data.corpus.posts.select(data.split.test)), test, threshold, groups),
        mistakes=confident_mistakes(test, threshold, groups),
        environment=run.environment,
        recipe=run.recipe,
        auto=run.auto,
    )


def loss_facts(loss: Loss) -> LossFacts:
    """Return the part `loss` of the report."""
    return LossFacts(loss.name, loss.kwargs, loss.formula, loss.activation)


def traits_of(posts: Dataset) -> PostTraits:
    """Return the properties of posts beside their label."""
    return PostTraits(
        num_characters=[len(text) for text in posts["text"][:]],
        posted_at=posts["posted_at"][:],
        has_url=posts["has_url"][:],
        num_reposts=posts["num_reposts"][:],
        author_verified=posts["author_verified"][:],
        source=posts["source"][:],
    )


def data_facts(corpus: Corpus) -> DataFacts:
    """Return the part `data` of the report."""
    labels = corpus.posts["label"][:]
    return DataFacts(
        path=JOIN.join(corpus.data_path) or str(corpus.path),
        sha256=corpus.sha256,
        texts_sha256=corpus.texts_sha256,
        num_posts=len(labels),
        num_rumors=sum(labels),
        findings=dict(corpus.findings),
        is_synthetic=corpus.texts_sha256 == SAMPLE_TEXTS or any(source.sha256 == SAMPLE for source in corpus.sources),
        share_unknown_tokens=math.nan,
    )


def split_facts(data: SplitCorpus) -> SplitFacts:
    """Return the part `split` of the report."""
    split = data.split
    return SplitFacts(
        name=split.name,
        seed=split.seed,
        fold=split.fold,
        train=len(split.train),
        validation=len(split.validation),
        test=len(split.test),
        num_leaking_test_posts=len(data.leaking),
        num_seen_test_posts=data.num_seen,
        num_resamples=NUM_RESAMPLES,
    )


def _share_unknown(trainer: RumorTrainer, posts: Dataset, max_length: int) -> float:
    tokenizer: Any = trainer.processing_class
    texts, config = posts_of(posts[:]), InputConfig(max_length)
    return share_unknown(texts, tokenizer.backend_tokenizer, config, tokenizer.unk_token_id)


def score(trainer: RumorTrainer, posts: Dataset, logits: Tensor) -> Scored:
    """Return the probabilities and the mean loss of `logits`."""
    labels, device = posts.with_format("torch")["label"][:], trainer.args.device
    target = F.one_hot(labels, len(LABEL_NAMES)).float()
    loss = float(trainer.loss.function(logits.float().to(device), target.to(device)))
    return Scored(posts["id"][:], labels.numpy(), rumor_probabilities(logits, trainer.loss.activation), loss)
