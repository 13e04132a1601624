"""Looking back: a review is owed until it was held, with a date, who was there and what was decided. Late is told."""

from collections.abc import Sequence
from datetime import datetime

from control_plane.ports import Written
from control_plane.road import Road
from control_plane.tables import Message, Tables
from domain.errors import BadInput, Conflict, NotFound
from domain.identity import Principal
from domain.keeping import Review
from domain.records import Entry

#: Reviews that have a way of their own, by which somebody says what they found: none is held past it.
_OWN_WAY = {"broken_glass": "nocturne review-glass", "alone": "nocturne autonomy review"}
_MOST = 50
_LONGEST = 2000


def owe(road: Road, tables: Tables, *, tenant: str, kind: str, ref: str, due_at: datetime, by: str) -> Written[Review]:
    """Have something reviewed until `due_at`; owed twice, it is owed once. For use inside a change.

    Args:
        road: the road.
        tables: the tables of the change.
        tenant: whose review it is.
        kind: what is reviewed: `broken_glass`, `model`, `agent`, `autonomy` and so on.
        ref: the id of what is reviewed.
        due_at: until when.
        by: who or what asks for it.
    """
    owed = next((each for each in tables.reviews.find(tenant=tenant, kind=kind, ref=ref) if not each.held_at), None)
    if owed is not None:
        return Written(owed)
    review = Review(id=road.id("rev"), tenant=tenant, kind=kind, ref=ref, due_at=due_at)
    tables.reviews.add(review)
    now = road.clock.now()
    looks = tuple(Message(id=road.id("msg"), topic="notify", ref=review.id, due_at=at) for at in (now, due_at))
    return Written(review, (_entry(road, "owed", by, review, due_at=due_at.isoformat()),), looks)


def call(road: Road, who: Principal, kind: str, ref: str, due_at: datetime) -> Review:
    """Ask for a review of something that the caller's tenant has.

    Raises:
        BadInput: it is due in the past, kind or ref cannot be read, or such a review is owed by itself.
    """
    if kind in _OWN_WAY:
        raise BadInput(
            f"a review of the kind `{kind}` is owed by itself, where there is something to find; name another"
        )
    if due_at <= road.clock.now():
        raise BadInput("a review is due in the future; give a later time")
    if not (kind.isprintable() and 0 < len(kind) <= 64 and ref.isprintable() and 0 < len(ref) <= 256):
        raise BadInput("say what kind of thing is reviewed, and which: 1 to 64 and 1 to 256 printable characters")
    return road.ledger.do(
        lambda tables: owe(road, tables, tenant=who.tenant, kind=kind, ref=ref, due_at=due_at, by=who.name)
    )


def hold_review(
    road: Road, who: Principal, review_id: str, attendees: Sequence[str], decisions: Sequence[str]
) -> Review:
    """Record that a review was held: who was there, and what was decided.

    Raises:
        NotFound: there is no such review.
        Conflict: it was held already, or it has a way of its own.
        BadInput: nobody was there, nothing was decided, or a line cannot be read.
    """
    there, decided = _lines("attendees", attendees), _lines("decisions", decisions)

    def change(tables: Tables) -> Written[Review]:
        old = tables.reviews.get(review_id)
        if old is None or old.tenant != who.tenant:
            raise NotFound(f"there is no review `{review_id}`; `nocturne reviews` lists them")
        if old.held_at is not None:
            raise Conflict(f"review `{review_id}` was held at {old.held_at:%Y-%m-%d %H:%M} UTC; ask for another one")
        if old.kind in _OWN_WAY:
            raise Conflict(
                f"review `{review_id}` asks what somebody finds of `{old.ref}`; say it by `{_OWN_WAY[old.kind]}`"
            )
        new = old.but(held_at=road.clock.now(), attendees=there, decisions=decided, recorded_by=who.name)
        tables.reviews.swap(old, new)
        return Written(new, (_entry(road, "held", who.name, new, attendees=list(there), decisions=list(decided)),))

    return road.ledger.do(change)


def _lines(what: str, lines: Sequence[str]) -> tuple[str, ...]:
    found = tuple(line.strip() for line in lines)
    if not 1 <= len(found) <= _MOST or not all(0 < len(line) <= _LONGEST and line.isprintable() for line in found):
        raise BadInput(f"a review needs 1 to {_MOST} {what}, each of 1 to {_LONGEST} printable characters")
    return found


def _entry(road: Road, what: str, by: str, review: Review, **fields: object) -> Entry:
    return Entry(
        kind=f"roster.review.{what}",
        actor=by,
        refs=(review.id, review.ref),
        event_time=road.clock.now(),
        tenant=review.tenant,
        fields={"kind": review.kind, **fields},
    )
