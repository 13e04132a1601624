"""Was the rehearsal right? What was measured after a plan, held against what it was rehearsed to bring.

The whole blast radius counts where one was predicted: all its spans must hold. Older rehearsals have the interval of
lost traffic only.

Every plan whose effect was waited for is scored, those that did not help before they are undone: scoring only what went
well would make any twin look calibrated.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from control_plane.autonomy import blasts
from control_plane.executor import Matter
from control_plane.gathering import ONSET_SLACK
from control_plane.ports import Written
from control_plane.road import Road
from control_plane.roster.notices import Told, to_role
from control_plane.suffering import Sufferers, suffering_now
from control_plane.tables import Tables
from domain.autonomy import Realised
from domain.base import Word
from domain.identity import Role
from domain.records import Entry
from domain.roster import NoticeKind
from stats.anytime import Watch
from stats.shares import clopper_pearson

#: So many newest scores are looked at.
_MOST = 200
#: So many of the silent are named in the record.
_MOST_NAMED = 20
#: The e-value at which it is said that the intervals hold less often than they claim.
_SUSPICION = 20.0


class Coverage(Word):
    """How often the intervals held, of `n` plans; `low` and `high` hold the true share with 95 %."""

    n: int
    inside: int
    claimed: float
    share: float | None
    low: float
    high: float
    suspicion: float


def score(road: Road, matter: Matter, *, recovered: bool = False) -> None:
    """Keep how a plan's rehearsal turned out, once; people are told when the intervals hold too rarely.

    What cannot be measured, because something that the rehearsal named says nothing, is not scored: the record says so.
    """
    now = suffering_now(road.live, _onset(road, matter))
    if unknown := _unknown(road, matter, now):
        road.ledger.do(lambda _: Written(None, (_not_scored(road, matter, unknown),)))
        return
    row = _row(road, matter, now, recovered=recovered)

    def change(tables: Tables) -> Written[None]:
        if tables.realised.get(row.id) is not None:
            return Written(None)
        tables.realised.add(row)
        told = _told(road, tables, row)
        return Written(None, (_entry(row, matter), *told.entries), told.messages)

    road.ledger.do(change)


def coverage(rows: Iterable[Realised]) -> Coverage:
    """Return how often the intervals held, in the order in which the rows are given."""
    kept = list(rows)
    held = [_held(row) for row in kept]
    inside, claimed = sum(held), min((row.level for row in kept), default=0.9)
    low, high = clopper_pearson(inside, len(kept))
    watch = Watch()
    for row, holds in zip(kept, held, strict=True):
        watch = watch.after(not holds, 1.0 - row.level)
    share = inside / len(kept) if kept else None
    return Coverage(
        n=len(kept),
        inside=inside,
        claimed=claimed,
        share=share,
        low=low,
        high=high,
        suspicion=round(watch.e_value, 3),
    )


def newest(tables: Tables, tenant: str) -> Sequence[Realised]:
    """Return the newest scores of a tenant, in the order in which they became known."""
    found = tables.realised.find(tenant=tenant, newest=True, limit=_MOST)
    return sorted(found, key=lambda row: (row.known_at, row.id))


def _held(row: Realised) -> bool:
    """Whether everything held that was predicted."""
    return row.inside if row.blast is None else row.blast.inside


def _onset(road: Road, matter: Matter) -> datetime:
    incident = road.ledger.read(lambda tables: tables.incidents.get(matter.execution.incident_id))
    return (incident.opened_at if incident else matter.execution.started_at) - ONSET_SLACK


def _unknown(road: Road, matter: Matter, now: Sufferers) -> list[str]:
    """Return what says nothing and would have to be known; all of the demands are, when none says anything."""
    demands = {demand.id for demand in road.live.inventory.demands}
    if demands <= now.unseen:
        return blasts.unseen(matter, now) or sorted(demands)
    return sorted({*blasts.unseen(matter, now), *blasts.gone_silent(road, matter, now)})


def _row(road: Road, matter: Matter, now: Sufferers, *, recovered: bool) -> Realised:
    plan, nothing, lost = matter.rehearsal.plan, matter.rehearsal.nothing.expected, now.lost_mbps
    slack = blasts.NOISE * max(plan.expected.offered_mbps, nothing.offered_mbps)
    blast = blasts.scored(road, matter, now, recovered=recovered)
    return Realised(
        id=matter.execution.id,
        tenant=matter.proposal.tenant,
        proposal_id=matter.proposal.id,
        requester=matter.proposal.requester,
        classes=matter.proposal.plan.classes,
        expected_mbps=plan.expected.lost_mbps,
        low_mbps=plan.lost_low,
        high_mbps=plan.lost_high,
        level=plan.level if blast is None else blast.predicted.level,
        nothing_mbps=nothing.lost_mbps,
        measured_mbps=lost,
        inside=plan.lost_low - slack <= lost <= plan.lost_high + slack,
        blast=blast,
        known_at=road.clock.now(),
    )


def _told(road: Road, tables: Tables, row: Realised) -> Told:
    """Tell operators when the intervals hold less often than they claim; once for each hundred scores."""
    rows = newest(tables, row.tenant)
    found = coverage(rows)
    if found.suspicion < _SUSPICION:
        return Told()
    text = (
        f"the twin's intervals held {found.inside} of {found.n} times, and claim {found.claimed:.0%}: "
        "its forecasts are not to be trusted before it is looked at"
    )
    mark = f"coverage {tables.realised.count(tenant=row.tenant) // 100}"
    return to_role(
        road, tables, Role.OPERATOR, tenant=row.tenant, kind=NoticeKind.ALARM, ref="twin", text=text, mark=mark
    )


def _not_scored(road: Road, matter: Matter, unknown: Sequence[str]) -> Entry:
    return Entry(
        kind="verify.rehearsal.not_scored",
        actor="plane",
        refs=(matter.execution.id, matter.proposal.id, matter.rehearsal.id, matter.proposal.incident_id),
        event_time=road.clock.now(),
        tenant=matter.proposal.tenant,
        residency=matter.proposal.region,
        fields={"silent": list(unknown[:_MOST_NAMED]), "of": len(unknown)},
    )


def _entry(row: Realised, matter: Matter) -> Entry:
    names = ("expected_mbps", "low_mbps", "high_mbps", "level", "nothing_mbps", "measured_mbps", "inside")
    told: dict[str, Any] = {name: getattr(row, name) for name in names}
    if row.blast is not None:
        told |= {"blast": row.blast.model_dump(mode="json"), "blast_inside": row.blast.inside}
    return Entry(
        kind="verify.rehearsal.scored",
        actor="plane",
        refs=(row.id, row.proposal_id, matter.rehearsal.id, matter.proposal.incident_id),
        event_time=row.known_at,
        tenant=row.tenant,
        residency=matter.proposal.region,
        fields=told,
    )
