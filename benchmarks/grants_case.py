"""One case of the grants bench: a fault, a plan that is sound for it, and then things happen.

The truth is a snapshot that nobody else sees. What is believed is a live twin, which is told what devices report
(noisy readings, configuration) and follows as it does in a house; a failure shows in it only as readings.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from domain.actions import Action, DispatchCrew, DrainLink, InterfaceUp, SteerDemand
from domain.changes import Change, ScaleDemand, SetAdministrative, SetMetric, SetOperational
from domain.measurements import Batch, Metric, Reading
from domain.network import Administrative, Inventory, Link, Operational
from domain.proposals import Plan
from domain.rehearsal import Rehearsal
from twin.evaluate import Prediction, predict
from twin.live import LiveTwin
from twin.rehearsal import rehearse
from twin.snapshot import Snapshot

NOON = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)
_NOISE = 0.01
_CONFIGURED = frozenset({"administrative", "metric", "via"})
_SURE = 0.9

Overlay = tuple[Change, ...]


@dataclass
class Believed:
    """What a house knows: a live twin and the newest readings."""

    inventory: Inventory
    rng: np.random.Generator
    at: datetime = NOON
    twin: LiveTwin = field(init=False)

    def __post_init__(self) -> None:
        self.twin = LiveTwin(self.inventory)

    def hear(self, truth: Snapshot) -> None:
        """Take in what every interface and router reports of the truth, and how it is configured."""
        self.at += timedelta(seconds=30)
        known = {"known_time": self.at, "first_event_time": self.at, "last_event_time": self.at}
        self.twin.readings(Batch(id=f"batch_{self.at:%H%M%S}", source="pm", readings=self._read(truth), **known))
        for attribute, values in self.twin.snapshot().state.items():  # what is not so any more
            for element in values if attribute in _CONFIGURED else ():
                self._configure(truth, element, attribute)
        for attribute, values in truth.state.items():
            for element in values if attribute in _CONFIGURED else ():
                self._configure(truth, element, attribute)

    def observed(self, element: str, attribute: str) -> str | float | None:
        """Return the present value of a fact, as `Live.observed` does."""
        if attribute in _CONFIGURED:
            value = self.twin.snapshot().value(element, attribute)
            return None if value is None else str(value)
        seen = self.twin.observed(element, Metric(attribute))
        if seen is None or seen[0] is None:
            return None
        return f"{seen[0]:g}" if attribute == Metric.OPER_UP else seen[0]

    def _configure(self, truth: Snapshot, element: str, attribute: str) -> None:
        self.twin.configured(element, attribute, str(truth.value(element, attribute)), self.at)

    def _read(self, truth: Snapshot) -> tuple[Reading, ...]:
        prediction, topology = predict(truth), truth.topology
        routers = [topology.nodes[place] for place in topology.routers]
        up = {name: prediction.available(name) for name in (*topology.points, *routers)}
        noise = self.rng.normal(1.0, _NOISE, len(topology.points))
        rows = [(name, Metric.OPER_UP, float(works)) for name, works in up.items()]
        rows += [
            (name, Metric.UTILISATION, float(min(prediction.utilisation(name), 1.0) * wobble) if up[name] else 0.0)
            for name, wobble in zip(topology.points, noise, strict=True)
        ]
        return tuple(
            Reading(element=name, metric=metric, value=value, event_time=self.at) for name, metric, value in rows
        )


def rehearsed(plan: Plan, snapshot: Snapshot, overlay: Overlay, believed: Believed, error: float | None) -> Rehearsal:
    """Rehearse a plan under one hypothesis, as a house does."""
    return rehearse(
        proposal_id="prop_bench",
        plan=plan,
        snapshot=snapshot,
        hypotheses=[(_SURE, overlay)],
        observed=believed.observed,
        twin_error=error,
        self_heal=0.0,
        now=believed.at,
        new_id=lambda prefix: f"{prefix}_bench",
    )


#: What goes wrong: a locked interface, a broken link, demands that outgrow their way.
LOCKED, BROKEN, CONGESTED = range(3)


def faults(
    inventory: Inventory, rng: np.random.Generator, kinds: Sequence[int] = (LOCKED, BROKEN, CONGESTED)
) -> Iterator[tuple[str, Overlay, Overlay, Sequence[Plan]]]:
    """Yield faults for ever: kind, what it changes that is configured, what it changes besides, and plans to try."""
    links, demands = list(inventory.links), list(inventory.demands)
    routers = sorted({end for link in links for end in _ends(inventory, link.id)})
    while True:
        link = links[rng.integers(len(links))]
        match rng.choice(kinds):
            case 0:  # locked
                locked = SetAdministrative(element=link.source, state=Administrative.LOCKED)
                yield "locked", (locked,), (), [Plan(steps=(InterfaceUp(target=link.source),))]
            case 1:  # broken
                broken = SetOperational(element=link.id, state=Operational.DISABLED)
                yield "broken", (), (broken,), [Plan(steps=(DispatchCrew(target=link.id),))]
            case _:
                chosen = rng.choice(len(demands), size=int(rng.integers(1, 4)), replace=False)
                grown = tuple(
                    ScaleDemand(demand=demands[place].id, factor=float(rng.uniform(3, 12))) for place in chosen
                )
                named = [demands[place].id for place in chosen]
                ways = [_around(named, routers, rng) for _ in range(10)]
                drains = [
                    Plan(steps=(DrainLink(target=one.id, previous_metric=one.metric),)) for one in _some(links, rng)
                ]
                yield "congested", (), grown, [*ways, *drains]


def happenings(  # noqa: PLR0911 - one return per kind
    inventory: Inventory, near: Sequence[str], rng: np.random.Generator
) -> tuple[str, Overlay]:
    """Draw something that happens to the network: half of the time to what the plan is about."""
    links, demands = {link.id: link for link in inventory.links}, [demand.id for demand in inventory.demands]
    close = [name for name in near if name in links]
    pool = close if close and rng.random() < 0.5 else list(links)
    link = links[pool[rng.integers(len(pool))]]
    match rng.integers(7):
        case 0:
            return "link_fails", (SetOperational(element=link.id, state=Operational.DISABLED),)
        case 1:
            return "interface_locked", (SetAdministrative(element=link.source, state=Administrative.LOCKED),)
        case 2:
            return "metric", (SetMetric(link=link.id, metric=int(rng.integers(1, 200))),)
        case 3:
            return "surge", (ScaleDemand(demand=demands[rng.integers(len(demands))], factor=float(rng.uniform(2, 8))),)
        case 4:
            some = rng.choice(len(demands), size=max(1, len(demands) // 10), replace=False)
            return "shift", tuple(ScaleDemand(demand=demands[p], factor=float(rng.uniform(0.6, 1.5))) for p in some)
        case 5:
            node = inventory.nodes[rng.integers(len(inventory.nodes))].id
            return "node_fails", (SetOperational(element=node, state=Operational.DISABLED),)
        case _:
            return "noise", tuple(ScaleDemand(demand=d, factor=float(rng.normal(1.0, 0.05))) for d in demands)


def masked(before: Prediction, happened: Overlay) -> bool:
    """Say whether something breaks that does not work anyway: nobody, and no telemetry, can see that."""
    broken = [change.element for change in happened if isinstance(change, SetOperational | SetAdministrative)]
    return any(not before.available(element) for element in broken)


def with_all(snapshot: Snapshot, overlays: Sequence[Overlay]) -> Snapshot:
    """Lay overlays over a snapshot one after the other; later ones win."""
    for overlay in overlays:
        snapshot = snapshot.with_changes(overlay)
    return snapshot


def _around(demands: Sequence[str], routers: Sequence[str], rng: np.random.Generator) -> Plan:
    steps: list[Action] = [
        SteerDemand(target=demand, via=routers[int(rng.integers(len(routers)))]) for demand in demands
    ]
    return Plan(steps=tuple(steps))


def _ends(inventory: Inventory, link_id: str) -> tuple[str, ...]:
    node_of = {point.id: point.node for point in inventory.termination_points}
    link = next(link for link in inventory.links if link.id == link_id)
    return node_of[link.source], node_of[link.destination]


def _some(links: Sequence[Link], rng: np.random.Generator) -> list[Link]:
    return [links[place] for place in rng.choice(len(links), size=min(12, len(links)), replace=False)]
