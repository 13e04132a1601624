"""Decisions: what the rules say of a plan, which rules said so, and any error that was met on the way."""

from enum import StrEnum

from domain.base import Stored, Utc, Word


class Ruling(StrEnum):
    ALLOW = "allow"
    HOLD = "hold"
    DENY = "deny"


class Rule(Word):
    """`because` is the sentence that people are shown."""

    id: str
    because: str


class Judgement(Word):
    """The pure answer of the policy book to one question."""

    answer: Ruling
    rules: tuple[Rule, ...]
    errors: tuple[str, ...] = ()
    policy_version: str


class Decision(Stored):
    """A judgement about one proposal at one time, with everything that went into it."""

    proposal_id: str
    plan_digest: str
    rehearsal_id: str
    judgement: Judgement
    context: dict[str, bool | int | str] = {}
    made_at: Utc
