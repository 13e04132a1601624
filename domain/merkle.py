"""Merkle trees as in RFC 6962, section 2.1: one hash for many leaves, and short proofs that one leaf is among them.

A leaf is hashed behind a zero byte and an inner node behind a one byte, so that neither is ever taken for the other. A
node without a right neighbour is carried up as it is: no leaf counts twice. Hashes are SHA-256, written as 64
hexadecimal digits. A tree that only grows is kept as its peaks: the roots of its complete subtrees.
"""

import hashlib
from collections.abc import Callable, Sequence


def root(leaves: Sequence[bytes]) -> str:
    """Return the root of the tree over the leaves in this order; of none, the hash of nothing."""
    level = [leaf_hash(leaf) for leaf in leaves] or [hashlib.sha256(b"").digest()]
    while len(level) > 1:
        level = _above(level)
    return level[0].hex()


def proof(leaves: Sequence[bytes], index: int) -> tuple[str, ...]:
    """Return the neighbours on the way from a leaf to the root, the lowest first: at most one for each level.

    Raises:
        ValueError: there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise ValueError(f"there is no leaf {index} among {len(leaves)}; count from 0")
    level, neighbours = [leaf_hash(leaf) for leaf in leaves], []
    while len(level) > 1:
        if index ^ 1 < len(level):
            neighbours.append(level[index ^ 1].hex())
        level, index = _above(level), index // 2
    return tuple(neighbours)


def proves(leaf: bytes, index: int, size: int, proof: Sequence[str], root: str) -> bool:
    """Say whether `leaf` is number `index` of the `size` leaves under `root` (RFC 9162, section 2.1.3.2).

    `size` is to be taken from where the root stands, as the root is: a proof alone does not tell the size of a tree.
    """
    if not 0 <= index < size:
        return False
    try:
        neighbours = [bytes.fromhex(neighbour) for neighbour in proof]
    except ValueError:
        return False
    node, last, left = leaf_hash(leaf), size - 1, iter(neighbours)
    while last > 0:
        if index % 2 or index < last:  # otherwise it has no neighbour on this level and is carried up
            neighbour = next(left, None)
            if neighbour is None:
                return False
            node = inner_hash(neighbour, node) if index % 2 else inner_hash(node, neighbour)
        index, last = index // 2, last // 2
    return next(left, None) is None and node.hex() == root


#: Returns the root of the complete subtree number `index` (from 0) over `2 ** level` leaves.
Node = Callable[[int, int], bytes]


def path(node: Node, index: int, size: int) -> tuple[str, ...]:
    """Return what `proof` returns, of a tree whose complete subtrees are known. Raises ValueError likewise."""
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} among {size}; count from 0")
    return tuple(found.hex() for found in _path(node, index, 0, size))


def consistency(node: Node, first: int, second: int) -> tuple[str, ...]:
    """Return a proof that the tree of `first` leaves is the beginning of that of `second` (RFC 9162, 2.1.4.1).

    Raises:
        ValueError: the first tree is empty, or larger than the second.
    """
    if not 0 < first <= second:
        raise ValueError(f"a tree of {first} leaves is no beginning of one of {second}; give 0 < first <= second")
    return tuple(found.hex() for found in _consistency(node, first, 0, second, whole=True))


def consistent(first: int, second: int, proof: Sequence[str], first_root: str, second_root: str) -> bool:
    """Say whether the first tree is the beginning of the second one (RFC 9162, section 2.1.4.2)."""
    if first == second:
        return not proof and first_root == second_root
    try:
        nodes = [bytes.fromhex(node) for node in proof]
        if first & (first - 1) == 0:  # a complete tree is itself the first node, and is left out
            nodes.insert(0, bytes.fromhex(first_root))
    except ValueError:
        return False
    if not 0 < first < second or not nodes:
        return False
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = inner_hash(node, old), inner_hash(node, new)
            while not at & 1 and at != 0:
                at, last = at >> 1, last >> 1
        else:
            new = inner_hash(new, node)
        at, last = at >> 1, last >> 1
    return last == 0 and old.hex() == first_root and new.hex() == second_root


class Peaks:
    """A tree that grows leaf by leaf, and is no more than the roots of its complete subtrees, the largest first."""

    def __init__(self, size: int = 0, peaks: Sequence[str] = ()) -> None:
        if size < 0 or size.bit_count() != len(peaks):
            raise ValueError(f"a tree of {size} leaves has {max(size, 0).bit_count()} peaks, not {len(peaks)}")
        self.size = size
        self._peaks = [bytes.fromhex(peak) for peak in peaks]

    def push(self, leaf: bytes) -> None:
        """Add the next leaf."""
        node, size = leaf_hash(leaf), self.size
        while size & 1:
            node, size = inner_hash(self._peaks.pop(), node), size >> 1
        self._peaks.append(node)
        self.size += 1

    @property
    def root(self) -> str:
        """The root of the tree, as `root` returns it."""
        if not self._peaks:
            return root([])
        node = self._peaks[-1]
        for peak in self._peaks[-2::-1]:
            node = inner_hash(peak, node)
        return node.hex()

    @property
    def peaks(self) -> tuple[str, ...]:
        """The roots of the complete subtrees, the largest first."""
        return tuple(peak.hex() for peak in self._peaks)


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def inner_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node above two others."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def _above(level: Sequence[bytes]) -> list[bytes]:
    paired = [inner_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
    return paired + list(level[len(paired) * 2 :])


def _split(size: int) -> int:
    """Return the largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def _range(node: Node, start: int, size: int) -> bytes:
    """Return the root over `size` leaves from `start` on, which is a multiple of the next power of two."""
    if size & (size - 1) == 0:
        return node(size.bit_length() - 1, start // size)
    left = _split(size)
    return inner_hash(_range(node, start, left), _range(node, start + left, size - left))


def _path(node: Node, index: int, start: int, size: int) -> list[bytes]:
    if size == 1:
        return []
    left = _split(size)
    if index < left:
        return [*_path(node, index, start, left), _range(node, start + left, size - left)]
    return [*_path(node, index - left, start + left, size - left), _range(node, start, left)]


def _consistency(node: Node, first: int, start: int, size: int, *, whole: bool) -> list[bytes]:
    if first == size:
        return [] if whole else [_range(node, start, size)]
    left = _split(size)
    if first <= left:
        return [*_consistency(node, first, start, left, whole=whole), _range(node, start + left, size - left)]
    return [
        *_consistency(node, first - left, start + left, size - left, whole=False),
        _range(node, start, left),
    ]
