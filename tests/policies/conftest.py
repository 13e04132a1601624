"""Builders of what a judgement rests on; each test changes only what it is about."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.actions import ActionClass, Harm, InterfaceUp
from domain.alarms import Severity
from domain.diagnosis import Cause, Diagnosis, FaultKind, Verdict
from domain.identity import Principal, Role
from domain.incidents import Incident
from domain.proposals import Plan, Proposal
from domain.rehearsal import Forecast, Impact, Rehearsal
from policies.engine import Book
from policies.question import Question

NOON = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)
PLAN = Plan(steps=(InterfaceUp(target="tp:1"),))


@pytest.fixture(scope="session")
def book() -> Book:
    return Book.load()


@pytest.fixture
def ask() -> Callable[..., Question]:
    """Return a question about a plain, sound, sure, reversible repair, but for what is given."""

    def build(**changes: Any) -> Question:
        plain = {
            "requester": "agent:provisioning",
            "action": ActionClass.INTERFACE_UP,
            "target": "tp:1",
            "region": "north",
            "residency": "north",
            "kind": "termination_point",
            "reversible": True,
            "harm": Harm.LOW,
            "blast": 0,
            "cells": 0,
            "confidence": 90,
            "candidates": 1,
            "sound": True,
            "twin_fit": True,
            "evidence_age": 5,
            "freeze": False,
            "standard": False,
            "degraded": False,
            "steps": 1,
        }
        return Question(**(plain | changes))

    return build


@pytest.fixture
def propose() -> Callable[..., Proposal]:
    def build(plan: Plan = PLAN, /, **changes: Any) -> Proposal:
        plain = {
            "id": "prop_1",
            "incident_id": "inc_1",
            "diagnosis_id": "diag_1",
            "change_id": "chg_1",
            "region": "north",
            "requester": "agent:provisioning",
            "title": "Bring interface up",
            "why": "it is configured down",
            "plan": plan,
            "plan_digest": plan.digest,
            "confidence": 0.9,
            "expires_at": NOON + timedelta(hours=1),
            "made_at": NOON,
        }
        return Proposal(**(plain | changes))

    return build


@pytest.fixture
def rehearsed() -> Callable[..., Rehearsal]:
    def build(plan: Plan = PLAN, /, **changes: Any) -> Rehearsal:
        calm = Forecast(expected=Impact(), lost_low=0, lost_high=0)
        plain = {
            "id": "reh_1",
            "proposal_id": "prop_1",
            "plan_digest": plan.digest,
            "snapshot_digest": "0" * 64,
            "nothing": calm,
            "plan": calm,
            "sound": True,
            "made_at": NOON,
        }
        return Rehearsal(**(plain | changes))

    return build


@pytest.fixture
def diagnosis() -> Diagnosis:
    cause = Cause(element="tp:1", fault=FaultKind.INTERFACE_LOCKED, confidence=0.93)
    return Diagnosis(
        id="diag_1",
        incident_id="inc_1",
        revision=1,
        verdict=Verdict.CAUSE,
        causes=(cause,),
        candidate_set=("tp:1", "link:1"),
        made_by="agent:diagnostics",
        made_at=NOON,
        oldest_evidence=NOON - timedelta(seconds=90),
    )


@pytest.fixture
def incident() -> Incident:
    return Incident(
        id="inc_1",
        severity=Severity.MAJOR,
        opened_at=NOON,
        last_alarm_at=NOON,
        last_known_at=NOON,
        alarm_ids=("alm_1",),
        elements=("tp:1",),
        open_alarms=1,
    )


@pytest.fixture
def account() -> Callable[..., Principal]:
    def build(**changes: Any) -> Principal:
        plain = {"id": "acc_1", "name": "approver-one", "person": "First Approver", "roles": frozenset({Role.APPROVER})}
        return Principal(**(plain | changes))

    return build
