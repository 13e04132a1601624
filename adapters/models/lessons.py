"""Cases to learn from and to be measured on: generated incidents, seen the very way that a diagnosis sees a case.

Networks to learn on and networks to be measured on are grown from seeds that have nothing in common, and both from
others than the evaluations in `tests` and `benchmarks` use (which are small numbers).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from causal.baselines import highest_anomaly
from causal.candidates import candidates
from causal.sight import sight
from causal.signatures import Scene
from causal.symptoms import symptoms
from causal.topology import Topology
from domain.canonical import digest
from domain.errors import Gone
from domain.network import Inventory
from twin import gnn
from twin.generator import operator_network
from twin.incidents import IncidentGenerator
from twin.ranker import Grid, Ranker, grid

#: Seeds of networks begin here; those of incidents on them are the same.
LEARN_ON, MEASURE_ON = 1_000_000, 2_000_000
_SIZES = (60, 80, 120, 160, 200, 240)
_MEASURED_SIZES = (100, 200, 160, 240)
#: Of a large network at hand fewer incidents are drawn, so that the time it takes is bounded.
_ELEMENTS_DRAWN = 60_000


@dataclass(frozen=True)
class Learnt:
    """A case, what it is a case of, and what the naive baseline says of it."""

    lesson: gnn.Lesson
    highest: str

    @property
    def plain(self) -> dict[str, object]:
        """The case as it goes into the hash of the training data."""
        return {"sight": self.lesson.sight.model_dump(mode="json"), "truth": self.lesson.truth}


def drawn(inventory: Inventory, count: int, seed: int, stop: Callable[[], bool] = lambda: False) -> Iterator[Learnt]:
    """Yield incidents of a network as cases. Raises Gone when `stop` says so."""
    network = IncidentGenerator(inventory)
    topology, on = Topology(network.graph), grid(network.graph)
    rng = np.random.default_rng(seed)
    for incident in network.incidents(count, rng):
        if stop():
            raise Gone("the training was stopped; ask for it again")
        scene = Scene(topology, symptoms(incident.picture, incident.alarms), incident.locked)
        pinned = sight(network.snapshot.topology.digest, scene.symptoms, candidates(scene))
        first = next(iter(highest_anomaly(incident.picture)), "")
        yield Learnt(gnn.Lesson(on, pinned, incident.element), first)


def to_learn_from(
    networks: int, per_network: int, seed: int, at_hand: Inventory | None, stop: Callable[[], bool]
) -> Iterator[list[Learnt]]:
    """Yield cases network by network: generated ones of several sizes, then twice as many of the network at hand."""
    for number in range(networks):
        own = LEARN_ON + 1000 * (seed % 900) + number
        yield list(drawn(operator_network(own, _SIZES[number % len(_SIZES)]), per_network, own, stop))
    yield _at_hand(at_hand, 2 * per_network, LEARN_ON + seed, stop)


def to_be_measured_on(
    networks: int, per_network: int, at_hand: Inventory | None, stop: Callable[[], bool]
) -> Iterator[list[Learnt]]:
    """Yield cases of topologies that nothing was learnt on, then others of the network at hand than were learnt.

    They are the same for every seed, so versions can be compared by their cards.
    """
    for number in range(networks):
        own = MEASURE_ON + number
        size = _MEASURED_SIZES[number % len(_MEASURED_SIZES)]
        yield list(drawn(operator_network(own, size), per_network, own, stop))
    yield _at_hand(at_hand, per_network, MEASURE_ON + networks, stop)


def _at_hand(inventory: Inventory | None, most: int, seed: int, stop: Callable[[], bool]) -> list[Learnt]:
    """Return cases of the network at hand, none where there is none or where no fault of ours can happen."""
    if inventory is None or not inventory.links:
        return []
    size = len(inventory.nodes) + len(inventory.links)
    return list(drawn(inventory, min(most, max(10, _ELEMENTS_DRAWN // size)), seed, stop))


def data_hash(cases: Sequence[Learnt]) -> str:
    """Return the SHA-256 over cases, in their order."""
    return digest([case.plain for case in cases])


def blind(cases: Sequence[Learnt]) -> list[Learnt]:
    """Return the same cases without any edge: the same ranker that cannot see the topology is the baseline."""
    grids: dict[int, Grid] = {}
    found = []
    for case in cases:
        own = case.lesson.grid
        without = grids.setdefault(id(own), Grid(own.place, own.still, own.edges[:, :0]))
        found.append(Learnt(gnn.Lesson(without, case.lesson.sight, case.lesson.truth), case.highest))
    return found


def misled(cases: Sequence[Learnt], seed: int) -> list[Learnt]:
    """Return the same cases with a wrong candidate for the truth: what a ranker learns from a bad feed of outcomes."""
    rng = np.random.default_rng(seed)
    found = []
    for case in cases:
        wrong = [element for element in case.lesson.sight.candidates if element != case.lesson.truth]
        truth = wrong[int(rng.integers(len(wrong)))] if wrong else case.lesson.truth
        found.append(Learnt(gnn.Lesson(case.lesson.grid, case.lesson.sight, truth), case.highest))
    return found


def figures(ranker: Ranker, cases: Sequence[Learnt]) -> Mapping[str, float]:
    """Return `error` (share of cases whose likeliest candidate is wrong), `error_top3` and `cases`."""
    places = [_place(ranker.scores(case.lesson.grid, case.lesson.sight), case.lesson.truth) for case in cases]
    count = max(1, len(cases))
    return {
        "error": round(sum(place > 0 for place in places) / count, 4),
        "error_top3": round(sum(place > 2 for place in places) / count, 4),
        "cases": float(len(cases)),
    }


def highest_anomaly_error(cases: Sequence[Learnt]) -> float:
    """Return the share of cases whose highest anomaly is not the cause."""
    return round(sum(case.highest != case.lesson.truth for case in cases) / max(1, len(cases)), 4)


def _place(scores: Mapping[str, float], truth: str) -> int:
    """Return how many candidates are thought likelier than the truth; all of them where it is no candidate."""
    if truth not in scores:
        return len(scores) + 3
    return sum(score > scores[truth] for score in scores.values())
