"""Budgets: how many plans and steps, and how many euros, one requester may use in a window of time.

Use is counted in the transaction that intends a step, and counted whole: what is begun and not yet done counts as
used. Undoing is never counted, so that no budget ever stands in the way of a rollback. Over its budget, a requester's
plans wait for a person, who may sign them.
"""

from datetime import datetime, timedelta

from control_plane.road import Road
from control_plane.tables import Tables
from domain.errors import BadInput
from domain.execution import ExecutionState
from domain.gate import RightKind
from domain.guards import Usage
from domain.proposals import Plan, Proposal, ProposalState
from policies.prices import price


def check_length(road: Road, plan: Plan) -> None:
    """Refuse a plan with more steps than the house carries out in one. Raises BadInput."""
    most = road.settings.plan_steps_most
    if len(plan.steps) > most:
        raise BadInput(f"the plan has {len(plan.steps)} steps, and at most {most} are taken; split it")


def over(road: Road, tables: Tables, proposal: Proposal) -> list[str]:
    """Return one phrase per budget that carrying out this plan would exceed, with what is on its way counted in."""
    used, steps = _used(road, tables, proposal), proposal.plan.steps
    settings, hours = road.settings, road.settings.budget_window_s / 3600
    rows = (
        ("plans", used.plans + 1, settings.plans_most),
        ("steps", used.steps + len(steps), settings.steps_most),
        ("euros", used.spend + sum(map(price, steps)), settings.spend_most_eur),
    )
    return [
        f"`{proposal.requester}` would use {asked:g} {what} of the {most:g} that it has for {hours:g} h"
        for what, asked, most in rows
        if asked > most
    ]


def count_plan(road: Road, tables: Tables, proposal: Proposal) -> None:
    """Count a plan that begins."""
    _add(road, tables, proposal, plans=1)


def count_step(road: Road, tables: Tables, proposal: Proposal, kind: RightKind, index: int) -> None:
    """Count a step that is intended; an inverse costs nothing."""
    if kind is RightKind.STEP:
        _add(road, tables, proposal, steps=1, spend=price(proposal.plan.steps[index]))


def usage(road: Road, tables: Tables, tenant: str, requester: str) -> Usage:
    """Return what a requester used up in the present window."""
    start = window_start(road)
    blank = Usage(
        id=f"{tenant}:{requester}:{start:%Y%m%dT%H%M%S}", tenant=tenant, requester=requester, window_start=start
    )
    return tables.usages.get(blank.id) or blank


def window_start(road: Road) -> datetime:
    """Return when the present window began: windows follow one another without a gap."""
    now, wide_s = road.clock.now(), road.settings.budget_window_s
    return now - timedelta(seconds=now.timestamp() % wide_s)


def _used(road: Road, tables: Tables, proposal: Proposal) -> Usage:
    """Return use, with the plans that are granted and the steps of those that run: they are on their way."""
    used = usage(road, tables, proposal.tenant, proposal.requester)
    states = (ProposalState.GRANTED, ProposalState.EXECUTING)
    for other in tables.proposals.find(requester=proposal.requester, state=states):
        if other.tenant != proposal.tenant or other.id == proposal.id:
            continue
        run = next(iter(tables.executions.find(proposal_id=other.id)), None)
        if run is not None and run.state is not ExecutionState.RUNNING:
            continue
        intended = {step.index for step in tables.steps.find(execution_id=run.id)} if run else set()
        left = [step for index, step in enumerate(other.plan.steps) if index not in intended]
        more = used.spend + sum(map(price, left))
        used = used.but(plans=used.plans + (run is None), steps=used.steps + len(left), spend=more)
    return used


def _add(road: Road, tables: Tables, proposal: Proposal, *, plans: int = 0, steps: int = 0, spend: float = 0.0) -> None:
    old = usage(road, tables, proposal.tenant, proposal.requester)
    new = old.but(plans=old.plans + plans, steps=old.steps + steps, spend=old.spend + spend)
    if tables.usages.get(old.id) is None:
        tables.usages.add(new)
    else:
        tables.usages.swap(old, new)
