"""What a plan rests on and what it moves: its influence set.

The elements of every fact that its rehearsal read, what its steps touch, what it puts at risk and what it brings
back. An interface and its link are one thing here: what loads the one loads the other.
"""

from collections.abc import Iterable, Mapping

from control_plane.road import Road
from domain.proposals import Plan
from domain.rehearsal import Rehearsal


def influence(road: Road, plan: Plan, rehearsal: Rehearsal) -> frozenset[str]:
    """Return the names of the elements in a plan's influence set; of a link and its interfaces, the link's."""
    return influenced(road.live.link_of, plan, rehearsal)


def influenced(links: Mapping[str, str], plan: Plan, rehearsal: Rehearsal) -> frozenset[str]:
    """Return what `influence` does, where `links` names the link of each interface that has one."""
    facts = (*rehearsal.facts, *(fact for step in rehearsal.step_facts for fact in step))
    named = {fact.element for fact in facts} | {step.target for step in plan.steps}
    named |= {*rehearsal.at_risk, *rehearsal.recovers}
    return frozenset(links.get(element, element) for element in named)


def by_link(road: Road, elements: Iterable[str]) -> set[str]:
    """Return the elements, with the link's name for each interface of a link."""
    links = road.live.link_of
    return {links.get(element, element) for element in elements}


def written(plan: Plan) -> dict[tuple[str, str], str]:
    """Return what a plan leaves set: (element, attribute) → value."""
    effects = (step.effect() for step in plan.steps)
    return {(effect.element, effect.attribute): effect.value for effect in effects if effect is not None}
