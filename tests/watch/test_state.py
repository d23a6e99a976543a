import pytest

from hf_rumor.errors import OutputError
from hf_rumor.watch.state import State, Watched


def test_what_is_not_committed_is_lost_as_a_whole(tmp_path):
    state = State(tmp_path / "state.db", "model")
    state.put(Watched("1", posted_at=5))
    state.commit()
    state.put(Watched("2"))
    state.add_repost("1", "7", 6, "假的")
    state.progress.position = 9
    state.close()
    again = State(tmp_path / "state.db", "model")
    assert (again.get("1"), again.get("2"), again.reposts("1"), again.progress.position) == (
        Watched("1", posted_at=5),
        None,
        [],
        0,
    )


def test_the_same_repost_is_kept_once():
    state = State(None, "model")
    assert [state.add_repost("1", "7", 6, "假的") for _ in range(2)] == [True, False]


def test_posts_without_an_event_for_the_longest_time_are_forgotten_with_their_reposts():
    state = State(None, "model")
    for number, post_id in enumerate(("1", "2", "1"), 1):
        state.progress.num_events = number
        state.put(Watched(post_id))
        state.add_repost(post_id, str(number), 6, "假的")
    assert state.forget(1) == ["2"]
    assert (state.get("2"), state.reposts("2"), len(state.reposts("1"))) == (None, [], 2)


def test_the_state_of_another_model_is_refused(tmp_path):
    state = State(tmp_path / "state.db", "model")
    state.commit()
    state.close()
    with pytest.raises(OutputError, match=r"state\.db: belongs to another model"):
        State(tmp_path / "state.db", "other")


def test_a_file_that_is_no_state_is_refused_and_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("not a database")
    with pytest.raises(OutputError, match=r"notes\.txt: cannot be used"):
        State(tmp_path / "notes.txt", "model")
    assert (tmp_path / "notes.txt").read_text() == "not a database"


def test_two_watches_cannot_share_a_state(tmp_path):
    state = State(tmp_path / "state.db", "model")
    with pytest.raises(OutputError, match=r"state\.db: cannot be used \(database is locked\)"):
        State(tmp_path / "state.db", "model")
    state.close()
