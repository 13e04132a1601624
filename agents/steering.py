"""Which demands to send another way when a link carries too much: few moves, near the optimum, judged by the twin.

`twin.steering.plan` finds the fewest moves after which no link is uncomfortably full, or as near to that as any
routing could come; within its time by linear programs, else greedily. Where those moves leave traffic lost, or would
hit somebody else, `twin.steering.detours` looks for moves that lose less. The better of both is taken, and the naive
plan, doing nothing, is what every move is measured against.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.actions import SteerDemand
from domain.changes import Change
from domain.rehearsal import Impact
from twin.evaluate import evaluate
from twin.snapshot import Snapshot
from twin.steering.detours import better, comfortable, detours
from twin.steering.failures import worst_after_failure
from twin.steering.plan import Move, SteeringPlan, steering_plan

#: A link is no trouble any more below this utilisation.
COMFORT = 0.9
#: Seconds for the linear programs; a network of some hundred routers takes about one.
BUDGET_S = 3.0
_MOST_MOVES = 6
_EPSILON = 0.05


@dataclass(frozen=True)
class Steering:
    """The moves found, and what the network loses without and with them.

    Attributes:
        steps: at most six.
        before: what the trouble means if nothing is done.
        after: what it means with the moves.
        asked: how often the twin was asked about a move.
        optimum: the least worst utilisation that any routing could reach, or None where it was not worked out.
        after_failure: the worst utilisation with the moves when any one link more fails.
    """

    steps: tuple[SteerDemand, ...]
    before: Impact
    after: Impact
    asked: int
    optimum: float | None
    after_failure: float


def steer(snapshot: Snapshot, trouble: Sequence[Change], budget_s: float = BUDGET_S) -> Steering | None:
    """Return the demands to send through a waypoint, or None when no move makes anything better.

    A step may take only a share of its demand; the rest goes the direct way.

    Args:
        snapshot: the network as it is configured.
        trouble: the fault, as an overlay.
        budget_s: seconds for the linear programs; after them the greedy moves are taken.
    """
    standing = snapshot.with_changes(trouble)
    before = evaluate(standing).impact()
    if comfortable(before, COMFORT):
        return None
    plan = steering_plan(standing, limit=_MOST_MOVES, epsilon=_EPSILON, enough=COMFORT, budget_s=budget_s, sweep=False)
    moves, after, asked = _chosen(standing, plan, before)
    if not moves:
        return None
    steered = standing.with_changes([move.change() for move in moves])
    return Steering(
        steps=tuple(_step(move) for move in moves),
        before=before,
        after=after,
        asked=asked,
        optimum=plan.optimum,
        after_failure=worst_after_failure(steered).worst,
    )


def _step(move: Move) -> SteerDemand:
    return SteerDemand(
        target=move.demand,
        via=move.via,
        share=move.share,
        previous_via=move.previous,
        previous_share=move.previous_share,
    )


def _chosen(standing: Snapshot, plan: SteeringPlan, before: Impact) -> tuple[tuple[Move, ...], Impact, int]:
    """Return the moves that are better, what they lead to, and how often the twin was asked."""
    planned = evaluate(standing, plan.changes()).impact()
    helps = bool(plan.moves) and better(planned, before)
    if helps and comfortable(planned, COMFORT):
        return plan.moves, planned, 1
    found = detours(standing, limit=_MOST_MOVES, comfort=COMFORT)
    if found is not None and (not helps or better(found.after, planned)):
        return found.moves, found.after, found.asked + 1
    return (plan.moves if helps else ()), planned, 1 + (found.asked if found else 0)
