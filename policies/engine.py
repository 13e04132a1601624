"""The policy book: Cedar rules that say allow, hold or deny, and name themselves.

Cedar knows two answers. The third comes from asking twice: a step that is denied as signed so far and allowed
with every signature is *held*. Cedar also skips a rule that errs, so that a broken `forbid` lets things pass;
here an error holds, whatever the number of signatures, until the book is repaired.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cedarpy

from domain.canonical import digest
from domain.decisions import Judgement, Rule, Ruling
from domain.errors import BadInput
from policies.question import Question
from policies.signatures import levels

BOOK = Path(__file__).parent / "book"
SCHEMA = "schema.cedarschema"

#: Named when no rule permits a step.
NOBODY = Rule(id="default-deny", because="no rule permits this")

_BROKEN = re.compile(r"^error while evaluating policy `([^`]+)`")


@dataclass(frozen=True)
class _Reply:
    """What Cedar says of one question with one number of signatures."""

    allowed: bool
    rules: tuple[Rule, ...]
    errors: tuple[str, ...]


class Book:
    """Rules, parsed once. Judging is pure: the same book, question and signatures give the same judgement."""

    def __init__(self, texts: Mapping[str, str], schema: str) -> None:
        """Take the rules as file name → text.

        Raises:
            BadInput: a text does not parse or does not fit the schema; a rule lacks `@id` or `@because`, shares
                its id, is a template, or could hold more signatures against a plan. Names file and rule.
        """
        self._schema = _parsed_schema(schema)
        rules: dict[str, Any] = {}
        for name in sorted(texts):
            for rule_id, rule in _rules(name, texts[name], self._schema).items():
                _add(rules, rule_id, rule, name)
        self.rules = {key: Rule(id=key, because=rule["annotations"]["because"]) for key, rule in rules.items()}
        self.version = digest({"schema": schema, "rules": dict(texts)})
        self._levels = tuple(sorted(frozenset({0}).union(*(levels(rule) for rule in rules.values()))))
        whole = {"staticPolicies": rules, "templates": {}, "templateLinks": []}
        self._policies = cedarpy.PolicySet.from_json_str(json.dumps(whole))

    @classmethod
    def load(cls, folder: Path | None = None) -> "Book":
        """Read the `*.cedar` files of a folder (default: the book of this package) against this package's schema.

        Raises:
            BadInput: the folder cannot be read, or the book is refused (see `Book`).
        """
        place = folder or BOOK
        if not place.is_dir():
            raise BadInput(f"there is no policy book at `{place}`; name a folder with `.cedar` files")
        try:
            texts = {path.name: path.read_text("utf-8") for path in place.glob("*.cedar")}
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"the policy book at `{place}` cannot be read: {error}; mend or name another") from error
        return cls(texts, (BOOK / SCHEMA).read_text("utf-8"))

    def judge(self, question: Question, approvals: int = 0) -> Judgement:
        """Say whether the step is allowed with `approvals` signatures, or held for more, or denied for good.

        An error in a rule that applies at any number of signatures holds what would otherwise be allowed.
        """
        replies = self._replies(question)
        now = replies[sum(level <= max(0, approvals) for level in self._levels) - 1]
        ever = replies[-1]
        errors = tuple(dict.fromkeys(error for reply in replies for error in reply.errors))
        broken = self._broken(errors)
        if not ever.allowed:
            return self._judgement(Ruling.DENY, (*ever.rules, *broken), errors)
        if not now.allowed:
            return self._judgement(Ruling.HOLD, (*now.rules, *broken), errors)
        if errors:
            return self._judgement(Ruling.HOLD, broken or now.rules, errors)
        return self._judgement(Ruling.ALLOW, now.rules, errors)

    def _judgement(self, answer: Ruling, rules: Iterable[Rule], errors: tuple[str, ...]) -> Judgement:
        named = tuple({rule.id: rule for rule in rules}.values())
        return Judgement(answer=answer, rules=named, errors=errors, policy_version=self.version)

    def _replies(self, question: Question) -> list[_Reply]:
        """Return Cedar's reply for each class of numbers of signatures, fewest first."""
        who = {"type": "Agent" if question.by_agent else "Person", "id": question.requester}
        what = {"type": "Element", "id": question.target}
        asked = [
            {
                "principal": who,
                "action": {"type": "Action", "id": question.action.value},
                "resource": what,
                "context": question.context(level),
            }
            for level in self._levels
        ]
        element = {"uid": what, "attrs": {"region": question.region, "kind": question.kind}, "parents": []}
        results = cedarpy.is_authorized_batch(asked, self._policies, [element], self._schema)
        return [self._reply(result) for result in results]

    def _reply(self, result: cedarpy.AuthzResult) -> _Reply:
        named = tuple(self.rules[reason] for reason in sorted(result.diagnostics.reasons))
        return _Reply(result.allowed, named or (NOBODY,), tuple(sorted(result.diagnostics.errors)))

    def _broken(self, errors: Iterable[str]) -> tuple[Rule, ...]:
        found = (_BROKEN.match(error) for error in errors)
        return tuple(self.rules[match[1]] for match in found if match and match[1] in self.rules)


def judge_plan(book: Book, questions: Sequence[Question], approvals: int = 0) -> Judgement:
    """Return the worst answer over a plan's steps, with the rules that gave that answer in any step.

    A plan of no steps is denied: there is nothing to allow.
    """
    order = (Ruling.ALLOW, Ruling.HOLD, Ruling.DENY)
    judgements = [book.judge(question, approvals) for question in questions]
    if not judgements:
        return Judgement(answer=Ruling.DENY, rules=(NOBODY,), policy_version=book.version)
    worst = max((judgement.answer for judgement in judgements), key=order.index)
    rules = {rule.id: rule for judgement in judgements if judgement.answer is worst for rule in judgement.rules}
    errors = tuple(dict.fromkeys(error for judgement in judgements for error in judgement.errors))
    return Judgement(answer=worst, rules=tuple(rules.values()), errors=errors, policy_version=book.version)


def signatures_needed(book: Book, questions: Sequence[Question], most: int = 5) -> int | None:
    """Return the smallest number of people (up to `most`) with whose signatures the plan is allowed, or None."""
    return next((n for n in range(most + 1) if judge_plan(book, questions, n).answer is Ruling.ALLOW), None)


def _parsed_schema(text: str) -> cedarpy.Schema:
    try:
        return cedarpy.Schema.from_str(text)
    except ValueError as error:
        raise BadInput(f"the policy schema does not parse: {error}; mend `{SCHEMA}`") from error


def _rules(name: str, text: str, schema: cedarpy.Schema) -> dict[str, Any]:
    """Return the rules of one file by their `@id`, in Cedar's JSON form."""
    try:
        parsed = json.loads(cedarpy.policies_to_json_str(text))
    except ValueError as error:
        raise BadInput(f"`{name}` does not parse: {_one_line(error)}; mend it and load the book again") from error
    if parsed["templates"]:
        raise BadInput(f"`{name}` holds a template, which permits nobody; write the rule out")
    _validate(name, text, schema)
    rules: dict[str, Any] = {}
    for rule in parsed["staticPolicies"].values():
        _add(rules, _checked_id(name, rule), rule, name)
    return rules


def _add(rules: dict[str, Any], rule_id: str, rule: Any, name: str) -> None:
    if rule_id in rules:
        raise BadInput(f"`{name}`: rule `{rule_id}` exists already; give each rule an id of its own")
    rules[rule_id] = rule


def _validate(name: str, text: str, schema: cedarpy.Schema) -> None:
    result = cedarpy.validate_policies(text, schema)
    for error in result.errors:
        rule = result.id_annotations_by_policy_id.get(error.policy_id, error.policy_id)
        raise BadInput(f"`{name}`: rule `{rule}` does not fit the schema: {_one_line(error.error)}; mend the rule")


def _checked_id(name: str, rule: Mapping[str, Any]) -> str:
    notes = rule.get("annotations", {})
    rule_id, because = notes.get("id"), notes.get("because")
    if not rule_id:
        raise BadInput(f"`{name}`: a rule has no `@id`; give each rule an id of its own")
    if not because:
        raise BadInput(f"`{name}`: rule `{rule_id}` has no `@because`; say in one sentence why it is there")
    try:
        levels(rule)
    except ValueError as error:
        raise BadInput(f"`{name}`: in rule `{rule_id}` {error}") from error
    return str(rule_id)


def _one_line(error: object) -> str:
    return " ".join(str(error).split())
