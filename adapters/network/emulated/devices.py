"""Executors: they accept an action, take their time, and do it, or (while a lying fault stands) only say that they did.

Everything that is really done gets one line in the journal, flushed to the disk.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from adapters.network.emulated.arrivals import circuit_of
from adapters.network.emulated.times import iso
from adapters.network.emulated.world import World
from control_plane.ports import Seen
from domain.actions import Action, ActionClass, ActivateCircuit, DeactivateCircuit, SteerDemand
from domain.errors import BadInput, Conflict
from domain.network import ROUTING_KINDS, NodeKind
from domain.waypoints import ambiguous

_ACTION: TypeAdapter[Action] = TypeAdapter(Action)
_PROCESSES = frozenset(str(kind) for kind in ROUTING_KINDS | {NodeKind.GNB, NodeKind.CELL})
_CELL = frozenset({str(NodeKind.CELL)})

#: What each action may be aimed at; None: any element. Tickets are not for a network.
TARGETS: dict[ActionClass, frozenset[str] | None] = {
    ActionClass.INTERFACE_UP: frozenset({"termination_point"}),
    ActionClass.INTERFACE_DOWN: frozenset({"termination_point"}),
    ActionClass.DRAIN_LINK: frozenset({"link"}),
    ActionClass.UNDRAIN_LINK: frozenset({"link"}),
    ActionClass.STEER_DEMAND: frozenset({"demand"}),
    ActionClass.ACTIVATE_CIRCUIT: frozenset({"demand"}),
    ActionClass.DEACTIVATE_CIRCUIT: frozenset({"demand"}),
    ActionClass.RESTART_PROCESS: _PROCESSES,
    ActionClass.LOCK_CELL: _CELL,
    ActionClass.UNLOCK_CELL: _CELL,
    ActionClass.DISPATCH_CREW: None,
    ActionClass.RECALL_CREW: None,
}


class Journal:
    """What really happened, one JSON line per effect."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: list[dict[str, Any]] = []

    def write(self, line: dict[str, Any]) -> None:
        """Append a line; returns when it is on the disk."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._lines.append(line)

    def lines(self) -> list[dict[str, Any]]:
        """Return what this process wrote."""
        return list(self._lines)


@dataclass
class Order:
    """An accepted action. `honest`: it will be done, not only said to be done."""

    key: str
    action: Action
    due_at: float
    honest: bool
    seen: Seen = Seen.PENDING


class Devices:
    """All executors of the plant. With `keyed`, a second sending of a key is answered and not done again."""

    def __init__(self, world: World, journal: Journal, rng: np.random.Generator, *, keyed: bool, crew_s: float) -> None:
        self._world, self._journal, self._rng = world, journal, rng
        self._keyed, self._crew_s = keyed, crew_s
        self._orders: list[Order] = []
        self._by_key: dict[str, Order] = {}

    def take(self, key: str, data: Mapping[str, Any], now: float) -> Seen:
        """Accept an action and say what is seen of it.

        Raises:
            BadInput: it is no action, or cannot be aimed at its target.
            Conflict: the key was used for another action, or was cancelled.
        """
        action = self._checked(data)
        known = self._by_key.get(key) if self._keyed else None
        if known is not None and known.action != action:
            raise Conflict(f"key `{key}` belongs to another action; use a new key")
        if known is not None and known.seen is Seen.ABSENT:
            raise Conflict(f"key `{key}` was cancelled; use a new key")
        if known is not None:
            return known.seen
        honest = all(fault.executor != "lying" for fault in self._world.active())
        order = Order(key, action, now + float(self._rng.uniform(0.1, 0.6)), honest)
        self._by_key[key] = order
        self._orders.append(order)
        return order.seen

    def look(self, key: str) -> Seen:
        """Say what became of a key. Without keys nobody remembers: an unknown one cannot be told."""
        if key in self._by_key:
            return self._by_key[key].seen
        return Seen.ABSENT if self._keyed else Seen.CANNOT_TELL

    def cancel(self, key: str) -> Seen:
        """Drop an action that is not done yet; afterwards it certainly never happened."""
        order = self._by_key.get(key)
        if order is not None and order in self._orders:
            self._orders.remove(order)
            order.seen = Seen.ABSENT
        return self.look(key)

    def next_due(self) -> float:
        """Return when the next accepted action is due, or infinity."""
        return min((order.due_at for order in self._orders), default=float("inf"))

    def work(self, now: float) -> bool:
        """Carry out what is due, in order; say whether there was anything."""
        due = sorted((order for order in self._orders if order.due_at <= now), key=lambda order: order.due_at)
        for order in due:
            self._orders.remove(order)
            order.seen = self._done(order, now)
        return bool(due)

    def _done(self, order: Order, now: float) -> Seen:
        if not order.honest:
            return Seen.DONE
        if not self._world.reaches(order.action):
            return Seen.FAILED
        changed = self._world.apply(order.action, order.key, now, self._crew_s)
        line = {"key": order.key, "action": str(order.action.kind), "target": order.action.target, "at": iso(now)}
        arguments = order.action.model_dump(mode="json", exclude={"kind", "target"})
        self._journal.write(line | {"changed": changed, "arguments": arguments})
        return Seen.DONE

    def _checked(self, data: Mapping[str, Any]) -> Action:
        try:
            action = _ACTION.validate_python(data)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise BadInput(f"this is no action: {first['msg'].lower()}; see the list of action kinds") from error
        if action.kind not in TARGETS:
            raise BadInput(f"a network has no `{action.kind}`; send it to the ticket desk")
        kind, wanted = self._world.kind_of(action.target), TARGETS[action.kind]
        if isinstance(action, ActivateCircuit | DeactivateCircuit):
            self._check_circuit(action)
            kind = kind or ("demand" if isinstance(action, ActivateCircuit) else None)
        if kind is None or (wanted is not None and kind not in wanted):
            raise BadInput(f"`{action.kind}` cannot be aimed at `{action.target}`; name a {_listed(wanted)}")
        if (
            isinstance(action, SteerDemand)
            and action.via is not None
            and action.via not in self._world.topology.node_at
        ):
            raise BadInput(f"`{action.via}` is no waypoint; name a routing node")
        if isinstance(action, SteerDemand | ActivateCircuit) and ambiguous(
            action.via, action.share, self._world.topology.node_at
        ):
            raise BadInput(f"`{action.via}` with that share reads like another node's name; choose another share")
        return action

    def _check_circuit(self, action: ActivateCircuit | DeactivateCircuit) -> None:
        """Refuse a circuit that cannot be set up here, or is another one than that of this name."""
        nodes, ends = self._world.topology.node_at, (action.source, action.destination)
        for node in (*ends, *([action.via] if action.via is not None else [])):
            if node not in nodes:
                raise BadInput(f"`{node}` is no routing node; name one")
        if action.source == action.destination:
            raise BadInput(f"a circuit from `{action.source}` to itself carries nothing; name two nodes")
        known = next((each for each in self._world.inventory.demands if each.id == action.target), None)
        if known is not None and known != circuit_of(action):
            raise BadInput(f"`{action.target}` is another circuit; choose another name")


def _listed(kinds: frozenset[str] | None) -> str:
    return "known element" if kinds is None else " or ".join(sorted(kinds))
