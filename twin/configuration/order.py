"""Each state on the way: after every single push, does all traffic still arrive that arrived before?

A state is a set of routers that have their new configuration. It is safe when no packet circles that did not, and
whatever arrived before still does (if anybody still has it in the end). Whether a state is safe does not depend on
the order that led to it, so the search for a safe order visits each set once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from domain.configuration import Duplex, RouterConfiguration, StaticRoute
from domain.errors import BadInput
from twin.configuration.forwarding import Fate
from twin.configuration.view import Hit, Push, View
from twin.configuration.wiring import Block, block_of, is_local, number_of

#: States that a search may look at, and routers that it may have to order.
_BUDGET, _MOST_MOVERS = 200, 100


@dataclass(frozen=True)
class Trouble:
    """What goes wrong in a state: with packets to an address, from the named routers."""

    address: int
    sources: tuple[str, ...]


@dataclass(frozen=True)
class State:
    """Loops and black holes that the routers in force before do not have."""

    loops: tuple[Trouble, ...] = ()
    holes: tuple[Trouble, ...] = ()

    @property
    def safe(self) -> bool:
        return not self.loops and not self.holes


@dataclass
class Way:
    """The states between two configurations, each worked out once."""

    push: Push
    known: dict[frozenset[str], State] = field(default_factory=dict)

    @cached_property
    def movers(self) -> tuple[str, ...]:
        """The routers whose new configuration forwards otherwise, sorted; none where nothing is in force yet."""
        old, new = self.push.before.routers, self.push.after.routers
        if not old:
            return ()
        return tuple(name for name in self.push.changed if _forwards(old.get(name)) != _forwards(new.get(name)))

    @cached_property
    def addresses(self) -> tuple[int, ...]:
        """One address for each set of addresses that all states treat alike: customers', loopbacks', static routes'."""
        blocks = {block for view in (self.push.before, self.push.after) for block in _blocks(view)}
        edges = {edge for start, length in blocks for edge in (start, start + (1 << (32 - length)))}
        by_length: dict[int, set[int]] = {}
        for start, length in blocks:
            by_length.setdefault(length, set()).add(start)
        lengths = sorted(by_length)
        flows = {number_of(flow.destination) for flow in self.push.policy.flows}
        return tuple(
            edge
            for edge in sorted(edges | flows)
            if edge < 1 << 32 and any(edge >> (32 - n) << (32 - n) in by_length[n] for n in lengths)
        )

    def state(self, pushed: frozenset[str]) -> State:
        """Return what is wrong when these routers have their new configuration and the others their old one."""
        movers = pushed & set(self.movers)
        if movers not in self.known:
            self.known[movers] = self._look(movers) if movers else State()
        return self.known[movers]

    def _look(self, pushed: frozenset[str]) -> State:
        before, after = self.push.before, self.push.after
        whole = pushed == set(self.movers)
        now = after if whole else before.with_routers(_mixed(before.routers, after.routers, pushed))
        there = np.array([name in now.routers for name in now.names], np.bool_)  # who is taken away sends nothing
        loops, holes = [], []
        for address in self.addresses:
            plain = now.forwarding.plainly_good(address)
            if plain is not None and plain.all():
                continue
            was, is_now = before.forwarding.fate(address), now.forwarding.fate(address)
            if is_now.good.all():
                continue
            circling = is_now.looping & ~was.looping
            lost = was.good & ~is_now.good & ~circling & there
            if circling.any():
                loops.append(self._trouble(address, circling))
            if lost.any() and _kept(after.forwarding.fate(address)):
                holes.append(self._trouble(address, lost))
        return State(tuple(loops), tuple(holes))

    def _trouble(self, address: int, where: np.ndarray) -> Trouble:
        return Trouble(address, tuple(self.push.before.names[place] for place in np.flatnonzero(where)))

    @property
    def wide(self) -> bool:
        """Whether more routers move than the policy allows, or a search can order: the push must be split first."""
        return len(self.movers) > min(self.push.policy.max_routers, _MOST_MOVERS)

    def walk(self, order: tuple[str, ...]) -> Iterator[tuple[str, State]]:
        """Yield each router of an order with the state after its push; of a wide push without order, the last alone."""
        for count, name in enumerate(order, 1):
            if count == len(order) or self.push.order is not None or not self.wide:
                yield name, self.state(frozenset(order[:count]))

    def is_safe(self, order: tuple[str, ...]) -> bool:
        """Say whether every state on the way is safe."""
        return all(state.safe for _, state in self.walk(order))

    @cached_property
    def safe_order(self) -> tuple[str, ...] | None:
        """All changed routers in an order without an unsafe state; None when there is none, or none was found."""
        movers = self.movers
        if self.wide or not self.state(frozenset(movers)).safe:
            return None
        rest = tuple(name for name in self.push.changed if name not in movers)
        found = self._search((), set())
        return None if found is None else (*rest, *found)

    def _search(self, path: tuple[str, ...], dead: set[frozenset[str]]) -> tuple[str, ...] | None:
        """Go on from a safe path, depth first; sets from which no way leads on are not entered again."""
        if len(path) == len(self.movers):
            return path
        for name in self.movers:
            pushed = frozenset((*path, name))
            if name in path or pushed in dead or self.exhausted:
                continue
            if self.state(pushed).safe:
                found = self._search((*path, name), dead)
                if found is not None:
                    return found
            dead.add(pushed)
        return None

    @property
    def exhausted(self) -> bool:
        """Whether the search looked at as many states as it may: then "none" means "none found"."""
        return len(self.known) >= _BUDGET

    @cached_property
    def given(self) -> tuple[str, ...]:
        """The order that was asked for, or a safe one, or (when there is none) the changed routers as sorted.

        Raises:
            BadInput: the order asked for leaves out a router that changes, names one twice, or one that is not there.
        """
        order, changed = self.push.order, self.push.changed
        if order is None:
            return self.safe_order or changed
        if len(set(order)) < len(order):
            raise BadInput("the order of the pushes names a router twice; name each one once")
        for name in order:
            if name not in self.push.after.wiring.routers:
                raise BadInput(f"the order of the pushes names `{name}`, which is no router here; correct the name")
        missing = sorted(set(changed) - set(order))
        if missing:
            raise BadInput(f"the order of the pushes leaves out `{missing[0]}`, which changes; add it")
        return tuple(name for name in order if name in changed)


def step_hits(push: Push, way: Way, *, loops: bool) -> Iterator[Hit]:
    """Yield the first state on the way with loops (or with black holes)."""
    order = way.given
    for name, state in way.walk(order):
        troubles = state.loops if loops else state.holes
        if troubles:
            what = "go round in circles" if loops else "do not arrive any more"
            who = _listed(troubles[0].sources)
            more = f" (and to {len(troubles) - 1} other destinations)" if len(troubles) > 1 else ""
            told = f"packets from {who} to {_written(troubles[0].address)}{more} {what}; {_advice(way)}"
            step = order.index(name) + 1
            message = f"after step {step} of {len(order)}, the push of `{name}`, {told}"
            yield Hit(f"push of {name}", message, push.places(name))
            return


def _advice(way: Way) -> str:
    if way.safe_order is not None:
        return f"a safe order is {_listed(way.safe_order, most=20)}"
    if way.wide:
        return "split the push, and a safe order is searched for"
    if not way.state(frozenset(way.movers)).safe:
        return "no order helps: the last state itself is not safe"
    found = "was found among the states looked at" if way.exhausted else "exists"
    return f"no safe order {found}"


def _listed(names: tuple[str, ...], most: int = 3) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def _written(address: int) -> str:
    return ".".join(str(part) for part in address.to_bytes(4, "big"))


def _mixed(
    old: dict[str, RouterConfiguration], new: dict[str, RouterConfiguration], pushed: frozenset[str]
) -> dict[str, RouterConfiguration]:
    """Return the routers' configurations in a state; a push may also remove one, or bring a new one."""
    names = [*old, *(name for name in new if name not in old)]
    mixed = {name: (new if name in pushed else old).get(name) for name in names}
    return {name: router for name, router in mixed.items() if router is not None}


def _kept(fate: Fate) -> bool:
    """Say whether anybody has the address."""
    return any(good and not hops for good, hops in zip(fate.good, fate.hops, strict=True))


def _forwards(router: RouterConfiguration | None) -> tuple[tuple[object, ...], tuple[StaticRoute, ...]] | None:
    """Return what of a router's configuration decides about forwarding."""
    if router is None:
        return None
    plain = {"description": "", "duplex": Duplex.FULL, "access_in": "", "access_out": ""}
    return tuple(interface.model_copy(update=plain) for interface in router.interfaces), router.routes


def _blocks(view: View) -> Iterator[Block]:
    for _, interface in view.interfaces():
        if interface.address is not None and is_local(interface.name):
            yield block_of(interface.address)
    for router in view.routers.values():
        for route in router.routes:
            yield block_of(route.prefix)
