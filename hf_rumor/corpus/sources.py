"""Find the corpus that `--data_path` means; fetch the published one where it is wanted and can be had."""

import logging
from collections.abc import Callable
from pathlib import Path

import requests
from filelock import FileLock
from tqdm import tqdm

from hf_rumor.corpus.ced import count_ced
from hf_rumor.corpus.files import cache_folder, written_whole
from hf_rumor.errors import CorpusError, DownloadError
from hf_rumor.network import CONNECT_SECONDS, can_connect


logger = logging.getLogger(__name__)

PUBLISHED_URL = "https://github.com/thunlp/Chinese_Rumor_Dataset/archive/refs/heads/master.zip"
PUBLISHED_COUNTS = {"rumor": 1538, "non-rumor": 1849}
MAX_DOWNLOAD_BYTES = 1 << 30
READ_SECONDS = 30.0

_CHECKOUT = Path(__file__).resolve().parents[2]


def resolve_corpus(data_path: str, *, url: str = PUBLISHED_URL) -> Path:
    """Return the corpus that `data_path` names.

    `auto` is, in this order: `data/Rumor_Dataset.zip`, the cached download, a download of the published corpus, the
    invented sample in `data/sample`; `data` is looked for in the current folder, then in the checkout. The choice is
    logged.

    Raises:
        CorpusError: The path does not exist, or `auto` finds nothing.
    """
    if data_path != "auto":
        if not Path(data_path).exists():
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


def fetch_published(destination: Path, url: str) -> str:
    """Try to download the published corpus to `destination`; return what came of it, in words."""
    proxy = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
    if not can_connect(proxy or url):
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
