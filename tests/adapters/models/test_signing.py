from pathlib import Path
from threading import Thread

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from adapters.models.signing import HouseKey
from domain.canonical import canonical
from domain.errors import Refused, Unavailable
from tests.conformance.test_model_store_port import artefact_of, card_of

CARD = card_of(artefact_of())


def test_a_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "model-signing.key"

    signature = HouseKey.at(path).sign(CARD)

    assert HouseKey.at(path).signed(CARD, signature)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_processes_that_make_it_at_once_go_on_with_the_same_key(tmp_path: Path) -> None:
    made: list[HouseKey] = []
    threads = [Thread(target=lambda: made.append(HouseKey.at(tmp_path / "keys" / "key"))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({key.sign(CARD) for key in made}) == 1


@pytest.mark.parametrize("change", [{"seed": 2}, {"metrics": {"error": 0.0}}, {"version": "mv_two"}])
def test_a_signature_is_of_one_card(change: dict[str, object]) -> None:
    key = HouseKey.fresh()
    signature = key.sign(CARD)

    assert key.signed(CARD, signature)
    assert not key.signed(CARD.but(**change), signature)
    assert not HouseKey.fresh().signed(CARD, signature)


def test_a_signature_of_the_bare_bytes_is_none_of_a_card() -> None:
    key = HouseKey.fresh()

    bare = key._key.sign(canonical(CARD)).hex()

    assert not key.signed(CARD, bare)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    HouseKey.at(path)
    path.chmod(0o644)

    with pytest.raises(Refused, match="chmod 600"):
        HouseKey.at(path)


def _of_another_kind() -> bytes:
    key = generate_private_key(SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize("content", [b"", b"no key", _of_another_kind()])
def test_what_is_no_such_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(Refused, match="put back the one that signed"):
        HouseKey.at(path)


def test_a_place_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(Unavailable):
        HouseKey.at(tmp_path / "file" / "key")
