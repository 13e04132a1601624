"""What each suspect would break on its own."""

import pytest

from domain.errors import BadInput
from tests.twin.small_networks import cell_site, square
from twin.consequences import consequences
from twin.snapshot import Snapshot


def test_a_suspect_explains_itself_and_what_stands_on_it() -> None:
    broken = consequences(Snapshot.of(cell_site()), ["power", "cell"])
    assert broken == {"power": {"power", "gnb", "cell"}, "cell": {"cell"}}


def test_the_neighbours_of_a_broken_link_lose_an_adjacency() -> None:
    broken = consequences(Snapshot.of(square()), ["l0"])
    assert broken["l0"] == {"l0", "l0.a", "l0.b", "a", "b"}


def test_an_isolated_gateway_and_its_traffic_suffer() -> None:
    broken = consequences(Snapshot.of(cell_site()), ["l0.a"])
    assert broken["l0.a"] == {"l0.a", "l0.b", "l0", "core", "gw", "gnb", "cell", "d0"}


def test_a_surge_that_fits_hurts_nobody_else() -> None:
    assert consequences(Snapshot.of(square(mbps=60.0)), ["d0"]) == {"d0": {"d0"}}


def test_a_surge_that_does_not_fit_hurts_the_links_on_its_way() -> None:
    broken = consequences(Snapshot.of(square(mbps=150.0)), ["d0"])
    assert {"l0", "l1", "l2", "l3", "l0.a", "d0"} <= broken["d0"]
    assert "l0.b" not in broken["d0"]


def test_what_cannot_fail_is_refused() -> None:
    with pytest.raises(BadInput, match="`s0`"):
        consequences(Snapshot.of(square()), ["s0"])
