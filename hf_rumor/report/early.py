"""The section of a report on early detection: scores at each deadline, and how early posts are decided."""

import math

from hf_rumor.evaluation.early import AtDeadline, Calls, Curve, EarlyDetection, Scores
from hf_rumor.report.record import Report
from hf_rumor.report.section import Section, Table, table
from hf_rumor.report.words import DEADLINE_WORDS, estimate, number, percent, points
from hf_rumor.util.translation import Translator


def early_section(report: Report, tr: Translator) -> Section | None:
    """Return the scores over time, or None for a run without reposts."""
    early = report.early
    if early is None:
        return None
    scope = tr(
        "In this section, the model also reads the reposts of each post until a deadline. All other sections use "
        "the text alone."
    )
    tables = (_scores(early, tr), _comparison(early, tr), _calls(early.calls, early.curve, tr))
    return Section("early", tr("Early detection"), (scope,), tables=tables)


def _scores(early: EarlyDetection, tr: Translator) -> Table:
    rows = []
    for row in early.deadlines:
        scores, intervals = row.model, row.model.intervals
        rows.append(
            (
                tr.word(DEADLINE_WORDS[row.deadline]),
                estimate(scores.accuracy, intervals["accuracy"]),
                estimate(scores.macro_f1, intervals["macro_f1"]),
                estimate(scores.roc_auc, intervals["roc_auc"]),
                percent(row.share_with_reposts),
            )
        )
    visible = tr(
        "95% CI in brackets. A repost is read if its date is known, not before the post and not after the deadline, "
        "and if it has words of its own. Posts with reposts: share of the test posts with such reposts."
    )
    counts = tr(
        "The corpus has {visible} reposts with a known date that is not before the post. {bare} of them are bare "
        "forwards, without words of their own. {chains} also repeat the words of others; those words are skipped.",
        visible=f"{early.num_visible:,}",
        bare=f"{early.num_bare:,}",
        chains=f"{early.num_chains:,}",
    )
    titles = tr("deadline|#accuracy|#macro-F1|#ROC-AUC|#posts with reposts")
    return table(titles, rows, tr.join((visible, counts)))


def _comparison(early: EarlyDetection, tr: Translator) -> Table:
    has_baselines = any(row.svm for row in early.deadlines)  # not on another corpus
    rows = []
    for row in early.deadlines:
        ablation = (number(row.model.accuracy), number(row.without_denials.accuracy))
        baselines = _baselines(row, tr) if has_baselines else ()
        rows.append((tr.word(DEADLINE_WORDS[row.deadline]), *ablation, *baselines))
    titles = tr("deadline|#model|#without denials")
    notes = [
        tr(
            "Accuracy on the same test posts. Without denials: the same model, without the reposts that deny the "
            "post. The difference shows how much the model gains from these denials."
        )
    ]
    if has_baselines:
        baselines_of = tr("#SVM, post + reposts|#SVM, reposts|#repost count|#gain over SVM")
        titles = f"{titles}|{baselines_of}"
        notes += [
            tr(
                "The SVMs are linear, over the TF-IDF of post and reposts or of reposts alone, fitted at each "
                "deadline. The gain is the accuracy of the model minus that of the SVM on post and reposts "
                "(paired, with 95% CI)."
            ),
            tr(
                "The number of reposts depends on how a corpus was collected. It is therefore not an input of the "
                "model; the accuracy of this number alone is shown for comparison."
            ),
        ]
    return table(titles, rows, tr.join(notes))


def _baselines(row: AtDeadline, tr: Translator) -> tuple[str, ...]:
    gain = points(row.difference.accuracy, tr) if row.difference else ""
    return (*map(_accuracy, (row.svm, row.reposts_only, row.number_only)), gain)


def _accuracy(scores: Scores | None) -> str:
    return number(scores.accuracy) if scores else ""


def _calls(calls: Calls, curve: Curve, tr: Translator) -> Table:
    passed = tr(
        "mean share of the {count} moments that have passed at the decision; lower is better",
        count=calls.num_moments,
    )
    rows = (
        (
            tr("confidence"),
            number(calls.confidence),
            tr("a post is decided as soon as the confidence reaches this value"),
        ),
        (tr("posts decided"), percent(calls.share_called), tr("share of the test posts")),
        (tr("wrong decisions"), percent(calls.error), tr("share of these decisions")),
        (
            tr("minutes to the decision"),
            number(calls.median_minutes, 0),
            tr("median over the test posts; n/a if fewer than half are decided"),
        ),
        (tr("accuracy"), number(calls.accuracy), tr("share of the test posts that are decided correctly")),
        (tr("early rate (ER)"), number(calls.early_rate), passed),
        (
            tr("instability"),
            number(calls.instability),
            tr("mean share of the moments after the decision at which the prediction flips; lower is better"),
        ),
        ("SEA", number(calls.sea), tr("((1 - ER) + (1 - instability) + accuracy) / 3; higher is better")),
    )
    return table(tr("decisions|#value|meaning"), rows, _notes_on_calls(calls, curve, tr))


def _notes_on_calls(calls: Calls, curve: Curve, tr: Translator) -> str:
    target = f"{calls.target_error:.0%}"
    if calls.reached:
        choice = tr(
            "The confidence is the lowest with at most {target} wrong decisions on validation posts.",
            target=target,
        )
    else:
        choice = tr(
            "No confidence limits the wrong decisions on validation posts to {target}; the highest is used.",
            target=target,
        )
    times = (f"{minutes:g}" if math.isfinite(minutes) else tr.word("all reposts") for minutes in curve.minutes)
    rest = tr(
        "Accuracy, ER, instability and SEA are over all test posts; undecided posts count as decided at the "
        "last moment."
    )
    moments = tr("The moments, in minutes after the post: {minutes}.", minutes=", ".join(times))
    sources = tr(
        "ER: Song et al., 2018, arXiv:1811.04175. Instability and SEA: Zeng & Gao, 2022, arXiv:2306.02597. They "
        "depend on the choice of the moments."
    )
    return tr.join((choice, rest, moments, sources))
