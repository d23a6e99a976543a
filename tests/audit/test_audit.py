import json
import shutil
from dataclasses import asdict, replace

import pytest

from hf_rumor.audit.audit import audit_corpus
from hf_rumor.corpus.arrow import load_corpus
from hf_rumor.corpus.post import Post
from hf_rumor.corpus.splits import SPLITS


HOUR = 3600
NEW_YEAR_2013 = 1356969600  # 00:00 in China


def at_hour(post, number, hour):
    return replace(post, posted_at=NEW_YEAR_2013 + number * 24 * HOUR + hour * HOUR)


@pytest.fixture(scope="module")
def planted(make_posts):
    """Return 120 posts: rumors all posted at 23 o'clock, others at 11, and 20 rumors with a copy of themselves."""
    posts = [at_hour(post, number, 23 if post.is_rumor else 11) for number, post in enumerate(make_posts(100))]
    copies = [
        replace(post, post_id=f"copy{number}", text=post.text if number % 2 else f"{post.text}转")
        for number, post in enumerate(posts[1:40:2])
    ]
    return posts + copies


@pytest.fixture
def make_audit(tmp_path, write_ced):
    def make(posts, seed=0):
        shutil.rmtree(tmp_path / "ced", ignore_errors=True)
        return audit_corpus(load_corpus(write_ced(tmp_path / "ced", posts)), seed).audit

    return make


@pytest.fixture(scope="module")
def audit(planted, write_ced, tmp_path_factory):
    folder = tmp_path_factory.mktemp("planted")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_RUMOR_CACHE", str(folder / "cache"))
        return audit_corpus(load_corpus(write_ced(folder / "ced", planted)), 0).audit


def test_posts_are_counted_by_label(audit):
    assert audit.posts == {"non-rumor": 50, "rumor": 70}
    assert audit.majority == pytest.approx(70 / 120)


def test_the_hour_of_posting_can_give_the_label_away(audit):
    assert audit.artefacts["hour of posting"] > 0.99
    assert audit.artefacts["all of these together"] > 0.99
    assert audit.artefacts["has a link"] < 0.75


def test_without_an_artefact_no_metadata_beats_the_majority_by_far(make_audit, make_posts):
    posts = [at_hour(post, number, number * 7 % 24 // 2) for number, post in enumerate(make_posts(200, seed=5))]
    audit = make_audit(posts)
    assert max(audit.artefacts.values()) < audit.majority + 0.15


@pytest.mark.parametrize(
    ("change", "artefact"),
    [
        (lambda post: {"author_verified": post.is_rumor}, "author verified"),
        (lambda post: {"author_verified": None if post.is_rumor else True}, "author known"),
        (lambda post: {"has_url": post.is_rumor}, "has a link"),
        (lambda post: {"reposts": () if post.is_rumor else 3 * post.reposts}, "number of reposts (powers of 2)"),
    ],
)
def test_each_piece_of_metadata_can_give_the_label_away(make_audit, make_posts, change, artefact):
    posts = [post for post in make_posts(120) if len(post.reposts) > 1]
    artefacts = make_audit([replace(post, **change(post)) for post in posts]).artefacts
    assert artefacts[artefact] > 0.99
    assert artefacts["hour of posting"] < 0.9


def test_copies_leak_into_the_test_of_a_random_split_but_not_of_the_grouped_one(audit):
    assert audit.leakage.keys() == SPLITS.keys()
    assert audit.leakage["random"]["leaking"] > 0
    assert audit.leakage["every_8th"]["leaking"] > 0
    assert audit.leakage["grouped"]["leaking"] == 0
    assert audit.leakage["every_8th"]["test"] == 15


def test_near_duplicates_are_counted(audit):
    assert audit.near_duplicates == {
        "groups": 20,
        "largest": 2,
        "exact_copies": 10,
        "posts": {"non-rumor": 0, "rumor": 40},
    }


def test_a_corpus_without_copies_has_no_groups(make_audit, make_posts):
    audit = make_audit(make_posts(60))
    assert audit.near_duplicates == {
        "groups": 0,
        "largest": 1,
        "exact_copies": 0,
        "posts": {"non-rumor": 0, "rumor": 0},
    }
    assert [row.get("leaking") for row in audit.leakage.values()] == [0, 0, 0, 0, None]


def test_a_group_with_both_labels_is_a_conflict(make_audit, make_posts):
    posts = make_posts(60)
    contradiction = replace(posts[1], post_id="other", text=f"{posts[1].text}转", is_rumor=False)
    assert make_audit(posts).conflicts == {"groups": 0, "posts_left_out": 0}
    assert make_audit([*posts, contradiction]).conflicts == {"groups": 1, "posts_left_out": 0}
    assert make_audit([*posts, replace(contradiction, text=posts[1].text)]).conflicts == {
        "groups": 0,
        "posts_left_out": 2,
    }


def test_authors_on_both_sides_of_a_cut_are_counted(make_audit, make_posts):
    posts = [replace(post, post_id=f"{number}_M_7") for number, post in enumerate(make_posts(60))]
    one_author = make_audit(posts).leakage["random"]
    assert (one_author["author_known"], one_author["author_elsewhere"]) == (12, 12)
    each_another = make_audit(make_posts(60)).leakage["random"]
    assert (each_another["author_known"], each_another["author_elsewhere"]) == (12, 0)


def test_a_character_that_gives_the_label_away_is_found(make_audit, make_posts):
    posts = [replace(post, text=f"{post.text}※" if post.is_rumor else post.text) for post in make_posts(60)]
    first, *_ = make_audit(posts).giveaways
    assert (first.piece, first.label, first.num_rumors, first.num_non_rumors) == ("※", "rumor", 30, 0)


def test_without_cleanlab_label_errors_are_not_looked_for(make_audit, make_posts, monkeypatch):
    monkeypatch.setattr("hf_rumor.audit.audit.importlib.util.find_spec", lambda name: None)
    assert "pip install cleanlab" in make_audit(make_posts(60)).label_errors["not_looked_for"]


def test_lengths_and_years_by_hand(make_audit):
    posts = [
        Post(post_id=f"{number}", text="雪" * length, is_rumor=False, posted_at=time)
        for number, (length, time) in enumerate([(10, NEW_YEAR_2013), (20, NEW_YEAR_2013 - 1), (60, None)])
    ]
    audit = make_audit(posts)
    assert audit.lengths == {"non-rumor": {"mean": 30, "median": 20, "p95": pytest.approx(56), "max": 60}}
    assert audit.years == {
        "2012": {"non-rumor": 1, "rumor": 0},
        "2013": {"non-rumor": 1, "rumor": 0},
        "unknown": {"non-rumor": 1, "rumor": 0},
    }


def test_a_corpus_with_one_label_has_no_splits_and_no_artefacts(make_audit, make_posts):
    audit = make_audit([replace(post, is_rumor=True) for post in make_posts(30)])
    assert audit.artefacts == {}
    assert audit.majority == 1.0
    assert all(
        "at least 20 of each label are needed" in row["not_possible"]
        for name, row in audit.leakage.items()
        if name != "column"
    )
    assert audit.giveaways == []
    assert audit.label_errors == {"not_looked_for": "too few posts of a label"}


def test_without_times_the_chronological_split_is_not_possible(make_audit, make_posts):
    audit = make_audit([replace(post, posted_at=None) for post in make_posts(60)])
    assert [name for name, row in audit.leakage.items() if "not_possible" in row] == ["chronological", "column"]


def test_an_audit_can_be_written_as_json(audit):
    assert json.loads(json.dumps(asdict(audit), allow_nan=False)) == asdict(audit)


@pytest.mark.parametrize("time", ["0001-01-01 00:00:00", "9999-12-31T23:59:59-12:00"])
def test_a_time_that_other_programs_write_for_none_does_not_stop_an_audit(tmp_path, time):
    path = tmp_path / "posts.jsonl"
    path.write_text(json.dumps({"text": "雪", "label": 1, "time": time}), encoding="utf-8")
    assert audit_corpus(load_corpus(path), 0).audit.posts["rumor"] == 1


@pytest.mark.slow
def test_the_published_corpus_gives_its_labels_away(shared):
    audit = audit_corpus(load_corpus(shared / "data" / "Rumor_Dataset.zip"), 42).audit
    assert audit.posts == {"rumor": 1230, "non-rumor": 1479}
    assert audit.leakage["grouped"]["leaking"] == 0 < audit.leakage["random"]["leaking"]
    assert audit.artefacts["all of these together"] > audit.majority + 0.1
