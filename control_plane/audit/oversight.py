"""How people oversaw the plane, counted from the record (EU AI Act, articles 12 and 14)."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from statistics import median

from domain.base import Utc, Word
from domain.records import Record

_DECIDED = ("approved", "rejected", "changed", "deferred", "expired", "withdrawn", "refused", "revoked")


class Oversight(Word):
    """Counts over a stretch of the record. `wait_median_s`: from the rules' answer to the first human word, seconds."""

    records: int
    since: Utc | None
    until: Utc | None
    by_kind: dict[str, int]
    by_actor: dict[str, int]
    decisions: dict[str, int]
    people: int
    wait_median_s: float | None
    redactions: int


def oversight(records: Iterable[Record]) -> Oversight:
    """Count what people and rules decided."""
    kinds, actors, decided = Counter[str](), Counter[str](), Counter[str]()
    asked: dict[str, datetime] = {}
    waits: list[float] = []
    people, times, redactions = set[str](), list[datetime](), 0
    for record in records:
        kinds[record.kind] += 1
        actors[record.actor] += 1
        times = [*times[:1], record.known_time]
        redactions += record.kind == "audit.field.redacted"
        room, _, action = record.kind.rpartition(".")
        if record.kind.startswith("judge.proposal"):
            asked.update((ref, record.event_time) for ref in record.refs)
        if room == "gate.proposal" and action in _DECIDED:
            decided[action] += 1
            person = record.fields.get("person")
            if person is not None and isinstance(person.value, str):
                people.add(person.value)
                began = next((asked.pop(ref) for ref in record.refs if ref in asked), None)
                waits += [(record.event_time - began).total_seconds()] if began else []
    return Oversight(
        records=sum(kinds.values()),
        since=times[0] if times else None,
        until=times[-1] if times else None,
        by_kind=dict(sorted(kinds.items())),
        by_actor=dict(sorted(actors.items())),
        decisions={name: decided[name] for name in _DECIDED},
        people=len(people),
        wait_median_s=median(waits) if waits else None,
        redactions=redactions,
    )
