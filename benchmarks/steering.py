"""How near to the optimum few SR policies bring the fullest link, and how soon.

Every ratio is the worst link utilisation after the moves over the least that any routing could reach (a
multi-commodity flow), each state evaluated by the twin. Baselines on the same matrices: `ecmp` moves nothing, `greedy`
takes one move after the other by sight, `whole` is the same linear programs when a policy takes all of a demand or
nothing. Two bounds say what is out of reach for anybody with as many policies: `split_bound_mean` even if demands could
be split over any number of waypoints, `whole_bound_mean` for whole demands, which have one waypoint or none. The latter
is proven by branch and bound for the matrices on which `whole` is not near, as far as the time for it goes; for the
others it is the split bound. Seconds are processor seconds of one core, failure sweep left out: what a quiet machine
would take, also on one that others use.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np

from benchmarks.given import given_inventory
from benchmarks.report import Figures, quantile, result
from benchmarks.steering_networks import PAIR_SIGMA, PLACE_SIGMA, REFERENCES, Setting, matrices, settings
from domain.errors import TooLarge
from twin.evaluate import evaluate
from twin.snapshot import Snapshot
from twin.steering.failures import worst_after_failure
from twin.steering.optimum import MOST_COMMODITIES, optimum
from twin.steering.plan import SteeringPlan, steering_plan
from twin.steering.program import least_missed, least_missed_whole
from twin.steering.scene import scene_of

Progress = Callable[[str], None]

_SEED = 7
_EPSILON = 0.02
_FULL, _QUICK = 24, 2
_WHILE_S = 60.0
#: A plan is near below this ratio; where it is not, a proof of what is possible gets so many seconds.
_NEAR, _PROOF_S, _QUICK_PROOF_S = 1.03, 6.0, 2.0
#: On a machine that others use, a second of work may take so many.
_PATIENCE = 6.0


@dataclass(frozen=True)
class Case:
    """One matrix under one method."""

    ratio: float
    policies: int
    seconds: float
    after_failure: float
    split_bound: float
    whole_bound: float


def run(
    quick: bool, data: Path | None, progress: Progress, topology: Path | None = None, demands: Path | None = None
) -> dict[str, Any]:
    """Steer every matrix by every method and return the object of the bench.

    Args:
        quick: two matrices per network instead of 24.
        data: a file with an inventory to use instead of the reference networks.
        progress: told about each network.
        topology: a file with a network to use instead (see `twin.whatif.reading`), with its `demands`.
        demands: likewise.

    Raises:
        BadInput: a file is no inventory with demands, or no network.
        TooLarge: a network of the caller's own is too large for an optimum to stand beside.
        Unavailable: a figure is missing.
    """
    started = perf_counter()
    count = _QUICK if quick else _FULL
    tables: dict[str, Figures] = {"lp": {}, "ecmp": {}, "greedy": {}, "whole": {}}
    given = given_inventory(topology, demands)
    for setting in settings(data, given):
        cases: dict[str, list[Case]] = {method: [] for method in tables}
        for snapshot in matrices(setting.inventory, _SEED, count):
            for method, case in _one(setting, snapshot, _QUICK_PROOF_S if quick else _PROOF_S).items():
                cases[method].append(case)
        for method, many in cases.items():
            tables[method][setting.name] = _figures(many)
        told = ", ".join(f"{method} {tables[method][setting.name]['ratio_to_lp_mean']:.3f}" for method in tables)
        progress(f"{setting.name}: {told} of the optimum")
    conditions = {
        "networks": "given" if given is not None else str(data) if data else REFERENCES,
        "seed": _SEED,
        "n": count,
        "epsilon": _EPSILON,
        "limit": {"under_40_routers": 10, "else": 25},
        "seconds_of": "processor",
        "place_sigma": PLACE_SIGMA,
        "pair_sigma": PAIR_SIGMA,
    }
    return result("steering", tables.pop("lp"), tables, conditions, started)


def _one(setting: Setting, snapshot: Snapshot, proof_s: float) -> dict[str, Case]:
    """Return what each method makes of one matrix."""
    began = process_time()
    present = evaluate(snapshot)
    ecmp_s = process_time() - began
    now = present.impact().max_utilisation
    least = optimum(present, _WHILE_S)
    if not least:
        raise _beyond("the optimum")
    scene = scene_of(present)
    missed = least_missed(scene, 0.0, setting.limit, perf_counter() + _WHILE_S)
    if missed is None:
        raise _beyond("the bound on what so many policies reach")
    plans = {method: _planned(setting, snapshot, method, least) for method in ("lp", "greedy", "whole")}
    near = plans["whole"][0].after <= _NEAR * least
    whole = missed if near else max(missed, least_missed_whole(scene, setting.limit, proof_s))
    bounds = (missed / least, whole / least)
    cases = {"ecmp": Case(now / least, 0, ecmp_s, worst_after_failure(snapshot).worst, *bounds)}
    for method, (plan, seconds) in plans.items():
        left = worst_after_failure(snapshot.with_changes(plan.changes())).worst
        cases[method] = Case(plan.after / least, len(plan.moves), seconds, left, *bounds)
    return cases


def _beyond(what: str) -> TooLarge:
    return TooLarge(
        f"{what} is not worked out within {_WHILE_S:g} s, or for more than {MOST_COMMODITIES} pairs of ends with "
        "traffic; join demands, or give a smaller network"
    )


def _planned(setting: Setting, snapshot: Snapshot, method: str, least: float) -> tuple[SteeringPlan, float]:
    """Return what a method makes of a matrix that it has not seen yet, and the processor seconds that it took."""
    fresh, began = Snapshot.of(snapshot.inventory), process_time()
    plan = steering_plan(
        fresh,
        limit=setting.limit,
        epsilon=_EPSILON,
        enough=(1 + _EPSILON) * least if method == "greedy" else 0.0,
        budget_s=0.0 if method == "greedy" else _PATIENCE * setting.budget_s,
        sweep=False,
        split=method != "whole",
    )
    return plan, process_time() - began


def _figures(cases: list[Case]) -> Figures:
    ratios, seconds = [case.ratio for case in cases], [case.seconds for case in cases]
    return {
        "ratio_to_lp_mean": round(float(np.mean(ratios)), 4),
        "ratio_to_lp_p95": quantile(ratios, 0.95),
        "policies": round(float(np.mean([case.policies for case in cases])), 2),
        "policies_most": max(case.policies for case in cases),
        "seconds": round(float(np.mean(seconds)), 4),
        "seconds_most": round(max(seconds), 4),
        "split_bound_mean": round(float(np.mean([case.split_bound for case in cases])), 4),
        "whole_bound_mean": round(float(np.mean([case.whole_bound for case in cases])), 4),
        "after_failure_mean": round(float(np.mean([case.after_failure for case in cases])), 4),
    }
