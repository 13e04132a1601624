"""The house's key: what it signed itself, it knows again. Ed25519 (RFC 8032) over the canonical card.

The card holds the artefact's hash, so the signature covers the artefact too.
"""

import contextlib
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from domain.canonical import canonical
from domain.errors import Refused, Unavailable
from domain.models import ModelCard

#: What is signed begins with this, so that no signature of another kind of thing fits.
_ABOUT = b"nocturne model card\n"
_OWNER_ONLY = 0o600


class HouseKey:
    """Signs cards and checks signatures."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @classmethod
    def fresh(cls) -> "HouseKey":
        """Return a key that nobody had before and that ends with the process."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def at(cls, path: Path) -> "HouseKey":
        """Return the key in a PEM file, making it (readable by its owner only) where there is none.

        Raises:
            Refused: the file is no Ed25519 key, or others can read it.
            Unavailable: it cannot be read or written.
        """
        try:
            if not path.exists():
                _make(path)
            if path.stat().st_mode & 0o077:
                raise Refused(f"others can read the key `{path}`; take it from them: chmod 600 {path}")
            key = load_pem_private_key(path.read_bytes(), None)
        except OSError as error:
            raise Unavailable(f"the key `{path}` cannot be had: {error.strerror}; repair the data folder") from error
        except (ValueError, TypeError) as error:
            raise Refused(f"`{path}` holds no key; put back the one that signed the models") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise Refused(f"`{path}` holds no Ed25519 key; put back the one that signed the models")
        return cls(key)

    def sign(self, card: ModelCard) -> str:
        """Return the signature of a card in hexadecimal digits."""
        return self._key.sign(_ABOUT + canonical(card)).hex()

    def signed(self, card: ModelCard, signature: str) -> bool:
        """Say whether this key signed the card."""
        try:
            self._key.public_key().verify(bytes.fromhex(signature), _ABOUT + canonical(card))
        except (InvalidSignature, ValueError):
            return False
        return True


def _make(path: Path) -> None:
    """Write a new key; when two processes do at once, both go on with the same one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
