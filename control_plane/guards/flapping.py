"""Flapping: what sets one attribute of one element back and forth too often is stopped, and people decide.

Every step and every inverse leaves a touch in the transaction that intends it. Two agents that disagree, or one plan
that is rolled back and asked for again and again, show as a value that changes back and forth within the window.
"""

from datetime import timedelta
from itertools import pairwise

from control_plane.guards.influence import written
from control_plane.road import Road
from control_plane.tables import Tables
from domain.execution import Step
from domain.guards import Touch
from domain.proposals import Proposal


def touch(tables: Tables, proposal: Proposal, step: Step) -> None:
    """Keep that a step is about to set something."""
    effect = step.action.effect()
    if effect is not None:
        tables.touches.add(
            Touch(
                id=step.id,
                tenant=proposal.tenant,
                element=effect.element,
                attribute=effect.attribute,
                value=effect.value,
                proposal_id=proposal.id,
                requester=proposal.requester,
                at=step.intended_at,
            )
        )


def flaps(road: Road, tables: Tables, proposal: Proposal) -> list[str]:
    """Return one phrase per attribute that this plan would set back and forth once more than is let pass."""
    most, phrases = road.settings.flaps_most, []
    for (element, attribute), value in written(proposal.plan).items():
        touches = _lately(road, tables, proposal.tenant, element, attribute)
        turns = sum(one != other for one, other in pairwise([*(t.value for t in touches), value]))
        if turns > most:
            by = sorted({t.requester for t in touches} | {proposal.requester})
            phrases.append(
                f"`{attribute}` of `{element}` was set back and forth {turns - 1} times lately, by {', '.join(by)}: "
                "it is locked for automation"
            )
    return phrases


def _lately(road: Road, tables: Tables, tenant: str, element: str, attribute: str) -> list[Touch]:
    since = road.clock.now() - timedelta(seconds=road.settings.budget_window_s)
    found = tables.touches.find(tenant=tenant, element=element)
    recent = [t for t in found if t.attribute == attribute and t.at > since]
    return sorted(recent, key=lambda t: t.at)
