"""Choose a threshold for a finished model on labeled posts that it has not seen."""

import logging
from dataclasses import dataclass

import numpy as np

from hf_rumor.corpus.arrow import Corpus
from hf_rumor.corpus.seen import find_seen
from hf_rumor.errors import CorpusError, ModelError
from hf_rumor.evaluation.decision import OperatingPoint, choose_threshold, operating_point, parse_decision
from hf_rumor.evaluation.metrics import Floats
from hf_rumor.inference.classifier import RumorClassifier
from hf_rumor.models.seen import load_seen


logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """A threshold and the scores it gives on the posts it was chosen on, beside the threshold of the model."""

    model: str
    rule: str
    reached: bool  # whether some threshold meets the rule; if not, the chosen one comes closest
    num_posts: int
    num_rumors: int
    current: float
    at_current: OperatingPoint
    threshold: float
    at_threshold: OperatingPoint


def choose_for_model(name: str, corpus: Corpus, rule: str, revision: str | None = None) -> Choice:
    """Return the threshold that the rule of `--decision` gives on the posts of a corpus that the model has not seen.

    Raises:
        ModelError: The model is not available, or has seen all posts.
        CorpusError: The rule needs posts of both labels.
    """
    labels = np.asarray(corpus.posts["label"][:], dtype=np.int64)
    texts = np.array(corpus.posts["text"][:], dtype=object)
    seen = load_seen(name, revision)
    if seen is not None and (is_seen := find_seen(texts.tolist(), seen)).any():
        if is_seen.all():
            raise ModelError(f"{name}: the model has seen all {len(texts):,} posts of {corpus.path}. Use other posts.")
        logger.warning("decide: %d of %d posts are skipped, since the model has seen them", is_seen.sum(), len(texts))
        labels, texts = labels[~is_seen], texts[~is_seen]
    parsed = parse_decision(rule)
    if parsed.name not in ("fixed", "flag") and len(np.unique(labels)) < 2:
        raise CorpusError(f"{corpus.path}: --decision {rule} needs posts of both labels. Add some, or use flag=N.")
    classifier = RumorClassifier.from_pretrained(name, revision=revision)
    probabilities = classifier.probabilities(texts.tolist())
    chosen = choose_threshold(parsed, labels, probabilities)
    threshold, current = _shortened(chosen.value, probabilities), classifier.facts.threshold
    return Choice(
        model=name,
        rule=rule,
        reached=chosen.reached,
        num_posts=len(labels),
        num_rumors=int(labels.sum()),
        current=current,
        at_current=operating_point(labels, probabilities, current),
        threshold=threshold,
        at_threshold=operating_point(labels, probabilities, threshold),
    )


def _shortened(threshold: float, probabilities: Floats) -> float:
    """Return the threshold with as few digits as give the same predictions."""
    flagged = probabilities >= threshold
    for digits in range(2, 17):
        short = round(threshold, digits)
        if 0 < short < 1 and ((probabilities >= short) == flagged).all():
            return short
    return threshold


def to_text(choice: Choice) -> str:
    """Return the thresholds and their scores as a table."""
    rows = [("current", choice.current, choice.at_current), (choice.rule, choice.threshold, choice.at_threshold)]
    lines = [
        f"{choice.num_posts:,} posts, {choice.num_rumors:,} rumors",
        f"{'':<16}{'threshold':>10}{'flagged':>10}{'precision':>11}{'recall':>9}",
        *(
            f"{name:<16}{threshold:>10.6g}{round(point.share_flagged * choice.num_posts):>10,}{point.precision:>11.3f}"
            f"{point.recall:>9.3f}"
            for name, threshold, point in rows
        ),
    ]
    if not choice.reached:
        lines.append(f"No threshold satisfies {choice.rule} on these posts; this one comes closest.")
    lines.append("On other posts, expect lower scores: the threshold was chosen on these.")
    lines.append(f"Use it: hf-rumor predict {choice.model} FILE --threshold {choice.threshold}")
    return "\n".join(lines)
