import csv
import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hf_rumor.corpus import values
from hf_rumor.corpus.catalogue import catalogue
from hf_rumor.corpus.columns import COLUMN_NAMES, Columns
from hf_rumor.corpus.findings import DESCRIPTIONS, Findings
from hf_rumor.corpus.formats import input as formats_input
from hf_rumor.corpus.formats import open_input
from hf_rumor.corpus.formats.input import Row
from hf_rumor.corpus.post import Post, Repost
from hf_rumor.corpus.rows import read_items, read_posts, to_post
from hf_rumor.corpus.values import LABEL_WORDS
from hf_rumor.errors import CorpusError


TABLES = (".jsonl", ".csv", ".tsv", ".parquet")
ROWS = [
    {"id": "a", "text": "河边，听说“停电”了", "label": "rumor", "posted_at": "2013-06-29 12:40:09", "author_id": "7"},
    {"id": "b", "text": 'He said "no", twice', "label": "non-rumor", "posted_at": "1372480810", "author_id": ""},
    {"id": "c", "text": "第一行\n第二行，\t还有", "label": "谣言", "posted_at": "soon", "author_id": "7"},
]
POSTS = [
    Post(text="河边，听说“停电”了", post_id="a", is_rumor=True, posted_at=1372480809, author_id="7"),
    Post(text='He said "no", twice', post_id="b", is_rumor=False, posted_at=1372480810),
    Post(text="第一行\n第二行，\t还有", post_id="c", is_rumor=True, author_id="7"),
]


def read(path, **columns):
    """Return the posts that training reads, and the findings; prediction must read the same ids and texts."""
    with open_input(path) as source:
        posts = list(read_posts(source, Columns(**columns)))
    items = predicted(path, **columns)
    texts = [(str(item.id), item.post.text) for item in items if item.post]
    assert texts == [(post.post_id, post.text) for post in posts if post.text]
    assert {item.error for item in items if not item.post} <= {"the text is empty.", "the line is empty."}
    return posts, {name: count for name, count in source.findings.items() if count and name in DESCRIPTIONS}


def predicted(path, **columns):
    with open_input(path, is_labeled=False) as source:
        return list(read_items(source, Columns(**columns)))


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def write_table(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), delimiter="\t" if path.suffix == ".tsv" else ",")
        writer.writeheader()
        writer.writerows(rows)


def write_parquet(path, rows):
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)


WRITERS = {".jsonl": write_jsonl, ".csv": write_table, ".tsv": write_table, ".parquet": write_parquet}


@pytest.fixture
def write(tmp_path):
    """Return a function that writes rows, a text or bytes as a corpus file: `write(suffix, rows)`."""

    def write(suffix, content):
        path = tmp_path / f"posts{suffix}"
        if isinstance(content, list):
            WRITERS[suffix.lower()](path, content)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return write


def refused(path, **columns):
    """Return the message of the `CorpusError` of reading `path`, which is one line and names it."""
    with pytest.raises(CorpusError) as caught:
        read(path, **columns)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}: ")
    return message


@pytest.mark.parametrize("suffix", [*TABLES, ".JSONL", ".Csv"])
def test_every_format_gives_the_same_posts_in_training_and_prediction(write, suffix):
    assert read(write(suffix, ROWS)) == (POSTS, {"times_unreadable": 1})


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".tsv"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_do_not_matter(write, suffix, encoding, line_end):
    rows = [row | {"text": row["text"].replace("\n", " ")} for row in ROWS]
    path = write(suffix, rows)
    expected, _ = read(path)
    path.write_bytes(path.read_text(encoding="utf-8").replace("\n", line_end).encode(encoding))
    posts, findings = read(path)
    assert posts == expected
    assert findings.get("files_in_gb18030", 0) == encoding.startswith("gb")


def test_columns_are_recognized_by_name_in_any_case(write):
    for role, names in COLUMN_NAMES.items():
        for name in names:
            row = {"text": "雪", role: 1} | {"label": "rumor"}
            renamed = {name.title() + " " if key == role else key: value for key, value in row.items()}
            assert read(write(".jsonl", [renamed]))[0] == read(write(".jsonl", [row]))[0], name


def test_columns_can_be_named_and_then_come_first(write):
    path = write(".csv", [{"text": "no", "body": "雪", "label": "?", "truth": "1", "id": "no", "key": "x"}])
    assert read(path, text="body", label="truth", id="Key")[0] == [Post(text="雪", post_id="x", is_rumor=True)]


@pytest.mark.parametrize(
    ("content", "ids"),
    [
        ('{"text": "雪", "label": 1}\n{"text": "雨", "label": 0}\n', ["1", "2"]),
        ('\n{"text": "雪", "label": 1}\n\n{"text": "雨", "label": 0}', ["2", "4"]),
        ('{"id": "7\\t", "text": "雪", "label": 1}\n{"id": null, "text": "雨", "label": 0}', ["7", "2"]),
        ('{"id": 3.0, "text": 12, "label": 1}\n{"id": NaN, "text": 0.5, "label": 0}', ["3", "2"]),
        ('{"id": "\\ud800", "text": "a\\u0000b\\ud800c", "label": 1}', ["?"]),
    ],
)
def test_an_id_is_that_of_the_row_or_its_number(write, content, ids):
    assert [post.post_id for post in read(write(".jsonl", content))[0]] == ids


def test_prediction_keeps_the_type_of_a_json_id(write):
    rows = [{"id": 7, "text": "雪"}, {"id": "7", "text": "雪"}, {"id": 7.0, "text": "雪"}, {"text": "雪"}]
    assert [item.id for item in predicted(write(".jsonl", rows))] == [7, "7", 7, 4]


def test_ids_from_rows_and_rounded_ids_are_counted(write):
    rows = [{"id": "4.75E+15", "text": "雪", "label": 1}, {"id": "", "text": "雨", "label": 1}]
    _, findings = read(write(".csv", rows))
    assert (findings["ids_rounded"], findings["ids_from_rows"]) == (1, 1)


def test_unreadable_times_and_splits_are_counted_with_three_examples():
    findings = Findings()
    for time in ("6/29/2013", "6/29/2013", "soon", "", "later"):
        row = Row(1, "line 1", {"text": "雪", "label": 1, "time": time, "split": "holdout"})
        to_post(row, Columns(), findings)
    assert [name for name in findings if name.startswith("times_unreadable: ")] == [
        "times_unreadable: 6/29/2013",
        "times_unreadable: soon",
        "times_unreadable: none",
    ]
    assert findings["times_unreadable"] == findings["splits_unreadable"] == 5


def test_a_split_column_is_read(write):
    rows = [{"text": "雪", "label": 1, "split": word} for word in ("train", "dev", "测试")]
    assert [post.split for post in read(write(".csv", rows))[0]] == ["train", "validation", "test"]


@pytest.mark.parametrize("suffix", TABLES)
def test_flags_and_counts_of_a_post_are_read(write, suffix):
    row = {"id": "a", "text": "雪", "label": "1", "has_url": "False", "num_reposts": "17", "author_verified": "True"}
    [post], _ = read(write(suffix, [row]))
    assert (post.has_url, post.num_reposts, post.author_verified) == (False, 17, True)


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_reposts_are_read_oldest_first(write, suffix):
    reposts = [
        {"id": "2", "text": "假的", "reposted_at": "1372480820", "author_id": "9", "parent_id": "1"},
        {"id": "1", "text": "真的吗", "reposted_at": "1372480810", "author_id": "8", "parent_id": None},
    ]
    [post], _ = read(write(suffix, [{"id": "a", "text": "雪", "label": 1, "reposts": reposts}]))
    assert post.reposts == (Repost("1", "真的吗", 1372480810, "8", None), Repost("2", "假的", 1372480820, "9", "1"))
    assert post.num_reposts == 2


@pytest.mark.parametrize(
    ("raw", "reposts", "num_reposts"),
    [
        (["真的吗", "假的"], (Repost("", "真的吗"), Repost("", "假的")), 2),
        ([{"text": "真的吗"}], (Repost("", "真的吗"),), 1),
        ([], (), 0),
        (None, (), None),
        ("17", (), None),
    ],
)
def test_reposts_may_be_texts_or_a_number_or_missing(write, raw, reposts, num_reposts):
    [post], _ = read(write(".jsonl", [{"text": "雪", "label": 1, "reposts": raw}]))
    assert (post.reposts, post.num_reposts) == (reposts, num_reposts)


@pytest.mark.parametrize("suffix", TABLES)
def test_a_row_without_a_text_has_the_empty_text(write, suffix):
    posts, _ = read(write(suffix, [{"text": "雪", "label": "1"}, {"text": None, "label": "0"}]))
    assert [post.text for post in posts] == ["雪", ""]


@pytest.mark.parametrize(
    ("column", "value", "is_rumor", "finding"),
    [
        ("label", True, True, "labels_by_convention"),
        ("标签", 0, False, "labels_by_convention"),
        ("is_true", 1, False, "labels_as_answers"),
        ("标签", "真", False, "labels_as_answers"),
        ("label", "F", True, "labels_as_answers"),
    ],
)
def test_how_a_number_or_an_answer_was_read_is_reported(write, column, value, is_rumor, finding):
    [post], findings = read(write(".jsonl", [{"text": "雪", column: value}]), label=column)
    assert (post.is_rumor, findings[finding]) == (is_rumor, 1)


LABELS = (("0", True), ("1", False), ("2", None))


@pytest.mark.parametrize("suffix", TABLES)
def test_a_label_map_decides_and_posts_whose_label_it_skips_are_counted(write, suffix):
    path = write(suffix, [{"text": text, "label": label} for text, label in (("雪", 0), ("雨", 1), ("雾", 2))])
    with open_input(path) as source:
        posts = list(read_posts(source, Columns(labels=LABELS)))
    assert [(post.text, post.is_rumor) for post in posts] == [("雪", True), ("雨", False)]
    assert (source.findings["labels_mapped"], source.findings["labels_skipped"]) == (2, 1)
    assert {"labels_mapped: 0 = rumor", "labels_mapped: 1 = non-rumor", "labels_skipped: 2"} <= source.findings.keys()


def test_a_label_that_the_map_lacks_is_an_error(write):
    path = write(".csv", [{"text": "雪", "label": "3"}])
    assert "line 2: label '3' is not in the label map (0, 1, 2). Add it to --label_map" in refused(path, labels=LABELS)


@pytest.mark.parametrize("known", [known for known in catalogue() if known.labels])
def test_a_public_corpus_has_the_labels_of_the_catalogue_unless_others_are_named(write, known):
    rows = [dict.fromkeys(known.columns | known.leaking_columns, word) for word, _ in known.labels]
    path = write(".csv", rows)
    with open_input(path) as source:
        posts = list(read_posts(source, Columns()))
    assert [post.is_rumor for post in posts] == [meaning for _, meaning in known.labels if meaning is not None]
    assert f"known_corpora: {known.name}" in source.findings
    opposite = tuple((word, not meaning) for word, meaning in known.labels)
    with open_input(path) as source:
        posts = list(read_posts(source, Columns(labels=opposite)))
    assert [post.is_rumor for post in posts] == [meaning for _, meaning in opposite]


def test_a_column_that_gives_the_label_away_is_not_read(write):
    known = next(known for known in catalogue() if known.leaking_columns and known.labels)
    [leaking] = known.leaking_columns
    path = write(".csv", [dict.fromkeys(known.columns, "0") | {leaking: "verdict"}])
    posts, findings = read(path)
    assert "verdict" not in repr(posts)
    assert findings["columns_unused"] >= 1
    assert f"--text_column {leaking}: it leaks the label" in refused(path, text=leaking)


@pytest.mark.parametrize("word", LABEL_WORDS)
def test_label_words_are_not_reported(write, word):
    [post], findings = read(write(".csv", [{"text": "雪", "label": word}]))
    assert (post.is_rumor, findings) == (LABEL_WORDS[word], {"ids_from_rows": 1})


@pytest.mark.parametrize("suffix", TABLES)
def test_an_unknown_label_stops_training_at_its_line_and_does_not_matter_in_prediction(write, suffix):
    path = write(suffix, [{"text": "雪", "label": "rumor"}, {"text": "雨", "label": "maybe"}])
    where = {".jsonl": "line 2", ".parquet": "row 2"}.get(suffix, "line 3")  # the first line is the header
    assert f"{where}: label 'maybe' is unknown. Define each label with --label_map" in refused(path)
    assert [item.post.text for item in predicted(path)] == ["雪", "雨"]


@pytest.mark.parametrize("suffix", TABLES)
@pytest.mark.parametrize(
    ("row", "columns", "words"),
    [
        ({"txt": "雪", "label": "1"}, {}, "no column for the text (columns: 'txt', 'label'). Name it with --text"),
        ({"text": "雪", "lab": "1"}, {}, "no column for the label (columns: 'text', 'lab'). Name it with --label"),
        (
            {"text": "雪", "label": "1"},
            {"text": "body"},
            "no column named 'body' (columns: 'text', 'label'). Fix --text",
        ),
        (
            {"text": "雪", "label": "1"},
            {"label": "truth"},
            "no column named 'truth' (columns: 'text', 'label'). Fix --label",
        ),
        ({"text": "雪", "label": "1"}, {"id": "key"}, "no column named 'key' (columns: 'text', 'label'). Fix --id"),
    ],
)
def test_a_missing_column_is_refused_with_the_columns(write, suffix, row, columns, words):
    assert words in refused(write(suffix, [row]), **columns)


def test_a_table_without_column_names_is_recognized(write):
    message = refused(write(".csv", [{"明天全市停水": "今天晴", "1": "0"}]))
    assert "posts.csv: the first line is a post, not column names ('明天全市停水', '1'). Add a first line" in message


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_a_table_without_a_text_is_refused_as_a_whole_in_prediction(write, suffix):
    with pytest.raises(CorpusError, match="no column for the text"):
        predicted(write(suffix, [{"txt": "雪"}, {"txt": "雨"}]))


@pytest.mark.parametrize(
    ("suffix", "bad", "words"),
    [
        (".jsonl", b'{"text": ', "not a JSON object"),
        (".jsonl", b"[" * 100_000, "not a JSON object"),
        (".jsonl", b"[1]", "not a JSON object but a list"),
        (".jsonl", b'{"label": 1}', "no column for the text"),
        (".jsonl", b'{"text": ["a"], "label": 1}', "a list is not a text"),
        (".jsonl", b'{"text": "a", "label": 1, "id": []}', "a list is not a text"),
        (".jsonl", b'{"text": "a", "label": 1, "reposts": [{"id": 1}]}', "a repost without 'text'"),
        (".jsonl", b'{"text": "\xe5\x81", "label": 1}', "not valid UTF-8 (byte 0xe5 at position 10)"),
        (".jsonl", b'{"text": "a\0", "label": 1}', "a NUL byte"),
        (".jsonl", b'{"text": "' + b"x" * 3000 + b'", "label": 1}', "longer than 2,000 bytes"),
        (".csv", b"a,b,1,2", "4 fields, but 3 column names"),
        (".csv", b"a", "1 field, but 3 column names"),
        (".csv", b"a,\xd7\xf2\xd2\xb9,1", "not valid UTF-8 (byte 0xd7 at position 2)"),
        (".csv", b'a,"open,1', "a quote is opened and never closed"),
        (".csv", b'a,"b"c,1', "not a table row"),
        (".tsv", b"a\tb\t1\t2", "4 fields, but 3 column names"),
        (".csv", b"a," + b"x" * 60 + b",1", "a text of 60 characters; at most 50 are read"),
    ],
)
def test_a_bad_line_stops_training_and_costs_prediction_that_line_only(write, monkeypatch, suffix, bad, words):
    monkeypatch.setattr(formats_input, "MAX_LINE_BYTES", 200_000 if bad.startswith(b"[[") else 2_000)
    monkeypatch.setattr(values, "MAX_CHARACTERS", 50)
    good = [{"id": f"g{number}", "text": "听说停水，速转", "label": 1} for number in range(4)]
    first, *rest = write(suffix, good).read_bytes().splitlines(keepends=True)
    content = b"".join([first, *rest[:-2], bad + b"\n", *rest[-2:]])
    path = write(suffix, content)
    number = content.splitlines().index(bad) + 1
    assert f"line {number}: " in refused(path)
    assert words in refused(path)
    items = predicted(path)
    assert [item.id for item in items if item.post] == ["g0", "g1", "g2", "g3"]
    [error] = [item.error for item in items if not item.post]
    assert words in error


def test_a_short_first_row_does_not_stop_prediction(write):
    items = predicted(write(".csv", "id,text\na\nb,晴\n"))
    assert [(item.id, item.error is None) for item in items] == [("a", False), ("b", True)]


@pytest.mark.parametrize("content", ["café crème".encode("latin-1"), "слух".encode("koi8-r")])
def test_a_line_in_another_encoding_is_refused(write, content):
    assert "not valid UTF-8" in refused(write(".jsonl", write(".jsonl", ROWS).read_bytes() + content))


def test_a_bad_byte_in_gb18030_costs_one_line(write):
    path = write(".csv", "id,text\na,听说停水\nb,听说涨价\nc,听说停电\n".encode("gb18030").replace(b"b,", b"b,\x81\n"))
    path.write_bytes(path.read_bytes().replace(b"\x81\n", b"\xff"))
    items = predicted(path)
    assert [(item.id, item.post is None) for item in items] == [("a", False), (2, True), ("c", False)]
    assert "not valid GB18030" in items[1].error


def test_a_text_of_several_lines_keeps_the_line_after_it(write):
    path = write(".csv", 'id,text,label\na,"停水，\r\n速转",1\nb,晴,0\n')
    assert [(post.post_id, post.text) for post in read(path)[0]] == [("a", "停水，\n速转"), ("b", "晴")]


def test_plain_lines_are_predicted_and_have_no_labels(tmp_path):
    path = tmp_path / "posts.txt"
    path.write_text("停水\n\n \u200b\n下雪\r\n", encoding="utf-8")
    assert [(item.id, item.error) for item in predicted(path)] == [
        *[(1, None), (2, "the line is empty."), (3, "the text is empty."), (4, None)],
    ]
    assert "read as plain lines, which have no labels. Use a file" in refused(path)


def test_ced_posts_without_a_label_are_predicted(tmp_path, write_ced, corpus_posts):
    folder = write_ced(tmp_path / "ced", corpus_posts[:3])
    read(folder)
    next((folder / "non-rumor-repost").iterdir()).unlink()
    assert len(predicted(folder)) == 3


def test_reading_stops_at_the_first_post_asked_for(write):
    with open_input(write(".jsonl", '{"text": "雪", "label": 1}\nbroken\n')) as source:
        assert next(read_posts(source, Columns())) == Post(text="雪", post_id="1", is_rumor=True)


@pytest.mark.parametrize("value", ["9" * 5000, "9" * 13 + "0", "\0", "1e999"])
def test_an_invalid_time_is_unknown(write, value):
    posts, findings = read(write(".jsonl", [{"text": "雪", "label": 1, "time": value}]))
    assert (posts[0].posted_at, findings["times_unreadable"]) == (None, 1)


def test_the_reader_benchmark_finds_nothing():
    script = Path(__file__).parents[2] / "benchmarks" / "fuzz_readers.py"
    done = subprocess.run([sys.executable, script, "--inputs", "300", "--seed", "7"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count(" 300 inputs, ") == 6


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from(["id", "text", "label", "posted_at", "author_id", "reposts", "split", "内容"])
JSON_LINES = st.lists(st.dictionaries(KEYS, VALUES, max_size=6), max_size=6).map(
    lambda rows: "\n".join(map(json.dumps, rows)).encode()
)
CSV_LINES = st.lists(st.lists(st.text(max_size=12), max_size=5), max_size=6).map(
    lambda rows: "\n".join(["id,text,label", *(",".join(row) for row in rows)]).encode("utf-8", "surrogatepass")
)


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".tsv", ".parquet", ".zip"])
@settings(max_examples=60, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200) | JSON_LINES | CSV_LINES)
def test_any_bytes_give_the_same_posts_in_training_and_prediction_or_a_corpus_error(tmp_path, suffix, content):
    path = tmp_path / f"corpus{suffix}"
    path.write_bytes(content)
    with suppress(CorpusError):
        assert all(item.error or item.post.text for item in predicted(path))
    try:
        posts, _ = read(path)
    except CorpusError as error:
        assert str(path) in str(error)
        assert "\n" not in str(error)
    else:
        assert all(post.text.encode() is not None and isinstance(post.is_rumor, bool) for post in posts)


def test_dates_of_reposts_are_counted_by_the_rule_that_affects_them():
    reposts = [
        {"text": "甲", "time": "07月01日 00:02"},
        {"text": "乙", "time": 1372607999},
        {"text": "丙", "time": "soon"},
        {"text": "丁"},
    ]
    findings = Findings()
    row = Row(1, "line 1", {"text": "t", "label": "rumor", "posted_at": 1372608000, "reposts": reposts})
    read = to_post(row, Columns(), findings).reposts
    assert [repost.text for repost in read] == ["乙", "甲", "丙", "丁"]
    counts = {"repost_years_missing": 1, "reposts_before_post": 1, "repost_dates_unreadable": 1, "ids_from_rows": 1}
    assert +findings == Findings(counts)


def test_posts_without_a_time_have_no_usable_reposts():
    findings = Findings()
    to_post(Row(1, "line 1", {"text": "t", "label": "rumor", "reposts": ["甲"]}), Columns(), findings)
    assert findings["posts_with_reposts_without_time"] == 1


def test_columns_of_a_table_without_a_header_are_named_by_number(write, tmp_path):
    path = tmp_path / "posts.tsv"
    path.write_text("fake\t雪\t1\nreal\t雨\t2\n", encoding="utf-8")
    posts, _ = read(path, text="2", label="1", id="3")
    assert [(post.post_id, post.text, post.is_rumor) for post in posts] == [("1", "雪", True), ("2", "雨", False)]
    assert "name the columns by number: --label_column 1 --text_column 2" in refused(write(".csv", [{"fake": "real"}]))


def test_numbers_can_be_the_names_of_columns(write):
    posts, _ = read(write(".csv", [{"0": "雪", "1": "rumor"}]), text="0", label="1")
    assert [(post.text, post.is_rumor) for post in posts] == [("雪", True)]


def test_the_keys_of_a_nested_post_are_columns_but_not_those_of_its_author(write):
    nested = {"mblog": {"text": "雪", "id": 5, "user": {"id": 7}}, "label": "rumor"}
    [post], _ = read(write(".jsonl", [nested]))
    assert (post.text, post.post_id) == ("雪", "5")
    [post], _ = read(write(".jsonl", [{"text": "雪", "user": {"id": 7, "text": "作者"}, "label": "rumor"}]))
    assert (post.text, post.post_id) == ("雪", "1")
