import re

import numpy as np
import pytest

from hf_rumor.desk.drift import STATISTICS, Windows
from hf_rumor.desk.monitor import Drift, Row
from hf_rumor.desk.page import COLUMNS, cells, explain_alarm, explain_limits, to_page, to_records, to_text
from hf_rumor.evaluation.prior import Prior


MEANS, SPREADS = (
    np.array([0.55, 0.0, 8.0, 0.9, np.log(100), 0.0, 0.0]),
    np.array([0.05, 0.1, 0.2, 0.02, 0.1, 0.01, 0.6]),
)
WINDOWS = Windows(MEANS, SPREADS, 30, np.zeros(7))


def row(name, confidence=0.9, share=0.25):
    deviations = np.array([0.0, 0.0, 1.0, (confidence - 0.9) / 0.02, 0.0, 0.0, 0.3])
    values = np.array([0.55, 0.0, 8.2, confidence, np.log(100), 0.0, 0.3])
    words = (("<b>停水", "停电"), ("公园",)) if confidence < 0.8 else ((), ())
    prior = Prior(share, (share - 0.1, share + 0.1), None, 0.5)
    return Row(name, 60, 58, prior, Drift(values, WINDOWS, deviations, np.full(7, 3.5), *words))


@pytest.fixture
def rows():
    return [Row("day1", 30, 12, None, None), row("day2"), row("day3", confidence=0.75)]


def test_the_table_has_a_line_for_each_day(rows):
    lines = to_text(rows).splitlines()
    assert len(lines) == 4
    assert lines[1].split()[:4] == ["day1", "30", "12", "-"]
    assert lines[1].endswith("not tested")
    assert "25% [15%, 35%]" in lines[2]
    assert lines[3].split()[-3:] == ["-7.5", "3.5", "ALARM"]
    assert all(len(cells(one)) == len(COLUMNS) for one in rows)


def test_an_alarm_says_what_deviates_and_which_words_differ(rows):
    assert explain_alarm(rows[2], rows[2].drift) == (
        "day3: Mean confidence 0.750, expected 0.900: -7.5 standard deviations (limit 3.5). "
        "More frequent: <b>停水、停电. Less frequent: 公园."
    )
    assert "0.05 per week of 7 days" in explain_limits(rows, 0.05)
    assert "30 windows of 58 distinct posts" in explain_limits(rows, 0.05)


def test_records_keep_every_number(rows):
    columns, records = to_records(rows)
    values = [dict(zip(columns, record, strict=True)) for record in records]
    assert values[0]["is_alarm"] is None
    assert values[1]["rumor_share_low"] == pytest.approx(0.15)
    assert values[2]["is_alarm"] is True
    assert values[2]["confidence_deviation"] == pytest.approx(-7.5)
    assert values[2]["length"] == pytest.approx(100)
    assert values[2]["more_frequent"] == ["<b>停水", "停电"]


def test_the_page_is_self_contained_and_draws_every_curve(rows):
    page = to_page(rows, "out", 0.05, "en")
    assert page.count("<svg") == len(STATISTICS) + 1
    assert "Alarm: the posts of the last day differ" in page
    assert "Days outside the limits: day3." in page
    assert "<b>停水" not in page
    assert not re.findall(r"""(?:src|href)=["']?https?:""", page)
    assert "No alarm" in to_page(rows[:2], "out", 0.05, "en")


def test_days_without_a_value_have_no_point(rows):
    assert "<svg" in to_page([rows[0]], "out", 0.05, "en")
