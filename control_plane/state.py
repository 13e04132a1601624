"""The state of the network as one caller may see it, now or at a past moment."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from control_plane.horizon import Horizon
from control_plane.hours import at_hour, hour_of
from control_plane.road import Road
from control_plane.tables import Tables
from domain.alarms import Alarm
from domain.base import Stored
from domain.errors import BadInput
from domain.measurements import Metric
from domain.proposals import TRANSITIONS, Proposal, ProposalState
from twin.evaluate import evaluate
from twin.snapshot import Snapshot

_MOST_ALARMS = 5000
_MOST_PENDING = 1000


def state(road: Road, horizon: Horizon, at: datetime | None) -> dict[str, Any]:
    """Return topology, loads, alarms, slices and pending actions within a horizon.

    What is of the whole network (impact, KPIs, slices) is empty for a caller of some regions only.
    Raises BadInput for a moment in the future.
    """
    moment = at or road.clock.now()
    snapshot, source = snapshot_at(road, at)
    prediction, whole = evaluate(snapshot), horizon.everywhere
    links = [link.id for link in snapshot.inventory.links if horizon.element(link.id)]
    measured = _measured_then(road, snapshot, horizon, at) if at else _measured_loads(road, snapshot, horizon)
    return {
        "at": moment.isoformat(),
        "twin": {
            "digest": snapshot.digest,
            "source": source,
            "error": road.live.twin.fidelity(),
            "fidelity": road.live.fidelity().plain(),
        },
        "topology": _topology(snapshot, horizon),
        "predicted_loads": {link: round(prediction.utilisation(link), 4) for link in links},
        "measured_loads": measured,
        "impact": prediction.impact().model_dump(mode="json") if whole else {},
        "kpis": road.live.kpis(moment) if whole else {},
        "slices": [item.model_dump(mode="json") for item in snapshot.inventory.slices] if whole else [],
        "alarms": [
            alarm.model_dump(mode="json")
            for alarm in road.ledger.read(lambda tables: _standing_at(tables, horizon, moment))
        ],
        "pending": _pending_at(road, horizon, moment),
    }


def _measured_loads(road: Road, snapshot: Snapshot, horizon: Horizon) -> dict[str, dict[str, Any]]:
    """Return the newest utilisation that each interface reported, with its age; what says nothing is not here."""
    loads, now = {}, road.clock.now()
    for point in snapshot.inventory.termination_points:
        seen = road.live.twin.observed(point.id, Metric.UTILISATION) if horizon.element(point.id) else None
        if seen is not None and seen[0] is not None:
            loads[point.id] = {"utilisation": round(seen[0], 4), "age_s": round((now - seen[1]).total_seconds(), 1)}
    return loads


def _measured_then(road: Road, snapshot: Snapshot, horizon: Horizon, at: datetime) -> dict[str, dict[str, Any]]:
    """Return the mean utilisation of each interface in the hour around a past moment, as far as it was measured."""
    regions = {node.region for node in snapshot.inventory.nodes}
    mbps = road.ledger.read(lambda tables: at_hour(tables, sorted(regions), at))
    hour = hour_of(at).isoformat()
    return {
        point: {"utilisation": round(mbps[point] / link.capacity_mbps, 4), "mean_of_hour": hour}
        for link in snapshot.inventory.links
        for point in (link.source, link.destination)
        if point in mbps and horizon.element(point)
    }


def _pending_at(road: Road, horizon: Horizon, at: datetime) -> list[dict[str, Any]]:
    """Return the proposals that were neither settled nor refused at `at`, in the state that the record shows."""
    rows = []
    for proposal in road.ledger.read(lambda tables: _made_by(tables, horizon, at)):
        states = [
            ProposalState(record.fields["state"].value)
            for record in road.ledger.records(horizon.tenant, ref=proposal.id)
            if record.event_time <= at and "state" in record.fields and record.kind.split(".")[1] == "proposal"
        ]
        stood = states[-1] if states else ProposalState.DRAFTED
        if TRANSITIONS[stood]:
            title, incident = proposal.title, proposal.incident_id
            rows.append({"id": proposal.id, "title": title, "state": stood, "incident": incident})
    return rows


def _made_by(tables: Tables, horizon: Horizon, at: datetime) -> list[Proposal]:
    newest = tables.proposals.find(newest=True, limit=_MOST_PENDING, tenant=horizon.tenant)
    return [proposal for proposal in newest if proposal.made_at <= at and horizon.proposal(tables, proposal)]


def snapshot_at(road: Road, at: datetime | None) -> tuple[Snapshot, str]:
    """Return the network as it is believed to be, or was at a past moment, and where that comes from.

    Raises:
        BadInput: the moment lies in the future.
    """
    if at is not None and at > road.clock.now():
        raise BadInput("the state of the future is not known; give a moment that has passed")
    if at is None:
        return road.live.snapshot(), "live"
    states = road.ledger.read(lambda tables: [s for s in tables.twin_states.find() if s.made_at <= at])
    if not states:
        return Snapshot.of(road.live.inventory), "inventory (no earlier snapshot was stored)"
    newest = max(states, key=lambda state: state.made_at)
    return road.live.past(newest.body, newest.inventory_digest), f"snapshot of {newest.made_at.isoformat()}"


def _topology(snapshot: Snapshot, horizon: Horizon) -> dict[str, Any]:
    inventory = snapshot.inventory
    nodes = [node.id for node in inventory.nodes if horizon.element(node.id)]
    links = [link.id for link in inventory.links if horizon.element(link.id)]
    points = [point.id for point in inventory.termination_points if horizon.element(point.id)]
    locked = [id for id in (*nodes, *points, *links) if snapshot.value(id, "administrative") == "locked"]
    return {"name": inventory.name, "nodes": len(nodes), "links": len(links), "locked": locked}


def _standing_at(tables: Tables, horizon: Horizon, at: datetime) -> Sequence[Stored]:
    def stood(alarm: Alarm) -> bool:
        return alarm.event_time <= at and (alarm.cleared_time is None or alarm.cleared_time > at)

    newest = tables.alarms.find(newest=True, limit=_MOST_ALARMS, tenant=horizon.tenant)
    return [alarm for alarm in newest if stood(alarm) and horizon.alarm(alarm)]
