"""Keys of the house: Ed25519 (RFC 8032) in PEM files that their owner alone can read.

A key's id is the first 16 hexadecimal digits of the SHA-256 of its public half.
"""

import contextlib
import hashlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from control_plane.audit.ports import Succession, succession_payload
from domain.errors import Refused, Unavailable

_OWNER_ONLY = 0o600
_ENDING = ".public"


def private_key(path: Path, about: str) -> Ed25519PrivateKey:
    """Return the key in a PEM file, making it (readable by its owner only) where there is none.

    Args:
        path: of the file.
        about: what it signs, for messages.

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
        raise Refused(f"`{path}` holds no key; put back the one that signed the {about}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Refused(f"`{path}` holds no Ed25519 key; put back the one that signed the {about}")
    return key


def fits(public: str, payload: bytes, signature: str) -> bool:
    """Say whether the key with this public half (hexadecimal digits) signed `payload`."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), payload)
    except (InvalidSignature, ValueError):
        return False
    return True


def public_half(key: Ed25519PrivateKey) -> str:
    """Return the public half as 64 hexadecimal digits."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def id_of(public: str) -> str:
    """Return the id of the key with this public half."""
    return hashlib.sha256(bytes.fromhex(public)).hexdigest()[:16]


class PassingKeys:
    """The `Signer` port in memory: keys that end with the process."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self._known = {id_of(public_half(self._key)): public_half(self._key)}

    @property
    def key_id(self) -> str:
        return id_of(public_half(self._key))

    @property
    def keys(self) -> Mapping[str, str]:
        return dict(self._known)

    def sign(self, payload: bytes) -> str:
        return self._key.sign(payload).hex()

    def signed(self, key_id: str, payload: bytes, signature: str) -> bool:
        return key_id in self._known and fits(self._known[key_id], payload, signature)

    def rotate(self) -> Succession:
        old, self._key = self._key, Ed25519PrivateKey.generate()
        self._known[self.key_id] = public_half(self._key)
        return _succession(old, self._key)


class KeptKeys:
    """The `Signer` port on a folder: one private key, and the public half of every key that there was.

    Raises:
        Refused: the key is damaged, or others can read it.
        Unavailable: the folder cannot be read or written.
    """

    def __init__(self, folder: Path, about: str = "checkpoints") -> None:
        self._path, self._about = folder / f"{about}.key", about
        self._public = folder / f"{about}-public"
        self._take(private_key(self._path, about))

    @property
    def key_id(self) -> str:
        return self._id

    @property
    def keys(self) -> Mapping[str, str]:
        found = {self._id: public_half(self._key)}
        try:
            for path in sorted(self._public.glob(f"*{_ENDING}")):
                public = path.read_text(encoding="ascii").strip()
                if len(public) == 64 and id_of(public) == path.stem:  # else somebody renamed or altered it
                    found[path.stem] = public
        except (OSError, ValueError) as error:
            raise Unavailable(f"the public keys in `{self._public}` cannot be read; repair the data folder") from error
        return found

    def sign(self, payload: bytes) -> str:
        return self._key.sign(payload).hex()

    def signed(self, key_id: str, payload: bytes, signature: str) -> bool:
        public = self.keys.get(key_id)
        return public is not None and fits(public, payload, signature)

    def rotate(self) -> Succession:
        old = self._key
        draft = self._path.with_name(f".{self._path.name}.{secrets.token_hex(8)}")
        try:
            _write(draft)
            draft.replace(self._path)
        except OSError as error:
            raise Unavailable(f"no new key can be written: {error.strerror}; repair the data folder") from error
        self._take(private_key(self._path, self._about))
        return _succession(old, self._key)

    def _take(self, key: Ed25519PrivateKey) -> None:
        """Go on with a key, once its public half is kept: what it signs must be checked for ever."""
        public = public_half(key)
        path = self._public / f"{id_of(public)}{_ENDING}"
        try:
            self._public.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not path.exists():
                path.write_text(public + "\n", encoding="ascii")
        except OSError as error:
            raise Unavailable(f"the key in `{path}` cannot be kept: {error.strerror}; repair the folder") from error
        self._key, self._id = key, id_of(public)


def _succession(old: Ed25519PrivateKey, new: Ed25519PrivateKey) -> Succession:
    public = public_half(new)
    signature = old.sign(succession_payload(public)).hex()
    return Succession(id_of(public_half(old)), id_of(public), public, signature)


def _make(path: Path) -> None:
    """Write a new key; when two processes do at once, both go on with the same one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    _write(draft)
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()


def _write(path: Path) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
