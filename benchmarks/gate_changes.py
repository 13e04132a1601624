"""What the gate bench does over and over: a proposal is read, judged, moved and recorded, and somebody is woken.

The mix of questions is that of a working day: tickets that need nobody, plain repairs, plans that can hurt and need a
second person, and plans that no signature cures.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import islice

from control_plane.gate import entry, moved
from control_plane.ports import Change, Ledger, Written
from control_plane.road import Road
from control_plane.tables import Message, Tables
from domain.actions import ActionClass, DrainLink, Harm, InterfaceUp, LockCell, OpenTicket, RestartProcess, SteerDemand
from domain.decisions import Ruling
from domain.proposals import Plan, Proposal, ProposalState
from policies.engine import Book
from policies.question import KINDS, Question

_STATES = {
    Ruling.ALLOW: ProposalState.GRANTED,
    Ruling.HOLD: ProposalState.HELD,
    Ruling.DENY: ProposalState.DENIED,
}
_AT_ONCE = 500


@dataclass(frozen=True)
class Asked:
    """One plan, the question it raises, and how many people have signed it."""

    plan: Plan
    question: Question
    signatures: int


@dataclass(frozen=True)
class Ruled:
    """What was decided, and what the record says of it."""

    answer: Ruling
    rules: tuple[str, ...]
    because: str


Judge = Callable[[Asked], Ruled]


def by_the_book(book: Book) -> Judge:
    """Ask the policy book, as the gate does."""

    def judge(asked: Asked) -> Ruled:
        said = book.judge(asked.question, asked.signatures)
        return Ruled(said.answer, tuple(rule.id for rule in said.rules), "; ".join(rule.because for rule in said.rules))

    return judge


def without_asking(asked: Asked) -> Ruled:
    """Ask nobody: the baseline `no_policy`. The record is of the same size."""
    answer = (Ruling.HOLD, Ruling.ALLOW, Ruling.ALLOW)[asked.signatures]
    return Ruled(answer, ("nobody-was-asked",), "a sentence of the same length as the book would have given")


def mix() -> tuple[Asked, ...]:
    """Return the working day's questions: 24 kinds of plan and standing, each once."""
    ticket = OpenTicket(target="incident:1", description="interface down")
    repairs = (
        InterfaceUp(target="tp:1"),
        DrainLink(target="link:1", previous_metric=10),
        SteerDemand(target="demand:1", via="node:2"),
        LockCell(target="cell:1"),
        RestartProcess(target="node:1"),
    )
    standings: tuple[dict[str, object], ...] = ({}, {"blast": 40, "confidence": 60}, {"degraded": True})
    asked = [_asked(Plan(steps=(step,)), signatures) for step in repairs for signatures in (0, 1, 2)]
    asked += [_asked(Plan(steps=(repairs[1],)), 1, **standing) for standing in standings]
    asked += [_asked(Plan(steps=(repairs[0],)), 2, **against) for against in ({"freeze": True}, {"sound": False})]
    asked += [_asked(Plan(steps=(ticket,)), 0, requester="agent:ticketing") for _ in range(4)]
    return tuple(asked)


def _asked(plan: Plan, signatures: int, **changes: object) -> Asked:
    step = plan.steps[0]
    plain: dict[str, object] = {
        "requester": "agent:provisioning",
        "action": step.kind,
        "target": step.target,
        "region": "north",
        "kind": KINDS[ActionClass(step.kind)],
        "reversible": step.inverse() is not None,
        "harm": Harm(step.harm),
        "blast": 2,
        "cells": 0,
        "confidence": 90,
        "candidates": 1,
        "sound": True,
        "twin_fit": True,
        "evidence_age": 5,
        "freeze": False,
        "standard": step.standard,
        "degraded": False,
        "steps": 1,
    }
    return Asked(plan, Question.model_validate(plain | changes), signatures)


def put_up(road: Road, ledger: Ledger, asked: Sequence[Asked], count: int) -> list[str]:
    """Store so many rehearsed proposals, in turn of the questions; return their ids."""
    now, made = road.clock.now(), []
    for number in range(count):
        plan = asked[number % len(asked)].plan
        made.append(
            Proposal(
                id=road.id("prop"),
                incident_id=road.id("inc"),
                diagnosis_id=road.id("diag"),
                change_id=f"CHG-{number:06}",
                region="north",
                requester="agent:provisioning",
                state=ProposalState.REHEARSED,
                title="bring the interface up",
                why="it was locked by mistake; its alarms began when it was",
                plan=plan,
                plan_digest=plan.digest,
                evidence_ids=tuple(road.id("ev") for _ in range(4)),
                confidence=0.9,
                cause_element="tp:1",
                rehearsal_id=road.id("reh"),
                expires_at=now + timedelta(hours=1),
                made_at=now,
            )
        )
    waiting = iter(made)
    while some := list(islice(waiting, _AT_ONCE)):
        ledger.do(partial(_put, road, some))
    return [proposal.id for proposal in made]


def _put(road: Road, some: Sequence[Proposal], tables: Tables) -> Written[None]:
    tables.proposals.add(*some)
    return Written(None, (entry(road, "propose.proposal.drafted", "plane", some[0]),))


def decided(road: Road, judge: Judge, asked: Asked, proposal_id: str) -> Change[Ruling]:
    """Return the change that is measured: read, judge, swap, one record, one message."""

    def change(tables: Tables) -> Written[Ruling]:
        old = tables.proposals.get(proposal_id)
        assert old is not None  # it was put up before the clock started
        ruled = judge(asked)
        new = moved(tables, old, _STATES[ruled.answer], ruled.because, decision_id=road.id("dec"))
        said = {"answer": ruled.answer, "rules": list(ruled.rules), "because": ruled.because}
        context = asked.question.context(asked.signatures)
        made = entry(road, "judge.proposal.decided", "plane", new, (new.decision_id or "",), context=context, **said)
        wake = Message(id=road.id("msg"), topic="wake", ref=new.incident_id, due_at=road.clock.now())
        return Written(ruled.answer, (made,), (wake,))

    return change
