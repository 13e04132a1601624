"""A driven plant: time passes when the umpire says so, the same seed tells the same story, the truth can be read."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from adapters.network.emulated.launcher import start_plant
from adapters.network.emulated.runtime import Plant, Settings
from adapters.network.emulated.times import DRIVEN_FROM
from domain.actions import InterfaceUp
from domain.clock import ManualClock, SystemClock
from domain.diagnosis import FaultKind
from domain.errors import BadInput, Refused
from domain.network import Inventory, NodeKind
from twin.generator import operator_network

INVENTORY = operator_network(11, 90)
CELL = next(node.id for node in INVENTORY.nodes if node.kind is NodeKind.CELL)


def plant_in(folder: Path, seed: int = 1, inventory: Inventory = INVENTORY) -> Plant:
    return Plant(inventory, Settings(seed, folder / "journal.jsonl", crew_s=2.0), ManualClock(DRIVEN_FROM))


def said(plant: Plant) -> list[dict]:
    """Everything that the plant has said so far."""
    items, position = [], 0
    while (page := plant.feed(position, 0.0))[0]:
        position = page[1]
        items += [json.loads(text) for text in page[0]]
    return items


def story(plant: Plant, *steps: float) -> list[dict]:
    """A fault that heals by itself and one that an action repairs, while time passes in these steps."""
    plant.inject(FaultKind.LINK_DEGRADED, self_heals_after=3.0)
    plant.inject(FaultKind.INTERFACE_LOCKED)
    point = plant.truth()[-1]["element"]
    plant.send("mend", InterfaceUp(target=point).model_dump(mode="json"))
    for seconds in steps:
        plant.drive(seconds)
    return said(plant)


def test_the_same_seed_tells_the_same_story_however_time_is_cut(tmp_path):
    whole, cut = (plant_in(tmp_path / name) for name in ("whole", "cut"))
    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()

    first, again = story(whole, 8.0), story(cut, 0.13, 2.5, 0.0, 0.37, 5.0)

    assert first == again
    assert whole.truth() == cut.truth()
    assert {entry["by"] for entry in whole.truth()} == {"itself", "mend"}


def test_another_seed_tells_another_story(tmp_path):
    assert story(plant_in(tmp_path, seed=1), 4.0) != story(plant_in(tmp_path, seed=2), 4.0)


def test_what_falls_due_happens_at_its_moment_even_in_one_long_stride(tmp_path):
    plant = plant_in(tmp_path)
    plant.inject(FaultKind.LINK_DOWN, self_heals_after=3.0)

    plant.drive(60.0)

    healed = datetime.fromisoformat(plant.truth()[0]["healed_at"])
    assert (healed - DRIVEN_FROM).total_seconds() == pytest.approx(3.0, abs=1e-3)


def test_looking_at_who_suffers_changes_nothing(tmp_path):
    seen, unseen = plant_in(tmp_path, seed=3), plant_in(tmp_path, seed=3)
    for plant in (seen, unseen):
        plant.inject(FaultKind.NODE_DOWN)
        for _ in range(12):
            plant.drive(0.4)
            if plant is seen:
                plant.suffering()

    assert said(seen) == said(unseen)
    assert seen.suffering() == unseen.suffering()


def test_nobody_suffers_on_a_calm_plant(tmp_path):
    plant = plant_in(tmp_path)
    plant.drive(5.0)

    assert plant.suffering() == {"cells": [], "demands": [], "customers": [], "lost_mbps": 0.0}


def test_a_locked_cell_and_its_customers_suffer_until_it_is_unlocked(tmp_path):
    plant = plant_in(tmp_path)
    plant.inject(FaultKind.CELL_LOCKED, CELL)
    plant.drive(0.1)
    during = plant.suffering()
    plant.calm()

    hit = {service.customer for service in INVENTORY.services if CELL in service.cells}
    assert (during["cells"], set(during["customers"])) == ([CELL], hit)
    assert plant.suffering()["cells"] == []


@pytest.mark.parametrize("share", [0.004, 0.2])
def test_a_demand_suffers_when_it_loses_more_than_one_percent(tmp_path, share):
    plant = plant_in(tmp_path, seed=5)
    plant.inject(FaultKind.LINK_DEGRADED, size=share)
    plant.drive(1.0)

    suffering = plant.suffering()

    crossing = suffering["demands"]
    assert bool(crossing) is (share > 0.01)
    assert all(0.01 < entry["lost"] <= share + 1e-9 and entry["mbps"] > 0 for entry in crossing)
    lost = sum(entry["mbps"] * entry["lost"] for entry in crossing)
    assert suffering["lost_mbps"] + 1e-6 >= lost
    assert bool(lost) is bool(crossing)
    hit = {entry["demand"] for entry in crossing}
    customers = {service.customer for service in INVENTORY.services if not hit.isdisjoint(service.demands)}
    assert set(suffering["customers"]) == customers


@pytest.mark.parametrize("seconds", [-1.0, 3601.0, float("nan")])
def test_time_passes_forward_and_not_by_more_than_an_hour(tmp_path, seconds):
    with pytest.raises(BadInput, match="between 0 and 3600"):
        plant_in(tmp_path).drive(seconds)


def test_the_machines_time_cannot_be_driven(tmp_path):
    plant = Plant(INVENTORY, Settings(1, tmp_path / "journal.jsonl"), SystemClock())

    with pytest.raises(BadInput, match="--driven"):
        plant.drive(1.0)


def test_a_fault_of_a_kind_is_chosen_by_the_seed(tmp_path):
    plant = plant_in(tmp_path)

    chosen = {plant.choose(seed, FaultKind.CELL_LOCKED) for seed in range(8)}

    assert {kind for kind, _ in chosen} == {FaultKind.CELL_LOCKED}
    assert len(chosen) > 1
    assert plant.choose(3, FaultKind.CELL_LOCKED) == plant.choose(3, FaultKind.CELL_LOCKED)
    with pytest.raises(BadInput, match="nothing that can be made"):
        plant.choose(1, "bad luck")


def test_a_driven_process_stands_still_until_it_is_told(tmp_path):
    with start_plant(INVENTORY, 1, tmp_path, driven=True) as running:
        umpire, network = running.umpire(), running.network()

        before = network.poll(0, wait_s=20.0)  # would time out in the test, did it wait
        umpire.inject(FaultKind.CELL_LOCKED, CELL)
        umpire.advance(2.0)
        after = network.poll(before.position)

        assert not before.items
        assert {item["type"] for item in after.items} >= {"alarm", "readings"}
        times = [datetime.fromisoformat(item["time"]) for item in after.items if item["type"] == "readings"]
        assert DRIVEN_FROM <= min(times) <= max(times) <= DRIVEN_FROM.replace(second=2)
        assert umpire.suffering()["cells"] == [CELL]
        assert umpire.choose_fault(1, FaultKind.LINK_DOWN)[0] is FaultKind.LINK_DOWN
        with pytest.raises(Refused):
            umpire.advance(-1.0)
