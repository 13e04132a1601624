"""The instant way to steer: one move after the other, each the best of those that take traffic off the fullest arc.

A move is scored by the worst utilisation it leaves, and among nearly equal ones by how full the other full arcs are.
At the end moves that have become needless are taken back. It is the fallback of the linear programs and their baseline.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from twin.steering.scene import Scene
from twin.steering.ways import Places
from twin.topology import Floats

_DEMANDS = 25
_OPTIONS_AT_ONCE = 1500
#: Weight of Σ (utilisation / worst)^8 against the worst utilisation itself.
_OTHERS, _POWER = 1e-3, 8
_ROUNDING = 1e-12


#: Of a demand that goes as it did.
_STAYS = -1


class Chosen(NamedTuple):
    """Moves in a scene: which demands, to which options, and which share of each goes there (the rest directly)."""

    which: Places
    options: Places
    shares: Floats


def greedy_moves(scene: Scene, target: float, limit: int) -> Chosen:
    """Return at most `limit` moves of whole demands; fewer when the target is met or nothing helps any more."""
    choice, load = np.full(len(scene.demands), _STAYS, np.int64), scene.load.copy()
    worst = scene.worst_of(load)
    while worst > target and (choice != _STAYS).sum() < limit:
        found = _best(scene, choice, load, worst)
        if found is None:
            break
        demand, option, load = found
        choice[demand] = option
        worst = scene.worst_of(load)
    return _needed(scene, choice, load, max(worst, target))


def _best(scene: Scene, choice: Places, load: Floats, worst: float) -> tuple[int, int, Floats] | None:
    """Return the best move off the fullest arc and the load that it leaves, or None."""
    fullness = np.where(scene.arcs, load / scene.capacity, -1.0)
    hot = np.zeros(len(load))
    hot[int(fullness.argmax())] = 1.0
    over = scene.costs(hot)
    mine = np.where(choice == _STAYS, scene.paid(over), over[np.arange(len(choice)), choice])
    first = np.argsort(-mine * scene.mbps, kind="stable")[:_DEMANDS]
    fits = scene.offered[first] & (over[first] < mine[first, None] - _ROUNDING)
    place, option = np.nonzero(fits)
    which, option = first[place][:_OPTIONS_AT_ONCE], option[:_OPTIONS_AT_ONCE]
    if not len(which):
        return None
    change = scene.shares(which, option) - _held(scene, choice, which)
    loads = load[None, :] + scene.mbps[which, None] * change.toarray()
    full = loads[:, scene.arcs] / scene.capacity[scene.arcs]
    left = full.max(axis=1)
    others = ((full / worst) ** _POWER).sum(axis=1) * worst
    best = int((left + _OTHERS * others).argmin())
    if left[best] >= worst - _ROUNDING:
        return None
    return int(which[best]), int(option[best]), loads[best]


def _held(scene: Scene, choice: Places, which: Places) -> Any:
    """Return (n, arcs) sparse: what a unit of each demand puts on each arc with the moves made so far."""
    stays = choice[which] == _STAYS
    kept = sparse.diags_array(stays.astype(float)) @ scene.standing(which)
    moved = scene.shares(which, np.where(stays, scene.direct, choice[which]))
    return kept + sparse.diags_array((~stays).astype(float)) @ moved


def _needed(scene: Scene, choice: Places, load: Floats, bound: float) -> Chosen:
    """Take back, the smallest demand first, each move without which nothing is fuller than the bound."""
    moved = np.flatnonzero(choice != _STAYS)
    for demand in moved[np.argsort(scene.mbps[moved], kind="stable")]:
        one = np.array([demand])
        change = scene.standing(one) - scene.shares(one, choice[one])
        without = load + scene.mbps[demand] * change.toarray()[0]
        if scene.worst_of(without) <= bound + _ROUNDING:
            choice[demand], load = _STAYS, without
    moved = np.flatnonzero(choice != _STAYS)
    return Chosen(moved, choice[moved], np.ones(len(moved)))
