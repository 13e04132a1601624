"""How alarms reach an operator: in their vendor's words, after a while, sometimes late, twice or not at all.

Standing alarms are repeated now and then, so one that got lost is told later; a clear is never lost. Now and then
somebody cries without a reason and soon takes it back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from adapters.network.emulated.habits import Speaker
from adapters.network.emulated.times import iso
from adapters.network.emulated.world import World
from domain.alarms import AlarmType, Severity
from domain.network import NodeKind

_T = AlarmType

#: What each vendor calls an alarm; a vendor without a word has no such alarm.
NAMES: dict[str, dict[AlarmType, str]] = {
    "alba": {
        _T.LINK_DOWN: "IF_DOWN",
        _T.LINK_DEGRADED: "IF_CRC_ERRORS",
        _T.LOSS_OF_SIGNAL: "IF_LOS",
        _T.ADJACENCY_LOST: "OSPF_NBR_DOWN",
        _T.NODE_UNREACHABLE: "NODE_UNREACH",
        _T.PROCESS_FAILED: "PROC_HUNG",
        _T.CONGESTION: "IF_OVERUTIL",
        _T.HIGH_DELAY: "SLA_DELAY",
        _T.CONFIGURATION_CHANGED: "CFG_CHANGE",
    },
    "borea": {
        _T.LINK_DOWN: "LNK-FAIL",
        _T.LINK_DEGRADED: "LNK-DEGR",
        _T.LOSS_OF_SIGNAL: "LOS",
        _T.NODE_UNREACHABLE: "NE-LOST",
        _T.CONFIGURATION_CHANGED: "CFG-CHG",
    },
    "cygnus": {
        _T.NODE_UNREACHABLE: "NE_NOT_REACHABLE",
        _T.PROCESS_FAILED: "SW_FAULT",
        _T.CELL_UNAVAILABLE: "CELL_OOS",
        _T.CELL_DEGRADED: "CELL_DEGR",
        _T.CONFIGURATION_CHANGED: "CM_CHANGE",
    },
    "delta": {_T.NODE_UNREACHABLE: "SITE-LOST", _T.POWER_LOST: "MAINS-FAIL", _T.ON_BATTERY: "BATT-DISCH"},
}

#: What each vendor calls critical, major, minor and warning.
SEVERITIES: dict[str, dict[Severity, str]] = {
    vendor: dict(zip(Severity, words, strict=False))
    for vendor, words in {
        "alba": ("CRIT", "MAJ", "MIN", "WARN"),
        "borea": ("1", "2", "3", "4"),
        "cygnus": ("critical", "major", "minor", "warning"),
        "delta": ("A1", "A2", "A3", "A4"),
    }.items()
}

_SEVERITY: dict[AlarmType, Severity] = {
    _T.LINK_DOWN: Severity.CRITICAL,
    _T.LOSS_OF_SIGNAL: Severity.CRITICAL,
    _T.NODE_UNREACHABLE: Severity.CRITICAL,
    _T.CELL_UNAVAILABLE: Severity.CRITICAL,
    _T.POWER_LOST: Severity.CRITICAL,
    _T.ADJACENCY_LOST: Severity.MAJOR,
    _T.PROCESS_FAILED: Severity.MAJOR,
    _T.CELL_DEGRADED: Severity.MAJOR,
    _T.CONFIGURATION_CHANGED: Severity.WARNING,
}


@dataclass
class _Told:
    """An alarm that stands with an operator: its first report, when it gets there, and when it is repeated."""

    item: dict[str, Any]
    speaker: Speaker
    first_due: float
    repeat_at: float
    ends_at: float | None = None


class Announcer:
    """Turns conditions into feed items with the time at which each arrives. Times are seconds since 1970."""

    def __init__(self, world: World, rng: np.random.Generator, now: float) -> None:
        self._world, self._rng = world, rng
        self._host = {tp.id: tp.node for tp in world.inventory.termination_points}
        self._told: dict[tuple[str, AlarmType], _Told] = {}
        self._count = 0
        self._next_false = now + self._false_gap()

    def update(
        self, conditions: Mapping[tuple[str, AlarmType], float], now: float
    ) -> list[tuple[float, dict[str, Any]]]:
        """Return (arrival, item) for everything that is to be said now that these conditions hold."""
        said: list[tuple[float, dict[str, Any]]] = []
        for key, delay_s in conditions.items():
            if key not in self._told:
                said += self._raise(key, now, delay_s)
        for key, told in list(self._told.items()):
            over = key not in conditions and (told.ends_at is None or told.ends_at <= now)
            if over:
                said += self._clear(key, now)
            elif told.repeat_at <= now:
                told.repeat_at = now + told.speaker.repeat_s * float(self._rng.uniform(0.9, 1.1))
                said.append((now + self._jitter(told.speaker), told.item))
        if now >= self._next_false:
            self._next_false = now + self._false_gap()
            said += self.cry_wolf(now)
        return said

    def _source(self, demand: str) -> str | None:
        """Return where a demand starts, also one that came while the plant lived; None for what is no demand."""
        topology = self._world.topology
        return topology.nodes[topology.ends[topology.demand_at[demand]][0]] if demand in topology.demand_at else None

    def cry_wolf(self, now: float) -> list[tuple[float, dict[str, Any]]]:
        """Raise an alarm that nothing stands behind; it is taken back a few seconds later."""
        points = self._world.inventory.termination_points
        if not points:
            return []
        resource = points[int(self._rng.integers(len(points)))].id
        key = (resource, (_T.LINK_DEGRADED, _T.CONFIGURATION_CHANGED)[int(self._rng.random() < 0.4)])
        if key in self._told:
            return []
        said = self._raise(key, now, 0.0)
        self._told[key].ends_at = now + float(self._rng.uniform(2.0, 5.0))
        return said

    def _raise(self, key: tuple[str, AlarmType], now: float, delay_s: float) -> list[tuple[float, dict[str, Any]]]:
        vendor = self._vendor(*key)
        speaker = self._world.habits.speakers[vendor]
        self._count += 1
        item = self._item(key, vendor, f"{vendor}-{self._count:06d}", now + delay_s)
        due = now + delay_s + self._jitter(speaker)
        if self._rng.random() < speaker.late:
            due += float(self._rng.uniform(0.5, 1.0)) * speaker.late_s
        self._told[key] = _Told(item, speaker, due, due + speaker.repeat_s * float(self._rng.uniform(0.3, 0.6)))
        said = [] if self._rng.random() < speaker.lost else [(due, item)]
        if said and self._rng.random() < speaker.duplicated:
            said.append((due + float(self._rng.uniform(0.1, 2.0)), item))
        return said

    def _clear(self, key: tuple[str, AlarmType], now: float) -> list[tuple[float, dict[str, Any]]]:
        told = self._told.pop(key)
        at = max(now, told.first_due) + 0.001
        return [(at + self._jitter(told.speaker), told.item | {"cleared": True, "time": iso(at + told.speaker.skew_s)})]

    def _item(self, key: tuple[str, AlarmType], vendor: str, id: str, at: float) -> dict[str, Any]:
        resource, type_ = key
        name, speaker = NAMES[vendor][type_], self._world.habits.speakers[vendor]
        return {
            "type": "alarm",
            "vendor": vendor,
            "resource": resource,
            "name": name,
            "qualifier": "",
            "severity": SEVERITIES[vendor][_SEVERITY.get(type_, Severity.MINOR)],
            "cleared": False,
            "time": iso(at + speaker.skew_s),
            "id": id,
            "text": f"{name} {resource}",
            "source": speaker.source,
        }

    def _vendor(self, resource: str, type_: AlarmType) -> str:
        """The vendor of the element's node, if it has a word for it; else the one that is usual for the technology."""
        node = self._world.node[self._host.get(resource) or self._source(resource) or resource]
        usual = {NodeKind.POWER: "delta", NodeKind.GNB: "cygnus", NodeKind.CELL: "cygnus"}.get(node.kind, "alba")
        for vendor in (node.vendor, usual, "alba"):
            if type_ in NAMES.get(vendor, {}):
                return vendor
        return "alba"

    def _jitter(self, speaker: Speaker) -> float:
        return float(self._rng.uniform(0.0, speaker.jitter_s))

    def _false_gap(self) -> float:
        return float(self._rng.exponential(self._world.habits.false_alarm_every_s))
