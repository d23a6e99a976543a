"""Send files to a repository of the Hub: in one commit, with a time limit and retries, never half."""

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal, TypeVar

import httpx2
from huggingface_hub import CommitOperationAdd, HfApi, constants, get_token, set_client_factory
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils._http import hf_request_event_hook
from huggingface_hub.utils._validators import validate_repo_id

from hf_rumor.errors import ArgumentError, HubError
from hf_rumor.hub.contents import Upload


logger = logging.getLogger(__name__)

ANSWER_SECONDS = 60.0  # in which the Hub must answer, or take or give the next bytes
WAITS = (2.0, 8.0, 30.0)  # seconds before another try
LONGEST_WAIT = 300.0  # seconds that the Hub may ask to wait

TRY_AGAIN = {408, 409, 412, 425, 429, 500, 502, 503, 504}
# What the answers of the Hub mean for the user, and what to do.
MEANINGS = {
    401: "does not accept the token; log in again (hf auth login), or set HF_TOKEN to one that is valid",
    403: "refuses it: the token may not write there, or there is no space; take one with write access, or make room",
    404: "knows no such repository or revision, or hides it; check the name, and what the token may see",
    409: "says that someone else is changing the repository; try again",
    413: "takes no file of that size there; make room, or ask for more",
    429: "asks to slow down; try again later",
    507: "has no space left for it; make room",
}

_ONE_AT_A_TIME = threading.Lock()  # all pushes of a process share one connection

RepoType = Literal["model", "dataset"]
Returned = TypeVar("Returned")


@dataclass(frozen=True)
class Target:
    """Where to push.

    Attributes:
        repo_id: `user/name`, or `name` for the user whose token it is.
        repo_type: `model` or `dataset`.
        private: Of a repository that is made; None leaves it to the Hub.
        revision: A branch, made if it is not there; None is the main one.
        create_pr: Ask for a merge instead of changing the branch.
    """

    repo_id: str
    repo_type: RepoType = "model"
    private: bool | None = None
    revision: str | None = None
    create_pr: bool = False


def check_target(target: Target) -> None:
    """Refuse what cannot be pushed, before any work.

    Raises:
        ArgumentError: The name cannot be one, there is no token, or the Hub is switched off.
    """
    try:
        validate_repo_id(target.repo_id)
    except HFValidationError as error:
        raise ArgumentError(f"{target.repo_id}: expected user/name, got {error}") from error
    if constants.HF_HUB_OFFLINE:
        raise ArgumentError("push: expected to be online, found HF_HUB_OFFLINE set; unset it, or do not push")
    if not get_token():
        raise ArgumentError("push: expected a token, found none; log in (hf auth login) or set HF_TOKEN")


def push(target: Target, uploads: Sequence[Upload], message: str, waits: Sequence[float] = WAITS) -> str:
    """Make the repository if it is not there, and change it in one commit; return the address of what was made.

    Args:
        target: Where.
        uploads: What.
        message: Of the commit.
        waits: Seconds before each further try.

    Raises:
        HubError: The Hub cannot be reached, refuses, or does not answer, after all tries.
    """
    with _ONE_AT_A_TIME:
        set_client_factory(_client)  # that of huggingface_hub waits for ever
        return _push(HfApi(), target, uploads, message, waits)


def _push(api: HfApi, target: Target, uploads: Sequence[Upload], message: str, waits: Sequence[float]) -> str:
    def make() -> str:
        url = api.create_repo(target.repo_id, repo_type=target.repo_type, private=target.private, exist_ok=True)
        if target.revision and target.revision != constants.DEFAULT_REVISION and not target.create_pr:
            api.create_branch(url.repo_id, branch=target.revision, repo_type=target.repo_type, exist_ok=True)
        return url.repo_id

    repo_id = with_retries(make, waits)
    size = sum(upload.size() for upload in uploads)
    where = f"{constants.ENDPOINT}/{'datasets/' if target.repo_type == 'dataset' else ''}{repo_id}"
    logger.info("push: %d files, %.1f MB, to %s", len(uploads), size / 1e6, where)

    def commit() -> str:
        info = api.create_commit(
            repo_id,
            [CommitOperationAdd(upload.path, _rewound(upload)) for upload in uploads],
            commit_message=message,
            repo_type=target.repo_type,
            revision=target.revision,
            create_pr=target.create_pr,
        )
        return info.pr_url or where

    return with_retries(commit, waits)


def _rewound(upload: Upload) -> "bytes | str":
    if not isinstance(upload.content, bytes) and hasattr(upload.content, "seek"):
        upload.content.seek(0)
    return upload.content  # type: ignore[return-value]  # CommitOperationAdd takes all three


def _client() -> httpx2.Client:
    return httpx2.Client(
        event_hooks={"request": [hf_request_event_hook]}, follow_redirects=True, timeout=ANSWER_SECONDS
    )


def with_retries(action: Callable[[], Returned], waits: Sequence[float]) -> Returned:
    """Return what `action` returns, tried again after each failure that may pass.

    Raises:
        HubError: The last failure, or the first that will not pass.
    """
    for wait in (*waits, None):
        try:
            return action()
        except Exception as error:  # httpx, hf_xet and the parsing of half an answer raise kinds of their own
            failure = explain(error)
            if wait is None or not failure.may_pass:
                raise failure from error
            asked = _asked_wait(error)
            seconds = wait if asked is None else min(asked, LONGEST_WAIT)
            logger.warning("push: %s; again in %g s", failure, seconds)
        time.sleep(seconds)
    raise AssertionError("the last try returns or raises")


def explain(error: Exception) -> HubError:
    """Return what went wrong in words, with whether it may pass; no word of it holds the token."""
    if isinstance(error, HubError):
        return error
    if isinstance(error, ValueError) and not isinstance(error, json.JSONDecodeError):  # metadata of an edited card
        return HubError(f"push: expected files that the Hub takes, got {error}; correct them")
    response = getattr(error, "response", None)
    if response is None:
        what = "did not answer in time" if isinstance(error, httpx2.TimeoutException) else "could not be reached"
        if not isinstance(error, httpx2.TransportError | OSError | ValueError):
            what = "could not be pushed to"
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        return HubError(f"the Hub ({constants.ENDPOINT}) {what}: {reason}", may_pass=True)
    status = response.status_code
    told = getattr(error, "server_message", None)
    meaning = MEANINGS.get(status) or f"answered {status} {_phrase(status)}; try again later"
    return HubError(
        f"the Hub {meaning} ({status}{f': {told}' if told else ''})", may_pass=status in TRY_AGAIN or status > 507
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _asked_wait(error: Exception) -> float | None:
    """Return the seconds that the Hub asks to wait."""
    response = getattr(error, "response", None)
    value = response.headers.get("Retry-After", "") if response is not None else ""
    return float(value) if value.isdecimal() else None
