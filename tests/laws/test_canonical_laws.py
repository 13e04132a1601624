"""One canonical form, whichever encoder writes it."""

from enum import StrEnum
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from domain.canonical import canonical


class Word(StrEnum):
    PLAIN = "plain"
    NOT_ASCII = "ü\n😀"


TEXTS = st.one_of(
    st.text(max_size=8), st.sampled_from(["\0", "\x1f\x7f\x80", "\u2028", "😀", "\ue000", '"\\/', "\b\f\n\r\t"])
)
LEAVES = st.one_of(
    st.none(),
    st.sampled_from(Word),
    st.booleans(),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXTS,
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=20,
)


@given(JSON)
def test_the_canonical_form_is_that_of_rfc_8785(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [2**53 + 1, -(2**60), float("nan"), [float("inf")], {"a": "\ud800"}])
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises((rfc8785.CanonicalizationError, UnicodeEncodeError)):
        canonical(value)
