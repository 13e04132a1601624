"""Correlation on a generated operator network, with the twin saying what each fault does and how far things lie."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from domain.alarms import Alarm, AlarmKey, AlarmType, Severity
from domain.network import Inventory
from telemetry.correlate import assign
from twin.consequences import consequences
from twin.generator import operator_network
from twin.graph import Proximity, element_graph
from twin.snapshot import Snapshot

NOW = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)
SPEECHLESS = {"link", "demand", "service"}


@pytest.fixture(scope="module")
def network() -> Inventory:
    return operator_network(seed=4, elements=300)


def alarms(resources: list[str]) -> list[Alarm]:
    times = [NOW + timedelta(seconds=number % 3) for number in range(len(resources))]
    return [
        Alarm(
            id=f"alarm_{number:04}",
            key=AlarmKey(resource=resource, type=AlarmType.OTHER),
            severity=Severity.MAJOR,
            highest_severity=Severity.MAJOR,
            event_time=at,
            last_event_time=at,
            known_time=at,
            source="s",
        )
        for number, (resource, at) in enumerate(zip(resources, times, strict=True))
    ]


@pytest.mark.parametrize("missing", [0.0, 0.4])
def test_one_fault_is_one_incident_though_some_elements_keep_quiet(network: Inventory, missing: float) -> None:
    rng = random.Random(1)
    graph = element_graph(network)
    places = rng.sample([n.id for n in network.nodes] + [link.id for link in network.links], 25)
    hit = consequences(Snapshot.of(network), places)
    near = Proximity(graph)
    for place in places:
        speaking = sorted(e for e in hit[place] | {place} if graph.nodes[e]["kind"] not in SPEECHLESS)
        heard = [element for element in speaking if rng.random() >= missing]
        assert len(assign(alarms(heard), [], near)) == min(1, len(heard)), place


def test_two_links_that_fail_far_from_each_other_are_two_incidents(network: Inventory) -> None:
    rng = random.Random(2)
    near = Proximity(element_graph(network))
    apart = 0
    for _ in range(100):
        one, other = rng.sample(network.links, 2)
        ends = [one.source, one.destination, other.source, other.destination]
        if any(near.distance(a, b) is not None for a in ends[:2] for b in ends[2:]):
            continue
        apart += 1
        assert len(assign(alarms(ends), [], near)) == 2
    assert apart > 0
