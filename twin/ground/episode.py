"""An episode: a network in trouble, and one SR-policy move after the other, at most a few.

What counts is the least worst link utilisation that was reached; moves made after it are not part of the plan. So
the reward of a move is what it takes off that, as a logarithm (independent of scale), less a small price, for few
moves are wanted. The sum of the rewards is then log(worst before / worst after the plan) less what its moves cost.

Nothing outside is touched: an episode reads a snapshot and lays changes over it. The same snapshot and rows give the
same trace, which is a SHA-256 over the state and everything that was done.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from domain.canonical import digest
from domain.changes import SetVia
from domain.errors import BadInput
from twin.evaluate import evaluate
from twin.ground.candidates import FEATURES, STAYS, Rows, Table, table_of
from twin.ground.shield import closed_options
from twin.snapshot import Snapshot
from twin.steering.scene import Scene, scene_of
from twin.steering.ways import Places

#: The most moves of an episode, and what one costs.
MOVES = 10
PRICE = 0.002
_LEFT = FEATURES.index("moves left")


@dataclass(frozen=True, eq=False)
class _Node:
    """A state of an episode: how full its fullest link is, as the twin predicts it, and what is on offer in it."""

    worst: float
    table: Table


class Course:
    """What episodes of one scenario share: the problem, and the states that were worked out already."""

    def __init__(self, snapshot: Snapshot, closed: frozenset[str] = frozenset()) -> None:
        """Lay out a state of the network. `closed`: nodes through which policy lets nobody be steered."""
        self.snapshot, self.closed = snapshot, closed
        self.scene: Scene = scene_of(evaluate(snapshot))
        self._closed = closed_options(self.scene, closed)
        self._known: dict[bytes, _Node] = {}

    def start(self) -> Places:
        """Return the choice in which every demand goes as it does now."""
        return np.full(len(self.scene.demands), STAYS, np.int64)

    def node(self, choice: Places) -> _Node:
        """Return the state under a choice of options, from the twin, and its table."""
        key = choice.tobytes()
        known = self._known.get(key)
        if known is None:
            state = evaluate(self.snapshot, self.moves(choice))
            worst = float(state.arc_utilisation.max(initial=0.0))
            known = self._known[key] = _Node(worst, table_of(self.scene, state, choice, self._closed))
        return known

    def moves(self, choice: Places) -> tuple[SetVia, ...]:
        """Return what differs from the present, sorted by demand."""
        scene = self.scene
        moved = np.flatnonzero(choice != STAYS)
        return tuple(
            SetVia(demand=scene.topology.demands[scene.demands[at]], via=scene.via(int(choice[at]))) for at in moved
        )


class Episode:
    """See the module."""

    def __init__(self, course: Course, limit: int = MOVES) -> None:
        """Begin where the course begins, with at most `limit` moves."""
        self._course, self._limit = course, limit
        self._choice = course.start()
        self._node = course.node(self._choice)
        self._best, self._best_choice = self.worst, self._choice
        self._before = self.worst
        self.taken = 0
        self.over = limit <= 0
        self._log: list[object] = []

    @property
    def worst(self) -> float:
        """Utilisation of the fullest link now, as the twin predicts it."""
        return self._node.worst

    @property
    def before(self) -> float:
        """Utilisation of the fullest link before the first move."""
        return self._before

    @property
    def reached(self) -> float:
        """Utilisation of the fullest link under the plan."""
        return self._best

    @property
    def trace(self) -> str:
        """SHA-256 over all that happened so far."""
        course = self._course
        return digest([course.snapshot.digest, sorted(course.closed), self._limit, self._log])

    @property
    def table(self) -> Table:
        """What is on offer now, with the moves that are left."""
        table = self._node.table
        features: Rows = table.features.copy()
        features[:, _LEFT] = (self._limit - self.taken) / self._limit if self._limit else 0.0
        return replace(table, features=features)

    @property
    def moves(self) -> tuple[SetVia, ...]:
        """All moves made so far, those after the best state as well."""
        return self._course.moves(self._choice)

    def plan(self) -> tuple[SetVia, ...]:
        """Return the moves that reached the least worst utilisation."""
        return self._course.moves(self._best_choice)

    def take(self, row: int) -> float:
        """Make the move of a row of the table (0 stops) and return its reward.

        Raises:
            BadInput: the episode is over, there is no such row, or the shield does not let it through.
        """
        table = self._node.table
        if self.over or not 0 <= row < len(table.which) or not table.allowed[row]:
            raise BadInput(f"row {row} is not on offer in this episode; take one that the mask allows")
        self.taken += 1
        reward = 0.0
        if row == 0:
            self.over = True
        else:
            reward = self._move(int(table.which[row]), int(table.options[row]))
        self.over = self.over or self.taken >= self._limit
        self._log.append([row, self.worst, reward])
        return reward

    def waste(self) -> None:
        """Spend a move on nothing: what was asked for was not on offer."""
        if self.over:
            raise BadInput("the episode is over; begin another")
        self.taken += 1
        self.over = self.taken >= self._limit
        self._log.append("nothing")

    def _move(self, demand: int, option: int) -> float:
        self._choice = self._choice.copy()
        self._choice[demand] = option
        self._node = self._course.node(self._choice)
        if self.worst >= self._best:
            return -PRICE
        gained = math.log(self._best / self.worst)
        self._best, self._best_choice = self.worst, self._choice
        return gained - PRICE
