"""What a push means for traffic: room after any one failure, and how much of it the push comes near."""

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from domain.changes import Change, SetAdministrative, SetMetric, SetOperational, SetVia
from domain.network import Administrative, Operational
from twin.configuration.order import Way
from twin.configuration.view import Hit, View, Where
from twin.configuration.wiring import number_of
from twin.evaluate import Prediction, predict
from twin.snapshot import Snapshot, span_failure
from twin.topology import Flags, Floats, Ints

#: Utilisations closer than this are equal.
_SAME = 1e-6


def overlay(view: View) -> tuple[Change, ...]:
    """Return what of a configuration the twin's model knows, as changes to what the inventory declares.

    Metrics (of an asymmetric link the higher one: the twin has one per link), links without adjacency as locked, and
    the first waypoint of each segment routing policy that bears the name of a demand.
    """
    changes: list[Change] = []
    for wire in view.wires:
        if wire.name != wire.link.id:
            continue
        metrics = [end.igp.metric for end in wire.ends if end.igp is not None]
        state = Administrative.UNLOCKED if wire.adjacent else Administrative.LOCKED
        if metrics and max(metrics) != wire.link.metric:
            changes.append(SetMetric(link=wire.link.id, metric=max(metrics)))
        if state is not wire.link.administrative:
            changes.append(SetAdministrative(element=wire.link.id, state=state))
    return (*changes, *_vias(view))


def _vias(view: View) -> Iterator[Change]:
    asked = {}
    for name, router in view.routers.items():
        for policy in router.policies:
            owners = view.owners.get(number_of(policy.via[0]), ()) if policy.via else ()
            asked[name, policy.name] = owners[0][0] if owners else None
    for demand in view.inventory.demands:
        via = asked.get((demand.source, demand.id))
        if demand.source in view.routers and via != demand.via:
            yield SetVia(demand=demand.id, via=via)


def n1_headroom(way: Way) -> Iterator[Hit]:
    """Yield the link that is busiest after one failure, if it is above the limit and busier than it would have been."""
    if not way.push.before.routers:
        return
    old, new = overlay(way.push.before), overlay(way.push.after)
    if set(map(repr, old)) == set(map(repr, new)):
        return
    snapshot = Snapshot.of(way.push.inventory)
    before, after = worst(snapshot.with_changes(old)), worst(snapshot.with_changes(new))
    limit = way.push.policy.max_utilisation
    then, now = after.utilisation, before.utilisation
    bad = (then > limit + _SAME) & (then > now + _SAME)
    if bad.any():
        arc = int(np.argmax(np.where(bad, then, 0.0)))
        link = snapshot.topology.links[arc // 2]
        told = f"`{link}` would be at {then[arc]:.0%} {after.when(arc)}; it would have been at {now[arc]:.0%} at most"
        others = int(np.unique(np.flatnonzero(bad) // 2).size) - 1
        more = f", and {others} other links above {limit:.0%} as well" if others else ""
        yield Hit(link, f"{told}{more}", _places(way))


class Worst(NamedTuple):
    """Per arc the highest `utilisation` in the normal state and after each failure, and the place of that in `names`.

    The place is -1 where it is the normal state.
    """

    utilisation: Floats
    failed: Ints
    names: tuple[str, ...]

    def when(self, arc: int) -> str:
        """Say when an arc is busiest."""
        failed = int(self.failed[arc])
        return f"when `{self.names[failed]}` fails" if failed >= 0 else "with nothing failed"


@lru_cache(maxsize=4)
def worst(snapshot: Snapshot) -> Worst:
    """Return what is busiest after any one failure: of a link, or of all links that share a risk.

    Only links that carry traffic are failed: without the others nothing moves.
    """
    base = predict(snapshot)
    most, which = base.arc_utilisation.copy(), np.full(len(base.arc_load), -1, np.int32)
    failures = list(_failures(snapshot, base.arc_load.reshape(-1, 2).sum(axis=1) > 0))
    for place, (_, changes) in enumerate(failures):
        now = predict(snapshot.with_changes(changes), near=snapshot).arc_utilisation
        higher = now > most
        most[higher], which[higher] = now[higher], place
    return Worst(most, which, tuple(name for name, _ in failures))


def _failures(snapshot: Snapshot, carries: Flags) -> Iterator[tuple[str, tuple[Change, ...]]]:
    """Yield each single failure that moves traffic, with its name."""
    busy = {link for link, carrying in zip(snapshot.topology.links, carries, strict=True) if carrying}
    for link in sorted(busy):
        yield link, (SetOperational(element=link, state=Operational.DISABLED),)
    together = Counter(srlg for link in snapshot.inventory.links for srlg in link.srlgs)
    touched = {srlg for link in snapshot.inventory.links if link.id in busy for srlg in link.srlgs}
    for srlg in sorted(srlg for srlg in touched if together[srlg] > 1):
        yield srlg, span_failure(snapshot.inventory, srlg)


def blast_radius(way: Way) -> Iterator[Hit]:
    """Yield what goes beyond the policy: routers that change, and traffic on its way through what changes."""
    push, policy = way.push, way.push.policy
    if not push.before.routers:
        return
    routers = tuple(name for name in push.changed if any(_weighs(way, key) for key in push.touched if key[0] == name))
    if len(routers) > policy.max_routers:
        shown = ", ".join(f"`{name}`" for name in routers[:3])
        message = f"the push changes {len(routers)} routers ({shown} …) and the policy allows {policy.max_routers}"
        yield Hit("routers", message, _places(way))
    if policy.max_demand_share < 1:
        share = touched_share(way)
        if share > policy.max_demand_share + _SAME:
            told = f"{share:.0%} of the traffic passes what the push changes"
            yield Hit("traffic", f"{told}, and the policy allows {policy.max_demand_share:.0%}", _places(way))


def _weighs(way: Way, key: tuple[str, str, str]) -> bool:
    """Say whether a section differs in more than its description."""
    router, section, name = key
    if section == "interface":
        found = [
            next((each for each in view.routers[router].interfaces if each.name == name), None)
            for view in (way.push.before, way.push.after)
            if router in view.routers
        ]
        plain = {None if each is None else each.model_copy(update={"description": ""}) for each in found}
        return len(found) < 2 or len(plain) > 1
    old, new = way.push.before.routers.get(router), way.push.after.routers.get(router)
    return bool(section) or old is None or new is None or old.local_as != new.local_as


def touched_share(way: Way) -> float:
    """Return the share of the believed traffic that passes a link whose interface changes in more than words."""
    snapshot = Snapshot.of(way.push.inventory)
    at = predict(snapshot.with_changes(overlay(way.push.before)))
    topology = snapshot.topology
    points = {name for key in way.push.touched if key[1] == "interface" and _weighs(way, key) for name in key[2:]}
    arcs = np.zeros(len(topology.tail), np.bool_)
    for point, place in topology.point_at.items():
        if point in points and topology.point_arc[place] >= 0:
            link = 2 * (int(topology.point_arc[place]) // 2)
            arcs[link : link + 2] = True
    total = float(at.demand_mbps.sum())
    return float(at.demand_mbps[_passing(at, arcs)].sum()) / total if total else 0.0


def _passing(at: Prediction, arcs: Flags) -> Flags:
    """Return which demands have an equal way over any of the arcs: they lose something when the arcs lose all."""
    lossy = Prediction(at.topology, at.works, at.reached, at.routing, at.scale, at.capacity, np.where(arcs, 1.0, 0.0))
    passing: Flags = lossy.demand_loss > at.demand_loss + _SAME
    return passing


def _places(way: Way) -> tuple[Where, ...]:
    return tuple(place for router in way.push.changed for place in way.push.places(router))
