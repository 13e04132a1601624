"""The assumptions about feeds are data, complete and true."""

import re
from pathlib import Path

import telemetry
from domain.measurements import METRICS, Metric
from telemetry.contracts import CONTRACTS, RULES

SOURCES = [path.read_text() for path in Path(telemetry.__file__).parent.glob("*.py")]


def test_every_rule_that_intake_can_break_is_written_down() -> None:
    used = {rule for text in SOURCES for rule in re.findall(r'RuleBroken\(\s*"([a-z0-9_.]+)"', text)}
    passed_on = {"alarm.resource.unknown", "state.element.unknown"}
    assert used | passed_on == set(RULES)


def test_every_rule_of_a_contract_is_explained() -> None:
    for contract in CONTRACTS.values():
        assert set(contract.rules) <= set(RULES), contract.feed


def test_every_rule_but_the_feed_s_own_shape_belongs_to_a_contract() -> None:
    claimed = {rule for contract in CONTRACTS.values() for rule in contract.rules}
    assert set(RULES) - claimed == {"shape.unknown_item"}


def test_contracts_can_be_handed_out_as_json() -> None:
    readings = CONTRACTS["plant.readings"].model_dump(mode="json")
    assert readings["ranges"]["loss"] == {"low": 0, "high": 1}
    assert readings["monotone"] == ["octets"]


def test_the_readings_contract_knows_the_range_of_every_metric() -> None:
    ranges = CONTRACTS["plant.readings"].ranges
    assert {metric: (r.low, r.high) for metric, r in ranges.items()} == {
        metric: (METRICS[metric].low, METRICS[metric].high) for metric in Metric
    }
