"""The terms of a level are those that the book holds an agent to: one step beyond any of them, a person signs."""

from typing import Any

import pytest

from domain.actions import ActionClass, Harm
from domain.autonomy import GOALS, TERMS, Band, Level
from domain.decisions import Ruling
from policies.engine import Book
from policies.question import Question

BOOK = Book.load()
BANDS = [band for band, goal in GOALS.items() if goal is not Level.ADVISE]


def question(band: Band, **changes: Any) -> Question:
    """Return a question about a repair at the very edge of what may be done alone in a band."""
    terms = TERMS[GOALS[band]]
    plain = {
        "requester": "agent:provisioning",
        "action": ActionClass.INTERFACE_UP,
        "target": "tp:1",
        "region": "north",
        "kind": "termination_point",
        "reversible": True,
        "harm": Harm.LOW,
        "blast": 0 if band is Band.NONE else 2,
        "cells": 0,
        "confidence": terms.confidence,
        "candidates": terms.candidates,
        "sound": True,
        "twin_fit": True,
        "evidence_age": terms.evidence_age,
        "freeze": False,
        "standard": False,
        "degraded": False,
        "steps": 1,
        "band": band,
        "autonomy": int(GOALS[band]),
    }
    return Question(**(plain | changes))


@pytest.mark.parametrize("band", BANDS)
def test_at_the_edge_of_the_terms_an_agent_acts_alone(band: Band) -> None:
    assert BOOK.judge(question(band)).answer is Ruling.ALLOW


@pytest.mark.parametrize("band", BANDS)
@pytest.mark.parametrize(("name", "step"), [("confidence", -1), ("evidence_age", 1), ("candidates", 1)])
def test_one_step_beyond_the_terms_a_person_signs(band: Band, name: str, step: int) -> None:
    beyond = getattr(TERMS[GOALS[band]], name) + step

    judged = BOOK.judge(question(band, **{name: beyond}))

    assert judged.answer is Ruling.HOLD
    assert BOOK.judge(question(band, **{name: beyond}), 1).answer is Ruling.ALLOW


@pytest.mark.parametrize("band", BANDS)
@pytest.mark.parametrize("changes", [{"autonomy": 0}, {"reversible": False}, {"twin_fit": False}, {"degraded": True}])
def test_without_the_level_or_with_doubt_a_person_signs(band: Band, changes: dict[str, Any]) -> None:
    assert BOOK.judge(question(band, **changes)).answer is Ruling.HOLD


def test_the_level_of_the_smaller_band_is_not_enough_in_the_larger() -> None:
    assert BOOK.judge(question(Band.NARROW, autonomy=1)).answer is Ruling.HOLD


@pytest.mark.parametrize("level", [0, 1, 2])
def test_where_many_are_at_risk_a_person_always_signs(level: int) -> None:
    wide = question(Band.NARROW, blast=5, autonomy=level).but(band=Band.WIDE)

    assert BOOK.judge(wide).answer is Ruling.HOLD


def test_the_terms_tighten_as_the_level_rises() -> None:
    lower, higher = TERMS[Level.ACT_HARMLESS], TERMS[Level.ACT_NARROW]

    assert higher.error_limit < lower.error_limit
    assert higher.confidence > lower.confidence
    assert higher.evidence_age < lower.evidence_age
    assert higher.candidates < lower.candidates
    assert higher.review_share > lower.review_share


@pytest.mark.parametrize("signatures", [0, 1, 5])
def test_no_number_of_signatures_gives_a_level_that_was_not_earned(signatures: int) -> None:
    asked = question(
        Band.NONE, action=ActionClass.SET_AUTONOMY, kind="autonomy", requester="agent:oversight", sound=False
    )

    assert BOOK.judge(asked, signatures).answer is Ruling.DENY
