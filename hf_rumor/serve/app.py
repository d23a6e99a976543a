"""A page on which a text or a file is judged, in Chinese and English, and the same as an API; keeps no texts."""

import asyncio
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from hf_rumor.errors import ArgumentError, ModelError, RumorError
from hf_rumor.inference.bulk import predict_items
from hf_rumor.inference.classifier import RumorClassifier
from hf_rumor.inference.explain import Explainer
from hf_rumor.inference.items import Item, format_of, read_items
from hf_rumor.serve.guard import Guard
from hf_rumor.serve.words import LANGUAGES, WORDS
from hf_rumor.util.encodings import open_as_utf8


KEEP_SECONDS = 600  # a result that is not downloaded by then is gone
BATCH_SIZE = 32
BODY_SECONDS = 30  # for a request to arrive; a connection that stalls keeps nobody else waiting


@dataclass(frozen=True)
class Limits:
    """What one request may ask for, and how many may ask at once.

    Attributes:
        max_characters: Of a text.
        max_posts: Of a file, or of a request to the API.
        max_bytes: Of a request.
        max_waiting: Requests that wait for their turn; further ones are told to come back.
    """

    max_characters: int = 2_000
    max_posts: int = 10_000
    max_bytes: int = 5_000_000
    max_waiting: int = 64


class Judge:
    """Answers the requests of the page and of the API, one at a time; removes what it is given.

    Args:
        name: A finished folder, or a model of the Hub.
        limits: What is refused.
        revision: Branch, tag or commit of a model of the Hub.
    """

    def __init__(self, name: str, limits: Limits, revision: str | None = None) -> None:
        self.limits = limits
        self.classifier = RumorClassifier.from_pretrained(name, revision=revision)
        self.explainer = Explainer(self.classifier)  # one model in memory
        self.folder = Path(tempfile.mkdtemp(prefix="hf_rumor_")).resolve()  # uploads and results, while they last
        self._turn = threading.Lock()
        self._uploads: Counter[Path] = Counter()  # how many wait to be judged: equal files lie in one place
        self._counting = threading.Lock()
        environment = Environment(
            loader=PackageLoader("hf_rumor.serve"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._template = environment.get_template("verdict.html")

    def answer(self, text: str, language: str) -> str:
        """Return the verdict on a text as HTML."""
        words = WORDS[language]
        if not text.strip():
            return self._problem(words["empty"])
        if len(text) > self.limits.max_characters:
            return self._problem(words["too_long"].format(self.limits.max_characters, len(text)))
        with self._turn:
            of = self.explainer.explain(text)
        return self._template.render(of=of, facts=self.classifier.facts, words=words, problem=None)

    def expect_file(self, path: str | None) -> None:
        """Count a file that was uploaded: it is removed when it has been judged as often, or by the sweep."""
        with self._counting:
            self._uploads[Path(path or "").resolve()] += 1

    def answer_file(self, path: str | None, language: str) -> tuple[str, str | None]:
        """Return a message as HTML, and the file with the result."""
        words = WORDS[language]
        self._sweep()
        given = Path(path or "").resolve()
        if path is None or not given.is_relative_to(self.folder) or not given.is_file():
            return self._problem(words["no_file"]), None
        try:
            with self._turn:
                lines = list(self._judge_file(given))
        except RumorError as error:
            return self._problem(f"{words['wrong_file']} {error}"), None
        finally:
            self._give_up(given)  # nothing is kept
        errors = sum('"error": ' in line for line in lines)
        descriptor, name = tempfile.mkstemp(dir=self.folder, prefix="predictions_", suffix=".jsonl")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
        return self._template.render(
            problem=None, of=None, words=words, done=words["done"].format(len(lines), errors)
        ), name

    def _give_up(self, upload: Path) -> None:
        with self._counting:
            self._uploads[upload] -= 1
            if self._uploads[upload] <= 0:
                del self._uploads[upload]
                upload.unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Remove uploads that were not judged and results that are old."""
        oldest = time.time() - KEEP_SECONDS
        for file in self.folder.rglob("*"):
            if file.is_file() and file.stat().st_mtime < oldest:
                file.unlink(missing_ok=True)
        with self._counting:  # Gradio removes old ones too
            for gone in [path for path in self._uploads if not path.is_file()]:
                del self._uploads[gone]

    def _judge_file(self, path: Path) -> Iterator[str]:
        with open_as_utf8(path) as file:
            head = file.peek(4096)[:4096]
            if b"\0" in head or not head:
                raise ArgumentError(
                    f"expected JSON lines, CSV or plain lines, found {'no text' if head else 'nothing'}"
                )
            items = read_items(file, format_of(path.name, head), None, None)
            first = list(islice(items, self.limits.max_posts + 1))
        if len(first) > self.limits.max_posts:
            raise ArgumentError(f"expected at most {self.limits.max_posts:,} posts, found more")
        short = [
            Item(item.id, "", f"expected at most {self.limits.max_characters:,} characters, found {len(item.text):,}")
            if len(item.text) > self.limits.max_characters
            else item
            for item in first
        ]
        for lines in predict_items(self.classifier, short, BATCH_SIZE):
            yield from lines

    def answer_api(self, body: Any) -> tuple[int, Any]:
        """Return status and answer of a request: `{"text": ...}`, or `{"texts": [...]}`."""
        texts = [body["text"]] if isinstance(body, dict) and "text" in body else None
        if texts is None and isinstance(body, dict) and isinstance(body.get("texts"), list):
            texts = body["texts"]
        if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
            return 400, {"error": 'expected {"text": "..."} or {"texts": ["...", ...]} with texts that are not empty'}
        if len(texts) > self.limits.max_posts:
            return 413, {"error": f"expected at most {self.limits.max_posts} texts, got {len(texts)}"}
        longest = max(map(len, texts))
        if longest > self.limits.max_characters:
            return 413, {"error": f"expected at most {self.limits.max_characters} characters, got {longest}"}
        with self._turn:
            found = [vars(of) for of in self.classifier.predict(texts, BATCH_SIZE)]
        return 200, found[0] if "text" in body else found

    def _problem(self, words: str) -> str:
        clean = words.encode("utf-8", "replace").decode("utf-8")
        return self._template.render(problem=clean, of=None, words={}, done=None)


def make_app(judge: Judge, model: str) -> Any:
    """Return the page at `/` and the API at `/api/predict`, as an ASGI application."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_TEMP_DIR"] = str(judge.folder)
    try:
        import gradio
        from fastapi import FastAPI, Request
        from fastapi.concurrency import run_in_threadpool
        from fastapi.responses import JSONResponse
        from starlette.requests import ClientDisconnect
    except ImportError as error:
        raise ModelError(f"serve: expected gradio, got {error}; pip install 'hf_rumor[web]'") from error
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    turn = asyncio.Semaphore(1)  # no thread waits for another
    waiting = 0

    async def predict(request: Request) -> JSONResponse:
        nonlocal waiting
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await request.json()
        except TimeoutError:
            return JSONResponse({"error": f"expected the whole request within {BODY_SECONDS} seconds"}, 408)
        except ClientDisconnect:
            return JSONResponse({"error": "expected the whole request, found its end"}, 400)  # nobody reads it
        except (ValueError, RecursionError):
            return JSONResponse({"error": 'expected JSON, as {"text": "..."}'}, 400)
        if waiting >= judge.limits.max_waiting:
            return JSONResponse({"error": "too many requests at once; come back"}, 503, {"Retry-After": "5"})
        waiting += 1
        try:
            async with turn:
                status, answer = await run_in_threadpool(judge.answer_api, body)
            return JSONResponse(answer, status)
        finally:
            waiting -= 1

    predict.__annotations__["request"] = Request
    app.post("/api/predict", response_model=None)(predict)
    page = _make_page(gradio, judge, model)
    page.has_launched = True  # else a mounted page checks no path
    theme = gradio.themes.Base(font=["system-ui", "Noto Sans CJK SC", "sans-serif"], font_mono=["monospace"])
    gradio.mount_gradio_app(
        app,
        page,
        path="/",
        allowed_paths=[str(judge.folder)],
        footer_links=[],
        max_file_size=judge.limits.max_bytes,
        run_history=False,
        show_error=True,
        ssr_mode=False,
        theme=theme,
    )
    return Guard(app, judge.limits.max_bytes + 10_000, judge.folder)  # what a form adds to a file


def _make_page(gradio: Any, judge: Judge, model: str) -> Any:
    words = WORDS["zh"]
    with gradio.Blocks(analytics_enabled=False, title=words["title"], delete_cache=(60, KEEP_SECONDS)) as page:
        language = gradio.Radio(list(LANGUAGES), value="中文", label="语言 / Language", elem_id="language")
        title = gradio.Markdown(_title(words, model), elem_id="title")
        text = gradio.Textbox(label=words["text"], lines=4, elem_id="text")
        ask = gradio.Button(words["ask"], variant="primary", elem_id="ask")
        verdict = gradio.HTML(elem_id="verdict")
        kinds = [".jsonl", ".csv", ".tsv", ".txt"]
        file = gradio.File(label=words["file"], file_types=kinds, height=140, elem_id="file")
        ask_file = gradio.Button(words["ask_file"], elem_id="ask_file")
        told = gradio.HTML(elem_id="told")
        result = gradio.File(label=words["result"], interactive=False, visible=False, elem_id="result")
        limits = gradio.Markdown(words["limits"], elem_id="limits")

        def answer(given: str, chosen: str) -> str:
            return judge.answer(given or "", LANGUAGES[chosen])

        def answer_file(given: str | None, chosen: str) -> tuple[None, str, Any]:
            words, name = judge.answer_file(given, LANGUAGES[chosen])
            return None, words, gradio.File(value=name, visible=name is not None)

        def translate(chosen: str) -> list[Any]:
            of = WORDS[LANGUAGES[chosen]]
            return [
                gradio.Markdown(_title(of, model)),
                gradio.Textbox(label=of["text"]),
                gradio.Button(of["ask"]),
                gradio.File(label=of["file"]),
                gradio.Button(of["ask_file"]),
                gradio.File(label=of["result"]),
                gradio.Markdown(of["limits"]),
                "",  # what was said in the other language
                "",
            ]

        private = {"api_visibility": "private"}  # the API is /api/predict
        ask.click(answer, [text, language], verdict, concurrency_id="model", concurrency_limit=1, **private)
        file.upload(judge.expect_file, file, **private)
        ask_file.click(answer_file, [file, language], [file, told, result], concurrency_id="model", **private)
        shown = [title, text, ask, file, ask_file, result, limits, verdict, told]
        language.change(translate, language, shown, **private)
    page.queue(max_size=judge.limits.max_waiting)
    return page


def _title(words: dict[str, str], model: str) -> str:
    return f"# {words['title']}\n\n{words['what'].format(Path(model).name)}"


def serve(
    name: str, host: str, port: int, limits: Limits, on_start: Callable[[str], None], revision: str | None = None
) -> None:
    """Serve the page until interrupted.

    Args:
        name: A finished folder, or a model of the Hub.
        host: Address to listen at; others than loopback let others in.
        port: 0 takes a free one.
        limits: What is refused.
        on_start: Is told the address.
        revision: Branch, tag or commit of a model of the Hub.

    Raises:
        RumorError: There is no such model, or the address is taken.
    """
    judge = Judge(name, limits, revision)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # what is kept is removed then too
    try:
        app = make_app(judge, name)
        import uvicorn

        with _listen(host, port) as listening:
            on_start(f"http://{host}:{listening.getsockname()[1]}")
            uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=3)).run(
                sockets=[listening]
            )
    finally:
        shutil.rmtree(judge.folder, ignore_errors=True)


def _listen(host: str, port: int) -> socket.socket:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except (OSError, OverflowError) as error:
        listening.close()
        raise ArgumentError(
            f"--host {host} --port {port}: expected a free address, got {error}; give another"
        ) from error
    return listening
