import threading
import time

import pytest
from huggingface_hub import constants

from hf_rumor.errors import ArgumentError, HubError
from hf_rumor.hub import push as pushing
from hf_rumor.hub.contents import Upload
from hf_rumor.hub.push import WAITS, Target, check_target, explain, push


FILES = [Upload("config.json", b"{}"), Upload("model.safetensors", b"\0weights")]


def test_what_was_pushed_is_there_in_one_commit(hub):
    assert push(Target("tester/model"), FILES, "First") == f"{hub.address}/tester/model"
    assert hub.files("tester/model") == {"config.json": b"{}", "model.safetensors": b"\0weights"}
    assert hub.messages == ["First"]


def test_a_file_a_handle_and_bytes_are_pushed_alike(hub, tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    with (tmp_path / "a").open("rb") as handle:
        handle.read()
        uploads = [Upload("path", tmp_path / "a"), Upload("handle", handle), Upload("bytes", b"abc")]
        assert {upload.size() for upload in uploads} == {3}
        push(Target("tester/model"), uploads, "First")
    assert hub.files("tester/model") == {"path": b"abc", "handle": b"abc", "bytes": b"abc"}


def test_a_name_alone_is_a_repository_of_the_user(hub):
    assert push(Target("model"), FILES, "First") == f"{hub.address}/tester/model"


def test_a_branch_is_made_and_the_main_one_left_alone(hub):
    push(Target("tester/model"), FILES[:1], "First")
    push(Target("tester/model", revision="v2"), FILES, "Second")
    assert hub.files("tester/model").keys() == {"config.json"}
    assert hub.files("tester/model", "v2").keys() == {"config.json", "model.safetensors"}


def test_a_request_to_merge_changes_no_branch(hub):
    push(Target("tester/model"), FILES[:1], "First")
    address = push(Target("tester/model", create_pr=True), FILES, "Second")
    assert address == f"{hub.address}/tester/model/discussions/1"
    assert hub.files("tester/model").keys() == {"config.json"}


def test_a_dataset_has_an_address_of_its_own(hub):
    assert push(Target("tester/posts", "dataset"), FILES[:1], "First") == f"{hub.address}/datasets/tester/posts"
    assert hub.files("datasets/tester/posts") == {"config.json": b"{}"}


@pytest.mark.parametrize("status", [409, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(hub, status):
    hub.failures = [status, status]
    push(Target("tester/model"), FILES, "First")
    assert len(hub.files("tester/model")) == 2
    assert hub.slept == list(WAITS[:2]) or status == 409  # to make a repository that exists is no failure


@pytest.mark.parametrize("status", [401, 403, 404, 413, 507])
def test_what_will_not_pass_is_told_at_once(hub, status):
    push(Target("tester/model"), FILES[:1], "First")
    hub.failures = [status] * 9
    with pytest.raises(HubError, match=str(status)) as caught:
        push(Target("tester/model"), FILES, "Second")
    assert len(hub.failures) >= 7  # a repository that is refused is looked for once
    assert "; " in str(caught.value)  # what to do
    assert hub.slept == []
    assert hub.files("tester/model") == {"config.json": b"{}"}


def test_after_all_tries_the_last_failure_is_told(hub):
    hub.failures = [503] * 4
    with pytest.raises(HubError, match="503"):
        push(Target("tester/model"), FILES, "First")
    assert hub.slept == list(WAITS)
    assert hub.failures == []


def test_the_hub_says_how_long_to_wait(hub):
    hub.failures, hub.headers = [429], {"Retry-After": "17"}
    push(Target("tester/model"), FILES, "First")
    assert hub.slept == [17.0]


def test_a_wait_without_end_is_cut_short(hub):
    hub.failures, hub.headers = [429], {"Retry-After": "99999"}
    push(Target("tester/model"), FILES, "First")
    assert hub.slept == [pushing.LONGEST_WAIT]


def test_a_cut_connection_is_tried_again(hub):
    hub.failures = ["cut", "cut"]
    push(Target("tester/model"), FILES, "First")
    assert len(hub.files("tester/model")) == 2


def test_a_hub_that_hangs_is_given_up_in_time(hub, monkeypatch):
    monkeypatch.setattr(pushing, "ANSWER_SECONDS", 0.2)
    hub.failures = ["hang"] * 4
    start = time.monotonic()
    with pytest.raises(HubError, match="did not answer in time"):
        push(Target("tester/model"), FILES, "First")
    assert time.monotonic() - start < 10


def test_a_hub_that_is_not_there(hub):
    hub.close()
    with pytest.raises(HubError, match="could not be reached"):
        push(Target("tester/model"), FILES, "First")


def test_a_token_that_is_refused(hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_anotherOne")
    with pytest.raises(HubError, match="log in again") as caught:
        push(Target("tester/model"), FILES, "First")
    assert "hf_anotherOne" not in str(caught.value)


def test_metadata_that_the_hub_refuses_is_told_and_not_tried_again():
    failure = explain(ValueError("Invalid metadata in README.md.\n- license must be a string"))
    assert not failure.may_pass
    assert "license must be a string" in str(failure)


@pytest.mark.parametrize("name", ["a/b/c", "a b", "-a/b", "", "user/..", "x" * 200])
def test_a_name_that_cannot_be_one_is_refused(hub, name):
    with pytest.raises(ArgumentError, match="expected user/name"):
        check_target(Target(name))


def test_without_a_token_nothing_starts(hub, monkeypatch, tmp_path):
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "none"))
    with pytest.raises(ArgumentError, match="HF_TOKEN"):
        check_target(Target("tester/model"))


def test_where_the_hub_is_switched_off_nothing_starts(hub, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ArgumentError, match="HF_HUB_OFFLINE"):
        check_target(Target("tester/model"))


def test_two_threads_push_to_two_repositories(hub):
    threads = [threading.Thread(target=push, args=(Target(f"tester/m{n}"), FILES, "First")) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert hub.files("tester/m0") == hub.files("tester/m1")
