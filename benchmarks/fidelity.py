"""How far off is the twin, when all that it is told is what counters count?

The twin gets a topology, noisy and partly silent counters of links and edges, and nothing of the traffic matrix. From
its estimate it predicts the load of every link after each single failure, which is compared with what really would
flow (`benchmarks.fidelity_truth`: traffic that is no gravity, hot pairs, uneven hashing). `load_wmape` is over all
links and failures, `worst_link_error` the mean relative error of the highest utilisation; `silent` has both for a day
on which a fifth of the counters say nothing. `delay_error` is of mean delays against packet simulations
(`benchmarks.fidelity_delay`).

Baselines: `gravity` is told the edges only, and its matrix is gravity; `mm1` predicts delay by M/M/1. A baseline
replaces one part; the figures of the other part are what they are with ours. `exact_matrix` knows every pair, so what
it is off is uneven hashing alone, which an estimate from counters absorbs in part.

`cascade` says how well the spread of overload is foreseen, hop by hop (`benchmarks.fidelity_cascade`), beside
`neighbours`, who sees no loads.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks import fidelity_cascade as spreading
from benchmarks.fidelity_delay import delay_error
from benchmarks.fidelity_truth import Floats, Shown, Truth, full_mesh, shown
from benchmarks.given import given_inventory
from benchmarks.report import Figures, result
from domain.changes import SetOperational
from domain.errors import BadInput
from domain.network import Inventory, Operational
from twin.estimating.matrix import Counters, estimate
from twin.estimating.routes import routing_matrix
from twin.evaluate import evaluate, predict
from twin.reference import from_topohub
from twin.snapshot import Snapshot
from twin.topology import Topology

Progress = Callable[[str], None]

_SEED = 2026
#: Relative error of a counter, and the share of counters that say nothing: as a rule, and on a bad day.
_NOISE, _SILENT, _BAD_DAY = 0.02, 0.02, 0.2
#: Name, topohub's name, whether all metrics are 1 (then many paths are equal, and hashing matters most).
_QUICK = (("abilene", "topozoo/Abilene", False), ("geant", "topozoo/Geant2001", False), ("n50", "gabriel/50/0", False))
_FULL = (
    *_QUICK,
    ("n50_unit", "gabriel/50/0", True),
    ("renater", "topozoo/Renater2010", False),
    ("n100", "gabriel/100/0", False),
)
_KEYS = ("load_wmape", "worst_link_error", "matrix_wmape")
_BAD_DAYS = {"tomogravity": "tomogravity_silent", "gravity": "gravity_silent", "exact_matrix": "exact_matrix"}
_WAYS = tuple(dict.fromkeys((*_BAD_DAYS, *_BAD_DAYS.values())))


@dataclass
class Tally:
    """Sums over the failures of one network, by one way to know the matrix."""

    off: float = 0.0
    real: float = 0.0
    worst: list[float] = field(default_factory=list)
    pairs_off: float = 0.0
    pairs: float = 0.0

    def add(self, other: "Tally") -> None:
        """Take in another tally."""
        self.off, self.real = self.off + other.off, self.real + other.real
        self.pairs_off, self.pairs = self.pairs_off + other.pairs_off, self.pairs + other.pairs
        self.worst += other.worst

    def figures(self) -> Figures:
        """Return the errors, as shares."""
        values = (self.off / self.real, float(np.mean(self.worst)), self.pairs_off / self.pairs)
        return {key: round(value, 4) for key, value in zip(_KEYS, values, strict=True)}


def run(
    quick: bool,
    data: Path | None,  # noqa: ARG001  # nothing is stored
    progress: Progress,
    topology: Path | None = None,
    demands: Path | None = None,
) -> dict[str, Any]:
    """Draw truths, estimate, fail links, compare; return the object of the bench.

    Args:
        quick: fewer networks, matrices and failures.
        data: not used.
        progress: told about each network.
        topology: a file with a network to use instead (see `twin.whatif.reading`), with its `demands`; its traffic
            counts for nothing, since the truth is drawn.
        demands: likewise.

    Raises:
        BadInput: the files are no network, or one in which no failure leaves any traffic.
        Unavailable: a figure is missing.
    """
    started = perf_counter()
    matrices, failures = (2, 20) if quick else (8, 60)
    networks: tuple[tuple[str, str, bool], ...] = _QUICK if quick else _FULL
    given = given_inventory(topology, demands)
    if given is not None:
        networks = ((given.name, "", False),)
    by_network: dict[str, dict[str, Tally]] = {}
    spread = {way: spreading.Spread() for way in (*_WAYS, "neighbours")}
    for number, (name, ref, unit) in enumerate(networks):
        rng, other = np.random.default_rng([_SEED, number]), np.random.default_rng([_SEED, number, 1])
        inventory = given if given is not None else _network(ref, unit=unit)
        tallies = by_network[name] = {way: Tally() for way in _WAYS}
        for _ in range(matrices):
            found, stories = _compared(inventory, rng, failures, other)
            for way, tally in found.items():
                tallies[way].add(tally)
            for way, story in stories.items():
                spread[way].merge(story)
        if not tallies["tomogravity"].worst:
            raise BadInput("no failure of this network leaves any traffic to foresee; give one with more links")
        progress(f"{name}: loads after a failure {tallies['tomogravity'].figures()['load_wmape']:.1%} off")
    ours, plain = delay_error(quick, _SEED)
    progress(f"delay {ours:.1%} off, by M/M/1 {plain:.1%}")
    tables = {
        way: _table(by_network, way) | {"silent": _means(by_network, silent), "delay_error": round(ours, 4)}
        for way, silent in _BAD_DAYS.items()
    }
    for way, table in tables.items():
        table["cascade"] = spread[way].figures()
    figures = tables.pop("tomogravity")
    baselines = tables | {
        "mm1": figures | {"delay_error": round(plain, 4)},
        "neighbours": figures | {"cascade": spread["neighbours"].figures()},
    }
    conditions = {
        "seed": _SEED,
        "n": sum(len(tallies["gravity"].worst) for tallies in by_network.values()),
        "matrices": matrices,
        "counter_noise": _NOISE,
        "counters_silent": _SILENT,
        "counters_silent_on_a_bad_day": _BAD_DAY,
        "networks": [name for name, _, _ in networks],
        "baselines": "gravity and exact_matrix replace the traffic matrix, mm1 the delay, neighbours the cascade; "
        "the rest is as in figures",
    }
    return result("fidelity", figures, baselines, conditions, started)


def _network(ref: str, *, unit: bool) -> Inventory:
    inventory = from_topohub(ref)
    if not unit:
        return inventory
    return inventory.but(links=tuple(link.but(metric=1) for link in inventory.links))


def _table(by_network: dict[str, dict[str, Tally]], way: str) -> Figures:
    """Return the figures of each network, and their means."""
    each = {name: tallies[way].figures() for name, tallies in by_network.items()}
    return _means(by_network, way) | {"by_network": each}


def _means(by_network: dict[str, dict[str, Tally]], way: str) -> Figures:
    """Return the means over networks: each counts the same, whatever it carries."""
    each = [tallies[way].figures() for tallies in by_network.values()]
    return {key: round(float(np.mean([figures[key] for figures in each])), 4) for key in _KEYS}


@dataclass(frozen=True)
class Case:
    """One truth as the twin would have it: `arc` and `place` give the truth's number of each of the twin's."""

    truth: Truth
    topology: Topology
    arc: np.ndarray[Any, np.dtype[np.intp]]
    place: np.ndarray[Any, np.dtype[np.intp]]

    def pairs(self, matrix: Floats) -> Floats:
        """Return a matrix of the truth's places as one value per demand of the twin."""
        values: Floats = matrix[self.place[self.topology.source], self.place[self.topology.destination]]
        return values


def _compared(
    inventory: Inventory, rng: np.random.Generator, failures: int, other: np.random.Generator
) -> tuple[dict[str, Tally], dict[str, spreading.Spread]]:
    """Draw one truth and return the tally of each way to know its matrix, and how overload spreads by some of them.

    `other` draws what the spread needs, so that the truths are the same with it and without.
    """
    truth = Truth.drawn(inventory, rng)
    blank = Snapshot.of(full_mesh(inventory, truth.places, np.ones_like(truth.mbps)))
    case = _case(inventory, truth, blank.topology)
    real = case.pairs(truth.mbps)
    usual = estimate(*_asked(case, blank, shown(truth, rng, _NOISE, _SILENT)))
    bad = estimate(*_asked(case, blank, shown(truth, rng, _NOISE, _BAD_DAY)))
    matrices = {"tomogravity": usual.mbps, "gravity": usual.guess, "exact_matrix": real}
    matrices |= {"tomogravity_silent": bad.mbps, "gravity_silent": bad.guess}
    links = rng.permutation(len(case.topology.links))[:failures]
    after = {int(link): truth.loads(int(case.arc[2 * link]) // 2)[case.arc] for link in links}
    known = {way: _matrix(case, matrices[way]) for way in _BAD_DAYS}
    capacity = truth.capacity[case.arc]
    peaks = {int(case.arc[2 * link]) // 2: float((flows / capacity).max()) for link, flows in after.items()}
    stories = spreading.compared(truth, inventory, known, peaks, other)
    return {way: _tally(case, inventory, matrices[way], real, after) for way in _WAYS}, stories


def _case(inventory: Inventory, truth: Truth, topology: Topology) -> Case:
    number = {link.id: at for at, link in enumerate(inventory.links)}
    place = {name: at for at, name in enumerate(truth.places)}
    arcs = [2 * number[link] + way for link in topology.links for way in (0, 1)]
    places = [place.get(topology.nodes[router], -1) for router in topology.routers]
    return Case(truth, topology, np.array(arcs, np.intp), np.array(places, np.intp))


def _asked(case: Case, blank: Snapshot, seen: Shown) -> tuple[Any, ...]:
    """Return what `estimate` is asked; a router without links has no traffic and no counter."""
    alone = case.place < 0
    counters = Counters(
        arcs=seen.arcs[case.arc],
        leaving=np.where(alone, np.nan, seen.leaving[case.place]),
        entering=np.where(alone, np.nan, seen.entering[case.place]),
    )
    shares = routing_matrix(case.topology, predict(blank).routing)
    return shares, case.topology.source, case.topology.destination, counters


def _matrix(case: Case, mbps: Floats) -> Floats:
    """Return one value per demand of the twin as a matrix of the truth's places."""
    size, topology = len(case.truth.places), case.topology
    matrix = np.zeros((size, size))
    matrix[case.place[topology.source], case.place[topology.destination]] = mbps
    return matrix


def _tally(case: Case, inventory: Inventory, mbps: Floats, real: Floats, after: dict[int, Floats]) -> Tally:
    """Predict each failure with a believed matrix and hold it against what would really flow."""
    topology = case.topology
    believed = Snapshot.of(full_mesh(inventory, case.truth.places, _matrix(case, mbps)))
    tally = Tally(pairs_off=float(np.abs(mbps - real).sum()), pairs=float(real.sum()))
    for link, flows in after.items():
        failed = SetOperational(element=topology.links[link], state=Operational.DISABLED)
        predicted = evaluate(believed, [failed])
        tally.off += float(np.abs(predicted.arc_load - flows).sum())
        tally.real += float(flows.sum())
        worst = float((flows / predicted.capacity).max())
        if worst == 0.0:
            continue  # the network is in pieces, and nothing is left to foresee
        tally.worst.append(abs(float(predicted.arc_utilisation.max()) - worst) / worst)
    return tally
