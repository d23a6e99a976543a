"""A report as sections of sentences and tables, for Markdown, HTML and the model card."""

from dataclasses import fields

from hf_rumor.evaluation.baseline import BASELINES, Comparison
from hf_rumor.evaluation.calibration import Platt
from hf_rumor.evaluation.metrics import CELLS, LOWER_IS_BETTER, METRICS
from hf_rumor.labels import LABEL_NAMES
from hf_rumor.report.early import early_section
from hf_rumor.report.provenance import data_section, hyper_parameters_section, reproduce_section, training_section
from hf_rumor.report.record import Report
from hf_rumor.report.section import Section, Table, table
from hf_rumor.report.words import comparison, estimate, number, p_value, points, prior_words, verdict
from hf_rumor.util.translation import ENGLISH, Translator


def sections(report: Report, tr: Translator = ENGLISH) -> tuple[Section, ...]:
    """Return the report, section by section; one that is not defined is skipped."""
    results = (_metrics, early_section, _baseline, _calibration, _slices)
    provenance = (data_section, training_section, hyper_parameters_section, reproduce_section)
    return tuple(section for part in (*results, *provenance) if (section := part(report, tr)))


def _metrics(report: Report, tr: Translator) -> Section:
    parts = {tr("#test [95% CI]"): report.test}
    if report.unseen is not None:
        parts[tr("#unseen posts [95% CI]")] = report.unseen
    parts[tr("#validation")] = report.validation
    rows = [
        (
            name,
            *(estimate(getattr(part, name), part.intervals.get(name)) for part in parts.values()),
            tr.word(meaning) + (tr("; lower is better") if name in LOWER_IS_BETTER else ""),
        )
        for name, meaning in METRICS.items()
    ]
    rows.append(("loss", *(number(part.loss) for part in parts.values()), tr.word(report.loss.formula)))
    note = tr(
        "95% CI in brackets: {count} bootstrap resamples of near-duplicate groups. The interval of `ece` is biased "
        "upwards, because resampling adds noise.",
        count=f"{report.split.num_resamples:,}",
    )
    metrics = table("|".join([tr("metric"), *parts, tr("meaning")]), rows, note)
    adjusted = () if report.prior is None else (prior_words(report.prior, tr),)
    return Section("metrics", tr("Metrics"), adjusted, tables=(metrics, _confusion(report, tr)))


def _confusion(report: Report, tr: Translator) -> Table:
    rows = []
    for label, counts in enumerate(report.test.confusion):
        cells = [
            f"{estimate(count, report.test.intervals[name], 0)}, {count / max(1, sum(counts)):.1%}"
            for name, count in zip(CELLS[2 * label : 2 * label + 2], counts, strict=True)
        ]
        rows.append((tr("actual {label}", label=tr.word(LABEL_NAMES[label])), *cells))
    titles = "|".join("#" + tr("predicted {label}", label=tr.word(name)) for name in LABEL_NAMES)
    note = tr("Confusion matrix: number of test posts with 95% CI, and percentage of the row.")
    return table(f"{tr('test posts [95% CI]')}|{titles}", rows, note)


def _baseline(report: Report, tr: Translator) -> Section:
    title = tr("Comparison with baselines")
    if report.baseline.skipped:
        return Section("baseline", title, (comparison(report, tr),))
    rows = []
    for name, words in BASELINES.items():
        scores: Comparison | None = getattr(report.baseline, name)
        if scores is None:
            continue
        numbers = (number(scores.accuracy), number(scores.macro_f1))
        macro_f1 = points(scores.difference.macro_f1, tr)
        rows.append((tr.word(words), *numbers, verdict(scores, tr), p_value(scores.sign_test), macro_f1))
    if not report.is_outside:
        fitted = tr("Baselines were fitted on training and validation posts.")
    elif report.unseen:
        fitted = tr("Baselines were fitted by 5-fold cross-validation on the unseen posts.")
    else:
        fitted = tr("Baselines were fitted by 5-fold cross-validation on these posts.")
    differences = tr(
        "Differences are paired, model minus baseline, with 95% CI. A difference in accuracy is significant if its "
        "interval excludes 0. The interval is widened, if necessary, to contain that of a sign test over "
        "near-duplicate groups (exact McNemar test). The p-value is that of this test. The interval for macro-F1 "
        "comes from the bootstrap alone."
    )
    titles = tr("baseline|#accuracy|#macro-F1|difference in accuracy|#p-value|#difference in macro-F1")
    return Section("baseline", title, tables=(table(titles, rows, tr.join((fitted, differences))),))


def _calibration(report: Report, tr: Translator) -> Section:
    calibration, decision = report.calibration, report.decision
    how = tr("Probabilities were not calibrated.")
    if calibration.lines is not None:
        lines = "; ".join(f"{tr.word(label)}: {_formula(line)}" for label, line in calibration.lines.items())
        how = tr(
            "Probabilities were calibrated by Platt scaling, fitted on validation posts with a prior equivalent "
            "to {count} posts, and folded into the last layer ({lines}).",
            count=calibration.prior_posts,
            lines=lines,
        )
    probability = tr("The probability of rumor is the {function} of the rumor logit.", function=report.loss.activation)
    threshold = tr(
        "A post is predicted to be a rumor if its probability is at least {threshold} (`--decision {rule}`).",
        threshold=f"{decision.threshold:.4g}",
        rule=decision.rule,
    )
    if not decision.reached_on_validation:
        threshold = tr.join(
            (threshold, tr("No threshold satisfies this rule on validation posts; this one comes closest."))
        )
    paragraphs = [tr.join((probability, how)), threshold]
    if decision.certain is not None:
        paragraphs.append(
            tr(
                "A post is uncertain if its confidence is below {limit}. The accuracy on the other {count} of {total} "
                "test posts is {accuracy}.",
                limit=f"{decision.abstain_below:g}",
                count=f"{decision.certain.num_posts:,}",
                total=f"{report.test.num_posts:,}",
                accuracy=number(decision.certain.accuracy),
            )
        )
    if decision.abstention is not None:
        paragraphs.append(_abstention(report, tr))
    moments = {tr("before calibration"): calibration.before, tr("after calibration"): calibration.after}
    scores = [(moment, *map(number, vars(part).values())) for moment, part in moments.items() if part]
    titles = "|".join([tr("test posts"), *(f"#{entry.name}" for entry in fields(calibration.after))])
    by_chance = tr("`ece_by_chance`: `ece` of a perfectly calibrated model on the same number of posts.")
    points_at_threshold = [
        (part, number(point.precision), number(point.recall), f"{point.share_flagged:.1%}")
        for part, point in ((tr("validation"), decision.validation), (tr("test"), decision.test))
    ]
    at_threshold = table(tr("posts|#precision|#recall|#flagged as rumors"), points_at_threshold)
    tables = (table(titles, scores, by_chance), at_threshold)
    return Section("calibration", tr("Calibration and threshold"), tuple(paragraphs), tables=tables)


def _abstention(report: Report, tr: Translator) -> str:
    decision, total = report.decision, report.test.num_posts
    if decision.abstention is None or decision.certain is None:
        return tr("No confidence satisfies this bound on validation posts, so the model does not abstain.")
    certain = decision.certain
    num_wrong = round((1 - certain.accuracy) * certain.num_posts) if certain.num_posts else 0
    return tr(
        "This confidence was chosen on validation posts (`--abstain {rule}`): with a probability of 95%, at most "
        "{bound} of all posts from the same distribution get a wrong decision. Of the test posts, {wrong} get "
        "a wrong decision; {decided} get a decision.",
        rule=decision.abstention.rule,
        bound=f"{decision.abstention.bound:.3g}",
        wrong=f"{num_wrong / total:.1%}",
        decided=f"{certain.num_posts / total:.1%}",
    )


def _formula(line: Platt) -> str:
    return f"{line.slope:.3f} · logit {'-' if line.intercept < 0 else '+'} {abs(line.intercept):.3f}"


def _slices(report: Report, tr: Translator) -> Section:
    title = tr("Accuracy by kind of post")
    if not report.slices:
        return Section("slices", title, (tr("The posts do not differ in any known property."),))
    rows = [
        (
            *(f"{tr.word(row.trait)}: {tr.word(row.slice)}", f"{row.num_posts:,}", f"{row.num_rumors:,}"),
            *(estimate(row.accuracy, row.interval), tr("too few posts to judge") if row.too_small else ""),
        )
        for row in report.slices
    ]
    titles = tr("kind of post|#posts|#rumors|#accuracy [95% CI]|note")
    return Section("slices", title, tables=(table(titles, rows),))
