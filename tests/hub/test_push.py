import threading
import time

import pytest
from huggingface_hub import constants

from hf_rumor.errors import ArgumentError, HubError
from hf_rumor.hub import push as pushing
from hf_rumor.hub.contents import Upload
from hf_rumor.hub.push import WAITS, Target, check_target, push, to_hub_error


FILES = [Upload("config.json", b"{}"), Upload("model.safetensors", b"\0weights")]


def test_all_files_are_pushed_in_one_commit(hub):
    assert push(Target("tester/model"), FILES, "First") == f"{hub.address}/tester/model"
    assert hub.files("tester/model") == {"config.json": b"{}", "model.safetensors": b"\0weights"}
    assert hub.messages == ["First"]


def test_paths_open_files_and_bytes_are_pushed_completely(hub, tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    with (tmp_path / "a").open("rb") as handle:
        handle.read()
        uploads = [Upload("path", tmp_path / "a"), Upload("handle", handle), Upload("bytes", b"abc")]
        assert {upload.size() for upload in uploads} == {3}
        push(Target("tester/model"), uploads, "First")
    assert hub.files("tester/model") == {"path": b"abc", "handle": b"abc", "bytes": b"abc"}


def test_a_name_without_user_is_a_repository_of_the_user(hub):
    assert push(Target("model"), FILES, "First") == f"{hub.address}/tester/model"


def test_a_branch_is_created_and_main_stays_unchanged(hub):
    push(Target("tester/model"), FILES[:1], "First")
    push(Target("tester/model", revision="v2"), FILES, "Second")
    assert hub.files("tester/model").keys() == {"config.json"}
    assert hub.files("tester/model", "v2").keys() == {"config.json", "model.safetensors"}


def test_a_pull_request_changes_no_branch(hub):
    push(Target("tester/model"), FILES[:1], "First")
    address = push(Target("tester/model", create_pr=True), FILES, "Second")
    assert address == f"{hub.address}/tester/model/discussions/1"
    assert hub.files("tester/model").keys() == {"config.json"}


def test_datasets_have_their_own_urls(hub):
    assert push(Target("tester/posts", "dataset"), FILES[:1], "First") == f"{hub.address}/datasets/tester/posts"
    assert hub.files("datasets/tester/posts") == {"config.json": b"{}"}


@pytest.mark.parametrize("status", [409, 429, 500, 502, 503, 504])
def test_temporary_failures_are_retried(hub, status):
    hub.failures = [status, status]
    push(Target("tester/model"), FILES, "First")
    assert len(hub.files("tester/model")) == 2
    assert hub.slept == list(WAITS[:2]) or status == 409  # 409 from create_repo: it exists already


@pytest.mark.parametrize("status", [401, 403, 404, 413, 507])
def test_permanent_failures_are_not_retried(hub, status):
    push(Target("tester/model"), FILES[:1], "First")
    hub.failures = [status] * 9
    with pytest.raises(HubError, match=str(status)) as caught:
        push(Target("tester/model"), FILES, "Second")
    assert len(hub.failures) >= 7  # after a refusal, create_repo checks once whether the repository exists
    assert str(caught.value).count(". ") >= 1  # followed by the advice
    assert hub.slept == []
    assert hub.files("tester/model") == {"config.json": b"{}"}


def test_after_all_retries_the_last_failure_is_raised(hub):
    hub.failures = [503] * 4
    with pytest.raises(HubError, match="503"):
        push(Target("tester/model"), FILES, "First")
    assert hub.slept == list(WAITS)
    assert hub.failures == []


@pytest.mark.parametrize(("seconds", "wait"), [("17", 17.0), ("99999", pushing.MAX_WAIT)])
def test_retry_after_sets_the_wait_up_to_a_maximum(hub, seconds, wait):
    hub.failures, hub.headers = [429], {"Retry-After": seconds}
    push(Target("tester/model"), FILES, "First")
    assert hub.slept == [wait]


def test_a_lost_connection_is_retried(hub):
    hub.failures = ["cut", "cut"]
    push(Target("tester/model"), FILES, "First")
    assert len(hub.files("tester/model")) == 2


def test_a_hub_that_does_not_answer_is_a_timeout(hub, monkeypatch):
    monkeypatch.setattr(pushing, "TIMEOUT_SECONDS", 0.2)
    hub.failures = ["hang"] * 4
    start = time.monotonic()
    with pytest.raises(HubError, match="no answer in time"):
        push(Target("tester/model"), FILES, "First")
    assert time.monotonic() - start < 10


def test_an_unreachable_hub_is_an_error(hub):
    hub.close()
    with pytest.raises(HubError, match="unreachable"):
        push(Target("tester/model"), FILES, "First")


def test_a_rejected_token_is_an_error_that_does_not_contain_it(hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_anotherOne")
    with pytest.raises(HubError, match="Log in again") as caught:
        push(Target("tester/model"), FILES, "First")
    assert "hf_anotherOne" not in str(caught.value)


def test_invalid_metadata_is_not_retried():
    failure = to_hub_error(ValueError("Invalid metadata in README.md.\n- license must be a string"))
    assert not failure.is_temporary
    assert "license must be a string" in str(failure)


@pytest.mark.parametrize("name", ["a/b/c", "a b", "-a/b", "", "user/..", "x" * 200])
def test_invalid_names_are_refused(hub, name):
    with pytest.raises(ArgumentError, match="Use user/name"):
        check_target(Target(name))


def test_a_missing_token_is_refused(hub, monkeypatch, tmp_path):
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "none"))
    with pytest.raises(ArgumentError, match="HF_TOKEN"):
        check_target(Target("tester/model"))


def test_offline_mode_is_refused(hub, monkeypatch):
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
