import ast
from pathlib import Path

import hf_rumor
from hf_rumor.corpus.findings import DESCRIPTIONS, Findings, describe


def test_findings_are_told_in_the_order_of_their_descriptions():
    counted = Findings({key: number for number, key in enumerate(reversed(DESCRIPTIONS), start=1)})
    lines = describe(counted)
    assert [line.split(" ", 1)[1] for line in lines] == list(DESCRIPTIONS.values())


def test_what_did_not_occur_is_not_told():
    assert describe(Findings(empty_texts=0, hidden_files=1234)) == ["1,234 hidden files skipped (leftovers of macOS)"]


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
    assert counted == set(DESCRIPTIONS)
