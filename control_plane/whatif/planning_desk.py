"""The service layer of two long questions to the twin: is this configuration safe to push, and what will be too full?

Both are answered on the network as it is believed to be now, and for callers who see the whole of it only.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import numpy as np

from control_plane import refusals
from control_plane.hours import Remembered, remembered
from control_plane.road import Road
from control_plane.whatif.believing import Alone, Believed, look_at_all
from domain.base import Utc, Word
from domain.capacity import CapacityPlan, Terms
from domain.configuration import ConfigurationFinding, PushPolicy
from domain.errors import NotFound, Unavailable
from domain.identity import Principal
from domain.network import Inventory
from stats.forecasting import LEAST_WEEKS
from twin.configuration import check, parse
from twin.planning.history import LoadHistory, fold
from twin.snapshot import Snapshot

_HOURS_OF_A_WEEK = 7 * 24


class CapacityPlanner(Protocol):
    """Says what will be too full, and what to do about it."""

    def plan(self, history: LoadHistory, made_at: datetime, terms: Terms | None = None) -> CapacityPlan:
        """Return a plan for people. Raises BadInput for a history that does not fit the network."""


class Checked(Word):
    """What a push would bring: findings, the worst first, a safe order of pushes (None: none), and the difference."""

    believed: Believed
    blocks: bool
    findings: tuple[ConfigurationFinding, ...]
    order: tuple[str, ...] | None
    diff: str


class Told(Word):
    """What a plan rests on: whole hours of load, by whom they were measured, and which share of them was."""

    source: str
    hours: int
    ends: Utc
    measured: float


class Capacities(Word):
    """What will be too full, by when, and what to do, beside what that rests on."""

    believed: Believed
    history: Told
    plan: CapacityPlan


@refusals.recorded
class PlanningDesk:
    """Long questions to the twin, one at a time."""

    def __init__(
        self, road: Road, planner: Callable[[], CapacityPlanner] | None = None, alone: Alone | None = None
    ) -> None:
        """`planner` makes the agent that plans capacity when it is first asked for."""
        self._road = road
        self._planner = planner
        self._alone = alone or Alone()

    def check(
        self,
        who: Principal,
        configuration: str,
        against: str | None = None,
        order: Sequence[str] | None = None,
        policy: PushPolicy | None = None,
    ) -> Checked:
        """Return what pushing a configuration (see `twin.configuration.reading`) would bring; nothing is pushed.

        Args:
            who: asks.
            configuration: that is to be in force.
            against: that is in force; None for a first one.
            order: of the pushes, by router; None asks for a safe one.
            policy: limits and protected flows.

        Raises:
            Refused: the caller may not, or does not see the whole network.
            BadInput: a text cannot be read, with the line; a router is not there, or the order does not fit.
            Unavailable: somebody else's long question is being worked on.
        """
        snapshot, believed = look_at_all(self._road, who)
        with self._alone():
            before = parse(against) if against is not None else None
            steps = tuple(order) if order else None
            report = check(before, parse(configuration), as_believed(snapshot), policy, steps)
        return Checked(
            believed=believed, blocks=report.blocks, findings=report.findings, order=report.order, diff=report.diff
        )

    def capacity(self, who: Principal, history: LoadHistory | None = None, terms: Terms | None = None) -> Capacities:
        """Return what will be too full by the loads that the house itself has measured, or by a history of the caller.

        Raises:
            Refused: the caller may not, or does not see the whole network.
            BadInput: the history does not fit the network or the terms.
            NotFound: the house has not measured for long enough; says how long it has, and how long is needed.
            Unavailable: somebody else's long question is being worked on, or nobody plans capacity here.
        """
        _, believed = look_at_all(self._road, who)
        terms = terms or Terms()
        with self._alone():
            known, told = self._own(terms) if history is None else (history, _told(history))
            plan = self._agent().plan(known, self._road.clock.now(), terms)
        return Capacities(believed=believed, history=told, plan=plan)

    def _own(self, terms: Terms) -> tuple[LoadHistory, Told]:
        road = self._road
        points = road.live.link_of
        known = road.ledger.read(lambda tables: remembered(tables, road.clock.now(), points))
        _require_long_enough(known, terms)
        history = fold(known.elements, known.mbps, 60, known.ends)
        return history, Told(
            source="measured by this house", hours=known.mbps.shape[1], ends=known.ends, measured=known.measured
        )

    def _agent(self) -> CapacityPlanner:
        if self._planner is None:
            raise Unavailable("nobody plans capacity here; start the house with its agents")
        return self._planner()


def _require_long_enough(known: Remembered, terms: Terms) -> None:
    """Raise NotFound unless the nearest horizon can be looked at."""
    hours, weeks = known.mbps.shape[1], LEAST_WEEKS + terms.horizons_weeks[0]
    if hours < weeks * _HOURS_OF_A_WEEK:
        raise NotFound(
            f"too short a history: this house has measured {hours} whole hours of link load, and needs "
            f"{weeks * _HOURS_OF_A_WEEK} ({weeks} weeks) to look {terms.horizons_weeks[0]} weeks ahead; "
            "it keeps on measuring, so ask again then, or send a history of your own",
            code="history_too_short",
        )


def _told(history: LoadHistory) -> Told:
    minutes = _HOURS_OF_A_WEEK * 60 // history.mbps.shape[2]
    return Told(
        source="sent by the caller",
        hours=history.weeks * history.mbps.shape[2] * minutes // 60,
        ends=history.ends,
        measured=float(np.isfinite(history.mbps).mean()),
    )


def as_believed(snapshot: Snapshot) -> Inventory:
    """Return the inventory with the demands that are believed now, in place of those that are declared."""
    declared = snapshot.inventory.demands
    return snapshot.inventory.but(demands=tuple(one.but(mbps=snapshot.value(one.id, "mbps")) for one in declared))
