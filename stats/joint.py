"""One probability for several bounds at once: how far each must be moved so that all of them hold together.

Each bound has a nonconformity per case: the least margin with which it would have held (negative: room was left). One
vector of margins is a box, and the bounds of a case hold together when its nonconformities lie in it. Boxes are made by
peeling: from the box of all cases, cases are dropped where that moves a side in furthest for each case dropped. So
the few cases in which all goes wrong do not widen every bound, as they would if each bound had the same share to miss.

The boxes are nested and each is indexed by the share of cases kept. How large that share must be is a conformal
question: the smallest box that holds a case which had no part in the boxes is its score, and the quantile at the level
of the scores, with the correction for finite samples, is the share that is used.

Sources: nested sets indexed by one number and cross-conformal scores, Gupta, Kuchibhotla and Ramdas, "Nested conformal
prediction and quantile out-of-bag ensemble methods", Pattern Recognition 127 (2022); several outputs at once, Messoudi,
Destercke and Rousseau, "Copula-based conformal prediction for multi-target regression", Pattern Recognition 120 (2021);
peeling, Friedman and Fisher, "Bump hunting in high-dimensional data", Statistics and Computing 9 (1999).
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

#: Beyond these margins nothing is gained by moving a side in, or lost by moving it out.
_NARROWEST, _WIDEST = -1.0, 1e3
#: Clusters are dropped while the level and this share more are left; the way that ends in the smallest box is taken.
_SPARE = (0.0, 0.02, 0.04, 1.0)
#: Boxes that keep less than this share are never asked for.
_LEAST_KEPT = 0.4


def joint_margins(needed: Floats, level: float, groups: Sequence[int], folds: int = 10) -> Floats:
    """Return one margin per bound, with which all bounds hold together in `level` of unseen cases.

    Args:
        needed: shape (cases, bounds), in units that are alike for all bounds: the least margin with which a bound holds
            in a case; -inf: it always holds, inf: it never does.
        level: the joint probability, between 0 and 1.
        groups: one number per case; cases of one group (one network) share a fold.
        folds: how many; boxes that score a fold are made without it.

    Returns:
        Shape (bounds,); infinite where too many cases hold with no margin at all.

    Raises:
        ValueError: there are too few cases for the level, or the shapes differ.
    """
    cases = len(needed)
    if needed.ndim != 2 or cases != len(groups) or not 0.0 < level < 1.0:
        raise ValueError(f"needed {needed.shape} and {len(groups)} groups do not go with level {level}")
    place = math.ceil((cases + 1) * level)
    if place > cases:
        raise ValueError(f"{cases} cases are too few for {level:.0%}; give at least {math.ceil(level / (1 - level))}")
    fold = _folds(groups, folds)
    found = []
    for least in sorted({min(level + spare, 1.0) for spare in _SPARE}):
        share = float(np.sort(_scores(needed, least, fold))[place - 1])
        boxes = _boxes(needed, least)
        found.append(boxes[min(math.floor((1.0 - min(share, 1.0)) * cases + 1e-9), len(boxes) - 1)])
    return np.asarray(min(found, key=lambda box: float(np.clip(box, _NARROWEST, _WIDEST).sum())), np.float64)


def _scores(needed: Floats, least: float, fold: Places) -> Floats:
    """Return, per case, the share that the smallest box keeps which holds it; 2 where even the largest does not."""
    scores = np.empty(len(needed))
    for number in np.unique(fold):
        inside = fold == number
        boxes = _boxes(needed[~inside], least)
        held = (needed[inside][:, None, :] <= boxes[None]).all(axis=2)
        smallest = held.sum(axis=1) - 1  # boxes are nested: those that hold a case are the first ones
        scores[inside] = np.where(smallest < 0, 2.0, 1.0 - smallest / (~inside).sum())
    return scores


def _folds(groups: Sequence[int], folds: int) -> Places:
    known = list(dict.fromkeys(groups))
    if len(known) < folds:
        return np.arange(len(groups)) % folds
    of = {group: number % folds for number, group in enumerate(known)}
    return np.array([of[group] for group in groups], np.intp)


def _boxes(needed: Floats, least: float) -> Floats:
    """Return the nested boxes: row k is the box of all cases but k, shape (boxes, bounds)."""
    order = _peeled(np.clip(needed, _NARROWEST, _WIDEST), least)
    alive = np.ones(len(needed), np.bool_)
    rows = [needed.max(axis=0)]
    for case in order.tolist():
        alive[case] = False
        rows.append(needed[alive].max(axis=0))
    return np.array(rows)


def _peeled(cost: Floats, least: float) -> Places:
    """Return the cases in the order in which they are dropped.

    A cluster has to go as a whole before its side moves, and until then the box stands still. So clusters go first, as
    long as the share `least` is left, and then single cases go: around the level, shares are to be told apart finely.
    """
    alive, fine = np.arange(len(cost)), max(1, len(cost) // 100)
    enough = math.ceil(least * len(cost))
    dropped: list[int] = []
    while len(alive) > max(_LEAST_KEPT * len(cost), 1):
        side, many = _best_cut(cost[alive], max(len(alive) - enough, fine))
        worst = alive[np.argsort(-cost[alive, side], kind="stable")[:many]]
        dropped += worst.tolist()
        alive = np.setdiff1d(alive, worst, assume_unique=True)
    return np.array(dropped, np.intp)


def _best_cut(cost: Floats, most: int) -> tuple[int, int]:
    """Return the side, and how many of its worst cases to drop, that gains most for each case dropped.

    More than `most` are dropped only where fewer gain nothing.
    """
    down = -np.sort(-cost, axis=0)
    last = len(cost) - 1
    sizes = sorted({min(size, last) for size in (most, *(2**power for power in range(last.bit_length())))})
    gains = np.array([(down[0] - down[size]) / size for size in sizes])
    allowed = np.array([size <= most for size in sizes])
    usable = gains[allowed] if allowed.any() and gains[allowed].max() > 0 else gains
    best = int(np.argmax(usable))
    return best % cost.shape[1], sizes[best // cost.shape[1]]
