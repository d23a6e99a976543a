"""Numbers of a report as words: estimates, differences, warnings, the headline and the summary."""

import math

from hf_rumor.evaluation.baseline import Comparison
from hf_rumor.evaluation.curves import Mistake
from hf_rumor.evaluation.intervals import Difference, Interval
from hf_rumor.labels import LABEL_NAMES
from hf_rumor.report.record import Report


NEAR_DUPLICATE = "near-duplicate (Jaccard similarity of character 5-grams at least 0.5)"
SIGNIFICANT = 0.05  # p-value of the sign test


def number(value: float | None, digits: int = 3) -> str:
    """Return a number with a fixed count of decimals."""
    return "not defined" if value is None or math.isnan(value) else f"{value:,.{digits}f}"


def estimate(value: float, interval: Interval | None, digits: int = 3) -> str:
    """Return a value with its interval, if there is one, as in `0.889 [0.812, 0.958]`."""
    if interval is None or math.isnan(value) or math.isnan(interval[0]):
        return number(value, digits)
    return "{} [{}, {}]".format(*(number(bound, digits) for bound in (value, *interval)))


def points(difference: Difference) -> str:
    """Return a difference in percentage points with its interval, as in `+6.9 pp [-2.7, 16.9]`."""
    return f"{100 * difference.difference:+.1f} pp [{100 * difference.low:.1f}, {100 * difference.high:.1f}]"


def verdict(baseline: Comparison) -> str:
    """Return whether the accuracy of the model differs from that of a baseline, and by how much.

    With few differing posts, an interval by resampling excludes 0 too easily; so the sign test must agree.
    """
    accuracy, p = baseline.difference.accuracy, baseline.sign_test
    if accuracy.low <= 0 <= accuracy.high:
        return f"no significant difference; {points(accuracy)}"
    if p >= SIGNIFICANT:
        return f"no significant difference (sign test p = {p:.2f}); {points(accuracy)}"
    return f"significantly {'better' if accuracy.difference > 0 else 'worse'}; {points(accuracy)}"


def warnings(report: Report) -> tuple[str, ...]:
    """Return what a reader must know before the score."""
    lines = []
    if report.data.is_synthetic:
        lines.append("The posts are synthetic (`data/sample`): the score does not apply to real posts.")
    (true_negatives, false_positives), (false_negatives, true_positives) = report.test.confusion
    has_both = true_negatives + false_positives and false_negatives + true_positives
    for label, num_others in enumerate((false_positives + true_positives, true_negatives + false_negatives)):
        if has_both and not num_others:
            lines.append(
                f"The model predicts {LABEL_NAMES[label]} for every test post. Train it with "
                """`--loss_kwargs '{"class_weights": "balanced"}'` or choose a threshold with `--decision max_f1`."""
            )
    return tuple(lines)


def headline(report: Report) -> str:
    """Return the warnings and the result, on one line."""
    test = report.unseen or report.test
    posts = f"test posts of the {report.split.name} split"
    if report.is_outside:
        posts = "posts of another corpus" + (" that the model has not seen" if report.unseen else "")
    result = (
        f"Test accuracy {estimate(test.accuracy, test.intervals['accuracy'])} (95% CI), macro-F1 "
        f"{number(test.macro_f1)}, on {test.num_posts:,} {posts}."
    )
    return " ".join([*warnings(report), result, comparison(report)])


def comparison(report: Report) -> str:
    """Return how the model compares with the SVM, or why there is no baseline, in one sentence."""
    if report.baseline.tfidf_svm is None:
        return f"There is no baseline: {report.baseline.skipped}."
    return f"Compared with the baseline, TF-IDF + SVM: {verdict(report.baseline.tfidf_svm)}."


def summary(report: Report) -> tuple[str, ...]:
    """Return the result in sentences for people who read no tables."""
    test, scores = report.unseen or report.test, report.calibration.after
    low, high = (round(100 * bound) for bound in test.intervals["accuracy"])
    lines = [
        f"Of 100 {'posts of this corpus' if report.is_outside and not report.unseen else 'unseen posts'}, about "
        f"{round(100 * test.accuracy)} are classified correctly (95% CI: {low} to {high})."
    ]
    if not math.isnan(test.rumor_recall):
        flagged = f"of 100 posts flagged as rumors, {round(100 * test.rumor_precision)} are rumors."
        flagged = flagged if report.decision.test.share_flagged else "no post is flagged as a rumor."
        lines.append(f"Of 100 rumors, {round(100 * test.rumor_recall)} are detected; {flagged}")
    lines.append(
        f"Probabilities deviate from observed frequencies by {100 * scores.ece:.1f} pp on average; those of a "
        f"perfectly calibrated model would deviate by {100 * scores.ece_by_chance:.1f} pp on as many posts."
    )
    return (*lines, leakage(report))


def leakage(report: Report) -> str:
    """Return how many test posts leak, or were seen in training, in a sentence or two."""
    leaking, seen, total = report.split.num_leaking_test_posts, report.split.num_seen_test_posts, report.split.test
    if leaking is None and seen is None:
        return "It is unknown how many of these posts have a near-duplicate among the training posts of the model."
    if leaking is None:
        return (
            f"{seen:,} of {total:,} posts ({(seen or 0) / total:.1%}) or a near-duplicate were training or validation "
            "posts of the model."
        )
    dropped = f" {seen:,} test posts were dropped, as the model to start from had seen them." if seen else ""
    if not leaking:
        return f"No test post has a {NEAR_DUPLICATE} among the training posts.{dropped}"
    return (
        f"{leaking:,} of {total:,} test posts ({leaking / total:.1%}) have a {NEAR_DUPLICATE} among the training "
        f"posts. The score is too high, since the model remembers them.{dropped}"
    )


def mistake_line(mistake: Mistake) -> str:
    """Return the labels and the probability of a misclassified post."""
    return (
        f"actual {LABEL_NAMES[mistake.label]}, predicted {LABEL_NAMES[1 - mistake.label]}, probability of rumor "
        f"{number(mistake.rumor_probability)}"
    )
