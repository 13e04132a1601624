"""What an account can show besides its token: keys of old feeds, and fresh proofs. Never the secret itself."""

from enum import StrEnum

from pydantic import Field

from domain.base import Stored, Utc


class CredentialKind(StrEnum):
    KEY = "key"  # for a feed that can send nothing but a fixed header
    PROOF = "proof"  # says that the account's holder was here a moment ago


class Credential(Stored):
    """One key or proof of an account: SHA-256 of its 256 random bits, and how long it holds.

    `last_used_at` is the first use of the last day on which it was used, because every write has its place in the
    record, and one per request would bury the rest.
    """

    tenant: str = "default"
    kind: CredentialKind
    account: str
    label: str = Field(default="", max_length=128)
    hash: str
    made_by: str
    made_at: Utc
    expires_at: Utc
    revoked_at: Utc | None = None
    last_used_at: Utc | None = None

    def holds(self, now: Utc) -> bool:
        """Say whether it may still be used at a moment."""
        return self.revoked_at is None and now < self.expires_at
