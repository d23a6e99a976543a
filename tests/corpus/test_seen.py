import numpy as np
import pytest

from hf_rumor.corpus.near_duplicates import find_near_duplicates
from hf_rumor.corpus.seen import SEEN_FILE, find_seen, merge, read_seen, seen_posts, write_seen
from hf_rumor.errors import ModelError


@pytest.fixture(scope="module")
def texts(make_posts):
    return [post.text for post in make_posts(200)]


def copy_of(text):
    """Return a near-duplicate: another beginning, other spaces."""
    return f"转：{text[:20]} {text[20:]}"


def test_a_post_and_its_near_duplicates_are_seen_and_others_are_not(texts):
    seen = seen_posts(texts[:100], texts[100:120])
    assert find_seen([copy_of(text) for text in texts[:120]], seen).all()
    assert not find_seen(texts[120:], seen).any()


def test_validation_posts_are_not_trained_on_unless_an_earlier_run_did(texts):
    seen = seen_posts(texts[:100], texts[100:120])
    assert find_seen(texts[:120], seen, trained_only=True).tolist() == [True] * 100 + [False] * 20
    later = merge([seen, seen_posts(texts[110:120], texts[:5])])
    assert find_seen(texts[:120], later, trained_only=True).tolist() == [True] * 100 + [False] * 10 + [True] * 10


def test_known_sketches_give_the_same_posts(texts):
    found = find_near_duplicates(texts)
    known = seen_posts(texts[:100], texts[100:120], found.sketches(np.arange(120)))
    for name, values in vars(seen_posts(texts[:100], texts[100:120])).items():
        np.testing.assert_array_equal(getattr(known, name), values)


def test_a_merge_keeps_each_text_once_in_any_order(texts):
    one, other = seen_posts(texts[:60], texts[60:80]), seen_posts(texts[40:100], [])
    left, right = merge([one, other]), merge([other, one])
    assert len(left.digests) == 100
    for name in ("digests", "sketches", "is_trained"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name))


def test_seen_posts_are_read_as_written_and_contain_no_text(texts, tmp_path):
    seen = seen_posts(texts[:50], texts[50:60])
    write_seen(tmp_path, seen)
    read = read_seen(tmp_path)
    assert read is not None
    np.testing.assert_array_equal(read.digests, seen.digests)
    np.testing.assert_array_equal(find_seen(texts, read), find_seen(texts, seen))
    content = (tmp_path / SEEN_FILE).read_bytes()
    assert not any(text[5:12].encode() in content for text in texts)


def test_without_a_file_the_seen_posts_are_unknown(tmp_path):
    assert read_seen(tmp_path) is None


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a file of numpy", b"\x80\x04]."])
def test_a_corrupt_file_is_an_error(tmp_path, content):
    (tmp_path / SEEN_FILE).write_bytes(content)
    with pytest.raises(ModelError, match="not a file of seen posts"):
        read_seen(tmp_path)


def test_empty_lists_are_no_error(texts):
    assert not find_seen(texts, seen_posts([], [])).any()
    assert find_seen([], seen_posts(texts, [])).tolist() == []
