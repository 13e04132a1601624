"""Generated and reference networks: the same seed, the same network, and one that can carry its traffic."""

from collections import Counter

import pytest

from domain.changes import SetOperational
from domain.errors import BadInput
from domain.network import Inventory, NodeKind, Operational
from twin.evaluate import evaluate
from twin.generator import operator_network
from twin.integrity import check
from twin.inventory import from_topohub
from twin.snapshot import Snapshot


def size(inventory: Inventory) -> int:
    return len(inventory.nodes) + len(inventory.links)


@pytest.mark.parametrize("elements", [60, 200, 1000])
def test_an_operator_network_has_the_size_that_was_asked_for(elements: int) -> None:
    inventory = operator_network(7, elements)
    check(inventory)
    assert abs(size(inventory) - elements) <= 0.05 * elements


def test_an_operator_network_has_all_its_layers() -> None:
    kinds = Counter(node.kind for node in operator_network(7, 200).nodes)
    assert set(kinds) == set(NodeKind) - {NodeKind.ROUTER}
    assert kinds[NodeKind.GNB] == kinds[NodeKind.GATEWAY]


def test_the_seed_decides() -> None:
    assert operator_network(7, 100) == operator_network(7, 100)
    assert operator_network(7, 100) != operator_network(8, 100)


@pytest.mark.parametrize("inventory", [operator_network(7, 200), from_topohub("topozoo/Abilene")], ids=["grown", "ref"])
def test_nothing_is_lost_on_an_ordinary_day_and_links_are_neither_empty_nor_full(inventory: Inventory) -> None:
    predicted = evaluate(Snapshot.of(inventory))
    busy = sorted(predicted.utilisation(link.id) for link in inventory.links)
    assert predicted.lost_mbps == 0.0
    assert busy[-1] <= 0.6
    assert busy[len(busy) * 3 // 4] >= 0.2


def test_any_single_core_router_link_and_ring_link_can_fail_without_loss() -> None:
    inventory = operator_network(7, 200)
    snapshot = Snapshot.of(inventory)
    redundant = [link.id for link in inventory.links if not any(srlg.startswith("srlg:sky") for srlg in link.srlgs)]
    lost = [
        evaluate(snapshot, [SetOperational(element=link, state=Operational.DISABLED)]).lost_mbps for link in redundant
    ]
    assert max(lost) == pytest.approx(0.0)


def test_links_that_share_a_span_exist() -> None:
    spans = Counter(srlg for link in operator_network(7, 200).links for srlg in link.srlgs)
    assert max(spans.values()) >= 2


def test_an_operator_network_grows_around_a_backbone() -> None:
    backbone = from_topohub("topozoo/Abilene")
    inventory = operator_network(7, 300, backbone)
    cores = {node.id for node in inventory.nodes if node.kind is NodeKind.CORE}
    assert cores == {node.id for node in backbone.nodes if node.kind is NodeKind.ROUTER}
    assert abs(size(inventory) - 300) <= 15


@pytest.mark.parametrize("elements", [0, 39, 10**6])
def test_an_impossible_size_is_refused(elements: int) -> None:
    with pytest.raises(BadInput, match=str(elements)):
        operator_network(7, elements)


@pytest.mark.parametrize("ref", ["topozoo/Abilene", "topohub:backbone/africa_nosc", "gabriel/25/0", "topozoo/Marnet"])
def test_a_reference_network_is_complete(ref: str) -> None:
    inventory = from_topohub(ref)
    check(inventory)
    routers = [node for node in inventory.nodes if node.kind is NodeKind.ROUTER]
    assert len(routers) * 2 == len(inventory.nodes)
    assert inventory.demands
    assert inventory.customers
    assert all(link.srlgs for link in inventory.links)


def test_delay_follows_from_distance() -> None:
    links = {link.id: link for link in from_topohub("topozoo/Abilene").links}
    far = links["link:new-york--chicago"]
    assert far.delay_ms == pytest.approx(1146 * 0.005, rel=0.05)


@pytest.mark.parametrize("ref", ["topozoo/Nowhere", "../../etc/passwd", "", "topozoo/../topozoo/Abilene", "x" * 500])
def test_an_unknown_reference_is_refused(ref: str) -> None:
    with pytest.raises(BadInput):
        from_topohub(ref)


def test_academic_data_is_refused_with_the_reason() -> None:
    with pytest.raises(BadInput, match="academic"):
        from_topohub("sndlib/germany50")
