"""Pairs of plans on one network: which are held because they touch each other, and which had to be."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.grants_case import BROKEN, CONGESTED, Believed, Overlay, faults, rehearsed
from control_plane.guards.influence import influenced, written
from domain.actions import Action
from domain.errors import BadInput
from domain.network import Inventory
from domain.proposals import Plan
from domain.rehearsal import Rehearsal
from twin.snapshot import Snapshot
from twin.together import objections

#: Plans that are tried for one trouble, and troubles that are drawn for each pair that is wanted.
_TRIED, _ATTEMPTS = 8, 4


@dataclass(frozen=True)
class Pair:
    """Whether both touch something in common, whether the belief found them unsafe, and whether they are."""

    touch: bool
    found_unsafe: bool
    unsafe: bool

    @property
    def held(self) -> bool:
        return self.touch and self.found_unsafe


def pairs(inventory: Inventory, count: int, rng: np.random.Generator) -> Iterator[Pair]:
    """Yield pairs of plans that are each sound while both troubles are there."""
    drawn, made, left = faults(inventory, rng, (BROKEN, CONGESTED, CONGESTED, CONGESTED)), 0, count * _ATTEMPTS
    while made < count and left:
        left -= 1
        (_, *one, tried), (_, *two, others) = next(drawn), next(drawn)
        try:
            overlay = tuple(change for part in (*one, *two) for change in part)
            found = _pair(inventory, overlay, tried, others, rng)
        except BadInput:
            continue  # both troubles are about the same thing
        if found is not None:
            made += 1
            yield found


def _pair(
    inventory: Inventory, overlay: Overlay, tried: Sequence[Plan], others: Sequence[Plan], rng: np.random.Generator
) -> Pair | None:
    base, believed = Snapshot.of(inventory), Believed(inventory, rng)
    believed.hear(base.with_changes(overlay))
    snapshot, error = believed.twin.snapshot(), believed.twin.fidelity()

    def by_belief(steps: Sequence[Action]) -> Rehearsal:
        return rehearsed(Plan(steps=tuple(steps)), snapshot, overlay, believed, error)

    def in_truth(steps: Sequence[Action]) -> Rehearsal:
        return rehearsed(Plan(steps=tuple(steps)), base, overlay, believed, 0.0)

    mine, other = _sound(tried, by_belief), _sound(others, by_belief)
    if mine is None or other is None or written(mine[0]).keys() & written(other[0]).keys():
        return None
    return Pair(
        touch=bool(_influence(inventory, *mine) & _influence(inventory, *other)),
        found_unsafe=any(objections(by_belief, mine[0].steps, other[0].steps)),
        unsafe=any(objections(in_truth, mine[0].steps, other[0].steps)),
    )


def _sound(tried: Sequence[Plan], rehearse: Callable[[Sequence[Action]], Rehearsal]) -> tuple[Plan, Rehearsal] | None:
    for plan in tried[:_TRIED]:
        said = rehearse(plan.steps)
        if said.sound:
            return plan, said
    return None


def _influence(inventory: Inventory, plan: Plan, rehearsal: Rehearsal) -> frozenset[str]:
    links = {point: link.id for link in inventory.links for point in (link.source, link.destination)}
    return influenced(links, plan, rehearsal)
