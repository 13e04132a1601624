"""Laws of trees that grow: what is kept of them says the same as the whole tree does."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from domain.merkle import Peaks, consistency, consistent, inner_hash, leaf_hash, path, proof, root

LEAVES = st.lists(st.binary(max_size=8), min_size=1, max_size=70)
MORE_LEAVES = st.lists(st.binary(max_size=8), min_size=2, max_size=70)


def node_of(leaves: list[bytes]):
    def node(level: int, index: int) -> bytes:
        if level == 0:
            return leaf_hash(leaves[index])
        return inner_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))

    return node


@given(LEAVES, st.integers(0, 70))
def test_peaks_have_the_root_of_the_whole_tree_wherever_they_went_on(leaves: list[bytes], cut: int) -> None:
    begun = Peaks()
    for leaf in leaves[:cut]:
        begun.push(leaf)

    grown = Peaks(begun.size, begun.peaks)
    for leaf in leaves[cut:]:
        grown.push(leaf)

    assert grown.root == root(leaves)
    assert begun.root == root(leaves[:cut])


@given(LEAVES, st.integers(0, 69))
def test_a_path_over_known_subtrees_is_the_proof_over_all_leaves(leaves: list[bytes], index: int) -> None:
    index %= len(leaves)

    assert path(node_of(leaves), index, len(leaves)) == proof(leaves, index)


@given(LEAVES, st.integers(1, 70))
def test_a_tree_is_consistent_with_what_it_grew_from(leaves: list[bytes], first: int) -> None:
    first = min(first, len(leaves))

    found = consistency(node_of(leaves), first, len(leaves))

    assert consistent(first, len(leaves), found, root(leaves[:first]), root(leaves))


@given(MORE_LEAVES, st.integers(0, 70), st.integers(0, 69))
def test_a_tree_whose_beginning_was_replaced_is_not_consistent(leaves: list[bytes], first: int, at: int) -> None:
    first = 1 + first % (len(leaves) - 1)
    replaced = [*leaves]
    replaced[at % first] += b"x"

    found = consistency(node_of(replaced), first, len(leaves))

    assert not consistent(first, len(leaves), found, root(leaves[:first]), root(replaced))


@given(MORE_LEAVES, st.integers(0, 70), st.integers(0, 20))
def test_an_altered_consistency_proof_shows_nothing(leaves: list[bytes], first: int, which: int) -> None:
    first = 1 + first % (len(leaves) - 1)
    found = list(consistency(node_of(leaves), first, len(leaves)))
    found[which % len(found)] = hashlib.sha256(b"another").hexdigest()

    assert not consistent(first, len(leaves), found, root(leaves[:first]), root(leaves))
