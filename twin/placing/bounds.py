"""What a placed circuit may do to the network, and what the network must do for it.

A circuit answers only for what it adds: a link that was too full before it came, and gets nothing from it, is not its
fault. A protected circuit must keep its promise after any single link failure, too, and may then add to no link more
than fits the second limit.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from domain.changes import Change, ScaleDemand, SetAdministrative, SetOperational, SetVia
from domain.errors import BadInput
from domain.network import Administrative, Operational
from twin.evaluate import NOTICEABLE, Prediction, evaluate
from twin.snapshot import Snapshot

#: A demand is scaled up by so much at most.
_MOST = 1000.0
#: Mbit/s that are rounding.
_ADDED = 1e-6


@dataclass(frozen=True)
class Bounds:
    """The highest utilisation that a circuit may bring a link to: `normal`, and `failed` after one link failure."""

    normal: float = 0.8
    failed: float = 0.95

    def __post_init__(self) -> None:
        """Refuse what is no share of a link's capacity. Raises BadInput."""
        if not (0 < self.normal <= 1 and 0 < self.failed <= 1):
            raise BadInput("a link is filled by more than 0 and at most all of its capacity; correct the limits")


@dataclass(frozen=True)
class Way:
    """Where a circuit goes, what it meets there, and how full the fullest of its links is then.

    Attributes:
        circuit: the demand's id.
        via: its waypoint, or None for the default way.
        delay_ms: mean delay on the longest of its equal paths.
        fullest: utilisation of the fullest link direction that it adds to.
        link: which link that is.
    """

    circuit: str
    via: str | None
    delay_ms: float
    fullest: float
    link: str

    def changes(self) -> tuple[Change, ...]:
        """Return what it changes: the circuit offers its traffic, on this way."""
        unlocked = SetAdministrative(element=self.circuit, state=Administrative.UNLOCKED)
        return (unlocked, SetVia(demand=self.circuit, via=self.via))


def committed(snapshot: Snapshot) -> Snapshot:
    """Return the state with ordered circuits that are in service at their agreed rate at least: they may send it."""
    more = {
        demand.id: demand.mbps / now
        for demand in snapshot.inventory.demands
        if demand.administrative is Administrative.LOCKED  # as it was declared: ordered
        and snapshot.value(demand.id, "administrative") == Administrative.UNLOCKED
        and 0.0 < (now := float(snapshot.value(demand.id, "mbps") or 0.0)) < demand.mbps
    }
    return snapshot.with_changes([ScaleDemand(demand=name, factor=min(each, _MOST)) for name, each in more.items()])


def objections(
    before: Snapshot, after: Snapshot, circuits: Sequence[str], protected: Iterable[str], bounds: Bounds
) -> Iterator[str]:
    """Yield what speaks against circuits that are active in `after` and not in `before`, as phrases.

    Raises:
        BadInput: a circuit is no demand of this network.
    """
    yield from _in(evaluate(before), evaluate(after), circuits, bounds.normal, "")
    if guarded := [circuit for circuit in circuits if circuit in set(protected)]:
        loaded = evaluate(after).arc_load > evaluate(before).arc_load + _ADDED
        own = {after.topology.links[arc // 2] for arc in np.flatnonzero(loaded)}
        for link in sorted(working_links(after), key=lambda link: link not in own):  # what is likeliest to matter first
            with_it = evaluate(after, _failure(link))
            yield from _in(_failed(before, link), with_it, guarded, bounds.failed, f" when `{link}` fails")


def _failure(link: str) -> tuple[Change, ...]:
    return (SetOperational(element=link, state=Operational.DISABLED),)


def _failed(before: Snapshot, link: str) -> Prediction:
    """Return the state before, with a link failed: worked out once for all ways that are tried."""
    known: dict[str, Prediction] = before.memo.setdefault("failed", {})
    if link not in known:
        known[link] = evaluate(before, _failure(link))
    return known[link]


def working_links(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the links that work and can carry traffic: those whose failure is news."""
    topology, state = snapshot.topology, evaluate(snapshot)
    usable = state.routing.ask.usable[::2] & (topology.tail[::2] != topology.head[::2])
    return tuple(topology.links[place] for place in np.flatnonzero(usable))


def added(before: Prediction, after: Prediction) -> tuple[float, int]:
    """Return the highest utilisation among the arcs that get more load than before, and which arc that is (or -1)."""
    more = np.flatnonzero(after.arc_load > before.arc_load + _ADDED)
    if not len(more):
        return 0.0, -1
    worst = int(more[np.argmax(after.arc_utilisation[more])])
    return float(after.arc_utilisation[worst]), worst


def _in(before: Prediction, after: Prediction, circuits: Sequence[str], limit: float, when: str) -> Iterator[str]:
    topology = after.topology
    fullest, arc = added(before, after)
    if fullest > limit + NOTICEABLE:  # first: where there is no room, traffic is late and lost, too
        link = topology.links[arc // 2]
        yield f"`{link}` would be {fullest:.0%} full{when}, and {limit:.0%} is the limit"
    for circuit in circuits:
        yield from _promise(after, circuit, when)
    own = {topology.demand_at[circuit] for circuit in circuits}
    hit = np.flatnonzero((after.demand_loss > topology.max_loss + NOTICEABLE) & (after.demand_mbps > 0))
    worse = [place for place in hit if after.demand_loss[place] > before.demand_loss[place] + NOTICEABLE]
    if others := [topology.demands[place] for place in worse if int(place) not in own]:
        yield f"`{others[0]}` would lose {after.loss(others[0]):.1%} of its traffic{when}"
    late = [name for name in after.late_demands if name not in set(before.late_demands) | set(circuits)]
    if late:
        yield f"`{late[0]}` would break its delay bound{when}"


def _promise(after: Prediction, circuit: str, when: str) -> Iterator[str]:
    """What the circuit itself does not get."""
    topology = after.topology
    if circuit not in topology.demand_at:
        raise BadInput(f"`{circuit}` is no demand of this network; declare it first")
    place = topology.demand_at[circuit]
    delay, bound = float(after.worst_delay_ms[place]), float(topology.max_delay_ms[place])
    if not np.isfinite(delay):
        yield f"there is no way for `{circuit}`{when}"
        return
    if delay > bound + NOTICEABLE:
        yield f"`{circuit}` would take {delay:.2f} ms{when}, and {bound:g} ms is promised"
    loss, tolerated = float(after.demand_loss[place]), float(topology.max_loss[place])
    if loss > tolerated + NOTICEABLE:
        yield f"`{circuit}` would lose {loss:.1%}{when}, and {tolerated:.1%} is promised"
