"""Why the book answers as it does: which rules say what, at each number of signatures, and what would cure it."""

from collections.abc import Sequence
from typing import Any

from domain.base import Word
from domain.decisions import Judgement, Ruling
from policies.engine import Book, judge_plan
from policies.question import Question

_WORSE = (Ruling.ALLOW, Ruling.HOLD, Ruling.DENY)

#: What could be otherwise about a step, in the words in which it is said, best case first.
_OTHERWISE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("if the freeze were over", {"freeze": False}),
    ("if a change window were open", {"in_window": True}),
    ("if the rehearsal found it sound", {"sound": True}),
    ("if the diagnosis were made anew, on fresh evidence", {"evidence_age": 0}),
    ("if the signature were another person's", {"requester_signed": False}),
    ("if no other plan stood in its way", {"collides": False}),
    ("if the twin agreed with what is measured", {"twin_fit": True}),
    ("if no source were silent", {"degraded": False}),
    ("if the cause were certain", {"confidence": 100, "candidates": 1}),
    ("if nobody were at risk", {"blast": 0, "cells": 0, "band": "none"}),
    ("if the step could be undone", {"reversible": True}),
    ("if the trial rested on enough cases", {"cases": 1_000_000}),
    ("if the agent had earned more autonomy", {"autonomy": 2}),
    ("if somebody else asked for it", {"on_itself": False, "on_behalf": False}),
)


class Named(Word):
    """A rule that gave an answer, with the articles of the EU AI Act that it serves."""

    id: str
    because: str
    file: str = ""
    articles: tuple[str, ...] = ()


class Answer(Word):
    """What the book says with at least so many signatures."""

    signatures: int
    answer: Ruling
    rules: tuple[Named, ...]
    errors: tuple[str, ...] = ()


class StepExplained(Word):
    """One step: what the rules were told of it, what they say, and what would bring a better answer by itself."""

    action: str
    target: str
    context: dict[str, bool | int | str]
    answers: tuple[Answer, ...]
    cures: tuple[str, ...]


class Explanation(Word):
    """A plan explained. `needed`: the smallest number of signatures with which it is allowed, or None."""

    policy_version: str
    signatures: int
    answer: Ruling
    needed: int | None
    steps: tuple[StepExplained, ...]


def explain(book: Book, questions: Sequence[Question], signatures: int = 0) -> Explanation:
    """Explain what the book says of a plan's questions, signed so often."""
    levels = sorted({level for question in questions for level in book.levels(question.action)})
    allowed = (n for n in levels if judge_plan(book, questions, n).answer is Ruling.ALLOW)
    return Explanation(
        policy_version=book.version,
        signatures=signatures,
        answer=judge_plan(book, questions, signatures).answer,
        needed=next(allowed, None),
        steps=tuple(_step(book, question, signatures) for question in questions),
    )


def cures(book: Book, question: Question, signatures: int) -> tuple[str, ...]:
    """Return what, were it otherwise, would bring a better answer: each by itself, or together where none does."""
    said = book.judge(question, signatures)
    if said.answer is Ruling.ALLOW:
        return ()
    alone, helps = [], []
    for words, changes in _OTHERWISE:
        if all(getattr(question, name) == value for name, value in changes.items()):
            continue
        then = book.judge(question.but(**changes), signatures)
        if _WORSE.index(then.answer) < _WORSE.index(said.answer):
            alone.append(words)
        elif {rule.id for rule in said.rules} - {rule.id for rule in then.rules}:
            helps.append((words, changes))
    more = [
        f"with {n} signatures" for n in book.levels(question.action) if n > signatures and _allows(book, question, n)
    ]
    if alone or more:
        return (*more[:1], *alone)
    together = question.but(**{name: value for _, changes in helps for name, value in changes.items()})
    if helps and _WORSE.index(book.judge(together, signatures).answer) < _WORSE.index(said.answer):
        return (" and ".join(words for words, _ in helps),)
    return ()


def _allows(book: Book, question: Question, signatures: int) -> bool:
    return book.judge(question, signatures).answer is Ruling.ALLOW


def _step(book: Book, question: Question, signatures: int) -> StepExplained:
    return StepExplained(
        action=question.action,
        target=question.target,
        context=question.context(signatures),
        answers=tuple(_answer(book, n, book.judge(question, n)) for n in book.levels(question.action)),
        cures=cures(book, question, signatures),
    )


def _answer(book: Book, signatures: int, said: Judgement) -> Answer:
    named = []
    for rule in said.rules:
        written = book.written.get(rule.id)
        more = {"file": written.file, "articles": written.articles} if written else {}
        named.append(Named(id=rule.id, because=rule.because, **more))
    return Answer(signatures=signatures, answer=said.answer, rules=tuple(named), errors=said.errors)
