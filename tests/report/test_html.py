from dataclasses import replace

import pytest

from hf_rumor.report.chinese import translator
from hf_rumor.report.html import to_html
from hf_rumor.report.plots import draw_all
from hf_rumor.report.view import sections
from hf_rumor.report.words import summary


def texts_of(report):
    return {mistake.id: "听说<b>明天</b>停水 & 停电" for mistake in report.mistakes}


def page_of(report, language="en"):
    tr = translator(language)
    return to_html(report, texts_of(report), draw_all(report, tr), tr)


def test_texts_are_escaped_and_code_is_marked_up(make_report):
    report = make_report(data={"path": "a<b>.csv"})
    page = page_of(report)
    assert "听说&lt;b&gt;明天&lt;/b&gt;停水 &amp; 停电" in page
    assert "<code>a&lt;b&gt;.csv</code>" in page
    assert "<b>" not in page


def test_the_page_has_the_summary_and_every_cell_of_every_table(make_report, early):
    report = make_report(early=early)
    page = page_of(report).replace("&gt;", ">").replace("&#39;", "'").replace("<code>", "`")
    page = page.replace("</code>", "`").replace("\N{NO-BREAK SPACE}", " ").replace("<wbr>", "")
    assert all(line in page for line in summary(report))
    for section in sections(report):
        assert all(cell in page for table in section.tables for row in table.rows for cell in row)


def test_warnings_come_first(make_report):
    report = make_report(data={"is_synthetic": True})
    page = page_of(report)
    assert page.index("The posts are synthetic") < page.index("Test accuracy")
    assert page.count("The posts are synthetic") == 1


def test_without_mistakes_there_are_none(make_report):
    assert "There are none." in page_of(replace(make_report(), mistakes=()))


@pytest.mark.slow
@pytest.mark.parametrize("width", [1200, 390])
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"labels": (0, 1, 1, 0), "probabilities": (0.1, 0.2, 0.3, 0.4)},  # no rumor is detected
        {"labels": (1,), "probabilities": (0.2,)},
    ],
    ids=["usual", "no true positives", "one post"],
)
def test_the_page_shows_every_section_and_loads_nothing(make_report, early, browser, tmp_path, given, width):
    report = make_report(**given, early=early)
    (tmp_path / "report.html").write_text(page_of(report), encoding="utf-8")
    page = browser.new_page(viewport={"width": width, "height": 800})
    messages, requests = [], []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto((tmp_path / "report.html").as_uri())
    assert messages == []
    assert requests == [(tmp_path / "report.html").as_uri()]
    for name in ("figures", "mistakes", *(section.id for section in sections(report))):
        assert page.locator(f"#{name}").bounding_box()["height"] > 40
    for picture in page.locator("figure svg").all():
        assert picture.bounding_box()["width"] > 200
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [1200, 390])
def test_the_page_is_accessible_and_fits_its_width(make_report, early, open_page, barriers, language, width):
    report = make_report(data={"is_synthetic": True}, early=early)
    page = open_page(page_of(report, language), width)
    assert barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("html").get_attribute("lang").startswith(language)


@pytest.mark.slow
def test_a_wide_table_shows_every_cell_on_a_phone(make_report, early, open_page):
    page = open_page(page_of(make_report(early=early)), 390)
    for cell in page.locator("#baseline td, #early td:not(:empty)").all():
        box = cell.bounding_box()
        assert 0 <= box["x"] < box["x"] + box["width"] <= 390
