import re
from pathlib import Path

import hf_rumor.serve
from hf_rumor.serve.words import WORDS


FOLDER = Path(hf_rumor.serve.__file__).parent
SOURCES = "".join(
    file.read_text("utf-8")
    for file in [*FOLDER.glob("static/*.js"), FOLDER / "templates" / "page.html", *FOLDER.glob("[a-v]*.py")]
)
DYNAMIC = ("error_", "nav_", "predicted_", "score_")  # the rest of the key comes from data


def test_both_languages_have_the_same_texts_and_placeholders():
    one, other = WORDS.values()
    assert one.keys() == other.keys()
    for key in one:
        assert sorted(re.findall(r"\{.*?\}", one[key])) == sorted(re.findall(r"\{.*?\}", other[key]))


def test_every_text_is_used_and_every_used_text_exists():
    unused = {key for key in WORDS["zh"] if not key.startswith(DYNAMIC) and f'"{key}"' not in SOURCES}
    assert unused == {"uncertain"}  # a decision
    used = re.findall(r'\b(?:t|word)\("([^"]+)"', SOURCES) + re.findall(r'data-(?:word|label)="(\w+)"', SOURCES)
    assert set(used) - {"nav_"} <= WORDS["zh"].keys()


def test_every_problem_has_words():
    codes = re.findall(r'Problem\(\s*\d+,\s*"(\w+)"', SOURCES) + re.findall(r'refuse\("(\w+)"\)', SOURCES)
    codes += re.findall(r'\d{3}, "(\w+)", f?"', SOURCES) + re.findall(r'"code": "(\w+)"', SOURCES)
    assert len(set(codes)) > 15
    assert {f"error_{code}" for code in codes} - WORDS["zh"].keys() == {"error_columns"}  # shows the column picker


def test_the_page_has_no_words_of_its_own():
    """Texts in the page are those of the table, except for the name of the other language."""
    page = (FOLDER / "templates" / "page.html").read_text("utf-8")
    page = re.sub(r"\{\{ word\(.*?\) \}\}", ">", page.partition("%}\n<!doctype")[2])
    bare = re.sub(r"<[^>]*>", " ", re.sub(r"\{[{%].*?[%}]\}", "", page))
    assert set(bare.split()) <= {"html>", "English", "CSV", "XLSX", "JSONL", "Z"}
    scripts = "".join(file.read_text("utf-8") for file in FOLDER.glob("static/*.js"))
    assert re.findall(r"[\u4e00-\u9fff]+", scripts) == ["中文"]


def test_data_enters_the_page_as_text_only():
    scripts = "".join(file.read_text("utf-8") for file in FOLDER.glob("static/*.js"))
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", scripts)
