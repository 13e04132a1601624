"""The door of the room: raw JSON in, our words out.

    read_alertmanager(payload, intake)     Alertmanager webhook v4 → alarm reports
    read_tmf642(payload, intake)           one TMF642 v4 alarm → alarm reports
    part_feed(items)                       a network's feed → its alarms, readings and states, still raw
    read_plant_alarms(items, intake)       alarms in vendors' words → alarm reports
    read_plant_readings(items, intake)     rows → readings
    read_plant_states(items, intake)       notices of changed configuration

Each returns a `Sorted`: kept, late and rejected, which add up to what was received. What a rule id means
stands in `telemetry.contracts.RULES`.
"""

from telemetry.doors import read_alertmanager, read_tmf642
from telemetry.plant_feed import (
    FeedParts,
    StateNotice,
    part_feed,
    read_plant_alarms,
    read_plant_readings,
    read_plant_states,
)
from telemetry.sorting import Counters, Intake, LateItem, Rejected, Sorted

__all__ = [
    "Counters",
    "FeedParts",
    "Intake",
    "LateItem",
    "Rejected",
    "Sorted",
    "StateNotice",
    "part_feed",
    "read_alertmanager",
    "read_plant_alarms",
    "read_plant_readings",
    "read_plant_states",
    "read_tmf642",
]
