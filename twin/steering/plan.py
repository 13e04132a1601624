"""Few SR-policy moves for a state of the network: now, after, optimum, and after any one link failure.

The bound first (`optimum`), then the fewest moves that come within `epsilon` of it (`program`), and, where that takes
longer than allowed or finds nothing better, the greedy ones. Whatever is found is evaluated by the twin itself: the
figures of a plan are never those of a solver.
"""

from collections.abc import Container
from dataclasses import dataclass
from time import perf_counter
from typing import Literal

import numpy as np

from domain.changes import Change, SetVia
from domain.errors import BadInput
from domain.waypoints import WHOLE, ambiguous
from twin.evaluate import Prediction, evaluate
from twin.snapshot import Snapshot
from twin.steering.failures import AfterFailure, worst_after_failure
from twin.steering.greedy import Chosen, greedy_moves
from twin.steering.optimum import optimum
from twin.steering.rounding import fewest_moves
from twin.steering.scene import Scene, carried, scene_of

Method = Literal["lp", "greedy", "none"]
#: Two worst utilisations that differ by less are the same.
_SAME = 1e-9


@dataclass(frozen=True)
class Move:
    """A demand gets a waypoint (`via`) for a share of it, or loses the one it has (None)."""

    demand: str
    via: str | None
    previous: str | None
    share: float = WHOLE
    previous_share: float = WHOLE

    @classmethod
    def of(cls, snapshot: Snapshot, demand: str, via: str | None, share: float = WHOLE) -> "Move":
        """Return the move from what the snapshot configures."""
        previous, previous_share = snapshot.policy(demand)
        return cls(demand, via, previous, share, previous_share)

    @property
    def alters(self) -> bool:
        """Whether anything is different afterwards."""
        return (self.via, self.share) != (self.previous, self.previous_share)

    def change(self) -> Change:
        """Return what the move changes."""
        return SetVia(demand=self.demand, via=self.via, share=self.share)


@dataclass(frozen=True)
class SteeringPlan:
    """Moves, and what they are worth. Utilisations are offered load over capacity of the fullest link direction.

    Attributes:
        moves: at most as many as were allowed.
        now: worst utilisation without them.
        after: with them.
        optimum: the least that any routing could reach, or None where it was not worked out.
        after_failure: the worst with them when any one link fails, or None where it was not asked for.
        seconds: spent on finding the moves and the optimum.
        method: "lp", "greedy", or "none" when nothing is to be moved.
        unrouted: demands that no way can carry, or that would need a move more than was allowed.
    """

    moves: tuple[Move, ...]
    now: float
    after: float
    optimum: float | None
    after_failure: AfterFailure | None
    seconds: float
    method: Method
    unrouted: tuple[str, ...]

    def changes(self) -> tuple[Change, ...]:
        """Return the moves as an overlay."""
        return tuple(move.change() for move in self.moves)

    @property
    def ratio(self) -> float | None:
        """Worst utilisation after the moves over the optimum; 1 in an idle network, None without an optimum."""
        if self.optimum is None:
            return None
        return self.after / self.optimum if self.optimum > _SAME else 1.0


def steering_plan(
    snapshot: Snapshot,
    *,
    limit: int = 10,
    epsilon: float = 0.05,
    enough: float = 0.0,
    budget_s: float = 1.0,
    sweep: bool = True,
    split: bool = True,
) -> SteeringPlan:
    """Return the moves that bring the worst utilisation within 1 + `epsilon` of the optimum, or as near as they can.

    A demand whose policy leads through a part of the network that is cut off gets the direct way first. The work is
    bounded by counts as well; only when the time runs out can the same question have another answer.

    Args:
        snapshot: the state, with its trouble laid over it.
        limit: the most moves.
        epsilon: how near to the optimum is near enough.
        enough: a utilisation below which no link needs to be brought.
        budget_s: seconds for optimum and linear programs together; 0 asks for the greedy moves alone.
        sweep: whether to fail each link once after the moves.
        split: whether a policy may take a share of a demand; else all or nothing.

    Raises:
        BadInput: a limit, a budget, an epsilon or an `enough` that is below 0 or no number.
    """
    if not all(0 <= value < np.inf for value in (limit, budget_s, epsilon, enough)):
        raise BadInput("a steering limit, budget, epsilon and target are 0 or more; correct the one that is not")
    started = perf_counter()
    present = evaluate(snapshot)
    freed = _freed(snapshot, present, limit)
    standing = snapshot.with_changes([move.change() for move in freed])
    base = evaluate(standing)
    bound = optimum(base, budget_s) if budget_s > 0 else None
    target = max(enough, (1.0 + epsilon) * bound if bound is not None else 0.0)
    method, found = _moves(standing, base, target, limit - len(freed), started + budget_s, split=split)
    moves = _merged(snapshot, freed, found)
    seconds = perf_counter() - started
    steered = snapshot.with_changes([move.change() for move in moves])
    final = evaluate(steered)
    return SteeringPlan(
        moves=moves,
        now=_worst(present),
        after=_worst(final),
        optimum=bound,
        after_failure=worst_after_failure(steered) if sweep else None,
        seconds=seconds,
        method="none" if not moves else "greedy" if method == "none" else method,
        unrouted=_unrouted(final),
    )


def _worst(state: Prediction) -> float:
    return float(state.arc_utilisation.max(initial=0.0))


def _freed(snapshot: Snapshot, present: Prediction, limit: int) -> tuple[Move, ...]:
    """Return moves to the direct way for demands that only their policy cuts off, the biggest first."""
    stuck = np.flatnonzero(carried(present, by_any_way=True) & ~carried(present))
    biggest = stuck[np.argsort(-present.demand_mbps[stuck], kind="stable")][:limit]
    return tuple(Move.of(snapshot, snapshot.topology.demands[place], None) for place in biggest)


def _moves(
    standing: Snapshot, base: Prediction, target: float, limit: int, deadline: float, *, split: bool
) -> tuple[Method, tuple[Move, ...]]:
    """Return the better of the linear programs' moves and the greedy ones, and whose they are."""
    scene = scene_of(base)
    best: tuple[Method, tuple[Move, ...]] = ("none", ())
    reached = _worst(base)
    if not len(scene.demands) or not limit or reached <= target:
        return best
    instant = greedy_moves(scene, target, limit)
    offers: list[tuple[Method, Chosen | None]] = [
        ("lp", fewest_moves(scene, target, limit, deadline, instant, split=split)),
        ("greedy", instant),
    ]
    for method, chosen in offers:
        if chosen is None:
            continue
        moves = _named(standing, scene, chosen)
        after = max(_worst(evaluate(standing, [move.change() for move in moves])), target)
        if after < reached - _SAME or (after < reached + _SAME and len(moves) < len(best[1])):
            best, reached = (method, moves), after
    return best


def _named(standing: Snapshot, scene: Scene, chosen: Chosen) -> tuple[Move, ...]:
    names, nodes = scene.topology.demands, scene.topology.node_at
    found = []
    for place, option, share in zip(*chosen, strict=True):
        via = scene.via(int(option))
        found.append(Move.of(standing, names[scene.demands[place]], via, _sayable(via, float(share), nodes)))
    return tuple(found)


def _sayable(via: str | None, share: float, nodes: Container[str]) -> float:
    """Return the share, or the nearest one to it whose text is not the name of another node."""
    if not ambiguous(via, share, nodes):
        return share
    parts = (part / 100 for part in range(1, 101))
    return min((part for part in parts if not ambiguous(via, part, nodes)), key=lambda part: abs(part - share))


def _merged(snapshot: Snapshot, freed: tuple[Move, ...], found: tuple[Move, ...]) -> tuple[Move, ...]:
    """Return one move per demand, against the state as it was, sorted by demand."""
    wanted = {move.demand: (move.via, move.share) for move in (*freed, *found)}
    moves = [Move.of(snapshot, demand, *wanted[demand]) for demand in sorted(wanted)]
    return tuple(move for move in moves if move.alters)


def _unrouted(state: Prediction) -> tuple[str, ...]:
    topology = state.topology
    wants = (state.demand_mbps > 0) & (topology.source != topology.destination)
    return tuple(topology.demands[place] for place in np.flatnonzero(wants & ~carried(state)))
