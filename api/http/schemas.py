"""What people and their tools may send: one small shape per command. A field that is not named here is refused."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints

from domain.alarms import AlarmType
from domain.base import Utc
from domain.proposals import Plan

Because = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Elements = Annotated[tuple[Name, ...], Field(max_length=10_000)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Reason(_Request):
    """Every decision needs one; it is recorded."""

    because: Because


class Approve(Reason):
    """`plan_digest`, when given, must be that of the plan as it stands: so nobody approves what they have not read."""

    plan_digest: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")] | None = None


class Change(Reason):
    """The plan to have instead; it becomes a new proposal."""

    plan: Plan


class Defer(Reason):
    until: Utc


class Settle(Reason):
    """What a person found out about a step whose effect nobody could tell."""

    happened: StrictBool


class DeclarePlannedWork(_Request):
    change_id: Name
    elements: Annotated[Elements, Field(min_length=1)]
    affected: Elements = ()
    expected: tuple[AlarmType, ...] = ()
    starts_at: Utc
    ends_at: Utc


class DeclareFreeze(Reason):
    """`region` empty: everywhere."""

    region: Annotated[str, StringConstraints(max_length=256)] = ""
    starts_at: Utc
    ends_at: Utc


class Question(_Request):
    question: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
