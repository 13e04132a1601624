"""Alarms of one trouble become one incident."""

from datetime import UTC, datetime, timedelta

import networkx as nx
import pytest

from domain.alarms import Alarm, AlarmKey, AlarmType, Severity
from domain.planned_work import PlannedWork
from telemetry.correlate import CorrelationSettings, Group, Standing, assign, planned

NOW = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)


class Chain:
    """Routers in a row: r0 – r0b – l0 – r1a – r1 – r1b – l1 – …; trouble runs from routers to ports to links."""

    def __init__(self, routers: int) -> None:
        self.graph = nx.DiGraph()
        for i in range(routers):
            nx.add_path(self.graph, [f"r{i}", f"r{i}b", f"l{i}", f"r{i + 1}a"])
            nx.add_path(self.graph, [f"r{i + 1}", f"r{i + 1}a", f"l{i}", f"r{i}b"])
        self.hops: dict[str, dict[str, int]] = dict(
            nx.all_pairs_shortest_path_length(self.graph.to_undirected(), cutoff=8)
        )

    def distance(self, a: str, b: str) -> int | None:
        return self.hops.get(a, {}).get(b)

    def upstream(self, a: str) -> frozenset[str]:
        reached = nx.single_source_shortest_path_length(self.graph.reverse(copy=False), a, cutoff=3)
        return frozenset(reached) - {a}


NEAR = Chain(12)


def alarm(resource: str, at: float = 0.0, *, cleared: bool = False, id: str = "") -> Alarm:
    time = NOW + timedelta(seconds=at)
    return Alarm(
        id=id or f"alarm_{resource}_{at:g}",
        key=AlarmKey(resource=resource, type=AlarmType.LINK_DOWN),
        severity=Severity.MAJOR,
        highest_severity=Severity.MAJOR,
        cleared=cleared,
        event_time=time,
        last_event_time=time,
        known_time=time,
        source="s",
    )


def standing(id: str, *elements: str, first: float = -10, last: float = -5) -> Standing:
    return Standing(id, frozenset(elements), NOW + timedelta(seconds=first), NOW + timedelta(seconds=last))


def resources(groups: list[Group]) -> list[tuple[str | None, set[str]]]:
    return [(group.incident_id, {id.split("_")[1] for id in group.alarm_ids}) for group in groups]


def test_both_ends_of_a_link_are_one_trouble() -> None:
    assert resources(assign([alarm("r3b"), alarm("r4a", 1)], [], NEAR)) == [(None, {"r3b", "r4a"})]


def test_two_far_troubles_at_once_are_two() -> None:
    groups = assign([alarm("r1b"), alarm("r2a"), alarm("r9b"), alarm("r10a")], [], NEAR)
    assert sorted(map(sorted, (members for _, members in resources(groups)))) == [["r10a", "r9b"], ["r1b", "r2a"]]


def test_the_neighbours_of_a_dead_router_share_it_and_are_one_trouble() -> None:
    assert NEAR.distance("r3b", "r5a") == 6
    assert resources(assign([alarm("r3b"), alarm("r5a")], [], NEAR)) == [(None, {"r3b", "r5a"})]


def test_as_far_apart_without_a_shared_cause_is_two_troubles() -> None:
    class Sideways(Chain):
        def upstream(self, a: str) -> frozenset[str]:
            return frozenset()

    assert len(assign([alarm("r3b"), alarm("r5a")], [], Sideways(12))) == 2


def test_the_same_place_much_later_is_another_trouble() -> None:
    assert len(assign([alarm("r3b"), alarm("r3b", 500)], [], NEAR)) == 2


def test_an_alarm_between_two_new_groups_makes_them_one() -> None:
    ends = [alarm("r3"), alarm("r5")]
    assert len(assign(ends, [], NEAR, CorrelationSettings(hops=4, reach=4))) == 2
    assert len(assign([*ends, alarm("r4")], [], NEAR, CorrelationSettings(hops=4, reach=4))) == 1


def test_an_alarm_near_an_open_incident_joins_it() -> None:
    groups = assign([alarm("r4a"), alarm("r9b")], [standing("inc_1", "r3b")], NEAR)
    assert resources(groups) == [("inc_1", {"r4a"}), (None, {"r9b"})]


def test_an_element_of_an_open_incident_belongs_to_it_however_late() -> None:
    groups = assign([alarm("r3b", 5000), alarm("r4a", 9000)], [standing("inc_1", "r3b")], NEAR)
    assert resources(groups) == [("inc_1", {"r3b"}), (None, {"r4a"})]


def test_the_friends_of_an_alarm_that_joins_come_along() -> None:
    near_only_each_other = CorrelationSettings(hops=2, reach=2)
    groups = assign([alarm("r4a"), alarm("r4b")], [standing("inc_1", "l3")], NEAR, near_only_each_other)
    assert resources(groups) == [("inc_1", {"r4a", "r4b"})]


def test_between_two_incidents_the_nearest_is_joined_and_none_is_merged() -> None:
    open_ones = [standing("inc_2", "r2", first=-20), standing("inc_1", "r5")]
    groups = assign([alarm("r4b"), alarm("r2b")], open_ones, NEAR)
    assert resources(groups) == [("inc_1", {"r4b"}), ("inc_2", {"r2b"})]


def test_of_two_equally_near_incidents_the_earliest_is_joined() -> None:
    open_ones = [standing("inc_1", "r3", first=-10), standing("inc_2", "r5", first=-20)]
    assert resources(assign([alarm("r4")], open_ones, NEAR, CorrelationSettings(hops=4))) == [("inc_2", {"r4"})]


def test_cleared_alarms_open_and_join_nothing() -> None:
    assert assign([alarm("r3b", cleared=True)], [standing("inc_1", "r3b")], NEAR) == []


def test_an_element_that_the_topology_does_not_know_is_a_trouble_of_its_own() -> None:
    class Partial(Chain):
        def upstream(self, a: str) -> frozenset[str]:
            return super().upstream(a) if a in self.graph else frozenset()

    assert len(assign([alarm("r3b"), alarm("elsewhere"), alarm("elsewhere", 2)], [], Partial(12))) == 2


def work(id: str = "work_1", **changes: object) -> PlannedWork:
    body: dict[str, object] = {
        "id": id,
        "change_id": "CHG-1",
        "elements": ("r3",),
        "affected": ("r3b",),
        "expected": (AlarmType.LINK_DOWN,),
        "starts_at": NOW - timedelta(minutes=5),
        "ends_at": NOW + timedelta(minutes=5),
        "declared_by": "p_1",
        "declared_at": NOW,
    }
    return PlannedWork.model_validate(body | changes)


def test_a_predicted_alarm_is_part_of_its_planned_work() -> None:
    found = planned(alarm("r3b"), [work("work_2"), work("work_1", starts_at=NOW - timedelta(minutes=9))])
    assert found is not None
    assert found.id == "work_1"


@pytest.mark.parametrize(
    "other", [alarm("r9"), alarm("r3b", 600), alarm("r3").but(key=AlarmKey(resource="r3", type=AlarmType.POWER_LOST))]
)
def test_what_was_not_predicted_is_no_part_of_planned_work(other: Alarm) -> None:
    assert planned(other, [work()]) is None
