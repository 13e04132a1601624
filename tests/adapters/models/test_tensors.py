import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from adapters.models import tensors
from domain.errors import BadInput

NAMES = st.text("abcdefgh.", min_size=1, max_size=12)
VALUES = arrays.arrays(
    np.float32,
    arrays.array_shapes(min_dims=0, max_dims=3, max_side=4),
    elements=st.floats(-1e6, 1e6, width=32),
)


@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=4))
def test_tensors_are_read_as_they_were_written(values) -> None:
    artefact = tensors.written(values)

    back = tensors.read(artefact)

    assert tensors.written(back) == artefact
    assert {name: value.tolist() for name, value in back.items()} == {n: v.tolist() for n, v in values.items()}


@given(st.binary(max_size=300))
def test_whatever_the_bytes_they_are_tensors_or_bad_input(content: bytes) -> None:
    try:
        assert tensors.read(content)
    except BadInput as error:
        assert error.reason  # noqa: PT017  # either is right


@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=3))
def test_a_changed_header_is_bad_input_or_still_plain_numbers(place: int, instead: bytes) -> None:
    artefact = tensors.written({"a": np.ones((2, 2), np.float32), "b": np.zeros(3, np.float32)})
    place %= len(artefact)
    changed = artefact[:place] + instead + artefact[place + len(instead) :]

    try:
        found = tensors.read(changed)
    except BadInput:
        return
    assert all(value.dtype == np.float32 and np.isfinite(value).all() for value in found.values())


def test_what_is_larger_than_any_model_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    artefact = tensors.written({"a": np.ones(64, np.float32)})
    monkeypatch.setattr(tensors, "MOST_BYTES", len(artefact) - 1)

    with pytest.raises(BadInput, match="at most"):
        tensors.read(artefact)
