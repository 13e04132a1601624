"""The fewest demands to move so that no link is fuller than a target: linear programs made column by column.

x[d, o] is the share of demand d that leaves its present way for option o. Minimise Σ x + M · z subject to
    load + Σ x · mbps · (share of o − share of the present way) ≤ (target + z) · capacity     on every arc,
    Σ_o x[d, o] ≤ 1 for every demand, Σ x ≤ limit,
where z says by how much the target is missed. Few of all (demand, option) pairs are ever written down: the dual prices
of the arcs say which others would pay (column generation; Gilmore and Gomory, 1961), and two matrix products ask them
all. Moves are then chosen among the written pairs (`twin.steering.rounding`): a demand has one waypoint or none, as a
whole or with a share of its traffic.
"""

from dataclasses import dataclass
from functools import cached_property
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
_PAYS = 1e-6
#: Fullness beyond which prices rise steeply, before the first program has set any.
_STEEP = 16


@dataclass(frozen=True, eq=False)
class Columns:
    """The (demand, option) pairs that are written down, and what each does to the arcs (Mbit/s).

    `frees` is what it adds when the demand leaves what it does now for the direct way, `bends` what it adds when all of
    it leaves that for the option; shape (pairs, arcs).
    """

    scene: Scene
    which: Places
    options: Places
    frees: Any
    bends: Any

    @classmethod
    def none(cls, scene: Scene) -> "Columns":
        empty = np.zeros(0, np.int64)
        nothing = sparse.csr_array((0, len(scene.arcs)))
        return cls(scene, empty, empty, nothing, nothing)

    @cached_property
    def adds(self) -> Any:
        """(pairs, arcs): what each adds when all of the demand goes there."""
        return self.frees + self.bends

    def plus(self, which: Places, options: Places) -> "Columns":
        """Return these columns and others."""
        scene = self.scene
        mbps = sparse.diags_array(scene.mbps[which])
        direct = scene.shares(which, np.full(len(which), scene.direct))
        return Columns(
            scene,
            np.concatenate([self.which, which]),
            np.concatenate([self.options, options]),
            sparse.vstack([self.frees, mbps @ (direct - scene.standing(which))], format="csr"),
            sparse.vstack([self.bends, mbps @ (scene.shares(which, options) - direct)], format="csr"),
        )


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


def least_missed(scene: Scene, target: float, limit: int, deadline: float) -> float | None:
    """Return by how much the target is missed at least, however a demand is split over waypoints; None: no time.

    No choice of `limit` moves comes closer, whole or with shares: a bound for all methods.
    """
    aim = Aim(target, limit, 1e6)
    columns = generate(scene, aim, deadline)
    solved = None if columns is None else relaxed(columns, aim, deadline)
    return None if solved is None else solved.missed


def least_missed_whole(scene: Scene, limit: int, time_limit_s: float) -> float:
    """Return a worst utilisation below which no choice of at most `limit` whole moves goes, as proven in time.

    Every allowed move is written down, so this is slow: it says how good a plan is, it makes none.
    """
    columns = every_column(scene)
    if not len(columns.which):
        return scene.worst_of(scene.load)
    rows, bounds = constraints(columns, Aim(0.0, limit, 1.0))
    cost = np.append(np.zeros(len(columns.which)), 1.0)
    found = branched(cost, rows, bounds, {"time_limit": time_limit_s})
    return max(0.0, float(found.mip_dual_bound or 0.0))


def every_column(scene: Scene) -> Columns:
    """Write down every move that is allowed."""
    asked = scene.offered
    return Columns.none(scene).plus(*np.nonzero(asked))


def generate(scene: Scene, aim: Aim, deadline: float) -> Columns | None:
    """Write down columns until none pays any more, and then those that nearly would; None when time is up."""
    columns = Columns.none(scene)
    asked = scene.offered
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
        found = relaxed(columns, aim, deadline)
        if found is None:
            return None
        solved = found
    return _with_near(columns, solved, asked)


def with_pairs(columns: Columns, which: Places, options: Places) -> Columns:
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
    gain: Floats = (scene.paid(cost) - 1.0 - solved.rent - solved.toll)[:, None] - cost
    gain[~asked] = -np.inf
    return gain


def constraints(columns: Columns, aim: Aim) -> tuple[Any, Floats]:
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


def relaxed(columns: Columns, aim: Aim, deadline: float) -> Relaxed | None:
    """Solve the linear program over the written columns; None when time is up."""
    scene, left = columns.scene, max(0.0, deadline - perf_counter())
    rows, bounds = constraints(columns, aim)
    cost = np.append(np.ones(len(columns.which)), aim.miss_cost)
    found = linprog(cost, A_ub=rows, b_ub=bounds, bounds=(0, None), method="highs", options={"time_limit": left})
    if found.status != 0:
        return None
    dual = -found.ineqlin.marginals
    arcs = np.flatnonzero(scene.arcs)
    price = np.zeros(len(scene.arcs))
    price[arcs] = dual[: len(arcs)] / float(scene.capacity[arcs].max())
    return Relaxed(float(found.x[-1]), price, dual[len(arcs) : -1], float(dual[-1]))


def branched(cost: Floats, rows: Any, bounds: Floats, options: dict[str, float]) -> Any:
    """Minimise with every variable 0 or 1 but the last, which is 0 or more."""
    binary = np.append(np.ones(len(cost) - 1), 0.0)
    upper = np.append(np.ones(len(cost) - 1), np.inf)
    within = LinearConstraint(rows, -np.inf, bounds)
    return milp(cost, integrality=binary, bounds=Bounds(0, upper), constraints=within, options=options)
