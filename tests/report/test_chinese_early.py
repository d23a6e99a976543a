import re

from hf_rumor.report.chinese import translator
from hf_rumor.report.chinese_early import EARLY
from hf_rumor.report.chinese_names import NAMES
from hf_rumor.report.view import sections
from hf_rumor.report.words import DEADLINE_WORDS, FIRST_TIMES, headline, summary


def test_the_section_is_in_chinese(make_report, early):
    [section] = [part for part in sections(make_report(early=early), translator("zh")) if part.id == "early"]
    assert section.title == EARLY["Early detection"]
    for table in section.tables:
        for cell in (*(column.title for column in table.columns), *(row[0] for row in table.rows)):
            assert re.search("[\u4e00-\u9fff]", cell) or cell in ("ROC-AUC", "SEA"), cell


def test_deadlines_have_a_translation():
    assert {*DEADLINE_WORDS.values(), *FIRST_TIMES.values()} <= NAMES.keys()


def test_the_accuracy_after_one_hour_is_in_the_headline_and_the_summary(make_report, early):
    report, tr = make_report(early=early), translator("zh")
    assert "发布后 1 小时内的转发，准确率为 0.930 [0.910, 0.950]" in headline(report, tr)
    assert "每 100 条微博中约 93 条分类正确（95% 置信区间：91 至 95 条）" in "".join(summary(report, tr))
