"""The rehearsal of circuits that are to be activated or taken out of service: nothing is in trouble.

Doing nothing, the plan, and the plan with its inverse are run in the twin as for a repair. The verdict is another one:
a new circuit recovers nothing, so it is *sound* when it keeps the bounds of its placement and harms nobody; taking one
away is sound when it harms nobody but itself. Both must be undoable, and measured load must leave room.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from domain.actions import ActivateCircuit, DeactivateCircuit
from domain.errors import BadInput
from domain.proposals import Plan
from domain.rehearsal import Rehearsal
from twin.evaluate import predict
from twin.placing.bounds import Bounds, committed, objections
from twin.rehearsal import LARGEST_ERROR
from twin.relevant import Observed, facts_per_step, overflowing, relevant_facts
from twin.snapshot import Snapshot
from twin.steps import check_steps, left_behind
from twin.worlds import World, demand_levels, forecast, worlds


def check_circuits(plan: Plan) -> None:
    """Refuse a plan of an order that does anything but activate circuits, or take them out of service.

    Raises:
        BadInput: a step is of another class, or the plan does both.
    """
    kinds = {type(step) for step in plan.steps}
    if len(kinds) != 1 or not kinds <= {ActivateCircuit, DeactivateCircuit}:
        raise BadInput("a plan of an order activates its circuits, or takes them out of service; leave the rest out")


def rehearse(
    *,
    proposal_id: str,
    plan: Plan,
    snapshot: Snapshot,
    protected: Iterable[str],
    bounds: Bounds,
    observed: Observed,
    twin_error: float | None,
    now: datetime,
    new_id: Callable[[str], str],
) -> Rehearsal:
    """Run such a plan in the twin and say whether it is sound; see `twin.rehearsal.rehearse` for the arguments.

    `protected` names the circuits whose promise must hold after any single link failure, within `bounds`.

    Raises:
        BadInput: a step names what is not there, or the plan is none of an order.
    """
    check_circuits(plan)
    check_steps(snapshot, plan)
    found, levels = worlds(snapshot, (), plan), demand_levels(twin_error)
    world = found[0]
    path = [predict(state, near=snapshot) for state in world.states]
    against = tuple(_against(plan, world, tuple(protected), bounds, observed))
    steps = tuple(after.impact() for after in path[1:])
    return Rehearsal(
        id=new_id("reh"),
        proposal_id=proposal_id,
        plan_digest=plan.digest,
        snapshot_digest=snapshot.digest,
        nothing=forecast(found, "nothing", levels),
        plan=forecast(found, "plan", levels),
        inverse=forecast(found, "inverse", levels),
        steps=steps,
        facts=relevant_facts(plan, world, (), observed),
        step_facts=facts_per_step(plan, world, path, observed),
        at_risk=tuple(sorted(world.plan.affected(world.nothing) - {step.target for step in plan.steps})),
        sound=not against,
        reasons=against or (_told(plan, world),),
        twin_fit=twin_error is not None and twin_error <= LARGEST_ERROR,
        twin_error=twin_error,
        made_at=now,
    )


def _against(plan: Plan, world: World, protected: tuple[str, ...], bounds: Bounds, observed: Observed) -> Iterator[str]:
    circuits = [step.target for step in plan.steps]
    before, after = world.states[0], world.states[-1]
    if isinstance(plan.steps[0], ActivateCircuit):
        yield from objections(committed(before), committed(after), circuits, protected, bounds)
    spared = {*world.nothing.impact().customers_hit}
    for victim in sorted(set(world.plan.impact().customers_hit) - spared):
        yield f"`{victim}` would suffer who does not now"
    for phrase in left_behind(before, plan):
        yield f"the inverse does not restore the state: afterwards {phrase}"
    for phrase in overflowing(world.nothing, world.plan, observed):
        yield f"measured load leaves no room: {phrase}"


def _told(plan: Plan, world: World) -> str:
    """Return one sentence that says what the plan comes to."""
    now, then = world.nothing.impact().max_utilisation, world.plan.impact().max_utilisation
    rate = sum(step.mbps for step in plan.steps if isinstance(step, ActivateCircuit | DeactivateCircuit))
    verb = "more" if isinstance(plan.steps[0], ActivateCircuit) else "less"
    return f"{rate:g} Mbit/s {verb}; the fullest link goes from {now:.0%} to {then:.0%}, and nobody is worse off"
