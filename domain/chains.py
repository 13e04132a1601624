"""Following a chain of records link by link, from the bytes as they are stored, and naming the first bad one.

What is checked of each record: its place, its bytes, that it follows the one before, its own hash, and every field
against its commitment. Over the whole: that every emptied field was redacted by a record, and that the chain goes
through every signed checkpoint. Why a record is bad is said in one sentence.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from domain.base import Word
from domain.canonical import canonical, digest
from domain.keeping import Checkpoint
from domain.merkle import Peaks
from domain.records import GENESIS, REDACTED, Record, Row, record_id, row_of

_ENVELOPE = frozenset(Record.model_fields) - {"fields"}
_FIELD = frozenset({"salt", "value"})


class Break(Word):
    """The first place where a chain is broken: the record, and what is wrong with it."""

    record_id: str
    reason: str


def first_break(records: Iterable[Record], heads: Mapping[str, str] | None = None) -> Break | None:
    """Return the first broken link of a chain that is given in stored order, or None when it verifies.

    Args:
        records: the whole chain of one tenant, as stored.
        heads: tenant to hash of the last record, where it is known from elsewhere; finds a lost tail.
    """
    follower: Follower | None = None
    for record in records:
        follower = follower or Follower(record.tenant)
        if found := follower.take(row_of(record)):
            return found
    if follower and heads and heads.get(follower.tenant, follower.head) != follower.head:
        return Break(record_id=record_id(follower.tenant, follower.next), reason="the tail of the chain is lost")
    return None


class Follower:
    """Follows the chain of one tenant from its beginning, or from a checkpoint whose signature was checked.

    `checkpoints` are those that the chain must go through, in order; their signatures are the caller's matter.
    """

    def __init__(self, tenant: str, *, since: Checkpoint | None = None, checkpoints: Sequence[Checkpoint] = ()) -> None:
        self.tenant = tenant
        self.head = since.head if since else GENESIS
        self.next = since.sequence + 1 if since else 1
        self.tree = Peaks(since.sequence, since.peaks) if since else Peaks()
        #: How many fields were redacted, by a record that says so.
        self.redactions = 0
        self._since = since.sequence if since else 0
        self._ahead = [each for each in checkpoints if each.sequence >= self.next]
        self._signed_to = self._since
        self._emptied: dict[tuple[int, str], str] = {}
        self._allowed: set[tuple[str, str]] = set()

    def take(self, row: Row) -> Break | None:
        """Take the next row; return what is wrong with it. Nothing may be taken after a break."""
        reason = self._reason(row)
        if reason:
            return Break(record_id=record_id(self.tenant, row.sequence), reason=reason)
        return None

    def finish(self) -> Break | None:
        """Return what is wrong with the chain as a whole, once every row was taken."""
        if self._ahead:
            last = self._ahead[-1]
            return self._break(self.next, f"the tail is lost: {last.made_at:%Y-%m-%d %H:%M:%S} signed {last.sequence}")
        unexplained = sorted(set(self._emptied) - {self._place(*named) for named in self._allowed})
        if unexplained:
            sequence, name = unexplained[0]
            return self._break(sequence, f"its field `{name}` was emptied without a recorded redaction")
        return self._came_back()

    def _came_back(self) -> Break | None:
        """A redaction that is recorded, of a field that is there all the same: an older row was put back."""
        for named in sorted(self._allowed):
            place = self._place(*named)
            if place[0] > self._since and place not in self._emptied:
                return self._break(place[0], f"its field `{place[1]}` was redacted and is there again")
        self.redactions = len(self._emptied)
        return None

    def _reason(self, row: Row) -> str:
        if row.sequence != self.next:
            return f"record {self.next} is missing or out of order"
        envelope = _parsed(row.body)
        if envelope is None or set(envelope) != _ENVELOPE or not isinstance(envelope["commitments"], dict):
            return "its bytes are not those of a record"
        at_home = envelope["tenant"] == self.tenant and envelope["sequence"] == row.sequence
        if not at_home or envelope["id"] != record_id(self.tenant, row.sequence):
            return f"another record stands in its place, `{str(envelope['id'])[:80]}`"
        if envelope["previous"] != self.head:
            return "it does not follow the record before it"
        if digest({name: value for name, value in envelope.items() if name != "hash"}) != envelope["hash"]:
            return "its envelope was altered"
        return self._fields_reason(row, envelope) or self._onwards(envelope["hash"])

    def _fields_reason(self, row: Row, envelope: Mapping[str, Any]) -> str:
        fields = _parsed(row.fields)
        if fields is None or any(not isinstance(field, dict) or set(field) != _FIELD for field in fields.values()):
            return "the bytes of its fields were altered"
        if set(fields) != set(envelope["commitments"]):
            return "a field was added or taken away"
        for name, field in fields.items():
            if field["salt"] is None and field["value"] is None:
                self._emptied[row.sequence, name] = envelope["kind"]
            elif not _fits(name, field, envelope["commitments"][name]):
                return f"its field `{name}` was altered"
        if envelope["kind"] == REDACTED:
            return self._take_redaction(fields)
        return ""

    def _take_redaction(self, fields: Mapping[str, Any]) -> str:
        record, name = fields.get("record", {}).get("value"), fields.get("field", {}).get("value")
        if not isinstance(record, str) or not isinstance(name, str):
            return "it records a redaction and does not say of what"
        self._allowed.add((record, name))
        return ""

    def _onwards(self, head: str) -> str:
        self.head, self.next = head, self.next + 1
        self.tree.push(bytes.fromhex(head))
        while self._ahead and self._ahead[0].sequence == self.next - 1:
            checkpoint = self._ahead.pop(0)
            if (checkpoint.head, checkpoint.root) != (self.head, self.tree.root):
                among = f"one of the records {self._signed_to + 1} to {checkpoint.sequence} was replaced"
                return f"it is not the record that the checkpoint of {checkpoint.made_at.isoformat()} signed: {among}"
            self._signed_to = checkpoint.sequence
        return ""

    def _place(self, record: str, name: str) -> tuple[int, str]:
        tenant, _, digits = record.rpartition(":")
        return (int(digits) if tenant == self.tenant and digits.isdecimal() else 0, name)

    def _break(self, sequence: int, reason: str) -> Break:
        return Break(record_id=record_id(self.tenant, sequence), reason=reason)


def _parsed(text: bytes) -> dict[str, Any] | None:
    """Return a JSON object whose canonical form is exactly these bytes, or None."""
    try:
        value = json.loads(text)
        return value if isinstance(value, dict) and canonical(value) == text else None
    except (ValueError, TypeError, RecursionError):
        return None


def _fits(name: str, field: Mapping[str, Any], committed: str) -> bool:
    try:
        salt = bytes.fromhex(field["salt"])
        if salt.hex() != field["salt"]:
            return False
        return hashlib.sha256(salt + canonical([name, field["value"]])).hexdigest() == committed
    except (ValueError, TypeError):  # a salt that is not hexadecimal, a value that has no canonical form
        return False
