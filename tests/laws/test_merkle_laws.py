"""Laws of Merkle trees: every leaf proves itself in its place, and nothing else proves."""

import hashlib
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.merkle import proof, proves, root

#: Leaves that differ: of two equal ones, each stands in the other's place as well.
LEAVES = st.lists(st.binary(max_size=8), min_size=1, max_size=40, unique=True)


@st.composite
def trees(draw: st.DrawFn) -> tuple[list[bytes], int]:
    """Leaves, and the number of one of them."""
    leaves = draw(LEAVES)
    return leaves, draw(st.integers(0, len(leaves) - 1))


def by_the_book(leaves: list[bytes]) -> bytes:
    """The definition of RFC 6962, word for word: split at the largest power of two below the size."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + by_the_book(leaves[:k]) + by_the_book(leaves[k:])).digest()


@given(st.lists(st.binary(max_size=8), max_size=40))
def test_the_root_is_that_of_the_definition(leaves: list[bytes]) -> None:
    assert root(leaves) == by_the_book(leaves).hex()


@pytest.mark.parametrize(
    ("leaves", "expected"),
    [
        ([], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ([b""], "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
    ],
)
def test_no_leaf_and_one_empty_leaf_have_the_known_roots(leaves: list[bytes], expected: str) -> None:
    assert root(leaves) == expected


@given(trees())
def test_every_leaf_proves_itself_in_as_few_hashes_as_the_tree_is_high(tree: tuple[list[bytes], int]) -> None:
    leaves, index = tree

    path = proof(leaves, index)

    assert len(path) <= math.ceil(math.log2(len(leaves)))
    assert proves(leaves[index], index, len(leaves), path, root(leaves))


@given(trees(), st.binary(max_size=8))
def test_another_leaf_does_not_prove(tree: tuple[list[bytes], int], other: bytes) -> None:
    leaves, index = tree
    assume(other != leaves[index])

    assert not proves(other, index, len(leaves), proof(leaves, index), root(leaves))


@given(trees(), st.integers(-2, 45))
def test_a_leaf_does_not_prove_in_another_place(tree: tuple[list[bytes], int], other: int) -> None:
    leaves, index = tree
    assume(other != index)

    assert not proves(leaves[index], other, len(leaves), proof(leaves, index), root(leaves))


@given(trees(), st.integers(0, 5), st.integers(0, 255), st.integers(1, 255))
def test_an_altered_neighbour_does_not_prove(tree: tuple[list[bytes], int], which: int, place: int, flip: int) -> None:
    leaves, index = tree
    path = list(proof(leaves, index))
    assume(path)
    altered = bytearray.fromhex(path[which % len(path)])
    altered[place % 32] ^= flip
    path[which % len(path)] = altered.hex()

    assert not proves(leaves[index], index, len(leaves), path, root(leaves))


@given(trees(), st.integers(-1, 45))
def test_a_size_that_gives_the_leaf_another_way_up_does_not_prove(tree: tuple[list[bytes], int], other: int) -> None:
    leaves, index = tree
    assume(other <= index or ways_up(index, other) != ways_up(index, len(leaves)))

    assert not proves(leaves[index], index, other, proof(leaves, index), root(leaves))


def ways_up(index: int, size: int) -> list[str]:
    """On which side its neighbour stands, level by level: what of the size a proof can tell."""
    sides = []
    while size > 1:
        if index ^ 1 < size:
            sides.append("left" if index % 2 else "right")
        index, size = index // 2, (size + 1) // 2
    return sides


@given(trees())
def test_a_proof_of_another_length_does_not_prove(tree: tuple[list[bytes], int]) -> None:
    leaves, index = tree
    path = proof(leaves, index)

    assert not proves(leaves[index], index, len(leaves), (*path, root(leaves)), root(leaves))
    assert not path or not proves(leaves[index], index, len(leaves), path[:-1], root(leaves))


@given(st.lists(st.binary(max_size=8), min_size=2, max_size=2, unique=True))
def test_an_inner_node_is_no_leaf(leaves: list[bytes]) -> None:
    hashes = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]

    assert root([b"".join(hashes)]) != root(leaves)


def test_what_is_no_hash_does_not_prove() -> None:
    assert not proves(b"a", 0, 2, ["no hash"], root([b"a", b"b"]))


@pytest.mark.parametrize(("size", "index"), [(0, 0), (1, 1), (3, -1)])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(size: int, index: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        proof([b"x"] * size, index)
