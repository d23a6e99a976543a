"""The report as one page that needs nothing else: `report.html`, rendered from what `report.json` holds."""

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from hf_rumor.corpus.findings import Findings, describe
from hf_rumor.evaluation.baseline import BASELINES, BASELINES_FITTED, OUTSIDE
from hf_rumor.evaluation.metrics import METRICS
from hf_rumor.labels import LABEL_NAMES
from hf_rumor.report.markdown import since_text, steps_text
from hf_rumor.report.plots import draw_all


def to_html(report: dict[str, Any], texts: Mapping[str, str]) -> str:
    """Return the page.

    Args:
        report: As `report.json` holds it: a number that is not defined is None.
        texts: Text of each post among the mistakes, by id. They are on the page, and in no other file.
    """
    environment = Environment(
        loader=PackageLoader("hf_rumor.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": _number, "percent": _percent, "points": _points}
    page: str = environment.get_template("report.html").render(
        report,
        texts=texts,
        pictures=draw_all(report),
        metrics=METRICS,
        baselines=BASELINES,
        label_names=LABEL_NAMES,
        findings=describe(Findings(report["data"]["findings"])),
        summary=summary(report),
        is_outside=report["split"]["name"] == OUTSIDE,
        steps=steps_text(report["train"]),
        since=since_text(report["train"]),
        fitted=BASELINES_FITTED[report["split"]["name"] == OUTSIDE],
    )
    return page


def summary(report: dict[str, Any]) -> list[str]:
    """Return what the report says, in sentences for people who read no tables."""
    test, split, calibration = report["test"], report["split"], report["calibration"]
    low, high = test["intervals"]["accuracy"]
    calibrated = calibration["after"]["test"]
    posts = "posts of this corpus" if split["name"] == OUTSIDE else "posts that it has not seen"
    sentences = [
        f"Of 100 {posts}, the model tells about {round(100 * test['accuracy'])} right; with 95 % "
        f"confidence between {round(100 * low)} and {round(100 * high)}.",
        f"Against the simplest thing that could work (runs of characters counted, TF-IDF + SVM) it is "
        f"{report['baseline']['tfidf_svm']['verdict']}.",
        f"It finds {round(100 * test['rumor_recall'])} of 100 rumors; "
        + (
            f"of 100 posts that it calls a rumor, {round(100 * test['rumor_precision'])} are one."
            if report["decision"]["test"]["share_flagged"]
            else "it calls no post a rumor."
        ),
        f"Its probabilities look off by {100 * calibrated['ece']:.1f} points on average, where those of a model "
        f"calibrated perfectly would by {100 * calibrated['ece_by_chance']:.1f} on as many posts"
        + (
            "."
            if calibration["method"] == "none" or calibration["before"] is None
            else f"; before calibration they looked off by {100 * calibration['before']['test']['ece']:.1f}."
        ),
    ]
    leaking = split["num_leaking_test_posts"]
    if leaking is None:
        return [*sentences, "Whether any of them, or a near-copy, is among its training posts is not known."]
    sentences.append(
        f"{leaking:,} of {split['test']:,} test posts have a near-copy in training: the result is too good by what it "
        "remembers of them."
        if leaking
        else "No test post has a near-copy in training."
    )
    return sentences


def _number(value: float | None, digits: int = 3) -> str:
    return "not defined" if value is None else f"{value:.{digits}f}"


def _percent(value: float | None) -> str:
    return "not defined" if value is None else f"{100 * value:.1f} %"


def _points(value: float) -> str:
    return f"{100 * value:+.1f}"
