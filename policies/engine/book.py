"""The policy book: Cedar rules that say allow, hold or deny, and name themselves.

Cedar knows two answers. The third comes from asking twice: a step that is denied as signed so far and allowed
with every signature is *held*. Cedar also skips a rule that errs, so that a broken `forbid` lets things pass;
here an error holds, whatever the number of signatures, until the book is repaired.

For each class of action the book keeps only the rules that can apply to it, made smaller for each number of
signatures (`policies.folding`), and hands Cedar only what these look at. No answer is kept.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cedarpy

from domain.actions import ActionClass
from domain.canonical import digest
from domain.decisions import Judgement, Rule, Ruling
from domain.errors import BadInput
from policies.engine.chapters import Chapter, Slice, chapter_of
from policies.engine.grammar import grammar_of, rules_of, scopes
from policies.engine.measure import check_measure, check_number
from policies.question import Question
from policies.reading import BOOK, SCHEMA, read_texts
from policies.rules import WrittenRule

#: Named when no rule permits a step.
NOBODY = Rule(id="default-deny", because="no rule permits this")

_BROKEN = re.compile(r"^error while evaluating policy `([^`]+)`")
_NOTHING = cedarpy.Entities.from_json_str("[]")


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
            BadInput: a text nests too deeply, does not parse or does not fit the schema; a rule lacks `@id` or
                `@because`, shares its id, is a template, or could hold more signatures against a plan; the schema asks
                for what no question fills in. Names file and rule.
        """
        grammar = grammar_of(schema)
        found: dict[str, WrittenRule] = {}
        check_number(sum(check_measure(name, texts[name]) for name in sorted(texts)))
        for name in sorted(texts):
            for rule in rules_of(name, texts[name], grammar):
                if rule.id in found or rule.id == NOBODY.id:
                    raise BadInput(f"`{name}`: rule `{rule.id}` exists already; give each rule an id of its own")
                found[rule.id] = rule
        self.texts: Mapping[str, str] = dict(texts)
        self.schema = schema
        self.version = digest({"schema": schema, "rules": dict(texts)})
        self.written: Mapping[str, WrittenRule] = found
        self.rules = {key: Rule(id=key, because=rule.because) for key, rule in found.items()}
        self._scopes = scopes(found.values(), grammar)
        self._chapters: dict[ActionClass, Chapter] = {}

    @classmethod
    def load(cls, folder: Path | None = None) -> "Book":
        """Read the `*.cedar` files of a folder (default: the book of this package) against this package's schema.

        Raises:
            BadInput: the folder cannot be read or holds no rules, or the book is refused (see `Book`).
        """
        return cls(read_texts(folder or BOOK), (BOOK / SCHEMA).read_text("utf-8"))

    def judge(self, question: Question, approvals: int = 0) -> Judgement:
        """Say whether the step is allowed with `approvals` signatures, or held for more, or denied for good.

        An error in a rule that applies at any number of signatures holds what would otherwise be allowed. Where no
        rule can err, what more signatures would bring is asked only of what is not allowed without them.
        """
        chapter = self._chapter(question.action)
        here, last = chapter.at(approvals), len(chapter.slices) - 1
        if chapter.can_err:
            replies = [self._reply(question, part) for part in chapter.slices]
            return self._answer(replies[here], replies[-1], [error for reply in replies for error in reply.errors])
        now = self._reply(question, chapter.slices[here])
        if now.allowed and not now.errors:
            return self._judgement(Ruling.ALLOW, now.rules, ())
        ever = now if here == last else self._reply(question, chapter.slices[last])
        return self._answer(now, ever, (*now.errors, *ever.errors))

    def applicable(self, action: ActionClass) -> tuple[WrittenRule, ...]:
        """Return the rules whose scope takes this class of action."""
        return tuple(rule for rule in self.written.values() if rule.id in self._scopes[action])

    def levels(self, action: ActionClass) -> tuple[int, ...]:
        """Return the numbers of signatures at which the answer about such an action can turn, zero first."""
        return tuple(part.approvals for part in self._chapter(action).slices)

    def _chapter(self, action: ActionClass) -> Chapter:
        """Return the chapter of a class of action; it is prepared when it is first opened."""
        found = self._chapters.get(action)
        if found is None:
            found = self._chapters[action] = chapter_of(self.applicable(action))
        return found

    def _answer(self, now: _Reply, ever: _Reply, found: Iterable[str]) -> Judgement:
        errors = tuple(dict.fromkeys(found))
        broken = self._broken(errors)
        if not ever.allowed:
            return self._judgement(Ruling.DENY, (*ever.rules, *broken), errors)
        if not now.allowed:
            return self._judgement(Ruling.HOLD, (*now.rules, *broken), errors)
        if errors:
            return self._judgement(Ruling.HOLD, broken or now.rules, errors)
        return self._judgement(Ruling.ALLOW, now.rules, ())

    def _judgement(self, answer: Ruling, rules: Iterable[Rule], errors: tuple[str, ...]) -> Judgement:
        named = tuple({rule.id: rule for rule in rules}.values())
        return Judgement(answer=answer, rules=named, errors=errors, policy_version=self.version)

    def _reply(self, question: Question, part: Slice) -> _Reply:
        asked = request_of(question)
        asked["context"] = json.dumps(question.context(part.approvals, part.attributes))
        entities = element_of(question) if part.asks_resource else _NOTHING
        result = cedarpy.is_authorized_batch([asked], part.policies, entities)[0]
        said = result.diagnostics
        named = tuple(self.rules[reason] for reason in sorted(said.reasons))
        return _Reply(result.allowed, named or (NOBODY,), tuple(sorted(said.errors)))

    def _broken(self, errors: Iterable[str]) -> tuple[Rule, ...]:
        found = (_BROKEN.match(error) for error in errors)
        return tuple(self.rules[match[1]] for match in found if match and match[1] in self.rules)


def request_of(question: Question) -> dict[str, Any]:
    """Return who asks to do what to which element, as Cedar takes it; the context is still to be added."""
    return {
        "principal": {"type": "Agent" if question.by_agent else "Person", "id": question.requester},
        "action": {"type": "Action", "id": question.action.value},
        "resource": {"type": "Element", "id": question.target},
    }


def element_of(question: Question) -> str:
    """Return what the step acts on, as Cedar's JSON form of entities."""
    attrs = {"region": question.region, "kind": question.kind, "domain": question.domain.value}
    return json.dumps([{"uid": {"type": "Element", "id": question.target}, "attrs": attrs, "parents": []}])
