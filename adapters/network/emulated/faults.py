"""What can go wrong in the plant. A fault is part of the true state; outside, only its effects are seen.

A fault ends when something ends it: an action that repairs its kind, a crew, its own time, or `calm`.
"""

from dataclasses import dataclass, field

from domain.actions import ActionClass
from domain.diagnosis import FaultKind

#: What a device can do about a fault of each kind on the target itself.
REPAIRED_BY: dict[ActionClass, frozenset[FaultKind]] = {
    ActionClass.INTERFACE_UP: frozenset({FaultKind.INTERFACE_LOCKED}),
    ActionClass.UNLOCK_CELL: frozenset({FaultKind.CELL_LOCKED}),
    ActionClass.RESTART_PROCESS: frozenset({FaultKind.PROCESS_HUNG, FaultKind.CELL_SLEEPING}),
}

#: What people with tools can repair on the site.
REPAIRED_BY_CREW = frozenset({FaultKind.LINK_DOWN, FaultKind.LINK_DEGRADED, FaultKind.NODE_DOWN, FaultKind.POWER_LOST})

#: Faults that are a configuration mistake: the administrative state is wrong.
MISTAKES = frozenset({FaultKind.INTERFACE_LOCKED, FaultKind.CELL_LOCKED})


@dataclass
class Fault:
    """One fault. Times are seconds since 1970.

    Attributes:
        size: share lost (`link_degraded`) or factor of the demand (`congestion`), else 0.
        back: share lost in the other direction (`link_degraded`).
        battery_s: how long the site's batteries hold (`power_lost`).
        grey: the element itself does not say that it has it.
        notified: a configuration mistake is announced as a change.
        ends_at: when it heals by itself, or None.
    """

    kind: FaultKind
    element: str
    at: float
    size: float = 0.0
    back: float = 0.0
    battery_s: float = 0.0
    grey: bool = False
    notified: bool = False
    ends_at: float | None = None
    executor: str = "honest"
    healed_at: float | None = field(default=None)
    healed_by: str = ""

    @property
    def active(self) -> bool:
        return self.healed_at is None

    @property
    def dark_at(self) -> float:
        """When the batteries are empty."""
        return self.at + self.battery_s

    def heal(self, at: float, by: str) -> None:
        """End the fault; `by` is `itself`, `crew`, `calm`, or the key of the action that repaired it."""
        self.healed_at, self.healed_by = at, by
