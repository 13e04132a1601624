"""Was the rehearsal right? What was measured after a plan, held against the interval that it was rehearsed to bring.

Every plan whose effect was waited for is scored, those that did not help before they are undone: scoring only what went
well would make any twin look calibrated.
"""

from collections.abc import Iterable, Sequence

from control_plane.executor import Matter
from control_plane.ports import Written
from control_plane.road import Road
from control_plane.roster.notices import Told, to_role
from control_plane.tables import Tables
from domain.autonomy import Realised
from domain.base import Word
from domain.identity import Role
from domain.measurements import Metric
from domain.records import Entry
from domain.rehearsal import Rehearsal
from domain.roster import NoticeKind
from stats.anytime import Watch
from stats.shares import clopper_pearson

#: Readings of loss are believed to this share of what is offered.
_NOISE = 0.01
#: So many newest scores are looked at.
_MOST = 200
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


def measured(road: Road, rehearsal: Rehearsal) -> float | None:
    """Return the traffic that is lost now, in Mbit/s; None when a demand that the rehearsal named says nothing."""
    named = {*rehearsal.nothing.expected.demands_hit, *rehearsal.plan.expected.demands_hit}
    demands = {demand.id: demand.mbps for demand in road.live.inventory.demands}
    losses = {id: road.live.observed(id, Metric.LOSS) for id in demands}
    if any(losses.get(id) is None for id in named) or all(loss is None for loss in losses.values()):
        return None
    return sum(demands[id] * float(loss) for id, loss in losses.items() if loss is not None)


def score(road: Road, matter: Matter) -> None:
    """Keep how a plan's rehearsal turned out, once; people are told when the intervals hold too rarely."""
    lost = measured(road, matter.rehearsal)
    if lost is None:
        return
    row = _row(road, matter, lost)

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
    inside, claimed = sum(row.inside for row in kept), min((row.level for row in kept), default=0.9)
    low, high = clopper_pearson(inside, len(kept))
    watch = Watch()
    for row in kept:
        watch = watch.after(not row.inside, 1.0 - row.level)
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


def _row(road: Road, matter: Matter, lost: float) -> Realised:
    plan, nothing = matter.rehearsal.plan, matter.rehearsal.nothing.expected
    slack = _NOISE * max(plan.expected.offered_mbps, nothing.offered_mbps)
    return Realised(
        id=matter.execution.id,
        tenant=matter.proposal.tenant,
        proposal_id=matter.proposal.id,
        requester=matter.proposal.requester,
        classes=matter.proposal.plan.classes,
        expected_mbps=plan.expected.lost_mbps,
        low_mbps=plan.lost_low,
        high_mbps=plan.lost_high,
        level=plan.level,
        nothing_mbps=nothing.lost_mbps,
        measured_mbps=lost,
        inside=plan.lost_low - slack <= lost <= plan.lost_high + slack,
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


def _entry(row: Realised, matter: Matter) -> Entry:
    names = ("expected_mbps", "low_mbps", "high_mbps", "level", "nothing_mbps", "measured_mbps", "inside")
    return Entry(
        kind="verify.rehearsal.scored",
        actor="plane",
        refs=(row.id, row.proposal_id, matter.rehearsal.id, matter.proposal.incident_id),
        event_time=row.known_at,
        tenant=row.tenant,
        residency=matter.proposal.region,
        fields={name: getattr(row, name) for name in names},
    )
