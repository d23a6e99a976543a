"""Numbers of a report as words: estimates, differences, warnings, the headline and the summary."""

import math

from hf_rumor.evaluation.baseline import Comparison
from hf_rumor.evaluation.curves import Mistake
from hf_rumor.evaluation.early import AtDeadline, EarlyDetection
from hf_rumor.evaluation.intervals import Difference, Interval
from hf_rumor.evaluation.prior import Prior
from hf_rumor.labels import LABEL_NAMES
from hf_rumor.models.inputs import MAX_SHARE_UNKNOWN
from hf_rumor.report.record import Report
from hf_rumor.util.translation import ENGLISH, Translator


NEAR_DUPLICATE = "near-duplicate (Jaccard similarity of character 5-grams at least 0.5)"
SIGNIFICANT = 0.05  # p-value of the sign test
BALANCED = """--loss_kwargs '{"class_weights": "balanced"}'"""
DEADLINE_WORDS = {  # of `AtDeadline.deadline`
    "0": "text alone",
    "10min": "10 minutes",
    "1h": "1 hour",
    "6h": "6 hours",
    "24h": "24 hours",
    "all": "all reposts",
}
FIRST_TIMES = {"10min": "the first 10 minutes", "1h": "the first hour"}  # the deadlines of headlines


def number(value: float | None, digits: int = 3) -> str:
    """Return a number with a fixed count of decimals."""
    return "n/a" if value is None or math.isnan(value) else f"{value:,.{digits}f}"


def percent(value: float) -> str:
    """Return a share in percent."""
    return "n/a" if math.isnan(value) else f"{value:.1%}"


def p_value(value: float) -> str:
    """Return a p-value; a small one is never shown as 0."""
    return "< 0.001" if value < 0.001 else number(value)


def estimate(value: float, interval: Interval | None, digits: int = 3) -> str:
    """Return a value with its interval, if there is one, as in `0.889 [0.812, 0.958]`."""
    if interval is None or math.isnan(value) or math.isnan(interval[0]):
        return number(value, digits)
    return "{} [{}, {}]".format(*(number(bound, digits) for bound in (value, *interval)))


def prior_words(prior: Prior, tr: Translator = ENGLISH) -> str:
    """Return the share of rumors to which probabilities are adjusted, and how it was found."""
    share, trained = percent(prior.share), percent(prior.trained_share)
    if prior.interval is None:
        return tr(
            "The probabilities are adjusted to a given share of rumors of {share} ({trained} in training).",
            share=share,
            trained=trained,
        )
    low, high = map(percent, prior.interval)
    estimated = tr(
        "The probabilities are adjusted to an estimated share of rumors of {share} [{low}, {high}] ({trained} in "
        "training).",
        share=share,
        low=low,
        high=high,
        trained=trained,
    )
    if prior.second_estimate is None or not prior.is_doubtful:
        return estimated
    doubt = tr(
        "Estimated from recall and false alarm rate, the share would be {second}. These posts differ from the "
        "training posts not only in the share of rumors, so the estimate is doubtful.",
        second=percent(prior.second_estimate),
    )
    return tr.join((estimated, doubt))


def points(difference: Difference, tr: Translator = ENGLISH) -> str:
    """Return a difference in percentage points with its interval, as in `+6.9 pp [-2.7, 16.9]`."""
    low, high = f"{100 * difference.low:.1f}", f"{100 * difference.high:.1f}"
    return tr("{value} pp [{low}, {high}]", value=f"{100 * difference.difference:+.1f}", low=low, high=high)


def is_significant(baseline: Comparison) -> bool:
    """Return whether the accuracy of the model differs from that of a baseline by more than chance.

    The interval excludes 0 only if the sign test is significant too; in earlier reports they could disagree.
    """
    accuracy = baseline.difference.accuracy
    return not accuracy.low <= 0 <= accuracy.high and baseline.sign_test < SIGNIFICANT


def verdict(baseline: Comparison, tr: Translator = ENGLISH) -> str:
    """Return whether the accuracy of the model differs from that of a baseline, and by how much."""
    accuracy = baseline.difference.accuracy
    if not is_significant(baseline):
        words = tr("no significant difference")
    else:
        words = tr("significantly better") if accuracy.difference > 0 else tr("significantly worse")
    return tr("{verdict}; {difference}", verdict=words, difference=points(accuracy, tr))


def warnings(report: Report, tr: Translator = ENGLISH) -> tuple[str, ...]:
    """Return what a reader must know before the score."""
    lines = []
    if report.data.is_synthetic:
        lines.append(tr("The posts are synthetic (`data/sample`): the score does not apply to real posts."))
    (true_negatives, false_positives), (false_negatives, true_positives) = report.test.confusion
    has_both = true_negatives + false_positives and false_negatives + true_positives
    for label, num_others in enumerate((false_positives + true_positives, true_negatives + false_negatives)):
        if has_both and not num_others:
            lines.append(
                tr(
                    "The model predicts {label} for every test post. Retrain it with `{balanced}`, or choose a "
                    "threshold with `--decision max_f1`.",
                    label=tr.word(LABEL_NAMES[label]),
                    balanced=BALANCED,
                )
            )
    if report.data.share_unknown_tokens > MAX_SHARE_UNKNOWN:
        lines.append(
            tr(
                "{share} of the tokens of the test posts are unknown to the model. Use a model for the language of "
                "the posts.",
                share=f"{report.data.share_unknown_tokens:.0%}",
            )
        )
    return tuple(lines)


def headline(report: Report, tr: Translator = ENGLISH) -> str:
    """Return the warnings and the result, on one line."""
    return tr.join((*warnings(report, tr), result(report, tr)))


def result(report: Report, tr: Translator = ENGLISH) -> str:
    """Return the score, the comparison with the baseline, and the accuracy with reposts."""
    test, corpus = report.unseen or report.test, report.data.name
    if not report.is_outside:
        posts = tr("test posts of the {split} split", split=report.split.name)
    elif report.unseen:
        posts = tr("posts of `{corpus}` that the model has not seen", corpus=corpus)
    else:
        posts = tr("posts of `{corpus}`", corpus=corpus)
    score = tr(
        "Test accuracy {accuracy} (95% CI), macro-F1 {macro_f1}, on {count} {posts}.",
        accuracy=estimate(test.accuracy, test.intervals["accuracy"]),
        macro_f1=number(test.macro_f1),
        count=f"{test.num_posts:,}",
        posts=posts,
    )
    lines = [score, comparison(report, tr)]
    if report.prior:
        lines.append(prior_words(report.prior, tr))
    if report.early:
        row, text = after_an_hour(report.early), report.early.deadlines[0].model
        lines.append(
            tr(
                "With the reposts of {time}, the accuracy is {accuracy}; with the text alone, {text}.",
                time=tr.word(FIRST_TIMES[row.deadline]),
                accuracy=estimate(row.model.accuracy, row.model.intervals["accuracy"]),
                text=number(text.accuracy),
            )
        )
    return tr.join(lines)


def after_an_hour(early: EarlyDetection) -> AtDeadline:
    """Return the scores at the deadline of one hour, or at the last one if that is earlier."""
    return next((row for row in early.deadlines if row.deadline == "1h"), early.deadlines[-1])


def comparison(report: Report, tr: Translator = ENGLISH) -> str:
    """Return how the model compares with the SVM, or why there is no baseline, in one sentence."""
    if report.baseline.tfidf_svm is None:
        return tr("There is no baseline: {reason}.", reason=tr.word(report.baseline.skipped or ""))
    compared = verdict(report.baseline.tfidf_svm, tr)
    return tr("Compared with the baseline, TF-IDF + SVM: {verdict}.", verdict=compared)


def summary(report: Report, tr: Translator = ENGLISH) -> tuple[str, ...]:
    """Return the result in sentences for people who read no tables."""
    test = report.unseen or report.test
    low, high = (round(100 * bound) for bound in test.intervals["accuracy"])
    posts = tr("unseen posts")
    if report.is_outside and not report.unseen:  # the model may have seen some of them
        posts = tr("posts of this corpus")
    lines = [
        tr(
            "Of 100 {posts}, about {count} are classified correctly (95% CI: {low} to {high}).",
            posts=posts,
            count=round(100 * test.accuracy),
            low=low,
            high=high,
        )
    ]
    if not math.isnan(test.rumor_recall):
        recall, precision = round(100 * test.rumor_recall), round(100 * test.rumor_precision)
        if report.decision.test.share_flagged:
            lines.append(
                tr(
                    "Of 100 rumors, {recall} are detected; of 100 posts flagged as rumors, {precision} are rumors.",
                    recall=recall,
                    precision=precision,
                )
            )
        else:
            lines.append(tr("No post is flagged as a rumor."))
    if report.baseline.tfidf_svm and not is_significant(report.baseline.tfidf_svm):
        lines.append(
            tr(
                "There are too few posts to decide whether the model is better or worse than the baseline: the "
                "difference may be due to chance."
            )
        )
    scores = report.calibration.after
    lines.append(
        tr(
            "Probabilities deviate from observed frequencies by {error} pp on average. With this number of posts, "
            "even a perfectly calibrated model would deviate by {chance} pp.",
            error=f"{100 * scores.ece:.1f}",
            chance=f"{100 * scores.ece_by_chance:.1f}",
        )
    )
    if report.early:
        lines.append(_early_summary(report.early, tr))
    return (*lines, leakage(report, tr))


def _early_summary(early: EarlyDetection, tr: Translator) -> str:
    row, text = after_an_hour(early), early.deadlines[0].model
    low, high = (number(100 * bound, 0) for bound in row.model.intervals["accuracy"])
    return tr(
        "With the reposts of {time}, about {count} of 100 posts are classified correctly (95% CI: {low} to {high}); "
        "with the text alone, {text}.",
        time=tr.word(FIRST_TIMES[row.deadline]),
        count=number(100 * row.model.accuracy, 0),
        low=low,
        high=high,
        text=number(100 * text.accuracy, 0),
    )


def leakage(report: Report, tr: Translator = ENGLISH) -> str:
    """Return how many test posts leak, or were seen in training, in a sentence or two."""
    leaking, seen, total = report.split.num_leaking_test_posts, report.split.num_seen_test_posts, report.split.test
    if leaking is None and seen is None:
        return tr("It is unknown how many of these posts have a near-duplicate among the training posts of the model.")
    if leaking is None:
        return tr(
            "{count} of {total} posts ({share}) are training or validation posts of the model, or near-duplicates of "
            "one.",
            count=f"{seen:,}",
            total=f"{total:,}",
            share=f"{(seen or 0) / total:.1%}",
        )
    near_duplicate = tr(NEAR_DUPLICATE)
    if leaking:
        sentence = tr(
            "{count} of {total} test posts ({share}) have a {near_duplicate} among the training or "
            "validation posts. This inflates the score, since the model may have memorized them.",
            count=f"{leaking:,}",
            total=f"{total:,}",
            share=f"{leaking / total:.1%}",
            near_duplicate=near_duplicate,
        )
    else:
        sentence = tr(
            "No test post has a {near_duplicate} among the training or validation posts.",
            near_duplicate=near_duplicate,
        )
    if not seen:
        return sentence
    dropped = tr("{count} test posts were dropped, since the initial model had seen them.", count=f"{seen:,}")
    return tr.join((sentence, dropped))


def mistake_line(mistake: Mistake, tr: Translator = ENGLISH) -> str:
    """Return the labels and the probability of a misclassified post."""
    return tr(
        "actual {actual}, predicted {predicted}, probability of rumor {probability}",
        actual=tr.word(LABEL_NAMES[mistake.label]),
        predicted=tr.word(LABEL_NAMES[1 - mistake.label]),
        probability=number(mistake.rumor_probability),
    )
