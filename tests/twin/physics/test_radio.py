"""Radio of two cells, worked out by hand from the models of 3GPP TR 36.942."""

import math
from typing import Any

import pytest

from domain.changes import SetOperational
from domain.errors import BadInput
from domain.network import Inventory, Node, NodeKind, Operational, Radio, UserGroup
from twin.evaluate import Prediction, evaluate
from twin.physics.radio import RadioState
from twin.snapshot import Snapshot

KM_PER_DEGREE = 6371.0 * math.pi / 180
NOISE_MW = 10 ** ((-174 + 10 * math.log10(180e3) + 9) / 10)
MHZ = 18.0  # 100 blocks


def cell(name: str, km_east: float, *users: tuple[float, float], **traits: Any) -> Node:
    """A cell on the equator with users at (km east, Mbit/s)."""
    groups = tuple(UserGroup(latitude=0.0, longitude=km / KM_PER_DEGREE, offered_mbps=mbps) for km, mbps in users)
    radio = Radio(power_dbm=46.0, prbs=100, users=groups, **traits)
    return Node(id=name, name=name, kind=NodeKind.CELL, latitude=0.0, longitude=km_east / KM_PER_DEGREE, radio=radio)


def received(km: float) -> float:
    """mW per block at a distance: 46 dBm over 100 blocks is 26 dBm."""
    return 10 ** ((26 - 128.1 - 37.6 * math.log10(km)) / 10)


def bits(sinr: float) -> float:
    return min(0.6 * math.log2(1 + sinr), 4.4)


def radio(inventory: Inventory, *lost: str) -> RadioState:
    return state(evaluate(Snapshot.of(inventory), [SetOperational(element=x, state="disabled") for x in lost]))


def state(prediction: Prediction) -> RadioState:
    assert prediction.radio is not None
    return prediction.radio


def pair(*nodes: Node) -> Inventory:
    return Inventory(name="radio", nodes=nodes)


def test_beside_an_empty_cell_there_is_only_noise() -> None:
    found = radio(pair(cell("a", 0.0, (0.5, 20.0)), cell("b", 2.0)))
    rate = MHZ * bits(received(0.5) / NOISE_MW)
    assert found.load.tolist() == pytest.approx([20.0 / rate, 0.0])
    assert found.delivered.tolist() == pytest.approx([20.0])


def test_beside_a_full_cell_all_of_its_power_disturbs() -> None:
    found = radio(pair(cell("a", 0.0, (0.5, 20.0)), cell("b", 2.0, (1.9, 1e4))))
    sinr = received(0.5) / (received(1.5) + NOISE_MW)
    assert found.sinr[0] == pytest.approx(sinr)
    assert found.load_of("a") == pytest.approx(20.0 / (MHZ * bits(sinr)))


def test_two_cells_that_disturb_each_other_settle_where_both_agree() -> None:
    found = radio(pair(cell("a", 0.0, (0.8, 15.0)), cell("b", 2.0, (1.2, 15.0))))
    low, high = 0.0, 1.0
    for _ in range(60):  # load = 15 / rate(load), by halving
        load = (low + high) / 2
        need = 15.0 / (MHZ * bits(received(0.8) / (load * received(1.2) + NOISE_MW)))
        low, high = (load, high) if need > load else (low, load)
    assert 0.1 < low < 0.99
    assert found.load.tolist() == pytest.approx([low, low], rel=1e-6)


def test_spectral_efficiency_is_truncated_and_close_users_are_kept_apart() -> None:
    found = radio(pair(cell("a", 0.0, (0.0, 40.0))))
    assert found.load.tolist() == pytest.approx([40.0 / (MHZ * 4.4)])


def test_a_higher_modulation_carries_more_close_by_and_no_more_far_off() -> None:
    close = radio(pair(cell("a", 0.0, (0.0, 40.0), qam=256)))
    assert close.load.tolist() == pytest.approx([40.0 / (MHZ * 7.4)])
    far, plain = (radio(pair(cell("a", 0.0, (3.0, 4.0), **more))) for more in ({"qam": 256}, {}))
    assert far.load.tolist() == plain.load.tolist()
    assert "qam" not in Radio(power_dbm=46.0).model_dump()


def test_an_overloaded_cell_shares_what_it_has() -> None:
    found = radio(pair(cell("a", 0.0, (0.0, 100.0), (0.0, 58.4))))
    assert found.load_of("a") == pytest.approx(2.0)
    assert found.delivered.tolist() == pytest.approx([50.0, 29.2])
    assert found.lost_mbps == pytest.approx(79.2)


def test_users_of_a_lost_cell_go_to_the_best_cell_left() -> None:
    inventory = pair(cell("a", 0.0, (0.5, 2.0)), cell("b", -4.0), cell("c", 2.0, (2.1, 5.0)))
    found = radio(inventory, "a")
    rates = [MHZ * bits(received(km) / NOISE_MW) for km in (1.5, 0.1)]
    assert [found.cells[place] for place in found.server] == ["c", "c"]
    assert found.load_of("a") == 0.0
    assert found.load_of("c") == pytest.approx(2.0 / rates[0] + 5.0 / rates[1])


def test_where_no_cell_is_left_users_get_nothing() -> None:
    found = radio(pair(cell("a", 0.0, (0.5, 2.0))), "a")
    assert (found.server.tolist(), found.delivered.tolist(), found.lost_mbps) == ([-1], [0.0], 2.0)


def test_below_minus_ten_decibels_nothing_arrives() -> None:
    # 60 m from a full neighbour and 5 km from the own cell
    found = radio(pair(cell("a", 0.0, (5.0, 1.0)), cell("b", 5.06, (5.1, 1e4))))
    assert 0 < found.sinr[0] < 0.1
    assert found.delivered[0] == 0.0


def test_a_sector_radiates_forwards() -> None:
    users = ((0.5, 1.0), (-0.5, 1.0))
    found = radio(pair(cell("a", 0.0, *users, azimuth_deg=90.0)))
    assert found.sinr[0] / found.sinr[1] == pytest.approx(100.0)  # 20 dB between front and back
    edge = radio(pair(cell("a", 0.0, *users, azimuth_deg=25.0)))
    assert edge.sinr[0] == pytest.approx(found.sinr[0] / 10**1.2)  # 12 dB at 65 degrees off


def test_nothing_is_predicted_where_nothing_is_declared() -> None:
    plain = Node(id="a", name="a", kind=NodeKind.CELL, latitude=0.0, longitude=0.0)
    assert evaluate(Snapshot.of(pair(plain))).radio is None


def test_more_load_is_the_same_as_more_demand() -> None:
    inventory = pair(cell("a", 0.0, (0.5, 4.0)))
    doubled = state(evaluate(Snapshot.of(inventory)).at_load(2.0))
    assert doubled.load.tolist() == pytest.approx(radio(pair(cell("a", 0.0, (0.5, 8.0)))).load.tolist())


def test_radio_that_no_law_could_use_is_refused() -> None:
    site = cell("a", 0.0)
    with pytest.raises(BadInput, match="no cell"):
        Snapshot.of(pair(site.but(kind=NodeKind.ROUTER)))
    with pytest.raises(BadInput, match="no position"):
        Snapshot.of(pair(site.but(latitude=None)))


def test_a_cell_falls_with_what_it_needs_and_its_users_move() -> None:
    inventory = pair(cell("a", 0.0, (0.5, 2.0)), cell("b", 1.0))
    changes = [SetOperational(element="a", state=Operational.DISABLED)]
    moved = state(evaluate(Snapshot.of(inventory), changes))
    assert moved.server.tolist() == [1]
