"""The fewest demands to move so that no link is fuller than a target: linear programs made column by column.

x[d, o] is the share of demand d that leaves its present way for option o. Minimise Σ x + M · z subject to
    load + Σ x · mbps · (share of o − share of the present way) ≤ (target + z) · capacity     on every arc,
    Σ_o x[d, o] ≤ 1 for every demand, Σ x ≤ limit,
where z says by how much the target is missed. Few of all (demand, option) pairs are ever written down: the dual prices
of the arcs say which others would pay (column generation; Gilmore and Gomory, 1961), and two matrix products ask them
all. Whole moves are then chosen among the written pairs by branch and bound: a demand has one waypoint or none.
"""

from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from twin.steering.scene import Scene
from twin.steering.ways import Places
from twin.topology import Flags, Floats

#: A move must lower the worst utilisation by this share of what it is now, or help to reach the target.
WORTH = 0.001
_PER_ROUND, _ROUNDS, _NEAR = 100, 40, 50
_NODES, _GAP = 60, 0.02
#: Options of all demands up to which each is written down at once.
_EVERY = 1000
_PAYS = 1e-6
#: Fullness beyond which prices rise steeply, before the first program has set any.
_STEEP = 16


@dataclass(frozen=True, eq=False)
class Columns:
    """The (demand, option) pairs that are written down, and what each adds to the arcs (Mbit/s)."""

    scene: Scene
    which: Places
    options: Places
    adds: Any

    @classmethod
    def none(cls, scene: Scene) -> "Columns":
        empty = np.zeros(0, np.int64)
        return cls(scene, empty, empty, sparse.csr_array((0, len(scene.arcs))))

    def plus(self, which: Places, options: Places) -> "Columns":
        """Return these columns and others."""
        scene = self.scene
        extra = scene.shares(which, options) - scene.shares(which, scene.present[which])
        adds = sparse.vstack([self.adds, sparse.diags_array(scene.mbps[which]) @ extra], format="csr")
        return Columns(scene, np.concatenate([self.which, which]), np.concatenate([self.options, options]), adds)


@dataclass(frozen=True, eq=False)
class Aim:
    """What to reach: utilisation `target` everywhere by at most `limit` moves; `miss_cost` is M."""

    target: float
    limit: int
    miss_cost: float

    @classmethod
    def of(cls, scene: Scene, target: float, limit: int) -> "Aim":
        now = scene.worst_of(scene.load)
        return cls(target, limit, 1.0 / (WORTH * max(now, 1e-9)))


@dataclass(frozen=True, eq=False)
class Relaxed:
    """A solution in shares: by how much the target is missed, and what arcs (per Mbit/s), demands and moves cost."""

    missed: float
    price: Floats
    rent: Floats
    toll: float


def fewest_moves(
    scene: Scene, target: float, limit: int, deadline: float, hint: tuple[Places, Places]
) -> tuple[Places, Places] | None:
    """Return (demands, options): whole moves, at most `limit`, that come closest to the target and are the fewest.

    Args:
        scene: the problem.
        target: utilisation that no arc should exceed.
        limit: the most moves.
        deadline: of `perf_counter`; None is returned when it passes first.
        hint: moves found by other means, from which it may choose as well.
    """
    aim = Aim.of(scene, target, limit)
    columns = every_column(scene) if scene.allowed.sum() <= _EVERY else generate(scene, aim, deadline)
    return None if columns is None else _whole(_with(columns, *hint), aim, deadline)


def least_missed(scene: Scene, target: float, limit: int, deadline: float) -> float | None:
    """Return by how much the target is missed at least, even if the limited moves could be split; None: no time.

    No choice of `limit` whole moves comes closer: a bound for all methods.
    """
    aim = Aim(target, limit, 1e6)
    columns = generate(scene, aim, deadline)
    solved = None if columns is None else _relaxed(columns, aim, deadline)
    return None if solved is None else solved.missed


def least_missed_whole(scene: Scene, limit: int, time_limit_s: float) -> float:
    """Return a worst utilisation below which no choice of at most `limit` whole moves goes, as proven in time.

    Every allowed move is written down, so this is slow: it says how good a plan is, it makes none.
    """
    columns = every_column(scene)
    if not len(columns.which):
        return scene.worst_of(scene.load)
    rows, bounds = _constraints(columns, Aim(0.0, limit, 1.0))
    cost = np.append(np.zeros(len(columns.which)), 1.0)
    found = _branched(cost, rows, bounds, {"time_limit": time_limit_s})
    return max(0.0, float(found.mip_dual_bound or 0.0))


def every_column(scene: Scene) -> Columns:
    """Write down every move that is allowed."""
    asked = scene.allowed.copy()
    asked[np.arange(len(scene.demands)), scene.present] = False
    return Columns.none(scene).plus(*np.nonzero(asked))


def generate(scene: Scene, aim: Aim, deadline: float) -> Columns | None:
    """Write down columns until none pays any more, and then those that nearly would; None when time is up."""
    columns = Columns.none(scene)
    asked = scene.allowed.copy()
    asked[np.arange(len(scene.demands)), scene.present] = False
    solved = _first_prices(scene)
    for _ in range(_ROUNDS):
        if perf_counter() > deadline:
            return None
        gain = _gains(scene, solved, asked)
        best = gain.argmax(axis=1)
        value = gain[np.arange(len(best)), best]
        pays = np.flatnonzero(value > _PAYS)
        if not len(pays):
            break
        pays = pays[np.argsort(-value[pays], kind="stable")[:_PER_ROUND]]
        asked[pays, best[pays]] = False
        columns = columns.plus(pays, best[pays])
        found = _relaxed(columns, aim, deadline)
        if found is None:
            return None
        solved = found
    return _with_near(columns, solved, asked)


def _with(columns: Columns, which: Places, options: Places) -> Columns:
    """Add pairs, those left out that are there already."""
    known = set(zip(columns.which.tolist(), columns.options.tolist(), strict=True))
    pairs = zip(which.tolist(), options.tolist(), strict=True)
    fresh = np.array([pair not in known for pair in pairs], np.bool_)
    return columns.plus(which[fresh], options[fresh]) if fresh.any() else columns


def _with_near(columns: Columns, solved: Relaxed, asked: Flags) -> Columns:
    """Add the pairs that come nearest to paying: whole moves may need what split ones do not."""
    gain = _gains(columns.scene, solved, asked).ravel()
    near = np.argsort(-gain, kind="stable")[:_NEAR]
    near = near[np.isfinite(gain[near])]
    return columns.plus(*np.unravel_index(near, asked.shape)) if len(near) else columns


def _first_prices(scene: Scene) -> Relaxed:
    """Return prices that only make full arcs dear."""
    full = np.where(scene.arcs, scene.load / scene.capacity, 0.0)
    steep = (full / max(full.max(initial=0.0), 1e-12)) ** _STEEP
    return Relaxed(np.inf, steep / scene.capacity, np.full(len(scene.demands), -1.0), 0.0)


def _gains(scene: Scene, solved: Relaxed, asked: Flags) -> Floats:
    """Return (d, w + 1): what a move would save beyond its cost; -inf where it is not asked for."""
    cost = scene.costs(solved.price) * scene.mbps[:, None]
    now = cost[np.arange(len(scene.demands)), scene.present]
    gain: Floats = (now - 1.0 - solved.rent - solved.toll)[:, None] - cost
    gain[~asked] = -np.inf
    return gain


def _constraints(columns: Columns, aim: Aim) -> tuple[Any, Floats]:
    """Return the matrix (arcs, then demands that have columns, then the limit; last column z) and its bounds."""
    scene, count = columns.scene, len(columns.which)
    arcs = np.flatnonzero(scene.arcs)
    scale = float(scene.capacity[arcs].max())
    on_arcs = columns.adds[:, arcs].T / scale
    own = sparse.csr_array((np.ones(count), (columns.which, np.arange(count))), shape=(len(scene.demands), count))
    capacity = scene.capacity[arcs] / scale
    slack = sparse.csr_array(np.concatenate([-capacity, np.zeros(len(scene.demands) + 1)])[:, None])
    rows = sparse.vstack([on_arcs, own, sparse.csr_array(np.ones((1, count)))])
    room = aim.target * capacity - scene.load[arcs] / scale
    bounds = np.concatenate([room, np.ones(len(scene.demands)), np.array([float(aim.limit)])])
    return sparse.hstack([rows, slack], format="csc"), bounds


def _relaxed(columns: Columns, aim: Aim, deadline: float) -> Relaxed | None:
    scene, left = columns.scene, max(0.0, deadline - perf_counter())
    rows, bounds = _constraints(columns, aim)
    cost = np.append(np.ones(len(columns.which)), aim.miss_cost)
    found = linprog(cost, A_ub=rows, b_ub=bounds, bounds=(0, None), method="highs", options={"time_limit": left})
    if found.status != 0:
        return None
    dual = -found.ineqlin.marginals
    arcs = np.flatnonzero(scene.arcs)
    price = np.zeros(len(scene.arcs))
    price[arcs] = dual[: len(arcs)] / float(scene.capacity[arcs].max())
    return Relaxed(float(found.x[-1]), price, dual[len(arcs) : -1], float(dual[-1]))


def _whole(columns: Columns, aim: Aim, deadline: float) -> tuple[Places, Places] | None:
    """Choose whole moves. The work is limited by nodes, so that the same question has the same answer."""
    count, left = len(columns.which), deadline - perf_counter()
    if not count or left <= 0:
        return (columns.which, columns.options) if not count else None
    rows, bounds = _constraints(columns, aim)
    options = {"node_limit": _NODES, "mip_rel_gap": _GAP, "time_limit": left}
    found = _branched(np.append(np.ones(count), aim.miss_cost), rows, bounds, options)
    if found.x is None:
        return None
    taken = np.flatnonzero(found.x[:-1] > 0.5)
    return columns.which[taken], columns.options[taken]


def _branched(cost: Floats, rows: Any, bounds: Floats, options: dict[str, float]) -> Any:
    """Minimise with every variable 0 or 1 but the last, which is 0 or more."""
    binary = np.append(np.ones(len(cost) - 1), 0.0)
    upper = np.append(np.ones(len(cost) - 1), np.inf)
    within = LinearConstraint(rows, -np.inf, bounds)
    return milp(cost, integrality=binary, bounds=Bounds(0, upper), constraints=within, options=options)
