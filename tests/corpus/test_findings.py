import ast
import os
from pathlib import Path

import hf_rumor
from hf_rumor.corpus.findings import DESCRIPTIONS, NUM_NAMES, Findings, describe, note_file


def test_findings_are_told_in_the_order_of_their_descriptions():
    counted = Findings({key: number for number, key in enumerate(reversed(DESCRIPTIONS), start=1)})
    lines = describe(counted)
    assert [line.split(" ", 1)[1] for line in lines] == list(DESCRIPTIONS.values())


def test_what_did_not_occur_is_not_told():
    assert describe(Findings(empty_texts=0, hidden_files=1234)) == ["1,234 hidden files skipped (leftovers of macOS)"]


def test_the_first_few_files_are_told_by_name():
    findings = Findings()
    for number in range(NUM_NAMES):
        note_file(findings, "other_files", f"{number}.md")
    assert describe(findings) == ["3 files skipped: not part of the CED layout: 0.md, 1.md, 2.md"]
    note_file(findings, "other_files", "one more")
    assert describe(findings) == ["4 files skipped: not part of the CED layout: 0.md, 1.md, 2.md, ..."]


def test_a_name_that_is_not_utf_8_can_be_printed():
    findings = Findings()
    note_file(findings, "other_files", os.fsdecode("明.txt".encode("gbk")))
    [told] = describe(findings)
    assert told.encode("utf-8").decode("utf-8").endswith(": \ufffd\ufffd.txt")


def test_every_finding_that_is_counted_has_a_description():
    package = Path(hf_rumor.__file__).parent
    counted = {
        node.slice.value
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id == "findings"
        and isinstance(node.slice, ast.Constant)
    }
    noted = {
        node.args[1].value
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "note_file"
    }
    assert counted | noted == set(DESCRIPTIONS)
