"""The figures of a report, each with its text alternative."""

import math

from hf_rumor.labels import LABEL_NAMES
from hf_rumor.report.drawing import Picture, drawing
from hf_rumor.report.record import Report
from hf_rumor.report.words import number
from hf_rumor.util.translation import ENGLISH, Translator


BLUE, ORANGE, GREY = "#1f5fa8", "#c4561a", "#757575"  # distinct in print and for the color-blind


def draw_all(report: Report, tr: Translator = ENGLISH) -> list[Picture]:
    """Return the pictures of a report; those that are not defined are skipped."""
    curves = (_draw_roc, _draw_precision_recall, _draw_coverage, _draw_early)
    drawings = (_draw_learning, _draw_learning_rate, _draw_confusion, _draw_histogram, _draw_reliability, *curves)
    return [picture for draw in drawings if (picture := draw(report, tr))]


def _draw_learning(report: Report, tr: Translator) -> Picture | None:
    curve = [point for point in report.train.curve if point.loss == point.loss]  # NaN while fp16 finds its scale
    history = report.train.history
    if not curve:
        return None
    with drawing("learning_curve", tr("Learning curve"), tr("step"), tr("loss")) as picture:
        axes = picture.axes
        axes.plot(
            [point.step for point in curve], [point.loss for point in curve], color=BLUE, label=tr("training loss")
        )
        losses = {"first": f"{curve[0].loss:.3f}", "last": f"{curve[-1].loss:.3f}"}
        picture.words = tr("Training loss: from {first} to {last}.", **losses)
        if history:
            steps, scores = [epoch.step for epoch in history], [epoch.validation_macro_f1 for epoch in history]
            axes.plot(
                steps, [epoch.validation_loss for epoch in history], "s-", color=GREY, label=tr("validation loss")
            )
            right = axes.twinx()
            right.plot(steps, scores, "o--", color=ORANGE, label=tr("validation macro-F1"))
            right.set_ylabel(tr("validation macro-F1"))
            right.set_ylim(0, 1)
            right.grid(visible=False)
            listed = {
                "losses": ", ".join(f"{epoch.validation_loss:.3f}" for epoch in history),
                "scores": ", ".join(f"{score:.3f}" for score in scores),
            }
            validation = tr("Validation loss: {losses}; validation macro-F1: {scores}.", **listed)
            picture.words = tr.join((picture.words, validation))
        axes.set_ylim(bottom=0)
    return picture


def _draw_learning_rate(report: Report, tr: Translator) -> Picture | None:
    curve = report.train.curve
    if not curve:
        return None
    with drawing("learning_rate", tr("Learning rate"), tr("step"), tr("learning rate")) as picture:
        rates = [point.learning_rate for point in curve]
        picture.axes.plot([point.step for point in curve], rates, color=BLUE)
        picture.axes.set_ylim(bottom=0)
        ends = {"peak": f"{max(rates):.2g}", "last": f"{rates[-1]:.2g}"}
        picture.words = tr("The learning rate peaks at {peak} and ends at {last}.", **ends)
    return picture


def _draw_confusion(report: Report, tr: Translator) -> Picture:
    confusion, names = report.test.confusion, [tr.word(name) for name in LABEL_NAMES]
    with drawing("confusion_matrix", tr("Confusion matrix"), tr("predicted"), tr("actual")) as picture:
        axes = picture.axes
        axes.grid(visible=False)
        axes.imshow(confusion, cmap="Blues", vmin=0, vmax=1.6 * max(max(row) for row in confusion))
        axes.set_xticks([0, 1], names)
        axes.set_yticks([0, 1], names, rotation=90, va="center")
        for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
            count = confusion[row][column]
            share = count / max(1, sum(confusion[row]))
            axes.text(column, row - 0.08, f"{count:,}", ha="center", va="center", fontsize=16)
            axes.text(column, row + 0.16, f"{share:.1%}", ha="center", va="center", fontsize=10)
        picture.words = tr.join(
            tr(
                "Actual {actual}: {negative} predicted {non_rumor}, {positive} predicted {rumor}.",
                actual=actual,
                negative=f"{row[0]:,}",
                non_rumor=names[0],
                positive=f"{row[1]:,}",
                rumor=names[1],
            )
            for actual, row in zip(names, confusion, strict=True)
        )
    return picture


def _draw_histogram(report: Report, tr: Translator) -> Picture:
    histogram, threshold = report.curves.histogram, f"{report.test.threshold:.3g}"
    axes = tr("probability of rumor"), tr("posts")
    with drawing("probabilities", tr("Probabilities by label"), *axes) as picture:
        sentences = []
        styles = zip(LABEL_NAMES, (histogram.non_rumor, histogram.rumor), (BLUE, ORANGE), ("", "//"), strict=True)
        for label, counts, color, hatch in styles:
            name = tr.word(label)
            picture.axes.stairs(counts, histogram.edges, fill=True, alpha=0.5, color=color, hatch=hatch, label=name)
            numbers = {"outer": f"{counts[0] + counts[-1]:,}", "total": f"{sum(counts):,}"}
            sentences.append(
                tr(
                    "{outer} of {total} posts with label {name} have a probability below 0.05 or above 0.95.",
                    name=name,
                    **numbers,
                )
            )
        label = tr("threshold {threshold}", threshold=threshold)
        picture.axes.axvline(report.test.threshold, color=GREY, linestyle=":", label=label)
        picture.words = tr.join(sentences)
    return picture


def _draw_reliability(report: Report, tr: Translator) -> Picture:
    calibration, curves = report.calibration, report.curves
    axes = tr("mean probability of rumor"), tr("share of rumors")
    with drawing("reliability", tr("Reliability"), *axes) as picture:
        picture.axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", label=tr("calibrated"))
        styles = [(tr("this model"), curves.reliability, BLUE, "o-")]
        after = f"{calibration.after.ece:.3f}"
        picture.words = tr("Expected calibration error: {error}.", error=after)
        if calibration.lines is not None and calibration.before is not None:
            styles.append((tr("before calibration"), curves.reliability_before, ORANGE, "s--"))
            before = f"{calibration.before.ece:.3f}"
            picture.words = tr(
                "Expected calibration error: {error}, before calibration {before}.", error=after, before=before
            )
        for label, bins, color, style in styles:
            x, y = [run.probability for run in bins], [run.share_of_rumors for run in bins]
            picture.axes.plot(x, y, style, color=color, markersize=4, label=label)
    return picture


def _draw_roc(report: Report, tr: Translator) -> Picture | None:
    roc = report.curves.roc
    if roc is None:
        return None
    title, axes = tr("Receiver operating characteristic (ROC)"), (tr("false positive rate"), tr("true positive rate"))
    with drawing("roc", title, *axes, in_percent=True) as picture:
        picture.axes.plot([0, 1], [0, 1], color=GREY, linestyle=":")
        picture.axes.plot(roc.false_positive_rate, roc.true_positive_rate, color=BLUE)
        area = f"{report.test.roc_auc:.3f}"
        picture.words = tr("Area under the curve: {area}; 0.5 is chance, 1 is perfect.", area=area)
    return picture


def _draw_precision_recall(report: Report, tr: Translator) -> Picture | None:
    curve, point = report.curves.precision_recall, report.decision.test
    if curve is None:
        return None
    axes = tr("recall"), tr("precision")
    with drawing("precision_recall", tr("Precision and recall"), *axes, in_percent=True) as picture:
        picture.axes.step(curve.recall, curve.precision, where="post", color=BLUE)
        picture.axes.plot([point.recall], [point.precision], "o", color=ORANGE, label=tr("at the threshold"))
        picture.axes.set_ylim(0, 1.02)
        picture.words = tr(
            "Average precision: {average}. At the threshold, precision is {precision} and recall is {recall}.",
            average=f"{report.test.pr_auc:.3f}",
            precision=f"{point.precision:.3f}",
            recall=f"{point.recall:.3f}",
        )
    return picture


def _draw_coverage(report: Report, tr: Translator) -> Picture:
    curve = report.decision.coverage
    axes = tr("coverage: share of posts, the most confident first"), tr("accuracy on these posts")
    with drawing("coverage", tr("Accuracy against coverage"), *axes, in_percent=True) as picture:
        picture.axes.plot(curve.coverage, curve.accuracy, color=BLUE)
        picture.axes.set_ylim(min(0.5, *curve.accuracy) - 0.02, 1.02)
        half = next(accuracy for share, accuracy in zip(curve.coverage, curve.accuracy, strict=True) if share >= 0.5)
        picture.words = tr(
            "Accuracy on the more confident half: {half}; on all posts: {whole}.",
            half=f"{half:.3f}",
            whole=f"{curve.accuracy[-1]:.3f}",
        )
    return picture


def _draw_early(report: Report, tr: Translator) -> Picture | None:
    if report.early is None:
        return None
    curve = report.early.curve
    last = max(minutes for minutes in curve.minutes if math.isfinite(minutes))
    beyond = 4 * last  # where the moment without a limit is drawn
    x = [minutes if math.isfinite(minutes) else beyond for minutes in curve.minutes]
    labels = {0: tr.word("text alone"), beyond: tr("all")}
    labels |= {minutes: tr("{count} min", count=minutes) for minutes in (2, 10)}
    labels |= {60 * hours: tr("{count} h", count=hours) for hours in (1, 6, 24)}
    axes = tr("time since the post (log scale)"), tr("score on test posts")
    with drawing("early_detection", tr("Early detection"), *axes) as picture:
        picture.axes.plot(x, curve.accuracy, "o-", color=BLUE, markersize=4, label=tr("accuracy"))
        picture.axes.plot(x, curve.roc_auc, "s--", color=ORANGE, markersize=4, label="ROC-AUC")
        picture.axes.set_xscale("symlog", linthresh=2, linscale=0.7)  # a logarithm has no 0
        ticks = sorted(minutes for minutes in labels if minutes in x)
        picture.axes.set_xticks(ticks, [labels[minutes] for minutes in ticks], fontsize=9)
        picture.axes.set_xticks([], minor=True)
        picture.words = tr(
            "Accuracy: {accuracy} with the text alone, {last_accuracy} at the last moment. ROC-AUC: {area} and "
            "{last_area}.",
            accuracy=number(curve.accuracy[0]),
            last_accuracy=number(curve.accuracy[-1]),
            area=number(curve.roc_auc[0]),
            last_area=number(curve.roc_auc[-1]),
        )
    return picture
