"""Proofs that a record lies under a signed checkpoint, and that one checkpoint continues another (RFC 9162).

The tree over a long chain is not stored. Its complete subtrees of 256 records are kept in memory once they were read:
nothing in them can change. What a proof says is checked against the signed root before anybody sees it.
"""

import json
import threading
from collections import defaultdict

from control_plane.ports import Ledger
from domain.base import Word
from domain.errors import NotFound, Refused
from domain.keeping import Checkpoint
from domain.merkle import Node, consistency, consistent, inner_hash, leaf_hash, path, proves

_LEVEL = 8
_BLOCK = 1 << _LEVEL


class InclusionProof(Word):
    """The way from a record to the root that a checkpoint signed. `index` counts from 0, the leaf is the hash."""

    record_id: str
    hash: str
    index: int
    path: tuple[str, ...]
    checkpoint: Checkpoint
    public_key: str


class ConsistencyProof(Word):
    """The first checkpoint's chain is the beginning of the second one's."""

    first: Checkpoint
    second: Checkpoint
    path: tuple[str, ...]


class Forest:
    """The Merkle trees over the chains of a store."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._blocks: dict[str, list[bytes]] = defaultdict(list)
        self._lock = threading.Lock()

    def inclusion(self, sequence: int, checkpoint: Checkpoint) -> tuple[str, tuple[str, ...]]:
        """Return the record's hash and its way to the checkpoint's root.

        Raises:
            NotFound: there is no such record under this checkpoint.
            Refused: the chain is not the one that was signed.
        """
        hashes = self._hashes(checkpoint.tenant, sequence - 1, 1)
        if not hashes or not 1 <= sequence <= checkpoint.sequence:
            raise NotFound(f"there is no record {sequence} under the checkpoint `{checkpoint.id}`")
        leaf = bytes.fromhex(hashes[0])
        for _ in range(2):
            found = path(self._node(checkpoint.tenant), sequence - 1, checkpoint.sequence)
            if proves(leaf, sequence - 1, checkpoint.sequence, found, checkpoint.root):
                return hashes[0], found
            self._blocks.pop(checkpoint.tenant, None)  # what was read before may be of a chain that was replaced
        raise Refused("the chain is not the one that was signed, so nothing can be proved; verify the audit chain")

    def consistency(self, first: Checkpoint, second: Checkpoint) -> tuple[str, ...]:
        """Return the way that shows that the first is the beginning of the second. Raises Refused when it is not."""
        found = consistency(self._node(first.tenant), first.sequence, second.sequence)
        if not consistent(first.sequence, second.sequence, found, first.root, second.root):
            self._blocks.pop(first.tenant, None)
            raise Refused(f"`{second.id}` does not continue `{first.id}`; verify the audit chain")
        return found

    def _node(self, tenant: str) -> Node:
        leaves: dict[int, list[str]] = {}

        def node(level: int, index: int) -> bytes:
            if level == _LEVEL:
                return self._block(tenant, index)
            if level > _LEVEL:
                return inner_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))
            start = (index << level) // _BLOCK
            if start not in leaves:
                leaves[start] = self._hashes(tenant, start * _BLOCK, _BLOCK)
            at = (index << level) % _BLOCK
            return _complete(leaves[start][at : at + (1 << level)], level)

        return node

    def _block(self, tenant: str, index: int) -> bytes:
        with self._lock:
            blocks = self._blocks[tenant]
            while len(blocks) <= index:
                blocks.append(_complete(self._hashes(tenant, len(blocks) * _BLOCK, _BLOCK), _LEVEL))
            return blocks[index]

    def _hashes(self, tenant: str, after: int, count: int) -> list[str]:
        try:
            rows = self._ledger.rows(tenant, after=after, limit=count)
            hashes = [str(json.loads(row.body)["hash"]) for row in rows]
            assert all(len(bytes.fromhex(each)) == 32 for each in hashes)
        except (ValueError, LookupError, TypeError, AssertionError):
            raise Refused("a record is damaged, so nothing can be proved; verify the audit chain") from None
        return hashes


def _complete(hashes: list[str], level: int) -> bytes:
    if len(hashes) != 1 << level:
        raise Refused("records are missing, so nothing can be proved; verify the audit chain")
    nodes = [leaf_hash(bytes.fromhex(each)) for each in hashes]
    while len(nodes) > 1:
        nodes = [inner_hash(nodes[at], nodes[at + 1]) for at in range(0, len(nodes), 2)]
    return nodes[0]
