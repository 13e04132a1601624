"""A book on its way into force: loaded and checked, noticed, and then put in force by somebody who read the notice.

Whatever fails on the way leaves the book in force where it is, and says so in the record and in `health`.
"""

from control_plane.policy.in_force import ROW, in_force
from control_plane.policy.noticing import notice
from control_plane.ports import Written
from control_plane.road import Road
from control_plane.tables import Message, Tables
from domain.errors import BadInput, Conflict, NotFound
from domain.keeping import PolicyBook, PolicyInForce
from domain.records import Entry
from policies.engine import Book

#: Whatever was judged by the old book while the new one was being put in force is judged again after this long.
_AFTERWARDS_S = 5.0
_PLANE = "plane"


def adopt(road: Road) -> None:
    """At the start: take over the book in force, or put this process's own in force where there is none yet.

    Where another book is in force than the one that this process was given, the latter only waits, with its notice.
    """
    own, now = road.book, road.clock.now()

    def change(tables: Tables) -> Written[bool]:
        if in_force(tables) is not None:
            return Written(False)
        _store(tables, own, PolicyBook(id=own.version, files={}, schema_text="", loaded_at=now, loaded_by=_PLANE))
        tables.policy_in_force.add(PolicyInForce(id=ROW, version=own.version, since=now, by=_PLANE))
        return Written(True, (_entry(road, "policy.book.adopted", _PLANE, own.version, rules=len(own.rules)),))

    if road.ledger.do(change):
        return
    try:
        if not refresh(road):
            return
    except BadInput as error:  # the house starts all the same, holds everything, and says so
        refuse(road, error.reason, _PLANE)
        return
    if road.ledger.read(lambda tables: tables.policy_books.get(own.version)) is None:
        load(road, own, _PLANE)


def refresh(road: Road) -> bool:
    """Load the book in force where this process has another one; say whether it did.

    Raises:
        BadInput: the stored book cannot be read by this program: until that is mended, everything is held.
    """
    row = road.ledger.read(in_force)
    if row is None or row.version == road.book.version:
        return False
    kept = road.ledger.read(lambda tables: tables.policy_books.get(row.version))
    if kept is None:
        raise BadInput(f"the policy book `{row.version[:16]}` is in force and not in the store; load and activate one")
    road.book = Book(kept.files, kept.schema_text)
    road.ledger.do(lambda _: Written(None, (), _judge_again(road, row.version)))
    road.notice("policy loaded", row.version)
    return True


def load(road: Road, book: Book, by: str) -> PolicyBook:
    """Store a book that is checked, with its notice against the book in force. It is not in force by that."""
    present = road.book
    written, now = notice(road.ledger, present, book), road.clock.now()
    wanted = PolicyBook(id=book.version, files={}, schema_text="", notice=written, loaded_at=now, loaded_by=by)

    def change(tables: Tables) -> Written[PolicyBook]:
        stored = _store(tables, book, wanted)
        _refusal(tables, "")
        said = {name: len(getattr(written, name)) for name in ("added", "removed", "changed", "decisions")}
        made = _entry(
            road, "policy.book.loaded", by, book.version, notice=written.digest, against=written.against, **said
        )
        return Written(stored, (made,))

    return road.ledger.do(change)


def refuse(road: Road, reason: str, by: str) -> None:
    """Record that a book was offered and not taken; the one in force stays."""

    def change(tables: Tables) -> Written[None]:
        row = in_force(tables)
        if row is not None and row.refused == reason:
            return Written(None)
        _refusal(tables, reason, road)
        return Written(None, (_entry(road, "policy.book.refused", by, road.book.version, reason=reason),))

    road.ledger.do(change)


def activate(road: Road, version: str, notice_digest: str, by: str, because: str, **fields: object) -> PolicyBook:
    """Put a loaded book in force; what waits is judged again under it, and what was granted under the old one is void.

    Raises:
        NotFound: no such book is loaded.
        Conflict: it is in force; it has no notice; its notice is another, or against another book than that in force.
    """
    kept = road.ledger.read(lambda tables: tables.policy_books.get(version))
    if kept is None:
        raise NotFound(f"no policy book `{version[:16]}` is loaded; load it first with `nocturne policy load DIR`")
    book = Book(kept.files, kept.schema_text)  # before anything changes: it must still be readable

    def change(tables: Tables) -> Written[PolicyBook]:
        stored, row, now = tables.policy_books.get(version), in_force(tables), road.clock.now()
        assert stored is not None
        _may_come(stored, row.version if row else "", notice_digest)
        active = stored.but(activated_at=now, activated_by=by)
        tables.policy_books.swap(stored, active)
        new = PolicyInForce(id=ROW, version=version, since=now, by=by)
        if row is None:
            tables.policy_in_force.add(new)
        else:
            tables.policy_in_force.swap(row, new)
        said = {"before": row.version if row else "", "notice": notice_digest, "because": because, **fields}
        return Written(
            active, (_entry(road, "policy.book.activated", by, version, **said),), _judge_again(road, version)
        )

    active = road.ledger.do(change)
    road.book = book
    road.bell.set()
    road.notice("policy activated", version)
    return active


def _may_come(stored: PolicyBook, present: str, notice_digest: str) -> None:
    if stored.id == present:
        raise Conflict(f"the policy book `{stored.id[:16]}` is in force already")
    if stored.notice is None:
        raise Conflict(f"the policy book `{stored.id[:16]}` has no notice; load it again, so that one is written")
    if stored.notice.against != present:
        raise Conflict("the notice was written against another book than the one in force; load the book again")
    if notice_digest != stored.notice.digest:
        raise Conflict("this is not the notice of this book; read the notice again before you put the book in force")


def _store(tables: Tables, book: Book, wanted: PolicyBook) -> PolicyBook:
    """Keep a book by its version; where it is kept already, only its notice is new."""
    wanted = wanted.but(files=dict(book.texts), schema_text=book.schema)
    stored = tables.policy_books.get(wanted.id)
    if stored is None:
        tables.policy_books.add(wanted)
        return wanted
    new = stored.but(notice=wanted.notice, loaded_at=wanted.loaded_at, loaded_by=wanted.loaded_by)
    tables.policy_books.swap(stored, new)
    return new


def _refusal(tables: Tables, reason: str, road: Road | None = None) -> None:
    row = in_force(tables)
    if row is not None and row.refused != reason:
        at = road.clock.now() if road and reason else None
        tables.policy_in_force.swap(row, row.but(refused=reason, refused_at=at))


def _judge_again(road: Road, version: str) -> tuple[Message, ...]:
    """Return messages that have what waits judged again, now and once more when every process has the book."""
    wake, now = road.wake("", 0.0), road.clock.now()
    later = road.wake("", _AFTERWARDS_S)
    return tuple(
        message.but(topic="policy_changed", ref=f"{version}:{round((message.due_at - now).total_seconds())}")
        for message in (wake, later)
    )


def _entry(road: Road, kind: str, actor: str, version: str, **fields: object) -> Entry:
    return Entry(
        kind=kind,
        actor=actor,
        refs=(version,),
        event_time=road.clock.now(),
        fields={"policy_version": version, **fields},
    )
