"""What routes are given: the house, who is asking, and the body that `limits` has read."""

from typing import Annotated, Any, cast

from fastapi import Depends, Path
from starlette.requests import Request

from api.house import House
from api.http.authentication import WHO
from api.http.limits import BODY
from domain.errors import BadInput
from domain.identity import Principal


def _house(request: Request) -> House:
    return cast("House", request.app.state.house)


def _who(request: Request) -> Principal:
    return cast("Principal", request.scope[WHO])


def _body(request: Request) -> Any:
    if BODY not in request.scope:
        raise BadInput("a JSON body is needed here; send one")
    return request.scope[BODY]


Here = Annotated[House, Depends(_house)]
Who = Annotated[Principal, Depends(_who)]
Body = Annotated[Any, Depends(_body)]
Id = Annotated[str, Path(min_length=1, max_length=256)]
