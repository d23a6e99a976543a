"""The website of the documentation: complete, readable on a phone, and without requests to other hosts."""

import re
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import hf_rumor
from hf_rumor.cli.main import VERBS


CHECKOUT = Path(__file__).parents[1]
WIDTHS = (1200, 390)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Return the folder of the website, built in strict mode."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", folder]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def address(site):
    """Return the address of the website on a server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_fits_and_loads_nothing_from_other_hosts(site, address, browser, width):
    page = browser.new_page(viewport={"width": width, "height": 800})
    problems = []
    page.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "request", lambda request: None if request.url.startswith((address, "data:")) else problems.append(request.url)
    )
    names = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html") if path.name != "404.html")
    assert {"index.html", "reference/commands.html", "reference/python.html", "contributing.html"} <= {*names}
    for name in names:
        page.goto(address + name)
        overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        problems += [f"{name}: {overflow} pixels too wide"] * (overflow > 0)
    page.close()
    assert problems == []


@pytest.mark.parametrize("is_served", [True, False])
@pytest.mark.parametrize("word", ["threshold", "阈值"])
def test_the_search_finds_a_page_about_thresholds(site, address, browser, is_served, word):
    page = browser.new_page()
    page.goto((address if is_served else f"{site.as_uri()}/") + "index.html")
    page.locator(".md-search__input").click()
    page.get_by_text("Type to start searching").wait_for()
    page.locator(".md-search__input").press_sequentially(word)
    page.keyboard.press("End")  # after an input method, too, a key is released
    hit = page.locator(".md-search-result mark", has_text=word).first
    hit.wait_for()
    assert word in hit.inner_text().lower()
    page.close()


def test_every_export_and_every_verb_has_an_entry(site):
    python, commands = ((site / "reference" / f"{name}.html").read_text("utf-8") for name in ("python", "commands"))
    exports = {*re.findall(r'id="hf_rumor\.(\w+)"', python)}
    assert exports >= {*hf_rumor.__all__} - {"__version__"}
    verbs = {verb.__name__.rpartition(".")[2] for verb in VERBS}
    assert verbs <= {*re.findall(r'id="hf-rumor-(\w+)"', commands)}
    assert "%(" not in commands
