"""The pages of `docs/` name what there is: every word of `domain/`, and no file that does not exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FILE = re.compile(r"`((?:[\w.-]+/)+[\w.-]*\w\.(?:py|md|toml|cedar|cedarschema|sh))`")


def words_of_the_domain() -> set[str]:
    """Return the names of the public classes of `domain/`; of the errors, only the root of the tree."""
    classes = {
        node.name
        for path in (ROOT / "domain").glob("*.py")
        if path.name != "errors.py"
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    }
    return classes | {"NocturneError"}


def test_the_table_of_words_names_every_word() -> None:
    told = set(re.findall(r"`(\w+)", (ROOT / "docs" / "words.md").read_text("utf-8")))

    assert words_of_the_domain() - told == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_no_file_that_does_not_exist(page: Path) -> None:
    named = [name for name in FILE.findall(page.read_text("utf-8")) if "NNNN" not in name]

    assert [name for name in named if not (ROOT / name).exists() and not (page.parent / name).exists()] == []


def test_every_decision_says_why_and_what_else_was_thought_of() -> None:
    parts = ("## Context", "## Decision", "## Consequences", "## Alternatives")
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))

    lacking = [path.name for path in decisions if not all(part in path.read_text("utf-8") for part in parts)]

    assert [path.name[:4] for path in decisions] == [f"{number:04d}" for number in range(1, len(decisions) + 1)]
    assert lacking == []
