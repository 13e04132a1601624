"""Rehearsal: what the twin says of a plan before anybody acts, and whether that speaks for it.

Doing nothing, the plan, and the plan with its inverse are run in every world of `twin.worlds`. A plan is *sound* when
it is expected to lose less traffic than doing nothing (or as much, while elements recover), hits no customer that
doing nothing spares, not even between two steps, and can be undone. The verdict names its reasons either way.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.changes import Change
from domain.proposals import Plan
from domain.rehearsal import Impact, Rehearsal
from twin.blast.recovery import Recovery
from twin.blast.spread import Suffering, spread
from twin.evaluate import predict
from twin.relevant import Observed, facts_per_step, overflowing, relevant_facts
from twin.snapshot import Snapshot
from twin.steps import check_steps, left_behind, touches_network
from twin.worlds import World, demand_levels, forecast, mean_lost, worlds

#: wMAPE of link loads beyond which the twin is not fit to decide on; where it is not measured, it is not known to be.
LARGEST_ERROR = 0.35
_EQUAL_MBPS = 1e-3


def rehearse(
    *,
    proposal_id: str,
    plan: Plan,
    snapshot: Snapshot,
    hypotheses: Sequence[tuple[float, tuple[Change, ...]]],
    observed: Observed,
    twin_error: float | None,
    self_heal: float,
    now: datetime,
    new_id: Callable[[str], str],
    recovery: Recovery | None = None,
    seen: Suffering | None = None,
) -> Rehearsal:
    """Run a plan in the twin and say whether it is sound.

    Args:
        proposal_id: whose plan it is.
        plan: the steps.
        snapshot: the network as believed.
        hypotheses: (probability, overlay) per candidate cause; none means that the network is as believed.
        observed: reads the present value of (element, attribute), None where it is not known.
        twin_error: wMAPE of predicted against observed link loads, None where it cannot be measured.
        self_heal: chance that the trouble is over by itself in the same time.
        now: the time to write on the rehearsal.
        new_id: makes an id from a prefix.
        recovery: how long such a plan takes; without it no blast radius is predicted.
        seen: what is measured to suffer now, None where it is not known.

    Raises:
        BadInput: a step or a hypothesis names what is not there, or does to an element what it is not made for.
    """
    check_steps(snapshot, plan)
    found, levels = worlds(snapshot, hypotheses, plan), demand_levels(twin_error)
    likeliest = found[0]
    path = [predict(state, near=snapshot) for state in likeliest.states]
    recovers = likeliest.nothing.affected(likeliest.plan)
    trial = _Trial(plan, found, levels, observed, recovers, tuple(after.impact() for after in path[1:]))
    objections = tuple(trial.objections())
    return Rehearsal(
        id=new_id("reh"),
        proposal_id=proposal_id,
        plan_digest=plan.digest,
        snapshot_digest=snapshot.digest,
        nothing=forecast(found, "nothing", levels),
        plan=forecast(found, "plan", levels),
        inverse=forecast(found, "inverse", levels) if plan.reversible else None,
        steps=trial.steps,
        facts=relevant_facts(plan, likeliest, recovers, observed),
        step_facts=facts_per_step(plan, likeliest, path, observed),
        recovers=tuple(sorted(recovers)),
        at_risk=tuple(sorted(likeliest.plan.affected(likeliest.nothing))),
        self_heal=self_heal,
        sound=not objections,
        reasons=objections or (trial.comparison(),),
        twin_fit=twin_error is not None and twin_error <= LARGEST_ERROR,
        twin_error=twin_error,
        blast=None if recovery is None or not touches_network(plan) else spread(found, levels, recovery, seen),
        made_at=now,
    )


@dataclass(frozen=True)
class _Trial:
    """What the verdict is about."""

    plan: Plan
    found: Sequence[World]
    levels: Sequence[tuple[float, float]]
    observed: Observed
    recovers: frozenset[str]
    steps: tuple[Impact, ...]

    def objections(self) -> Iterator[str]:
        """Yield what speaks against the plan, as sentences."""
        if touches_network(self.plan):
            yield from self._no_better()
        yield from self._new_victims()
        if self.plan.reversible:
            for phrase in left_behind(self.found[0].states[0], self.plan):
                yield f"the inverse does not restore the state: afterwards {phrase}"
        for phrase in overflowing(self.found[0].nothing, self.found[0].plan, self.observed):
            yield f"measured load leaves no room: {phrase}"

    def comparison(self) -> str:
        """Return one sentence that sets the plan against doing nothing."""
        nothing, plan = self._means()
        brought = f"{len(self.recovers)} elements recover" if self.recovers else "no element recovers"
        return f"expected loss is {plan:.1f} Mbit/s with the plan and {nothing:.1f} without; {brought}"

    def _means(self) -> tuple[float, float]:
        return mean_lost(self.found, "nothing", self.levels), mean_lost(self.found, "plan", self.levels)

    def _no_better(self) -> Iterator[str]:
        nothing, plan = self._means()
        if plan > nothing + _EQUAL_MBPS:
            yield f"the plan is worse than doing nothing: {self.comparison()}"
        elif plan >= nothing - _EQUAL_MBPS and not self.recovers:
            yield f"the plan is no better than doing nothing: {self.comparison()}"

    def _new_victims(self) -> Iterator[str]:
        """Customers that doing nothing spares, after any step: between two steps counts, too."""
        spared = set(self.found[0].nothing.impact().customers_hit)
        for number, impact in enumerate(self.steps, 1):
            if victims := sorted(set(impact.customers_hit) - spared):
                yield f"after step {number} customers suffer who would not otherwise: {', '.join(victims)}"
