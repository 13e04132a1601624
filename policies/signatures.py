"""Where a rule counts signatures, and that it counts them the right way round.

A rule may look at `context.approvals` (compared with a number) and at `context.change` only so that more of
them speak for the plan. Then more signatures never deny, whatever the rules say otherwise; and the numbers
that the rules name split all numbers of signatures into a few classes that need asking about.
Rules come here as Cedar's JSON form (https://docs.cedarpolicy.com/policies/json-format.html).
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

Expression: TypeAlias = Any

_CONTEXT = {"Var": "context"}
_SIGNED = frozenset({"approvals", "change"})
_MIRRORED = {">=": "<=", ">": "<", "<=": ">=", "<": ">"}
#: The smallest number of signatures at which `approvals <operator> n` changes, as an offset to n.
_OFFSET = {">=": 0, "<": 0, ">": 1, "<=": 1}


def levels(rule: Mapping[str, Any]) -> frozenset[int]:
    """Return the numbers of signatures at which the rule may answer differently than with one signature less.

    Raises:
        ValueError: in this rule more signatures could speak against a plan, or it counts them in a way that
            cannot be followed.
    """
    permits = rule["effect"] == "permit"
    found: set[int] = set()
    for condition in rule["conditions"]:
        helps = permits == (condition["kind"] == "when")
        found |= _levels(condition["body"], helps=helps)
    return frozenset(found)


def _levels(expression: Expression, *, helps: bool) -> set[int]:
    """`helps` says whether the truth of this expression speaks for the plan."""
    if not _counts(expression):
        return set()
    operator, parts = next(iter(expression.items()))
    match operator:
        case "&&" | "||":
            return _levels(parts["left"], helps=helps) | _levels(parts["right"], helps=helps)
        case "!":
            return _levels(parts["arg"], helps=not helps)
        case "if-then-else" if not _counts(parts["if"]):
            return _levels(parts["then"], helps=helps) | _levels(parts["else"], helps=helps)
        case ">=" | ">" | "<" | "<=":
            return _comparison(operator, parts, helps=helps)
        case "." if parts["attr"] == "change" and helps:
            return {1}
    raise ValueError("more signatures could speak against a plan; write `context.approvals >= n` after `unless`")


def _comparison(operator: str, parts: Mapping[str, Any], *, helps: bool) -> set[int]:
    left, right = parts["left"], parts["right"]
    if "Value" in left:
        left, right, operator = right, left, _MIRRORED[operator]
    number = right.get("Value")
    if left != {".": {"left": _CONTEXT, "attr": "approvals"}} or not isinstance(number, int):
        raise ValueError("signatures are counted in a way that cannot be followed; compare them with a number")
    if helps != (operator in {">=", ">"}):
        raise ValueError("more signatures could speak against a plan; write `context.approvals >= n` after `unless`")
    return {max(0, number + _OFFSET[operator])}


def _counts(expression: Expression) -> bool:
    """Say whether the expression depends on how many people signed."""
    if isinstance(expression, list):
        return any(_counts(part) for part in expression)
    if not isinstance(expression, dict):
        return False
    if expression == _CONTEXT:
        return True  # the whole context, with the signatures in it
    for operator, parts in expression.items():
        if operator in {".", "has"} and parts["left"] == _CONTEXT:
            return operator == "." and parts["attr"] in _SIGNED
    return any(_counts(part) for part in expression.values())
