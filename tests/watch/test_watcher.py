import json
import random
from itertools import pairwise

import pytest

from hf_rumor.cli import main as cli
from hf_rumor.corpus.post import Post, Repost
from hf_rumor.watch import watcher as module
from hf_rumor.watch.state import State
from hf_rumor.watch.watcher import Watcher


START = 1372480809
NOW = START + 30 * 86_400
WORDS = ("假的", "真的吗", "转发微博", "谣言啊", "快看", "不信//@甲:真的", "已报警", "")


@pytest.fixture(scope="module")
def posts():
    """Return posts with reposts before, within and after the first day."""
    drawn = random.Random(0)
    return [
        Post(
            text=f"第{number}条",
            post_id=str(number),
            posted_at=START + number * 600,
            reposts=tuple(
                Repost(f"{number}-{place}", drawn.choice(WORDS), START + number * 600 + drawn.randrange(-50, 100_000))
                for place in range(drawn.randrange(12))
            ),
        )
        for number in range(20)
    ]


@pytest.fixture(scope="module")
def lines(posts):
    """Return their events in the order of time."""
    events = [{"id": post.post_id, "text": post.text, "time": post.posted_at} for post in posts]
    events += [
        {"repost_of": post.post_id, "id": repost.repost_id, "text": repost.text, "time": repost.reposted_at}
        for post in posts
        for repost in post.reposts
    ]
    return [json.dumps(event, ensure_ascii=False) for event in sorted(events, key=lambda event: event["time"])]


def watch(classifier, *batches, max_posts=1_000):
    """Return what a watch writes about batches of lines, and the last decision on each post."""
    watcher = Watcher(classifier, classifier.reposts, State(None, "model"), max_posts, now=lambda: NOW)
    written = [json.loads(line) for batch in batches for line in watcher.process(batch)]
    written += [json.loads(line) for line in watcher.finish()]
    return written, {line["id"]: line["predicted"] for line in written}, watcher.skipped


def test_a_replayed_corpus_ends_with_the_decisions_of_predict(reading_classifier, posts, lines):
    expected = {
        post.post_id: prediction.predicted
        for post, prediction in zip(posts, reading_classifier.predict(posts, observed_at=NOW), strict=True)
    }
    assert len(set(expected.values())) == 2
    assert watch(reading_classifier, lines)[1] == expected
    shuffled = random.Random(1).sample(lines, len(lines))
    assert watch(reading_classifier, shuffled)[1] == expected
    in_one = [
        json.dumps(
            {
                "id": post.post_id,
                "text": post.text,
                "time": post.posted_at,
                "reposts": [{"text": repost.text, "time": repost.reposted_at} for repost in post.reposts],
            }
        )
        for post in posts
    ]
    assert watch(reading_classifier, in_one)[1] == expected


def test_a_line_is_written_exactly_when_a_decision_changes(reading_classifier, lines):
    written, _, _ = watch(reading_classifier, lines)
    of_post = {line["id"]: [other["predicted"] for other in written if other["id"] == line["id"]] for line in written}
    assert max(map(len, of_post.values())) > 1
    assert all(one != other for names in of_post.values() for one, other in pairwise(names))


def test_batches_do_not_matter(reading_classifier, lines):
    expected = watch(reading_classifier, lines)[0]
    one_by_one = watch(reading_classifier, *([line] for line in lines))[0]
    for line in (*expected, *one_by_one):
        line["rumor_probability"] = pytest.approx(line["rumor_probability"], abs=1e-6)
    assert one_by_one == expected


def test_duplicates_change_nothing_and_are_counted(reading_classifier, lines):
    expected, _, _ = watch(reading_classifier, lines)
    twice, _, skipped = watch(reading_classifier, [line for line in lines for _ in range(2)])
    assert twice == expected
    assert skipped["duplicates"] > len(lines) / 2


def test_malformed_events_are_skipped_and_counted(reading_classifier, lines, caplog):
    expected, _, _ = watch(reading_classifier, lines)
    written, _, skipped = watch(reading_classifier, ["{", *lines, '{"id": "1"}', ""])
    assert written == expected
    assert skipped["malformed"] == 2
    assert "watch: malformed event skipped (no text): " in caplog.text


def test_sums_that_are_not_in_memory_are_computed_again(reading_classifier, lines, monkeypatch):
    expected = watch(reading_classifier, lines)[1]
    monkeypatch.setattr(module, "MAX_RUNNING", 1)
    assert watch(reading_classifier, lines)[1] == expected


def test_at_most_max_posts_are_kept(reading_classifier, posts, lines):
    state = State(None, "model")
    watcher = Watcher(reading_classifier, reading_classifier.reposts, state, 3, now=lambda: NOW)
    for line in lines:
        watcher.process([line])
    assert sum(state.get(post.post_id) is not None for post in posts) == 3


def test_more_reposts_than_are_read_are_counted(reading_classifier, monkeypatch):
    monkeypatch.setattr(module, "MAX_REPOSTS", 1)
    lines = [json.dumps({"repost_of": "1", "text": text, "time": START}) for text in ("假的", "真的吗", "快看")]
    assert watch(reading_classifier, lines)[2] == {"after 1 reposts of the same post": 2}


def test_a_model_without_reposts_is_refused_and_nothing_is_written(folder, tmp_path, capsys):
    state, output = tmp_path / "watch.db", tmp_path / "decisions.jsonl"
    (tmp_path / "events.jsonl").touch()
    words = ["watch", str(folder), str(tmp_path / "events.jsonl"), "--state", str(state), "--output", str(output)]
    assert cli.main(words) == 2
    assert "the model reads no reposts. Train it with --reposts" in capsys.readouterr().err
    assert not state.exists()
    assert not output.exists()
