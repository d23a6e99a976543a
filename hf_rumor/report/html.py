"""The report as one page that loads nothing from elsewhere: `report.html`."""

import re
from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from hf_rumor.report.plots import draw_all
from hf_rumor.report.record import Report
from hf_rumor.report.view import sections
from hf_rumor.report.words import headline, mistake_line, summary, warnings


def to_html(report: Report, texts: Mapping[str, str]) -> str:
    """Return the page; it is the only file that shows `texts`: id -> text, for the mistakes at least."""
    environment = Environment(
        loader=PackageLoader("hf_rumor.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["inline"] = _inline
    page: str = environment.get_template("report.html").render(
        report=report,
        headline=headline(report).removeprefix(" ".join(warnings(report))),
        warnings=warnings(report),
        summary=summary(report),
        sections=sections(report),
        pictures=draw_all(report),
        mistakes=[(mistake_line(mistake), mistake.id, texts[mistake.id]) for mistake in report.mistakes],
    )
    return page


def _inline(text: str) -> Markup:
    """Return text as HTML: `code` between backticks is marked up, and an interval is not broken into two lines."""
    text = re.sub(r"\[([-\d.]+), ([-\d.]+)\]", "[\\1,\N{NO-BREAK SPACE}\\2]", text)
    return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(text))))
