"""What keeping the record safe needs from outside: a second place for checkpoints, and a key to sign them with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from domain.keeping import Checkpoint


class Anchor(Protocol):
    """A second place, out of reach of whoever can alter the store: it only grows."""

    #: What messages call it; never a password.
    name: str

    def append(self, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint; durable when this returns. The same one again changes nothing.

        Raises:
            Conflict: another checkpoint of this place in the chain is kept already.
            Unavailable: it cannot be written.
        """

    def read(self, tenant: str) -> list[Checkpoint]:
        """Return the tenant's checkpoints in order of the chain. What is damaged is left out (see `damage`).

        Raises:
            Unavailable: it cannot be read.
        """

    def last(self, tenant: str) -> Checkpoint | None:
        """Return what `read` returns last, or None; it takes no longer for a place that has been kept for years.

        Raises:
            Unavailable: it cannot be read.
        """

    def damage(self) -> list[str]:
        """Return one sentence for each line that is no checkpoint: somebody wrote there, or a disk failed.

        Raises:
            Unavailable: it cannot be read.
        """

    def close(self) -> None:
        """Let go of the place."""


class Succession(NamedTuple):
    """One key followed another. `signature` is the old one's, over `succession_payload` of the new public half."""

    old: str
    new: str
    public: str
    signature: str


def succession_payload(public: str) -> bytes:
    """Return what an old key signs to vouch for a new one."""
    return b"nocturne key\n" + public.encode()


class Signer(Protocol):
    """Signs with the newest key; knows the public half of all that there were. Ed25519 (RFC 8032)."""

    @property
    def key_id(self) -> str:
        """The newest key: the first 16 hexadecimal digits of the SHA-256 of its public half."""

    @property
    def keys(self) -> Mapping[str, str]:
        """Key id to public half (64 hexadecimal digits), of the newest key and of all retired ones."""

    def sign(self, payload: bytes) -> str:
        """Return the signature in hexadecimal digits."""

    def signed(self, key_id: str, payload: bytes, signature: str) -> bool:
        """Say whether a key that is known here signed this."""

    def rotate(self) -> Succession:
        """Go on with a new key. The old one's public half is kept, its private half is destroyed.

        Raises:
            Unavailable: the new key cannot be written; the old one stays.
        """


@dataclass(frozen=True)
class Vault:
    """A second place and the key to it."""

    anchor: Anchor
    signer: Signer
