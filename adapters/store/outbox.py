"""The outbox on SQL: messages written with their change, taken under a lease, forgotten when dealt with."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from adapters.store.prepared import Prepared
from adapters.store.rules import from_moment, moment
from adapters.store.schema import OUTBOX
from control_plane.tables import Message
from domain.errors import Conflict

_PUT = Prepared(OUTBOX.insert())
_RIPE = (
    sa.select(OUTBOX.c.id, OUTBOX.c.topic, OUTBOX.c.ref, OUTBOX.c.due_at)
    .where(OUTBOX.c.hidden_until <= sa.bindparam("now"))
    .order_by(OUTBOX.c.due_at, OUTBOX.c.id)
    .limit(sa.bindparam("most"))
)
_LEASE = (
    OUTBOX.update()
    .where(OUTBOX.c.id == sa.bindparam("an_id"), OUTBOX.c.hidden_until <= sa.bindparam("now"))
    .values(hidden_until=sa.bindparam("until"))
)
_FORGET = OUTBOX.delete().where(OUTBOX.c.id == sa.bindparam("an_id"))


def put(connection: sa.Connection, messages: Sequence[Message]) -> None:
    """Insert messages. Raises Conflict when one with the same id waits already."""
    if not messages:
        return
    rows = []
    for message in messages:
        due = moment(message.due_at)
        row = {"id": message.id, "topic": message.topic, "ref": message.ref, "due_at": due, "hidden_until": due}
        rows.append(row)
    try:
        _PUT.change_all(connection, rows)
    except sa.exc.IntegrityError as error:
        raise Conflict("a message with one of these ids waits already; give each its own id") from error


def any_ripe(connection: sa.Connection, now: datetime) -> bool:
    """Say whether a message waits to be taken."""
    return connection.execute(_RIPE, {"now": moment(now), "most": 1}).first() is not None


def take(connection: sa.Connection, now: datetime, lease_s: float, limit: int) -> list[Message]:
    """Hide ripe messages for `lease_s` seconds and return those that nobody else took."""
    times = {"now": moment(now), "until": moment(now + timedelta(seconds=lease_s))}
    ripe = connection.execute(_RIPE, {"now": times["now"], "most": limit}).all()
    return [_message(row) for row in ripe if connection.execute(_LEASE, {"an_id": row.id, **times}).rowcount == 1]


def forget(connection: sa.Connection, messages: Iterable[Message]) -> None:
    """Delete messages."""
    rows = [{"an_id": message.id} for message in messages]
    if rows:
        connection.execute(_FORGET, rows)


def earliest(connection: sa.Connection) -> datetime | None:
    """Return when the next message may be taken, or None when none waits."""
    text = connection.execute(sa.select(sa.func.min(OUTBOX.c.hidden_until))).scalar()
    return None if text is None else from_moment(text)


def _message(row: sa.Row[str, str, str, str]) -> Message:
    return Message(id=row.id, topic=row.topic, ref=row.ref, due_at=from_moment(row.due_at))
