"""How far each way to play gets on networks and hours of a split, on the same scenarios, beside the LP optimum."""

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from domain.changes import SetVia
from twin.evaluate import evaluate
from twin.ground.checks import violations
from twin.ground.episode import Course, Episode
from twin.ground.places import HOURS, NETWORKS, Split
from twin.ground.promotion import Pair
from twin.ground.scenarios import Scenario, Trouble, drawn
from twin.ground.scorer import Scorer
from twin.ground.strategies import PLAYS, at_random, best_played, greedy, learner, one_of_best, one_step, played
from twin.snapshot import Snapshot
from twin.steering.optimum import optimum

_WHILE_S = 60.0
_SAME = 1e-9


@dataclass(frozen=True)
class Reached:
    """What one way to play came to: utilisation of the fullest link, how many moves, and what they violate."""

    worst: float
    moves: int
    violations: tuple[str, ...]


@dataclass(frozen=True)
class Case:
    """One scenario under every way to play. `optimum` is the least that any routing could reach."""

    scenario: Scenario
    before: float
    optimum: float
    by: Mapping[str, Reached]

    def pair(self) -> Pair:
        """Return greed beside the learner, both with as many plays: more tries are no merit of who tries."""
        return Pair(self.scenario.network, self.by["greedy_best"].worst, self.by["learner"].worst)


#: Another way to steer: moves for a state of the network.
Other = Callable[[Snapshot], tuple[SetVia, ...]]


def scenarios_of(split: Split, each: int, networks: int | None = None) -> Iterator[Scenario]:
    """Yield `each` scenarios per network and kind of trouble, always the same; only the first networks if so asked."""
    hours = HOURS[split]
    for name in NETWORKS[split][:networks]:
        for kind, trouble in enumerate(Trouble):
            for number in range(each):
                hour = hours[(zlib.crc32(name.encode()) + 3 * kind + number) % len(hours)]
                yield Scenario(name, hour, trouble, number)


def measured(scenario: Scenario, scorer: Scorer, others: Mapping[str, Other] | None = None) -> Case | None:
    """Play one scenario by every way; None where no link carries anything that could be steered.

    Args:
        scenario: what happens, and where.
        scorer: the learner.
        others: further ways to steer, by name.

    Raises:
        BadInput: there is no such network.
    """
    happened = drawn(scenario)
    state = evaluate(happened.snapshot)
    least = optimum(state, _WHILE_S)
    if not least or least < _SAME:
        return None
    course = Course(happened.snapshot, happened.closed)
    random = at_random(np.random.default_rng([zlib.crc32(repr(scenario).encode())]))
    plans: dict[str, tuple[SetVia, ...]] = {
        "nothing": (),
        "random": played(course, random).plan(),
        "one_step": played(course, one_step).plan(),
        "greedy": greedy(course),
        "learner": best_played(course, learner(scorer)).plan(),
        "learner_once": played(course, scorer.choose).plan(),
        "random_best": best_played(course, [random] * PLAYS).plan(),
    }
    plans |= {name: other(happened.snapshot) for name, other in (others or {}).items()}
    by = {name: _reached(happened.snapshot, plan, happened.closed) for name, plan in plans.items()}
    often = [
        by["greedy"],
        *(_reached(happened.snapshot, plan, happened.closed) for plan in _greed_again(course, scenario)),
    ]
    by["greedy_best"] = min(often, key=lambda reached: reached.worst)
    return Case(scenario, Episode(course).before, least, by)


def _greed_again(course: Course, scenario: Scenario) -> Iterator[tuple[SetVia, ...]]:
    """Yield further plans of greed that leaves a little to chance, so that it plays as often as the learner."""
    rng = np.random.default_rng([zlib.crc32(repr(scenario).encode()), 1])
    for _ in range(PLAYS - 1):
        yield played(course, one_of_best(rng)).plan()


def _reached(snapshot: Snapshot, plan: tuple[SetVia, ...], closed: frozenset[str]) -> Reached:
    worst = float(evaluate(snapshot, plan).arc_utilisation.max(initial=0.0))
    return Reached(worst, len(plan), violations(snapshot, plan, closed))
