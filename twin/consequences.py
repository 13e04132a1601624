"""What each suspect would break if it alone failed: the twin's word on which symptoms a cause explains.

Each suspect is one `evaluate` that shares the paths of the network as it stands, so dozens cost little more than one.
"""

from collections.abc import Sequence

import numpy as np

from domain.changes import Change, ScaleDemand, SetOperational
from domain.errors import BadInput
from domain.network import Operational
from twin.evaluate import Prediction, evaluate
from twin.snapshot import Snapshot

#: A demand "fails" by growing to this multiple of what is believed.
SURGE = 2.0


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
