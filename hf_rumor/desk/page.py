"""The rows of `hf-rumor monitor` as text, as a table for machines, and as an HTML page with curves over days."""

from collections.abc import Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from hf_rumor.desk.chinese import translator
from hf_rumor.desk.drift import DAYS_PER_WEEK, ONE_SIDED, STATISTICS, in_units, strengths
from hf_rumor.desk.monitor import Drift, Row
from hf_rumor.report.drawing import Picture, drawing
from hf_rumor.report.plots import BLUE, GREY, ORANGE
from hf_rumor.util.translation import ENGLISH, Language, Translator


NAMES = {  # statistic -> its name, the unit included
    "auc": "AUC of the two-sample test",
    "style": "Distance in style",
    "surprise": "Surprise, bits per character",
    "confidence": "Mean confidence",
    "length": "Characters, geometric mean",
    "unknown": "Share of unknown tokens",
    "wording": "AUC, style and surprise together",
}
COLUMNS = ("day", "posts", "distinct", "rumors", *STATISTICS, "deviation", "limit", "alarm")
MAX_TICKS = 8


def value_text(statistic: str, value: float) -> str:
    """Return a value of a statistic with its unit.

    >>> value_text("confidence", 0.9), value_text("unknown", 0.1)
    ('0.900', '1.00%')
    """
    shown = in_units(statistic, value)
    if statistic == "unknown":
        return f"{shown:.2%}"
    if statistic in ("style", "surprise", "wording"):
        return f"{shown:.2f}"
    return f"{shown:.0f}" if statistic == "length" else f"{shown:.3f}"


def cells(row: Row) -> tuple[str, ...]:
    """Return the cells of a row, one for each of `COLUMNS`; `-` where there is no value."""
    share = "-"
    if row.prior is not None and row.prior.interval is not None:
        share = f"{row.prior.share:.0%} [{row.prior.interval[0]:.0%}, {row.prior.interval[1]:.0%}]"
    counts = (row.name, str(row.num_posts), str(row.num_distinct), share)
    drift = row.drift
    if drift is None:
        return (*counts, *["-"] * (len(STATISTICS) + 2), "not tested")
    values = (value_text(*pair) for pair in zip(STATISTICS, drift.values, strict=True))
    strongest = drift.deviations[drift.strongest]
    return (
        *counts,
        *values,
        f"{strongest:+.1f}",
        f"{drift.limits[drift.strongest]:.1f}",
        "ALARM" if drift.is_alarm else "no",
    )


def to_text(rows: Sequence[Row]) -> str:
    """Return the table, with columns of equal width."""
    table = [COLUMNS, *(cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(COLUMNS))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in table)
    return "\n".join(line.rstrip() for line in lines)


def to_records(rows: Sequence[Row]) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Return column names and rows for machines; None where there is no value."""
    names = [f"{statistic}{suffix}" for statistic in STATISTICS for suffix in ("", "_deviation")]
    columns = ("day", "posts", "distinct", "rumor_share", "rumor_share_low", "rumor_share_high", *names)
    columns = (*columns, "limit", "num_windows", "is_alarm", "more_frequent", "less_frequent")
    records: list[tuple[Any, ...]] = []
    for row in rows:
        share, interval = (None, None) if row.prior is None else (row.prior.share, row.prior.interval)
        low, high = interval or (None, None)
        counts = (row.name, row.num_posts, row.num_distinct, share, low, high)
        drift = row.drift
        if drift is None:
            records.append((*counts, *[None] * (len(columns) - len(counts))))
            continue
        values = zip(STATISTICS, drift.values, drift.deviations, strict=True)
        pairs = [number for name, value, deviation in values for number in (in_units(name, value), float(deviation))]
        tested = (
            float(drift.limits[drift.strongest]),
            drift.windows.num_windows,
            drift.is_alarm,
            list(drift.more),
            list(drift.less),
        )
        records.append((*counts, *pairs, *tested))
    return columns, records


def explain_alarm(row: Row, drift: Drift, tr: Translator = ENGLISH) -> str:
    """Return which statistic deviates most, by how much, and the words that differ."""
    statistic, place = STATISTICS[drift.strongest], drift.strongest
    text = tr(
        "{day}: {statistic} {value}, expected {mean}: {deviation} standard deviations (limit {limit}).",
        day=row.name,
        statistic=tr.word(NAMES[statistic]),
        value=value_text(statistic, drift.values[place]),
        mean=value_text(statistic, drift.windows.means[place]),
        deviation=f"{drift.deviations[place]:+.1f}",
        limit=f"{drift.limits[place]:.1f}",
    )
    parts = [text]
    if drift.more:
        parts.append(tr("More frequent: {words}.", words="、".join(drift.more)))
    if drift.less:
        parts.append(tr("Less frequent: {words}.", words="、".join(drift.less)))
    return tr.join(parts)


def explain_limits(rows: Sequence[Row], weekly_rate: float, tr: Translator = ENGLISH) -> str:
    """Return the false-alarm rate, and from how many windows the limits of the last day were computed."""
    drift = rows[-1].drift
    return tr(
        "Nominal false-alarm rate: {rate} per week of {days} days (files), if posts change no more than within "
        "the reference. The limits of the last day are based on {windows} windows of {posts} distinct posts.",
        rate=f"{weekly_rate:.3g}",
        days=DAYS_PER_WEEK,
        windows=0 if drift is None else int(drift.windows.num_windows),
        posts=rows[-1].num_distinct,
    )


def to_page(rows: Sequence[Row], model: str, weekly_rate: float, language: Language) -> str:
    """Return the page, self-contained; it shows words but no posts."""
    tr = translator(language)
    environment = Environment(
        loader=PackageLoader("hf_rumor.desk"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    alarms = [explain_alarm(row, row.drift, tr) for row in rows if row.drift is not None and row.drift.is_alarm]
    last = rows[-1].drift
    page: str = environment.get_template("monitor.html").render(
        tr=tr,
        model=model,
        is_alarm=last is not None and last.is_alarm,
        last=None if last is None else explain_alarm(rows[-1], last, tr),
        alarms=alarms,
        limits=explain_limits(rows, weekly_rate, tr),
        columns=[tr.word(column) for column in COLUMNS],
        rows=[[tr.word(cell) for cell in cells(row)] for row in rows],
        pictures=[draw_share(rows, tr), *(draw_statistic(rows, number, tr) for number in range(len(STATISTICS)))],
    )
    return page


def _label_days(picture: Picture, rows: Sequence[Row]) -> None:
    step = -(-len(rows) // MAX_TICKS)
    places = range(0, len(rows), step)
    picture.axes.set_xticks(list(places), [rows[place].name[:12] for place in places], rotation=45, ha="right")
    picture.axes.set_xlim(-0.5, len(rows) - 0.5)


def draw_share(rows: Sequence[Row], tr: Translator) -> Picture:
    """Return the curve of the estimated share of rumors, with its intervals."""
    known = [(place, row.prior) for place, row in enumerate(rows) if row.prior is not None]
    with drawing("rumors", tr("Estimated share of rumors"), "", tr("share")) as picture:
        places, shares = [place for place, _ in known], [prior.share for _, prior in known]
        bounds = [prior.interval or (prior.share, prior.share) for _, prior in known]
        picture.axes.vlines(places, *zip(*bounds, strict=True), color=GREY) if known else None
        picture.axes.plot(places, shares, "o-", color=BLUE, label=tr("estimate with 95% CI"))
        picture.axes.set_ylim(0, 1)
        _label_days(picture, rows)
        picture.words = tr("Not part of the alarm: a change of this share is news, not a fault of the model.")
    return picture


def draw_statistic(rows: Sequence[Row], number: int, tr: Translator) -> Picture:
    """Return the curve of a statistic between its limits; alarms by this statistic are marked."""
    statistic = STATISTICS[number]
    tested = [(place, row.drift) for place, row in enumerate(rows) if row.drift is not None]
    places = [place for place, _ in tested]
    values = [in_units(statistic, drift.values[number]) for _, drift in tested]
    means, spreads = ([getattr(drift.windows, part)[number] for _, drift in tested] for part in ("means", "spreads"))
    limits = [drift.limits[number] for _, drift in tested]
    with drawing(statistic, tr.word(NAMES[statistic]), "", tr.word(NAMES[statistic])) as picture:
        axes = picture.axes
        for sign, label in ((-1, None), (1, tr("limit")))[statistic in ONE_SIDED :]:
            bounds = [mean + sign * limit * spread for mean, limit, spread in zip(means, limits, spreads, strict=True)]
            shown = [in_units(statistic, max(0.0, bound) if statistic == "unknown" else bound) for bound in bounds]
            axes.plot(places, shown, "--", color=GREY, label=label, drawstyle="steps-mid")
        axes.plot(places, values, "o-", color=BLUE, label=tr("day"))
        outside = [place for place, drift in tested if strengths(drift.deviations)[number] > drift.limits[number]]
        marked = [values[places.index(place)] for place in outside]
        axes.plot(outside, marked, "D", color=ORANGE, markersize=9, label=tr("alarm") if outside else None)
        _label_days(picture, rows)
        picture.words = tr("Days outside the limits: {days}.", days=", ".join(rows[place].name for place in outside))
        if not outside:
            picture.words = tr("All days are within the limits.")
    return picture
