"""The tools that an agent is handed: exactly those of its card. Reaching for another is refused and recorded."""

from collections.abc import Mapping
from typing import Any

from control_plane.ports import Ledger, Written
from control_plane.replay.tape import heard_from
from domain.agents import AgentCard
from domain.clock import Clock
from domain.errors import ToolRefused
from domain.records import Entry


class Toolbox:
    """Gives an agent the tools of its card as attributes."""

    def __init__(self, card: AgentCard, tools: Mapping[str, Any], ledger: Ledger, clock: Clock) -> None:
        self._card = card
        self._tools = dict(tools)
        self._ledger = ledger
        self._clock = clock

    def __getattr__(self, name: str) -> Any:
        """Return a tool. Raises ToolRefused for one that the card does not list, whether or not it exists."""
        if name.startswith("__"):
            raise AttributeError(name)
        if name in self._card.tools and name in self._tools:
            return heard_from(name, self._tools[name])
        self._refused(name)
        raise ToolRefused(f"`{self._card.name}` may not use `{name}`; its card lists {sorted(self._card.tools)}")

    def _refused(self, name: str) -> None:
        entry = Entry(
            kind="plane.tool.refused",
            actor=self._card.principal,
            fields={"tool": name[:64]},
            event_time=self._clock.now(),
        )
        self._ledger.do(lambda _: Written(None, (entry,)))
