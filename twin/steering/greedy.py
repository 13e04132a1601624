"""The instant way to steer: one move after the other, each the best of those that take traffic off the fullest arc.

A move is scored by the worst utilisation it leaves, and among nearly equal ones by how full the other full arcs are.
At the end moves that have become needless are taken back. It is the fallback of the linear programs and their baseline.
"""

import numpy as np

from twin.steering.scene import Scene
from twin.steering.ways import Places
from twin.topology import Floats

_DEMANDS = 25
_OPTIONS_AT_ONCE = 1500
#: Weight of Σ (utilisation / worst)^8 against the worst utilisation itself.
_OTHERS, _POWER = 1e-3, 8
_ROUNDING = 1e-12


def greedy_moves(scene: Scene, target: float, limit: int) -> tuple[Places, Places]:
    """Return (demands, options) of at most `limit` moves; fewer when the target is met or nothing helps any more."""
    choice, load = scene.present.copy(), scene.load.copy()
    worst = scene.worst_of(load)
    while worst > target and (choice != scene.present).sum() < limit:
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
    mine = over[np.arange(len(choice)), choice]
    first = np.argsort(-mine * scene.mbps, kind="stable")[:_DEMANDS]
    fits = scene.allowed[first] & (over[first] < mine[first, None] - _ROUNDING)
    place, option = np.nonzero(fits)
    which, option = first[place][:_OPTIONS_AT_ONCE], option[:_OPTIONS_AT_ONCE]
    if not len(which):
        return None
    change = scene.shares(which, option) - scene.shares(which, choice[which])
    loads = load[None, :] + scene.mbps[which, None] * change.toarray()
    full = loads[:, scene.arcs] / scene.capacity[scene.arcs]
    left = full.max(axis=1)
    others = ((full / worst) ** _POWER).sum(axis=1) * worst
    best = int((left + _OTHERS * others).argmin())
    if left[best] >= worst - _ROUNDING:
        return None
    return int(which[best]), int(option[best]), loads[best]


def _needed(scene: Scene, choice: Places, load: Floats, bound: float) -> tuple[Places, Places]:
    """Take back, the smallest demand first, each move without which nothing is fuller than the bound."""
    moved = np.flatnonzero(choice != scene.present)
    for demand in moved[np.argsort(scene.mbps[moved], kind="stable")]:
        one = np.array([demand])
        change = scene.shares(one, scene.present[one]) - scene.shares(one, choice[one])
        without = load + scene.mbps[demand] * change.toarray()[0]
        if scene.worst_of(without) <= bound + _ROUNDING:
            choice[demand], load = scene.present[demand], without
    moved = np.flatnonzero(choice != scene.present)
    return moved, choice[moved]
