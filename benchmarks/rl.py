"""What the learner of the training ground reaches, in shadow, beside doing nothing, chance, greed and linear programs.

Each network is one that the learner never saw, at hours that it never saw; on each, links, routers and shared risks
fail and places surge. `ratio_to_lp` is the worst link utilisation over the least that any routing could reach (a
multi-commodity flow); `lp` is what the house's linear programs make of the same case with as many moves, and may split
demands, which the others cannot. Reward (log of before over after) and regret (log of after over the optimum) stand
by kind of trouble. Violations are counted by the twin, not by the shield: waypoints that policy has closed, traffic
lost that was not lost before, and delay bounds newly broken; only random, one_step and the learner stand behind the
shield. `promoted` is the verdict of the promotion rule on these cases (see `twin.ground.promotion`).
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.report import Figures, quantile, result
from domain.changes import SetVia
from domain.errors import BadInput, Unavailable
from twin.ground.episode import MOVES
from twin.ground.kept import kept
from twin.ground.making import EACH
from twin.ground.measuring import Case, measured, scenarios_of
from twin.ground.places import HOURS, NETWORKS
from twin.ground.promotion import FEWEST_NETWORKS, LEVEL, Verdict, verdict
from twin.ground.scenarios import Trouble
from twin.snapshot import Snapshot
from twin.steering.plan import steering_plan

Progress = Callable[[str], None]

_QUICK_EACH = 1
_QUICK_NETWORKS = 4
_LP_S = 0.5


def run(quick: bool, data: Path | None, progress: Progress) -> dict[str, Any]:
    """Play every case by every way and return the object of the bench.

    Args:
        quick: one case per kind of trouble on four networks; too few networks for a promotion.
        data: refused: what is unseen is fixed, or it would not be unseen.
        progress: told about each network.

    Raises:
        BadInput: a file is given.
        Unavailable: a figure is missing, or the learner that comes with the house cannot be read.
    """
    if data is not None:
        raise BadInput("this bench has its own unseen networks; leave --data away")
    started = perf_counter()
    card, scorer = kept()
    others = {"lp": _by_programs}
    cases: list[Case] = []
    scenarios = list(scenarios_of("unseen", _QUICK_EACH if quick else EACH, _QUICK_NETWORKS if quick else None))
    for done, scenario in enumerate(scenarios, start=1):
        case = measured(scenario, scorer, others)
        if case is not None:
            cases.append(case)
        if done == len(scenarios) or scenarios[done].network != scenario.network:
            progress(f"{scenario.network}: {done} of {len(scenarios)} cases")
    if not cases:
        raise Unavailable("no case carried any traffic; see the progress on standard error")
    found = verdict([case.pair() for case in cases], sum(len(case.by["learner"].violations) for case in cases))
    tables = {name: _figures(cases, name) for name in cases[0].by}
    figures = tables.pop("learner") | _verdict(found)
    conditions = {
        "networks": "unseen: Topology Zoo and generated operator networks",
        "n_networks": found.networks,
        "n": len(cases),
        "hours": list(HOURS["unseen"]),
        "learnt_on": len(NETWORKS["learn"]),
        "moves": MOVES,
        "seed": card.seed,
        "version": card.version,
        "rule": f"lower end of the {LEVEL:.0%} interval over networks at 0 or above, no violation, "
        f"{FEWEST_NETWORKS} networks or more",
    }
    return result("rl", figures, tables, conditions, started)


def _by_programs(snapshot: Snapshot) -> tuple[SetVia, ...]:
    plan = steering_plan(snapshot, limit=MOVES, epsilon=0.0, budget_s=_LP_S, sweep=False)
    return tuple(change for change in plan.changes() if isinstance(change, SetVia))


def _figures(cases: Sequence[Case], name: str) -> Figures:
    ratios = [case.by[name].worst / case.optimum for case in cases]
    return {
        "ratio_to_lp": round(float(np.mean(ratios)), 4),
        "ratio_to_lp_p95": quantile(ratios, 0.95),
        "violations": sum(len(case.by[name].violations) for case in cases),
        "plans_in_violation": sum(bool(case.by[name].violations) for case in cases),
        "moves": round(float(np.mean([case.by[name].moves for case in cases])), 2),
        **{trouble.value: _of_class(cases, name, trouble) for trouble in Trouble},
    }


def _of_class(cases: Sequence[Case], name: str, trouble: Trouble) -> Figures:
    """Return mean reward, regret and violations in one kind of trouble."""
    mine = [case for case in cases if case.scenario.trouble is trouble]
    return {
        "n": len(mine),
        "reward": _mean_log([case.before / case.by[name].worst for case in mine]),
        "regret": _mean_log([case.by[name].worst / case.optimum for case in mine]),
        "violations": sum(len(case.by[name].violations) for case in mine),
    }


def _mean_log(ratios: Sequence[float]) -> float | None:
    return round(float(np.mean(np.log(ratios))), 4) if ratios else None


def _verdict(found: Verdict) -> Figures:
    return {
        "promoted": found.promoted,
        "gain_over_greedy": round(found.gain, 5),
        "gain_low": round(found.low, 5),
        "gain_high": round(found.high, 5),
    }
