"""The routes of the API: read a request, pass it on, answer with JSON. Errors are answers `{"error": "..."}`."""

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from hf_rumor.corpus.columns import Columns
from hf_rumor.desk.queue import Queue
from hf_rumor.desk.verdicts import VERDICTS
from hf_rumor.serve.about import describe_model
from hf_rumor.serve.judge import Judge, PredictedFile
from hf_rumor.serve.problem import Problem
from hf_rumor.serve.upload import Limits, read_upload
from hf_rumor.util.tables import encodable, write_table


MAX_TOP, TOP = 1000, 100  # stories of a queue
MAX_NUMBER = 2**63 - 1  # of SQLite
MAX_AUTHOR = 80  # characters
NUMBER = {"type": "integer"}
TEXT = {"type": "string"}


def _json_body(required: list[str], **properties: Any) -> dict[str, Any]:
    schema = {"type": "object", "required": required, "properties": properties}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


FILE_BODY = {
    "requestBody": {
        "required": True,
        "description": "The bytes of the file.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"description": "The request is not valid; the body is `{error, code}`."},
    401: {"description": "The token is missing or wrong."},
    403: {"description": "The request comes from a page of another site."},
    408: {"description": "The request did not arrive in time."},
    413: {"description": "The text, the file or the request is too large."},
    503: {"description": "Too many requests; try again later."},
}
UNKNOWN: dict[int | str, dict[str, Any]] = {
    422: {"description": "No text column was recognized; `columns` and `examples` list the columns of the file."}
}
CONFLICT: dict[int | str, dict[str, Any]] = {
    404: {"description": "There is no such story or verdict."},
    409: {"description": "There is a newer verdict; the body has the current `story`."},
}
NAME = Query(description="Name of the file; its suffix is the format.", min_length=1, max_length=1000)
TEXT_COLUMN = Query(None, description="Column with the text; detected if not given. Without a header: its number.")
ID_COLUMN = Query(None, description="Column with the id; detected if not given.")

router = APIRouter(prefix="/api", responses=ERRORS)


async def _json(request: Request) -> Any:
    try:
        return await request.json()
    except (ValueError, RecursionError) as error:
        raise Problem(400, "request", 'expected JSON, as {"text": "..."}') from error


@router.post(
    "/predict",
    openapi_extra=_json_body(
        [],
        text=TEXT,
        time={**TEXT, "description": "Time of the post; needed with reposts."},
        reposts={"type": "array", "items": {"type": "object", "properties": {"text": TEXT, "time": TEXT}}},
        texts={"type": "array", "items": TEXT},
        posts={"type": "array", "items": {"type": "object"}},
    ),
)
async def predict(request: Request) -> JSONResponse:
    """Classify one post (`text`), or several (`texts` or `posts`).

    The response is `{"rumor_probability": 0.917, "predicted": "rumor"}`, or a list of these.
    """
    body = await _json(request)
    return JSONResponse(await request.app.state.turns.run(request.app.state.judge.predict, body))


@router.post(
    "/explain",
    openapi_extra=_json_body(
        ["text"],
        text=TEXT,
        time=TEXT,
        reposts={"description": "A list as for /api/predict, or lines of a time, a space and words."},
    ),
)
async def explain(request: Request) -> JSONResponse:
    """Classify one post, with the weight of each word, and the probability over time if it has reposts."""
    body = await _json(request)
    return JSONResponse(await request.app.state.turns.run(request.app.state.judge.explain, body))


@router.post("/files", openapi_extra=FILE_BODY, responses=UNKNOWN, response_class=Response)
async def predict_file(
    request: Request,
    name: str = NAME,
    text_column: str | None = TEXT_COLUMN,
    id_column: str | None = ID_COLUMN,
    output: Literal["csv", "xlsx", "jsonl"] = "csv",
) -> Response:
    """Classify the posts of a file. The response is a table with the columns of the file.

    The headers `X-Num-Posts`, `X-Num-Rumors` and `X-Num-Errors` count its rows.
    """
    judge: Judge = request.app.state.judge
    content, columns = await request.body(), Columns(text=text_column or None, id=id_column or None)

    def answer() -> tuple[PredictedFile, bytes]:
        predicted = judge.predict_file(read_upload(content, name, columns, judge.limits))
        with tempfile.TemporaryDirectory(prefix="hf_rumor_") as folder:
            path = Path(folder) / f"predictions.{output}"
            write_table(path, predicted.columns, predicted.rows)
            return predicted, path.read_bytes()

    predicted, table = await request.app.state.turns.run(answer)
    headers = {
        "Content-Disposition": f"attachment; filename=predictions.{output}",
        "X-Num-Posts": str(len(predicted.rows)),
        "X-Num-Rumors": str(predicted.num_rumors),
        "X-Num-Errors": str(predicted.num_errors),
    }
    return Response(table, media_type="application/octet-stream", headers=headers)


@router.get("/model")
async def model(request: Request) -> JSONResponse:
    """Return what the model was trained on, how well it performs, and the limits of the server."""
    return JSONResponse(describe_model(request.app.state.judge))


@router.post("/queue", openapi_extra=FILE_BODY, responses=UNKNOWN, status_code=201)
async def add_queue(
    request: Request,
    name: str = NAME,
    text_column: str | None = TEXT_COLUMN,
    id_column: str | None = ID_COLUMN,
    top: int = Query(TOP, ge=1, le=MAX_TOP, description="Number of stories to keep."),
) -> JSONResponse:
    """Sort the posts of a day by priority for fact-checking, one story per group of near-duplicates."""
    judge: Judge = request.app.state.judge
    store = request.app.state.store
    content, columns = await request.body(), Columns(text=text_column or None, id=id_column or None)
    limits: Limits = judge.limits

    def answer() -> tuple[Queue, int]:
        items = read_upload(content, name, columns, limits)
        return judge.make_queue(items, store.history(), top), sum(item.post is None for item in items)

    queue, num_errors = await request.app.state.turns.run(answer)
    upload = await run_in_threadpool(store.add_queue, name[-100:], queue, num_errors)
    return JSONResponse(await _state(request, upload), 201)


@router.get("/queue")
async def queue(
    request: Request,
    upload: int | None = Query(None, ge=1, le=MAX_NUMBER, description="Number of an upload; the latest if not given."),
) -> JSONResponse:
    """Return the stories of an upload with their verdicts, and the list of uploads."""
    return JSONResponse(await _state(request, upload))


async def _state(request: Request, number: int | None) -> dict[str, Any]:
    store = request.app.state.store
    uploads = await run_in_threadpool(store.uploads)
    number = uploads[0].number if number is None and uploads else number
    stories = await run_in_threadpool(store.stories, number) if number is not None else []
    return {
        "upload": number,
        "uploads": [asdict(upload) for upload in uploads],
        "stories": [asdict(story) for story in stories],
        "is_temporary": request.app.state.is_temporary,
    }


@router.post(
    "/queue/{story}/verdict",
    responses=CONFLICT,
    openapi_extra=_json_body(["verdict", "last"], verdict={"enum": list(VERDICTS)}, last=NUMBER, author=TEXT),
)
async def decide(request: Request, story: int) -> JSONResponse:
    """Record a verdict. `last` is the number of the last verdict of the story that the user has seen, or 0."""
    body = await _json(request)
    values = body if isinstance(body, dict) else {}
    verdict, last, author = values.get("verdict"), values.get("last"), values.get("author") or ""
    if not isinstance(verdict, str) or type(last) is not int or not isinstance(author, str):
        raise Problem(400, "request", 'expected {"verdict": "rumor", "last": 0}')
    decided = await run_in_threadpool(
        request.app.state.store.decide, story, verdict, last, encodable(author[:MAX_AUTHOR])
    )
    return JSONResponse(asdict(decided))


@router.post(
    "/queue/undo",
    responses=CONFLICT,
    openapi_extra=_json_body(["story", "last"], story=NUMBER, last=NUMBER),
)
async def undo(request: Request) -> JSONResponse:
    """Undo the verdict of a story, so that the previous one is current again; `last` is as for a verdict."""
    body = await _json(request)
    values = body if isinstance(body, dict) else {}
    story, last = values.get("story"), values.get("last")
    if type(story) is not int or type(last) is not int:
        raise Problem(400, "request", 'expected {"story": 1, "last": 1}')
    return JSONResponse(asdict(await run_in_threadpool(request.app.state.store.undo, story, last)))


@router.get("/queue/export", response_class=Response)
async def export(request: Request) -> Response:
    """Return the verdicts of all uploads as a corpus for `hf-rumor train`: JSON lines, without undecided posts."""
    corpus = await run_in_threadpool(request.app.state.store.export)
    headers = {"Content-Disposition": 'attachment; filename="desk.jsonl"'}
    return Response(corpus.encode(), media_type="application/x-ndjson", headers=headers)
