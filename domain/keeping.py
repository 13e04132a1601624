"""What is kept so that a decision can be made again, checked elsewhere, or looked at later."""

from enum import StrEnum

from domain.base import Stored, Utc, Word
from domain.canonical import canonical, digest


class PinKind(StrEnum):
    DIAGNOSIS = "diagnosis"
    PLAN = "plan"
    REHEARSAL = "rehearsal"
    DECISION = "decision"


class Pin(Stored):
    """All that one result was computed from, as canonical JSON; the id is that of the result.

    `result` is the digest of what came out. Replaying computes it again from `inputs` alone.
    """

    kind: PinKind
    ref: str
    tenant: str = "default"
    inputs: str
    inputs_digest: str
    result: str
    made_at: Utc


class Tape(Stored):
    """An input that several pins share (a long reading, an inventory); the id is its digest."""

    body: str
    made_at: Utc


class PolicyNotice(Word):
    """What another book would change, in plain words; it is shown before anybody can put that book in force.

    `against`: the version in force when it was written. `decisions`: recorded ones that would have come out otherwise.
    """

    against: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    asked: int = 0

    @property
    def digest(self) -> str:
        """Name exactly this notice: whoever puts the book in force says so that this is what they read."""
        return digest(self)


class PolicyBook(Stored):
    """A policy book that is or was in force, or waits to be; the id is its version. `files` maps file name to text."""

    files: dict[str, str]
    schema_text: str
    chain: str = ""
    activated_at: Utc | None = None
    activated_by: str = ""
    notice: PolicyNotice | None = None
    loaded_at: Utc | None = None
    loaded_by: str = ""


class PolicyInForce(Stored):
    """Which book is in force; there is one row. `refused`: why the last book that was offered was not taken."""

    version: str
    since: Utc
    by: str
    refused: str = ""
    refused_at: Utc | None = None


class Checkpoint(Stored):
    """The head of one tenant's chain, signed (Ed25519), and kept in a second place, too; the id is that of the record.

    `root` is that of the Merkle tree (RFC 6962) over the hashes of all records up to this one, `peaks` are the roots of
    its complete subtrees, the largest first: with them the tree can grow on.
    """

    tenant: str
    sequence: int
    head: str
    root: str
    peaks: tuple[str, ...] = ()
    key_id: str
    signature: str
    made_at: Utc

    @property
    def payload(self) -> bytes:
        """What is signed. It begins with what it is, so that no signature of another kind of thing fits."""
        return b"nocturne checkpoint\n" + canonical(self.model_dump(mode="json", exclude={"signature"}))


class Review(Stored):
    """A look back that is owed (broken glass, performance of a model or an agent): who, when, what was decided."""

    tenant: str = "default"
    kind: str
    ref: str
    due_at: Utc
    held_at: Utc | None = None
    attendees: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    recorded_by: str = ""
