"""Merkle trees as in RFC 6962, section 2.1: one hash for many leaves, and short proofs that one leaf is among them.

A leaf is hashed behind a zero byte and an inner node behind a one byte, so that neither is ever taken for the other. A
node without a right neighbour is carried up as it is: no leaf counts twice. Hashes are SHA-256, written as 64
hexadecimal digits.
"""

import hashlib
from collections.abc import Sequence


def root(leaves: Sequence[bytes]) -> str:
    """Return the root of the tree over the leaves in this order; of none, the hash of nothing."""
    level = [_leaf(leaf) for leaf in leaves] or [hashlib.sha256(b"").digest()]
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
    level, neighbours = [_leaf(leaf) for leaf in leaves], []
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
    node, last, left = _leaf(leaf), size - 1, iter(neighbours)
    while last > 0:
        if index % 2 or index < last:  # otherwise it has no neighbour on this level and is carried up
            neighbour = next(left, None)
            if neighbour is None:
                return False
            node = _inner(neighbour, node) if index % 2 else _inner(node, neighbour)
        index, last = index // 2, last // 2
    return next(left, None) is None and node.hex() == root


def _above(level: Sequence[bytes]) -> list[bytes]:
    paired = [_inner(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
    return paired + list(level[len(paired) * 2 :])


def _leaf(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def _inner(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
