import json

import pytest

from hf_rumor.report.html import summary, to_html
from hf_rumor.report.record import to_json


SECTIONS = ("metrics", "baseline", "pictures", "decision", "slices", "mistakes", "data", "training", "repeat")


def as_json(report):
    return json.loads(to_json(report))


def texts_of(report):
    return {mistake["id"]: "听说<b>明天</b>停水 & 停电" for mistake in report.mistakes}


def test_texts_of_posts_are_escaped(make_report):
    report = make_report()
    page = to_html(as_json(report), texts_of(report))
    assert "听说&lt;b&gt;明天&lt;/b&gt;停水 &amp; 停电" in page
    assert "<b>" not in page


def test_numbers_are_those_of_the_json(make_report):
    report = make_report()
    page = to_html(as_json(report), texts_of(report))
    assert f"{report.test['brier']:.3f}" in page
    assert report.baseline["tfidf_svm"]["verdict"] in page


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "the model tells about 75 right; with 95 % confidence between 62 and 88."),
        ({}, "It finds 50 of 100 rumors; of 100 posts that it calls a rumor, 100 are one."),
        ({}, "25 of 1,000 test posts have a near-copy in training"),
        ({"probabilities": (0.1, 0.2, 0.3, 0.4)}, "It finds 0 of 100 rumors; it calls no post a rumor."),
    ],
)
def test_the_summary_says_it_in_plain_words(make_report, given, words):
    assert words in " ".join(summary(as_json(make_report(**given))))


def test_without_leakage_that_is_said(make_report):
    report = make_report()
    report.split["num_leaking_test_posts"] = 0
    assert "No test post has a near-copy in training." in summary(as_json(report))


@pytest.mark.slow
@pytest.mark.parametrize("width", [1200, 390])
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"labels": (0, 1, 1, 0), "probabilities": (0.1, 0.2, 0.3, 0.4)},  # no rumor is found
        {"labels": (1,), "probabilities": (0.2,)},
    ],
    ids=["usual", "no true positives", "one post"],
)
def test_the_page_shows_every_section_and_asks_for_nothing(make_report, browser, tmp_path, given, width):
    report = make_report(**given)
    (tmp_path / "report.html").write_text(to_html(as_json(report), texts_of(report)), encoding="utf-8")
    page = browser.new_page(viewport={"width": width, "height": 800})
    told, asked = [], []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / "report.html").as_uri())
    assert told == []
    assert asked == [(tmp_path / "report.html").as_uri()]
    for section in SECTIONS:
        assert page.locator(f"#{section}").bounding_box()["height"] > 40
    for picture in page.locator("figure svg").all():
        assert picture.bounding_box()["width"] > 200
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()
