"""The web page and the API, in Chinese and English, and the server that runs them."""

import asyncio
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hf_rumor.errors import ArgumentError, ModelError
from hf_rumor.report.chinese import translator
from hf_rumor.report.words import warnings
from hf_rumor.serve.guard import Guard
from hf_rumor.serve.judge import KEEP_SECONDS, Judge, Limits
from hf_rumor.serve.words import LANGUAGES, WORDS
from hf_rumor.util.translation import Language


BODY_SECONDS = 30  # for a request to arrive


def make_app(judge: Judge, model: str) -> Any:
    """Return the page at `/` and the API at `/api/predict`, as an ASGI application."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_TEMP_DIR"] = str(judge.folder)
    try:
        import gradio
        from fastapi import FastAPI
        from starlette.concurrency import run_in_threadpool
        from starlette.requests import ClientDisconnect, Request
        from starlette.responses import JSONResponse
    except ImportError as error:
        raise ModelError(f"serve: {error}. Run: pip install gradio captum jieba") from error
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    turn = asyncio.Lock()  # so that waiting requests block no threads
    waiting = 0

    async def predict(request: Request) -> JSONResponse:
        nonlocal waiting
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await request.json()
        except TimeoutError:
            return JSONResponse({"error": f"expected the whole request within {BODY_SECONDS} seconds"}, 408)
        except ClientDisconnect:
            return JSONResponse({"error": "expected the whole request, got only a part"}, 400)
        except (ValueError, RecursionError):
            return JSONResponse({"error": 'expected JSON, as {"text": "..."}'}, 400)
        if waiting >= judge.limits.max_waiting:
            return JSONResponse({"error": "too many requests at once; try again later"}, 503, {"Retry-After": "5"})
        waiting += 1
        try:
            async with turn:
                status, answer = await run_in_threadpool(judge.answer_api, body)
            return JSONResponse(answer, status)
        finally:
            waiting -= 1

    app.add_route("/api/predict", predict, ["POST"])
    page = _make_page(gradio, judge, model)
    page.has_launched = True  # a mounted page checks paths only then (gradio 6.31.0)
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
    return Guard(app, judge.limits.max_bytes + 10_000, judge.folder)  # a form is larger than its file


def _make_page(gradio: Any, judge: Judge, model: str) -> Any:
    words = WORDS["zh"]
    with gradio.Blocks(analytics_enabled=False, title=words["title"], delete_cache=(60, KEEP_SECONDS)) as page:
        language = gradio.Radio(list(LANGUAGES), value="中文", label="语言 / Language", elem_id="language")
        title = gradio.Markdown(_title("zh", judge, model), elem_id="title")
        text = gradio.Textbox(label=words["text"], lines=4, elem_id="text")
        has_reposts = judge.classifier.reposts is not None
        posted_at = gradio.Textbox(label=words["time"], visible=has_reposts, elem_id="posted_at")
        reposts = gradio.Textbox(label=words["reposts"], lines=4, visible=has_reposts, elem_id="reposts")
        ask = gradio.Button(words["ask"], variant="primary", elem_id="ask")
        verdict = gradio.HTML(elem_id="verdict")
        kinds = [".jsonl", ".csv", ".tsv", ".txt"]
        file = gradio.File(label=words["file"], file_types=kinds, height=140, elem_id="file")
        ask_file = gradio.Button(words["ask_file"], elem_id="ask_file")
        message = gradio.HTML(elem_id="message")
        result = gradio.File(label=words["result"], interactive=False, visible=False, elem_id="result")
        limits = gradio.Markdown(words["limits"], elem_id="limits")

        def answer(post: str, chosen: str, posted_at: str, reposts: str) -> str:
            return judge.answer(post or "", LANGUAGES[chosen], posted_at or "", reposts or "")

        def answer_file(path: str | None, chosen: str) -> tuple[None, str, Any]:
            html, name = judge.answer_file(path, LANGUAGES[chosen])
            return None, html, gradio.File(value=name, visible=name is not None)

        def translate(chosen: str) -> list[Any]:
            words = WORDS[LANGUAGES[chosen]]
            return [
                gradio.Markdown(_title(LANGUAGES[chosen], judge, model)),
                gradio.Textbox(label=words["text"]),
                gradio.Textbox(label=words["time"]),
                gradio.Textbox(label=words["reposts"]),
                gradio.Button(words["ask"]),
                gradio.File(label=words["file"]),
                gradio.Button(words["ask_file"]),
                gradio.File(label=words["result"]),
                gradio.Markdown(words["limits"]),
                "",  # answers in the other language
                "",
            ]

        private = {"api_visibility": "private"}  # the API is /api/predict
        ask.click(
            answer,
            [text, language, posted_at, reposts],
            verdict,
            concurrency_id="model",
            concurrency_limit=1,
            **private,
        )
        file.upload(judge.expect_file, file, **private)
        ask_file.click(answer_file, [file, language], [file, message, result], concurrency_id="model", **private)
        shown = [title, text, posted_at, reposts, ask, file, ask_file, result, limits, verdict, message]
        language.change(translate, language, shown, **private)
    page.queue(max_size=judge.limits.max_waiting)
    return page


def _title(language: Language, judge: Judge, model: str) -> str:
    words = WORDS[language]
    notes = warnings(judge.report, translator(language)) if judge.report else ()
    lines = (f"# {words['title']}", words["what"].format(Path(model).name), *(f"**{note}**" for note in notes))
    return "\n\n".join(lines)


def serve(
    model: str,
    host: str,
    port: int,
    limits: Limits,
    on_start: Callable[[str], None],
    revision: str | None = None,
    threshold: float | None = None,
) -> None:
    """Serve the page until interrupted; call `on_start` with its URL. Port 0 is any free port.

    Raises:
        RumorError: The model cannot be loaded, or the address is in use.
    """
    judge = Judge(model, limits, revision, threshold)
    try:
        app = make_app(judge, model)
        import uvicorn

        with _listen(host, port) as listening:
            on_start(f"http://{host}:{listening.getsockname()[1]}")
            config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=3)
            uvicorn.Server(config).run(sockets=[listening])
    finally:
        shutil.rmtree(judge.folder, ignore_errors=True)


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=128)
    except (OSError, OverflowError) as error:
        reason = str(error).rstrip(".")
        raise ArgumentError(f"--host {host} --port {port}: {reason}. Choose another port.") from error
