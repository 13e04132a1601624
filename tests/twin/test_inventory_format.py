"""Inventories read from JSON: the same network comes back, and what is wrong is named."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from domain.errors import BadInput, TooLarge
from tests.twin.small_networks import cell_site, square
from twin import integrity
from twin.generator import operator_network
from twin.inventory import dump, parse

LINKS = "ietf-network-topology:link"
POINTS = "ietf-network-topology:termination-point"


def document() -> dict[str, Any]:
    return copy.deepcopy(dump(cell_site()))


def network(data: dict[str, Any]) -> dict[str, Any]:
    inner: dict[str, Any] = data["ietf-network:networks"]["network"][0]
    return inner


def test_a_dumped_network_is_read_back_the_same() -> None:
    inventory = operator_network(3, 100)
    assert parse(json.loads(json.dumps(dump(inventory)))) == inventory


def test_the_document_speaks_rfc_8345() -> None:
    link = network(dump(square()))[LINKS][0]
    assert link["link-id"] == "l0"
    assert link["source"] == {"source-node": "a", "source-tp": "l0.a"}
    assert link["destination"] == {"dest-node": "b", "dest-tp": "l0.b"}


def test_fields_of_other_modules_are_skipped() -> None:
    data = document()
    network(data)["node"][0]["ietf-l3-unicast-topology:l3-node-attributes"] = {"name": "x"}
    assert parse(data) == parse(document())


def _dangle(data: dict[str, Any]) -> None:
    network(data)[LINKS][0]["destination"]["dest-tp"] = "tp:gone"


def _wrong_node(data: dict[str, Any]) -> None:
    network(data)[LINKS][0]["source"]["source-node"] = "gw"


def _twice(data: dict[str, Any]) -> None:
    network(data)["nocturne:demands"][0]["id"] = "gw"


def _loop(data: dict[str, Any]) -> None:
    loop = {"dependent": "power", "on": ["cell"], "kind": "powered_by", "needs": 1}
    network(data)["nocturne:dependencies"].append(loop)


def _own_link(data: dict[str, Any]) -> None:
    network(data)["nocturne:dependencies"].append({"dependent": "l0.a", "on": ["l0"], "kind": "carried_by", "needs": 1})


def _nan(data: dict[str, Any]) -> None:
    network(data)[LINKS][0]["nocturne:capacity-mbps"] = float("nan")


def _zero(data: dict[str, Any]) -> None:
    network(data)[LINKS][0]["nocturne:capacity-mbps"] = 0


def _negative(data: dict[str, Any]) -> None:
    network(data)["nocturne:demands"][0]["mbps"] = -1


def _unknown_dependency(data: dict[str, Any]) -> None:
    network(data)["nocturne:dependencies"][0]["on"] = ["ghost"]


def _too_needy(data: dict[str, Any]) -> None:
    network(data)["nocturne:dependencies"][0]["needs"] = 2


def _nowhere(data: dict[str, Any]) -> None:
    network(data)["nocturne:demands"][0]["destination"] = "cell"


def _to_itself(data: dict[str, Any]) -> None:
    demand = network(data)["nocturne:demands"][0]
    demand["destination"] = demand["source"]


def _strange_field(data: dict[str, Any]) -> None:
    network(data)["node"][0]["colour"] = "blue"


def _strange_part(data: dict[str, Any]) -> None:
    network(data)["nocturne:colours"] = []


def _strange_kind(data: dict[str, Any]) -> None:
    network(data)["node"][0]["nocturne:kind"] = "teapot"


def _unsold(data: dict[str, Any]) -> None:
    network(data)["nocturne:services"][0]["cells"] = ["gnb"]


def _nameless(data: dict[str, Any]) -> None:
    del network(data)["node"][0]["node-id"]


def _no_list(data: dict[str, Any]) -> None:
    network(data)["node"] = {"node-id": "x"}


def _endless_id(data: dict[str, Any]) -> None:
    network(data)["nocturne:demands"][0]["id"] = "x" * 300


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (_dangle, "tp:gone"),
        (_wrong_node, "link `l0` dangles"),
        (_twice, "`gw` is used twice"),
        (_loop, "loop: .*`power`"),
        (_own_link, "loop: .*`l0`"),
        (_nan, "capacity-mbps"),
        (_zero, "link `l0` has a bad `capacity-mbps`"),
        (_negative, "`d0`.*`mbps`"),
        (_unknown_dependency, "`ghost`"),
        (_too_needy, "needs 2 of 1"),
        (_nowhere, "`cell`.*routing node"),
        (_to_itself, "starts and ends"),
        (_strange_field, "`colour`"),
        (_strange_part, "`nocturne:colours`"),
        (_strange_kind, "`kind`"),
        (_unsold, "`gnb`.*cell"),
        (_nameless, "`node-id`"),
        (_no_list, "`node` must be a list"),
        (_endless_id, "1 to 256"),
    ],
)
def test_what_is_wrong_with_a_document_is_named(spoil: Callable[[dict[str, Any]], None], named: str) -> None:
    data = document()
    spoil(data)
    with pytest.raises(BadInput, match=named):
        parse(data)


@pytest.mark.parametrize("data", [None, 1, "x", [], {}, {"ietf-network:networks": {"network": []}}])
def test_what_is_no_document_is_refused(data: Any) -> None:
    with pytest.raises(BadInput):
        parse(data)


def test_a_network_beyond_the_limits_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(integrity.LIMITS, "nodes", 3)
    with pytest.raises(TooLarge, match="more than 3"):
        parse(document())


def test_two_links_do_not_share_an_end() -> None:
    shared = square()
    links = (shared.links[0], shared.links[1].but(source="l0.b"), *shared.links[2:])
    with pytest.raises(BadInput, match=r"`l0\.b` ends both `l0` and `l1`"):
        integrity.check(shared.but(links=links))
