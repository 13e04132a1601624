"""Answers: words and plain data as JSON, and errors as `{code, reason}`."""

from collections.abc import Mapping
from typing import Any

import pydantic_core
from starlette.responses import Response

from api.views.text import plain
from domain.errors import NocturneError, NotAuthenticated, TooManyTries, Unavailable

_LONGEST_REASON = 2000


def reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return `value` (words, or anything that pydantic can write) as a JSON response."""
    body = pydantic_core.to_json(value, inf_nan_mode="null")
    return Response(body, status, dict(headers or {}), media_type="application/json")


def refusal(error: NocturneError) -> Response:
    """Return the one shape of every error, with the headers that its status asks for.

    A reason may quote what the caller sent, so it is made one printable line, whoever shows it.
    """
    headers = {}
    if isinstance(error, NotAuthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="nocturne"'
    if isinstance(error, Unavailable):
        headers["Retry-After"] = "1"
    if isinstance(error, TooManyTries):
        headers["Retry-After"] = str(error.wait_s)
    return reply(error.body() | {"reason": plain(error.reason, _LONGEST_REASON)}, error.status, headers)
