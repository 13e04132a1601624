"""Rules, made smaller before they are asked: what is known of a question at load time is worked out then.

How many people signed is one of a few classes of numbers (`policies.signatures`). In each class every comparison of
`context.approvals` is a known yes or no, so much of a rule falls away, and many rules altogether. A rule is only
ever made smaller in a way that changes neither its answer nor whether it errs; a law compares with the whole book.
Rules are in Cedar's JSON form (https://docs.cedarpolicy.com/policies/json-format.html).
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

Expression: TypeAlias = Any

CONTEXT: Mapping[str, str] = {"Var": "context"}
RESOURCE: Mapping[str, str] = {"Var": "resource"}
_APPROVALS = {".": {"left": CONTEXT, "attr": "approvals"}}
_CHANGE = {".": {"left": CONTEXT, "attr": "change"}}
_COMPARE: dict[str, Callable[[int, int], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<": operator.lt,
    "<=": operator.le,
}
_TRUE, _FALSE = {"Value": True}, {"Value": False}
#: What cannot err once a rule fits the schema. Sums overflow, and text need be no address: these are not here.
_SAFE = frozenset(
    {"Value", "Var", ".", "has", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "!", "if-then-else", "in", "is", "like"}
) | {"contains", "containsAll", "containsAny", "Set", "Record", "isEmpty"}


def with_signatures(rule: Mapping[str, Any], approvals: int) -> dict[str, Any] | None:
    """Return the rule as it is with so many signatures, or None when it can then never apply."""
    kept: list[dict[str, Any]] = []
    for condition in rule["conditions"]:
        body, wanted = _folded(condition["body"], approvals), condition["kind"] == "when"
        if body in (_TRUE, _FALSE):
            if (body == _TRUE) == wanted:
                continue
            if not any(can_err(earlier["body"]) for earlier in kept):
                return None
        kept.append({"kind": condition["kind"], "body": body})
    return {**rule, "conditions": kept}


def can_err(expression: Expression) -> bool:
    """Say whether asking this may err although it fits the schema; in doubt, yes."""
    if isinstance(expression, list):
        return any(can_err(part) for part in expression)
    if not isinstance(expression, dict):
        return False
    name, parts = next(iter(expression.items()))
    if name not in _SAFE or (name in {".", "has"} and parts["left"] not in (CONTEXT, RESOURCE)):
        return True
    return any(can_err(part) for part in _parts(name, parts))


def attributes(expression: Expression) -> frozenset[str]:
    """Return the attributes of the context that are looked at; no rule is let in that looks at it as a whole."""
    name, parts = _split(expression)
    if name in {".", "has"} and parts["left"] == CONTEXT:
        return frozenset({parts["attr"]})
    inside = expression if isinstance(expression, list) else _parts(name, parts)
    found: frozenset[str] = frozenset()
    return found.union(*(attributes(part) for part in inside))


def asks_resource(expression: Expression) -> bool:
    """Say whether the expression looks at what the step acts on."""
    if expression == RESOURCE:
        return True
    if isinstance(expression, list):
        return any(asks_resource(part) for part in expression)
    return isinstance(expression, dict) and any(asks_resource(part) for part in expression.values())


def _split(expression: Expression) -> tuple[str, Any]:
    """Return an expression's operator and what it works on."""
    return next(iter(expression.items())) if isinstance(expression, dict) else ("", {})


def _parts(name: str, parts: Any) -> Iterator[Expression]:
    """Return the expressions inside an expression."""
    if name in {"Value", "Var", ""}:
        return iter(())
    if name == "Record":
        return iter(parts.values())
    if isinstance(parts, list):
        return iter(parts)
    return (part for key, part in parts.items() if key not in {"attr", "pattern", "entity_type"})


def _folded(expression: Expression, approvals: int) -> Expression:
    name, parts = _split(expression)
    if (known := _known(expression, approvals)) is not None:
        return {"Value": known}
    if name in {"&&", "||"}:
        return _joined(name, _folded(parts["left"], approvals), _folded(parts["right"], approvals))
    if name == "!":
        inner = _folded(parts["arg"], approvals)
        return {"Value": not inner["Value"]} if inner in (_TRUE, _FALSE) else {"!": {"arg": inner}}
    if name == "if-then-else":
        return _chosen({key: _folded(part, approvals) for key, part in parts.items()})
    return expression


def _known(expression: Expression, approvals: int) -> bool | None:
    """Return the truth of an expression that so many signatures settle, or None."""
    name, parts = _split(expression)
    if name in _COMPARE and _APPROVALS in (parts["left"], parts["right"]):
        sides = (approvals if side == _APPROVALS else side.get("Value") for side in (parts["left"], parts["right"]))
        left, right = sides
        return _COMPARE[name](left, right) if isinstance(left, int) and isinstance(right, int) else None
    return True if expression == _CHANGE and approvals >= 1 else None


def _joined(name: str, left: Expression, right: Expression) -> Expression:
    """Join two conditions; a known right side counts only when the left one cannot err before it is reached."""
    ends, goes_on = (_FALSE, _TRUE) if name == "&&" else (_TRUE, _FALSE)
    if left == ends:
        return ends
    if left == goes_on:
        return right
    if right == goes_on:
        return left
    if right == ends and not can_err(left):
        return ends
    return {name: {"left": left, "right": right}}


def _chosen(parts: dict[str, Expression]) -> Expression:
    if parts["if"] in (_TRUE, _FALSE):
        return parts["then"] if parts["if"] == _TRUE else parts["else"]
    return {"if-then-else": parts}
