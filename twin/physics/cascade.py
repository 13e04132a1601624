"""Overload cascades: a link that is asked for far more than it carries drops out, and its load moves on to others.

Under heavy overload a line loses its own keep-alives, protection trips or an operator shuts it, so links above a
utilisation drop out together; paths, loads and dependencies are worked out anew; and so on until no link that is left
is above it. Links only ever drop out, so this ends after at most as many rounds as there are links.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from domain.changes import Change, SetOperational
from domain.errors import BadInput
from domain.network import Operational
from twin.evaluate import Prediction, evaluate
from twin.snapshot import Snapshot

#: At this utilisation 3 packets in 8 are lost, so four hellos in a row (a dead OSPF neighbour) within some 13 minutes.
TRIP_AT = 1.6


@dataclass(frozen=True, eq=False)
class Cascade:
    """How overload spreads: per round the links that dropped out (sorted ids), and the state in which it ends."""

    rounds: tuple[tuple[str, ...], ...]
    prediction: Prediction

    @property
    def tripped(self) -> frozenset[str]:
        """All links that dropped out."""
        return frozenset(link for each in self.rounds for link in each)


def cascade(
    snapshot: Snapshot, changes: Sequence[Change] = (), *, trip_at: float = TRIP_AT, hours: float | None = None
) -> Cascade:
    """Return where the overload that follows from an overlay ends.

    Args:
        snapshot: the network before.
        changes: what happens first.
        trip_at: utilisation above which a link drops out, at least 1.
        hours: see `evaluate`.

    Raises:
        BadInput: `trip_at` is below 1 or no number, or as `evaluate` does.
    """
    if not (math.isfinite(trip_at) and trip_at >= 1):
        raise BadInput(f"a link trips at a utilisation of 1 or more, not {trip_at}; give another")
    standing = snapshot.with_changes(changes)
    prediction = evaluate(snapshot, changes, hours=hours)
    rounds: list[tuple[str, ...]] = []
    gone: list[Change] = []
    while over := _over(prediction, trip_at):
        rounds.append(over)
        gone += [SetOperational(element=link, state=Operational.DISABLED) for link in over]
        prediction = evaluate(standing, gone, hours=hours)
    return Cascade(tuple(rounds), prediction)


def _over(prediction: Prediction, trip_at: float) -> tuple[str, ...]:
    """Return the links above a utilisation in their busier direction, sorted by id."""
    busier = prediction.arc_utilisation.reshape(-1, 2).max(axis=1, initial=0.0)
    return tuple(prediction.topology.links[place] for place in np.flatnonzero(busier > trip_at))
