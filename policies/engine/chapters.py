"""What the book has to say of one class of action, prepared for asking: a slice for each class of signatures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cedarpy

from policies.engine.grammar import policy_set
from policies.folding import asks_resource, attributes, with_signatures
from policies.question import CONTEXT
from policies.rules import WrittenRule

_ANY = {"op": "All"}


@dataclass(frozen=True)
class Slice:
    """The rules that can apply with at least `approvals` signatures, and what of a question they look at."""

    approvals: int
    policies: cedarpy.PolicySet
    attributes: tuple[str, ...]
    asks_resource: bool


@dataclass(frozen=True)
class Chapter:
    """The slices by number of signatures, fewest first; the last one is of all that there could be."""

    slices: tuple[Slice, ...]
    can_err: bool

    def at(self, approvals: int) -> int:
        """Return which slice is of so many signatures."""
        return sum(part.approvals <= max(0, approvals) for part in self.slices) - 1


def chapter_of(rules: Sequence[WrittenRule]) -> Chapter:
    """Prepare the rules whose scope takes one class of action."""
    levels = sorted(frozenset({0}).union(*(rule.levels for rule in rules)))
    return Chapter(tuple(_slice(rules, level) for level in levels), any(rule.can_err for rule in rules))


def _slice(rules: Sequence[WrittenRule], approvals: int) -> Slice:
    forms: dict[str, dict[str, Any]] = {}
    for rule in rules:
        smaller = with_signatures(rule.form, approvals)
        if smaller is not None:
            # the scope of actions is settled; reasons name the rule by its key, so its notes need not be carried
            forms[rule.id] = {**smaller, "action": _ANY, "annotations": {}}
    bodies = [condition["body"] for form in forms.values() for condition in form["conditions"]]
    seen = attributes(bodies)
    return Slice(
        approvals=approvals,
        policies=policy_set(forms),
        attributes=tuple(name for name in CONTEXT if name in seen),
        asks_resource=asks_resource(bodies),
    )
