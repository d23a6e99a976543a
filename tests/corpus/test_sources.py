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
from hf_rumor.errors import CorpusError


class Server(http.server.ThreadingHTTPServer):
    """Answers each path in its own way; keeps the requested paths."""

    daemon_threads = True
    content = b""

    def __init__(self):
        self.requested = []
        super().__init__(("127.0.0.1", 0), Handler)

    def url(self, path):
        return f"http://127.0.0.1:{self.server_address[1]}/{path}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requested.append(self.path)
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
        """Log nothing."""


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
    """Return an address of this machine that refuses connections."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}/whole"


@pytest.fixture
def published(tmp_path, write_ced, make_posts, monkeypatch):
    """Return the bytes of a zip that passes for the published corpus."""
    folder = write_ced(tmp_path / "to_pack", make_posts(5))
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        for file in folder.rglob("*.json"):
            archive.write(file, file.relative_to(folder))
    monkeypatch.setattr(sources, "recognize_by_size", lambda name, counts: counts == [3, 2] or None)
    return (tmp_path / "packed.zip").read_bytes()


@pytest.fixture
def places(tmp_path, own_cache, monkeypatch):
    """Return the folders that `auto` searches, all of them empty."""
    places = {"here": tmp_path / "here", "checkout": tmp_path / "checkout", "cache": own_cache}
    for name in ("here", "checkout"):
        places[name].mkdir()
    monkeypatch.chdir(places["here"])
    monkeypatch.setattr(sources, "_CHECKOUT", places["checkout"])
    return places


def fill(places, *names):
    """Write a file at each of these places."""
    files = {
        "zip here": places["here"] / "data" / "Rumor_Dataset.zip",
        "zip in checkout": places["checkout"] / "data" / "Rumor_Dataset.zip",
        "cached": places["cache"] / "downloads" / "Rumor_Dataset.zip",
        "sample here": places["here"] / "data" / "sample" / "a.json",
        "sample in checkout": places["checkout"] / "data" / "sample" / "a.json",
    }
    for name in names:
        files[name].parent.mkdir(parents=True, exist_ok=True)
        files[name].write_text(name)


@pytest.fixture
def only_abc(monkeypatch):
    """Accept the bytes `abc` as the published corpus, and files of at most 100 bytes."""

    def check(path):
        if path.read_bytes() != b"abc":
            raise CorpusError(f"{path}: expected abc")

    monkeypatch.setattr(sources, "MAX_DOWNLOAD_BYTES", 100)
    monkeypatch.setattr(sources, "check_published", check)


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_path_is_itself(tmp_path, kind):
    path = tmp_path / "corpus"
    path.mkdir() if kind == "folder" else path.touch()
    assert resolve_corpus(str(path)) == path


def test_a_path_with_nothing_there_is_refused(tmp_path):
    with pytest.raises(CorpusError, match=r"--data_path \S+/no_such.zip: no such file or folder"):
        resolve_corpus(str(tmp_path / "no_such.zip"))


@pytest.mark.parametrize(
    ("existing", "chosen"),
    [
        (["zip here", "zip in checkout", "cached", "sample here"], "data/Rumor_Dataset.zip"),
        (["zip in checkout", "cached", "sample here"], "{checkout}/data/Rumor_Dataset.zip"),
        (["cached", "sample here"], "{cache}/downloads/Rumor_Dataset.zip"),
        (["sample here", "sample in checkout"], "data/sample"),
        (["sample in checkout"], "{checkout}/data/sample"),
    ],
)
def test_auto_chooses_the_first_one_that_exists_and_logs_it(places, closed, caplog, existing, chosen):
    fill(places, *existing)
    with caplog.at_level(logging.INFO, "hf_rumor"):
        path = resolve_corpus("auto", url=closed)
    assert str(path) == chosen.format(**places)
    assert caplog.messages[-1].startswith(f"data: {path} (auto: ")


def test_auto_prefers_a_download_to_the_sample_and_downloads_once(places, server, published, caplog):
    fill(places, "sample here")
    server.content = published
    with caplog.at_level(logging.INFO, "hf_rumor"):
        paths = {resolve_corpus("auto", url=server.url("whole")) for _ in range(2)}
    assert paths == {places["cache"] / "downloads" / "Rumor_Dataset.zip"}
    assert paths.pop().read_bytes() == published
    assert server.requested == ["/whole"]
    assert "was downloaded" in caplog.messages[0]
    assert "is cached" in caplog.messages[1]


def test_auto_logs_why_it_chooses_the_sample(places, server, caplog):
    fill(places, "sample here")
    server.content = b"<html>"
    with caplog.at_level(logging.INFO, "hf_rumor"):
        resolve_corpus("auto", url=server.url("whole"))
    assert "synthetic sample; the published corpus is not available" in caplog.messages[-1]
    assert "not the published corpus" in caplog.messages[-1]


def test_auto_without_any_corpus_is_refused_with_the_reason(places, closed):
    with pytest.raises(CorpusError, match=r"--data_path auto: .* \(no network\)\. Name a corpus with --data_path"):
        resolve_corpus("auto", url=closed)


def test_without_network_nothing_is_written(tmp_path, closed):
    assert fetch_published(tmp_path / "downloads" / "out.zip", closed) == "no network"
    assert list(tmp_path.glob("downloads")) == []


def test_what_another_process_downloaded_is_not_downloaded_again(tmp_path, server):
    (tmp_path / "out.zip").write_bytes(b"theirs")
    assert fetch_published(tmp_path / "out.zip", server.url("whole")) == "was downloaded by another process"
    assert server.requested == []


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
    assert server.requested == ["/whole"]


@pytest.mark.parametrize("content", [b"", b"no zip"])
def test_a_download_that_is_not_the_published_corpus_leaves_nothing(tmp_path, server, content):
    server.content = content
    folder = tmp_path / "downloads"
    reason = fetch_published(folder / "out.zip", server.url("whole"))
    assert "not the published corpus" in reason
    assert set(os.listdir(folder)) <= {"out.zip.lock"}


def test_a_corpus_with_other_counts_is_not_the_published_one(tmp_path, server, published, monkeypatch):
    server.content = published
    monkeypatch.undo()
    reason = fetch_published(tmp_path / "out.zip", server.url("whole"))
    assert "{'rumor': 2, 'non-rumor': 3} is not what was published" in reason


@pytest.mark.parametrize("path", ["whole", "unannounced"])
def test_a_download_with_the_right_content_appears(tmp_path, server, only_abc, path):
    server.content = b"abc"
    download(server.url(path), tmp_path / "new" / "out")
    assert (tmp_path / "new" / "out").read_bytes() == b"abc"
    assert os.listdir(tmp_path / "new") == ["out"]


@pytest.mark.parametrize("old", [None, b"old"])
@pytest.mark.parametrize(
    ("path", "content", "words"),
    [
        ("cut", b"abc", "download failed .*1000 more expected"),
        ("missing", b"abc", "download failed .404"),
        ("whole", b"abd", "not the published corpus: .*expected abc"),
        ("whole", b"a" * 101, "101 bytes; at most 100 are downloaded"),
        ("unannounced", b"a" * 101, "101 bytes; at most 100 are downloaded"),
        ("garbled", b"abc", "download failed"),
    ],
)
def test_a_download_that_fails_changes_nothing(tmp_path, server, only_abc, path, content, words, old):
    server.content = content
    if old is not None:
        (tmp_path / "out").write_bytes(old)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(CorpusError, match=words) as caught:
        download(server.url(path), tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before
    assert old is None or (tmp_path / "out").read_bytes() == old


@pytest.mark.parametrize("parts", [1, 4])
def test_a_killed_download_can_be_repeated_and_leaves_nothing(tmp_path, server, parts):
    server.content, folder = os.urandom(1 << 20), tmp_path / "downloads"
    code = "import sys; from pathlib import Path; from hf_rumor.corpus import sources; "
    code += "sources.check_published = lambda path: None; sources.download(sys.argv[1], Path(sys.argv[2]))"
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
def test_a_download_stops_as_soon_as_it_is_too_large(tmp_path, server, monkeypatch, path, num_chunks):
    def iter_content(response, size):
        for chunk in original(response, size):
            chunks.append(chunk)
            yield chunk

    chunks = []
    original = sources.requests.Response.iter_content
    monkeypatch.setattr(sources.requests.Response, "iter_content", iter_content)
    monkeypatch.setattr(sources, "MAX_DOWNLOAD_BYTES", 150_000)
    server.content = bytes(4 << 16)
    with pytest.raises(CorpusError, match="at most 150,000 are downloaded"):
        download(server.url(path), tmp_path / "out")
    assert len(chunks) == num_chunks
    assert list(tmp_path.iterdir()) == []


def test_a_host_that_refuses_is_an_error_with_advice(tmp_path, closed):
    with pytest.raises(CorpusError, match=r"download failed .*Retry, or name a corpus"):
        download(closed, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_auto_chooses_the_sample_if_the_cache_cannot_be_written(places, server, published):
    fill(places, "sample here")
    server.content = published
    places["cache"].touch()
    assert str(resolve_corpus("auto", url=server.url("whole"))) == "data/sample"


def test_a_host_behind_a_proxy_is_reached(tmp_path, server, published, monkeypatch):
    server.content = published
    monkeypatch.setenv("http_proxy", server.url(""))
    assert fetch_published(tmp_path / "out.zip", "http://corpus.invalid/whole") == "was downloaded"


@pytest.mark.parametrize("name", ["hub:", "hub:posts", "hub:a/b/c d@", "hub:/a/b", "hub:a//b"])
def test_an_invalid_name_on_the_hub_is_refused(name):
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
def test_the_name_of_a_corpus_is_its_data_path(path, name):
    assert sources.name_of(Path(path)) == name
