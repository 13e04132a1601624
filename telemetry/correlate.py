"""From alarms to troubles: alarms that are near in topology and in time belong to one incident.

Near is: at most a few hops apart, or downstream of one element that is close to both (its fault would reach
both). Alarms of a batch are grouped as connected components of "near, and soon after", so the order in which
they arrived does not matter; a component then joins an open incident that it is near to, or opens one.
Existing incidents are never merged here: an alarm between two joins the nearest, and of equals the earliest.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from domain.alarms import Alarm
from domain.planned_work import PlannedWork


class Distance(Protocol):
    """How elements lie to each other. The room that knows the topology provides it."""

    def distance(self, a: str, b: str) -> int | None:
        """Return the hops between two elements, or None when they are far apart or one is unknown."""

    def upstream(self, a: str) -> frozenset[str]:
        """Return the elements whose trouble can reach `a` within a few hops."""


@dataclass(frozen=True)
class CorrelationSettings:
    """`hops`: this near is one trouble. `upstream_hops`: so far away may a shared upstream element be from both.

    `gap_s`: between alarms of one trouble passes at most so much time; an element that an open incident
    already names belongs to it however much later it speaks.
    """

    hops: int = 3
    upstream_hops: int = 3
    gap_s: float = 120.0


@dataclass(frozen=True)
class Standing:
    """An open incident, as far as correlation needs it."""

    id: str
    elements: frozenset[str]
    first_event_time: datetime
    last_event_time: datetime


@dataclass(frozen=True)
class Group:
    """Alarms of one trouble: of an open incident, or of a new one (`incident_id` None)."""

    incident_id: str | None
    alarm_ids: tuple[str, ...]


def planned(alarm: Alarm, works: Sequence[PlannedWork]) -> PlannedWork | None:
    """Return the planned work that the alarm is a predicted effect of (the earliest such), or None."""
    covering = [work for work in works if work.covers(alarm.resource, alarm.key.type, alarm.event_time)]
    return min(covering, key=lambda work: (work.starts_at, work.id), default=None)


def assign(
    alarms: Sequence[Alarm],
    open_incidents: Sequence[Standing],
    near: Distance,
    settings: CorrelationSettings | None = None,
) -> list[Group]:
    """Say which alarms belong to which incident, and which open new ones.

    Each alarm that is not cleared is in exactly one group; cleared ones open and join nothing. The order of
    `alarms` and of `open_incidents` makes no difference.
    """
    settings = settings or CorrelationSettings()
    standing = sorted((a for a in alarms if not a.cleared), key=lambda a: (a.event_time, a.id))
    topology = _Topology(near, settings)
    joined: dict[str, list[str]] = defaultdict(list)
    opened: list[Group] = []
    for component in _components(standing, topology, settings):
        homes = _homes(component, open_incidents, topology, settings)
        if not homes:
            opened.append(Group(None, tuple(sorted(alarm.id for alarm in component))))
            continue
        best = min(homes.values())
        for alarm in component:
            joined[homes.get(alarm.id, best).id].append(alarm.id)
    groups = [Group(incident, tuple(sorted(ids))) for incident, ids in sorted(joined.items())]
    return groups + sorted(opened, key=lambda group: group.alarm_ids)


class _Topology:
    """Nearness of elements, with what was asked before remembered for the length of one batch."""

    def __init__(self, near: Distance, settings: CorrelationSettings) -> None:
        self._near, self._settings = near, settings
        self._causes: dict[str, frozenset[str]] = {}

    def causes(self, element: str) -> frozenset[str]:
        """Return the element and what is upstream of it within the bound."""
        known = self._causes.get(element)
        if known is None:
            bound = self._settings.upstream_hops
            above = (u for u in self._near.upstream(element) if self._within(element, u, bound))
            known = self._causes[element] = frozenset((element, *above))
        return known

    def _within(self, a: str, b: str, bound: int) -> bool:
        hops = self._near.distance(a, b)
        return hops is not None and hops <= bound

    def close(self, a: str, b: str) -> int | None:
        """Return how near two elements are as one trouble, or None when they are not."""
        if a == b:
            return 0
        hops = self._near.distance(a, b)
        if hops is not None and hops <= self._settings.hops:
            return hops
        if self.causes(a).isdisjoint(self.causes(b)):
            return None
        return self._settings.hops + 1 if hops is None else hops


def _components(alarms: Sequence[Alarm], topology: _Topology, settings: CorrelationSettings) -> Iterator[list[Alarm]]:
    """Yield the connected components of alarms that are near each other and close in time (alarms are in order)."""
    gap = timedelta(seconds=settings.gap_s)
    roots = list(range(len(alarms)))

    def root(i: int) -> int:
        while roots[i] != i:
            roots[i] = i = roots[roots[i]]
        return i

    for i, later in enumerate(alarms):
        for j in range(i - 1, -1, -1):
            if later.event_time - alarms[j].event_time > gap:
                break
            if root(i) != root(j) and topology.close(later.resource, alarms[j].resource) is not None:
                roots[root(i)] = root(j)
    members: dict[int, list[Alarm]] = defaultdict(list)
    for i, alarm in enumerate(alarms):
        members[root(i)].append(alarm)
    yield from members.values()


@dataclass(frozen=True, order=True)
class _Home:
    """An incident that an alarm can join; the smallest is the best."""

    hops: int
    since: datetime
    id: str


def _homes(
    component: Iterable[Alarm], incidents: Sequence[Standing], topology: _Topology, settings: CorrelationSettings
) -> dict[str, _Home]:
    """Return the best home of each alarm that is itself near to an open incident."""
    homes: dict[str, _Home] = {}
    for alarm in component:
        offers = (_offer(alarm, incident, topology, settings) for incident in incidents)
        best = min((offer for offer in offers if offer is not None), default=None)
        if best is not None:
            homes[alarm.id] = best
    return homes


def _offer(alarm: Alarm, incident: Standing, topology: _Topology, settings: CorrelationSettings) -> _Home | None:
    if alarm.resource in incident.elements:
        return _Home(0, incident.first_event_time, incident.id)
    gap = timedelta(seconds=settings.gap_s)
    if not incident.first_event_time - gap <= alarm.event_time <= incident.last_event_time + gap:
        return None
    hops = [found for e in incident.elements if (found := topology.close(alarm.resource, e)) is not None]
    return _Home(min(hops), incident.first_event_time, incident.id) if hops else None
