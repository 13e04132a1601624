import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.strict_json import read
from domain.errors import BadInput, TooLarge

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def depth(value):
    if isinstance(value, dict | list):
        children = value.values() if isinstance(value, dict) else value
        return 1 + max((depth(child) for child in children), default=0)
    return 0


@given(PLAIN)
def test_whatever_json_can_say_is_read_as_it_was_said(value):
    text = json.dumps(value, ensure_ascii=False)
    try:
        body = text.encode()
    except UnicodeEncodeError:
        return
    assert read(body) == value


@given(PLAIN, st.integers(0, 6))
def test_depth_is_counted_as_a_walk_counts_it(value, limit):
    assert is_too_deep(json.dumps(value).encode(), limit) == (depth(value) > limit)


def is_too_deep(body, limit):
    try:
        read(body, max_depth=limit)
    except BadInput as refused:
        return refused.error_code == "too_deep"
    return False


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"[" * 900 + b"]" * 900, "too_deep"),
        (b"[" * 900, "too_deep"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "too_deep"),
        (b'{"a": NaN}', "bad_number"),
        (b"[Infinity]", "bad_number"),
        (b"[-Infinity]", "bad_number"),
        (b"[1e400]", "bad_number"),
        (b"[9007199254740993]", "bad_number"),
        (b"[" + b"9" * 5000 + b"]", "bad_number"),
        (b'{"a": 1, "a": 2}', "duplicate_key"),
        (b'["\xff"]', "not_utf8"),
        (b'["\\ud800"]', "bad_text"),
        (b'{"a": }', "not_json"),
        (b"", "not_json"),
        (b"\xef\xbb\xbf[]", "not_json"),
        (b"[}", "not_json"),
    ],
)
def test_what_cannot_be_read_in_one_way_only_is_refused_by_name(body, code):
    with pytest.raises(BadInput) as caught:
        read(body)
    assert caught.value.error_code == code


@pytest.mark.parametrize("value", [[0] * 11, {"alerts": [{}] * 11}, {"a": {"b": [[]] * 11}}])
def test_a_list_that_is_too_long_is_refused_before_anybody_walks_it(value):
    body = json.dumps(value).encode()
    assert read(body) == value
    with pytest.raises(TooLarge):
        read(body, max_items=10)


def test_more_lists_than_any_door_needs_are_refused_before_they_are_built():
    with pytest.raises(TooLarge):
        read(b"[[" + b"[]," * 250 + b"[]]]", max_items=10)


def test_brackets_inside_strings_do_not_count():
    value = {"text": "[" * 500 + '\\"' + "{" * 500}
    assert read(json.dumps(value).encode()) == value


def test_a_whole_surrogate_pair_is_a_character():
    assert read(b'["\\ud83d\\ude00"]') == ["\U0001f600"]


@pytest.mark.parametrize("body", [b'"' + b'\\"' * 2_000_000, b"[]" * 2_000_000, b'"' * 2_000_001])
def test_hostile_bodies_are_read_in_linear_time(body):
    # a quadratic reader would not come back from these within the suite's time limit
    with pytest.raises(BadInput):
        read(body)
