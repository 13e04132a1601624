"""The service layer of the twin: what it believes now or believed at a past moment, and what-if questions.

Each answer says from which snapshot it comes and how far the twin is off from what is measured.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from control_plane import refusals
from control_plane.horizon import Horizon
from control_plane.road import Road
from control_plane.whatif.believing import Alone, Believed, look, look_at_all
from control_plane.whatif.sweeping import SweepKind, Swept, swept
from domain.base import Word
from domain.changes import Change, SetOperational, SetVia
from domain.errors import BadInput
from domain.identity import Principal
from domain.network import Inventory, Operational
from domain.rehearsal import Impact
from twin.consequences import ServiceLevels, service_levels
from twin.evaluate import Prediction, evaluate
from twin.ground.shadow import InShadow, in_shadow
from twin.physics.cascade import cascade
from twin.scene import scene
from twin.snapshot import entry_of, span_failure
from twin.steering.plan import steering_plan

_MOST_CHANGES = 1000
_BUSIEST = 20
_MOST_MOVES, _STEERING_S, _SWEEP_S = 100, 2.0, 10.0


class LinkLoad(Word):
    """A link's busier direction: offered load over capacity."""

    link: str
    now: float
    then: float


class TwinView(Word):
    """What the twin believes. `impact` and `levels` are of the whole network: a caller of some regions gets none."""

    believed: Believed
    name: str
    nodes: int
    links: int
    demands: int
    busiest: tuple[LinkLoad, ...]
    impact: Impact | None
    levels: ServiceLevels | None


class WhatIf(Word):
    """What would follow. `worse` and `better` are elements, compared with the network as it is believed to be.

    `hours` is how long it has been so: batteries last that long; None: until they are empty. `rounds` are the links
    that drop out by overload, one round after the other; None where that was not asked for.
    """

    believed: Believed
    changes: tuple[Change, ...]
    hours: float | None
    rounds: tuple[tuple[str, ...], ...] | None
    now: Impact | None
    then: Impact | None
    levels_now: ServiceLevels | None
    levels_then: ServiceLevels | None
    worse: tuple[str, ...]
    better: tuple[str, ...]
    busiest: tuple[LinkLoad, ...]


class SteerMove(Word):
    """A demand would get a waypoint (`via`) for a share of it, or lose the one that it has (None)."""

    demand: str
    via: str | None
    previous: str | None
    share: float
    previous_share: float


class Steering(Word):
    """Few moves that would relieve the fullest link, and what they are worth; utilisations are of the fullest link.

    `optimum`: under the best routing there could be. `after_failure`: after the moves and the failure of `failing`.
    `lost_now`, `lost_after`: Mbit/s that do not arrive. `late_after`: demands that the moves would make late.
    `shadow`: what the learner of the training ground would do, beside greed; nothing follows from it.
    """

    believed: Believed
    moves: tuple[SteerMove, ...]
    now: float
    after: float
    lost_now: float
    lost_after: float
    late_after: tuple[str, ...]
    optimum: float | None
    after_failure: float | None
    failing: str
    method: str
    seconds: float
    unrouted: tuple[str, ...]
    shadow: InShadow


class Sweep(Word):
    """What each of many failures would do, in short."""

    believed: Believed
    found: Swept


@refusals.recorded
class TwinDesk:
    """Questions to the twin, within what the caller may see."""

    def __init__(self, road: Road, alone: Alone | None = None) -> None:
        self._road = road
        self._alone = alone or Alone()

    def show(self, who: Principal, at: datetime | None = None) -> TwinView:
        """Return what the twin believes now, or believed at a past moment.

        Raises:
            Refused: the caller may not.
            BadInput: the moment lies in the future.
        """
        horizon, snapshot, believed = look(self._road, who, at)
        prediction, inventory = evaluate(snapshot), snapshot.inventory
        return TwinView(
            believed=believed,
            name=inventory.name,
            nodes=sum(horizon.element(node.id) for node in inventory.nodes),
            links=sum(horizon.element(link.id) for link in inventory.links),
            demands=sum(horizon.element(demand.source) for demand in inventory.demands),
            busiest=_busiest(horizon, prediction, prediction),
            impact=prediction.impact() if horizon.everywhere else None,
            levels=self._levels(prediction) if horizon.everywhere else None,
        )

    def what_if(
        self,
        who: Principal,
        fail: Sequence[str],
        changes: Sequence[Change] = (),
        at: datetime | None = None,
        *,
        hours: float | None = None,
        spreading: bool = False,
    ) -> WhatIf:
        """Return what would follow if these elements or shared-risk groups failed and these changes were made.

        Args:
            who: asks.
            fail: elements and groups.
            changes: other changes.
            at: a past moment; None is now.
            hours: how long it has been so, for batteries; None: until they are empty.
            spreading: whether links that are asked for far too much drop out, and what that does to the others.

        Raises:
            Refused: the caller may not.
            BadInput: nothing is asked, too much is, a change names what is not there or contradicts another, or the
                moment lies in the future, or `hours` is no horizon.
        """
        horizon, snapshot, believed = look(self._road, who, at)
        asked = (*_failures(horizon, snapshot.inventory, fail), *changes)
        _require_seen(horizon, asked)
        if not 0 < len(asked) <= _MOST_CHANGES:
            raise BadInput(
                f"a what-if takes 1 to {_MOST_CHANGES} changes, not {len(asked)}; name what fails or changes"
            )
        now, rounds = evaluate(snapshot), None
        if spreading:
            fallen = cascade(snapshot, asked, hours=hours)
            then, rounds = fallen.prediction, tuple(tuple(filter(horizon.element, each)) for each in fallen.rounds)
        else:
            then = evaluate(snapshot, asked, hours=hours)
        whole = horizon.everywhere
        return WhatIf(
            believed=believed,
            changes=asked,
            hours=hours,
            rounds=rounds,
            now=now.impact() if whole else None,
            then=then.impact() if whole else None,
            levels_now=self._levels(now) if whole else None,
            levels_then=self._levels(then) if whole else None,
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
        snapshot, believed = look_at_all(self._road, who)
        if not 0 <= limit <= _MOST_MOVES:
            raise BadInput(f"a steering takes 0 to {_MOST_MOVES} moves, not {limit}")
        with self._alone():
            found = steering_plan(snapshot, limit=limit, budget_s=_STEERING_S)
            shadow = in_shadow(snapshot, limit)
        failure, now, after = found.after_failure, evaluate(snapshot), evaluate(snapshot, found.changes())
        return Steering(
            believed=believed,
            moves=tuple(
                SteerMove(
                    demand=move.demand,
                    via=move.via,
                    previous=move.previous,
                    share=move.share,
                    previous_share=move.previous_share,
                )
                for move in found.moves
            ),
            now=found.now,
            after=found.after,
            lost_now=now.lost_mbps,
            lost_after=after.lost_mbps,
            late_after=tuple(sorted(set(after.late_demands) - set(now.late_demands))),
            optimum=found.optimum,
            after_failure=failure.worst if failure else None,
            failing=failure.link if failure else "",
            method=found.method,
            seconds=round(found.seconds, 3),
            unrouted=found.unrouted,
            shadow=shadow,
        )

    def sweep(self, who: Principal, kind: SweepKind) -> Sweep:
        """Return what each failure of a kind would do, the worst first.

        Raises:
            Refused: the caller may not, or does not see the whole network.
            TooLarge: it would take too long; says how long.
            Unavailable: somebody else's question of this kind is being worked on.
        """
        snapshot, believed = look_at_all(self._road, who)
        with self._alone():
            return Sweep(believed=believed, found=swept(snapshot, kind, _SWEEP_S))

    def scene(self, who: Principal, at: datetime | None = None) -> dict[str, Any]:
        """Return the twin's state as plain data that outside viewers can show (see `twin.scene`)."""
        horizon, snapshot, believed = look(self._road, who, at)
        return {**scene(evaluate(snapshot), horizon.element), "believed": believed.model_dump(mode="json")}

    def _levels(self, prediction: Prediction) -> ServiceLevels:
        return service_levels(self._road.live.twin.as_bursty(prediction))


def _failures(horizon: Horizon, inventory: Inventory, fail: Sequence[str]) -> tuple[Change, ...]:
    unseen = {group for link in inventory.links if not horizon.element(link.id) for group in link.srlgs}
    groups = {group for link in inventory.links for group in link.srlgs} - unseen
    units = inventory.nodes, inventory.links, inventory.termination_points
    able = {each.id for kind in units for each in kind if horizon.element(each.id)}
    found: list[Change] = []
    for name in dict.fromkeys(fail):
        together = span_failure(inventory, name) if name in groups else ()
        if not together and name not in able:
            raise BadInput(f"`{name}` is no element of the network that can fail{_meant(name, able)}")
        found += together or (SetOperational(element=name, state=Operational.DISABLED),)
    return tuple(dict.fromkeys(found))  # two groups may share a link


def _meant(name: str, able: Collection[str]) -> str:
    """Return what to do about a name that is not there: the element that is called so after its kind, if there is."""
    meant = sorted(element for element in able if element.partition(":")[2] == name)
    return f"; did you mean `{meant[0]}`?" if meant else "; correct the name, `nocturne twin export` lists all"


def _require_seen(horizon: Horizon, changes: Sequence[Change]) -> None:
    """Raise BadInput for what the caller may not see, in the same words as for what is not there."""
    for change in changes:
        via = change.via if isinstance(change, SetVia) else None
        for name in (entry_of(change)[1], *([via] if via else [])):
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
