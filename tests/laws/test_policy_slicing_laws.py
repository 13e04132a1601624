"""The book is asked in slices, made smaller at load time; the whole book, asked whole, must say the same, always."""

import json
from collections.abc import Iterable
from typing import Any

import cedarpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.decisions import Judgement, Rule, Ruling
from policies.engine import BOOK, NOBODY, SCHEMA, Book
from policies.question import CONTEXT, Question
from policies.signatures import levels
from tests.laws.test_policy_laws import SHIPPED, UNHURRIED, let_in, questions, rules

SCHEMA_TEXT = (BOOK / SCHEMA).read_text("utf-8")
GRAMMAR = cedarpy.Schema.from_str(SCHEMA_TEXT)


class WholeBook:
    """The same book without any cleverness: all rules, all attributes, all numbers of signatures, checked by schema."""

    def __init__(self, book: Book) -> None:
        self.book = book
        forms = {rule.id: dict(rule.form) for rule in book.written.values()}
        whole = {"staticPolicies": forms, "templates": {}, "templateLinks": []}
        self.policies = cedarpy.PolicySet.from_json_str(json.dumps(whole))
        self.levels = sorted({0}.union(*(levels(form) for form in forms.values())))

    def judge(self, question: Question, approvals: int) -> Judgement:
        answers = [self._ask(question, level) for level in self.levels]
        now = answers[sum(level <= approvals for level in self.levels) - 1]
        ever = answers[-1]
        errors = tuple(dict.fromkeys(error for answer in answers for error in sorted(answer.diagnostics.errors)))
        broken = [self.book.rules[error.split("`")[1]] for error in errors]
        if not ever.allowed:
            return self._said(Ruling.DENY, [*self._named(ever), *broken], errors)
        if not now.allowed:
            return self._said(Ruling.HOLD, [*self._named(now), *broken], errors)
        if errors:
            return self._said(Ruling.HOLD, broken, errors)
        return self._said(Ruling.ALLOW, self._named(now), ())

    def _ask(self, question: Question, approvals: int) -> cedarpy.AuthzResult:
        what: dict[str, Any] = {"type": "Element", "id": question.target}
        attrs = {"region": question.region, "kind": question.kind, "domain": question.domain.value}
        return cedarpy.is_authorized(
            {
                "principal": {"type": "Agent" if question.by_agent else "Person", "id": question.requester},
                "action": {"type": "Action", "id": question.action.value},
                "resource": what,
                "context": question.context(approvals),
            },
            self.policies,
            [{"uid": what, "attrs": attrs, "parents": []}],
            GRAMMAR,
        )

    def _named(self, answer: cedarpy.AuthzResult) -> list[Rule]:
        return [self.book.rules[reason] for reason in sorted(answer.diagnostics.reasons)] or [NOBODY]

    def _said(self, answer: Ruling, named: Iterable[Rule], errors: tuple[str, ...]) -> Judgement:
        unique = tuple({rule.id: rule for rule in named}.values())
        return Judgement(answer=answer, rules=unique, errors=errors, policy_version=self.book.version)


WHOLE = WholeBook(SHIPPED)


@settings(UNHURRIED, max_examples=150)
@given(questions, st.integers(0, 4))
def test_the_shipped_book_in_slices_says_what_it_says_as_a_whole(question: Question, approvals: int) -> None:
    assert SHIPPED.judge(question, approvals) == WHOLE.judge(question, approvals)


@settings(UNHURRIED, max_examples=40)
@given(st.lists(rules, max_size=4), questions, st.integers(0, 5))
def test_any_book_in_slices_says_what_it_says_as_a_whole(
    parts: list[tuple[str, str, str]], question: Question, approvals: int
) -> None:
    book = let_in(parts)

    assert book.judge(question, approvals) == WholeBook(book).judge(question, approvals)


@pytest.mark.parametrize(
    "condition",
    [
        "context.approvals >= 2 && context.cells * 9223372036854775807 > 0",
        "context.cells * 9223372036854775807 > 0 && context.approvals >= 2",
        "context.approvals >= 1 || context.cells * 9223372036854775807 > 0",
        "context.cells * 9223372036854775807 > 0 || context.approvals >= 1",
        "if context.cells * 9223372036854775807 > 0 then context.approvals >= 1 else context.approvals >= 2",
        "context.cells * 9223372036854775807 > 0 || context.approvals >= 0",
        "false } when { context.cells * 9223372036854775807 > 0 } unless { context.approvals >= 0",
        "!(context.approvals < 2) && !(context.cells * 9223372036854775807 > 0)",
    ],
)
@pytest.mark.parametrize("cells", [0, 2])
@pytest.mark.parametrize("approvals", [0, 1, 2, 9])
def test_what_errs_as_a_whole_errs_in_slices(condition: str, cells: int, approvals: int) -> None:
    texts = {
        "all.cedar": '@id("all") @because("all") permit (principal, action, resource);',
        "sums.cedar": f'@id("sums") @because("s") forbid (principal, action, resource) unless {{ {condition} }};',
    }
    book = Book(texts, SCHEMA_TEXT)
    question = _plain(cells)

    assert book.judge(question, approvals) == WholeBook(book).judge(question, approvals)


def test_every_attribute_of_a_question_is_one_of_the_schema() -> None:
    declared = SCHEMA_TEXT.split("type Circumstances = {")[1].split("}")[0]
    names = {line.split(":")[0].strip() for line in declared.splitlines() if ":" in line}

    assert names == set(CONTEXT)


def _plain(cells: int) -> Question:
    flags = {"reversible": True, "sound": True, "twin_fit": True, "freeze": False, "standard": False, "degraded": False}
    numbers = {"blast": 0, "cells": cells, "confidence": 90, "candidates": 1, "evidence_age": 1, "steps": 1}
    who = {"requester": "agent:provisioning", "action": "drain_link", "target": "x", "region": "", "kind": "link"}
    return Question.model_validate(who | flags | numbers | {"harm": "service"})
