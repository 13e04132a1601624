"""The book explains itself: what each number of signatures would bring, and what would cure a no."""

from collections.abc import Callable

import pytest

from domain.actions import Harm
from domain.decisions import Ruling
from policies.engine import Book
from policies.explaining import cures, explain
from policies.question import Question

Ask = Callable[..., Question]


def test_a_plan_is_explained_step_by_step_and_level_by_level(book: Book, ask: Ask) -> None:
    said = explain(book, (ask(), ask(harm=Harm.OUTAGE)), 1)

    assert (said.answer, said.needed) == (Ruling.HOLD, 2)
    easy, hard = said.steps
    assert [answer.answer for answer in easy.answers] == [Ruling.HOLD, Ruling.ALLOW, Ruling.ALLOW]
    assert [answer.answer for answer in hard.answers] == [Ruling.HOLD, Ruling.HOLD, Ruling.ALLOW]
    assert easy.cures == ()
    assert hard.cures == ("with 2 signatures",)


@pytest.mark.parametrize(
    ("changes", "signatures", "expected"),
    [
        ({"freeze": True}, 0, ("if the freeze were over",)),
        ({"in_window": False}, 0, ("if a change window were open",)),
        ({"freeze": True, "sound": False}, 0, ("if the freeze were over and if the rehearsal found it sound",)),
        ({"requester_signed": True}, 1, ("if the signature were another person's",)),
        ({"degraded": True}, 1, ("with 2 signatures", "if no source were silent")),
        ({"requester": "agent:narrator"}, 0, ()),
    ],
)
def test_what_would_cure_it_is_said(
    book: Book, ask: Ask, changes: dict[str, object], signatures: int, expected: tuple[str, ...]
) -> None:
    assert cures(book, ask(**changes), signatures) == expected


def test_a_plan_that_no_number_of_signatures_cures_needs_none(book: Book, ask: Ask) -> None:
    assert explain(book, (ask(), ask(freeze=True))).needed is None
