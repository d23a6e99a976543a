import csv
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hf_rumor.corpus import readers, values
from hf_rumor.corpus.findings import Findings
from hf_rumor.corpus.post import Post, Repost
from hf_rumor.corpus.readers import FORMATS, Columns, read_posts
from hf_rumor.corpus.values import LABEL_WORDS
from hf_rumor.errors import CorpusError


ROWS = [
    {"id": "a", "text": "河边，听说“停电”了", "label": "rumor", "posted_at": "2013-06-29 12:40:09", "author_id": "7"},
    {"id": "b", "text": 'He said "no", twice', "label": "non-rumor", "posted_at": "1372480810", "author_id": ""},
    {"id": "c", "text": "第一行\n第二行，\t还有", "label": "谣言", "posted_at": "soon", "author_id": "7"},
]
POSTS = [
    Post(post_id="a", text="河边，听说“停电”了", is_rumor=True, posted_at=1372480809, author_id="7"),
    Post(post_id="b", text='He said "no", twice', is_rumor=False, posted_at=1372480810),
    Post(post_id="c", text="第一行\n第二行，\t还有", is_rumor=True, author_id="7"),
]


def read(path, **columns):
    """Return the posts of a file, and the findings that occurred."""
    findings = Findings()
    return list(read_posts(path, Columns(**columns), findings)), dict(+findings)


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def write_csv(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), delimiter="\t" if path.suffix == ".tsv" else ",")
        writer.writeheader()
        writer.writerows(rows)


def write_parquet(path, rows):
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)


WRITERS = {".jsonl": write_jsonl, ".csv": write_csv, ".tsv": write_csv, ".parquet": write_parquet}


@pytest.fixture
def write(tmp_path):
    """Return a function that writes rows, or a text, as a corpus file and returns its path: `write(suffix, rows)`."""

    def write(suffix, content, encoding="utf-8"):
        path = tmp_path / f"posts{suffix}"
        if isinstance(content, str):
            path.write_text(content, encoding=encoding, newline="")
        else:
            WRITERS[suffix.lower()](path, content)
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


def test_every_format_is_tested():
    assert WRITERS.keys() == FORMATS.keys()


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_gives_the_same_posts(write, suffix):
    assert read(write(suffix, ROWS)) == (POSTS, {"times_unreadable": 1})


@pytest.mark.parametrize(("column", "found"), [("label", {"labels_true_or_false": 2}), ("is_rumor", {})])
def test_true_that_may_mean_a_true_story_is_told(write, column, found):
    rows = [{"text": "停水", column: True}, {"text": "停电", column: "FALSE"}, {"text": "停课", column: 1}]
    posts, findings = read(write(".jsonl", rows))
    assert ([post.is_rumor for post in posts], findings) == ([True, False, True], found)


@pytest.mark.parametrize("suffix", [".JSONL", ".Csv"])
def test_the_case_of_a_suffix_does_not_matter(tmp_path, suffix):
    WRITERS[suffix.lower()](tmp_path / f"posts{suffix}", ROWS)
    assert read(tmp_path / f"posts{suffix}")[0] == POSTS


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".tsv"])
def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(write, suffix):
    rows = [with_text_on_one_line(row) for row in ROWS]
    path = write(suffix, rows)
    expected = read(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    assert read(path) == expected


def with_text_on_one_line(row):
    return row | {"text": row["text"].replace("\n", " ")}


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
@pytest.mark.parametrize("word", LABEL_WORDS)
def test_every_label_word_is_read(write, suffix, word):
    [post], _ = read(write(suffix, [{"text": "雪", "label": word}]))
    assert post.is_rumor is LABEL_WORDS[word]


@pytest.mark.parametrize("label", [0, 1, True, False, 1.0])
@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_labels_that_are_no_text_are_read(write, suffix, label):
    [post], _ = read(write(suffix, [{"text": "雪", "label": label}]))
    assert post.is_rumor is bool(label)


@pytest.mark.parametrize(
    ("text", "label", "post_id", "time"),
    [
        ("content", "is_rumor", "post_id", "time"),
        ("post", "rumor", "mid", "created_at"),
        ("内容", "标签", "id", "date"),
        ("正文", "label", "id", "posted_at"),
    ],
)
def test_the_usual_names_of_columns_are_known(write, text, label, post_id, time):
    path = write(".jsonl", [{text: "雪", label: 1, post_id: "x", time: 1372480809, "other": None}])
    assert read(path)[0] == [Post(post_id="x", text="雪", is_rumor=True, posted_at=1372480809)]


def test_columns_can_be_named_and_then_come_first(write):
    path = write(".csv", [{"text": "no", "body": "雪", "label": "?", "truth": "1", "id": "no", "key": "x"}])
    assert read(path, text="body", label="truth", id="key")[0] == [Post(post_id="x", text="雪", is_rumor=True)]


def test_without_an_id_posts_are_numbered_from_1(write):
    path = write(".jsonl", '{"text": "雪", "label": 1}\n\n{"text": "雨", "label": 0}\n')
    assert [post.post_id for post in read(path)[0]] == ["1", "2"]


def test_a_file_without_a_time_column_has_no_finding(write):
    assert read(write(".jsonl", [{"text": "雪", "label": 1}])) == ([Post(post_id="1", text="雪", is_rumor=True)], {})


@pytest.mark.parametrize("suffix", FORMATS)
def test_what_is_known_of_a_post_beside_its_text_is_read(write, suffix):
    row = {"id": "a", "text": "雪", "label": "1", "has_url": "False", "num_reposts": "17", "author_verified": "True"}
    [post], _ = read(write(suffix, [row]))
    assert (post.has_url, post.num_reposts, post.author_verified) == (False, 17, True)


@pytest.mark.parametrize(("reposts", "num_reposts"), [({}, None), ({"reposts": []}, 0), ({"reposts": ["假的"]}, 1)])
def test_reposts_are_counted_only_where_there_is_a_list_of_them(write, reposts, num_reposts):
    [post], _ = read(write(".jsonl", [{"text": "雪", "label": 1, **reposts}]))
    assert post.num_reposts == num_reposts


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_reposts_are_read_oldest_first(write, suffix):
    row = {"id": "a", "text": "雪", "label": 1}
    reposts = [
        {"id": "2", "text": "假的", "reposted_at": "1372480820", "author_id": "9", "parent_id": "1"},
        {"id": "1", "text": "真的吗", "reposted_at": "1372480810", "author_id": "8", "parent_id": None},
    ]
    [post], _ = read(write(suffix, [{**row, "reposts": reposts}]))
    assert post.reposts == (
        Repost("1", "真的吗", 1372480810, "8", None),
        Repost("2", "假的", 1372480820, "9", "1"),
    )


@pytest.mark.parametrize(
    ("raw", "reposts"),
    [
        (["真的吗", "假的"], (Repost("", "真的吗"), Repost("", "假的"))),
        ([{"text": "真的吗"}], (Repost("", "真的吗"),)),
        ([], ()),
        (None, ()),
        (17, ()),
        ("17", ()),
    ],
)
def test_reposts_may_be_texts_or_a_number_or_nothing(write, raw, reposts):
    [post], _ = read(write(".jsonl", [{"text": "雪", "label": 1, "reposts": raw}]))
    assert post.reposts == reposts


def test_a_repost_without_a_text_is_refused(write):
    path = write(".jsonl", [{"text": "雪", "label": 1, "reposts": [{"id": 1, "content": "?"}]}])
    assert "line 1: expected reposts with 'text', found ['content', 'id']" in refused(path)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_row_without_a_text_has_the_empty_text(write, suffix):
    posts, _ = read(write(suffix, [{"text": "雪", "label": "1"}, {"text": None, "label": "0"}]))
    assert [post.text for post in posts] == ["雪", ""]


@pytest.mark.parametrize("suffix", FORMATS)
def test_posts_without_an_id_in_a_column_of_ids_differ_in_their_ids(write, suffix):
    rows = [{"id": post_id, "text": "雪", "label": "1"} for post_id in ("a", None, None)]
    assert len({post.post_id for post in read(write(suffix, rows))[0]}) == 3


@pytest.mark.parametrize("missing", ["null", "NaN", '""'])
def test_a_post_without_an_id_never_takes_that_of_another(write, missing):
    rows = [f'{{"id": {post_id}, "text": "雪", "label": 1}}' for post_id in ("2", missing, "3.0", missing)]
    posts, _ = read(write(".jsonl", "\n".join(rows)))
    assert [post.post_id for post in posts] == ["2", "post 2 of the file", "3", "post 4 of the file"]


def test_texts_that_old_writers_of_parquet_left_as_bytes_are_read(write):
    path = write(".parquet", [{"id": b"a", "text": "雪".encode(), "label": b"1"}])
    assert read(path)[0] == [Post(post_id="a", text="雪", is_rumor=True)]


def test_a_quote_in_a_tsv_without_quoting_swallows_no_post(write):
    lines = ["label\ttext", '1\t"雪', "0\t雨", '0\t风"', "1\t晴"]
    assert "line 4: expected a post a line" in refused(write(".tsv", "\n".join(lines)))
    lines = ["text\tlabel", '"雪\t1', '雨"\t0', "晴\t1"]
    assert "line 3: expected a post a line" in refused(write(".tsv", "\n".join(lines)))


def test_a_text_of_several_lines_in_a_tsv_is_one_post(write):
    assert [post.text for post in read(write(".tsv", 'label\ttext\n1\t"雪\n雨"\n'))[0]] == ["雪\n雨"]


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_label_that_says_neither_is_refused_with_its_line(write, suffix):
    path = write(suffix, [{"text": "雪", "label": "rumor"}, {"text": "雨", "label": "maybe"}])
    where = {".jsonl": "line 2", ".parquet": "row 2"}.get(suffix, "line 3")  # the first line is the header
    message = refused(path)
    assert f"{where}: expected a label out of" in message
    assert "'maybe'" in message
    assert "--label_column" in message


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(
    ("row", "columns", "words"),
    [
        (
            {"txt": "雪", "label": "1"},
            {},
            "expected a column text or content or post or 内容 or 正文 or 微博正文, found txt, label",
        ),
        ({"text": "雪", "lab": "1"}, {}, "expected a column label or is_rumor or rumor or 标签, found text, lab"),
        (
            {"text": "雪", "label": "1"},
            {"text": "body"},
            "expected a column 'body', found text, label; name it with --text",
        ),
        (
            {"text": "雪", "label": "1"},
            {"label": "truth"},
            "expected a column 'truth', found text, label; name it with",
        ),
        (
            {"text": "雪", "label": "1"},
            {"id": "key"},
            "expected a column 'key', found text, label; name it with --id_col",
        ),
    ],
)
def test_a_missing_column_is_refused_with_those_that_are_there(write, suffix, row, columns, words):
    assert words in refused(write(suffix, [row]), **columns)


@pytest.mark.parametrize(
    ("suffix", "content", "words"),
    [
        (".jsonl", '{"text": "雪", "label": 1}\n{"text": ', "line 2: expected one JSON object a line"),
        (".jsonl", "[" * 100_000, "line 1: expected one JSON object a line"),
        (".jsonl", '["雪", 1]', "line 1: expected one JSON object a line, got a list"),
        (".jsonl", '{"text": "雪", "label": 1}\n\n"雪"\n', "line 3: expected one JSON object a line, got a str"),
        (".csv", "text,label\n雪,1\n雨,0,\n", "line 3: expected 2 fields, found more"),
        (".csv", "text,label\n雪,1\n雨\n", "line 3: expected 2 fields, found fewer"),
        (".tsv", "text\tlabel\n雪\t还有\t1\n", "line 2: expected 2 fields, found more; quote texts that hold a '\\t'"),
        (".csv", f"text,label\n{'雪' * 200_000},1\n", ": expected CSV, got field larger than field limit"),
        (".parquet", "text,label\n雪,1\n", "expected a Parquet file"),
        (".parquet", "", "expected a Parquet file"),
        (".txt", "雪", "expected a folder, .zip, .jsonl, .csv, .tsv, .parquet, found the suffix '.txt'"),
        ("", "雪", "found the suffix ''"),
        (".zip", "雪", "expected a zip"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(write, suffix, content, words):
    assert words in refused(write(suffix, content))


def test_a_field_that_is_too_long_is_refused_with_its_line(write):
    assert "line 2: expected CSV" in refused(write(".csv", f"text,label\n{'雪' * 200_000},1\n"))


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_a_quote_that_is_never_closed_is_refused(write, suffix):
    lines = ["label,text", '1,"雪', "0,雨", "1,风"]
    content = "\n".join(lines).replace(",", "," if suffix == ".csv" else "\t") + "\n"
    assert "expected CSV, got unexpected end of data" in refused(write(suffix, content))


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".tsv"])
@pytest.mark.parametrize("encoding", ["gb18030", "gbk", "utf-16"])
def test_a_file_that_chinese_programs_wrote_is_read_and_told(write, suffix, encoding):
    path = write(suffix, ROWS)
    expected, _ = read(path)
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    posts, findings = read(path)
    assert posts == expected
    assert findings.get("files_in_gb18030", 0) == (encoding != "utf-16")


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".tsv"])
@pytest.mark.parametrize("content", ["café crème".encode("latin-1"), "слух".encode("koi8-r"), b"\xff\xfe\x00"])
def test_a_file_in_another_encoding_is_refused(write, suffix, content):
    path = write(suffix, ROWS)
    path.write_bytes((b"" if content[0] == 0xFF else path.read_bytes()) + content)
    message = refused(path)
    assert "expected UTF-8, UTF-16 or GB18030" in message


def test_a_parquet_file_cut_off_is_refused(write):
    path = write(".parquet", ROWS)
    path.write_bytes(path.read_bytes()[:-20])
    assert "expected a Parquet file" in refused(path)


def test_nothing_there_is_refused(tmp_path):
    assert "found nothing there; check --data_path" in refused(tmp_path / "no_such.jsonl")


def test_rows_of_many_parquet_batches_are_numbered_throughout(write):
    path = write(".parquet", [{"text": "雪", "label": 1 if number < 2500 else 7} for number in range(2501)])
    assert "row 2501: expected a label" in refused(path)


def test_a_folder_is_read_as_ced(tmp_path, write_ced, corpus_posts):
    write_ced(tmp_path / "ced", corpus_posts[:3])
    posts, _ = read(tmp_path / "ced")
    assert [asdict(post) for post in posts] == [asdict(post) for post in corpus_posts[:3]]


def test_reading_stops_at_the_first_post_asked_for(write):
    path = write(".jsonl", '{"text": "雪", "label": 1}\nbroken\n')
    assert next(read_posts(path, Columns(), Findings())) == Post(post_id="1", text="雪", is_rumor=True)


def test_a_line_without_end_is_refused(write, monkeypatch):
    monkeypatch.setattr(readers, "MAX_LINE", 1000)
    path = write(".jsonl", [{"text": "雪", "label": 1}, {"text": "雪" * 1000, "label": 1}])
    assert "line 2: expected at most 1,000 characters" in refused(path)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_text_longer_than_any_post_is_refused(write, monkeypatch, suffix):
    monkeypatch.setattr(values, "MAX_CHARACTERS", 50)
    assert "expected a text of at most 50 characters, got 51" in refused(
        write(suffix, [{"text": "雪" * 51, "label": 1}])
    )


@pytest.mark.parametrize(
    "row", ['{"text": ["a"], "label": 1}', '{"text": "a", "label": {}}', '{"text": "a", "label": 1, "id": []}']
)
def test_a_value_that_is_no_text_is_refused(tmp_path, row):
    (tmp_path / "posts.jsonl").write_text(row + "\n")
    assert "line 1: expected" in refused(tmp_path / "posts.jsonl")


@pytest.mark.parametrize("value", ["9" * 5000, "9" * 13 + "0", "\0", "1e999"])
def test_a_time_that_is_none_is_unknown(write, value):
    posts, findings = read(write(".jsonl", [{"text": "雪", "label": 1, "time": value}]))
    assert posts[0].posted_at is None
    assert findings["times_unreadable"] == 1


def test_nul_and_lone_surrogates_are_read(tmp_path):
    (tmp_path / "posts.jsonl").write_text('{"text": "a\\u0000b\\ud800c", "label": 1}\n')
    assert read(tmp_path / "posts.jsonl")[0][0].text == "a\0b?c"


def test_whatever_bytes_a_corpus_holds_a_reader_gives_posts_or_says_what_is_wrong():
    script = Path(__file__).parents[2] / "benchmarks" / "fuzz_readers.py"
    done = subprocess.run([sys.executable, script, "--inputs", "300", "--seed", "7"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count(" 300 inputs, ") == 6


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from(["id", "text", "label", "posted_at", "author_id", "reposts", "内容"])
JSON_LINES = st.lists(st.dictionaries(KEYS, VALUES, max_size=6), max_size=6).map(
    lambda rows: "\n".join(map(json.dumps, rows)).encode()
)
TABLES = st.lists(st.lists(st.text(max_size=12), max_size=5), max_size=6).map(
    lambda rows: "\n".join(["id,text,label", *(",".join(row) for row in rows)]).encode("utf-8", "surrogatepass")
)


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".tsv", ".parquet", ".zip"])
@settings(max_examples=60, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200) | JSON_LINES | TABLES)
def test_any_bytes_give_posts_or_a_corpus_error(tmp_path, suffix, content):
    path = tmp_path / f"corpus{suffix}"
    path.write_bytes(content)
    try:
        posts, _ = read(path)
    except CorpusError as error:
        assert str(path) in str(error)
        assert "\n" not in str(error)
    else:
        assert all(post.text.encode() and isinstance(post.is_rumor, bool) for post in posts)
