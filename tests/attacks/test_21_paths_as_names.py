"""Row 21: a name leads to no file: not of a model, not in an action, not at a door."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.models.files import FileModels
from adapters.models.keeping import is_version
from adapters.models.signing import HouseKey
from domain.actions import Action, RetireModel, SwitchModel, TrainModel
from domain.errors import NotFound
from domain.models import DIAGNOSIS_SLOT
from tests.attacks.ring_house import RingHouse
from tests.conformance.test_model_store_port import artefact_of, card_of

NAMES = (
    "../../etc/passwd",
    "/etc/passwd",
    "mv_../../etc",
    "mv_one/../mv_two",
    "%2e%2e%2fetc",
    "mv_%2e%2e",
    "mv_one\x00.safetensors",
    "mv_\u2215etc\u2215passwd",
    "mv_\uff0e\uff0e\uff0f",
    "..\\..\\windows",
    "C:\\windows",
    "CON",
    "mv_" + "x" * 300,
    "mv_one ",
    "mv_one\n",
    "",
    ".",
    "..",
    ".draft-0123",
    "mv_ONE",
)


@pytest.fixture
def store(tmp_path: Path) -> FileModels:
    found = FileModels(tmp_path / "models", HouseKey.at(tmp_path / "keys" / "key"))
    honest = artefact_of()
    found.put(card_of(honest), honest)
    return found


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_that_leads_elsewhere_names_no_version(store: FileModels, tmp_path: Path, name: str) -> None:
    before = {*tmp_path.rglob("*")}

    with pytest.raises(NotFound, match="names no version"):
        store.get(name)
    with pytest.raises(ValidationError):
        card_of(artefact_of(), name).but(version=name)

    assert {*tmp_path.rglob("*")} == before


@given(name=st.text(max_size=80))
def test_whatever_a_version_is_called_it_is_one_part_of_a_path(name: str) -> None:
    assert not is_version(name) or (Path(name).name == name and name.isascii() and name.startswith("mv_"))


HONEST: dict[str, Action] = {
    "switch": SwitchModel(target=DIAGNOSIS_SLOT, version="mv_one", previous="mv_two"),
    "train": TrainModel(target=DIAGNOSIS_SLOT, version="mv_one", recipe="quick", seed=1),
    "retire": RetireModel(target=DIAGNOSIS_SLOT, version="mv_one", recipe="quick", seed=1),
}


@pytest.mark.parametrize("name", NAMES, ids=ascii)
@pytest.mark.parametrize("kind", HONEST)
def test_no_action_takes_such_a_name(kind: str, name: str) -> None:
    honest = HONEST[kind]
    again = type(honest).model_validate(honest.model_dump())
    assert again == honest

    with pytest.raises(ValidationError) as refused:
        type(honest).model_validate(honest.model_dump() | {"version": name})

    assert {error["loc"] for error in refused.value.errors()} == {("version",)}


#: What no client library takes out of an address before it is sent.
SENT = [name for name in NAMES if name not in {"", ".", ".."} and not {"\n", "\x00"} & {*name}]


@pytest.mark.parametrize("base", ["/proposals/", "/audit/trail/", "/lineage/", "/static-offline-docs/"])
def test_no_door_takes_a_name_for_a_file(ring: RingHouse, base: str) -> None:
    for name in SENT:
        answer = ring.get("auditor", base + name)

        assert answer.status_code in {400, 403, 404}, name
        assert "root:" not in answer.text
        assert str(ring.settings.data) not in answer.text
