"""The service layer of the twin: what it believes now or believed at a past moment, and what-if questions.

Each answer says from which snapshot it comes and how far the twin is off from what is measured.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from control_plane import refusals
from control_plane.horizon import Horizon
from control_plane.rights import need
from control_plane.road import Road
from control_plane.state import snapshot_at
from control_plane.whatif.sweeping import SweepKind, Swept, swept
from domain.base import Utc, Word
from domain.changes import Change, SetOperational
from domain.errors import BadInput, Refused, Unavailable
from domain.identity import Permission, Principal
from domain.network import Inventory, Operational
from domain.rehearsal import Impact, TwinFidelity
from twin.evaluate import Prediction, evaluate
from twin.scene import scene
from twin.snapshot import Snapshot, entry_of, span_failure
from twin.steering.plan import steering_plan

_MOST_CHANGES = 1000
_BUSIEST = 20
_MOST_MOVES, _STEERING_S, _SWEEP_S = 100, 2.0, 10.0


class Believed(Word):
    """Where an answer comes from, and how far the twin is off now, KPI by KPI."""

    at: Utc
    digest: str
    source: str
    fidelity: TwinFidelity


class LinkLoad(Word):
    """A link's busier direction: offered load over capacity."""

    link: str
    now: float
    then: float


class TwinView(Word):
    """What the twin believes. `impact` is of the whole network, so a caller of some regions only is not shown it."""

    believed: Believed
    name: str
    nodes: int
    links: int
    demands: int
    busiest: tuple[LinkLoad, ...]
    impact: Impact | None


class WhatIf(Word):
    """What would follow. `worse` and `better` are elements, compared with the network as it is believed to be."""

    believed: Believed
    changes: tuple[Change, ...]
    now: Impact | None
    then: Impact | None
    worse: tuple[str, ...]
    better: tuple[str, ...]
    busiest: tuple[LinkLoad, ...]


class SteerMove(Word):
    """A demand would get a waypoint (`via`), or lose the one that it has (None)."""

    demand: str
    via: str | None
    previous: str | None


class Steering(Word):
    """Few moves that would relieve the fullest link, and what they are worth; utilisations are of the fullest link.

    `optimum`: under the best routing there could be. `after_failure`: after the moves and the failure of `failing`.
    """

    believed: Believed
    moves: tuple[SteerMove, ...]
    now: float
    after: float
    optimum: float | None
    after_failure: float | None
    failing: str
    method: str
    seconds: float
    unrouted: tuple[str, ...]


class Sweep(Word):
    """What each of many failures would do, in short."""

    believed: Believed
    found: Swept


@refusals.recorded
class TwinDesk:
    """Questions to the twin, within what the caller may see."""

    def __init__(self, road: Road) -> None:
        self._road = road
        self._working = threading.Lock()

    def show(self, who: Principal, at: datetime | None = None) -> TwinView:
        """Return what the twin believes now, or believed at a past moment.

        Raises:
            Refused: the caller may not.
            BadInput: the moment lies in the future.
        """
        horizon, snapshot, believed = self._look(who, at)
        prediction, inventory = evaluate(snapshot), snapshot.inventory
        return TwinView(
            believed=believed,
            name=inventory.name,
            nodes=sum(horizon.element(node.id) for node in inventory.nodes),
            links=sum(horizon.element(link.id) for link in inventory.links),
            demands=sum(horizon.element(demand.source) for demand in inventory.demands),
            busiest=_busiest(horizon, prediction, prediction),
            impact=prediction.impact() if horizon.everywhere else None,
        )

    def what_if(
        self, who: Principal, fail: Sequence[str], changes: Sequence[Change] = (), at: datetime | None = None
    ) -> WhatIf:
        """Return what would follow if these elements or shared-risk groups failed and these changes were made.

        Raises:
            Refused: the caller may not.
            BadInput: nothing is asked, too much is, a change names what is not there or contradicts another, or the
                moment lies in the future.
        """
        horizon, snapshot, believed = self._look(who, at)
        asked = (*_failures(horizon, snapshot.inventory, fail), *changes)
        _require_seen(horizon, asked)
        if not 0 < len(asked) <= _MOST_CHANGES:
            raise BadInput(
                f"a what-if takes 1 to {_MOST_CHANGES} changes, not {len(asked)}; name what fails or changes"
            )
        now, then = evaluate(snapshot), evaluate(snapshot, asked)
        return WhatIf(
            believed=believed,
            changes=asked,
            now=now.impact() if horizon.everywhere else None,
            then=then.impact() if horizon.everywhere else None,
            worse=_seen(horizon, then.affected(now)),
            better=_seen(horizon, now.affected(then)),
            busiest=_busiest(horizon, now, then),
        )

    def steer(self, who: Principal, limit: int = 10) -> Steering:
        """Return the fewest moves (at most `limit`) that would relieve the network as it is believed to be.

        Raises:
            Refused: the caller may not, or does not see the whole network.
            BadInput: the limit is below zero or too large.
            Unavailable: somebody else's question of this kind is being worked on.
        """
        snapshot, believed = self._whole(who)
        if not 0 <= limit <= _MOST_MOVES:
            raise BadInput(f"a steering takes 0 to {_MOST_MOVES} moves, not {limit}")
        with self._alone():
            found = steering_plan(snapshot, limit=limit, budget_s=_STEERING_S)
        failure = found.after_failure
        return Steering(
            believed=believed,
            moves=tuple(SteerMove(demand=m.demand, via=m.via, previous=m.previous) for m in found.moves),
            now=found.now,
            after=found.after,
            optimum=found.optimum,
            after_failure=failure.worst if failure else None,
            failing=failure.link if failure else "",
            method=found.method,
            seconds=round(found.seconds, 3),
            unrouted=found.unrouted,
        )

    def sweep(self, who: Principal, kind: SweepKind) -> Sweep:
        """Return what each failure of a kind would do, the worst first.

        Raises:
            Refused: the caller may not, or does not see the whole network.
            TooLarge: it would take too long; says how long.
            Unavailable: somebody else's question of this kind is being worked on.
        """
        snapshot, believed = self._whole(who)
        with self._alone():
            return Sweep(believed=believed, found=swept(snapshot, kind, _SWEEP_S))

    def scene(self, who: Principal, at: datetime | None = None) -> dict[str, Any]:
        """Return the twin's state as plain data that outside viewers can show (see `twin.scene`)."""
        horizon, snapshot, _ = self._look(who, at)
        return scene(evaluate(snapshot), horizon.element)

    def _whole(self, who: Principal) -> tuple[Snapshot, Believed]:
        horizon, snapshot, believed = self._look(who, None)
        if not horizon.everywhere:
            raise Refused("this is of the whole network; ask with an account of all regions")
        return snapshot, believed

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one long question be worked on at a time: they share the machine with the road."""
        if not self._working.acquire(blocking=False):
            raise Unavailable("another long question is being worked on; ask again in a moment")
        try:
            yield
        finally:
            self._working.release()

    def _look(self, who: Principal, at: datetime | None) -> tuple[Horizon, Snapshot, Believed]:
        need(who, Permission.READ)
        road = self._road
        snapshot, source = snapshot_at(road, at)
        believed = Believed(
            at=at or road.clock.now(), digest=snapshot.digest, source=source, fidelity=road.live.fidelity()
        )
        return Horizon(road.live, who), snapshot, believed


def _failures(horizon: Horizon, inventory: Inventory, fail: Sequence[str]) -> tuple[Change, ...]:
    groups = {group for link in inventory.links if horizon.element(link.id) for group in link.srlgs}
    found: list[Change] = []
    for name in dict.fromkeys(fail):
        together = span_failure(inventory, name) if name in groups else ()
        found += together or (SetOperational(element=name, state=Operational.DISABLED),)
    return tuple(dict.fromkeys(found))  # two groups may share a link


def _require_seen(horizon: Horizon, changes: Sequence[Change]) -> None:
    """Raise BadInput for what the caller may not see, in the same words as for what is not there."""
    for change in changes:
        attribute, element, value = entry_of(change)
        for name in (element, *([str(value)] if attribute == "via" and value else [])):
            if not horizon.everywhere and not horizon.element(name):
                raise BadInput(f"`{name}` is no element of the network that you see; correct the name")


def _busiest(horizon: Horizon, now: Prediction, then: Prediction) -> tuple[LinkLoad, ...]:
    """Return the links that are busiest then, busiest first."""
    loads = [
        LinkLoad(link=link, now=round(now.utilisation(link), 4), then=round(then.utilisation(link), 4))
        for link in now.topology.links
        if horizon.element(link)
    ]
    return tuple(sorted(loads, key=lambda load: (-load.then, load.link))[:_BUSIEST])


def _seen(horizon: Horizon, elements: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(filter(horizon.element, elements)))
