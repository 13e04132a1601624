"""From alarms to troubles: alarms that are near in topology and in time belong to one incident.

Near is: at most a few hops apart, or a little farther and both downstream of one element (its fault would
reach both). Alarms of a batch are grouped as connected components of "near, and soon after", so the order in
which they arrived does not matter; a component then joins an open incident that it is near to, or opens one.
Existing incidents are never merged here: an alarm between two joins the nearest, and of equals the earliest.
"""

from collections import defaultdict
from collections.abc import Sequence
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
    """When two alarms are of one trouble.

    `hops`: elements this near are. `reach`: elements this near are if one element is upstream of both (two
    neighbours of a dead node are six hops apart). `gap_s`: between alarms of one trouble passes at most so much
    time; an element that an open incident already names belongs to it however much later it speaks.
    """

    hops: int = 3
    reach: int = 6
    gap_s: float = 120.0


@dataclass(frozen=True)
class Standing:
    """An open incident, as far as correlation needs it; `first` and `last` are the event times of its alarms."""

    id: str
    elements: frozenset[str]
    first: datetime
    last: datetime


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
    nearness = _Nearness(near, settings or CorrelationSettings())
    joined: dict[str, list[str]] = defaultdict(list)
    opened: list[Group] = []
    for component in _components(_spells(alarms, nearness), nearness):
        homes = [_home(spell, open_incidents, nearness) for spell in component]
        known = [home for home in homes if home is not None]
        if not known:
            opened.append(Group(None, tuple(sorted(id for spell in component for id in spell.alarm_ids))))
            continue
        for spell, home in zip(component, homes, strict=True):
            joined[(home or min(known)).id].extend(spell.alarm_ids)
    groups = [Group(incident, tuple(sorted(ids))) for incident, ids in sorted(joined.items())]
    return groups + sorted(opened, key=lambda group: group.alarm_ids)


class _Nearness:
    """Nearness in topology and in time, as the settings define it."""

    def __init__(self, near: Distance, settings: CorrelationSettings) -> None:
        self._near, self._settings = near, settings
        self._causes: dict[str, frozenset[str]] = {}
        self.gap = timedelta(seconds=settings.gap_s)

    def causes(self, element: str) -> frozenset[str]:
        """Return the element and what is upstream of it."""
        known = self._causes.get(element)
        if known is None:
            known = self._causes[element] = self._near.upstream(element) | {element}
        return known

    def hops(self, a: str, b: str) -> int | None:
        """Return how far apart two elements are, or None when they are too far to be one trouble."""
        if a == b:
            return 0
        hops = self._near.distance(a, b)
        if hops is None or hops > self._settings.reach:
            return None
        return None if hops > self._settings.hops and self.causes(a).isdisjoint(self.causes(b)) else hops


@dataclass(frozen=True)
class _Spell:
    """Alarms of one element that follow each other within the gap: what is near to one is near to all."""

    resource: str
    first: datetime
    last: datetime
    alarm_ids: tuple[str, ...]


def _spells(alarms: Sequence[Alarm], nearness: _Nearness) -> list[_Spell]:
    """Return the spells of the alarms that are not cleared, in an order that only they decide."""
    spells: dict[str, list[_Spell]] = defaultdict(list)
    for alarm in sorted(alarms, key=lambda alarm: (alarm.event_time, alarm.id)):
        if alarm.cleared:
            continue
        at, of_element = alarm.event_time, spells[alarm.resource]
        if of_element and at - of_element[-1].last <= nearness.gap:
            before = of_element.pop()
            of_element.append(_Spell(alarm.resource, before.first, at, (*before.alarm_ids, alarm.id)))
        else:
            of_element.append(_Spell(alarm.resource, at, at, (alarm.id,)))
    return sorted((s for found in spells.values() for s in found), key=lambda s: (s.first, s.resource))


def _components(spells: Sequence[_Spell], nearness: _Nearness) -> list[list[_Spell]]:
    """Return the connected components of spells that are near each other in topology and in time."""
    roots = list(range(len(spells)))

    def root(i: int) -> int:
        while roots[i] != i:
            roots[i] = i = roots[roots[i]]
        return i

    for i, later in enumerate(spells):
        for j in range(i):
            earlier = spells[j]
            apart = later.first - earlier.last > nearness.gap or root(i) == root(j)
            if not apart and nearness.hops(later.resource, earlier.resource) is not None:
                roots[root(i)] = root(j)
    members: dict[int, list[_Spell]] = defaultdict(list)
    for i, spell in enumerate(spells):
        members[root(i)].append(spell)
    return list(members.values())


@dataclass(frozen=True, order=True)
class _Home:
    """An incident that a spell can join; the smallest is the best: the nearest, then the earliest."""

    hops: int
    since: datetime
    id: str


def _home(spell: _Spell, incidents: Sequence[Standing], nearness: _Nearness) -> _Home | None:
    offers = (_offer(spell, incident, nearness) for incident in incidents)
    return min((offer for offer in offers if offer is not None), default=None)


def _offer(spell: _Spell, incident: Standing, nearness: _Nearness) -> _Home | None:
    if spell.resource in incident.elements:
        return _Home(0, incident.first, incident.id)
    if spell.first - incident.last > nearness.gap or incident.first - spell.last > nearness.gap:
        return None
    found = (nearness.hops(spell.resource, element) for element in incident.elements)
    nearest = min((hops for hops in found if hops is not None), default=None)
    return None if nearest is None else _Home(nearest, incident.first, incident.id)
