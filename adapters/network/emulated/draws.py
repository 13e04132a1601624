"""Draws faults: which element, how large. What is drawn can be seen, and mostly be repaired."""

from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from adapters.network.emulated.faults import MISTAKES, Fault
from adapters.network.emulated.physics import Floats, Router
from adapters.network.emulated.world import World
from domain.diagnosis import FaultKind
from domain.errors import BadInput, Conflict
from domain.network import ROUTING_KINDS, NodeKind

#: What a fault of each kind may befall.
_ROUTERS = frozenset(str(kind) for kind in ROUTING_KINDS)
BEFALLS: dict[FaultKind, frozenset[str]] = {
    FaultKind.INTERFACE_LOCKED: frozenset({"termination_point"}),
    FaultKind.LINK_DOWN: frozenset({"link"}),
    FaultKind.LINK_DEGRADED: frozenset({"link"}),
    FaultKind.CONGESTION: frozenset({"demand"}),
    FaultKind.PROCESS_HUNG: _ROUTERS | {str(NodeKind.GNB)},
    FaultKind.NODE_DOWN: _ROUTERS | {str(NodeKind.GNB)},
    FaultKind.POWER_LOST: frozenset({str(NodeKind.POWER)}),
    FaultKind.CELL_LOCKED: frozenset({str(NodeKind.CELL)}),
    FaultKind.CELL_SLEEPING: frozenset({str(NodeKind.CELL)}),
}

#: How often `choose` takes each kind, where the network has elements for it.
WEIGHTS: dict[FaultKind, float] = {
    FaultKind.INTERFACE_LOCKED: 3.0,
    FaultKind.PROCESS_HUNG: 3.0,
    FaultKind.LINK_DEGRADED: 2.0,
    FaultKind.CONGESTION: 1.5,
    FaultKind.LINK_DOWN: 1.0,
    FaultKind.CELL_LOCKED: 0.8,
    FaultKind.CELL_SLEEPING: 0.8,
}

#: A demand is drawn whose surge by 2 to 5 overflows a link; where there is none, the one that needs least.
_LEAST_SURGE, _MOST_SURGE, _HIGHEST_SURGE = 2.0, 5.0, 100.0
_OVERFLOW = 1.15
_RELIEVED = 0.95
_LOSS = (0.02, 0.3)


class Draws:
    """Draws from a world, in its state without bursts."""

    def __init__(self, world: World) -> None:
        self._world = world

    def choose(self, seed: int, kind: FaultKind | None = None) -> tuple[FaultKind, str]:
        """Return a kind (or the one given) and an element for it; the same seed on the same calm plant gives the same.

        Raises:
            BadInput: the network has nothing that could break, or not so.
        """
        rng = np.random.default_rng([seed, 7])
        weights = dict(WEIGHTS) if kind is None else {kind: 1.0}
        while weights:
            kinds = list(weights)
            shares = np.array([weights[kind] for kind in kinds])
            kind = kinds[int(rng.choice(len(kinds), p=shares / shares.sum()))]
            element = self._element(kind, rng, repairable=True)
            if element is not None:
                return kind, element
            del weights[kind]
        raise BadInput("nothing in this network can break; give it links, demands or cells")

    def fault(
        self, kind: FaultKind, element: str | None, size: float | None, rng: np.random.Generator, at: float
    ) -> Fault:
        """Return a fault of this kind, its element and size drawn unless they are given.

        Raises:
            BadInput: there is no such element, or such a fault cannot befall it.
            Conflict: it has the same fault already.
        """
        if kind not in BEFALLS:
            raise BadInput(f"no fault of kind `{kind}` can be made; choose one of {', '.join(BEFALLS)}")
        chosen = self._element(kind, rng, repairable=False) if element is None else element
        if chosen is None or self._world.kind_of(chosen) not in BEFALLS[kind]:
            raise BadInput(f"`{kind}` cannot befall `{chosen}`; name one of its {' or '.join(sorted(BEFALLS[kind]))}")
        if any(fault.element == chosen for fault in self._world.active(kind)):
            raise Conflict(f"`{chosen}` has the fault `{kind}` already; call for calm first")
        habits = self._world.habits
        fault = Fault(kind=kind, element=chosen, at=at, grey=bool(rng.random() < habits.grey))
        fault.notified = kind in MISTAKES and bool(rng.random() < habits.notified)
        if kind is FaultKind.CONGESTION:
            fault.size = size or min(self._surge(self._world.topology.demand_at[chosen]), _HIGHEST_SURGE)
        if kind is FaultKind.LINK_DEGRADED:
            fault.size = size or float(rng.uniform(*_LOSS))
            fault.back = fault.size * float(rng.uniform(0.2, 1.0)) if rng.random() < 0.7 else 0.0
        fault.battery_s = habits.battery_s.get(chosen, 0.0) if kind is FaultKind.POWER_LOST else 0.0
        return fault

    def _element(self, kind: FaultKind, rng: np.random.Generator, *, repairable: bool) -> str | None:
        """Draw an element that carries something; `repairable`: with a way around it where the repair needs one."""
        kept: Callable[[str], bool] = lambda _: True  # noqa: E731  # the usual case of a choice
        if repairable and kind is FaultKind.LINK_DEGRADED:
            kept = self._survives
        if repairable and kind is FaultKind.CONGESTION:
            kept = self._relievable
        return _one(self._candidates(kind, repairable=repairable), rng, kept)

    def _candidates(self, kind: FaultKind, *, repairable: bool) -> list[str]:
        world, topology = self._world, self._world.topology
        loaded = np.flatnonzero(self._load() > 0.0).tolist()
        if kind is FaultKind.INTERFACE_LOCKED:
            return [topology.sender[arc] for arc in loaded]
        if kind in (FaultKind.LINK_DOWN, FaultKind.LINK_DEGRADED):
            return [topology.links[arc >> 1] for arc in loaded]
        if kind is FaultKind.CONGESTION:
            surges = {demand: self._surge(row) for row, demand in enumerate(topology.demands)}
            usual = [demand for demand, factor in surges.items() if factor <= _MOST_SURGE]
            least = sorted(surges, key=lambda demand: surges[demand])[:1]
            return usual if usual or repairable else least
        busy = {topology.nodes[topology.tail[arc]] for arc in loaded}
        passing = kind in (FaultKind.PROCESS_HUNG, FaultKind.NODE_DOWN)
        return [
            node.id
            for node in world.inventory.nodes
            if str(node.kind) in BEFALLS[kind] and world.up.serves[node.id] and (node.id in busy or not passing)
        ]

    def _load(self) -> Floats:
        load: Floats = np.asarray(self._world.routes.shares.T @ self._world.demands.base).ravel()
        return load

    def _surge(self, row: int) -> float:
        """The least factor of a demand, 2 or more, that overflows an arc; infinity when none does."""
        world = self._world
        base = world.demands.base[row]
        mine = np.asarray(world.routes.shares[row].todense()).ravel() * base
        on = mine > 0.05 * base
        if base <= 0 or not on.any():
            return float("inf")
        rest = self._load() - mine
        least = float(((_OVERFLOW * world.topology.capacity[on] - rest[on]) / mine[on]).min())
        return max(_LEAST_SURGE, least)

    def _relievable(self, demand: str) -> bool:
        """Say whether some waypoint takes the surging demand past every arc that it would overflow."""
        world, topology = self._world, self._world.topology
        row = topology.demand_at[demand]
        source, destination = topology.ends[row]
        base = world.demands.base[row]
        rest = self._load() - np.asarray(world.routes.shares[row].todense()).ravel() * base
        surging = base * self._surge(row)
        ways = set(range(len(topology.nodes)))
        router = Router(topology, world.metrics(), world.up.usable, world.habits.hash_weight, ways)
        for via in sorted(ways - {source, destination}):
            path = router.path(source, destination, via)
            if path is None or len(path) < 2:
                continue
            arcs = np.array(sorted({hop.arc for _, _, hops in path for hop in hops}), dtype=int)
            if (((rest[arcs] + surging) / topology.capacity[arcs]) < _RELIEVED).all():
                return True
        return False

    def _survives(self, link: str) -> bool:
        """Say whether the network hangs together as before without the link."""
        topology = self._world.topology
        usable = self._world.up.usable.copy()
        whole = self._parts(usable)
        index = topology.link_at[link]
        usable[2 * index : 2 * index + 2] = False
        return self._parts(usable) == whole

    def _parts(self, usable: np.ndarray) -> int:
        topology = self._world.topology
        tail, head = np.array(topology.tail)[usable], np.array(topology.head)[usable]
        size = len(topology.nodes)
        return int(connected_components(csr_matrix((np.ones(len(tail)), (tail, head)), shape=(size, size)))[0])


def _one(candidates: list[str], rng: np.random.Generator, kept: Callable[[str], bool] = lambda _: True) -> str | None:
    """Draw one of the candidates that `kept` accepts, trying at most 24, or None."""
    unique = list(dict.fromkeys(candidates))
    order: list[int] = rng.permutation(len(unique)).tolist()
    for index in order[:24]:
        if kept(unique[index]):
            return unique[index]
    return None
