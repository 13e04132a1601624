"""What would have been decided under another book: each pinned decision is asked again, signed as it was."""

from collections.abc import Iterator
from datetime import datetime

from control_plane.judging import Brief, rejudge
from control_plane.ports import Ledger
from control_plane.replay.pins import inputs_of
from domain.base import Word
from domain.decisions import Judgement
from domain.errors import NocturneError
from domain.keeping import Pin, PinKind
from policies.engine import Book


class Verdict(Word):
    """One past decision that would be another. `ref` is the proposal."""

    id: str
    ref: str
    at: datetime
    was: str
    would_be: str
    reason: str


class History(Word):
    """How many decisions were asked again, which differ, and which could not be asked."""

    asked: int
    changed: tuple[Verdict, ...]
    not_asked: tuple[str, ...] = ()


def under_policy(
    ledger: Ledger, book: Book, *, since: datetime | None = None, most: int | None = None, tenant: str | None = None
) -> History:
    """Ask another book about the pinned decisions.

    Args:
        ledger: where the decisions are pinned.
        book: the other book.
        since: only decisions made at or after this moment.
        most: only so many, the newest.
        tenant: only those of one tenant.
    """
    pins = ledger.read(lambda tables: tables.pins.find(kind=PinKind.DECISION, newest=True, limit=most))
    changed, failed, asked = [], [], 0
    for pin in pins:
        if (since is not None and pin.made_at < since) or tenant not in {None, pin.tenant}:
            continue
        try:
            changed += list(_otherwise(ledger, pin, book))
            asked += 1
        except (NocturneError, ValueError, KeyError) as error:
            failed.append(f"{pin.id}: {' '.join(str(error).split())[:200]}")
    return History(asked=asked, changed=tuple(changed), not_asked=tuple(failed))


def _otherwise(ledger: Ledger, pin: Pin, book: Book) -> Iterator[Verdict]:
    inputs = inputs_of(pin)
    about, at = Brief.model_validate(inputs["brief"]), datetime.fromisoformat(inputs["at"])
    decision = ledger.read(lambda tables: tables.decisions.get(pin.id))
    would = rejudge(book, about.under(book), at, int(inputs["signatures"]))
    if decision is None or _same(decision.judgement, would):
        return
    reason = "; ".join(rule.because for rule in would.rules)
    was, now = decision.judgement.answer, would.answer
    yield Verdict(id=pin.id, ref=pin.ref, at=at, was=was, would_be=now, reason=reason)


def _same(was: Judgement, would: Judgement) -> bool:
    return was.answer is would.answer
