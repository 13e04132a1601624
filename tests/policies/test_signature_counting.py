"""Rules may count signatures only so that more of them help; the numbers they name are found."""

import json
from typing import Any

import cedarpy
import pytest

from policies.signatures import levels


def rule(effect: str, conditions: str) -> Any:
    text = f"{effect} (principal, action, resource) {conditions};"
    parsed = json.loads(cedarpy.policies_to_json_str(text))
    return next(iter(parsed["staticPolicies"].values()))


@pytest.mark.parametrize(
    ("effect", "conditions", "found"),
    [
        ("forbid", "when { context.cells > 3 }", set()),
        ("forbid", "unless { context.approvals >= 2 }", {2}),
        ("forbid", "unless { context.approvals > 2 }", {3}),
        ("forbid", "unless { 2 <= context.approvals }", {2}),
        ("forbid", "when { context.approvals < 2 }", {2}),
        ("forbid", "when { context.approvals <= 2 && context.freeze }", {3}),
        ("forbid", "when { !(context.approvals >= 4 || context.sound) }", {4}),
        ("forbid", "unless { context.change }", {1}),
        ("permit", "when { context.approvals >= 1 } unless { context.approvals < 3 }", {1, 3}),
        ("permit", "when { if context.freeze then context.approvals >= 3 else context.approvals >= 1 }", {1, 3}),
        ("permit", "when { context has approvals }", set()),
        ("permit", "when { context.approvals >= -4 }", {0}),
    ],
)
def test_the_numbers_at_which_a_rule_turns_are_found(effect: str, conditions: str, found: set[int]) -> None:
    assert levels(rule(effect, conditions)) == found


@pytest.mark.parametrize(
    ("effect", "conditions"),
    [
        ("forbid", "when { context.approvals >= 2 }"),
        ("forbid", "when { context.change }"),
        ("forbid", "unless { context.approvals < 2 }"),
        ("forbid", "unless { !(context.approvals >= 2) }"),
        ("forbid", "unless { context.approvals == 2 }"),
        ("forbid", "unless { context.approvals >= context.cells }"),
        ("forbid", "unless { context.approvals * 2 >= 4 }"),
        ("forbid", "unless { [1, 2].contains(context.approvals) }"),
        ("forbid", "unless { if context.approvals >= 1 then false else true }"),
        ("forbid", 'unless { context["approvals"] != 0 }'),
        ("forbid", "unless { {a: context}.a.approvals >= 2 }"),
        ("permit", "unless { context.approvals >= 2 }"),
        ("permit", "when { context.approvals < 2 }"),
    ],
)
def test_a_rule_in_which_more_signatures_could_hurt_is_refused(effect: str, conditions: str) -> None:
    with pytest.raises(ValueError, match="signatures"):
        levels(rule(effect, conditions))
