"""What a book that loads may still have wrong with it: rules that never apply, and doors that stand open.

Most is found by asking: the book is put questions that no sensible book allows, and each rule is put questions built
from its own numbers. What is not found this way is not thereby right.
"""

import itertools
import zlib
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any

import numpy as np

from domain.actions import ActionClass, Harm
from domain.base import Word
from domain.decisions import Ruling
from policies.engine import Book
from policies.engine.probing import applies_to_any
from policies.folding import with_signatures
from policies.question import CONTEXT, KINDS, Question
from policies.rules import WrittenRule

_ENOUGH = 99
_STRANGER = "agent:nobody-in-particular"


class Weight(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Finding(Word):
    """One thing about a book. `rule` is empty where it is about the whole."""

    weight: Weight
    rule: str = ""
    reason: str


@lru_cache(maxsize=8)  # it takes most of a second, and whoever may read may ask for it again and again
def lint(book: Book) -> tuple[Finding, ...]:
    """Return what is to be said of a book that loads, the worst first."""
    found = [
        *_whole(book),
        *_open_doors(book),
        *(finding for rule in book.written.values() for finding in _rule(book, rule)),
    ]
    found += _twins(book)
    found += _unused(book)
    return tuple(sorted(found, key=lambda finding: list(Weight).index(finding.weight)))


def _whole(book: Book) -> Iterator[Finding]:
    if not any(rule.permits for rule in book.written.values()):
        yield Finding(weight=Weight.ERROR, reason="no rule permits anything: this book denies whatever is asked")


def _open_doors(book: Book) -> Iterator[Finding]:
    """Ask what no sensible book allows."""
    tickets = {ActionClass.OPEN_TICKET, ActionClass.CANCEL_TICKET}
    checks: tuple[tuple[str, int, dict[str, Any], set[ActionClass]], ...] = (
        ("unsigned, at any risk and on any doubt", 0, _WORST, set()),
        ("in a freeze, if only enough people sign", _ENOUGH, {"freeze": True}, tickets | {ActionClass.SET_AUTONOMY}),
        ("against its rehearsal, if only enough people sign", _ENOUGH, {"sound": False}, tickets),
        ("with the signature of whoever asked", _ENOUGH, {"requester_signed": True}, tickets),
    )
    for words, signatures, changes, aside in checks:
        doors = [
            (requester, action)
            for requester in (*_agents(book), _STRANGER)
            for action in ActionClass
            if action not in aside
            if book.judge(_question(requester, action, **changes), signatures).answer is Ruling.ALLOW
        ]
        for requester, pairs in itertools.groupby(doors, key=lambda door: door[0]):
            actions = ", ".join(action for _, action in pairs)
            yield Finding(weight=Weight.WARNING, reason=f"`{requester}` may do this {words}: {actions}")


def _rule(book: Book, rule: WrittenRule) -> Iterator[Finding]:
    where = [action for action in ActionClass if rule in book.applicable(action)]
    if not where:
        yield Finding(weight=Weight.WARNING, rule=rule.id, reason="its scope takes no class of action that there is")
        return
    if rule.permits and rule.form["principal"]["op"] == "All" and not rule.form["conditions"]:
        yield Finding(
            weight=Weight.WARNING, rule=rule.id, reason="it permits everybody, agents too, without a condition"
        )
    if all(with_signatures(rule.form, level) is None for level in (0, *rule.levels)):
        yield Finding(weight=Weight.WARNING, rule=rule.id, reason="it never applies, however many people sign")
    elif not applies_to_any(rule, _probes(rule, where)):
        yield Finding(weight=Weight.WARNING, rule=rule.id, reason="no question was found to which it applies")
    if rule.can_err:
        yield Finding(weight=Weight.NOTE, rule=rule.id, reason="it does sums, which may overflow; an error holds")


def _twins(book: Book) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for rule in book.written.values():
        key = str({name: part for name, part in rule.form.items() if name != "annotations"})
        if key in seen:
            yield Finding(weight=Weight.WARNING, rule=rule.id, reason=f"it says exactly what `{seen[key]}` says")
        seen.setdefault(key, rule.id)


def _unused(book: Book) -> Iterator[Finding]:
    used = frozenset().union(*(rule.attributes for rule in book.written.values()))
    for name in CONTEXT:
        if name not in used:
            yield Finding(weight=Weight.NOTE, reason=f"no rule looks at `{name}`")


def _agents(book: Book) -> list[str]:
    """Return the agents that the book names."""
    scopes = [rule.form["principal"] for rule in book.written.values()]
    named = {scope["entity"]["id"] for scope in scopes if scope["op"] == "==" and scope["entity"]["type"] == "Agent"}
    return sorted(name for name in named if name.startswith("agent:"))


def _question(requester: str, action: ActionClass, **changes: Any) -> Question:
    """Return a question that nothing speaks against, but for what is given."""
    plain: dict[str, Any] = {
        "requester": requester,
        "action": action,
        "target": "x",
        "region": "here",
        "residency": "here",
        "kind": KINDS[action],
        "reversible": True,
        "harm": Harm.LOW,
        "blast": 0,
        "cells": 0,
        "confidence": 95,
        "candidates": 1,
        "sound": True,
        "twin_fit": True,
        "evidence_age": 1,
        "freeze": False,
        "standard": False,
        "degraded": False,
        "steps": 1,
        "cases": 100,
        "band": "none",
    }
    return Question(**(plain | changes))


_WORST: dict[str, Any] = {
    "reversible": False,
    "harm": Harm.OUTAGE,
    "blast": 10_000,
    "cells": 10_000,
    "confidence": 1,
    "candidates": 50,
    "twin_fit": False,
    "evidence_age": 3_600,
    "degraded": True,
    "steps": 64,
    "cases": 0,
    "band": "wide",
    "collides": True,
    "residency": "here+there",
    "on_behalf": True,
}


def _probes(rule: WrittenRule, where: list[ActionClass]) -> list[tuple[Question, int]]:
    """Return questions around the rule's own numbers and words; the same for the same rule."""
    numbers = sorted(
        {near for value in _values(rule.bodies, int) for near in (value - 1, value, value + 1) if near >= 0}
    )
    words = [*_values(rule.bodies, str), "here+there", "elsewhere"]
    dice, made = np.random.default_rng(zlib.crc32(rule.id.encode())), []

    def one_of(options: Sequence[Any]) -> Any:
        return options[int(dice.integers(len(options)))]

    fields = {name: Question.model_fields[name].annotation for name in CONTEXT if name in Question.model_fields}
    requesters = [*_named(rule), _STRANGER, "somebody"]
    for _ in range(300):
        changes: dict[str, Any] = {}
        for name in sorted(rule.attributes & fields.keys()):
            kind = fields[name]
            if kind is bool:
                changes[name] = one_of((False, True))
            elif kind is int:
                top = 100 if name == "confidence" else 10**6
                changes[name] = min(top, max(int(name == "steps"), one_of((*numbers, 0, 1, 10**6))))
            elif kind is str:
                changes[name] = one_of(words)
            else:
                changes[name] = one_of(list(kind))  # type: ignore[call-overload]  # an enumeration
        question = _question(one_of(requesters), one_of(where), **changes)
        made.append((question, one_of([0, *rule.levels, _ENOUGH])))
    return made


def _named(rule: WrittenRule) -> list[str]:
    scope = rule.form["principal"]
    return [scope["entity"]["id"]] if scope["op"] == "==" else []


def _values(expression: Any, kind: type) -> list[Any]:
    """Return the numbers or words that stand in an expression."""
    if isinstance(expression, list):
        return [value for part in expression for value in _values(part, kind)]
    if not isinstance(expression, dict):
        return []
    if "Value" in expression:
        value = expression["Value"]
        return [value] if isinstance(value, kind) and not isinstance(value, bool) else []
    return [value for part in expression.values() for value in _values(part, kind)]
