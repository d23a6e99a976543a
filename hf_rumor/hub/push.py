"""Upload files to a repository of the Hub: one commit, a time limit for each answer, retries."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, TypeVar

import httpx2
from huggingface_hub import CommitOperationAdd, HfApi, constants, get_session, get_token, set_client_factory
from huggingface_hub.errors import HfHubHTTPError, HFValidationError
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # public, but not in __all__

from hf_rumor.errors import ArgumentError, HubError
from hf_rumor.hub.contents import Upload


logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 60.0  # for an answer of the Hub, or for the next bytes
WAITS = (2.0, 8.0, 30.0)  # seconds before each retry, unless the Hub names a time
MAX_WAIT = 300.0  # seconds, if the Hub names a longer time

TEMPORARY = {408, 409, 412, 425, 429, 500, 502, 503, 504}
MEANINGS = {
    401: ("token not accepted", "Log in again (hf auth login), or set HF_TOKEN to a valid token."),
    403: ("permission denied, or no space left", "Use a token with write access, or free space."),
    404: ("repository or revision not found", "Check the name, and whether the token has access to it."),
    409: ("the repository is being changed by someone else", "Try again."),
    413: ("file too large", "Free space, or ask the Hub for a higher limit."),
    429: ("too many requests", "Try again later."),
    507: ("no space left", "Free space."),
}

_ONE_AT_A_TIME = threading.Lock()  # all pushes of a process share one HTTP client

Returned = TypeVar("Returned")


@dataclass(frozen=True)
class Target:
    """Where to push."""

    repo_id: str  # `user/name`, or `name` for the user who owns the token
    repo_type: Literal["model", "dataset"] = "model"
    private: bool | None = None  # visibility of a repository that is created; None: the default of the Hub
    revision: str | None = None  # branch, created if it does not exist; None: the main branch
    create_pr: bool = False  # open a pull request instead of changing the branch


def check_target(target: Target) -> None:
    """Check the target before any work.

    Raises:
        ArgumentError: The name is not valid, there is no token, or HF_HUB_OFFLINE is set.
    """
    try:
        validate_repo_id(target.repo_id)
    except HFValidationError as error:
        raise ArgumentError(f"{target.repo_id}: not a repository name: {error} Use user/name.") from error
    if constants.HF_HUB_OFFLINE:
        raise ArgumentError("push: HF_HUB_OFFLINE is set. Unset it, or do not push.")
    if not get_token():
        raise ArgumentError("push: no token. Log in (hf auth login), or set HF_TOKEN.")


def push(target: Target, uploads: Sequence[Upload], message: str, waits: Sequence[float] = WAITS) -> str:
    """Upload the files in one commit; return the URL of the repository or of the pull request.

    Creates the repository and its branch if they do not exist. Waits `waits` seconds before each retry.

    Raises:
        HubError: The Hub is unreachable, refuses, or does not answer, after all retries.
    """

    def create() -> str:
        url = api.create_repo(target.repo_id, repo_type=target.repo_type, private=target.private, exist_ok=True)
        if target.revision and target.revision != constants.DEFAULT_REVISION and not target.create_pr:
            api.create_branch(url.repo_id, branch=target.revision, repo_type=target.repo_type, exist_ok=True)
        return url.repo_id

    def commit() -> str:
        info = api.create_commit(
            repo_id,
            [CommitOperationAdd(upload.path, _from_start(upload.content)) for upload in uploads],
            commit_message=message,
            repo_type=target.repo_type,
            revision=target.revision,
            create_pr=target.create_pr,
        )
        return info.pr_url or url

    with _ONE_AT_A_TIME:
        _set_timeout()
        api = HfApi()
        repo_id = _retry(create, waits)
        url = f"{constants.ENDPOINT}/{'datasets/' if target.repo_type == 'dataset' else ''}{repo_id}"
        size = sum(upload.size() for upload in uploads)
        logger.info("push: %d files, %.1f MB, to %s", len(uploads), size / 1e6, url)
        return _retry(commit, waits)


def _from_start(content: bytes | Path | BinaryIO) -> bytes | Path | BinaryIO:
    if not isinstance(content, bytes | Path):
        content.seek(0)
    return content


def _set_timeout() -> None:
    """Set a time limit for the HTTP client of huggingface_hub, which waits forever (checked with 2.4.0)."""
    hooks = get_session().event_hooks
    set_client_factory(lambda: httpx2.Client(event_hooks=hooks, follow_redirects=True, timeout=TIMEOUT_SECONDS))


# huggingface_hub retries uploads of large files, but neither the commit nor the creation of a repository.
def _retry(action: Callable[[], Returned], waits: Sequence[float]) -> Returned:
    """Return what `action` returns; after a temporary failure try again.

    Raises:
        HubError: The last failure, or the first permanent one.
    """
    for wait in (*waits, None):
        try:
            return action()
        except Exception as error:  # httpx2, hf_xet and the JSON parser raise exceptions of their own
            failure = to_hub_error(error)
            if wait is None or not failure.is_temporary:
                raise failure from error
            seconds = _retry_after(error) or wait
            logger.warning("push: %s Retry in %g s.", failure, seconds)
        time.sleep(seconds)
    raise AssertionError("the last attempt returns or raises")


def to_hub_error(error: Exception) -> HubError:
    """Return the error as a `HubError`: one line without the token, and whether it is temporary."""
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        what, advice = MEANINGS.get(status, (error.response.reason_phrase or "unknown status", "Try again later."))
        detail = f": {error.server_message}" if error.server_message else ""
        is_temporary = status in TEMPORARY or status > 507
        return HubError(f"{constants.ENDPOINT}: {what} ({status}{detail}). {advice}", is_temporary=is_temporary)
    if type(error) is ValueError:  # the metadata of an edited card
        return HubError(f"push: the Hub does not accept a file: {reason}. Fix the file.")
    what = "no answer in time" if isinstance(error, httpx2.TimeoutException) else "unreachable"
    return HubError(f"{constants.ENDPOINT}: {what} ({reason}). Try again later.", is_temporary=True)


def _retry_after(error: Exception) -> float | None:
    """Return the seconds that the Hub asks to wait, at most `MAX_WAIT`."""
    value = error.response.headers.get("Retry-After", "") if isinstance(error, HfHubHTTPError) else ""
    return min(float(value), MAX_WAIT) if value.isdecimal() else None
