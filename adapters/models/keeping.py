"""What every `ModelStore` promises, wherever it keeps the three files of a version: artefact, card, signature.

Nothing is kept unchecked, and nothing comes out unchecked: hash, format, card and signature are looked at each time.
"""

import hashlib
import hmac
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping

from pydantic import ValidationError

from adapters.models import tensors
from adapters.models.signing import HouseKey
from control_plane.ports import KeptModel
from domain.canonical import canonical
from domain.errors import BadInput, Conflict, NocturneError, NotFound, Refused, Unavailable
from domain.models import VERSION, ModelCard

ARTEFACT, CARD, SIGNATURE = "model.safetensors", "card.json", "signature"
#: The files of a version, and how many bytes each may have.
LIMITS: Mapping[str, int] = {ARTEFACT: tensors.MOST_BYTES, CARD: 256 * 2**10, SIGNATURE: 1024}

_VERSION = re.compile(VERSION)


class ModelKeeping(ABC):
    """The `ModelStore` port over files by name; where these lie is up to the subclass."""

    def __init__(self, key: HouseKey) -> None:
        """Sign with the house's key, and believe no other."""
        self._key = key

    def put(self, card: ModelCard, artefact: bytes) -> KeptModel:
        check(card, artefact)
        kept = KeptModel(card, artefact, self._key.sign(card))
        files = {ARTEFACT: artefact, CARD: canonical(card), SIGNATURE: kept.signature.encode()}
        if not self._add(card.version, files):
            self._require_same(kept)
        return kept

    def get(self, version: str) -> KeptModel:
        if not _VERSION.fullmatch(version):
            raise NotFound(f"`{version[:80]}` names no version; they look like `mv_…`")
        try:
            return self._verified(version, self._files(version))
        except BadInput as error:
            raise Refused(f"`{version}` is not what was registered: {error.reason}") from error

    def _verified(self, version: str, files: Mapping[str, bytes]) -> KeptModel:
        if set(files) != set(LIMITS):
            odd = sorted(set(files) ^ set(LIMITS))
            raise BadInput(f"`{odd[0][:64]}` is {'one file too many' if odd[0] in files else 'missing'}; restore it")
        card = _card(files[CARD])
        if card.version != version:
            raise BadInput(f"its card is that of `{card.version}`; restore it")
        signature = files[SIGNATURE].decode("ascii", errors="replace")
        if not self._key.signed(card, signature):
            raise BadInput("this house's key did not sign its card; register it anew")
        check(card, files[ARTEFACT])
        return KeptModel(card, files[ARTEFACT], signature)

    def _require_same(self, kept: KeptModel) -> None:
        version = kept.card.version
        try:
            there = self.get(version)
        except Refused as error:
            raise Conflict(f"{error.reason}; name another version") from error
        if (there.card, there.artefact) != (kept.card, kept.artefact):
            raise Conflict(f"another artefact or card is kept as `{version}`; name another version")

    @abstractmethod
    def versions(self) -> list[str]: ...

    @abstractmethod
    def _add(self, version: str, files: Mapping[str, bytes]) -> bool:
        """Keep all the files of a version or none; say no when the version is taken. Raises Unavailable."""

    @abstractmethod
    def _files(self, version: str) -> Mapping[str, bytes]:
        """Return whatever is kept of a version.

        Raises:
            NotFound: nothing is.
            BadInput: something is that is no file of a sound size.
            Unavailable: it cannot be read.
        """


class NoModels:
    """The `ModelStore` port where the store cannot be had: it says why to everybody, and the house goes on."""

    def __init__(self, why: NocturneError) -> None:
        self._why = why

    def put(self, card: ModelCard, artefact: bytes) -> KeptModel:  # noqa: ARG002  # the port's names
        raise Unavailable(self._why.reason)

    def get(self, version: str) -> KeptModel:  # noqa: ARG002  # the port's names
        raise Refused(self._why.reason)

    def versions(self) -> list[str]:
        return []


def is_version(name: str) -> bool:
    """Say whether a name is that of a version, and so safe to be part of a path."""
    return _VERSION.fullmatch(name) is not None


def check(card: ModelCard, artefact: bytes) -> None:
    """Check that an artefact is tensors, and the one that the card describes.

    Raises:
        BadInput: it is not; the reason says what is wrong.
    """
    found = hashlib.sha256(artefact).hexdigest()
    if len(artefact) != card.artefact_bytes or not hmac.compare_digest(found, card.artefact_sha256):
        tensors.read(artefact)  # what is no tensors at all is called so
        raise BadInput(
            f"the artefact's hash is {found[:12]}…, and its card says {card.artefact_sha256[:12]}…; restore the file"
        )
    tensors.read(artefact)


def _card(text: bytes) -> ModelCard:
    try:
        card = ModelCard.model_validate_json(text)
    except (ValidationError, RecursionError) as error:
        raise BadInput("its card cannot be read; restore it") from error
    if canonical(card) != text:
        raise BadInput("its card is not written as this house writes cards; restore it")
    return card
