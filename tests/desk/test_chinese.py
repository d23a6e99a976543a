import ast
import re
import string
from pathlib import Path

import hf_rumor.desk
from hf_rumor.desk.chinese import CHINESE, translator
from hf_rumor.desk.drift import STATISTICS
from hf_rumor.desk.page import COLUMNS, NAMES


FOLDER = Path(hf_rumor.desk.__file__).parent


def sentences():
    """Return every English sentence that the page translates."""
    nodes = ast.walk(ast.parse((FOLDER / "page.py").read_text(encoding="utf-8")))
    calls = [node for node in nodes if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "tr"]
    template = (FOLDER / "templates" / "monitor.html").read_text(encoding="utf-8")
    return {call.args[0].value for call in calls} | set(re.findall(r'\btr\(\s*"([^"]*)"', template))


def test_every_sentence_has_a_translation_and_every_translation_is_used():
    used = sentences() | set(NAMES.values()) | set(COLUMNS) | {"ALARM", "no", "not tested"}
    assert used - {"limit", "alarm", "day"} == CHINESE.keys() - {"limit", "alarm", "day"}
    assert set(STATISTICS) == NAMES.keys()


def test_a_translation_has_the_placeholders_of_the_sentence():
    for english, chinese in CHINESE.items():
        names = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (english, chinese)]
        assert names[0] == names[1], english
    assert translator("zh")("Alarms") == "警报"
