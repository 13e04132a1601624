"""A network inside the process: it does what it is told at once, and says only what it is given to say.

Real in the sense of the port: keyed, readable, refusing what does not fit. For tests and for trying a door
without a plant; it has no physics and no will of its own.
"""

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from control_plane.ports import Feed, Seen
from domain.actions import (
    NO_CIRCUIT,
    Action,
    ActivateCircuit,
    CancelTicket,
    DeactivateCircuit,
    OpenTicket,
    RestartProcess,
)
from domain.clock import Clock
from domain.errors import NotFound, Refused, Unavailable
from domain.network import Inventory, NodeKind
from domain.waypoints import policy_text

_PROCESSES = frozenset({NodeKind.CORE, NodeKind.AGGREGATION, NodeKind.GATEWAY, NodeKind.ROUTER, NodeKind.GNB})


class InMemoryNetwork:
    """Implements `control_plane.ports.Network`.

    `journal` lists the keys that had an effect, in order. `hold` keeps actions pending, `lies` lets them be
    reported done without effect, `silent` lets nothing answer: for playing a device that does so.
    """

    def __init__(self, inventory: Inventory, clock: Clock, *, keyed: bool = True) -> None:
        self.keyed = keyed
        self.journal: list[str] = []
        self.hold = self.lies = self.silent = self.deaf = False
        self._inventory, self._clock = inventory, clock
        self._states = {element: dict(state) for element, state in _declared(inventory, clock.now())}
        self._seen: dict[str, Seen] = {}
        self._items: list[dict[str, Any]] = []
        self._history: list[dict[str, Any]] = []
        self._lock = threading.RLock()
        self._said = threading.Condition(self._lock)

    # --- Network ---

    def inventory(self) -> Inventory:
        return self._inventory

    def poll(self, after: int, *, wait_s: float = 0.0) -> Feed:
        self._answer()
        with self._said:
            if len(self._items) <= after and wait_s:
                self._said.wait(wait_s)
            return Feed(tuple(self._items[after:]), max(after, len(self._items)))

    def history(self) -> Sequence[dict[str, Any]]:
        self._answer()
        return tuple(self._history)

    # --- Hands ---

    def takes(self, action: Action) -> bool:
        return not isinstance(action, OpenTicket | CancelTicket)

    def state(self, element: str) -> Mapping[str, str]:
        self._answer()
        with self._lock:
            if element not in self._states:
                raise NotFound(f"there is no element `{element}`")
            return dict(self._states[element])

    def send(self, key: str, action: Action) -> None:
        self._answer()
        with self._lock:
            if self.keyed and key in self._seen:
                return
            wanted = action.effect()
            if isinstance(action, ActivateCircuit) and action.target not in self._states:
                self._check_ends(action)
                self._states[action.target] = {"crew": "none", "operational": "enabled", **NO_CIRCUIT}
            if wanted is None or wanted.attribute not in self._states.get(action.target, {}):
                raise Refused(f"`{action.target}` takes no `{action.kind}`")
            self._seen[key] = Seen.PENDING
            if not self.hold:
                self._carry_out(key, action)
        if self.deaf:
            raise Unavailable("the answer was lost")

    def look(self, key: str) -> Seen:
        with self._lock:
            return Seen.CANNOT_TELL if self.silent else self._seen.get(key, Seen.ABSENT)

    def cancel(self, key: str) -> None:
        with self._lock:
            if self._seen.get(key) is Seen.PENDING:
                self._seen[key] = Seen.ABSENT

    # --- the stage hands' side ---

    def say(self, *items: dict[str, Any]) -> None:
        """Put items on the feed."""
        with self._said:
            self._items.extend(items)
            self._said.notify_all()

    def remember(self, *items: dict[str, Any]) -> None:
        """Put readings into the history."""
        self._history.extend(items)

    def put(self, element: str, **state: str) -> None:
        """Set the state of an element, as if somebody had done it by hand."""
        with self._lock:
            self._states[element].update(state)

    def _carry_out(self, key: str, action: Action) -> None:
        self._seen[key] = Seen.DONE
        if self.lies:
            return
        self.journal.append(key)
        wanted = action.effect()
        assert wanted is not None
        self._states[action.target][wanted.attribute] = wanted.value
        if isinstance(action, ActivateCircuit | DeactivateCircuit):
            way = policy_text(action.via, action.share) if isinstance(action, ActivateCircuit) else ""
            self._states[action.target]["via"] = way
        if isinstance(action, RestartProcess):
            self._states[action.target]["process_started_at"] = self._clock.now().isoformat()

    def _check_ends(self, action: ActivateCircuit) -> None:
        known = {node.id for node in self._inventory.nodes}
        for node in (action.source, action.destination, *([action.via] if action.via is not None else [])):
            if node not in known:
                raise Refused(f"`{node}` is no node of this network")

    def _answer(self) -> None:
        if self.silent:
            raise Unavailable("the network does not answer")


def _declared(inventory: Inventory, now: datetime) -> list[tuple[str, dict[str, str]]]:
    """Return each element's state as the inventory declares it."""
    common = {"crew": "none", "operational": "enabled"}
    started = {"process": "running", "process_started_at": now.isoformat()}
    nodes = [
        (n.id, common | {"administrative": str(n.administrative)} | (started if _has_process(n.kind) else {}))
        for n in inventory.nodes
    ]
    points = [(p.id, common | {"administrative": str(p.administrative)}) for p in inventory.termination_points]
    links = [(link.id, common | {"metric": str(link.metric)}) for link in inventory.links]
    demands = [(demand.id, common | {"via": demand.via or ""}) for demand in inventory.demands]
    return [*nodes, *points, *links, *demands]


def _has_process(kind: NodeKind) -> bool:
    return kind in _PROCESSES or kind is NodeKind.CELL
