"""Are two plans, each sound alone, also sound together? Both are rehearsed as one, in either order.

Together they must be sound, lose no more than the better of them alone, and hit nobody whom one of them alone spares.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from domain.actions import Action
from domain.rehearsal import Rehearsal

_EQUAL_MBPS = 1e-3
_MOST_NAMED = 5

#: Rehearses steps as one plan, under everything that either trouble may be. May raise BadInput.
RehearseSteps: TypeAlias = Callable[[Sequence[Action]], Rehearsal]


def objections(rehearse: RehearseSteps, mine: Sequence[Action], other: Sequence[Action]) -> Iterator[str]:
    """Yield what speaks against doing both, as sentences; nothing when they are safe together."""
    alone = [rehearse(steps).plan.expected for steps in (mine, other)]
    least = min(said.lost_mbps for said in alone)
    spared = min((set(said.customers_hit) for said in alone), key=len)
    for order, steps in (("one after the other", (*mine, *other)), ("the other way round", (*other, *mine))):
        said = rehearse(steps)
        if not said.sound:
            yield from (f"{order}, {reason}" for reason in said.reasons)
        lost, hit = said.plan.expected.lost_mbps, sorted(set(said.plan.expected.customers_hit) - spared)
        if lost > least + _EQUAL_MBPS:
            yield f"{order}, both lose {lost:.1f} Mbit/s, and one of them alone {least:.1f}"
        if hit:
            yield f"{order}, customers suffer whom one of them alone spares: {', '.join(hit[:_MOST_NAMED])}"
