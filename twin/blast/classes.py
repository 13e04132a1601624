"""Of which kind a plan is: what its blast radius is calibrated by, and what earlier plans tell of its time."""

from domain.actions import ActionClass, Harm
from domain.proposals import Plan


def class_of(plan: Plan) -> ActionClass:
    """Return the class of a plan's most harmful step; of several equally harmful ones, the first."""
    order = list(Harm)
    return max(plan.steps, key=lambda step: order.index(step.harm)).kind
