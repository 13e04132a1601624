"""What nests so deeply that Cedar's own parser would end the process is refused before it is parsed."""

import pytest

from domain.errors import BadInput
from policies.engine import Book

RULE = '@id("deep") @because("it is deep") forbid (principal, action, resource) when {{ {} }};'
MANY = 20_000


def load(text: str) -> Book:
    own = Book.load()
    return Book({**own.texts, "zz.cedar": text}, own.schema)


@pytest.mark.parametrize(
    "body",
    [
        "(" * MANY + "context.freeze" + ")" * MANY,
        ")" * MANY + "(" * MANY + "context.freeze" + ")" * MANY,
        "(; " * MANY + "context.freeze" + ")" * MANY,
        "[" * MANY + "1" + "]" * MANY + " == [1]",
        '{"a": ' * MANY + "1" + "}" * MANY + ' == {"a": 1}',
        "!(" * MANY + "context.freeze" + ")" * MANY,
        'context.residency like "// (" || ' + "(" * MANY + "context.freeze" + ")" * MANY,
        '\n// a remark with a " in it\n' + "(" * MANY + "context.freeze" + ")" * MANY,
        "context" + ".freeze" * MANY,
        "context" + '["freeze"]' * MANY,
        "context.blast > " + "+".join("1" * MANY),
        " && ".join(["context.freeze"] * MANY),
    ],
    ids=lambda body: body[:12],
)
def test_what_would_overflow_the_parser_is_refused_and_ends_nothing(body: str) -> None:
    with pytest.raises(BadInput, match=r"`zz\.cedar` nests too deeply to be read"):
        load(RULE.format(body))


def test_brackets_in_texts_and_remarks_nest_nothing() -> None:
    brackets = "(" * MANY

    book = load(RULE.format(f'context.residency like "{brackets}*" // {brackets}\n'))

    assert "deep" in book.rules


def test_a_book_of_more_rules_than_anybody_reads_is_refused() -> None:
    rules = "\n".join(
        f'@id("r{number}") @because("x") forbid (principal, action, resource) when {{ context.freeze }};'
        for number in range(1001)
    )

    with pytest.raises(BadInput, match="at most 1000 are taken"):
        load(rules)
