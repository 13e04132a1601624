"""The cases that ship with the book pass and name every rule; a book without cases, or with a wrong one, fails."""

from pathlib import Path

import pytest

from domain.errors import BadInput
from policies.cases import load_cases, run_cases
from policies.engine import BOOK, SCHEMA, Book

RULE = '@id("all") @because("everything may be asked for") permit (principal, action, resource);'
PLAIN = (BOOK / "cases" / "never.toml").read_text("utf-8").split("[[case]]")[0]
CASE = '[[case]]\nname = "a"\nask = {}\nanswer = "allow"\nrules = ["all"]\n'


def book(*rules: str) -> Book:
    return Book({"mine.cedar": "\n".join(rules)}, (BOOK / SCHEMA).read_text("utf-8"))


def cases(folder: Path, text: str) -> Path:
    (folder / "cases").mkdir()
    (folder / "cases" / "mine.toml").write_text(text, "utf-8")
    return folder


def test_the_book_that_ships_answers_its_cases_and_every_rule_decides_one() -> None:
    found = load_cases(BOOK)

    assert run_cases(Book.load(), found) == ()
    assert {rule for case in found for rule in case.rules} - {"default-deny"} == set(Book.load().rules)


def test_a_case_that_comes_out_otherwise_says_what_was_expected_and_what_came(tmp_path: Path) -> None:
    wrong = CASE.replace('"allow"', '"deny"')

    (failure,) = run_cases(book(RULE), load_cases(cases(tmp_path, PLAIN + wrong)))

    assert (failure.file, failure.name) == ("mine.toml", "a")
    assert failure.reason == "expected deny by all, got allow by all"


def test_a_rule_that_no_case_names_is_a_failure(tmp_path: Path) -> None:
    other = '@id("never") @because("never") forbid (principal, action, resource) when { context.freeze };'

    (failure,) = run_cases(book(RULE, other), load_cases(cases(tmp_path, PLAIN + CASE)))

    assert (failure.name, "no case names this rule" in failure.reason) == ("never", True)


def test_a_case_in_which_a_rule_errs_fails(tmp_path: Path) -> None:
    sums = (
        '@id("s") @because("s") forbid (principal, action, resource) when { context.steps * 9223372036854775807 > 1 };'
    )
    wrong = CASE.replace("ask = {}", "ask = { steps = 2 }").replace('"allow"', '"hold"').replace('"all"', '"s"')

    failures = run_cases(book(RULE, sums), load_cases(cases(tmp_path, PLAIN + wrong)))

    assert "errors:" in failures[0].reason


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no case"),
        (PLAIN, "holds no case"),
        ("[[case", "does not parse"),
        ("[other]\nx = 1", "neither"),
        (PLAIN + '[[case]]\nname = "a"\nanswer = "allow"\nrules = ["x"]\n', "case `a`: it lacks 'ask'"),
        (PLAIN + CASE.replace('"allow"', '"maybe"'), "case `a`: answer"),
        (PLAIN + CASE.replace("ask = {}", "ask = { mood = 3 }"), "case `a`: mood"),
        (PLAIN + CASE.replace('["all"]', "[]"), "case `a`: rules"),
        (CASE, "case `a`: requester"),
    ],
)
def test_cases_that_cannot_be_asked_are_refused_by_file_and_name(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        load_cases(cases(tmp_path, text))


def test_a_book_without_cases_is_not_tested(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no cases"):
        load_cases(tmp_path)
    (tmp_path / "cases").mkdir()
    with pytest.raises(BadInput, match="is empty"):
        load_cases(tmp_path)
