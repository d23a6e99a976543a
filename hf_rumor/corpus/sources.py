"""Find the corpus that `--data_path` means; fetch the published one where it is wanted and can be had."""

import logging
import re
from collections.abc import Callable
from pathlib import Path

import requests
from filelock import FileLock
from huggingface_hub import HfApi, constants, hf_hub_download, snapshot_download
from huggingface_hub.errors import HfHubHTTPError
from tqdm import tqdm

from hf_rumor.corpus.formats.ced import count_ced
from hf_rumor.corpus.readers import FORMATS
from hf_rumor.errors import CorpusError, DownloadError
from hf_rumor.util.files import cache_folder, written_whole
from hf_rumor.util.network import CONNECT_SECONDS, can_connect


logger = logging.getLogger(__name__)

PUBLISHED_URL = "https://github.com/thunlp/Chinese_Rumor_Dataset/archive/refs/heads/master.zip"
PUBLISHED_COUNTS = {"rumor": 1538, "non-rumor": 1849}
MAX_DOWNLOAD_BYTES = 1 << 30
READ_SECONDS = 30.0

HUB_PATTERN = re.compile(r"hub:(?P<repo>[\w.-]+/[\w.-]+)(?:@(?P<revision>[^/]+))?(?:/(?P<file>.+))?")
HUB_CACHE_PATTERN = re.compile(r".*/datasets--([^/]+?)--([^/]+)/snapshots/([^/]+)/(.+)")

_CHECKOUT = Path(__file__).resolve().parents[2]


def resolve_corpus(data_path: str, *, url: str = PUBLISHED_URL) -> Path:
    """Return the corpus that `data_path` names: a path, `hub:user/dataset` (see `fetch_from_hub`), or `auto`.

    `auto` is, in this order: `data/Rumor_Dataset.zip`, the cached download, a download of the published corpus, the
    invented sample in `data/sample`; `data` is looked for in the current folder, then in the checkout. The choice is
    logged.

    Raises:
        CorpusError: The path does not exist, or `auto` finds nothing.
    """
    if data_path.startswith("hub:"):
        return fetch_from_hub(data_path)
    if data_path != "auto":
        if not data_path or not Path(data_path).exists():
            raise CorpusError(f"--data_path {data_path}: expected a corpus, found nothing there; check the path")
        return Path(data_path)
    folders = [Path("data"), _CHECKOUT / "data"]
    for folder in folders:
        if (folder / "Rumor_Dataset.zip").is_file():
            return _announce(folder / "Rumor_Dataset.zip", "found")
    cached = cache_folder() / "downloads" / "Rumor_Dataset.zip"
    reason = "is cached" if cached.is_file() else fetch_published(cached, url)
    if cached.is_file():
        return _announce(cached, f"the published corpus {reason}")
    for folder in folders:
        if (folder / "sample").is_dir():
            return _announce(folder / "sample", f"invented sample; the published corpus was not to be had: {reason}")
    raise CorpusError(
        "--data_path auto: expected data/Rumor_Dataset.zip, the published corpus or data/sample, found none "
        f"({reason}); give a corpus with --data_path"
    )


def _announce(path: Path, reason: str) -> Path:
    logger.info("data: %s (auto: %s)", path, reason)
    return path


def fetch_from_hub(data_path: str) -> Path:
    """Return the data file of a dataset of the Hub, fetched into its cache; without a network, from there.

    Args:
        data_path: `hub:user/dataset`, with `@revision` and `/file` where wanted. Without a file the repository must
            hold one that can be read.

    Raises:
        CorpusError: There is no such repository or file, or more than one.
    """
    told = HUB_PATTERN.fullmatch(data_path)
    if told is None:
        raise CorpusError(f"--data_path {data_path}: expected hub:user/dataset[@revision][/file], correct it")
    repo, revision = told["repo"], told["revision"]
    offline = constants.HF_HUB_OFFLINE or not can_connect(constants.ENDPOINT)
    try:
        if offline:
            folder = Path(snapshot_download(repo, repo_type="dataset", revision=revision, local_files_only=True))
            names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
        else:
            names = HfApi().list_repo_files(repo, repo_type="dataset", revision=revision)
        name = told["file"] or _only_data_file(data_path, names)
        return Path(hf_hub_download(repo, name, repo_type="dataset", revision=revision, local_files_only=offline))
    except (OSError, ValueError, HfHubHTTPError) as error:
        where = f"the cache, for want of {constants.ENDPOINT}" if offline else constants.ENDPOINT
        raise CorpusError(f"--data_path {data_path}: expected a dataset in {where}, got {error}; check it") from error


def _only_data_file(data_path: str, names: list[str]) -> str:
    found = sorted(name for name in names if Path(name).suffix.lower() in (*FORMATS, ".zip"))
    if len(found) != 1:
        shown = ", ".join(found[:5]) or "none"
        raise CorpusError(
            f"--data_path {data_path}: expected one file of {', '.join((*FORMATS, '.zip'))}, found {shown}; "
            f"name one: {data_path}/FILE"
        )
    return found[0]


def name_of(path: Path) -> str:
    """Return what `--data_path` finds this corpus by again: of a dataset of the Hub, repository and commit."""
    found = HUB_CACHE_PATTERN.fullmatch(path.as_posix())
    return f"hub:{found[1]}/{found[2]}@{found[3]}/{found[4]}" if found else str(path)


def fetch_published(destination: Path, url: str) -> str:
    """Try to download the published corpus to `destination`; return what came of it, in words."""
    if not can_connect(url):
        return "no network"
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{destination}.lock"):  # of several processes started at once, one downloads
            if destination.is_file():
                return "was downloaded by another process"
            download(url, destination, max_bytes=MAX_DOWNLOAD_BYTES, check=check_published)
    except (DownloadError, OSError) as error:
        return str(error)
    return "was downloaded"


def download(url: str, destination: Path, *, max_bytes: int, check: Callable[[Path], None]) -> None:
    """Download `url` to `destination`, which appears whole and checked or not at all.

    Args:
        url: An HTTP address.
        destination: A file; its folder is made.
        max_bytes: More than this is refused.
        check: Raises `CorpusError` on a file that is not what was wanted.

    Raises:
        DownloadError: The server, the connection, the size or the content is not as expected.
    """
    try:
        with (
            written_whole(destination) as temporary,
            requests.get(url, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS)) as response,
        ):
            response.raise_for_status()
            _save(response, temporary, max_bytes)
            check(temporary)
    except (requests.RequestException, OSError, ValueError) as error:
        raise DownloadError(f"{url}: expected a download, got {error}; try again, or give --data_path") from error
    except DownloadError:
        raise
    except CorpusError as error:
        raise DownloadError(f"{url}: expected the published corpus, got another file: {error}") from error


def _save(response: requests.Response, path: Path, max_bytes: int) -> None:
    announced = int(response.headers.get("Content-Length", 0))
    received = 0
    with (
        path.open("wb") as file,
        tqdm(total=announced or None, unit="B", unit_scale=True, desc=path.name, disable=None) as progress,
    ):
        for chunk in response.iter_content(1 << 16):
            received += len(chunk)
            if max(received, announced) > max_bytes:
                raise DownloadError(
                    f"{response.url}: expected at most {max_bytes:,} bytes, got {max(received, announced):,}; "
                    "give --data_path"
                )
            file.write(chunk)
            progress.update(len(chunk))


def check_published(path: Path) -> None:
    """Raise `CorpusError` unless `path` is a zip that holds as many posts as were published."""
    counts = count_ced(path)
    if counts != PUBLISHED_COUNTS:
        raise CorpusError(f"{path}: expected the published {PUBLISHED_COUNTS}, found {counts}; download it again")
