"""From shares in a linear program to moves: few demands, one waypoint each, and shares that a policy can be given.

y[p] says whether pair p = (demand, option) is chosen, x[p] ≤ y[p] which share of the demand goes there; the rest goes
the direct way. Minimise Σ y + M · z subject to
    load + Σ y · (direct way − present way) + Σ x · (option − direct way) ≤ (target + z) · capacity     on every arc,
    Σ y ≤ 1 for every demand, Σ y ≤ limit,
by branch and bound (all in Mbit/s). A policy says its share in hundredths, so the shares are then rounded: to the
nearest, and where that makes a link too full, by a second, small program over the chosen pairs alone.
"""

from time import perf_counter
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from twin.steering.greedy import Chosen
from twin.steering.program import (
    Aim,
    Columns,
    branched,
    constraints,
    every_column,
    generate,
    with_pairs,
)
from twin.steering.scene import Scene
from twin.topology import Flags, Floats

_NODES, _GAP = 60, 0.02
#: Options of all demands up to which each is written down at once.
_EVERY = 300
_PARTS = 100
#: Shares of a utilisation below this are rounding.
_ROUNDING = 1e-6


def fewest_moves(
    scene: Scene, target: float, limit: int, deadline: float, hint: Chosen, *, split: bool = True
) -> Chosen | None:
    """Return the moves, at most `limit`, that come closest to the target and are the fewest.

    Args:
        scene: the problem.
        target: utilisation that no arc should exceed.
        limit: the most moves.
        deadline: of `perf_counter`; None is returned when it passes first.
        hint: moves found by other means, from which it may choose as well.
        split: whether a policy may take a share of a demand; else all or nothing.
    """
    aim = Aim.of(scene, target * (1.0 - _ROUNDING), limit)
    columns = every_column(scene) if scene.offered.sum() <= _EVERY else generate(scene, aim, deadline)
    if columns is None:
        return None
    columns = with_pairs(columns, hint.which, hint.options)
    if not split:
        return _whole(columns, aim, deadline)
    held = np.flatnonzero(scene.allowed[np.arange(len(scene.demands)), scene.present] & (scene.present != scene.direct))
    held = held[np.isin(held, columns.which)]
    return _shared(with_pairs(columns, held, scene.present[held]), aim, deadline)


def _whole(columns: Columns, aim: Aim, deadline: float) -> Chosen | None:
    """Choose moves of whole demands. The work is limited by nodes, so that the same question has the same answer."""
    count, left = len(columns.which), deadline - perf_counter()
    if not count or left <= 0:
        return None if count else _chosen(columns, np.zeros(0, np.bool_), np.zeros(0))
    rows, bounds = constraints(columns, aim)
    options = {"node_limit": _NODES, "mip_rel_gap": _GAP, "time_limit": left}
    found = branched(np.append(np.ones(count), aim.miss_cost), rows, bounds, options)
    return None if found.x is None else _chosen(columns, found.x[:-1] > 0.5, np.ones(count))


def _shared(columns: Columns, aim: Aim, deadline: float) -> Chosen | None:
    """Choose moves and shares; limited like `_whole`."""
    count, left = len(columns.which), deadline - perf_counter()
    if not count or left <= 0:
        return None if count else _chosen(columns, np.zeros(0, np.bool_), np.zeros(0))
    rows, bounds = _shared_constraints(columns, aim)
    cost = np.concatenate([np.zeros(count), np.ones(count), [aim.miss_cost]])
    kinds = np.concatenate([np.zeros(count), np.ones(count), [0.0]])
    upper = np.append(np.ones(2 * count), np.inf)
    found = milp(
        cost,
        integrality=kinds,
        bounds=Bounds(0, upper),
        constraints=LinearConstraint(rows, -np.inf, bounds),
        options={"node_limit": _NODES, "mip_rel_gap": _GAP, "time_limit": left},
    )
    if found.x is None:
        return None
    taken = found.x[count:-1] > 0.5
    return _in_hundredths(columns, aim, taken, np.where(taken, found.x[:count], 0.0), deadline)


def _shared_constraints(columns: Columns, aim: Aim) -> tuple[Any, Floats]:
    """Return matrix and bounds over x, y and z: arcs, then demands, then the limit, then x ≤ y (= y where whole)."""
    scene, count = columns.scene, len(columns.which)
    rows, bounds = constraints(columns, aim)
    arcs = np.flatnonzero(scene.arcs)
    scale = float(scene.capacity[arcs].max())
    rest = rows.shape[0] - len(arcs)
    bends = sparse.vstack([columns.bends[:, arcs].T / scale, sparse.csr_array((rest, count))])
    frees = sparse.vstack([columns.frees[:, arcs].T / scale, rows[len(arcs) :, :count]])
    unit, none = sparse.eye_array(count), sparse.csr_array((count, 1))
    whole = sparse.diags_array(np.where(_splits(columns), 0.0, 1.0))
    matrix = sparse.block_array(
        [[bends, frees, rows[:, [count]]], [unit, -unit, none], [-whole, whole, none]], format="csc"
    )
    return matrix, np.concatenate([bounds, np.zeros(2 * count)])


def _splits(columns: Columns) -> Flags:
    """Say of which pairs the demand may go two ways: those whose direct way is allowed, and is another one."""
    scene = columns.scene
    splits: Flags = scene.allowed[columns.which, scene.direct] & (columns.options != scene.direct)
    return splits


def _in_hundredths(columns: Columns, aim: Aim, taken: Flags, share: Floats, deadline: float) -> Chosen:
    """Return the chosen pairs with shares in hundredths that leave no arc fuller than the exact ones, if there are."""
    exact = _worst(columns, taken, share)
    splits = taken & _splits(columns)
    nearest = np.where(splits, np.round(share * _PARTS) / _PARTS, np.where(taken, 1.0, 0.0))
    bound = max(aim.target, exact) * (1.0 + _ROUNDING)
    best = (_worst(columns, taken, nearest), nearest)
    if best[0] > bound and splits.any():
        other = _best_hundredths(columns, taken, splits, deadline)
        best = min(best, (_worst(columns, taken, other), other), key=lambda each: each[0])
    return _chosen(columns, taken, best[1])


def _best_hundredths(columns: Columns, taken: Flags, splits: Flags, deadline: float) -> Floats:
    """Return shares in hundredths of the chosen pairs, so that the fullest arc is as empty as these pairs allow."""
    scene, arcs = columns.scene, np.flatnonzero(columns.scene.arcs)
    fixed = np.where(taken & ~splits, 1.0, 0.0)
    load = scene.load + columns.frees.T @ taken.astype(np.float64) + columns.bends.T @ fixed
    scale = float(scene.capacity[arcs].max())
    bends = columns.bends[splits][:, arcs].T / scale / _PARTS
    count = int(splits.sum())
    found = milp(
        np.append(np.zeros(count), 1.0),
        integrality=np.append(np.ones(count), 0.0),
        bounds=Bounds(0, np.append(np.full(count, float(_PARTS)), np.inf)),
        constraints=LinearConstraint(
            sparse.hstack([bends, -(scene.capacity[arcs] / scale)[:, None]], format="csc"), -np.inf, -load[arcs] / scale
        ),
        options={"node_limit": _NODES, "mip_rel_gap": _GAP / 10, "time_limit": max(0.01, deadline - perf_counter())},
    )
    share = fixed.copy()
    share[splits] = 1.0 if found.x is None else np.round(found.x[:-1]) / _PARTS
    return share


def _worst(columns: Columns, taken: Flags, share: Floats) -> float:
    moved = columns.frees.T @ taken.astype(np.float64) + columns.bends.T @ share
    return columns.scene.worst_of(columns.scene.load + moved)


def _chosen(columns: Columns, taken: Flags, share: Floats) -> Chosen:
    """Return the pairs as moves; what goes nowhere but the direct way has that as its option, or is no move."""
    scene, at = columns.scene, np.flatnonzero(taken)
    which, options, shares = columns.which[at], columns.options[at], np.round(share[at], 2)
    options = np.where(shares > 0, options, scene.direct)
    shares = np.where(options == scene.direct, 1.0, shares)
    moves = (options != scene.present[which]) | (shares != scene.part[which])
    return Chosen(which[moves], options[moves], shares[moves])
