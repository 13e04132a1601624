"""Which role may do what: the one table behind every door. What is not here is refused."""

from collections.abc import Iterable, Mapping
from typing import Any

from domain.actions import Action, SteerDemand
from domain.identity import HOUSE, Permission, Principal, Role, Scope, domain_of

_P = Permission
_SEE = frozenset({_P.READ, _P.READ_ALARMS})

PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.VIEWER: _SEE,
    Role.NOC: _SEE | {_P.DECLARE},
    Role.OPERATOR: _SEE
    | {_P.READ_RECORD, _P.SEND, _P.STOP, _P.SETTLE, _P.CLOSE, _P.DECLARE, _P.FREEZE, _P.SWITCH_OFF, _P.DELEGATE},
    Role.ENGINEER: _SEE
    | {_P.READ_RECORD, _P.PROPOSE, _P.ORDER, _P.APPROVE, _P.STOP, _P.SETTLE, _P.SWITCH_OFF, _P.DELEGATE},
    Role.APPROVER: _SEE | {_P.READ_RECORD, _P.APPROVE, _P.STOP, _P.SWITCH_OFF, _P.DELEGATE, _P.BREAK_GLASS},
    Role.CHANGE_MANAGER: _SEE
    | {_P.READ_RECORD, _P.APPROVE, _P.STOP, _P.DECLARE, _P.FREEZE, _P.DELEGATE, _P.KEEP_ROSTER, _P.REVIEW, _P.WAIVE},
    Role.ML_ENGINEER: _SEE | {_P.READ_RECORD, _P.PROPOSE, _P.APPROVE, _P.DELEGATE},
    Role.TENANT_OWNER: _SEE | {_P.ORDER, _P.READ_RECORD, _P.KEEP_ACCOUNTS, _P.KEEP_ROSTER, _P.EXPORT, _P.REDACT},
    Role.ADMIN: _SEE
    | {
        _P.KEEP_ACCOUNTS,
        _P.KEEP_KEYS,
        _P.KEEP_POLICY,
        _P.KEEP_ROSTER,
        _P.SWITCH_OFF,
        _P.SWITCH_ON,
        _P.SEED,
        _P.READ_RECORD,
    },
    Role.AUDITOR: _SEE | {_P.READ_RECORD, _P.EXPORT, _P.REVIEW, _P.REDACT},
    Role.FEED: frozenset({_P.SEND, _P.READ_ALARMS}),
    Role.AGENT: frozenset({_P.PROPOSE}),
}

#: An agent stays an agent, whatever other roles its account is given: it signs, stops, switches and keeps nothing.
AGENTS_MOST = frozenset({_P.READ, _P.READ_ALARMS, _P.READ_RECORD, _P.SEND, _P.PROPOSE})

#: What holds for every tenant is kept by the one that runs the house.
HOUSE_ONLY = frozenset({_P.KEEP_POLICY, _P.KEEP_KEYS})


def permissions(who: Principal) -> frozenset[Permission]:
    """Return what an account may do: what its roles give and, where it acts for another, what that one has, too."""
    held = frozenset[Permission]().union(*(PERMISSIONS[role] for role in who.roles))
    if Role.AGENT in who.roles:
        held &= AGENTS_MOST
    if who.tenant != HOUSE:
        held -= HOUSE_ONLY
    return held & permissions(who.behind) if who.behind else held


def scope(who: Principal) -> Scope:
    """Return where an account may do it: the lesser of its own scope and that of whoever it acts for."""
    return who.scope.lesser(scope(who.behind)) if who.behind else who.scope


def tenants(who: Principal) -> frozenset[str]:
    """Return the tenants that an account and whoever it acts for belong to; where it is not one, nothing is theirs."""
    return frozenset({who.tenant}) | (tenants(who.behind) if who.behind else frozenset())


def outside(held: Scope, step: Action, regions: Iterable[str], kind: str) -> str:
    """Say in which respect a step of a plan lies outside a scope; nothing when it lies inside.

    Args:
        held: the scope.
        step: what is to be done. Bounds hold for its arguments, and for those of the inverse that is granted with it.
        regions: where it acts; all of them must be covered.
        kind: the kind of what it acts on.
    """
    missing = sorted(region for region in regions if not held.covers(region=region))
    if missing:
        return f"region `{missing[0]}`"
    if not held.covers(region="", domain=domain_of(kind)):
        return f"domain `{domain_of(kind)}`"
    if not held.covers(region="", kind=kind):
        return f"device class `{kind}`"
    return _out_of_bounds(held, step)


def _out_of_bounds(held: Scope, step: Action) -> str:
    """The class of an action (`kind`) may be bounded like an argument; its inverse is then granted with it."""
    given, inverse = _arguments(step), step.inverse()
    undone = inverse.model_dump(mode="json", exclude={"kind"}) if inverse else {}
    for bound in held.bounds:
        for arguments in (given, undone):
            if bound.argument in arguments and not bound.permits(arguments[bound.argument]):
                return f"`{bound.argument}` = `{str(arguments[bound.argument])[:64]}`"
    return ""


def _arguments(step: Action) -> dict[str, Any]:
    """Return the arguments as plain data, with a share that is left out of the dump because it is everything."""
    given = step.model_dump(mode="json")
    return given | {"share": step.share} if isinstance(step, SteerDemand) and step.via is not None else given
