"""A book that loads may still be wrong: what never applies and what stands open is found by asking."""

import pytest

from policies.engine import BOOK, SCHEMA, Book
from policies.linting import Weight, lint

PERMIT = '@id("ask") @because("may ask") permit (principal == Agent::"agent:provisioning", action, resource);'
SIGNED = '@id("one") @because("one") forbid (principal, action, resource) unless { context.approvals >= 1 };'
CAREFUL = (
    '@id("never") @because("never") forbid (principal, action, resource)'
    " when { context.freeze || !context.sound || context.requester_signed };"
)


def said(*rules: str) -> list[tuple[str, str]]:
    book = Book({"mine.cedar": "\n".join(rules)}, (BOOK / SCHEMA).read_text("utf-8"))
    return [(finding.rule, finding.reason) for finding in lint(book) if finding.weight is not Weight.NOTE]


def test_there_is_nothing_to_say_against_the_book_that_ships() -> None:
    assert lint(Book.load()) == ()


def test_nor_against_a_small_careful_one() -> None:
    assert said(PERMIT, SIGNED, CAREFUL) == []


def test_a_book_that_permits_nothing_is_an_error() -> None:
    book = Book({"mine.cedar": SIGNED}, (BOOK / SCHEMA).read_text("utf-8"))

    assert lint(book)[0].weight is Weight.ERROR
    assert "no rule permits anything" in lint(book)[0].reason


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ((PERMIT, CAREFUL), "unsigned, at any risk"),
        ((PERMIT, SIGNED, CAREFUL.replace("context.freeze ||", "")), "in a freeze"),
        ((PERMIT, SIGNED, CAREFUL.replace("|| !context.sound", "")), "against its rehearsal"),
        ((PERMIT, SIGNED, CAREFUL.replace("|| context.requester_signed", "")), "with the signature of whoever asked"),
    ],
)
def test_a_door_that_stands_open_is_named_with_who_may_pass(rules: tuple[str, ...], words: str) -> None:
    reasons = [reason for _, reason in said(*rules)]

    assert any(words in reason and "`agent:provisioning`" in reason and "drain_link" in reason for reason in reasons)


def test_a_check_that_always_says_yes_is_named() -> None:
    anybody = '@id("yes") @because("yes") permit (principal, action, resource);'

    assert ("yes", "it permits everybody, agents too, without a condition") in said(anybody, SIGNED, CAREFUL)
    assert any("nobody-in-particular" in reason for _, reason in said(anybody))


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("context.cells > 3 && context.cells < 2", "no question was found"),
        ('context.harm == "catastrophe"', "no question was found"),
        ("false", "never applies"),
        ("context.cells < 0", "no question was found"),
    ],
)
def test_a_rule_that_never_applies_is_named(condition: str, words: str) -> None:
    rule = f'@id("idle") @because("idle") forbid (principal, action, resource) when {{ {condition} }};'

    (finding,) = [reason for id, reason in said(PERMIT, SIGNED, CAREFUL, rule) if id == "idle"]
    assert words in finding


@pytest.mark.parametrize(
    "condition",
    ["context.cells == 77", 'context.band == "narrow"', "context.confidence < 1", 'context.residency like "*+*"'],
)
def test_a_rule_that_applies_seldom_is_not_called_idle(condition: str) -> None:
    rule = f'@id("seldom") @because("seldom") forbid (principal, action, resource) when {{ {condition} }};'

    assert said(PERMIT, SIGNED, CAREFUL, rule) == []


def test_a_rule_that_says_what_another_says_is_named() -> None:
    assert said(PERMIT, SIGNED, CAREFUL, SIGNED.replace('"one"', '"two"')) == [
        ("two", "it says exactly what `one` says")
    ]


def test_a_rule_that_does_sums_and_attributes_that_nobody_looks_at_are_noted() -> None:
    sums = (
        '@id("sums") @because("sums") forbid (principal, action, resource) when { context.steps + context.cells > 9 };'
    )
    book = Book({"mine.cedar": PERMIT + SIGNED + CAREFUL + sums}, (BOOK / SCHEMA).read_text("utf-8"))

    notes = {(finding.rule, finding.reason) for finding in lint(book) if finding.weight is Weight.NOTE}

    assert ("sums", "it does sums, which may overflow; an error holds") in notes
    assert ("", "no rule looks at `blast`") in notes
