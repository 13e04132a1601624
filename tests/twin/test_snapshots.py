"""Snapshots: immutable, named by what they say, and suspicious of what they are told."""

import pytest

from domain.changes import ScaleDemand, SetAdministrative, SetCapacity, SetMetric, SetOperational, SetVia
from domain.errors import BadInput
from domain.network import Administrative, Operational
from tests.twin.small_networks import cell_site, square
from twin.snapshot import Snapshot


def test_a_change_makes_a_new_snapshot_and_leaves_the_old() -> None:
    before = Snapshot.of(square())
    digest = before.digest
    after = before.with_changes([SetMetric(link="l0", metric=7)])
    assert (before.value("l0", "metric"), after.value("l0", "metric")) == (1, 7)
    assert before.digest == digest != after.digest


def test_the_way_back_leads_to_the_same_digest() -> None:
    start = Snapshot.of(square())
    there = start.with_changes([SetMetric(link="l0", metric=7), SetVia(demand="d0", via="c")])
    back = there.with_changes([SetMetric(link="l0", metric=1), SetVia(demand="d0", via=None)])
    assert back == start


def test_setting_what_is_already_so_changes_nothing() -> None:
    start = Snapshot.of(square())
    same = start.with_changes([SetAdministrative(element="l0.a", state=Administrative.UNLOCKED)])
    assert same.digest == start.digest


def test_values_are_read_by_attribute() -> None:
    snapshot = Snapshot.of(square()).with_changes(
        [SetCapacity(link="l0", share=0.5), ScaleDemand(demand="d0", factor=2.0), SetVia(demand="d0", via="b")]
    )
    assert snapshot.value("l0", "capacity") == 50.0
    assert snapshot.value("d0", "mbps") == 160.0
    assert snapshot.value("d0", "via") == "b"
    assert snapshot.value("l0.a", "administrative") == "unlocked"


def test_there_is_no_value_of_what_an_element_does_not_have() -> None:
    snapshot = Snapshot.of(square())
    assert snapshot.value("d0", "metric") is None
    assert snapshot.value("nowhere", "administrative") is None
    assert snapshot.value("d0", "via") == ""


def test_scaling_a_demand_twice_multiplies() -> None:
    twice = [ScaleDemand(demand="d0", factor=2.0)]
    assert Snapshot.of(square(mbps=10.0)).with_changes(twice).with_changes(twice).value("d0", "mbps") == 40.0


def test_an_unknown_element_is_named() -> None:
    with pytest.raises(BadInput, match="`l9`"):
        Snapshot.of(square()).with_changes([SetMetric(link="l9", metric=1)])


def test_an_attribute_that_an_element_does_not_have_is_refused() -> None:
    with pytest.raises(BadInput, match="`d0`"):
        Snapshot.of(square()).with_changes([SetOperational(element="d0", state=Operational.DISABLED)])


def test_a_share_is_part_of_what_a_policy_says() -> None:
    start = Snapshot.of(square())
    whole, some = (start.with_changes([SetVia(demand="d0", via="c", share=share)]) for share in (1.0, 0.4))
    assert (whole.value("d0", "via"), some.value("d0", "via")) == ("c", "c@0.40")
    assert (start.policy("d0"), some.policy("d0")) == ((None, 1.0), ("c", 0.4))
    assert some.digest != whole.digest == start.with_changes([SetVia(demand="d0", via="c")]).digest
    assert Snapshot.load(some.body(), square()).policy("d0") == ("c", 0.4)


def test_a_waypoint_must_be_a_router() -> None:
    with pytest.raises(BadInput, match="`cell`"):
        Snapshot.of(cell_site()).with_changes([SetVia(demand="d0", via="cell")])


def test_contradictory_changes_are_refused() -> None:
    with pytest.raises(BadInput, match="two values"):
        Snapshot.of(square()).with_changes([SetMetric(link="l0", metric=2), SetMetric(link="l0", metric=3)])


def test_a_stored_snapshot_comes_back_the_same() -> None:
    snapshot = Snapshot.of(square()).with_changes([SetMetric(link="l0", metric=7), SetVia(demand="d0", via="c")])
    assert Snapshot.load(snapshot.body(), square()) == snapshot


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"inventory": 1, "state": []}', '{"state": {}}'])
def test_a_malformed_body_is_refused(body: str) -> None:
    with pytest.raises(BadInput):
        Snapshot.load(body, square())


def test_a_snapshot_is_not_loaded_into_another_network() -> None:
    with pytest.raises(BadInput, match="belongs to inventory"):
        Snapshot.load(Snapshot.of(square()).body(), cell_site())


def test_a_stored_state_about_an_unknown_element_is_refused() -> None:
    body = Snapshot.of(square()).with_changes([SetMetric(link="l0", metric=7)]).body().replace('"l0"', '"l9"')
    with pytest.raises(BadInput, match="`l9`"):
        Snapshot.load(body, square())
