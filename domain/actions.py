"""Typed, idempotent actions. Each knows its harm, its inverse, what it changes and how one sees that it took effect.

An action sets a state (`metric becomes 65535`), never a difference, so sending it twice is sending it once.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from domain.base import Word
from domain.changes import Change, SetAdministrative, SetLoss, SetMetric, SetOperational, SetVia
from domain.models import VERSION
from domain.network import Administrative, Operational
from domain.waypoints import WHOLE, Share, is_whole, policy_text

#: How a circuit reads that the network does not know.
NO_CIRCUIT: Mapping[str, str] = {"administrative": "locked", "via": ""}
#: The IGP metric of a drained link (RFC 6987's max metric): used only when nothing else is left.
DRAINED_METRIC = 65535


class ActionClass(StrEnum):
    INTERFACE_UP = "interface_up"
    INTERFACE_DOWN = "interface_down"
    DRAIN_LINK = "drain_link"
    UNDRAIN_LINK = "undrain_link"
    STEER_DEMAND = "steer_demand"
    ACTIVATE_CIRCUIT = "activate_circuit"
    DEACTIVATE_CIRCUIT = "deactivate_circuit"
    RESTART_PROCESS = "restart_process"
    LOCK_CELL = "lock_cell"
    UNLOCK_CELL = "unlock_cell"
    DISPATCH_CREW = "dispatch_crew"
    RECALL_CREW = "recall_crew"
    OPEN_TICKET = "open_ticket"
    CANCEL_TICKET = "cancel_ticket"
    TRAIN_MODEL = "train_model"
    RETIRE_MODEL = "retire_model"
    SWITCH_MODEL = "switch_model"
    SET_AUTONOMY = "set_autonomy"


class Harm(StrEnum):
    """What goes wrong at worst if the action is a mistake."""

    NONE = "none"  # nobody notices
    LOW = "low"  # work is wasted
    SERVICE = "service"  # some traffic suffers
    OUTAGE = "outage"  # customers lose service


class Effect(Word):
    """The state that can be read back from the device once the action has really happened."""

    element: str
    attribute: str
    value: str


class _Action(Word):
    harm: ClassVar[Harm]
    standard: ClassVar[bool] = False  # a pre-approved standard change
    by_people: ClassVar[bool] = False  # takes effect when somebody has travelled there
    target: str = Field(min_length=1, max_length=256)

    def inverse(self) -> "Action | None":
        """Return the action that undoes this one, or None when nothing can."""
        return None

    def changes(self) -> tuple[Change, ...]:
        """Return what the action changes in the twin."""
        return ()

    def effect(self) -> Effect | None:
        """Return the state to read back, or None when the device shows none."""
        return None

    @property
    def absent(self) -> Mapping[str, str]:
        """Return how the target reads where the device says that there is no such thing; empty: it proves nothing."""
        return {}

    def took_effect(self, before: Mapping[str, str], after: Mapping[str, str]) -> bool:
        """Say whether the target's state, read before and after, shows that this action changed it.

        A state that was already so before is no effect of ours.
        """
        wanted = self.effect()
        if wanted is None:
            return False
        return after.get(wanted.attribute) == wanted.value != before.get(wanted.attribute)


class InterfaceUp(_Action):
    kind: Literal[ActionClass.INTERFACE_UP] = ActionClass.INTERFACE_UP
    harm = Harm.LOW

    def inverse(self) -> "Action":
        return InterfaceDown(target=self.target)

    def changes(self) -> tuple[Change, ...]:
        return (SetAdministrative(element=self.target, state=Administrative.UNLOCKED),)

    def effect(self) -> Effect:
        return Effect(element=self.target, attribute="administrative", value="unlocked")


class InterfaceDown(_Action):
    kind: Literal[ActionClass.INTERFACE_DOWN] = ActionClass.INTERFACE_DOWN
    harm = Harm.OUTAGE

    def inverse(self) -> "Action":
        return InterfaceUp(target=self.target)

    def changes(self) -> tuple[Change, ...]:
        return (SetAdministrative(element=self.target, state=Administrative.LOCKED),)

    def effect(self) -> Effect:
        return Effect(element=self.target, attribute="administrative", value="locked")


class DrainLink(_Action):
    """Move traffic off a link by its metric; `previous_metric` is what undraining restores."""

    kind: Literal[ActionClass.DRAIN_LINK] = ActionClass.DRAIN_LINK
    harm = Harm.SERVICE
    previous_metric: int = Field(ge=1, le=65535)

    def inverse(self) -> "Action":
        return UndrainLink(target=self.target, metric=self.previous_metric)

    def changes(self) -> tuple[Change, ...]:
        return (SetMetric(link=self.target, metric=DRAINED_METRIC),)

    def effect(self) -> Effect:
        return Effect(element=self.target, attribute="metric", value=str(DRAINED_METRIC))


class UndrainLink(_Action):
    kind: Literal[ActionClass.UNDRAIN_LINK] = ActionClass.UNDRAIN_LINK
    harm = Harm.SERVICE
    metric: int = Field(ge=1, le=65535)

    def inverse(self) -> "Action":
        return DrainLink(target=self.target, previous_metric=self.metric)

    def changes(self) -> tuple[Change, ...]:
        return (SetMetric(link=self.target, metric=self.metric),)

    def effect(self) -> Effect:
        return Effect(element=self.target, attribute="metric", value=str(self.metric))


class SteerDemand(_Action):
    """Send a share of a demand through a waypoint by an SR policy, the rest directly; `via=None` ends the policy."""

    kind: Literal[ActionClass.STEER_DEMAND] = ActionClass.STEER_DEMAND
    harm = Harm.SERVICE
    via: str | None
    share: Share = Field(default=WHOLE, exclude_if=is_whole)
    previous_via: str | None = None
    previous_share: Share = Field(default=WHOLE, exclude_if=is_whole)

    @model_validator(mode="after")
    def _shares_a_policy(self) -> "SteerDemand":
        for via, share in ((self.via, self.share), (self.previous_via, self.previous_share)):
            if via is None and not is_whole(share):
                raise ValueError(
                    "without a waypoint there is nothing to share: leave the share out, or name a waypoint"
                )
        return self

    def inverse(self) -> "Action":
        return SteerDemand(
            target=self.target,
            via=self.previous_via,
            share=self.previous_share,
            previous_via=self.via,
            previous_share=self.share,
        )

    def changes(self) -> tuple[Change, ...]:
        return (SetVia(demand=self.target, via=self.via, share=self.share),)

    def effect(self) -> Effect:
        return Effect(element=self.target, attribute="via", value=policy_text(self.via, self.share))


class _Circuit(_Action):
    """What a network must know of a circuit (`target`) to carry it: ends, rate in Mbit/s, promise, way."""

    harm = Harm.SERVICE
    source: str = Field(min_length=1, max_length=256, description="routing node id")
    destination: str = Field(min_length=1, max_length=256, description="routing node id")
    mbps: float = Field(gt=0, le=1e9)
    traffic_class: str = Field(default="best_effort", min_length=1, max_length=64)
    slice_id: str = Field(min_length=1, max_length=256, description="the slice that bears the promise")
    max_loss: float = Field(default=0.01, ge=0, le=1, description="share that may get lost")
    max_delay_ms: float = Field(default=100.0, gt=0, le=1e6, description="one way")
    via: str | None = Field(default=None, max_length=256, description="waypoint of its way, or None")
    share: Share = Field(default=WHOLE, exclude_if=is_whole, description="of it that goes through the waypoint")

    @model_validator(mode="after")
    def _shares_a_way(self) -> Self:
        if self.via is None and not is_whole(self.share):
            raise ValueError("without a waypoint there is nothing to share: leave `share` out, or name a waypoint")
        return self

    @property
    def absent(self) -> Mapping[str, str]:
        """A circuit that the network does not know is one that carries nothing."""
        return NO_CIRCUIT


class ActivateCircuit(_Circuit):
    """Let a planned circuit carry traffic, on its way. A network that does not know it yet sets it up."""

    kind: Literal[ActionClass.ACTIVATE_CIRCUIT] = ActionClass.ACTIVATE_CIRCUIT

    def inverse(self) -> "Action":
        return DeactivateCircuit(**self.model_dump(exclude={"kind"}))

    def changes(self) -> tuple[Change, ...]:
        unlocked = SetAdministrative(element=self.target, state=Administrative.UNLOCKED)
        return (unlocked, SetVia(demand=self.target, via=self.via, share=self.share))

    def effect(self) -> Effect:
        return Effect(element=self.target, attribute="administrative", value="unlocked")

    def took_effect(self, before: Mapping[str, str], after: Mapping[str, str]) -> bool:
        """An active circuit that takes another way than the rehearsed one is not what was asked for."""
        return super().took_effect(before, after) and after.get("via", "") == policy_text(self.via, self.share)


class DeactivateCircuit(_Circuit):
    """Take a circuit out of service: it carries nothing any more, and its policy is gone."""

    kind: Literal[ActionClass.DEACTIVATE_CIRCUIT] = ActionClass.DEACTIVATE_CIRCUIT

    def inverse(self) -> "Action":
        return ActivateCircuit(**self.model_dump(exclude={"kind"}))

    def changes(self) -> tuple[Change, ...]:
        locked = SetAdministrative(element=self.target, state=Administrative.LOCKED)
        return (locked, SetVia(demand=self.target, via=None))

    def effect(self) -> Effect:
        return Effect(element=self.target, attribute="administrative", value="locked")


class RestartProcess(_Action):
    """Restart the routing or radio process of a node. It cannot be undone."""

    kind: Literal[ActionClass.RESTART_PROCESS] = ActionClass.RESTART_PROCESS
    harm = Harm.SERVICE
    process: str = "control"

    def changes(self) -> tuple[Change, ...]:
        return (SetOperational(element=self.target, state=Operational.ENABLED),)

    def effect(self) -> Effect:
        return Effect(element=self.target, attribute="process", value="running")

    def took_effect(self, before: Mapping[str, str], after: Mapping[str, str]) -> bool:
        """A restart shows as a later start of the process (`process_started_at`, ISO 8601 UTC)."""
        started, was_started = after.get("process_started_at", ""), before.get("process_started_at", "")
        return after.get("process") == "running" and started > was_started


class LockCell(_Action):
    kind: Literal[ActionClass.LOCK_CELL] = ActionClass.LOCK_CELL
    harm = Harm.SERVICE

    def inverse(self) -> "Action":
        return UnlockCell(target=self.target)

    def changes(self) -> tuple[Change, ...]:
        return (SetAdministrative(element=self.target, state=Administrative.LOCKED),)

    def effect(self) -> Effect:
        return Effect(element=self.target, attribute="administrative", value="locked")


class UnlockCell(_Action):
    kind: Literal[ActionClass.UNLOCK_CELL] = ActionClass.UNLOCK_CELL
    harm = Harm.LOW

    def inverse(self) -> "Action":
        return LockCell(target=self.target)

    def changes(self) -> tuple[Change, ...]:
        return (SetAdministrative(element=self.target, state=Administrative.UNLOCKED),)

    def effect(self) -> Effect:
        return Effect(element=self.target, attribute="administrative", value="unlocked")


class DispatchCrew(_Action):
    """Send people to a site. `work` says what they do there; `lossy` that the target is a link that loses traffic."""

    kind: Literal[ActionClass.DISPATCH_CREW] = ActionClass.DISPATCH_CREW
    harm = Harm.LOW
    by_people = True
    site: str = ""
    work: str = "repair"
    lossy: bool = False

    def inverse(self) -> "Action":
        return RecallCrew(target=self.target, site=self.site, work=self.work, lossy=self.lossy)

    def changes(self) -> tuple[Change, ...]:
        works = SetOperational(element=self.target, state=Operational.ENABLED)
        return (works, SetLoss(link=self.target, share=0)) if self.lossy else (works,)

    def effect(self) -> Effect:
        return Effect(element=self.target, attribute="crew", value="dispatched")


class RecallCrew(_Action):
    kind: Literal[ActionClass.RECALL_CREW] = ActionClass.RECALL_CREW
    harm = Harm.LOW
    site: str = ""
    work: str = "repair"
    lossy: bool = False

    def inverse(self) -> "Action":
        return DispatchCrew(target=self.target, site=self.site, work=self.work, lossy=self.lossy)

    def effect(self) -> Effect:
        return Effect(element=self.target, attribute="crew", value="none")


class OpenTicket(_Action):
    """Open a trouble ticket about an incident; `target` is the incident."""

    kind: Literal[ActionClass.OPEN_TICKET] = ActionClass.OPEN_TICKET
    harm = Harm.NONE
    standard = True
    severity: str = "major"
    description: str = Field(max_length=4096)

    def inverse(self) -> "Action":
        return CancelTicket(target=self.target, severity=self.severity, description=self.description)

    def effect(self) -> Effect:
        return Effect(element=self.target, attribute="ticket", value="open")


class CancelTicket(_Action):
    kind: Literal[ActionClass.CANCEL_TICKET] = ActionClass.CANCEL_TICKET
    harm = Harm.NONE
    standard = True
    severity: str = "major"
    description: str = Field(max_length=4096)

    def inverse(self) -> "Action":
        return OpenTicket(target=self.target, severity=self.severity, description=self.description)

    def effect(self) -> Effect:
        return Effect(element=self.target, attribute="ticket", value="cancelled")


class TrainModel(_Action):
    """Train a version for a model slot and register it as the slot's candidate; what the slot serves stays."""

    kind: Literal[ActionClass.TRAIN_MODEL] = ActionClass.TRAIN_MODEL
    harm = Harm.LOW
    version: str = Field(pattern=VERSION, description="the id that the new version will have")
    recipe: str = Field(min_length=1, max_length=64, description="what the trainer is to do, by name")
    seed: int = Field(ge=0)

    def inverse(self) -> "Action":
        return RetireModel(target=self.target, version=self.version, recipe=self.recipe, seed=self.seed)

    def effect(self) -> Effect:
        return Effect(element=self.target, attribute="candidate", value=self.version)


class RetireModel(_Action):
    """Archive a candidate, so that nobody puts it into service."""

    kind: Literal[ActionClass.RETIRE_MODEL] = ActionClass.RETIRE_MODEL
    harm = Harm.LOW
    version: str = Field(pattern=VERSION)
    recipe: str = Field(min_length=1, max_length=64)
    seed: int = Field(ge=0)

    def effect(self) -> Effect:
        return Effect(element=self.target, attribute="candidate", value="")


class SwitchModel(_Action):
    """Let a model slot serve another registered version."""

    kind: Literal[ActionClass.SWITCH_MODEL] = ActionClass.SWITCH_MODEL
    harm = Harm.SERVICE
    version: str = Field(pattern=VERSION)
    previous: str = Field(pattern=VERSION)

    def inverse(self) -> "Action":
        return SwitchModel(target=self.target, version=self.previous, previous=self.version)

    def effect(self) -> Effect:
        return Effect(element=self.target, attribute="version", value=self.version)


class SetAutonomy(_Action):
    """Set what an agent may do by itself on one ground; `target` is the id of the standing (`tenant|ground`)."""

    kind: Literal[ActionClass.SET_AUTONOMY] = ActionClass.SET_AUTONOMY
    harm = Harm.SERVICE
    level: int = Field(ge=0, le=2)
    previous: int = Field(ge=0, le=2)

    def inverse(self) -> "Action":
        return SetAutonomy(target=self.target, level=self.previous, previous=self.level)

    def effect(self) -> Effect:
        return Effect(element=self.target, attribute="level", value=str(self.level))


Action = Annotated[
    InterfaceUp
    | InterfaceDown
    | DrainLink
    | UndrainLink
    | SteerDemand
    | ActivateCircuit
    | DeactivateCircuit
    | RestartProcess
    | LockCell
    | UnlockCell
    | DispatchCrew
    | RecallCrew
    | OpenTicket
    | CancelTicket
    | TrainModel
    | RetireModel
    | SwitchModel
    | SetAutonomy,
    Field(discriminator="kind"),
]
