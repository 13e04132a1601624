"""Every error of a route becomes `{code, reason}`: one line, never a stack trace, never 500 for bad input."""

from collections.abc import Sequence
from typing import Any, ClassVar

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.http.reply import refusal
from domain.errors import BadInput, NocturneError, NotFound


class MethodNotAllowed(NocturneError):
    status, code = 405, "method_not_allowed"


class NotAcceptable(NocturneError):
    status, code = 406, "not_acceptable"


class TooSlow(NocturneError):
    status, code = 408, "too_slow"


class UnsupportedMedia(NocturneError):
    status, code = 415, "unsupported_media_type"


class Internal(NocturneError):
    """Something of ours broke. What it was stands in the log, under the request id, and nowhere else."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"

    def __init__(self, request_id: str) -> None:
        super().__init__(f"something went wrong here; see the log, request id `{request_id}`")


def handle_errors(app: FastAPI) -> None:
    """Have `app` answer every expected error in the house's one shape."""
    app.add_exception_handler(NocturneError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def first_complaint(errors: Sequence[Any]) -> str:
    """Return one sentence about the first of pydantic's complaints: where, and what."""
    first = errors[0]
    where = ".".join(str(part) for part in first["loc"] if part not in {"body", "query", "path"})
    what = str(first["msg"]).removeprefix("Value error, ")
    what = what[:1].lower() + what[1:]
    return f"`{where[:200]}`: {what[:500]}" if where else what[:500]


async def _ours(_request: Request, error: Exception) -> Response:
    assert isinstance(error, NocturneError)
    return refusal(error)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return refusal(BadInput(first_complaint(error.errors())))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return refusal(NotFound(f"there is nothing at `{request.url.path[:200]}`; see /docs for what there is"))
    return refusal(BadInput(str(error.detail)[:500]))
