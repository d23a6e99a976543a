import json
import logging
from dataclasses import replace

import numpy as np
import pytest

from hf_rumor.corpus.columns import Columns
from hf_rumor.corpus.post import Post
from hf_rumor.corpus.seen import seen_posts
from hf_rumor.desk.drift import MIN_WINDOWS, Batch
from hf_rumor.desk.monitor import (
    MIN_DAY,
    Posts,
    compare,
    estimate_share,
    monitor,
    read_posts,
    score_posts,
    unseen,
)
from hf_rumor.errors import CorpusError
from hf_rumor.evaluation.prior import Validation, estimate_prior
from hf_rumor.inference.classifier import RumorClassifier


@pytest.fixture(scope="module")
def days(make_posts):
    """Return 14 days of 20 posts from one source."""
    texts = [post.text for post in make_posts(280)]
    probabilities = np.random.default_rng(0).random(280)
    confidences, counts = np.maximum(probabilities, 1 - probabilities), np.full(280, 40)
    batch = Batch(tuple(texts), confidences, counts, np.zeros(280, dtype=int), np.arange(280))
    places = np.arange(280).reshape(14, 20)
    return [Posts(f"day{number}", probabilities[day], batch.take(day)) for number, day in enumerate(places, 1)]


@pytest.fixture(scope="module")
def foreign(days):
    """Return a day from another source."""
    texts = tuple(f"{text[:10]} breaking news from abroad" for text in days[-1].batch.texts)
    return Posts("foreign", days[-1].probabilities, replace(days[-1].batch, texts=texts, groups=np.arange(500, 520)))


def test_days_are_compared_with_earlier_days_as_soon_as_there_are_enough(days):
    rows = monitor(days, None, None, 0.05)
    assert [row.drift is not None for row in rows] == [number >= MIN_WINDOWS for number in range(14)]
    assert not any(row.drift.is_alarm for row in rows if row.drift)
    assert [row.name for row in rows] == [day.name for day in days]


def test_a_day_with_an_alarm_does_not_enter_the_reference(days, foreign):
    again = replace(foreign, name="again", batch=replace(foreign.batch, groups=np.arange(600, 620)))
    rows = monitor([*days[:8], *[foreign] * 3, again], None, None, 0.05)
    assert [row.drift is not None and row.drift.is_alarm for row in rows] == [False] * 8 + [True] * 4
    np.testing.assert_array_equal(rows[-1].drift.windows.means, rows[8].drift.windows.means)


def test_words_that_drive_an_alarm_are_listed(days, foreign):
    [row] = monitor([foreign], _join(days[:13]), None, 0.05)
    assert any(piece.isascii() for piece in row.drift.more)
    assert not any(piece.isascii() for piece in row.drift.less)


def _join(days):
    probabilities = np.concatenate([day.probabilities for day in days])
    parts = [
        np.concatenate([getattr(day.batch, name) for day in days])
        for name in ("confidences", "num_tokens", "num_unknown", "groups")
    ]
    return Posts("reference", probabilities, Batch(tuple(text for day in days for text in day.batch.texts), *parts))


def test_a_last_day_that_cannot_be_tested_is_an_error(days):
    with pytest.raises(CorpusError, match="day8: the days before it have fewer than 160 distinct posts"):
        monitor(days[:8], None, None, 0.05)
    with pytest.raises(CorpusError, match="day9: 20 distinct posts, but the reference has 100; 160 are needed"):
        monitor(days[8:9], _join(days[:5]), None, 0.05)
    short = replace(days[8], batch=days[8].batch.take(np.arange(5)))
    with pytest.raises(CorpusError, match=f"day9: 5 distinct posts, but {MIN_DAY} are needed"):
        monitor([short], _join(days[:8]), None, 0.05)
    large = _join(days * 2)
    many = replace(large, batch=replace(large.batch, groups=np.arange(560)))
    with pytest.raises(CorpusError, match="at most 500 are supported"):
        monitor([many], _join(days), None, 0.05)


def test_an_earlier_day_that_cannot_be_tested_has_a_row(days):
    short = replace(days[8], batch=days[8].batch.take(np.arange(5)))
    rows = monitor([short, days[9]], _join(days[:8]), None, 0.05)
    assert [row.drift is None for row in rows] == [True, False]
    assert rows[0].num_distinct == 5


def test_the_share_of_rumors_is_that_of_predict(days):
    validation, many = Validation(0.5, 0.8, 0.2, 0.5), _join(days)
    assert estimate_share(many, validation) == estimate_prior(many.probabilities, validation)
    assert estimate_share(many, None) is None
    assert estimate_share(days[0], validation) is None  # too few posts


def test_posts_are_scored_and_near_duplicates_found_across_files(folder, texts):
    classifier = RumorClassifier.from_pretrained(folder)
    long = [Post(text=text) for text in texts if len(text) > 20]
    first, second = score_posts(classifier, [("a", long), ("b", [long[1], Post(text="\U0001f98a" * 9)])])
    assert first.batch.groups[1] == second.batch.groups[0]
    np.testing.assert_allclose(first.probabilities, classifier.probabilities(long))
    np.testing.assert_allclose(first.batch.confidences, abs(first.probabilities - 0.5) + 0.5)
    assert second.batch.num_unknown[1] > 0
    assert second.batch.num_unknown[0] == first.batch.num_unknown[1]


def test_posts_of_the_model_are_no_reference(make_posts, caplog):
    posts = make_posts(30)
    seen = seen_posts([post.text for post in posts[:10]], [posts[10].text])
    with caplog.at_level(logging.INFO):
        assert unseen(posts, seen) == posts[10:]
    assert "10 of 30 posts skipped" in caplog.text
    assert unseen(posts, None) == posts
    with pytest.raises(CorpusError, match="trained on all of these posts"):
        unseen(posts[:10], seen)


def test_posts_are_read_in_the_order_of_time(tmp_path, make_posts, caplog):
    path = tmp_path / "day.jsonl"
    rows = [{"text": post.text, "posted_at": post.posted_at} for post in reversed(make_posts(5))]
    path.write_text("\n".join(json.dumps(row) for row in [*rows, {"text": ""}]), encoding="utf-8")
    assert [post.text for post in read_posts(path, Columns())] == [row["text"] for row in reversed(rows)]
    assert "1 rows skipped" in caplog.text
    path.write_text("", encoding="utf-8")
    with pytest.raises(CorpusError):
        read_posts(path, Columns())


def test_words_are_only_computed_if_wanted(days):
    from hf_rumor.desk.drift import Reference

    reference = Reference(_join(days[:13]).batch)
    assert compare(days[13].batch, reference, 0.05, with_words=False).more == ()
