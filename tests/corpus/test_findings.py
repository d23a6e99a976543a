import ast
import os
from pathlib import Path

import hf_rumor
from hf_rumor.corpus.findings import DESCRIPTIONS, NUM_EXAMPLES, Findings, describe, note, without_names


def test_findings_are_listed_in_the_order_of_their_descriptions():
    counted = Findings({key: number for number, key in enumerate(reversed(DESCRIPTIONS), start=1)})
    lines = describe(counted)
    assert [line.split(" ", 1)[1] for line in lines] == list(DESCRIPTIONS.values())


def test_findings_that_did_not_occur_are_not_listed():
    assert describe(Findings(empty_texts=0, hidden_files=1234)) == ["1,234 hidden files skipped (leftovers of macOS)"]


def test_the_first_different_examples_are_listed():
    findings = Findings()
    for number in range(NUM_EXAMPLES):
        note(findings, "other_files", f"{number}.md")
    assert describe(findings) == ["3 files skipped: not part of the corpus: 0.md, 1.md, 2.md"]
    note(findings, "other_files", "2.md")
    assert describe(findings) == ["4 files skipped: not part of the corpus: 0.md, 1.md, 2.md, ..."]
    assert without_names(findings) == {"other_files": 4}


def test_an_example_is_one_short_line_that_can_be_printed():
    findings = Findings()
    for example in (os.fsdecode("明.txt".encode("gbk")), "a\nb", "\ud800" * 1000):
        note(findings, "times_unreadable", example)
    [line] = describe(findings)
    assert line.encode("utf-8").decode("utf-8").endswith(f": ??.txt, a b, {'?' * 100}")


def test_every_finding_that_is_counted_has_a_description():
    package = Path(hf_rumor.__file__).parent
    nodes = [node for path in package.rglob("*.py") for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    counted = {
        constant.value
        for node in nodes
        if isinstance(node, ast.Subscript) and "findings" in ast.unparse(node.value) and "." not in ast.unparse(node)
        for constant in ast.walk(node.slice)
        if isinstance(constant, ast.Constant) and constant.value != 1
    }
    noted = {
        node.args[1].value
        for node in nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "note"
    }
    assert counted | noted | {"files_in_gb18030"} == set(DESCRIPTIONS)
