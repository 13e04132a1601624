"""A plan's steps in the twin: which element each fits, the states it leads through, and the way back."""

from collections.abc import Iterable

from domain.actions import Action, ActionClass
from domain.changes import Change, SetLoss, SetOperational
from domain.errors import BadInput
from domain.network import ROUTING_KINDS, NodeKind
from domain.proposals import Plan
from twin.snapshot import Snapshot, entry_of

_POINT, _LINK, _DEMAND = "termination_point", "link", "demand"
_STANDING = frozenset(kind.value for kind in NodeKind) | {_POINT, _LINK}
_PROCESSING = frozenset(kind.value for kind in ROUTING_KINDS) | {NodeKind.GNB.value, NodeKind.CELL.value}

#: What each class of action is made for; those that are not listed touch no element of the network.
_FITS: dict[ActionClass, frozenset[str]] = {
    ActionClass.INTERFACE_UP: frozenset({_POINT}),
    ActionClass.INTERFACE_DOWN: frozenset({_POINT}),
    ActionClass.DRAIN_LINK: frozenset({_LINK}),
    ActionClass.UNDRAIN_LINK: frozenset({_LINK}),
    ActionClass.STEER_DEMAND: frozenset({_DEMAND}),
    ActionClass.ACTIVATE_CIRCUIT: frozenset({_DEMAND}),
    ActionClass.DEACTIVATE_CIRCUIT: frozenset({_DEMAND}),
    ActionClass.RESTART_PROCESS: _PROCESSING,
    ActionClass.LOCK_CELL: frozenset({NodeKind.CELL.value}),
    ActionClass.UNLOCK_CELL: frozenset({NodeKind.CELL.value}),
    ActionClass.DISPATCH_CREW: _STANDING,
    ActionClass.RECALL_CREW: _STANDING,
}


def check_steps(snapshot: Snapshot, plan: Plan) -> None:
    """Refuse a plan whose steps (or their inverses) do not fit the network. Raises BadInput naming the step."""
    for number, step in enumerate(plan.steps, 1):
        fits = _FITS.get(step.kind)
        if fits is None:
            continue
        kind = kind_of(snapshot, step.target)
        if kind is None:
            raise BadInput(f"step {number} ({step.kind}) names `{step.target}`, which is not there; correct the target")
        if kind not in fits:
            wanted = " or ".join(sorted(fits))
            raise BadInput(
                f"step {number} ({step.kind}) is for a {wanted}, and `{step.target}` is a {kind}; correct it"
            )


def kind_of(snapshot: Snapshot, element: str) -> str | None:
    """Return a node kind, `termination_point`, `link` or `demand`; None for what is not there."""
    topology = snapshot.topology
    if element in topology.node_at:
        return topology.kinds[topology.node_at[element]].value
    places = ((topology.point_at, _POINT), (topology.link_at, _LINK), (topology.demand_at, _DEMAND))
    return next((kind for place, kind in places if element in place), None)


def touches_network(plan: Plan) -> bool:
    """Say whether any step is for an element of the network at all (a ticket is not)."""
    return any(step.kind in _FITS for step in plan.steps)


def run(start: Snapshot, steps: Iterable[Action]) -> tuple[Snapshot, ...]:
    """Return `start` and the state after each step."""
    states = [start]
    for step in steps:
        states.append(states[-1].with_changes(step.changes()))
    return tuple(states)


def inverse_steps(plan: Plan) -> tuple[Action, ...] | None:
    """Return the inverses in the order in which they are to be done, or None when a step has none."""
    inverses = [step.inverse() for step in reversed(plan.steps)]
    return tuple(step for step in inverses if step is not None) if plan.reversible else None


def left_behind(start: Snapshot, plan: Plan) -> tuple[str, ...]:
    """Return which configured values a plan and its inverse leave changed, as phrases; empty when none.

    What a crew has repaired stays repaired: that is not for the inverse to undo.
    """
    steps = (*plan.steps, *(inverse_steps(plan) or ()))
    repaired = SetOperational | SetLoss
    configured = [[change for change in step.changes() if not isinstance(change, repaired)] for step in steps]
    state = start
    for changes in configured:
        state = state.with_changes(changes)
    return tuple(
        f"`{attribute}` of `{element}` is {state.value(element, attribute)!r} and was "
        f"{start.value(element, attribute)!r}"
        for attribute, element in sorted(_touched(configured))
        if state.value(element, attribute) != start.value(element, attribute)
    )


def _touched(configured: Iterable[Iterable[Change]]) -> set[tuple[str, str]]:
    return {entry_of(change)[:2] for changes in configured for change in changes}
