"""Is a bad agent ever given a level, and how soon does an agent that turns bad lose one?

Simulated agents, judged by the functions that the house judges by (`control_plane.autonomy.record`), one outcome after
the other, and looked at after each. *Bad* agents err a little more often than the level allows (the hardest to tell),
half as often again, or twice as often. Agents that *turn bad* have earned their level, and then err four times as
often as it allows; of their plans four in five are carried out alone, the others are signed.

Baseline: `fixed_threshold` promotes at fifty outcomes or more whose share of failures lies within the limit, and takes
the level back when that of the newest fifty does not; it looks after each outcome, too.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import numpy as np

from benchmarks.report import Figures, result
from control_plane.autonomy import record
from domain.actions import ActionClass
from domain.autonomy import TERMS, Band, Ground, Level, Standing, standing_id
from domain.identity import NetworkDomain
from stats.shares import clopper_pearson

Progress = Callable[[str], None]

_SEED = 7
_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_GROUND = Ground(
    agent="agent:simulated", action=ActionClass.INTERFACE_UP, domain=NetworkDomain.TRANSPORT, band=Band.NONE
)
_LIMIT = TERMS[Level.ACT_HARMLESS].error_limit
#: True error over the limit, as a multiple of it.
_BAD = (1.01, 1.5, 2.0)
_GOOD, _TURNED, _ALONE = 0.2, 4.0, 0.8
_WINDOW = 50


class Judge(Protocol):
    """Decides on one agent's level from outcomes, one at a time."""

    @property
    def promoted(self) -> bool: ...

    def learn(self, *, failure: bool, alone: bool) -> None:
        """Take one more outcome in."""


@dataclass
class House:
    """The house's own decisions; whatever it would ask a person to sign counts as signed."""

    standing: Standing = field(
        default_factory=lambda: Standing(
            id=standing_id("default", _GROUND.key), ground=_GROUND.key, since=_NOW, because="simulated"
        )
    )

    @property
    def promoted(self) -> bool:
        return self.standing.level is not Level.ADVISE

    def learn(self, *, failure: bool, alone: bool) -> None:
        alone = alone and self.promoted
        self.standing = record.counted(self.standing, failure=failure)
        why = record.lost(self.standing, failure=failure, alone=alone)
        if why:
            self.standing = record.fallen(self.standing, why, _NOW)
        elif record.earned(self.standing, _GROUND):
            self.standing = record.raised(self.standing, _GROUND.goal, "signed", "prop", _NOW)


@dataclass
class FixedThreshold:
    """The baseline: shares of failures, compared with the limit."""

    promoted: bool = False
    outcomes: int = 0
    failures: int = 0
    newest: deque[bool] = field(default_factory=lambda: deque(maxlen=_WINDOW))

    def learn(self, *, failure: bool, alone: bool) -> None:  # noqa: ARG002  # it does not care who signed
        self.outcomes, self.failures = self.outcomes + 1, self.failures + failure
        self.newest.append(failure)
        if self.promoted:
            self.promoted = sum(self.newest) / _WINDOW <= _LIMIT
        elif self.outcomes >= _WINDOW and self.failures / self.outcomes <= _LIMIT:
            self.promoted = True


def run(quick: bool, data: Path | None, progress: Progress) -> dict[str, Any]:  # noqa: ARG001  # nothing is stored
    """Simulate the agents and return the object of the bench.

    Raises:
        Unavailable: a figure is missing, because no agent got as far as it is about.
    """
    started = perf_counter()
    agents, horizon = (1_000, 300) if quick else (3_000, 2_000)
    judges: dict[str, Callable[[], Judge]] = {"figures": House, "fixed_threshold": FixedThreshold}
    tables = {name: _figures(make, agents, horizon, progress, name) for name, make in judges.items()}
    figures = tables.pop("figures")
    conditions = {
        "seed": _SEED,
        "n": agents,
        "horizon": horizon,
        "limit": _LIMIT,
        "alpha": record.ALPHA,
        "bad": list(_BAD),
        "turned": _TURNED,
        "alone": _ALONE,
    }
    return result("autonomy", figures, tables, conditions, started)


def _figures(make: Callable[[], Judge], agents: int, horizon: int, progress: Progress, name: str) -> Figures:
    rng = np.random.default_rng(_SEED)
    many = {factor: agents if factor == min(_BAD) else agents // 4 for factor in _BAD}
    bad = {factor: _ever_promoted(make, rng, many[factor], horizon, factor) for factor in _BAD}
    progress(f"{name}: bad agents promoted: " + ", ".join(f"x{f}: {hits}/{of}" for f, (hits, of) in bad.items()))
    good = [_first_promotion(make, rng, horizon) for _ in range(agents // 10)]
    waits = [_turned(make, rng, horizon) for _ in range(agents // 10)]
    worst = max(bad.values(), key=lambda each: each[0] / each[1])
    reached = [wait for wait in good if wait is not None]
    events = [wait[0] for wait in waits]
    progress(f"{name}: median {np.median(events):.0f} outcomes to demotion")
    return {
        "p_promotion_bad": round(worst[0] / worst[1], 4),
        "p_promotion_bad_high": round(clopper_pearson(*worst)[1], 4),
        "p_promotion_bad_by_error": {f"{factor:g}": round(hits / of, 4) for factor, (hits, of) in bad.items()},
        "events_to_demotion": float(np.median(events)),
        "events_to_demotion_p95": float(np.quantile(events, 0.95)),
        "failures_to_demotion_p95": float(np.quantile([wait[1] for wait in waits], 0.95)),
        "promoted_good": round(len(reached) / len(good), 4),
        "outcomes_to_promotion_good": float(np.median(reached)) if reached else None,
        "agents": sum(many.values()) + len(good) + len(waits),
    }


def _ever_promoted(
    make: Callable[[], Judge], rng: np.random.Generator, agents: int, horizon: int, factor: float
) -> tuple[int, int]:
    """Return how many of so many agents were promoted at any time, erring `factor` times as often as allowed."""
    promoted = 0
    for _ in range(agents):
        judge = make()
        promoted += _until(judge, (rng.random(horizon) < factor * _LIMIT).tolist()) is not None
    return promoted, agents


def _first_promotion(make: Callable[[], Judge], rng: np.random.Generator, horizon: int) -> int | None:
    return _until(make(), (rng.random(horizon) < _GOOD * _LIMIT).tolist())


def _until(judge: Judge, failures: Iterable[bool]) -> int | None:
    """Return after how many outcomes a level was given, or None."""
    for count, failure in enumerate(failures, 1):
        judge.learn(failure=failure, alone=False)
        if judge.promoted:
            return count
    return None


def _turned(make: Callable[[], Judge], rng: np.random.Generator, horizon: int) -> tuple[int, int]:
    """Return how many outcomes, and failures among them, an agent that has turned bad had before its level fell."""
    judge = make()
    while not judge.promoted:
        judge.learn(failure=bool(rng.random() < _GOOD * _LIMIT), alone=False)
    failures = 0
    for count in range(1, horizon + 1):
        failure = bool(rng.random() < _TURNED * _LIMIT)
        failures += failure
        judge.learn(failure=failure, alone=bool(rng.random() < _ALONE))
        if not judge.promoted:
            return count, failures
    return horizon, failures
