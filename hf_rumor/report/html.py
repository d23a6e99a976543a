"""The report as one page that loads nothing from elsewhere: `report.html`."""

import re
from collections.abc import Mapping, Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from hf_rumor.report.drawing import Picture
from hf_rumor.report.record import Report
from hf_rumor.report.view import sections
from hf_rumor.report.words import mistake_line, result, summary, warnings
from hf_rumor.util.translation import Translator


def to_html(report: Report, texts: Mapping[str, str], pictures: Sequence[Picture], tr: Translator) -> str:
    """Return the page; besides `mistakes.csv`, it is the only file that shows texts.

    Args:
        report: The report.
        texts: Id -> text, for the mistakes at least.
        pictures: Its figures.
        tr: The language.
    """
    environment = Environment(
        loader=PackageLoader("hf_rumor.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["inline"] = _inline
    page: str = environment.get_template("report.html").render(
        tr=tr,
        report=report,
        result=result(report, tr),
        warnings=warnings(report, tr),
        summary=summary(report, tr),
        sections=sections(report, tr),
        pictures=pictures,
        mistakes=[(mistake_line(mistake, tr), mistake.id, texts[mistake.id]) for mistake in report.mistakes],
        num_mistakes=report.test.confusion[0][1] + report.test.confusion[1][0],
    )
    return page


def _inline(text: str) -> Markup:
    """Return text as HTML, with `code` between backticks; lines break after underscores, not within an interval."""
    text = re.sub(r"\[([-\d.,]+), ([-\d.,]+)\]", "[\\1,\N{NO-BREAK SPACE}\\2]", text)
    marked = re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(text)))
    return Markup(marked.replace("_", "_<wbr>"))
