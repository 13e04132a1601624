"""Routers as the house sees them: `control_plane.ports.Network` over their command lines.

They are not `keyed`: a router carries out what it is told as often as it is told. What became of a key is known to
the object that sent it, and to nobody after a restart; the state of the device can always be read.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from adapters.network.routers import changes, reports
from adapters.network.routers.access import Access, Reach
from adapters.network.routers.collector import Collector
from adapters.network.routers.discovery import discover
from adapters.network.routers.observation import started
from adapters.network.routers.orders import Edit, edits_of
from adapters.network.routers.probes import Probe, Way
from adapters.network.routers.vty import TIMEOUT_S, Run, Vty, run
from control_plane.ports import Feed, Seen
from domain.actions import Action, ActionClass
from domain.clock import Clock, SystemClock
from domain.errors import NotFound, Refused, Unavailable
from domain.network import Inventory

_TICKETS = frozenset({ActionClass.OPEN_TICKET, ActionClass.CANCEL_TICKET})
_MODELS = frozenset({ActionClass.TRAIN_MODEL, ActionClass.RETIRE_MODEL, ActionClass.SWITCH_MODEL})
#: So many samples make a baseline, with a few to spare for what is left out before an onset.
_BASELINE_SAMPLES = 20
_LOOKING_TIMEOUT_S = 2.0
_SHOWS_WITHIN_S = 2.0
_POLL_S = 0.05
_NO_ANSWER = "no router answers; see that they run and can be reached"


class RoutersNetwork:
    """A `Network`. `journal` lists what was carried out: key, action, target. Close it, or leave its `with` block."""

    keyed = False

    def __init__(
        self,
        reach: Reach,
        *,
        period_s: float = 0.5,
        timeout_s: float = TIMEOUT_S,
        run: Run = run,
        probe: Callable[[Access, str], Way] = Probe,
        clock: Clock | None = None,
    ) -> None:
        """Meet the routers, and begin to sample them.

        Args:
            reach: where they are, and what is declared of the network.
            period_s: seconds between two samples.
            timeout_s: how long a router may take to answer.
            run: runs programs.
            probe: measures the way from a router to an address.
            clock: tells the time; the machine's, if none is given.

        Raises:
            Unavailable: a router does not answer, or they do not agree on what is there.
            BadInput: one of them is not declared.
        """
        self._reach, self._clock = reach, clock or SystemClock()
        self._vtys = {access.name: Vty(access, timeout_s=timeout_s, run=run) for access in reach.routers}
        self._topology = discover(list(self._vtys.values()), reach)
        self._seen: dict[str, Seen] = {}
        self._sending = threading.Lock()
        self.journal: list[dict[str, str]] = []
        self.period_s = period_s
        looking = [Vty(access, timeout_s=min(timeout_s, _LOOKING_TIMEOUT_S), run=run) for access in reach.routers]
        with ExitStack() as opened:
            access = {each.node: each for each in reach.routers}
            ways = {}
            for demand in self._topology.inventory.demands:
                ways[demand.id] = probe(access[demand.source], access[demand.destination].address)
                opened.callback(ways[demand.id].close)
            self._collector = Collector(looking, ways, self._topology, period_s=period_s, run=run, clock=self._clock)
            opened.callback(self._collector.close)
            self._collector.start()
            self._opened = opened.pop_all()

    # --- Network ---

    def inventory(self) -> Inventory:
        """Return what the routers show now. Raises Unavailable when one of them does not answer."""
        return discover(list(self._vtys.values()), self._reach).inventory

    def poll(self, after: int, *, wait_s: float = 0.0) -> Feed:
        self._hear()
        said, position = self._collector.after(after, wait_s)
        return Feed(tuple(said), position)

    def history(self) -> Sequence[dict[str, Any]]:
        self._hear()
        return self._collector.history()

    def warm_up(self, samples: int = _BASELINE_SAMPLES) -> None:
        """Wait until there is a history to learn from. Raises Unavailable when it does not come."""
        if not self._collector.wait_for(samples, 4 * samples * self.period_s + 10.0):
            raise Unavailable("the routers were not heard often enough to know what is usual; see that they answer")

    @property
    def odd(self) -> Mapping[str, int]:
        """Return, per router, how many looks at it brought nothing whole."""
        return dict(self._collector.odd)

    # --- Hands ---

    def takes(self, action: Action) -> bool:
        return action.kind not in _TICKETS | _MODELS

    def state(self, element: str) -> Mapping[str, str]:
        common = {"crew": "none"}
        if element in self._topology.ends:
            return common | self._state_of_point(element)
        if element in self._topology.links:
            return common | self._state_of_link(element)
        if element in self._topology.addresses:
            return common | self._state_of_node(element)
        demand = next((each for each in self._topology.inventory.demands if each.id == element), None)
        if demand is None:
            raise NotFound(f"there is no element `{element}`")
        return common | {"operational": "enabled", "via": self._via(demand.source, demand.destination)}

    def send(self, key: str, action: Action) -> None:
        with self._sending:
            self._seen[key] = Seen.CANNOT_TELL
            try:
                edits = edits_of(action, self._topology, lambda access, daemon: self._vtys[access.name].running(daemon))
                changes.check(edits, self._vtys)
            except Refused:
                self._seen[key] = Seen.ABSENT
                raise
            except Unavailable:
                self._seen[key] = Seen.FAILED  # nothing was sent yet
                raise
            self._carry_out(key, action, edits)

    def look(self, key: str) -> Seen:
        return Seen.CANNOT_TELL if self._collector.deaf else self._seen.get(key, Seen.CANNOT_TELL)

    def cancel(self, key: str) -> None:  # noqa: ARG002  # the port's signature
        """Nothing is ever pending: what is accepted is done by then."""
        self._hear()

    def close(self) -> None:
        """Stop sampling and probing. The routers stay as they are."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _carry_out(self, key: str, action: Action, edits: Sequence[Edit]) -> None:
        try:
            took = changes.carry_out(edits, self._vtys, lambda: self._shows(action))
        except Refused:
            self._seen[key] = Seen.ABSENT
            raise
        self._seen[key] = Seen.DONE if took else Seen.FAILED
        if took:
            self.journal.append({"key": key, "action": str(action.kind), "target": action.target})

    def _shows(self, action: Action) -> bool:
        """Say whether the action's effect can be read back; a router needs a moment for it."""
        wanted = action.effect()
        deadline = time.monotonic() + _SHOWS_WITHIN_S
        while wanted is not None:
            if self.state(wanted.element).get(wanted.attribute) == wanted.value:
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
        return True

    def _hear(self) -> None:
        """Raises Unavailable when no router answered lately."""
        if self._collector.deaf:
            raise Unavailable(_NO_ANSWER)

    def _state_of_point(self, point: str) -> dict[str, str]:
        end = self._topology.ends[point]
        found = self._interfaces(end.access).get(end.interface.name)
        if found is None:
            raise Unavailable(f"{end.access.name} shows no interface `{end.interface.name}` any more; look at it")
        return {
            "administrative": "unlocked" if found.admin_up else "locked",
            "operational": "enabled" if found.oper_up else "disabled",
        }

    def _state_of_link(self, link: str) -> dict[str, str]:
        ends = [self._topology.ends[point] for point in self._topology.links[link]]
        costs, up = [], True
        for end in ends:
            vty = self._vtys[end.access.name]
            costs.append(str(reports.costs_of(vty.running("ospfd")).get(end.interface.name, "")))
            found = self._interfaces(end.access).get(end.interface.name)
            up = up and found is not None and found.oper_up
        metric = costs[0] if len(set(costs)) == 1 else "/".join(costs)
        return {"operational": "enabled" if up else "disabled", "metric": metric}

    def _state_of_node(self, node: str) -> dict[str, str]:
        access = next(each for each in self._reach.routers if each.node == node)
        self._interfaces(access)
        began = started(access, self._clock)
        state = {"administrative": "unlocked", "operational": "enabled", "process": "running" if began else "failed"}
        since = {"process_started_at": datetime.fromtimestamp(began, UTC).isoformat()} if began else {}
        return state | since

    def _interfaces(self, access: Access) -> Mapping[str, reports.Interface]:
        return reports.interfaces(access.name, self._vtys[access.name].show("show interface json", daemon="zebra")[0])

    def _via(self, source: str, destination: str) -> str:
        vty = self._vtys[source.removeprefix("node:")]
        hops = reports.host_routes(vty.running("staticd")).get(self._topology.addresses[destination], ())
        nodes = {str(address): node for address, node in self._topology.node_of.items()}
        return "/".join(nodes.get(hop, hop) for hop in hops)
