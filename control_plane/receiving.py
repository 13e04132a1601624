"""The first step: what comes in by any door is sorted, made durable and counted in one transaction, then acknowledged.

For each source `received == kept + late + rejected`, always; repeats are part of what is kept.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from control_plane import hours
from control_plane.horizon import Horizon
from control_plane.ports import Written
from control_plane.road import Road
from control_plane.tables import Message, Tables
from domain import merkle
from domain.alarms import Alarm, AlarmReport
from domain.base import Word
from domain.bookkeeping import Configured, Cursor, LateArrival, Quarantined, Tally
from domain.errors import BadInput
from domain.identity import HOUSE, Principal
from domain.measurements import Batch, Reading
from domain.records import Entry
from telemetry.dedup import Folded, fold
from telemetry.intake import (
    Counters,
    Intake,
    Rejected,
    Sorted,
    StateNotice,
    part_feed,
    read_alertmanager,
    read_plant_alarms,
    read_plant_readings,
    read_plant_states,
    read_tmf642,
)

#: What a door's name means: how its payload is read.
DOORS: dict[str, Callable[[Any, Intake], Sorted[AlarmReport]]] = {
    "alertmanager": read_alertmanager,
    "tmf642": read_tmf642,
}


#: So many samples of one broken rule are kept of one delivery; the tally counts them all.
_MOST_SAMPLES = 50


class Rejection(Word):
    """One item that was not taken, and why."""

    rule: str
    reason: str
    value: str


class Sender(NamedTuple):
    """Who sends, as which source, of which tenant, and on whose behalf (for the record)."""

    actor: str
    source: str
    tenant: str = HOUSE
    on_behalf_of: Mapping[str, tuple[str, ...]] = {}


class Receipt(Word):
    """What became of what was sent."""

    received: int
    kept: int
    late: int
    rejected: int
    alarm_ids: tuple[str, ...] = ()
    rejections: tuple[Rejection, ...] = ()


def intake(road: Road, *, readings_of_s: float | None = None) -> Intake:
    """Return the rules of the moment: what time it is, which elements exist, how late is too late.

    `readings_of_s` widens the lateness bound of readings, for reading history.
    """
    return Intake(
        now=road.clock.now(),
        known=road.live.elements,
        alarm_lateness_s=road.settings.alarm_lateness_s,
        reading_lateness_s=readings_of_s or road.settings.reading_lateness_s,
        counters=Counters() if readings_of_s else road.live.counters,
    )


def receive_alarms(road: Road, who: Principal, door: str, payload: Any) -> Receipt:
    """Take alarms from one of `DOORS`; durable when this returns. They belong to the tenant of the account that sends.

    Elements outside the account's regions are as unknown to it as those that there are not.

    Raises:
        BadInput: the door is unknown, or the payload has not the door's shape at all.
    """
    if door not in DOORS:
        raise BadInput(f"there is no door `{door}`; the doors are {', '.join(sorted(DOORS))}")
    horizon = Horizon(road.live, who)
    known = road.live.elements if horizon.everywhere else frozenset(filter(horizon.element, road.live.elements))
    items = DOORS[door](payload, replace(intake(road), known=known))
    sender = Sender(who.name, door, horizon.tenant, who.on_behalf_of)
    receipt = road.ledger.do(lambda tables: _keep(road, tables, sender, items))
    road.bell.set()
    return receipt


def receive_reports(road: Road, agent: str, reports: Sequence[AlarmReport]) -> Receipt:
    """Take what an agent of the house reports, in our words already; durable when this returns."""
    sender = Sender(agent, agent)
    receipt = road.ledger.do(lambda tables: _keep(road, tables, sender, Sorted(kept=tuple(reports))))
    road.bell.set()
    return receipt


def receive_feed(road: Road, source: str, wait_s: float) -> int:
    """Take what the network has said since last time, in one transaction with the position that was read.

    Returns:
        The number of feed items taken.
    """
    stored = road.ledger.read(lambda tables: tables.cursors.get(source))
    cursor = stored or Cursor(id=source, position=0)
    feed = road.network.poll(cursor.position, wait_s=wait_s)
    if not feed.items:
        return 0
    rules = intake(road)
    parts = part_feed(feed.items)
    alarms = read_plant_alarms(parts.alarms, rules)
    states = read_plant_states(parts.states, rules)
    readings = {name: read_plant_readings(rows, rules) for name, rows in _by_source(parts.readings).items()}
    batches = [batch for name, rows in readings.items() if (batch := _batch(road, name, rows.kept))]
    sums = road.live.hours.due(road.clock.now()) if readings else {}

    def change(tables: Tables) -> Written[Receipt]:
        written = _keep(road, tables, Sender(source, source), alarms)
        entries = [*written.entries, *_keep_readings(road, tables, source, batches, readings)]
        hours.shelve(tables, sums)
        entries += _keep_states(road, tables, source, states, parts.rejected)
        moved = Cursor(id=source, position=feed.position)
        if stored is None:
            tables.cursors.add(moved)
        elif not tables.cursors.swap(stored, moved):
            raise BadInput(f"another reader moved the cursor of `{source}`; run one reader per feed")
        return Written(written.result, tuple(entries), written.messages)

    road.ledger.do(change)
    if sums:
        road.live.hours.stored(road.clock.now())
    for batch in batches:
        road.live.apply(batch)
        road.live.hours.add(batch.readings, road.clock.now())
    for notice in states.kept:
        road.live.twin.configured(notice.element, notice.attribute, notice.value, notice.event_time)
    road.bell.set()
    return len(feed.items)


def history_batches(road: Road, rules: Intake) -> Iterator[Batch]:
    """Yield the network's own history as batches: baselines for `Live.backfill`, not a signal, so not stored.

    One batch per item, so that a long history is never in memory twice.
    """
    for item in part_feed(road.network.history()).readings:
        source = str(item.get("source", "unnamed"))[:256]
        batch = _batch(road, source, read_plant_readings([item], rules).kept)
        if batch:
            yield batch


def _keep(road: Road, tables: Tables, sender: Sender, items: Sorted[AlarmReport]) -> Written[Receipt]:
    """Store kept, late and rejected alarms and the tally; ask for correlation. Of nothing, nothing is stored."""
    if not items.received:
        return Written(Receipt(received=0, kept=0, late=0, rejected=0))
    now = road.clock.now()
    identities = {str(report.key) for report in items.kept}
    standing = _standing(tables, identities, sender.tenant)
    folded = _of_tenant(fold(items.kept, standing, now, road.id), sender.tenant)
    tables.alarms.add(*folded.new)
    for old, new in folded.changed:
        tables.alarms.swap(old, new)
    _set_aside(road, tables, sender.source, items, tenant=sender.tenant)
    _count(tables, sender.source, now, items, folded.repeats, tenant=sender.tenant)
    stored = sorted((*folded.new, *(new for _, new in folded.changed)), key=lambda alarm: alarm.id)
    receipt = Receipt(
        received=items.received,
        kept=len(items.kept),
        late=len(items.late),
        rejected=len(items.rejected),
        alarm_ids=tuple(alarm.id for alarm in stored),
        rejections=tuple(Rejection(rule=r.rule, reason=r.reason, value=r.value) for r in items.rejected),
    )
    return Written(receipt, (_entry(road, sender, receipt, stored),), _asks(road, folded))


def _standing(tables: Tables, identities: set[str], tenant: str) -> dict[str, Alarm]:
    """Return the newest stored alarm of each identity. What two tenants say of one element are two alarms."""
    found = tables.alarms.find(identity=tuple(identities), tenant=tenant) if identities else []
    return {alarm.identity: alarm for alarm in found}


def _of_tenant(folded: Folded, tenant: str) -> Folded:
    """Return the alarms as those of a tenant, who is not telemetry's business."""
    return Folded(
        tuple(alarm.but(tenant=tenant) for alarm in folded.new),
        tuple((old, new.but(tenant=tenant)) for old, new in folded.changed),
        folded.repeats,
    )


def _entry(road: Road, sender: Sender, receipt: Receipt, stored: Sequence[Alarm]) -> Entry:
    """One record for the whole batch, whatever its size; its root covers every alarm in the order of their ids."""
    return Entry(
        kind="receive.alarms.kept",
        actor=sender.actor,
        tenant=sender.tenant,
        refs=receipt.alarm_ids if len(receipt.alarm_ids) <= 16 else (),
        event_time=max((alarm.last_event_time for alarm in stored), default=road.clock.now()),
        residency=road.live.residency(alarm.resource for alarm in stored),
        fields={
            "source": sender.source,
            "received": receipt.received,
            "kept": receipt.kept,
            "late": receipt.late,
            "rejected": receipt.rejected,
            "alarms": len(stored),
            "alarms_root": merkle.root([as_stored(alarm) for alarm in stored]),
            **sender.on_behalf_of,
        },
    )


def as_stored(alarm: Alarm) -> bytes:
    """Return what of an alarm goes into the Merkle root of the record of its batch: the text that the store keeps.

    A repeat or a clear changes a stored alarm and belongs to a later record. So what proves against a record
    (`domain.merkle.proves`, with the record's `alarms` as the size) is the alarm as that batch left it.
    """
    return alarm.model_dump_json().encode()  # canonical JSON would cost as much as the rest of receiving


def _asks(road: Road, folded: Folded) -> tuple[Message, ...]:
    now = road.clock.now()
    asks = []
    if any(not alarm.cleared for alarm in folded.new) or any(not new.correlated for _, new in folded.changed):
        asks.append(Message(id=road.id("msg"), topic="correlate", ref="", due_at=now))
    told = [new for old, new in folded.changed if (old.cleared, old.severity) != (new.cleared, new.severity)]
    touched = {alarm.incident_id for alarm in told if alarm.incident_id}
    asks += [Message(id=road.id("msg"), topic="refresh", ref=incident, due_at=now) for incident in sorted(touched)]
    return tuple(asks)


def _set_aside(
    road: Road, tables: Tables, source: str, items: Sorted[Any], *, sampled: bool = False, tenant: str = HOUSE
) -> None:
    """Quarantine what is bad, with its rule; of readings, samples and how many they stand for."""
    now = road.clock.now()
    by_rule: dict[str, list[Rejected]] = defaultdict(list)
    for item in items.rejected:
        by_rule[item.rule].append(item)
    for rule, broken in by_rule.items():
        most = _MOST_SAMPLES if sampled else len(broken)
        more = len(broken) - most
        stands_for = f" (and {more} more that came with it)" if more > 0 else ""
        tables.quarantine.add(
            *(
                Quarantined(
                    id=road.id("quar"),
                    tenant=tenant,
                    source=source,
                    rule=rule,
                    reason=f"{item.reason}{stands_for}",
                    value=item.value,
                    payload=item.payload,
                    known_time=now,
                )
                for item in broken[:most]
            )
        )
    tables.late.add(
        *(
            LateArrival(
                id=road.id("late"), source=source, payload=item.payload, event_time=item.event_time, known_time=now
            )
            for item in items.late
        )
    )


def _count(
    tables: Tables, source: str, now: datetime, items: Sorted[Any], repeats: int, *, tenant: str = HOUSE
) -> None:
    name = source if tenant == HOUSE else f"{source}@{tenant}"
    old = tables.tallies.get(name)
    base = old or Tally(id=name, tenant=tenant)
    new = base.but(
        received=base.received + items.received,
        kept=base.kept + len(items.kept),
        late=base.late + len(items.late),
        rejected=base.rejected + len(items.rejected),
        repeats=base.repeats + repeats,
        last_known=now,
    )
    if old is None:
        tables.tallies.add(new)
    else:
        tables.tallies.swap(old, new)


def _batch(road: Road, source: str, readings: Sequence[Reading]) -> Batch | None:
    if not readings:
        return None
    times = [reading.event_time for reading in readings]
    return Batch.model_construct(
        id=road.id("batch"),
        source=source,
        known_time=road.clock.now(),
        first_event_time=min(times),
        last_event_time=max(times),
        readings=tuple(readings),
    )


def _by_source(items: Sequence[Any]) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = defaultdict(list)
    for item in items:
        groups[str(item.get("source", "unnamed"))[:256]].append(item)
    return groups


def _keep_states(
    road: Road, tables: Tables, source: str, states: Sorted[StateNotice], odd: Sequence[Rejected]
) -> list[Entry]:
    """Store and record configuration notices; what has no known kind at all is counted with them."""
    items = Sorted(states.kept, states.late, (*states.rejected, *odd))
    if not items.received:
        return []
    _set_aside(road, tables, source, items)
    _count(tables, f"{source}:states", road.clock.now(), items, 0)
    for notice in states.kept:
        _remember(tables, notice)
    told = [[notice.element, notice.attribute, notice.value] for notice in states.kept[:200]]
    counts = [len(items.kept), len(items.late), len(items.rejected)]
    fields = {"notices": told, "kept_late_rejected": counts}
    kind, at = "receive.states.kept", road.clock.now()
    where = road.live.residency(notice.element for notice in states.kept)
    return [Entry(kind=kind, actor=source, refs=(), event_time=at, residency=where, fields=fields)]


def _remember(tables: Tables, notice: StateNotice) -> None:
    """Keep the newest notice of each element and attribute, so that a restart does not forget it."""
    about = {"element": notice.element, "attribute": notice.attribute}
    heard = Configured(
        id=f"{notice.element}:{notice.attribute}", **about, value=notice.value, event_time=notice.event_time
    )
    held = tables.configured.get(heard.id)
    if held is None:
        tables.configured.add(heard)
    elif held.event_time <= heard.event_time:
        tables.configured.swap(held, heard)


def _keep_readings(
    road: Road, tables: Tables, actor: str, batches: Sequence[Batch], readings: Mapping[str, Sorted[Reading]]
) -> list[Entry]:
    """Store readings per source; one record covers them all."""
    if not readings:
        return []
    tables.batches.add(*batches)
    for source, items in readings.items():
        _set_aside(road, tables, source, items, sampled=True)
        _count(tables, source, road.clock.now(), items, 0)
    counts = {source: [len(i.kept), len(i.late), len(i.rejected)] for source, i in readings.items()}
    return [
        Entry(
            kind="receive.readings.kept",
            actor=actor,
            refs=tuple(batch.id for batch in batches),
            event_time=max((batch.last_event_time for batch in batches), default=road.clock.now()),
            residency=road.live.residency(reading.element for batch in batches for reading in batch.readings),
            fields={"kept_late_rejected": counts},
        )
    ]
