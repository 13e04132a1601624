"""Capacity planning: which links will be too full and when, what could be done, and what each remedy is worth.

Nothing here acts. A plan is read by people, who buy, build and change; costs are in the unit of the prices given.
"""

from enum import StrEnum

from pydantic import Field, model_validator

from domain.base import Utc, Word
from domain.changes import Change
from domain.network import Link, TerminationPoint


class Prices(Word):
    """What remedies cost, in any one unit. The defaults are plain ratios, not anybody's price list; give your own."""

    upgrade_fixed: float = Field(default=5.0, ge=0)
    upgrade_per_gbps: float = Field(default=1.0, ge=0)
    parallel_fixed: float = Field(default=12.0, ge=0)
    express_fixed: float = Field(default=30.0, ge=0)
    new_per_gbps: float = Field(default=1.2, ge=0)
    express_per_km: float = Field(default=0.02, ge=0)
    policy: float = Field(default=0.5, ge=0, description="keeping one SR policy for the time of the plan")


class Terms(Word):
    """What a plan is asked to keep to.

    A link is congested in a week in which an hour goes beyond `threshold` of its capacity. It is to be relieved when
    the chance of that exceeds `tolerated`.
    """

    horizons_weeks: tuple[int, ...] = Field(default=(4, 8, 13, 26), min_length=1, max_length=12)
    threshold: float = Field(default=0.8, gt=0, le=1)
    tolerated: float = Field(default=0.2, gt=0, lt=1)
    level: float = Field(default=0.9, gt=0, lt=1)
    unavailability: float = Field(default=0.001, ge=0, le=0.01, description="share of time that a link is down")
    futures: int = Field(default=40, ge=10, le=500)
    failures: int = Field(default=16, ge=0, le=200, description="single failures that are simulated in every future")
    screened: int = Field(default=300, ge=0, le=20_000, description="single failures of which those are chosen")
    upgrades: int = Field(default=5, ge=1, le=50, description="links for which remedies are compared")
    seed: int = Field(default=0, ge=0)
    prices: Prices = Prices()

    @model_validator(mode="after")
    def _ascending(self) -> "Terms":
        if list(self.horizons_weeks) != sorted(set(self.horizons_weeks)) or self.horizons_weeks[0] < 1:
            raise ValueError("horizons are weeks from 1 on, ascending and each once; sort them")
        if self.horizons_weeks[-1] > 104:
            raise ValueError("nothing is forecast beyond 104 weeks; give a nearer horizon")
        return self


class Congestion(Word):
    """How full one link will be at its fullest hour of a week, and the chance that this is too full."""

    element: str
    horizon_weeks: int
    week_ends: Utc
    capacity_mbps: float
    peak_mbps: float
    low_mbps: float
    high_mbps: float
    level: float
    probability: float = Field(ge=0, le=1)
    relief_mbps: float = Field(description="the capacity with which the chance would be what is tolerated")
    calibrated: bool = Field(description="fitted on earlier weeks; else read off the errors made in them")


class Abstention(Word):
    """An element of whose future nothing is said, and why."""

    element: str
    reason: str


class RemedyKind(StrEnum):
    NOTHING = "nothing"
    UPGRADE_LINK = "upgrade_link"
    PARALLEL_LINK = "parallel_link"
    EXPRESS_LINK = "express_link"
    STEER_TRAFFIC = "steer_traffic"


class Remedy(Word):
    """Something that could be built or configured: an overlay, and links that are not there yet."""

    kind: RemedyKind
    target: str
    title: str
    cost: float = Field(ge=0)
    changes: tuple[Change, ...] = ()
    links: tuple[Link, ...] = ()
    points: tuple[TerminationPoint, ...] = ()


class Weighed(Word):
    """A remedy in simulated futures, each in its normal state and after single failures.

    A future is the hour at which the link to relieve is fullest. Risk is expected Mbit/s beyond what is wanted
    (`threshold` of capacity in the normal state, all of it after a failure), over all links, and over the states by
    their probability; `removed` is how much less that is than with doing nothing, and `removed_low` to `removed_high`
    hold `level` of the futures.
    """

    remedy: Remedy
    risk_mbps: float
    removed_mbps: float
    removed_low: float
    removed_high: float
    chance_target: float = Field(ge=0, le=1, description="of the futures, in which the link to relieve is congested")
    chance_normal: float = Field(ge=0, le=1, description="of the futures, in which any link is congested")
    chance_n1: float = Field(ge=0, le=1, description="of the futures, in which a single failure overloads a link")
    worst_utilisation: float
    futures: int
    states: int


class Upgrade(Word):
    """A link to relieve: by when, how, at what cost, and what was compared. `needed_by` lies between the other two.

    A date is None where it lies beyond the farthest horizon.
    """

    rank: int
    element: str
    probability: float
    needed_by: Utc | None
    earliest: Utc | None
    latest: Utc | None
    chosen: Weighed
    compared: tuple[Weighed, ...]
    why: str


class CapacityPlan(Word):
    """The capacity agent's answer, pinned to the snapshot and the history that it was worked out from."""

    made_at: Utc
    snapshot_digest: str
    terms: Terms
    congestion: tuple[Congestion, ...]
    upgrades: tuple[Upgrade, ...]
    abstained: tuple[Abstention, ...]
    assumed: tuple[str, ...]
