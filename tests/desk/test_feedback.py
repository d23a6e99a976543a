import json
from datetime import UTC, datetime

import pytest

from hf_rumor.cli.main import main
from hf_rumor.corpus.columns import Columns
from hf_rumor.corpus.post import Post
from hf_rumor.desk.feedback import Added, Verdict, add_to_corpus, count_hits, read_verdicts, slice_verdicts
from hf_rumor.errors import CorpusError


NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def verdict(text, label, decision="rumor"):
    return Verdict(Post(text=text, post_id=text, posted_at=1_700_000_000), label, decision)


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_rows_without_a_verdict_stay_open(tmp_path):
    path = tmp_path / "queue.csv"
    path.write_text(
        "decision,verdict,id,text\nrumor,谣言,1,停水\nrumor,,2,下雨\nuncertain,待定,3,地震\n", encoding="utf-8"
    )
    verdicts, num_open = read_verdicts(path, Columns())
    assert [(one.post.text, one.label, one.decision) for one in verdicts] == [
        ("停水", "rumor", "rumor"),
        ("地震", "undecided", "uncertain"),
    ]
    assert num_open == 1


@pytest.mark.parametrize("row", ["maybe,2,下雨", "rumor,2,"])
def test_a_wrong_row_is_named_and_nothing_is_read(tmp_path, row):
    path = tmp_path / "queue.csv"
    path.write_text(f"verdict,id,text\nrumor,1,停水\n{row}\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"queue.csv: post 2: .* Nothing was added; fix the file"):
        read_verdicts(path, Columns())


def test_decided_posts_are_added_once_with_author_and_time(tmp_path):
    path = tmp_path / "ours.jsonl"
    verdicts = [verdict("停水", "rumor"), verdict("下雨", "non-rumor"), verdict("地震", "undecided")]
    assert add_to_corpus(path, verdicts, "李", NOW) == Added(2, 0, 0)
    assert rows(path)[0] == {
        "id": "停水",
        "text": "停水",
        "label": "rumor",
        "posted_at": "2023-11-15T06:13:20+08:00",
        "verdict_by": "李",
        "verdict_at": "2026-11-30T12:00:00+00:00",
    }
    before = path.read_bytes()
    assert add_to_corpus(path, verdicts, None, NOW) == Added(0, 0, 2)
    assert path.read_bytes() == before


def test_a_new_verdict_replaces_an_old_one_and_other_lines_stay(tmp_path):
    path = tmp_path / "ours.jsonl"
    path.write_text(
        '{"text": "下雨", "label": "rumor", "note": 1}\n{"text": "停水", "label": "rumor"}\n', encoding="utf-8"
    )
    assert add_to_corpus(path, [verdict(" 停水 ", "non-rumor")], None, NOW) == Added(0, 1, 0)
    assert rows(path)[0] == {"text": "下雨", "label": "rumor", "note": 1}
    assert rows(path)[1]["label"] == "non-rumor"


def test_a_corpus_with_blank_lines_and_unicode_line_separators_is_read_again(tmp_path):
    path = tmp_path / "ours.jsonl"
    text = "停水\u2028下雨\x85地震"
    assert add_to_corpus(path, [verdict(text, "rumor")], None, NOW) == Added(1, 0, 0)
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert add_to_corpus(path, [verdict("下雪", "rumor")], None, NOW) == Added(1, 0, 0)
    assert [json.loads(line)["text"] for line in path.read_text("utf-8").strip().split("\n")] == [text, "下雪"]


def test_a_broken_corpus_stays_as_it_is(tmp_path):
    path = tmp_path / "ours.jsonl"
    path.write_text('{"text": "下雨"}\n', encoding="utf-8")
    with pytest.raises(CorpusError, match=r"ours.jsonl: line 1: not a post with text and label"):
        add_to_corpus(path, [verdict("停水", "rumor")], None, NOW)
    assert path.read_text(encoding="utf-8") == '{"text": "下雨"}\n'


def test_hits_are_counted_for_each_prediction_with_an_exact_interval():
    verdicts = [verdict(str(number), "rumor") for number in range(9)] + [verdict("a", "non-rumor")]
    verdicts += [
        verdict("b", "non-rumor", "uncertain"),
        verdict("c", "undecided", "uncertain"),
        verdict("d", "rumor", ""),
    ]
    rumor, uncertain = count_hits(verdicts)
    assert (rumor.decision, rumor.num_posts, rumor.num_rumors) == ("rumor", 10, 9)
    assert (rumor.low, rumor.high) == pytest.approx((0.5550, 0.9975), abs=1e-4)  # Clopper and Pearson, 9 of 10
    assert (uncertain.num_posts, uncertain.num_rumors) == (1, 0)


def test_a_queue_is_written_filled_in_and_read_again(folder, tmp_path, capsys):
    (tmp_path / "today.csv").write_text("id,正文\n1,听说明天停水\n2,今天晴\n", encoding="utf-8")
    queue, corpus = tmp_path / "queue.csv", tmp_path / "ours.jsonl"
    words = [str(tmp_path / "today.csv"), "--top", "1", "--output", str(queue)]
    assert main(["triage", str(folder), *words]) == 0
    assert f"queue: {queue} (1 rows)" in capsys.readouterr().out
    queue.write_text(queue.read_text(encoding="utf-8-sig").replace("1,,", "1,谣言,", 1), encoding="utf-8")
    assert main(["feedback", str(queue), "--corpus", str(corpus)]) == 0
    assert "1 posts added, 0 changed, 0 known already; 0 undecided, 0 without" in capsys.readouterr().out
    assert rows(corpus)[0]["label"] == "rumor"


def test_errors_are_counted_by_traits_of_the_posts(make_posts):
    posts = make_posts(80)
    verdicts = [Verdict(post, "rumor", "rumor" if post.has_url else "non-rumor") for post in posts]
    verdicts += [Verdict(post, "undecided", "rumor") for post in posts]
    links = {one.slice: one for one in slice_verdicts(verdicts) if one.trait == "has a link"}
    assert links["no"].accuracy == 0
    assert links["no"].num_posts == sum(not post.has_url for post in posts)
    assert slice_verdicts(verdicts[:20]) == ()  # too few
