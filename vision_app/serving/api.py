"""The REST routes: what models there are, and their answers to pictures."""

import logging
import threading
from typing import Annotated, Any

from fastapi import FastAPI, File, Query, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from vision_app.data.uploads import read_picture
from vision_app.errors import InputError
from vision_app.evaluation.compare import list_facts
from vision_app.lookup import find
from vision_app.predict import Classifier, load_classifier
from vision_app.runs import Run, list_checkpoints, list_models, list_runs
from vision_app.serving.limits import BodyLimit, SafeHeaders

MAX_FILES = 100
AT_ONCE = 4  # pictures that are decoded at the same time: a large one takes 100 MB
APOLOGY = "Something went wrong in the app itself; the details are in its log."

log = logging.getLogger(__name__)
_busy = threading.BoundedSemaphore(AT_ONCE)


def create_api() -> FastAPI:
    """Return the REST application; the page is mounted beneath it."""
    api = FastAPI(title="Vision Workbench", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    api.add_middleware(BodyLimit)
    api.add_middleware(SafeHeaders)
    api.add_exception_handler(InputError, _bad_input)
    api.add_exception_handler(RequestValidationError, _bad_request)
    api.add_exception_handler(HTTPException, _refused)
    api.add_exception_handler(Exception, _fault)
    api.get("/health")(health)
    api.get("/api/models")(models)
    api.post("/api/predict")(predict)
    api.api_route("/api/{path:path}", methods=["GET", "POST", "PUT", "DELETE"], include_in_schema=False)(unknown)
    return api


async def health() -> dict[str, Any]:
    """Say that the app is up, and how many models it can predict with; needs no thread, as all may be busy."""
    return {"status": "ok", "models": len(list_models())}


def models() -> dict[str, list[dict[str, Any]]]:
    """List the shipped checkpoints by name, and the runs, newest first."""
    return {
        "checkpoints": list_facts(list_checkpoints(), _left_out),
        "runs": list_facts(list_runs(), _left_out),
    }


def predict(
    model: Annotated[str, Query(description="The name of a checkpoint or run, as /api/models lists them.")] = "",
    file: Annotated[list[UploadFile], File(description="One or several pictures of any common format.")] = (),
) -> JSONResponse:
    """Classify pictures: one item a file, with its label and scores, or with what is wrong with it.

    The status is 200 if any picture was answered, else 422.
    """
    run = _find_model(model)
    if not 0 < len(file) <= MAX_FILES:
        raise InputError(f"Expected 1 to {MAX_FILES} pictures as form fields called 'file', got {len(file)}.")
    classifier = load_classifier(run)
    answers = [_answer(classifier, upload) for upload in file]
    return JSONResponse(answers, 200 if any("label" in answer for answer in answers) else 422)


def unknown(path: str, request: Request) -> JSONResponse:
    """Say that there is no such route."""
    known = "GET /health, GET /api/models and POST /api/predict"
    return JSONResponse({"error": f"There is no {request.method} /api/{path}; there are {known}."}, 404)


def _find_model(name: str) -> Run:
    """Return a model by its name alone: callers must not reach other folders through it."""
    known = {run.name: run for run in reversed(list_models())}  # a checkpoint hides a run of the same name
    if not name:
        listed = ", ".join(reversed(known)) or "none yet"
        raise InputError(f"Expected the name of a model, got none; add ?model=NAME to the address. Known: {listed}.")
    return find(known, name, "model")


def _answer(classifier: Classifier, upload: UploadFile) -> dict[str, Any]:
    name = upload.filename or "file"
    try:
        with _busy:
            prediction = classifier.predict(read_picture(upload.file.read()))
    except InputError as error:
        return {"file": name, "error": " ".join(str(error).split())}
    return {"file": name, **prediction.model_dump(mode="json")}


def _left_out(run: Run, error: ValueError) -> None:
    log.warning("Left out of the list: %r cannot be read: %s", run.name, error)


def _bad_input(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": str(error)}, 422)


def _bad_request(_request: Request, error: Exception) -> JSONResponse:
    """Say what a request lacks, in our own form."""
    first = error.errors()[0] if isinstance(error, RequestValidationError) and error.errors() else {}
    where = " ".join(str(part) for part in first.get("loc", ())) or "request"
    return JSONResponse({"error": f"Cannot read the request: {where}: {first.get('msg', 'not understood')}."}, 422)


def _refused(_request: Request, error: Exception) -> JSONResponse:
    status, reason = (error.status_code, error.detail) if isinstance(error, HTTPException) else (400, "not understood")
    return JSONResponse({"error": f"Cannot read the request: {reason}"}, status)


def _fault(_request: Request, error: Exception) -> JSONResponse:
    log.error("A request failed", exc_info=error)
    return JSONResponse({"error": APOLOGY}, 500)
