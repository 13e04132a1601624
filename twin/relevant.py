"""The facts that a rehearsal's verdict rests on: what must still be so when somebody acts on it.

Discrete state is recorded exactly, as it was rehearsed; a link that the plan loads is recorded as the band of present
utilisation in which it will not overflow. Only what can be compared later is recorded: where no present value is
known, there is no fact.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias

import numpy as np

from domain.actions import Action
from domain.proposals import Plan
from domain.rehearsal import Fact
from twin.evaluate import Prediction
from twin.snapshot import Snapshot, entry_of
from twin.worlds import World

#: Reads the present value of (element, attribute); None where it is not known.
Observed: TypeAlias = Callable[[str, str], str | float | None]

_CONFIGURED = ("administrative", "metric", "via")
#: A load that changes by less than this share of capacity decides nothing.
_MATTERS = 0.01
#: What carries this share of its capacity counts as full: readings of an overloaded interface end there.
_FULL = 0.9


def relevant_facts(plan: Plan, world: World, recovers: Iterable[str], observed: Observed) -> tuple[Fact, ...]:
    """Return the facts under the whole plan, in the likeliest world; `recovers` is what it is to bring back."""
    targets = list(dict.fromkeys(step.target for step in plan.steps))
    facts = [fact for step in plan.steps for fact in _configured(world.states[0], step, observed)]
    watched = dict.fromkeys([*targets, *sorted(recovers)])
    facts += [fact for element in watched for fact in _seen(element, observed)]
    facts += _bands(world.nothing, world.plan, observed)
    return tuple(dict.fromkeys((*facts, *_need(world.nothing, world.plan, observed))))


def facts_per_step(
    plan: Plan, world: World, at: Iterable[Prediction], observed: Observed
) -> tuple[tuple[Fact, ...], ...]:
    """Return, per step, the facts about its target in the state that the steps before it lead to.

    Args:
        plan: the steps.
        world: the likeliest one.
        at: the prediction of the state before each step.
        observed: reads present values.
    """
    found = []
    for step, state, prediction in zip(plan.steps, world.states, at, strict=False):
        facts = _configured(state, step, observed)
        if _works(prediction, step.target) == _works(world.nothing, step.target):
            facts += _seen(step.target, observed)
        found.append(tuple(facts))
    return tuple(found)


def overflowing(nothing: Prediction, planned: Prediction, observed: Observed) -> tuple[str, ...]:
    """Return the termination points that carry so much by now that the plan would overflow them, as phrases."""
    return tuple(
        f"`{fact.element}` carries {float(now):.0%} of its capacity, and the plan bears only up to {fact.high or 0:.0%}"
        for fact in _bands(nothing, planned, observed)
        if (now := observed(fact.element, fact.attribute)) is not None and not fact.holds(now)
    )


def _configured(state: Snapshot, step: Action, observed: Observed) -> list[Fact]:
    """Return what the step's target is configured to, as far as the step sets it or cannot do without it."""
    element, sets = step.target, {entry_of(change)[0] for change in step.changes()}
    if element not in state.topology.demand_at:  # what is locked cannot be acted on; a demand can
        sets |= {"administrative"}
    values = [(name, state.value(element, name)) for name in _CONFIGURED if name in sets]
    return [
        Fact(element=element, attribute=attribute, value=str(value))
        for attribute, value in values
        if value is not None and observed(element, attribute) is not None
    ]


def _seen(element: str, observed: Observed) -> list[Fact]:
    now = observed(element, "oper_up")
    return [] if now is None else [Fact(element=element, attribute="oper_up", value=str(now))]


def _works(prediction: Prediction, element: str) -> bool | None:
    unit = prediction.topology.unit(element)
    return None if unit is None else bool(prediction.works[unit])


def _need(nothing: Prediction, planned: Prediction, observed: Observed) -> list[Fact]:
    """Return the band of the fullest point that the plan relieves: where it is full no more, there is no need."""
    topology = nothing.topology
    relieved = (nothing.arc_load - planned.arc_load) / planned.capacity
    full = np.flatnonzero((relieved > _MATTERS) & (nothing.arc_utilisation > 1.0))
    points = topology.link_ends.ravel()
    for arc in full[np.argsort(-nothing.arc_utilisation[full], kind="stable")]:
        now = observed(topology.points[points[arc]], "utilisation")
        if now is not None and float(now) >= _FULL:
            return [Fact(element=topology.points[points[arc]], attribute="utilisation", low=_FULL)]
    return []


def _bands(nothing: Prediction, planned: Prediction, observed: Observed) -> list[Fact]:
    """Bands for what the plan loads and, as far as the twin knows, does not overflow."""
    topology = nothing.topology
    added = (planned.arc_load - nothing.arc_load) / planned.capacity
    loaded = np.flatnonzero((added > _MATTERS) & (planned.arc_utilisation <= 1.0))
    points = topology.link_ends.ravel()
    return [
        Fact(element=topology.points[points[arc]], attribute="utilisation", low=0.0, high=float(1.0 - added[arc]))
        for arc in loaded
        if observed(topology.points[points[arc]], "utilisation") is not None
    ]
