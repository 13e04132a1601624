"""The doors of the policy book: what is in force and why, another book on its way in, and the change calendar."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from api.http.context import Here, Id, Who
from api.http.reply import reply
from api.http.schemas import Moment, Name, Reason
from control_plane.policy.desk import PolicyView
from control_plane.policy.history import History
from domain.keeping import PolicyBook
from domain.planned_work import ChangeWindow, Freeze
from policies.explaining import Explanation

router = APIRouter(tags=["policy"])

_File = Annotated[str, StringConstraints(max_length=120)]
_Digest = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


class Files(BaseModel):
    """A book as file name → text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: Annotated[dict[_File, str], Field(max_length=200)]


class Compare(Files):
    """`since`: only decisions made at or after this moment."""

    since: Moment | None = None


class Activate(Reason):
    """`notice_digest` names the notice that was read: it must be the one of this book."""

    version: _Digest
    notice_digest: _Digest


class DeclareWindow(Reason):
    region: Name
    starts_at: Moment
    ends_at: Moment


@router.get("/policy", response_model=PolicyView)
def show(house: Here, who: Who) -> Response:
    """Show the book in force, its rules, and the books that wait with their notices."""
    return reply(house.desks.policy.current(who))


@router.get("/policy/explain/{id}", response_model=Explanation)
def explain(house: Here, who: Who, id: Id) -> Response:
    """Show which rules say what of a proposal, at each number of signatures, and what would cure it."""
    return reply(house.desks.policy.explain(who, id))


@router.post("/policy/diff", response_model=History)
def diff(house: Here, who: Who, body: Compare) -> Response:
    """List the recorded decisions that would change under another book."""
    return reply(house.desks.policy.diff(who, body.files, body.since))


@router.post("/policy/load", response_model=PolicyBook, status_code=201)
def load(house: Here, who: Who, body: Files) -> Response:
    """Check a book and keep it with its notice. It is not in force by that."""
    return reply(house.desks.policy.load(who, body.files), 201)


@router.post("/policy/activate", response_model=PolicyBook)
def activate(house: Here, who: Who, body: Activate) -> Response:
    """Put a loaded book in force. What waits is judged again; grants under the old book are void."""
    return reply(house.desks.policy.activate(who, body.version, body.notice_digest, body.because))


@router.get("/change-windows")
def calendar(house: Here, who: Who) -> Response:
    """Show the change windows and freezes that are not over."""
    windows, freezes = house.desks.policy.windows(who)
    return reply({"windows": windows, "freezes": freezes})


@router.post("/change-windows", response_model=ChangeWindow, status_code=201)
def declare_window(house: Here, who: Who, body: DeclareWindow) -> Response:
    """Declare a time in which a region takes changes; from then on it takes them in its windows only."""
    made = house.desks.policy.declare_window(who, body.region, body.starts_at, body.ends_at, body.because)
    return reply(made, 201)


@router.post("/change-windows/{id}/withdraw", response_model=ChangeWindow)
def withdraw_window(house: Here, who: Who, id: Id, body: Reason) -> Response:
    """Take a change window back."""
    return reply(house.desks.policy.withdraw_window(who, id, body.because))


@router.post("/freezes/{id}/withdraw", response_model=Freeze)
def withdraw_freeze(house: Here, who: Who, id: Id, body: Reason) -> Response:
    """End a freeze before its time."""
    return reply(house.desks.policy.withdraw_freeze(who, id, body.because))
