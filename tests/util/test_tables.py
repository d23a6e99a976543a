import json

import pytest

from hf_rumor.errors import OutputError
from hf_rumor.util.tables import SUFFIXES, beside_input, write_table


COLUMNS = ("rank", "verdict", "id", "text")
ROWS = [(1, None, "4906304541874867", "=1+1 <b>停水</b>\x00"), (2, "rumor", 4906304541874867, "下雨，\n明天")]


def test_columns_of_the_input_follow_ours_under_names_of_their_own():
    inputs = [{"id": "a", "rank": 7, "reposts": [1]}, {"id": "b", "作者": "甲"}]
    columns, rows = beside_input(("rank",), [(1,), (2,)], inputs)
    assert columns == ("rank", "id", "rank_input", "作者")
    assert rows == ((1, "a", 7, None), (2, "b", None, "甲"))


def test_a_csv_file_is_for_spreadsheets(tmp_path):
    write_table(tmp_path / "t.csv", COLUMNS, ROWS)
    text = (tmp_path / "t.csv").read_text(encoding="utf-8-sig")
    assert text.splitlines()[1].startswith("1,,4906304541874867,'=1+1")


def test_json_lines_have_the_columns_as_keys(tmp_path):
    write_table(tmp_path / "t.jsonl", COLUMNS, ROWS)
    lines = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text(encoding="utf-8").splitlines()]
    assert lines == [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]


def test_a_spreadsheet_keeps_long_ids_and_runs_no_formula(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    write_table(tmp_path / "t.xlsx", COLUMNS, ROWS, {"verdict": ("rumor", "non-rumor")})
    sheet = openpyxl.load_workbook(tmp_path / "t.xlsx").worksheets[0]
    assert [[cell.value for cell in row] for row in sheet] == [
        list(COLUMNS),
        [1, None, "4906304541874867", "=1+1 <b>停水</b>"],
        [2, "rumor", "4906304541874867", "下雨，\n明天"],
    ]
    assert sheet["D2"].data_type == "s"
    [choices] = sheet.data_validations.dataValidation
    assert (choices.formula1, str(choices.sqref)) == ('"rumor,non-rumor"', "B2:B3")


def test_a_page_shows_texts_as_text(tmp_path):
    write_table(tmp_path / "t.html", COLUMNS, ROWS)
    page = (tmp_path / "t.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;停水&lt;/b&gt;" in page
    assert "<td>None</td>" not in page


def test_other_suffixes_are_refused(tmp_path):
    with pytest.raises(OutputError, match=f"not a table. Use a name that ends in {', '.join(SUFFIXES)}"):
        write_table(tmp_path / "t.doc", COLUMNS, ROWS)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".html", ".xlsx"])
def test_half_a_character_is_replaced(tmp_path, suffix):
    if suffix == ".xlsx":
        pytest.importorskip("openpyxl")
    write_table(tmp_path / f"t{suffix}", ("id", "n\ud800"), [("a\ud800", ["\ud800"])])
    assert b"\xed\xa0" not in (tmp_path / f"t{suffix}").read_bytes()
