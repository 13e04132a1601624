"""The hidden parameters of a plant, drawn once from its seed: nobody outside the process is told any of them.

The ranges are wide on purpose, wider than those of anything that is trained: what works here has to work without
knowing them.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from adapters.network.emulated.physics import Floats, Topology
from domain.network import Inventory, NodeKind

#: The management systems that speak about alarms, by the vendor whose words they use.
SPEAKERS = ("alba", "borea", "cygnus", "delta")


@dataclass(frozen=True)
class Speaker:
    """How alarms of one management system reach an operator. Times in seconds, the rest shares."""

    source: str
    jitter_s: float
    late: float
    late_s: float
    duplicated: float
    lost: float
    repeat_s: float
    skew_s: float


@dataclass(frozen=True)
class Collector:
    """How readings of one collector reach an operator. `pings`: it notices itself when a node is gone."""

    source: str
    jitter_s: float
    late: float
    late_s: float
    gap: float
    null: float
    blackout_every_s: float
    blackout_s: float
    pings: bool
    skips_missing: bool


@dataclass(frozen=True)
class Sensors:
    """Noise and lies of the counters. Per termination point: `bias`, and whether it is `stuck` or `rosy`
    (it says that all is well whatever happens).
    """

    noise: float
    probe_noise: float
    error_floor: float
    bias: Floats
    stuck: NDArray[np.bool_]
    rosy: NDArray[np.bool_]


@dataclass(frozen=True)
class Bursts:
    """How demands vary: an AR(1) in the logarithm per demand, its size going up and down, and a common tide."""

    sigma: float
    memory_s: float
    swing: float
    swing_period_s: float
    tide: float
    tide_period_s: float


@dataclass(frozen=True)
class Habits:
    """Everything that is drawn. Arrays follow the order of `Topology` and of the inventory."""

    demand_factor: Floats
    hash_weight: Floats
    list_weight: Floats
    delay_factor: Floats
    queue_ms: Floats
    buffer_ms: float
    convergence_s: float
    restart_s: float
    restart_dips_s: float
    bursts: Bursts
    sensors: Sensors
    cpu: dict[str, float]
    uptime_s: dict[str, float]
    battery_s: dict[str, float]
    cell_mbps: dict[str, float]
    hung_spins: bool
    grey: float
    notified: float
    false_alarm_every_s: float
    speakers: dict[str, Speaker]
    collectors: tuple[Collector, ...]
    collector_of: dict[str, int]

    @classmethod
    def drawn(cls, inventory: Inventory, topology: Topology, seed: int) -> "Habits":
        """Return the habits of this seed: the same seed and inventory always give the same."""
        rng = np.random.default_rng([seed, 1])
        arcs, demands = len(topology.tail), len(topology.demands)
        collectors = tuple(_collector(rng, index) for index in range(int(rng.integers(3, 6))))
        return cls(
            demand_factor=rng.lognormal(0.0, rng.uniform(0.08, 0.3), demands),
            hash_weight=rng.lognormal(0.0, rng.uniform(0.05, 0.35), arcs),
            list_weight=_list_weights(seed, demands),
            delay_factor=np.repeat(rng.uniform(1.0, 1.25, arcs // 2), 2),
            queue_ms=rng.uniform(0.02, 0.4, arcs),
            buffer_ms=float(rng.uniform(20, 120)),
            convergence_s=float(rng.uniform(0.1, 0.9)),
            restart_s=float(rng.uniform(0.8, 1.4)),
            restart_dips_s=float(rng.uniform(0.0, 0.4)),
            bursts=_bursts(rng),
            sensors=_sensors(rng, arcs),
            cpu=_per_node(inventory, rng, 0.08, 0.45),
            uptime_s=_per_node(inventory, rng, 3_600, 60 * 86_400),
            battery_s=_batteries(inventory, rng),
            cell_mbps=_per_node(inventory, rng, 15, 180, NodeKind.CELL),
            hung_spins=bool(rng.random() < 0.5),
            grey=0.2,
            notified=float(rng.uniform(0.3, 0.9)),
            false_alarm_every_s=float(rng.uniform(120, 480)),
            speakers={name: _speaker(rng, number) for number, name in enumerate(SPEAKERS, 1)},
            collectors=collectors,
            collector_of=_collector_of(inventory, rng, len(collectors)),
        )

    def with_demand(self, name: str) -> "Habits":
        """Return the habits with those of one demand more: its customer sends what was agreed, or somewhat less."""
        rng = np.random.default_rng(list(name.encode()))
        factor, weight = min(1.0, rng.lognormal(-0.1, 0.1)), rng.lognormal(0.0, 0.1)
        return replace(
            self,
            demand_factor=np.append(self.demand_factor, factor),
            list_weight=np.append(self.list_weight, weight),
        )


def _list_weights(seed: int, demands: int) -> Floats:
    """How much bigger the flows are that are hashed onto a policy's list; its stream leaves the other habits alone."""
    rng = np.random.default_rng([seed, 9])
    return rng.lognormal(0.0, rng.uniform(0.02, 0.15), demands)


def _bursts(rng: np.random.Generator) -> Bursts:
    return Bursts(
        sigma=float(rng.uniform(0.01, 0.06)),
        memory_s=float(rng.uniform(2, 20)),
        swing=float(rng.uniform(0.0, 0.6)),
        swing_period_s=float(rng.uniform(20, 200)),
        tide=float(rng.uniform(0.0, 0.06)),
        tide_period_s=float(rng.uniform(600, 7_200)),
    )


def _sensors(rng: np.random.Generator, points: int) -> Sensors:
    biased = rng.random(points) < 0.04
    return Sensors(
        noise=float(rng.uniform(0.005, 0.03)),
        probe_noise=float(rng.uniform(1e-5, 3e-4)),
        error_floor=float(rng.uniform(1e-7, 5e-6)),
        bias=np.where(biased, rng.uniform(0.75, 1.25, points), 1.0),
        stuck=rng.random(points) < 0.01,
        rosy=rng.random(points) < 0.01,
    )


def _speaker(rng: np.random.Generator, number: int) -> Speaker:
    return Speaker(
        source=f"emulated:alarms-{number}",
        jitter_s=float(rng.uniform(0.2, 1.5)),
        late=float(rng.uniform(0.0, 0.12)),
        late_s=float(rng.uniform(1.0, 4.0)),
        duplicated=float(rng.uniform(0.02, 0.15)),
        lost=float(rng.uniform(0.0, 0.04)),
        repeat_s=float(rng.uniform(10, 30)),
        skew_s=float(rng.normal(0.0, 0.08)),
    )


def _collector(rng: np.random.Generator, index: int) -> Collector:
    return Collector(
        source=f"emulated:pm-{index + 1}",
        jitter_s=float(rng.uniform(0.02, 0.25)),
        late=float(rng.uniform(0.0, 0.04)),
        late_s=float(rng.uniform(0.5, 3.0)),
        gap=float(rng.uniform(0.0, 0.02)),
        null=float(rng.uniform(0.0, 0.006)),
        blackout_every_s=float(rng.uniform(1_200, 3_600)),
        blackout_s=float(rng.uniform(1.5, 5.0)),
        pings=bool(rng.random() < 0.75),
        skips_missing=bool(rng.random() < 0.5),
    )


def _per_node(
    inventory: Inventory, rng: np.random.Generator, low: float, high: float, kind: NodeKind | None = None
) -> dict[str, float]:
    return {node.id: float(rng.uniform(low, high)) for node in inventory.nodes if kind in (None, node.kind)}


def _batteries(inventory: Inventory, rng: np.random.Generator) -> dict[str, float]:
    """Seconds that a site's batteries hold; 0 for the sites without any (about a third of them)."""
    power = [node.id for node in inventory.nodes if node.kind is NodeKind.POWER]
    return {node: float(rng.uniform(8, 90)) if rng.random() > 0.35 else 0.0 for node in power}


def _collector_of(inventory: Inventory, rng: np.random.Generator, collectors: int) -> dict[str, int]:
    """Each site is polled by one collector; a node without a site is a site of its own."""
    sites = list(dict.fromkeys(node.site or node.id for node in inventory.nodes))
    chosen = dict(zip(sites, rng.integers(0, collectors, len(sites)).tolist(), strict=True))
    return {node.id: chosen[node.site or node.id] for node in inventory.nodes}
