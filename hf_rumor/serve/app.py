"""The page, the API and its documentation as an ASGI application."""

import logging
import sqlite3
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.staticfiles import StaticFiles

from hf_rumor import __version__
from hf_rumor.serve.gate import Access, Gate
from hf_rumor.serve.judge import Judge
from hf_rumor.serve.problem import Problem
from hf_rumor.serve.routes import TOP, router
from hf_rumor.serve.store import Store
from hf_rumor.serve.turns import Turns
from hf_rumor.serve.upload import SUFFIXES
from hf_rumor.serve.words import WORDS


logger = logging.getLogger(__name__)

DESCRIPTION = (
    "Predictions use wording only and check no facts. If the environment variable HF_RUMOR_TOKEN is set, each "
    "request needs the header `Authorization: Bearer TOKEN`."
)


def make_app(judge: Judge, store: Store, access: Access, *, is_temporary: bool) -> Gate:
    """Return the application.

    Args:
        judge: Classifies.
        store: Has the review queue.
        access: Who may send requests.
        is_temporary: Whether the queue is lost when the server stops.
    """
    app = FastAPI(title="hf_rumor", version=__version__, description=DESCRIPTION, docs_url=None, redoc_url=None)
    app.state.judge, app.state.store, app.state.is_temporary = judge, store, is_temporary
    app.state.turns = Turns(judge.limits.max_waiting)
    app.include_router(router)
    environment = Environment(
        loader=PackageLoader("hf_rumor.serve"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page = environment.get_template("page.html").render(
        words=WORDS, suffixes=",".join(SUFFIXES), top=TOP, reads_reposts=judge.classifier.reposts is not None
    )

    async def show_page(request: Request) -> HTMLResponse:
        return HTMLResponse(page)

    async def show_documentation(request: Request) -> HTMLResponse:
        return HTMLResponse(environment.get_template("docs.html").render(api=app.openapi()))

    async def is_healthy(request: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"})

    app.add_route("/", show_page)
    app.add_route("/docs", show_documentation)
    app.add_route("/healthz", is_healthy)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"))
    app.add_exception_handler(Problem, _answer_problem)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(sqlite3.Error, _answer_database)
    app.add_exception_handler(Exception, _answer_failure)
    _omit_unused_answers(app.openapi())  # last, since a new route resets what it returns
    return Gate(app, judge.limits.max_bytes, access)


def _omit_unused_answers(api: dict[str, Any]) -> None:
    """Remove the answer 422 that FastAPI documents for invalid parameters; they get 400."""
    for methods in api["paths"].values():
        for route in methods.values():
            if route["responses"].get("422", {}).get("description") == "Validation Error":
                del route["responses"]["422"]


def _answer_problem(request: Request, error: Any) -> JSONResponse:
    headers = {"Retry-After": "5"} if error.status == 503 else None
    return JSONResponse(error.to_json(), error.status, headers)


def _answer_http(request: Request, error: Any) -> JSONResponse:
    message = {404: "not found", 405: "method not allowed"}.get(error.status_code, str(error.detail))
    return JSONResponse({"error": message, "code": "request"}, error.status_code, error.headers)


def _answer_invalid(request: Request, error: Any) -> JSONResponse:
    [first, *_] = error.errors()
    message = f"{first['loc'][-1]}: {first['msg']}"
    return JSONResponse({"error": f"expected a valid request; {message}", "code": "request"}, 400)


def _answer_database(request: Request, error: Any) -> JSONResponse:
    logger.error("serve: the queue cannot be written (%s)", error)
    return JSONResponse({"error": f"the queue cannot be written: {error}", "code": "database"}, 503)


def _answer_failure(request: Request, error: Any) -> JSONResponse:
    return JSONResponse({"error": "the server failed; its log has the reason", "code": "failure"}, 500)
