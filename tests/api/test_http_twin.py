"""The twin by HTTP: what-ifs with all their physics, a configuration before its push, and capacity as JSON and CSV."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api.logs import configure
from domain.capacity import CapacityPlan
from domain.clock import ManualClock
from domain.configuration import PushReport
from domain.rehearsal import TwinFidelity
from tests.attacks.ring_house import RingHouse, ring_house
from tests.control_plane.whatif.remembered_weeks import remember
from twin.configuration import generate, write

TERMS = {"horizons_weeks": [4], "futures": 10, "failures": 2}


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 1, 12, 12, tzinfo=UTC))


@pytest.fixture(scope="module")
def ring(clock: ManualClock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RingHouse]:
    configure("error", clock)
    house = ring_house(clock, tmp_path_factory.mktemp("twin"))
    yield house
    house.close()


@pytest.fixture(scope="module")
def sound(ring: RingHouse) -> str:
    return write(generate(ring.house.road.live.inventory))


def refused(answer: Any, status: int) -> str:
    assert answer.status_code == status
    assert set(answer.json()) == {"code", "reason"}
    return str(answer.json()["reason"])


def test_every_answer_carries_how_far_the_twin_is_off(ring: RingHouse, sound: str) -> None:
    answers = {
        "show": ring.get("viewer", "/twin"),
        "what if": ring.post("viewer", "/twin/whatif", {"fail": ["node:b"]}),
        "sweep": ring.get("viewer", "/twin/sweep"),
        "steering": ring.get("viewer", "/twin/steering"),
        "scene": ring.get("viewer", "/twin/scene"),
        "check": ring.post("viewer", "/twin/check", {"configuration": sound}),
    }
    for name, answer in answers.items():
        assert answer.status_code == 200, (name, answer.text)
        fidelity = answer.json()["believed"]["fidelity"]
        measured = TwinFidelity(kpis=[{k: v for k, v in kpi.items() if k != "fit"} for kpi in fidelity["kpis"]])
        assert fidelity == json.loads(json.dumps(measured.plain())), name
        assert {"wmape", "age_s", "points"} <= set(fidelity["kpis"][0])


def test_a_what_if_takes_hours_and_lets_overload_spread(ring: RingHouse) -> None:
    surge = {"kind": "scale_demand", "demand": "demand:a-b", "factor": 10}
    asked = {"changes": [surge], "hours": 2.5, "cascade": True}

    found = ring.post("viewer", "/twin/whatif", asked).json()

    assert found["hours"] == 2.5
    assert found["rounds"][0] == ["link:a-b"]
    assert found["levels_now"]["max_delay_ms"] > 0


@pytest.mark.parametrize(("field", "value"), [("hours", -1), ("hours", "long"), ("cascade", 7), ("moon", 1)])
def test_a_what_if_that_cannot_be_is_refused(ring: RingHouse, field: str, value: object) -> None:
    assert field in refused(ring.post("viewer", "/twin/whatif", {"fail": ["node:b"], field: value}), 400)


def test_a_configuration_is_checked_as_on_the_command_line(ring: RingHouse, sound: str) -> None:
    bad = sound.replace("mtu 9000", "mtu 1400", 1)

    found = ring.post("viewer", "/twin/check", {"configuration": bad, "against": sound, "max_routers": 1}).json()

    assert found["blocks"] is True
    report = PushReport.model_validate({name: found[name] for name in PushReport.model_fields})
    assert "CFG-MTU-MISMATCH" in {finding.id for finding in report.findings if finding.blocks}
    assert "-  mtu 9000" in report.diff


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "configuration"),
        ({"configuration": ""}, "configuration"),
        ({"configuration": "nonsense\n"}, "line 1"),
        ({"configuration": "router node:moon\n"}, "`node:moon` is no router"),
        ({"configuration": "router node:a\n", "order": ["node:moon"]}, "node:moon"),
        ({"configuration": "router node:a\n", "max_routers": 0}, "max_routers"),
        ({"configuration": "router node:a\n", "flows": [{"name": "x", "source": "here"}]}, "flows"),
        ({"configuration": ["router node:a"]}, "configuration"),
        ({"configuration": "router node:a\n", "push": True}, "push"),
    ],
)
def test_what_is_no_configuration_is_said(ring: RingHouse, body: dict[str, Any], said: str) -> None:
    assert said in refused(ring.post("viewer", "/twin/check", body), 400)


def test_a_configuration_too_large_for_this_door_is_refused(ring: RingHouse) -> None:
    assert "2097152" in refused(ring.post("viewer", "/twin/check", {"configuration": "!" * ((2 << 20) + 1)}), 400)


@pytest.mark.parametrize("ends", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_a_history_of_no_year_that_can_be_is_refused(ring: RingHouse, ends: str) -> None:
    history = {"ends": ends, "slot_minutes": 60, "loads": {"link:a-b": [50.0] * (20 * 168)}}
    assert "the history ends in the year" in refused(ring.post("viewer", "/twin/capacity", {"history": history}), 400)


def test_without_weeks_of_measurements_capacity_says_how_many_hours_there_are(ring: RingHouse) -> None:
    answer = ring.get("viewer", "/twin/capacity")

    assert "measured 0 whole hours of link load, and needs 2016 (12 weeks)" in refused(answer, 404)
    assert answer.json()["code"] == "history_too_short"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"history": {}}, "malformed"),
        ({"history": {"ends": "2026-01-12T00:00:00Z", "slot_minutes": 60, "loads": {"link:a-b": [1.0]}}}, "needs 8"),
        ({"history": []}, "history"),
        ({"terms": {"horizons_weeks": [8, 4]}}, "ascending"),
        ({"terms": {"futures": 500}}, "`futures` is at most 40"),
        ({"terms": {"upgrades": 50}}, "at most 10 links"),
        ({"terms": {"threshold": 2}}, "threshold"),
        ({"weeks": 3}, "weeks"),
    ],
)
def test_what_is_no_question_of_capacity_is_said(ring: RingHouse, body: dict[str, Any], said: str) -> None:
    assert said in refused(ring.post("viewer", "/twin/capacity", body), 400)


def test_capacity_comes_as_json_and_as_csv(clock: ManualClock, tmp_path: Path) -> None:
    ring = ring_house(clock, tmp_path)
    try:
        remember(ring.house.road.ledger, clock, 13, {"tp:a-b": 57.0, "tp:b-c": 10.0})
        found = ring.post("viewer", "/twin/capacity", {"terms": TERMS}).json()
        table = ring.post("viewer", "/twin/capacity?form=csv", {"terms": TERMS})
        odd = ring.get("viewer", "/twin/capacity", form="xml")
    finally:
        ring.close()

    plan = CapacityPlan.model_validate(found["plan"])
    assert [one.element for one in plan.upgrades] == ["link:a-b"]
    assert found["history"] == {**found["history"], "hours": 13 * 168, "measured": 1.0}
    assert found["believed"]["fidelity"]["kpis"]
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert table.headers["content-type"].startswith("text/csv")
    assert len(rows) == len(plan.upgrades[0].compared) >= 3
    assert {row["element"] for row in rows} == {"link:a-b"}
    assert "form" in refused(odd, 400)
