import ast
import re
import string
from pathlib import Path

import pytest

import hf_rumor
from hf_rumor.inference.chinese import CHINESE as EXPLAIN
from hf_rumor.labels import LABEL_NAMES
from hf_rumor.report.card import CED, LIMITS, TITLE, render_card
from hf_rumor.report.chinese import CHINESE, translator
from hf_rumor.report.chinese_names import NAMES
from hf_rumor.report.markdown import to_markdown
from hf_rumor.report.words import NEAR_DUPLICATE


PACKAGE = Path(hf_rumor.__file__).parent
IN_TEMPLATE = re.compile(r'\btr\(\s*"([^"]*)"')


def sentences(folder):
    """Return every English sentence that code and templates of a package translate."""
    calls = [
        node.args[0]
        for path in (PACKAGE / folder).glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tr"
    ]
    in_code = {argument.value for argument in calls if isinstance(argument, ast.Constant)}
    templates = (path.read_text(encoding="utf-8") for path in (PACKAGE / folder / "templates").glob("*.html"))
    return in_code | {sentence for text in templates for sentence in IN_TEMPLATE.findall(text)}


def placeholders(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize(
    ("folder", "dictionary", "others"),
    [
        ("report", CHINESE, {*LIMITS, TITLE, CED, NEAR_DUPLICATE, *NAMES}),
        ("inference", EXPLAIN, {*LABEL_NAMES, "uncertain"}),
    ],
)
def test_every_sentence_has_a_translation_and_every_translation_is_used(folder, dictionary, others):
    used = sentences(folder) | others
    assert used - dictionary.keys() == set()
    assert dictionary.keys() - used == set()


@pytest.mark.parametrize("dictionary", [CHINESE, EXPLAIN])
def test_a_translation_has_the_placeholders_the_columns_and_the_code_of_the_sentence(dictionary):
    for english, chinese in dictionary.items():
        assert placeholders(english) == placeholders(chinese), english
        assert [english.count(mark) for mark in "|#"] == [chinese.count(mark) for mark in "|#"], english
        assert sorted(re.findall("`[^`]*`", english)) == sorted(re.findall("`[^`]*`", chinese)), english


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"data": {"is_synthetic": True, "share_unknown_tokens": 0.5}, "split": {"num_leaking_test_posts": 0}},
        {"labels": (0, 1, 1, 0), "probabilities": (0.1, 0.2, 0.3, 0.4), "split": {"name": "outside"}},
        {"labels": (1,), "probabilities": (0.2,), "train": {"planned_steps": 2400, "resumed_at_step": 7}},
    ],
)
def test_a_chinese_report_has_no_english_sentence(make_report, early, given):
    report = make_report(**given, early=early)
    for text in (to_markdown(report, translator("zh")), render_card(report, None, "zh").split("\n---\n")[1]):
        without_code = re.sub(r"(?s)```.*?```|`[^`]*`|<!--.*?-->", "", text)
        assert re.findall(r"(?i)\b(?:the|of|is|are|not|posts?|with|by)\b", without_code) == []
