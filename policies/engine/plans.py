"""From questions about single steps to one answer about a plan."""

from collections.abc import Sequence

from domain.decisions import Judgement, Ruling
from policies.engine.book import NOBODY, Book
from policies.question import Question

_WORSE = (Ruling.ALLOW, Ruling.HOLD, Ruling.DENY)


def judge_plan(book: Book, questions: Sequence[Question], approvals: int = 0) -> Judgement:
    """Return the worst answer over a plan's steps, with the rules that gave that answer in any step.

    A plan of no steps is denied: there is nothing to allow.
    """
    judgements = [book.judge(question, approvals) for question in questions]
    if not judgements:
        return Judgement(answer=Ruling.DENY, rules=(NOBODY,), policy_version=book.version)
    worst = max((judgement.answer for judgement in judgements), key=_WORSE.index)
    rules = {rule.id: rule for judgement in judgements if judgement.answer is worst for rule in judgement.rules}
    errors = tuple(dict.fromkeys(error for judgement in judgements for error in judgement.errors))
    return Judgement(answer=worst, rules=tuple(rules.values()), errors=errors, policy_version=book.version)


def signatures_needed(book: Book, questions: Sequence[Question], most: int = 5) -> int | None:
    """Return the smallest number of people (up to `most`) with whose signatures the plan is allowed, or None."""
    turns = sorted({0}.union(*(book.levels(question.action) for question in questions)))
    return next((n for n in turns if n <= most and judge_plan(book, questions, n).answer is Ruling.ALLOW), None)
