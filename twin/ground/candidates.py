"""The moves that are on offer in a state: enumerated by the twin, each with what would follow and as a row of numbers.

The demands with most traffic on the fullest arcs may go through any waypoint that takes some of it off. Where that
would fill another arc, moves that clear room there are on offer as well: greedy search never looks at those. What would
follow is worked out for all at once; the shield takes away what nobody may do, and the most promising stay. Rows are
free of names and of scale, so what is learnt on one network can be asked on another. The first row is to stop.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from twin.evaluate import Prediction
from twin.ground.shield import shielded
from twin.steering.scene import Scene
from twin.steering.ways import Places
from twin.topology import Flags, Floats

Rows: TypeAlias = NDArray[np.float32]

#: Rows of a table, the one to stop included, and how many of them may be moves that clear room.
ROWS, _CLEARING = 64, 20
#: Arcs, demands per arc and moves that are looked at.
_ARCS, _DEMANDS, _LOOKED_AT = 3, 16, 200
#: As many of the best moves are looked at for what a move would do together with one more.
_PARTNERS = 16
#: An arc is among the fullest from this share of the worst utilisation.
_HOT = 0.9
_NEARLY = 0.98
#: Weight of the other full arcs where moves are sorted by sight.
_OTHERS = 1e-3
_ROUNDING = 1e-12
#: The option of a demand that goes as it did when the episode began.
STAYS = -1
#: No number of a row is larger than this, either way.
LIMIT = 10.0
#: What each row holds, in order; "log" is the logarithm of the ratio to what it is now.
FEATURES = (
    "stop",
    "log worst",
    "log worst of the best pair",
    "worst above the best row's",
    "log 2-norm",
    "log 8-norm",
    "log 32-norm",
    "taken off the fullest arc",
    "size",
    "share on the fullest arc",
    "fullest arc of the new way",
    "log hops",
    "delay used",
    "log arcs that are nearly fullest",
    "to the direct way",
    "has a waypoint",
    "clears room",
    "moves left",
    "log worst over mean",
)


@dataclass(frozen=True, eq=False)
class Table:
    """n rows; row 0 is to stop.

    Attributes:
        which: (n,) demands of the scene, -1 for the stop.
        options: (n,) what each would get.
        after: (n,) worst utilisation after it.
        others: (n,) Σ (utilisation / worst now)^8 over the arcs after it, which breaks ties.
        allowed: (n,) what the shield lets through; stopping always is.
        features: (n, len(FEATURES)); "moves left" is still 0.
    """

    which: Places
    options: Places
    after: Floats
    others: Floats
    allowed: Flags
    features: Rows


def table_of(scene: Scene, state: Prediction, choice: Places, closed: Flags) -> Table:
    """Return what is on offer.

    Args:
        scene: the problem.
        state: the twin's prediction under the choice.
        choice: (d,) option that each demand of the scene was given, or `STAYS`.
        closed: (w + 1,) options that policy forbids.
    """
    full = state.arc_load[scene.arcs] / scene.capacity[scene.arcs]
    worst = float(full.max(initial=0.0))
    if worst <= 0:
        return _only_stop(worst, full)
    fullness = np.where(scene.arcs, state.arc_load / scene.capacity, -1.0)
    hot = np.argsort(-fullness, kind="stable")[:_ARCS]
    hot = hot[fullness[hot] >= _HOT * worst]
    relief = _moves(scene, state, choice, closed, worst, full, _offers(scene, choice, hot))
    relief = relief.only(np.lexsort((relief.score, ~relief.allowed))[: ROWS - 1 - _CLEARING])
    if not len(relief.which):
        return _only_stop(worst, full)
    arcs = np.flatnonzero(scene.arcs)
    filled = np.setdiff1d(arcs[relief.after[:_PARTNERS].argmax(axis=1)], hot)[:_ARCS]
    clearing = _moves(scene, state, choice, closed, worst, full, _offers(scene, choice, filled))
    pair = _best_pair(clearing, relief)
    clearing = clearing.only(np.lexsort((pair, ~clearing.allowed))[:_CLEARING])
    return _as_table(relief, clearing)


def _as_table(relief: "_Moves", clearing: "_Moves") -> Table:
    worst, full = relief.worst, relief.full
    both = (relief, clearing)
    best = float(relief.left[relief.allowed].min(initial=worst))
    rows = np.concatenate([_stop(worst, full), *(moves.rows(relief, best, moves is clearing) for moves in both)])
    return Table(
        which=np.concatenate([[-1], *(moves.which for moves in both)]),
        options=np.concatenate([[-1], *(moves.options for moves in both)]),
        after=np.concatenate([[worst], *(moves.left for moves in both)]),
        others=np.concatenate([[((full / worst) ** 8).sum()], *(moves.others for moves in both)]),
        allowed=np.concatenate([[True], *(moves.allowed for moves in both)]),
        features=np.clip(rows, -LIMIT, LIMIT).astype(np.float32),
    )


def _offers(scene: Scene, choice: Places, arcs: Places) -> tuple[Places, Places]:
    """Return (demands, options) that take traffic off one of the arcs, without repeats."""
    found = []
    for arc in arcs:
        price = np.zeros(len(scene.capacity))
        price[arc] = 1.0
        over = scene.costs(price)
        mine = np.where(choice == STAYS, scene.paid(over), over[np.arange(len(choice)), choice])
        first = np.argsort(-mine * scene.mbps, kind="stable")[:_DEMANDS]
        demand, option = np.nonzero(scene.offered[first] & (over[first] < mine[first, None] - _ROUNDING))
        found.append(np.column_stack([first[demand], option]))
    offers = np.concatenate(found) if found else np.zeros((0, 2), np.int64)
    _, at = np.unique(offers, axis=0, return_index=True)
    offers = offers[np.sort(at)[:_LOOKED_AT]]
    return offers[:, 0], offers[:, 1]


def _held(scene: Scene, choice: Places, which: Places) -> Floats:
    """Return (n, arcs): what a unit of each demand puts on each arc now."""
    demands, row = np.unique(which, return_inverse=True)
    stays = choice[demands] == STAYS
    given = np.where(stays, scene.present[demands], choice[demands])
    part = np.where(stays, scene.part[demands], 1.0)
    each = part[:, None] * _onto(scene, demands, given)
    mixed = np.flatnonzero(part < 1.0)
    direct = np.full(len(mixed), scene.direct)
    each[mixed] += (1.0 - part[mixed])[:, None] * _onto(scene, demands[mixed], direct)
    return np.asarray(each[row])


def _onto(scene: Scene, which: Places, options: Places) -> Floats:
    """Return (n, arcs): what a unit of each demand puts on each arc under an option."""
    first, second = scene.into[which, options], scene.out[which, options]
    onto: Floats = scene.ways.share[first].toarray()
    bent = np.flatnonzero(second >= 0)
    onto[bent] += scene.ways.share[second[bent]].toarray()
    return onto


@dataclass(frozen=True, eq=False)
class _Moves:
    """What the rows of n moves are made of; arrays over arcs hold those that can carry (a), shares are per unit.

    Attributes:
        worst: utilisation of the fullest arc now.
        full: (a,) how full each arc is now.
        which: (n,) demands.
        options: (n,) what they get.
        bent: (n,) whether the demand has a waypoint now.
        shares: (n, a) what a unit of the demand puts on each arc after the move.
        old: (n, a) what it puts there now.
        change: (n, a) by how much each arc becomes fuller.
        allowed: (n,) what the shield lets through.
    """

    scene: Scene
    state: Prediction
    worst: float
    full: Floats
    which: Places
    options: Places
    bent: Flags
    shares: Floats
    old: Floats
    change: Floats
    allowed: Flags

    @cached_property
    def after(self) -> Floats:
        """(n, a) how full each arc would be."""
        return self.full + self.change

    @cached_property
    def left(self) -> Floats:
        """(n,) how full the fullest arc would be."""
        return np.asarray(self.after.max(axis=1, initial=0.0))

    @cached_property
    def others(self) -> Floats:
        """(n,) Σ (utilisation / worst now)^8 over the arcs."""
        return np.asarray(((self.after / self.worst) ** 8).sum(axis=1))

    @property
    def score(self) -> Floats:
        """(n,) how promising each is by sight, less is better: as `twin.steering.greedy` has it."""
        return self.left + _OTHERS * self.others * self.worst

    def only(self, places: Places) -> "_Moves":
        """Return some of the moves, in this order."""
        names = ("which", "options", "bent", "shares", "old", "change", "allowed")
        return replace(self, **{name: getattr(self, name)[places] for name in names})

    def rows(self, partners: "_Moves", best: float, clears: bool) -> Floats:
        """Return (n, len(FEATURES)) in the order of `FEATURES`."""
        scene, full, worst = self.scene, self.full, self.worst
        change, after, left = self.change, self.after, self.left
        arc = int(full.argmax())
        one = np.ones(len(left))
        gains = np.where(change > _ROUNDING, after, 0.0).max(axis=1, initial=0.0)
        nearly = (after >= _NEARLY * left[:, None]).sum(axis=1) / (full >= _NEARLY * worst).sum()
        columns = [
            0.0 * one,
            np.log(left / worst),
            np.log(_best_pair(self, partners) / worst),
            (left - best) / worst,
            *(np.log(_norm(after / worst, power) / _norm(full / worst, power)) for power in (2, 8, 32)),
            -change[:, arc] / worst,
            scene.mbps[self.which] / scene.capacity[scene.arcs][arc] / worst,
            self.old[:, arc],
            gains / worst,
            np.log(self.shares.sum(axis=1) / self.old.sum(axis=1)),
            self._delay_used(),
            np.log(nearly),
            1.0 * (self.options == scene.direct),
            1.0 * self.bent,
            float(clears) * one,
            0.0 * one,
            np.log(worst / full.mean()) * one,
        ]
        return np.column_stack(columns)

    def _delay_used(self) -> Floats:
        """Return by how much the way becomes longer, as a share of what the slice allows; 0 where it allows all."""
        scene = self.scene
        bound = self.state.topology.max_delay_ms[scene.demands[self.which]]
        second = scene.out[self.which, self.options]
        way = scene.ways.delay_ms[scene.into[self.which, self.options]]
        way = way + np.where(second < 0, 0.0, scene.ways.delay_ms[second])
        return np.asarray((way - self.state.worst_delay_ms[scene.demands[self.which]]) / bound)


def _norm(full: Floats, power: int) -> Any:
    return (full**power).sum(axis=-1) ** (1.0 / power)


def _best_pair(moves: _Moves, partners: _Moves) -> Floats:
    """Return (n,) the least worst utilisation after each move and at most one of the first partners."""
    first = partners.only(np.arange(min(_PARTNERS, len(partners.which))))
    together = np.asarray((moves.after[:, None, :] + first.change[None, :, :]).max(axis=2))
    together[(moves.which[:, None] == first.which[None, :]) | ~first.allowed[None, :]] = np.inf
    return np.asarray(np.minimum(together.min(axis=1, initial=np.inf), moves.left))


def _moves(
    scene: Scene,
    state: Prediction,
    choice: Places,
    closed: Flags,
    worst: float,
    full: Floats,
    offers: tuple[Places, Places],
) -> _Moves:
    """Work out what each of these moves would do, and whether the shield lets it through."""
    which, options = offers
    shares, old = _onto(scene, which, options), _held(scene, choice, which)
    size, given = scene.mbps[which, None], choice[which]
    loads = state.arc_load + size * (shares - old)
    return _Moves(
        scene=scene,
        state=state,
        worst=worst,
        full=full,
        which=which,
        options=options,
        bent=np.where(given == STAYS, scene.present[which], given) != scene.direct,
        shares=shares[:, scene.arcs],
        old=old[:, scene.arcs],
        change=(size * (shares - old))[:, scene.arcs] / scene.capacity[scene.arcs],
        allowed=shielded(scene, state, closed, which, options, size * shares, loads),
    )


def _stop(worst: float, full: Floats) -> Floats:
    row = np.zeros((1, len(FEATURES)))
    row[0, FEATURES.index("stop")] = 1.0
    row[0, FEATURES.index("fullest arc of the new way")] = 1.0
    row[0, FEATURES.index("log worst over mean")] = np.log(worst / full.mean()) if worst > 0 else 0.0
    return row


def _only_stop(worst: float, full: Floats) -> Table:
    nothing = np.array([-1])
    return Table(
        nothing, nothing, np.array([worst]), np.ones(1), np.ones(1, np.bool_), _stop(worst, full).astype(np.float32)
    )
