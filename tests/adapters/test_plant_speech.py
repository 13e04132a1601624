"""What the plant says is what the house reads: every item is understood, whatever is wrong with the network."""

import json
from datetime import UTC, datetime

from adapters.network.emulated.announcer import NAMES, SEVERITIES
from adapters.network.emulated.runtime import Plant, Settings
from domain.alarms import AlarmType, Severity
from domain.clock import ManualClock
from domain.faults import NETWORK_FAULTS
from telemetry.plant_feed import part_feed, read_plant_alarms, read_plant_readings, read_plant_states
from telemetry.sorting import Intake
from twin.generator import operator_network

INVENTORY = operator_network(11, 70)
KNOWN = frozenset(
    part.id
    for parts in (INVENTORY.nodes, INVENTORY.termination_points, INVENTORY.links, INVENTORY.demands)
    for part in parts
)


def said_through_every_fault(folder) -> tuple[list[dict], datetime]:
    clock = ManualClock(datetime(2026, 1, 12, 12, 0, tzinfo=UTC))
    plant = Plant(INVENTORY, Settings(5, folder / "journal.jsonl"), clock)
    for kind in NETWORK_FAULTS:
        plant.inject(kind)
        for _ in range(80):
            clock.advance(0.1)
            plant.advance(clock.now().timestamp())
        plant.calm()
    texts, position = list(plant.history()), 0
    while (page := plant.feed(position, 0.0))[0]:
        texts += page[0]
        position = page[1]
    return [json.loads(text) for text in texts], clock.now()


def test_every_item_is_kept_by_telemetry(tmp_path):
    items, now = said_through_every_fault(tmp_path)
    intake = Intake(now=now, known=KNOWN, reading_lateness_s=1e6)

    parts = part_feed(items)
    alarms = read_plant_alarms(parts.alarms, intake)
    readings = read_plant_readings(parts.readings, intake)
    states = read_plant_states(parts.states, intake)

    assert [parts.rejected, alarms.rejected, readings.rejected, states.rejected] == [()] * 4
    assert (len(alarms.kept), len(states.kept)) == (len(parts.alarms), len(parts.states))
    assert AlarmType.OTHER not in {report.key.type for report in alarms.kept}
    assert Severity.INDETERMINATE not in {report.severity for report in alarms.kept}


def test_every_vendor_has_a_word_for_each_severity_it_uses():
    assert set(NAMES) == set(SEVERITIES)
    for words in SEVERITIES.values():
        assert set(words) == {Severity.CRITICAL, Severity.MAJOR, Severity.MINOR, Severity.WARNING}
