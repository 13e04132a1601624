"""One rule of the book, as it is written: its id, its sentence, and what can be said of it without asking Cedar."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from domain.errors import BadInput
from policies.folding import asks_resource, attributes, can_err
from policies.signatures import levels

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")
_BECAUSE_MOST = 400


class WrittenRule(NamedTuple):
    """A rule in Cedar's JSON form, with its annotations. `articles`: those of the EU AI Act that it serves."""

    id: str
    because: str
    articles: tuple[str, ...]
    file: str
    form: Mapping[str, Any]

    @property
    def permits(self) -> bool:
        return bool(self.form["effect"] == "permit")

    @property
    def levels(self) -> frozenset[int]:
        """Return the numbers of signatures at which it may turn."""
        return levels(self.form)

    @property
    def bodies(self) -> list[Any]:
        return [condition["body"] for condition in self.form["conditions"]]

    @property
    def attributes(self) -> frozenset[str]:
        """Return the attributes of the context that it looks at."""
        return attributes(self.bodies)

    @property
    def can_err(self) -> bool:
        return can_err(self.bodies)

    @property
    def asks_resource(self) -> bool:
        return self.form["resource"]["op"] != "All" or asks_resource(self.bodies)


def written(file: str, form: Mapping[str, Any]) -> WrittenRule:
    """Check one parsed rule.

    Raises:
        BadInput: it lacks `@id` or `@because`, they are not readable, or more signatures could speak against a plan.
    """
    notes = form.get("annotations", {})
    rule_id, because = notes.get("id"), " ".join(str(notes.get("because") or "").split())
    if not rule_id:
        raise BadInput(f"`{file}`: a rule has no `@id`; give each rule an id of its own")
    if not _ID.fullmatch(rule_id):
        raise BadInput(
            f"`{file}`: the rule id `{rule_id[:80]}` is not of small letters, digits, `-` and `_`; rename it"
        )
    if not because:
        raise BadInput(f"`{file}`: rule `{rule_id}` has no `@because`; say in one sentence why it is there")
    if len(because) > _BECAUSE_MOST or not because.isprintable():
        raise BadInput(f"`{file}`: the `@because` of rule `{rule_id}` is not one readable sentence; shorten it")
    try:
        levels(form)
    except ValueError as error:
        raise BadInput(f"`{file}`: in rule `{rule_id}` {error}") from error
    articles = tuple(part.strip() for part in str(notes.get("article") or "").split(",") if part.strip())
    return WrittenRule(str(rule_id), because, articles, file, form)
