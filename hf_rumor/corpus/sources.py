"""Find the corpus that `--data_path` names; download the published one if necessary."""

import logging
import re
from pathlib import Path

import requests
from filelock import FileLock
from huggingface_hub import HfApi, constants, hf_hub_download, snapshot_download
from tqdm import tqdm

from hf_rumor.corpus.catalogue import recognize_by_size
from hf_rumor.corpus.formats import SUFFIXES
from hf_rumor.corpus.formats.ced import count_ced
from hf_rumor.errors import CorpusError
from hf_rumor.labels import LABEL_NAMES
from hf_rumor.util.files import cache_folder, user_path, written_whole
from hf_rumor.util.network import CONNECT_SECONDS, can_connect


logger = logging.getLogger(__name__)

PUBLISHED_URL = "https://github.com/thunlp/Chinese_Rumor_Dataset/archive/refs/heads/master.zip"
MAX_DOWNLOAD_BYTES = 1 << 30
READ_SECONDS = 30.0

HUB_PATTERN = re.compile(
    r"hub:(?P<repo>[\w.-]+/[\w.-]+)(?:@(?P<revision>refs/(?:convert|pr|heads)/[^/]+|[^/]+))?(?:/(?P<file>.+))?"
)
HUB_CACHE_PATTERN = re.compile(r".*/datasets--([^/]+?)--([^/]+)/snapshots/([^/]+)/(.+)")

_CHECKOUT = Path(__file__).resolve().parents[2]


def resolve_corpus(data_path: str, *, url: str = PUBLISHED_URL) -> Path:
    """Return the corpus that `data_path` names: a path, `hub:user/dataset` (see `fetch_from_hub`), or `auto`.

    `auto` is the first of: `data/Rumor_Dataset.zip`, the published corpus, downloaded into the cache if necessary, and
    the synthetic sample `data/sample`. `data` is searched in the current folder, then in the checkout. The choice is
    logged. `~` in a path is expanded.

    Raises:
        CorpusError: The path does not exist, or `auto` finds nothing.
    """
    if data_path.startswith("hub:"):
        return fetch_from_hub(data_path)
    if data_path != "auto":
        path = user_path(data_path)
        if not data_path or not path.exists():
            raise CorpusError(f"--data_path {data_path}: no such file or folder. Check the path.")
        return path
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
            return _announce(folder / "sample", f"synthetic sample; the published corpus is not available: {reason}")
    raise CorpusError(
        "--data_path auto: neither data/Rumor_Dataset.zip nor the published corpus nor data/sample is available "
        f"({reason}). Name a corpus with --data_path."
    )


def _announce(path: Path, reason: str) -> Path:
    logger.info("data: %s (auto: %s)", path, reason)
    return path


def fetch_from_hub(data_path: str) -> Path:
    """Download a data file of a dataset on the Hub into the cache, and return its path; offline, use the cached one.

    Args:
        data_path: `hub:user/dataset[@revision][/file]`; the file may be omitted if the repository has a single data
            file. The revision may be `refs/convert/parquet`, the conversion made by the Hub.

    Raises:
        CorpusError: The repository or the file does not exist, or the file is ambiguous.
    """
    named = HUB_PATTERN.fullmatch(data_path)
    if named is None:
        raise CorpusError(f"--data_path {data_path}: not a dataset. Write hub:user/dataset[@revision][/file].")
    repo, revision = named["repo"], named["revision"]
    offline = constants.HF_HUB_OFFLINE or not can_connect(constants.ENDPOINT)
    try:
        if offline:
            folder = Path(snapshot_download(repo, repo_type="dataset", revision=revision, local_files_only=True))
            names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
        else:
            names = HfApi().list_repo_files(repo, repo_type="dataset", revision=revision)
        name = named["file"] or _only_data_file(data_path, names)
        return Path(hf_hub_download(repo, name, repo_type="dataset", revision=revision, local_files_only=offline))
    except (OSError, ValueError) as error:
        where = f"in the cache ({constants.ENDPOINT} is unreachable)" if offline else f"at {constants.ENDPOINT}"
        reason = str(error).rstrip(".")
        raise CorpusError(f"--data_path {data_path}: not available {where}: {reason}. Check the name.") from error


def _only_data_file(data_path: str, names: list[str]) -> str:
    files = sorted(name for name in names if Path(name).suffix.lower() in SUFFIXES.keys() - {".txt"})
    if len(files) != 1:
        shown = ", ".join(files[:5]) or "none"
        raise CorpusError(f"--data_path {data_path}: {len(files)} data files ({shown}). Name one: {data_path}/FILE")
    return files[0]


def name_of(path: Path) -> str:
    """Return the `--data_path` of a corpus: the path, or the repository and commit of a dataset on the Hub."""
    match = HUB_CACHE_PATTERN.fullmatch(path.as_posix())
    return f"hub:{match[1]}/{match[2]}@{match[3]}/{match[4]}" if match else str(path)


def fetch_published(destination: Path, url: str) -> str:
    """Try to download the published corpus to `destination`; return the outcome in words."""
    if not can_connect(url):
        return "no network"
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{destination}.lock"):  # of several processes, one downloads
            if destination.is_file():
                return "was downloaded by another process"
            download(url, destination)
    except (CorpusError, OSError) as error:
        return str(error)
    return "was downloaded"


def download(url: str, destination: Path) -> None:
    """Download the published corpus to `destination`, which appears only if it is complete and correct.

    Raises:
        CorpusError: The download fails, is too large, or has other contents.
    """
    try:
        with (
            written_whole(destination) as temporary,
            requests.get(url, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS)) as response,
        ):
            response.raise_for_status()
            _save(response, temporary)
            check_published(temporary)
    except (OSError, ValueError) as error:  # requests raises subclasses of OSError
        raise CorpusError(f"{url}: download failed ({error}). Retry, or name a corpus with --data_path.") from error
    except CorpusError as error:
        raise CorpusError(f"{url}: not the published corpus: {error}") from error


def _save(response: requests.Response, path: Path) -> None:
    announced = int(response.headers.get("Content-Length", 0))
    received = 0
    with (
        path.open("wb") as file,
        tqdm(total=announced or None, unit="B", unit_scale=True, desc=path.name, disable=None) as progress,
    ):
        for chunk in response.iter_content(1 << 16):
            received += len(chunk)
            num_bytes = max(received, announced)
            if num_bytes > MAX_DOWNLOAD_BYTES:
                raise ValueError(f"{num_bytes:,} bytes; at most {MAX_DOWNLOAD_BYTES:,} are downloaded")
            file.write(chunk)
            progress.update(len(chunk))


def check_published(path: Path) -> None:
    """Raise `CorpusError` unless `path` is a zip with as many posts as were published."""
    counts = count_ced(path)
    if recognize_by_size("ced", [counts[name] for name in LABEL_NAMES]) is None:
        raise CorpusError(f"{path}: {counts} is not what was published. Download it again.")
