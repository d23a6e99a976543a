import contextlib
import json
import zipfile
from dataclasses import replace

import pytest

from hf_rumor.corpus.columns import Columns
from hf_rumor.corpus.findings import DESCRIPTIONS, describe
from hf_rumor.corpus.formats import open_input
from hf_rumor.corpus.formats.ced import count_ced
from hf_rumor.corpus.post import Post, Repost
from hf_rumor.corpus.rows import read_items, read_posts
from hf_rumor.errors import CorpusError


NAME = "0_M0000_7000.json"  # of the first synthetic post, a non-rumor


def read(path):
    """Return the posts below `path`, and the findings that occurred, without examples."""
    with open_input(path) as source:
        posts = list(read_posts(source, Columns()))
    return posts, {name: count for name, count in source.findings.items() if count and name in DESCRIPTIONS}


def by_id(posts):
    return {post.post_id: post for post in posts}


def pack(folder, path, inside=""):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in folder.rglob("*"):
            archive.write(file, f"{inside}{file.relative_to(folder).as_posix()}")
    return path


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


def change(path, **values):
    put(path, {**json.loads(path.read_text(encoding="utf-8")), **values})


def change_reposts(path, **values):
    put(path, [{**repost, **values} for repost in json.loads(path.read_text(encoding="utf-8"))])


@pytest.fixture
def posts(make_posts):
    """Return eight synthetic posts; the first has three reposts."""
    first, *others = make_posts(8)
    reposts = tuple(Repost(f"R{n}", "真的吗", first.posted_at + n, "9", "R0" if n else None) for n in range(3))
    return [replace(first, reposts=reposts, num_reposts=3), *others]


@pytest.fixture
def root(tmp_path, write_ced, posts):
    return write_ced(tmp_path / "ced", posts)


def test_posts_are_read_as_written(root, posts):
    kept, findings = read(root)
    assert by_id(kept) == by_id(posts)
    assert findings == {}


def test_a_zip_and_a_folder_nested_deep_give_the_same_posts(root, tmp_path, write_ced, posts):
    nested = tmp_path / "nested"
    write_ced(nested / "one" / "two" / "three", posts)
    zipped = pack(root, tmp_path / "ced.zip")
    zipped_deep = pack(root, tmp_path / "deep.zip", "Chinese_Rumor_Dataset-master/CED_Dataset/")
    assert read(root) == read(nested) == read(zipped) == read(zipped_deep)


def test_two_corpora_side_by_side_are_both_read(tmp_path, write_ced, posts):
    write_ced(tmp_path / "both" / "one", posts[:4])
    write_ced(tmp_path / "both" / "two", posts[4:])
    assert by_id(read(tmp_path / "both")[0]) == by_id(posts)


@pytest.mark.parametrize(
    ("quirk", "findings"),
    [
        (lambda root: put(root / ".DS_Store", "?"), {"hidden_files": 1}),
        (lambda root: put(root / "__MACOSX" / "original-microblog" / f"._{NAME}", "?"), {"hidden_files": 1}),
        (lambda root: put(root / "original-microblog" / f"._{NAME}", "?"), {"hidden_files": 1}),
        (lambda root: put(root / "README.md", "?"), {"other_files": 1}),
        (lambda root: put(root / "original-microblog" / "notes.txt", "?"), {"other_files": 1}),
        (lambda root: put(root / "elsewhere" / NAME, {}), {"other_files": 1}),
        (
            lambda root: change(root / "original-microblog" / NAME, time="Tue Jan 01 00:00:00 +0800 2013"),
            {"times_as_text": 1},
        ),
        (lambda root: put(root / "rumor-repost" / "9_M_1.json", []), {"reposts_without_post": 1}),
        (
            lambda root: [put(root / f"{label}-repost" / "9_M_1.json", []) for label in ("rumor", "non-rumor")],
            {"reposts_without_post": 2},
        ),
    ],
)
def test_a_quirk_that_changes_no_post_is_counted(root, posts, quirk, findings):
    quirk(root)
    kept, counted = read(root)
    assert counted == findings
    assert by_id(kept) == by_id(posts)


def test_the_first_files_that_are_skipped_are_named(root):
    for name in "abcde":
        put(root / f"{name}.md", "?")
    put(root / "rumor-repost" / ".hidden", "?")
    with open_input(root) as source:
        list(read_posts(source, Columns()))
    assert describe(source.findings) == [
        "1 hidden files skipped (leftovers of macOS): rumor-repost/.hidden",
        "5 files skipped: not part of the corpus: a.md, b.md, c.md, ...",
    ]


@pytest.mark.parametrize(
    ("quirk", "changed", "findings"),
    [
        (
            lambda root: change(root / "original-microblog" / NAME, user="empty"),
            {"author_verified": None},
            {"authors_missing": 1},
        ),
        (
            lambda root: change(root / "original-microblog" / NAME, time="before long"),
            {"posted_at": None},
            {"times_unreadable": 1, "times_as_text": 1, "posts_with_reposts_without_time": 1},
        ),
        (lambda root: change(root / "original-microblog" / NAME, text=None), {"text": ""}, {}),
        (lambda root: change(root / "original-microblog" / NAME, text="  雪 \n"), {"text": "雪"}, {}),
        (lambda root: put(root / "non-rumor-repost" / NAME, []), {"reposts": (), "num_reposts": 0}, {}),
    ],
)
def test_a_quirk_that_leaves_something_unknown_is_counted(root, posts, quirk, changed, findings):
    quirk(root)
    kept, counted = read(root)
    assert counted == findings
    assert by_id(kept) == by_id([replace(posts[0], **changed), *posts[1:]])


@pytest.mark.parametrize(
    ("values", "findings"),
    [({"date": "long ago"}, {"repost_dates_unreadable": 3}), ({"text": ""}, {"reposts_without_text": 3})],
)
def test_reposts_with_something_unknown_are_kept_and_counted(root, values, findings):
    change_reposts(root / "non-rumor-repost" / NAME, **values)
    kept, counted = read(root)
    assert counted == findings
    assert len(by_id(kept)[NAME.removesuffix(".json")].reposts) == 3


@pytest.mark.parametrize(
    ("quirk", "findings"),
    [
        (lambda root: put(root / "rumor-repost" / NAME, []), {"posts_under_both_labels": 1}),
        (lambda root: (root / "non-rumor-repost" / NAME).unlink(), {"posts_without_label": 1}),
    ],
)
def test_a_post_without_one_label_is_skipped_and_counted(root, posts, quirk, findings):
    quirk(root)
    kept, counted = read(root)
    assert counted == findings
    assert by_id(kept) == by_id(posts[1:])


@pytest.mark.parametrize(
    ("post_id", "author_id"), [("3_Mx_77", "77"), ("3", None), ("3_77", None), ("3_a_b_77", None)]
)
def test_the_author_is_the_third_part_of_the_name(tmp_path, write_ced, post_id, author_id):
    write_ced(tmp_path / "ced", [Post(text="雪", post_id=post_id, is_rumor=True, author_verified=False, has_url=True)])
    [post] = read(tmp_path / "ced")[0]
    assert (post.post_id, post.author_id) == (post_id, author_id)


def test_a_post_with_text_alone_is_enough(tmp_path):
    put(tmp_path / "original-microblog" / "1.json", {"text": "雪"})
    put(tmp_path / "rumor-repost" / "1.json", [])
    assert read(tmp_path)[0] == [Post(text="雪", post_id="1", is_rumor=True, num_reposts=0)]


def test_posts_are_counted_by_label_without_those_that_have_none_or_two(root, tmp_path):
    put(root / "original-microblog" / "8.json", {"text": "雪"})
    put(root / "original-microblog" / "9.json", {"text": "雪"})
    put(root / "rumor-repost" / "9.json", [])
    put(root / "non-rumor-repost" / "9.json", [])
    assert count_ced(root) == count_ced(pack(root, tmp_path / "ced.zip")) == {"rumor": 4, "non-rumor": 4}


def refused(path, reader=read):
    """Return the message of the `CorpusError` of reading `path`, which is one line and names it."""
    with pytest.raises(CorpusError) as caught:
        reader(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}: ")
    return message


@pytest.mark.parametrize(
    ("folder", "content", "words"),
    [
        ("original-microblog", "{", "not valid JSON ("),
        ("original-microblog", "", "not valid JSON ("),
        ("original-microblog", "[" * 100_000, "not valid JSON ("),
        ("original-microblog", "[]", "a JSON list, not a dict"),
        ("original-microblog", "null", "a JSON NoneType, not a dict"),
        ("original-microblog", '{"time": 1, "has_url": false}', "no 'text' among the keys ['has_url', 'time']"),
        ("non-rumor-repost", "[{}", "not valid JSON ("),
        ("non-rumor-repost", "{}", "a JSON dict, not a list"),
        ("non-rumor-repost", '["真的吗"]', "'真的吗' is not a repost"),
    ],
)
def test_a_broken_file_is_named(root, folder, content, words):
    put(root / folder / NAME, content)
    message = refused(root)
    assert f"{folder}/{NAME}" in message
    assert words in message


def test_a_file_that_is_not_utf_8_is_named(root):
    (root / "original-microblog" / NAME).write_bytes('{"text": "café"}'.encode("latin-1"))
    assert f"original-microblog/{NAME}: not valid JSON (" in refused(root)


def test_a_file_with_a_byte_order_mark_is_read(root, posts):
    path = root / "original-microblog" / NAME
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert by_id(read(root)[0]) == by_id(posts)


@pytest.mark.parametrize("reader", [read, count_ced])
@pytest.mark.parametrize("damage", ["no zip", "empty", "cut off", "wrong bytes"])
def test_a_damaged_zip_is_named(root, tmp_path, damage, reader):
    path = pack(root, tmp_path / "ced.zip")
    whole = path.read_bytes()
    middle = whole.index(NAME.encode()) + len(NAME) + 5  # inside the compressed bytes of the first post
    path.write_bytes(
        {
            "no zip": b"<html>not found</html>",
            "empty": b"",
            "cut off": whole[: len(whole) // 2],
            "wrong bytes": whole[:middle] + bytes(20) + whole[middle + 20 :],
        }[damage]
    )
    assert "zip" in refused(path, reader)


def test_a_zip_with_a_password_is_named(root, tmp_path):
    path = pack(root, tmp_path / "ced.zip")
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = content.find(signature)
        while start >= 0:
            content[start + offset] |= 1  # the flag that says: encrypted
            start = content.find(signature, start + 4)
    path.write_bytes(content)
    assert "encrypted" in refused(path)


def test_a_folder_without_the_layout_is_refused(tmp_path):
    (tmp_path / "rumor-repost").mkdir()
    (tmp_path / "rumor-repost" / "a.json").write_text("[]", encoding="utf-8")
    assert "no folder original-microblog with posts, so it is not CED" in refused(tmp_path)


@pytest.mark.parametrize("name", ["../../evil.json", "/etc/evil.json", "x/../../original-microblog/1_a_2.json"])
def test_entries_outside_the_archive_are_not_written(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "corpus.zip", "w") as archive:
        archive.writestr(name, '{"text": "x"}')
    before = sorted(tmp_path.parent.rglob("*"))
    with contextlib.suppress(CorpusError):
        read(tmp_path / "corpus.zip")
    assert sorted(tmp_path.parent.rglob("*")) == before


@pytest.mark.parametrize(
    "text", ["[" * 100_000 + "]" * 100_000, '{"text": ' * 100_000, '{"text": [[1]]}', '{"text": {}}']
)
def test_deep_nesting_and_values_that_are_not_texts_are_refused(root, text):
    (root / "original-microblog" / NAME).write_text(text)
    assert NAME in refused(root)


def test_a_post_in_gb18030_is_read_and_counted(root):
    (root / "original-microblog" / NAME).write_bytes('{"text": "听说明天停水"}'.encode("gb18030"))
    posts, findings = read(root)
    assert "听说明天停水" in {post.text for post in posts}
    assert findings["files_in_gb18030"] == 1


def test_prediction_loses_broken_posts_only_and_needs_no_label(root, tmp_path):
    (root / "original-microblog" / NAME).write_text("{")
    (root / "non-rumor-repost" / "2_M0002_7002.json").unlink()
    for path in (root, pack(root, tmp_path / "ced.zip")):
        with open_input(path, is_labeled=False) as source:
            items = list(read_items(source, Columns()))
        assert [item.id for item in items if item.post is None] == [1]
        assert len(items) == 8
