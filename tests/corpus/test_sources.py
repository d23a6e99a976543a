import http.server
import logging
import os
import socket
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest

from hf_rumor.corpus import sources
from hf_rumor.corpus.sources import download, fetch_published, resolve_corpus
from hf_rumor.errors import CorpusError, DownloadError


class Server(http.server.ThreadingHTTPServer):
    """Answers each path in its own way; counts what was asked."""

    daemon_threads = True
    content = b""

    def __init__(self):
        self.asked = []
        super().__init__(("127.0.0.1", 0), Handler)

    def url(self, path):
        return f"http://127.0.0.1:{self.server_address[1]}/{path}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        name = self.path.rpartition("/")[2]
        content = self.server.content
        if name == "missing":
            self.send_error(404)
            return
        self.send_response(200)
        if name == "cut":
            self.send_header("Content-Length", str(len(content) + 1000))
        elif name == "garbled":
            self.send_header("Content-Length", "many")
        elif name != "unannounced":
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if name == "slow":
            for start in range(0, len(content), 1 << 16):
                self.wfile.write(content[start : start + (1 << 16)])
                time.sleep(0.05)
            return
        self.wfile.write(content)

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def closed():
    """Return an address of this machine at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}/whole"


@pytest.fixture
def published(tmp_path, write_ced, make_posts, monkeypatch):
    """Return the bytes of a zip that passes for the published corpus."""
    folder = write_ced(tmp_path / "to_pack", make_posts(5))
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        for file in folder.rglob("*.json"):
            archive.write(file, file.relative_to(folder))
    monkeypatch.setattr(sources, "PUBLISHED_COUNTS", {"rumor": 2, "non-rumor": 3})
    return (tmp_path / "packed.zip").read_bytes()


@pytest.fixture
def house(tmp_path, own_cache, monkeypatch):
    """Return the places where `auto` looks, all of them empty."""
    places = {"here": tmp_path / "here", "checkout": tmp_path / "checkout", "cache": own_cache}
    for name in ("here", "checkout"):
        places[name].mkdir()
    monkeypatch.chdir(places["here"])
    monkeypatch.setattr(sources, "_CHECKOUT", places["checkout"])
    return places


def fill(house, *names):
    """Put something at the places named."""
    files = {
        "zip here": house["here"] / "data" / "Rumor_Dataset.zip",
        "zip in checkout": house["checkout"] / "data" / "Rumor_Dataset.zip",
        "cached": house["cache"] / "downloads" / "Rumor_Dataset.zip",
        "sample here": house["here"] / "data" / "sample" / "a.json",
        "sample in checkout": house["checkout"] / "data" / "sample" / "a.json",
    }
    for name in names:
        files[name].parent.mkdir(parents=True, exist_ok=True)
        files[name].write_text(name)


def fetch(url, destination, max_bytes=1 << 20, check=lambda path: None):
    download(url, destination, max_bytes=max_bytes, check=check)


def is_abc(path):
    if path.read_bytes() != b"abc":
        raise CorpusError(f"{path}: expected abc")


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_path_is_itself(tmp_path, kind):
    path = tmp_path / "corpus"
    path.mkdir() if kind == "folder" else path.touch()
    assert resolve_corpus(str(path)) == path


def test_a_path_with_nothing_there_is_refused(tmp_path):
    with pytest.raises(CorpusError, match=r"--data_path \S+/no_such.zip: no such file or folder"):
        resolve_corpus(str(tmp_path / "no_such.zip"))


@pytest.mark.parametrize(
    ("there", "chosen"),
    [
        (["zip here", "zip in checkout", "cached", "sample here"], "data/Rumor_Dataset.zip"),
        (["zip in checkout", "cached", "sample here"], "{checkout}/data/Rumor_Dataset.zip"),
        (["cached", "sample here"], "{cache}/downloads/Rumor_Dataset.zip"),
        (["sample here", "sample in checkout"], "data/sample"),
        (["sample in checkout"], "{checkout}/data/sample"),
    ],
)
def test_auto_takes_the_first_that_is_there_and_says_so(house, closed, caplog, there, chosen):
    fill(house, *there)
    with caplog.at_level(logging.INFO, "hf_rumor"):
        path = resolve_corpus("auto", url=closed)
    assert str(path) == chosen.format(**house)
    assert caplog.messages[-1].startswith(f"data: {path} (auto: ")


def test_auto_downloads_before_it_takes_the_sample_and_only_once(house, server, published, caplog):
    fill(house, "sample here")
    server.content = published
    with caplog.at_level(logging.INFO, "hf_rumor"):
        paths = {resolve_corpus("auto", url=server.url("whole")) for _ in range(2)}
    assert paths == {house["cache"] / "downloads" / "Rumor_Dataset.zip"}
    assert paths.pop().read_bytes() == published
    assert server.asked == ["/whole"]
    assert "was downloaded" in caplog.messages[0]
    assert "is cached" in caplog.messages[1]


def test_auto_says_why_it_takes_the_sample(house, server, caplog):
    fill(house, "sample here")
    server.content = b"<html>"
    with caplog.at_level(logging.INFO, "hf_rumor"):
        resolve_corpus("auto", url=server.url("whole"))
    assert "synthetic sample; the published corpus is not available" in caplog.messages[-1]
    assert "not the published corpus" in caplog.messages[-1]


def test_auto_without_anything_is_refused_with_the_reason(house, closed):
    with pytest.raises(CorpusError, match=r"--data_path auto: .* \(no network\)\. Name a corpus with --data_path"):
        resolve_corpus("auto", url=closed)


def test_without_network_nothing_is_written(tmp_path, closed):
    assert fetch_published(tmp_path / "downloads" / "out.zip", closed) == "no network"
    assert list(tmp_path.glob("downloads")) == []


def test_what_another_process_downloaded_is_not_downloaded_again(tmp_path, server):
    (tmp_path / "out.zip").write_bytes(b"theirs")
    assert fetch_published(tmp_path / "out.zip", server.url("whole")) == "was downloaded by another process"
    assert server.asked == []


def test_of_three_that_start_at_once_one_downloads(tmp_path, server, published):
    server.content = published
    start = threading.Barrier(3)
    results = []

    def work():
        start.wait()
        results.append(fetch_published(tmp_path / "out.zip", server.url("whole")))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["was downloaded", *["was downloaded by another process"] * 2]
    assert server.asked == ["/whole"]


@pytest.mark.parametrize("content", [b"", b"no zip"])
def test_a_download_that_is_not_the_published_corpus_leaves_nothing(tmp_path, server, content):
    server.content = content
    folder = tmp_path / "downloads"
    reason = fetch_published(folder / "out.zip", server.url("whole"))
    assert "not the published corpus" in reason
    assert set(os.listdir(folder)) <= {"out.zip.lock"}


def test_a_corpus_with_other_counts_is_not_the_published_one(tmp_path, server, published, monkeypatch):
    server.content = published
    monkeypatch.setattr(sources, "PUBLISHED_COUNTS", {"rumor": 2, "non-rumor": 4})
    reason = fetch_published(tmp_path / "out.zip", server.url("whole"))
    assert "{'rumor': 2, 'non-rumor': 3} instead of the published {'rumor': 2, 'non-rumor': 4}" in reason


@pytest.mark.parametrize("path", ["whole", "unannounced"])
def test_a_download_with_the_right_content_appears(tmp_path, server, path):
    server.content = b"abc"
    fetch(server.url(path), tmp_path / "new" / "out", check=is_abc)
    assert (tmp_path / "new" / "out").read_bytes() == b"abc"
    assert os.listdir(tmp_path / "new") == ["out"]


@pytest.mark.parametrize("old", [None, b"old"])
@pytest.mark.parametrize(
    ("path", "content", "words"),
    [
        ("cut", b"abc", "download failed .*1000 more expected"),
        ("missing", b"abc", "download failed .404"),
        ("whole", b"abd", "not the published corpus: .*expected abc"),
        ("whole", b"a" * 101, "101 bytes, at most 100 are downloaded"),
        ("unannounced", b"a" * 101, "101 bytes, at most 100 are downloaded"),
        ("garbled", b"abc", "download failed"),
    ],
)
def test_a_download_that_fails_changes_nothing(tmp_path, server, path, content, words, old):
    server.content = content
    if old is not None:
        (tmp_path / "out").write_bytes(old)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(DownloadError, match=words) as caught:
        fetch(server.url(path), tmp_path / "out", max_bytes=100, check=is_abc)
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before
    assert old is None or (tmp_path / "out").read_bytes() == old


@pytest.mark.parametrize("parts", [1, 4])
def test_a_download_that_is_killed_is_done_again_and_leaves_nothing(tmp_path, server, parts):
    server.content, folder = os.urandom(1 << 20), tmp_path / "downloads"
    code = "import sys; from pathlib import Path; from hf_rumor.corpus.sources import download; "
    code += "download(sys.argv[1], Path(sys.argv[2]), max_bytes=1 << 24, check=lambda path: None)"
    words = [sys.executable, "-c", code, server.url("slow"), str(folder / "corpus.zip")]
    run = subprocess.Popen(words)
    while not any(path.stat().st_size >= parts << 16 for path in folder.glob("*")):
        assert run.poll() is None
        time.sleep(0.005)
    run.kill()
    run.wait()
    assert [path.suffix for path in folder.iterdir()] == [".part"]
    assert subprocess.run(words, check=False).returncode == 0
    assert [path.name for path in folder.iterdir()] == ["corpus.zip"]
    assert (folder / "corpus.zip").read_bytes() == server.content


@pytest.mark.parametrize(("path", "num_chunks"), [("whole", 1), ("unannounced", 3)])
def test_what_is_announced_too_large_is_given_up_at_once(tmp_path, server, monkeypatch, path, num_chunks):
    def iter_content(response, size):
        for chunk in original(response, size):
            chunks.append(chunk)
            yield chunk

    chunks = []
    original = sources.requests.Response.iter_content
    monkeypatch.setattr(sources.requests.Response, "iter_content", iter_content)
    server.content = bytes(4 << 16)
    with pytest.raises(DownloadError, match="at most 150,000 are downloaded"):
        fetch(server.url(path), tmp_path / "out", max_bytes=150_000)
    assert len(chunks) == num_chunks
    assert list(tmp_path.iterdir()) == []


def test_a_host_that_refuses_is_a_download_error(tmp_path, closed):
    with pytest.raises(DownloadError, match=r"download failed .*Try again, or name a corpus"):
        fetch(closed, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_a_download_error(tmp_path, server):
    (tmp_path / "file").touch()
    with pytest.raises(DownloadError, match="download failed"):
        fetch(server.url("whole"), tmp_path / "file" / "out")


def test_auto_takes_the_sample_where_the_cache_cannot_be_written(house, server, published):
    fill(house, "sample here")
    server.content = published
    house["cache"].touch()
    assert str(resolve_corpus("auto", url=server.url("whole"))) == "data/sample"


def test_a_host_behind_a_proxy_is_reached(tmp_path, server, published, monkeypatch):
    server.content = published
    monkeypatch.setenv("http_proxy", server.url(""))
    assert fetch_published(tmp_path / "out.zip", "http://corpus.invalid/whole") == "was downloaded"


@pytest.mark.parametrize("name", ["hub:", "hub:posts", "hub:a/b/c d@", "hub:/a/b", "hub:a//b"])
def test_a_name_on_the_hub_that_cannot_be_one_is_refused(name):
    with pytest.raises(CorpusError):
        resolve_corpus(name)


@pytest.mark.parametrize(
    ("name", "revision", "file"),
    [
        ("hub:a/b", None, None),
        ("hub:a/b@v1.0/data/posts.csv", "v1.0", "data/posts.csv"),
        ("hub:a/b@refs/convert/parquet", "refs/convert/parquet", None),
        ("hub:a/b@refs/pr/7/default/train/0000.parquet", "refs/pr/7", "default/train/0000.parquet"),
    ],
)
def test_a_revision_on_the_hub_may_be_a_reference(name, revision, file):
    parts = sources.HUB_PATTERN.fullmatch(name)
    assert (parts["repo"], parts["revision"], parts["file"]) == ("a/b", revision, file)


def test_without_a_network_and_a_cache_a_dataset_is_not_available():
    with pytest.raises(CorpusError, match="not available in the cache"):
        resolve_corpus("hub:someone/no-such-posts")


@pytest.mark.parametrize("names", [[], ["README.md"], ["a.csv", "b.jsonl"], ["train.parquet", "test.parquet"]])
def test_of_several_data_files_one_must_be_named(names):
    with pytest.raises(CorpusError, match="Name one: hub:a/b/FILE"):
        sources._only_data_file("hub:a/b", names)


def test_the_only_data_file_is_taken():
    assert sources._only_data_file("hub:a/b", ["README.md", "data/posts.csv", ".gitattributes"]) == "data/posts.csv"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/x/datasets--a--b/snapshots/0123/data/posts.csv", "hub:a/b@0123/data/posts.csv"),
        ("data/sample", "data/sample"),
        ("/x/models--a--b/snapshots/0123/posts.csv", "/x/models--a--b/snapshots/0123/posts.csv"),
    ],
)
def test_a_corpus_is_named_so_that_it_is_found_again(path, name):
    assert sources.name_of(Path(path)) == name
