"""What Cedar says of rules before anybody asks: do they parse, do they fit the schema, what are they about."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cedarpy

from domain.actions import ActionClass
from domain.errors import BadInput
from policies.question import CONTEXT, SPECIMEN
from policies.rules import WrittenRule, written

_ANY = {"op": "All"}


@dataclass(frozen=True)
class Grammar:
    """A parsed schema. `known`: which of our attributes and classes of action it declares; old ones know fewer."""

    schema: cedarpy.Schema
    known: frozenset[str]


@lru_cache(maxsize=8)
def grammar_of(text: str) -> Grammar:
    """Parse a schema. Raises BadInput."""
    try:
        schema = cedarpy.Schema.from_str(text)
        return Grammar(schema, _declared(schema))
    except (ValueError, RecursionError) as error:
        raise BadInput(f"the policy schema does not parse: {one_line(error)}; mend the schema") from error


def policy_set(forms: Mapping[str, Mapping[str, Any]]) -> cedarpy.PolicySet:
    """Return Cedar's handle on rules, by the ids that reasons and errors will bear."""
    return cedarpy.PolicySet.from_json_str(json.dumps({"staticPolicies": forms, "templates": {}, "templateLinks": []}))


def rules_of(name: str, text: str, grammar: Grammar) -> list[WrittenRule]:
    """Return the rules of one file. Raises BadInput: the file does not parse, or a rule does not fit the schema."""
    try:
        parsed = json.loads(cedarpy.policies_to_json_str(text))
        if parsed["templates"]:
            raise BadInput(f"`{name}` holds a template, which permits nobody; write the rule out")
        _fit(name, text, grammar.schema)
        return [written(name, form) for form in parsed["staticPolicies"].values()]
    except RecursionError as error:
        raise BadInput(f"`{name}` nests too deeply to be read; write its rules plainer") from error
    except ValueError as error:
        raise BadInput(f"`{name}` does not parse: {one_line(error)}; mend it and load the book again") from error


def scopes(rules: Iterable[WrittenRule], grammar: Grammar) -> dict[ActionClass, frozenset[str]]:
    """Return the ids of the rules whose scope takes each class of action; Cedar itself is asked.

    Raises:
        BadInput: the schema asks for something that no question fills in.
    """
    bare = {rule.id: _scope_only(rule) for rule in rules}
    context = {name: SPECIMEN[name] for name in CONTEXT if name in grammar.known}
    asked = [_request(action, context) for action in ActionClass]
    results = cedarpy.is_authorized_batch(asked, policy_set(bare), "[]", grammar.schema)
    found: dict[ActionClass, frozenset[str]] = {}
    for action, result in zip(ActionClass, results, strict=True):
        if result.decision is cedarpy.Decision.NoDecision and action in grammar.known:
            reason = one_line("; ".join(result.diagnostics.errors))
            raise BadInput(f"the policy schema does not fit what is asked: {reason}; mend the schema")
        found[action] = frozenset(result.diagnostics.reasons)
    return found


def one_line(error: object) -> str:
    """Return an error's text in one line."""
    return " ".join(str(error).split())


def _fit(name: str, text: str, schema: cedarpy.Schema) -> None:
    result = cedarpy.validate_policies(text, schema)
    for error in result.errors:
        rule = result.id_annotations_by_policy_id.get(error.policy_id, error.policy_id)
        raise BadInput(f"`{name}`: rule `{rule}` does not fit the schema: {one_line(error.error)}; mend the rule")


def _declared(schema: cedarpy.Schema) -> frozenset[str]:
    """Return which of our attributes and classes of action a schema declares."""
    probes = {name: f"when {{ context.{name} == context.{name} }}" for name in CONTEXT}
    probes |= {action.value: "" for action in ActionClass}
    text = "\n".join(
        f'@id("{name}") permit (principal, action{"" if condition else f" == Action::{json.dumps(name)}"}, resource)'
        f" {condition};"
        for name, condition in probes.items()
    )
    result = cedarpy.validate_policies(text, schema)
    unknown = {result.id_annotations_by_policy_id.get(error.policy_id) for error in result.errors}
    return frozenset(probes) - unknown


def _scope_only(rule: WrittenRule) -> dict[str, Any]:
    """Return a permit with the rule's own scope of actions and nothing else."""
    return {
        "effect": "permit",
        "principal": _ANY,
        "action": rule.form["action"],
        "resource": _ANY,
        "conditions": [],
        "annotations": {},
    }


def _request(action: ActionClass, context: Mapping[str, object]) -> dict[str, Any]:
    return {
        "principal": {"type": "Person", "id": "somebody"},
        "action": {"type": "Action", "id": action.value},
        "resource": {"type": "Element", "id": "something"},
        "context": dict(context),
    }
