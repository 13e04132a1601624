"""Typed overlays: what could be different in the network. The twin lays them over a snapshot; nothing is mutated.

Faults, actions and what-if questions all become changes, so `twin.evaluate` has one language.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from domain.base import Word
from domain.network import Administrative, Operational
from domain.waypoints import WHOLE, Share, is_whole


class SetAdministrative(Word):
    kind: Literal["set_administrative"] = "set_administrative"
    element: str
    state: Administrative


class SetOperational(Word):
    """The element itself fails or works again (what depends on it follows by closure)."""

    kind: Literal["set_operational"] = "set_operational"
    element: str
    state: Operational


class SetMetric(Word):
    kind: Literal["set_metric"] = "set_metric"
    link: str
    metric: int = Field(ge=1, le=65535)


class SetCapacity(Word):
    """Capacity becomes this share of what the inventory declares."""

    kind: Literal["set_capacity"] = "set_capacity"
    link: str
    share: float = Field(gt=0, le=10)


class SetLoss(Word):
    """The link loses this share of the traffic on it (a grey fault); 0 is clean."""

    kind: Literal["set_loss"] = "set_loss"
    link: str
    share: float = Field(ge=0, le=1)


class SetVia(Word):
    """An SR policy sends a share of the demand through a waypoint, the rest directly; None takes the policy away."""

    kind: Literal["set_via"] = "set_via"
    demand: str
    via: str | None
    share: Share = Field(default=WHOLE, exclude_if=is_whole)

    @model_validator(mode="after")
    def _shares_a_policy(self) -> "SetVia":
        if self.via is None and not is_whole(self.share):
            raise ValueError("without a waypoint there is nothing to share: leave `share` out, or name a waypoint")
        return self


class ScaleDemand(Word):
    kind: Literal["scale_demand"] = "scale_demand"
    demand: str
    factor: float = Field(ge=0, le=1000)


Change = Annotated[
    SetAdministrative | SetOperational | SetMetric | SetCapacity | SetLoss | SetVia | ScaleDemand,
    Field(discriminator="kind"),
]
