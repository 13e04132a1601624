"""What people and their tools may send: one small shape per command. A field that is not named here is refused."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StringConstraints

from domain.alarms import AlarmType
from domain.base import Utc
from domain.proposals import Plan


def _written(value: object) -> object:
    """Take a time only as text that begins with a date: a number could mean seconds, or milliseconds, or nothing."""
    if not isinstance(value, str) or value[4:5] != "-":
        raise ValueError("write a time as ISO 8601 with an offset, for example `2026-01-31T12:00:00Z`")
    return value


def _readable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("it holds control characters; remove them")
    return value


Moment = Annotated[Utc, BeforeValidator(_written)]
Because = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Region = Annotated[str, StringConstraints(max_length=256), AfterValidator(_readable)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=256), AfterValidator(_readable)]
Elements = Annotated[tuple[Name, ...], Field(max_length=10_000)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Reason(_Request):
    """Every decision needs one; it is recorded."""

    because: Because


class Approve(Reason):
    """`plan_digest`, when given, must be that of the plan as it stands: so nobody approves what they have not read."""

    plan_digest: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")] | None = None


class Propose(Reason):
    """A plan for an incident. Who asks for it is who sends it."""

    incident_id: Name
    plan: Plan
    title: Annotated[str, StringConstraints(max_length=200), AfterValidator(_readable)] = ""


class Change(Reason):
    """The plan to have instead; it becomes a new proposal."""

    plan: Plan


class Defer(Reason):
    until: Moment


class Settle(Reason):
    """What a person found out about a step whose effect nobody could tell."""

    happened: StrictBool


class DeclarePlannedWork(_Request):
    change_id: Name
    elements: Annotated[Elements, Field(min_length=1)]
    affected: Elements = ()
    expected: tuple[AlarmType, ...] = ()
    starts_at: Moment
    ends_at: Moment


class DeclareFreeze(Reason):
    """`region` empty: everywhere."""

    region: Region = ""
    starts_at: Moment
    ends_at: Moment


class Question(_Request):
    question: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
