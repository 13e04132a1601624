"""The house's key: what it signed itself, it knows again. Ed25519 (RFC 8032) over the canonical card.

The card holds the artefact's hash, so the signature covers the artefact too.
"""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.keys import fits, private_key, public_half
from domain.canonical import canonical
from domain.models import ModelCard

#: What is signed begins with this, so that no signature of another kind of thing fits.
_ABOUT = b"nocturne model card\n"


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
        return cls(private_key(path, "models"))

    def sign(self, card: ModelCard) -> str:
        """Return the signature of a card in hexadecimal digits."""
        return self._key.sign(_ABOUT + canonical(card)).hex()

    def signed(self, card: ModelCard, signature: str) -> bool:
        """Say whether this key signed the card."""
        return fits(public_half(self._key), _ABOUT + canonical(card), signature)
