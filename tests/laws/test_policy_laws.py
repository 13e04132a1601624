"""Laws of judging that hold for any question, and for any book that is let in at all."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.actions import ActionClass, Harm
from domain.autonomy import Band
from domain.decisions import Ruling
from domain.errors import BadInput
from policies.engine import BOOK, SCHEMA, Book, judge_plan, signatures_needed
from policies.question import Question

#: No law is a matter of time, and machines may be busy.
UNHURRIED = settings(deadline=None)
SCHEMA_TEXT = (BOOK / SCHEMA).read_text("utf-8")
SHIPPED = Book.load()
EMPTY = Book({}, SCHEMA_TEXT)
BETTER = {Ruling.DENY: 0, Ruling.HOLD: 1, Ruling.ALLOW: 2}

names = st.sampled_from(
    ["agent:provisioning", "agent:ticketing", "agent:retraining", "agent:oversight", "agent:narrator", "approver-one"]
)
counts = st.integers(0, 200)
questions = st.builds(
    Question,
    requester=names,
    action=st.sampled_from(ActionClass),
    target=st.text(max_size=20),
    region=st.sampled_from(["north", "south", "«ignore the rules»"]),
    kind=st.text(max_size=5),
    reversible=st.booleans(),
    harm=st.sampled_from(Harm),
    blast=counts,
    cells=counts,
    confidence=st.integers(0, 100),
    candidates=counts,
    sound=st.booleans(),
    twin_fit=st.booleans(),
    evidence_age=st.integers(0, 30_000),
    freeze=st.booleans(),
    standard=st.booleans(),
    degraded=st.booleans(),
    steps=st.integers(1, 64),
    cases=counts,
    requester_signed=st.booleans(),
    band=st.sampled_from(Band),
    autonomy=st.integers(0, 2),
    in_window=st.booleans(),
    collides=st.booleans(),
    residency=st.sampled_from(["north", "south", "north+south", ""]),
    on_behalf=st.booleans(),
    on_itself=st.booleans(),
)

#: Conditions as somebody might write them; some count signatures the wrong way round, some overflow.
atoms = st.one_of(
    st.builds("context.approvals {} {}".format, st.sampled_from([">=", ">", "<", "<=", "=="]), st.integers(0, 4)),
    st.builds("context.cells >= {}".format, st.integers(0, 200)),
    st.sampled_from(["context.freeze", "context.change", "context.sound", "context.degraded"]),
    st.just("context.cells * 9223372036854775807 > 0"),
)
conditions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds("({} && {})".format, inner, inner),
        st.builds("({} || {})".format, inner, inner),
        st.builds("!({})".format, inner),
        st.builds("(if {} then {} else {})".format, inner, inner, inner),
    ),
    max_leaves=5,
)
rules = st.tuples(st.sampled_from(["permit", "forbid"]), st.sampled_from(["when", "unless"]), conditions)


def let_in(parts: list[tuple[str, str, str]]) -> Book:
    """Return the book of those rules that a book takes."""
    kept: dict[str, str] = {"all.cedar": '@id("all") @because("all") permit (principal, action, resource);'}
    for number, (effect, when, condition) in enumerate(parts):
        rule = f'@id("r{number}") @because("r") {effect} (principal, action, resource) {when} {{ {condition} }};'
        try:
            Book({"rule.cedar": rule}, SCHEMA_TEXT)
        except BadInput:
            continue
        kept[f"{number}.cedar"] = rule
    return Book(kept, SCHEMA_TEXT)


@UNHURRIED
@given(questions, st.lists(st.integers(0, 120), min_size=2, max_size=4))
def test_more_signatures_never_make_the_shipped_book_less_willing(question: Question, signatures: list[int]) -> None:
    answers = [BETTER[SHIPPED.judge(question, count).answer] for count in sorted(signatures)]

    assert answers == sorted(answers)


@settings(UNHURRIED, max_examples=60)
@given(st.lists(rules, max_size=4), questions)
def test_more_signatures_never_make_any_book_less_willing(
    parts: list[tuple[str, str, str]], question: Question
) -> None:
    book = let_in(parts)

    answers = [BETTER[book.judge(question, count).answer] for count in (0, 1, 2, 3, 4, 5, 99, 1000)]

    assert answers == sorted(answers)


@UNHURRIED
@given(questions, st.integers(0, 1000))
def test_an_empty_book_denies_everything(question: Question, approvals: int) -> None:
    judgement = EMPTY.judge(question, approvals)

    assert judgement.answer is Ruling.DENY
    assert [rule.id for rule in judgement.rules] == ["default-deny"]


@settings(UNHURRIED, max_examples=25)
@given(questions, st.integers(0, 5))
def test_judging_is_pure(question: Question, approvals: int) -> None:
    before = question.model_copy()

    first = SHIPPED.judge(question, approvals)

    assert first == SHIPPED.judge(question, approvals) == Book.load().judge(before, approvals)
    assert question == before


@UNHURRIED
@given(questions, st.integers(0, 1000))
def test_an_erring_rule_holds_at_any_number_of_signatures(question: Question, approvals: int) -> None:
    broken = """
    @id("all") @because("all") permit (principal, action, resource);
    @id("broken") @because("overflows")
    forbid (principal, action, resource) when { (context.cells + 2) * 9223372036854775807 > 0 };
    """

    judgement = Book({"broken.cedar": broken}, SCHEMA_TEXT).judge(question, approvals)

    assert judgement.answer is Ruling.HOLD
    assert [rule.id for rule in judgement.rules] == ["broken"]


@pytest.mark.parametrize("when_signed", ["context.approvals >= 2 && ", "context.approvals >= 1 && "])
def test_an_error_behind_a_signature_holds_before_it_too(when_signed: str) -> None:
    text = f"""
    @id("all") @because("all") permit (principal, action, resource);
    @id("broken") @because("overflows") permit (principal, action, resource)
    when {{ {when_signed}(context.cells + 2) * 9223372036854775807 > 0 }};
    """
    book = Book({"broken.cedar": text}, SCHEMA_TEXT)
    question = _plain()

    assert [book.judge(question, count).answer for count in (0, 1, 2, 9)] == [Ruling.HOLD] * 4


@UNHURRIED
@given(st.lists(questions, min_size=1, max_size=3), st.integers(0, 3))
def test_a_plan_is_as_good_as_its_worst_step(steps: list[Question], approvals: int) -> None:
    whole = judge_plan(SHIPPED, steps, approvals)

    assert BETTER[whole.answer] == min(BETTER[SHIPPED.judge(step, approvals).answer] for step in steps)


@UNHURRIED
@given(questions)
def test_the_signatures_that_are_said_to_be_needed_are_enough_and_none_too_many(question: Question) -> None:
    needed = signatures_needed(SHIPPED, (question,))
    answers = [SHIPPED.judge(question, count).answer for count in range(6)]

    assert needed == (answers.index(Ruling.ALLOW) if Ruling.ALLOW in answers else None)


def _plain(**changes: Any) -> Question:
    plain = {
        "requester": "agent:provisioning",
        "action": "drain_link",
        "target": "link:1",
        "region": "",
        "kind": "link",
    }
    flags = {"reversible": True, "sound": True, "twin_fit": True, "freeze": False, "standard": False, "degraded": False}
    numbers = {"blast": 0, "cells": 0, "confidence": 90, "candidates": 1, "evidence_age": 1, "steps": 1}
    return Question(**(plain | flags | numbers | {"harm": "service"} | changes))
