"""What a model was trained on, and how well it performs, for the page."""

import math
from typing import Any

from hf_rumor.report.chinese import translator
from hf_rumor.report.record import Report
from hf_rumor.report.words import result, warnings
from hf_rumor.serve.judge import Judge
from hf_rumor.util.translation import Language


LANGUAGES: tuple[Language, ...] = ("zh", "en")
SCORES = ("accuracy", "macro_f1", "rumor_precision", "rumor_recall", "roc_auc", "ece")


def describe_model(judge: Judge) -> dict[str, Any]:
    """Return the facts of the model, the limits of the server, and the report; `report` is None if there is none."""
    facts, limits = judge.classifier.facts, judge.limits
    return {
        "name": judge.name,
        "threshold": facts.threshold,
        "abstain_below": facts.abstain_below,
        "reads_reposts": judge.classifier.reposts is not None,
        "limits": {name: getattr(limits, name) for name in ("max_characters", "max_posts", "max_bytes")},
        "report": _describe(judge.report) if judge.report else None,
    }


def _describe(report: Report) -> dict[str, Any]:
    test = report.unseen or report.test
    translators = {language: translator(language) for language in LANGUAGES}
    return {
        "warnings": {name: [_plain(line) for line in warnings(report, tr)] for name, tr in translators.items()},
        "result": {name: _plain(result(report, tr)) for name, tr in translators.items()},
        "corpus": report.data.name,
        "num_posts": report.data.num_posts,
        "num_rumors": report.data.num_rumors,
        "parts": {name: getattr(report.split, name) for name in ("train", "validation", "test")},
        "encoder": report.model.name,
        "trained_at": report.train.ended_at[:10],
        "rule": report.decision.rule,
        "threshold": test.threshold,
        "scores": {
            name: [_number(value) for value in (getattr(test, name), *test.intervals.get(name, ()))] for name in SCORES
        },
    }


def _plain(sentence: str) -> str:
    return sentence.replace("`", "")


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
