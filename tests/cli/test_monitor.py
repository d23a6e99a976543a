import json

import pytest

from hf_rumor.cli.main import main
from hf_rumor.desk import text_drift


@pytest.fixture(autouse=True)
def small_features(monkeypatch):
    monkeypatch.setattr(text_drift, "NUM_FEATURES", 64)


@pytest.fixture
def write(tmp_path):
    def make(name, texts):
        path = tmp_path / name
        lines = (json.dumps({"text": text}, ensure_ascii=False) for text in texts)
        path.write_text("\n".join(lines), encoding="utf-8")
        return str(path)

    return make


def test_the_exit_status_is_1_if_the_last_day_raises_an_alarm(folder, make_posts, write, tmp_path, capsys):
    texts = [post.text for post in make_posts(240)]
    reference, usual = write("reference.jsonl", texts[:200]), write("usual.jsonl", texts[200:220])
    foreign = write("foreign.jsonl", [f"{text} breaking news from abroad" for text in texts[220:]])
    page, table = tmp_path / "monitor.html", tmp_path / "monitor.jsonl"
    flags = ["--reference", reference, "--language", "zh", "--output"]
    assert main(["monitor", str(folder), usual, foreign, *flags, str(page)]) == 1
    printed = capsys.readouterr().out
    assert "alarm: foreign: " in printed
    assert "alarm: usual: " not in printed
    assert '<html lang="zh-CN">' in page.read_text(encoding="utf-8")
    assert main(["monitor", str(folder), foreign, usual, *flags, str(table)]) == 0
    rows = [json.loads(line) for line in table.read_text(encoding="utf-8").splitlines()]
    assert [row["is_alarm"] for row in rows] == [True, False]


def test_what_cannot_be_done_is_one_line(folder, make_posts, write, tmp_path, capsys):
    day = write("day.jsonl", [post.text for post in make_posts(30)])
    assert main(["monitor", str(folder), day, "--reference", day]) == 2
    assert "are needed" in capsys.readouterr().err
    assert main(["monitor", str(folder), day, "--output", str(tmp_path / "page.pdf")]) == 2
    assert "Use a name that ends in .html or .jsonl" in capsys.readouterr().err
    assert main(["monitor", str(folder), day, "--false_alarm_rate", "2"]) == 2
    assert "expected a number between 0 and 1" in capsys.readouterr().err
