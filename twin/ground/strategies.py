"""Ways to play an episode: the learner's, and those that it is printed beside.

`greedy` is the house's own search by sight (`twin.steering.greedy`) under the same policy; it moves whole demands and
sees no shield but policy. `one_step` is greed within what is on offer: the row that leaves the fullest link least full;
`one_of_best` lets chance choose among its best rows, so that greed, too, can play more than once.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np

from domain.changes import SetVia
from twin.ground.candidates import Table
from twin.ground.episode import MOVES, Course, Episode
from twin.ground.scorer import Scorer
from twin.ground.shield import closed_options
from twin.steering.greedy import greedy_moves
from twin.topology import Floats

#: Chooses a row of a table.
Strategy = Callable[[Table], int]

#: How often the learner plays before it answers.
PLAYS = 8
_SEED = 8
_OTHERS = 1e-3
_ROUNDING = 1e-12
#: Among so many best rows chance chooses (a GRASP's restricted candidate list: Feo and Resende, 1995).
_BEST_ROWS = 3


def played(course: Course, strategy: Strategy, limit: int = MOVES) -> Episode:
    """Play one episode to its end."""
    episode = Episode(course, limit)
    while not episode.over:
        episode.take(strategy(episode.table))
    return episode


def best_played(course: Course, strategies: Iterable[Strategy], limit: int = MOVES) -> Episode:
    """Play one episode by each strategy; return the one with the least full fullest link, the first of equals."""
    return min((played(course, strategy, limit) for strategy in strategies), key=lambda episode: episode.reached)


def learner(scorer: Scorer) -> Iterator[Strategy]:
    """Yield how the learner plays: once by the highest scores, then by chance, in proportion to the exponential scores.

    It plays `PLAYS` times, in the twin, and keeps the best; the chance is seeded, so the same state has the same plan.
    """
    yield scorer.choose
    rng = np.random.default_rng(_SEED)
    for _ in range(PLAYS - 1):
        yield by_chance(scorer, rng)


def by_chance(scorer: Scorer, rng: np.random.Generator) -> Strategy:
    """Return the strategy that draws a row in proportion to the exponential of its score."""

    def strategy(table: Table) -> int:
        logits = scorer.scores(table.features, table.allowed)
        chance: Floats = np.exp(logits - logits.max())
        return int(rng.choice(len(chance), p=chance / chance.sum()))

    return strategy


def at_random(rng: np.random.Generator) -> Strategy:
    """Return the strategy that takes any allowed row."""
    return lambda table: int(rng.choice(np.flatnonzero(table.allowed)))


def one_step(table: Table) -> int:
    """Take the row that leaves the fullest link least full, other full ones breaking ties; stop where none helps."""
    return _helpful(table)[0]


def one_of_best(rng: np.random.Generator) -> Strategy:
    """Return the strategy that draws one of the rows that `one_step` likes best; it stops where none helps."""
    return lambda table: int(rng.choice(_helpful(table)))


def _helpful(table: Table) -> list[int]:
    """Return the best allowed rows that leave the fullest link less full than it is; [0], to stop, without any."""
    score = np.where(table.allowed, table.after + _OTHERS * table.others * table.after[0], np.inf)
    best = [int(row) for row in np.argsort(score, kind="stable")[:_BEST_ROWS] if score[row] < score[0] - _ROUNDING]
    return best or [0]


def greedy(course: Course, limit: int = MOVES) -> tuple[SetVia, ...]:
    """Return the moves of the house's greedy search, to whose scene the closed waypoints are closed as well."""
    scene = course.scene
    open_scene = replace(scene, allowed=scene.allowed & ~closed_options(scene, course.closed))
    found = greedy_moves(open_scene, 0.0, limit)
    choice = course.start()
    choice[found.which] = found.options
    return course.moves(choice)
