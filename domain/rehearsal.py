"""Rehearsal: what the twin says of a plan, of its inverse, and of doing nothing."""

from typing import Any

from pydantic import Field

from domain.autonomy import Hindsight
from domain.base import Stored, Utc, Word
from domain.blast import BlastRadius
from domain.models import ModelTrial


class Impact(Word):
    """What one predicted state of the network means, in words that people use."""

    offered_mbps: float = 0.0
    lost_mbps: float = 0.0
    max_utilisation: float = 0.0
    overloaded: tuple[str, ...] = ()
    unavailable: tuple[str, ...] = ()
    demands_hit: tuple[str, ...] = ()
    cells_down: tuple[str, ...] = ()
    slices_hit: tuple[str, ...] = ()
    customers_hit: tuple[str, ...] = ()


class Forecast(Word):
    """An impact with an interval: `lost_low` to `lost_high` Mbit/s hold `level` of the probability."""

    expected: Impact
    lost_low: float
    lost_high: float
    level: float = 0.9


class Fact(Word):
    """One thing that a rehearsal read: exact when discrete, a band when continuous.

    Inside the band the rehearsal's verdict holds; outside, the plan must be rehearsed anew.
    """

    element: str
    attribute: str
    value: str | None = None
    low: float | None = None
    high: float | None = None

    def holds(self, now: str | float | None) -> bool:
        """Say whether the present value still fits; an unknown value never does."""
        if now is None:
            return False
        if self.value is not None:
            return str(now) == self.value
        low, high = self.low, self.high
        return (low is None or float(now) >= low) and (high is None or float(now) <= high)


class KpiFidelity(Word):
    """How far the twin was off in one KPI: predicted against observed, over a window of time.

    `wmape` is Σ|predicted − observed| / Σ observed, `bias` the same with its sign; None where too little is measured.
    """

    kpi: str = Field(description="`load` (per link direction) or `delay` (per demand)")
    unit: str
    wmape: float | None = Field(default=None, ge=0)
    bias: float | None = None
    points: int = Field(default=0, ge=0, description="pairs of a prediction and an observation in the window")
    window_s: float = Field(gt=0)
    age_s: float | None = Field(default=None, ge=0, description="since the newest observation; None without one")
    bound: float = Field(gt=0, description="beyond it the twin is not fit in this KPI")
    decides: bool = Field(default=True, description="verdicts rest on this KPI")
    reason: str = Field(description="in words: how far off, by how much evidence, and whether that will do")

    @property
    def fit(self) -> bool:
        """Whether the twin may be believed in this KPI; what is not measured is not known to be fit."""
        return self.wmape is not None and self.wmape <= self.bound


class TwinFidelity(Word):
    """How far the twin can be trusted now, KPI by KPI; shown beside every answer that it gives."""

    kpis: tuple[KpiFidelity, ...]

    @property
    def fit(self) -> bool:
        """Whether the twin is fit in every KPI that verdicts rest on."""
        return all(kpi.fit for kpi in self.kpis if kpi.decides)

    @property
    def reason(self) -> str:
        """In one line, what makes it fit or unfit."""
        verdict = "the twin is fit" if self.fit else "the twin is not fit to decide on"
        return f"{verdict}: {'; '.join(kpi.reason for kpi in self.kpis)}"

    def of(self, kpi: str) -> KpiFidelity | None:
        """Return one KPI by its name, or None."""
        return next((entry for entry in self.kpis if entry.kpi == kpi), None)

    def plain(self) -> dict[str, Any]:
        """Return plain JSON data with the verdicts in it, for what the command line and HTTP show."""
        kpis = [kpi.model_dump(mode="json") | {"fit": kpi.fit} for kpi in self.kpis]
        return {"fit": self.fit, "reason": self.reason, "kpis": kpis}


class Rehearsal(Stored):
    """`facts` are checked before the first step; `step_facts[i]` before step i, against the state rehearsed so far."""

    proposal_id: str
    plan_digest: str
    snapshot_digest: str
    nothing: Forecast
    plan: Forecast
    inverse: Forecast | None = Field(default=None, description="state after plan and inverse; None if irreversible")
    steps: tuple[Impact, ...] = ()
    facts: tuple[Fact, ...] = ()
    step_facts: tuple[tuple[Fact, ...], ...] = ()
    recovers: tuple[str, ...] = Field(default=(), description="elements that work again, or cease to suffer")
    at_risk: tuple[str, ...] = Field(default=(), description="elements that are worse off than by doing nothing")
    self_heal: float = Field(default=0.0, ge=0, le=1, description="chance that it heals by itself in the same time")
    sound: bool = Field(description="the plan is better than doing nothing and its inverse restores the state")
    reasons: tuple[str, ...] = ()
    seen_down: tuple[str, ...] = Field(default=(), description="what reported, at that time, that it does not work")
    trial: ModelTrial | None = Field(default=None, description="of a plan that switches a model: recorded cases")
    hindsight: Hindsight | None = Field(default=None, description="of a plan that sets a level: the recorded past")
    twin_fit: bool = True
    twin_error: float | None = Field(default=None, description="wMAPE of predicted against observed link loads")
    fidelity: TwinFidelity | None = Field(
        default=None, exclude_if=lambda value: value is None, description="the error of the twin per KPI, with its age"
    )
    blast: BlastRadius | None = Field(
        default=None, exclude_if=lambda value: value is None, description="what still suffers once it is carried out"
    )
    made_at: Utc
