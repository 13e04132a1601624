"""Text from outside is data: whatever an alarm says in words, the plan is the one that the same alarm without them has.

Two houses, equal but for the text, walk the same road. What agents concluded, asked for, and were refused is
compared by what it says, without the ids that are new each time.
"""

import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from agents.wording import plain
from api.views import terminal
from api.views.cards import CardView
from domain.clock import ManualClock
from tests.attacks.injected_texts import CONTROL, PRINTABLE, TEXTS
from tests.attacks.ring_house import ALARMS, ENDS, TICKETS, WEBHOOK, RingHouse, ring_house

HARMLESS = "port down"
_IDS = re.compile(r"\b[a-z]+_[0-9a-z]{26}\b")


def by_webhook(ring: RingHouse, text: str) -> Any:
    """The text stands in the annotation, in labels that we do not read, and where nothing is expected at all."""
    body = ring.webhook(text, runbook=text, approved_by=text)
    body |= {"externalURL": text, "groupLabels": {"plan": text}, "commonAnnotations": {"summary": text}}
    return ring.post("feed", WEBHOOK, body)


def by_alarm_details(ring: RingHouse, text: str) -> Any:
    more = {"alarmDetails": text, "comment": [{"comment": text}], "proposedRepairedActions": text}
    return [ring.post("feed", ALARMS, ring.tmf_alarm(end, **more)) for end in ENDS][-1]


def by_qualifier(ring: RingHouse, text: str) -> Any:
    return ring.post("feed", WEBHOOK, ring.webhook(HARMLESS, qualifier=text, severity=text, technology=text))


def by_specific_problem(ring: RingHouse, text: str) -> Any:
    return [ring.post("feed", ALARMS, ring.tmf_alarm(end, specificProblem=text)) for end in ENDS][-1]


Door = Callable[[RingHouse, str], Any]
FREE: tuple[Door, ...] = (by_webhook, by_alarm_details)
NAMED: tuple[Door, ...] = (by_qualifier, by_specific_problem)


@cache
def lived(door: Door, text: str) -> RingHouse:
    """Return a house that met the broken interface by way of this door, with this text; it is only read from then."""
    ring = ring_house(ManualClock(datetime(2026, 1, 12, 12, 0, tzinfo=UTC)), Path("unused"))
    ring.break_interface()
    answers = door(ring, text)
    assert answers.status_code in {200, 201}
    ring.walk()
    return ring


def story(ring: RingHouse) -> dict[str, Any]:
    """Return what came of it, in a form that only the text itself could make different."""
    read = ring.house.road.ledger.read
    diagnosis = read(lambda tables: tables.diagnoses.find())[-1]
    return {
        "causes": [(cause.element, cause.fault, cause.confidence) for cause in diagnosis.causes],
        "verdict": diagnosis.verdict,
        "repairs": [(p.plan_digest, p.state, p.requester, p.title, p.confidence) for p in ring.repairs()],
        "asked_for": [[step.kind for step in p.plan.steps] for p in ring.proposals()],
        "records": [record.kind for record in ring.records()],
        "rules": [record.fields["rules"].value for record in ring.records("judge.proposal.decided")],
        "done": [step.action.kind for step in ring.steps()],
        "journal": ring.network.journal,
    }


def said(ring: RingHouse) -> str:
    """Return every word that the house wrote itself: plans, reasons, statements, diagnoses; ids left out."""
    read = ring.house.road.ledger.read
    evidence = [item.but(quoted="") for item in read(lambda tables: tables.evidence.find())]
    words = [*evidence, *read(lambda tables: tables.diagnoses.find()), *ring.repairs()]
    return _IDS.sub("ID", json.dumps([word.model_dump(mode="json") for word in words], ensure_ascii=False))


def words(text: str) -> list[str]:
    """Return the words in a text, ids left out; of two alarms of one moment, either may be named first."""
    return sorted(word.strip("().,") for word in _IDS.sub("ID", text).split())


@pytest.mark.parametrize("door", FREE, ids=lambda door: door.__name__)
@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_free_text_changes_no_plan_and_is_kept_as_a_quotation(door: Door, text: str) -> None:
    ring = lived(door, text)

    assert story(ring) == story(lived(door, HARMLESS))
    assert text not in said(ring)
    quoted = {item.quoted for item in ring.house.road.ledger.read(lambda tables: tables.evidence.find()) if item.quoted}
    assert quoted == {text.replace("\x00", "\ufffd")}


@pytest.mark.parametrize("door", NAMED, ids=lambda door: door.__name__)
@pytest.mark.parametrize("text", PRINTABLE, ids=ascii)
def test_a_name_changes_no_plan(door: Door, text: str) -> None:
    assert story(lived(door, text)) == story(lived(door, HARMLESS))


@pytest.mark.parametrize("text", CONTROL, ids=ascii)
def test_a_name_with_control_characters_is_quarantined(ring: RingHouse, text: str) -> None:
    webhook = ring.post("feed", WEBHOOK, ring.webhook(HARMLESS, qualifier=text))
    alarm = ring.post("feed", ALARMS, ring.tmf_alarm(specificProblem=text))

    assert [r["rule"] for r in webhook.json()["rejections"]] == ["text.not_printable"] * 2
    assert (alarm.status_code, alarm.json()["code"]) == (400, "text.not_printable")
    shown = ring.get("viewer", "/quarantine").json()
    assert len(shown) == 3
    assert all(row["payload"].isascii() and row["payload"].isprintable() for row in shown)


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_a_ticket_holds_no_word_of_a_stranger(text: str) -> None:
    ticket, other = (lived(by_webhook, said).get("viewer", TICKETS).json() for said in (text, HARMLESS))

    assert len(ticket) == len(other) == 1
    assert ticket[0]["description"].replace("\n", " ").isprintable()
    assert words(ticket[0]["description"]) == words(other[0]["description"])


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_a_terminal_is_not_ruled_by_what_it_shows(text: str) -> None:
    ring = lived(by_webhook, text)
    card = CardView.model_validate(ring.get("viewer", f"/proposals/{ring.repairs()[0].id}").json())
    screen = io.StringIO()

    Console(width=4000, file=screen, color_system=None).print(terminal.card(card))

    shown = screen.getvalue()
    assert all(sign.isprintable() or sign == "\n" for sign in shown)
    assert all(word in shown for word in re.findall(r"\w+", text))


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_an_answer_says_nothing_of_a_stranger_as_its_own(text: str) -> None:
    ring = lived(by_webhook, text)

    answer = ring.post("viewer", "/chat", {"question": f"why was {ring.repairs()[0].id} proposed?"}).json()

    assert not answer["refused"]
    for sentence in answer["sentences"]:
        assert sentence["text"].isprintable()
        assert plain(text) not in re.sub(r"«[^»]*»", "", sentence["text"])


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_a_question_with_orders_in_it_changes_nothing(text: str) -> None:
    ring = lived(by_webhook, HARMLESS)
    before = story(ring)

    answer = ring.post("viewer", "/chat", {"question": text})

    assert answer.status_code == 200
    assert story(ring) == before
