"""Asking about one rule by itself: is there any question to which it applies?"""

import json
from collections.abc import Sequence

import cedarpy

from policies.engine.book import element_of, request_of
from policies.engine.grammar import policy_set
from policies.question import CONTEXT, Question
from policies.rules import WrittenRule

_ANY = {"op": "All"}


def applies_to_any(rule: WrittenRule, probes: Sequence[tuple[Question, int]]) -> bool:
    """Say whether the rule's conditions hold for any of the questions, each with its number of signatures.

    The classes of action of the questions must be in the rule's scope.
    """
    alone = policy_set({rule.id: {**rule.form, "effect": "permit", "action": _ANY, "annotations": {}}})
    wanted = tuple(name for name in CONTEXT if name in rule.attributes)
    return any(
        cedarpy.is_authorized(
            {**request_of(question), "context": json.dumps(question.context(signatures, wanted))},
            alone,
            element_of(question),
        ).allowed
        for question, signatures in probes
    )
