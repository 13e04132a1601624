"""Cases that ship with a book: what was asked, what the book must answer, and which rules must say so.

A file `cases/*.toml` has a table `[plain]` (a question that nothing speaks against) and any number of `[[case]]`
with `name`, the `ask` that differs from plain, `signatures`, `answer` and `rules`. A book without cases fails, and
so does one with a rule that no case names: nobody would notice if it said something else.
"""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from domain.base import Word
from domain.decisions import Ruling
from domain.errors import BadInput
from policies.engine import Book
from policies.question import Question
from policies.reading import read_files

FOLDER = "cases"


class Case(Word):
    """One expectation of a book. `rules`: the ids that are named, no more and no fewer."""

    file: str
    name: str = Field(min_length=1)
    question: Question
    signatures: int = Field(default=0, ge=0)
    answer: Ruling
    rules: tuple[str, ...] = Field(min_length=1)


class Failure(Word):
    """A case that came out otherwise, or a rule that no case names."""

    file: str
    name: str
    reason: str


def load_cases(folder: Path) -> tuple[Case, ...]:
    """Read the cases of a book's folder.

    Raises:
        BadInput: there are none, or one cannot be read; names file and case.
    """
    texts = read_files(folder / FOLDER, "*.toml", "cases")
    found = [case for name, text in sorted(texts.items()) for case in _cases(name, text)]
    if not found:
        raise BadInput(f"`{folder / FOLDER}` holds no case; a book is tested by at least one")
    return tuple(found)


def run_cases(book: Book, cases: Sequence[Case]) -> tuple[Failure, ...]:
    """Ask the book every case; return what came out otherwise, and the rules that no case names."""
    failures = [failure for case in cases if (failure := _run(book, case))]
    named = {rule for case in cases for rule in case.rules}
    failures += [
        Failure(file=rule.file, name=rule.id, reason="no case names this rule; write one in which it decides")
        for rule in book.written.values()
        if rule.id not in named
    ]
    return tuple(failures)


def _run(book: Book, case: Case) -> Failure | None:
    said = book.judge(case.question, case.signatures)
    rules = sorted(rule.id for rule in said.rules)
    if (said.answer, rules) == (case.answer, sorted(case.rules)) and not said.errors:
        return None
    errors = f"; errors: {'; '.join(said.errors)}" if said.errors else ""
    reason = f"expected {case.answer} by {', '.join(sorted(case.rules))}, got {said.answer} by {', '.join(rules)}"
    return Failure(file=case.file, name=case.name, reason=reason + errors)


def _cases(file: str, text: str) -> list[Case]:
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadInput(f"`{file}` does not parse: {error}; mend it") from error
    plain, listed = data.get("plain", {}), data.get("case", [])
    if not isinstance(plain, dict) or not isinstance(listed, list) or set(data) - {"plain", "case"}:
        raise BadInput(f"`{file}` has a table that is neither `[plain]` nor `[[case]]`; rename it")
    return [_case(file, plain, item) for item in listed]


def _case(file: str, plain: Mapping[str, Any], item: Any) -> Case:
    name = str(item.get("name", "?"))[:120] if isinstance(item, dict) else "?"
    try:
        asked = Question.model_validate({**plain, **item["ask"]})
        return Case.model_validate(
            {**{key: item[key] for key in item if key != "ask"}, "file": file, "question": asked}
        )
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"`{file}`, case `{name}`: {where}: {first['msg']}; mend the case") from error
    except (KeyError, TypeError) as error:
        raise BadInput(f"`{file}`, case `{name}`: it lacks {error}; write `ask`, `answer` and `rules`") from error
