"""What follows for elements and services: what each suspect would break alone, and which promises a state breaks.

Each suspect is one `evaluate` that shares the paths of the network as it stands, so dozens cost little more than one.
"""

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from domain.base import Word
from domain.changes import Change, ScaleDemand, SetOperational
from domain.errors import BadInput
from domain.network import Operational
from twin.evaluate import Prediction, evaluate
from twin.physics.radio import LEAST_SINR
from twin.snapshot import Snapshot

#: A demand "fails" by growing to this multiple of what is believed.
SURGE = 2.0


class ServiceLevels(Word):
    """What a state means for promises and users, beside its `Impact`; lists are sorted by id.

    Delays are those of the longest equal path. Radio figures are None where no cell declares radio.
    """

    max_delay_ms: float | None = Field(default=None, description="longest of all demands that have a path")
    demands_late: tuple[str, ...] = ()
    slices_late: tuple[str, ...] = ()
    customers_late: tuple[str, ...] = ()
    held_back_mbps: float = Field(default=0.0, description="what elastic demands want and cannot send")
    cells_overloaded: tuple[str, ...] = ()
    users_unserved: int | None = None
    radio_lost_mbps: float | None = None


def service_levels(state: Prediction) -> ServiceLevels:
    """Return which delay bounds a state breaks, what elastic traffic goes without, and what users of cells lose."""
    late, radio, sharing = set(state.late_demands), state.radio, state.sharing
    delays = state.worst_delay_ms[np.isfinite(state.worst_delay_ms)]
    services = state.topology.inventory.services
    plan = state.topology.radio
    return ServiceLevels(
        max_delay_ms=float(delays.max()) if delays.size else None,
        demands_late=state.late_demands,
        slices_late=tuple(name for name in state.late_slices if name),
        customers_late=tuple(sorted({each.customer for each in services if not late.isdisjoint(each.demands)})),
        held_back_mbps=0.0 if sharing is None else float((sharing.wanted - sharing.rate).sum()),
        cells_overloaded=() if radio is None else radio.overloaded,
        users_unserved=None if radio is None or plan is None else int(plan.count[radio.sinr < LEAST_SINR].sum()),
        radio_lost_mbps=None if radio is None else radio.lost_mbps,
    )


def consequences(snapshot: Snapshot, candidates: Sequence[str]) -> dict[str, frozenset[str]]:
    """Return, per candidate, itself and the elements that suffer when it fails on its own.

    A node, cell, termination point or link fails by not working; a demand by growing `SURGE`-fold. A demand that
    merely takes another way, without loss, does not suffer.

    Raises:
        BadInput: a candidate is no such element.
    """
    return {name: suffering(snapshot, failure(snapshot, name)) | {name} for name in candidates}


def failure(snapshot: Snapshot, element: str) -> tuple[Change, ...]:
    """Return the overlay in which an element fails on its own. Raises BadInput when it is not one that can."""
    if element in snapshot.topology.demand_at:
        return (ScaleDemand(demand=element, factor=SURGE),)
    if snapshot.topology.own_unit(element) is None:
        raise BadInput(f"`{element}` is no element of this network that can fail; correct the name")
    return (SetOperational(element=element, state=Operational.DISABLED),)


def suffering(snapshot: Snapshot, changes: Sequence[Change]) -> frozenset[str]:
    """Return the elements that are worse off with an overlay on: see `Prediction.affected`, and lost neighbours.

    A routing node whose link goes down loses an adjacency, so both ends of such a link suffer.
    """
    before, after = evaluate(snapshot), evaluate(snapshot, changes)
    return after.affected(before) | _lost_neighbours(before, after)


def _lost_neighbours(before: Prediction, after: Prediction) -> frozenset[str]:
    topology = before.topology
    links = slice(topology.first_link_unit, topology.first_point_unit)
    fallen = np.flatnonzero(before.works[links] & ~after.works[links])
    ends = np.unique(topology.point_node[topology.link_ends[fallen]])
    return frozenset(topology.nodes[node] for node in ends if topology.router_of[node] >= 0)
