"""The plant driven through made-up time: faults and what one sees of them, repairs, and the harm that actions do."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from adapters.network.emulated.runtime import Plant, Settings
from control_plane.ports import Seen
from domain.actions import (
    DispatchCrew,
    DrainLink,
    InterfaceDown,
    InterfaceUp,
    LockCell,
    RecallCrew,
    RestartProcess,
    SteerDemand,
)
from domain.clock import ManualClock
from domain.diagnosis import FaultKind
from domain.errors import BadInput, Conflict
from domain.faults import NETWORK_FAULTS
from domain.network import Inventory, NodeKind
from twin.generator import operator_network

INVENTORY = operator_network(11, 90)
KINDS = NETWORK_FAULTS
GATEWAY = next(node.id for node in INVENTORY.nodes if node.kind is NodeKind.GATEWAY)
CELL = next(node.id for node in INVENTORY.nodes if node.kind is NodeKind.CELL)


class Driven:
    """A plant that lives as fast as a test wants."""

    def __init__(self, plant: Plant, clock: ManualClock) -> None:
        self.plant, self.clock, self.position = plant, clock, 0
        self.said: list[dict] = []

    def live(self, seconds: float) -> list[dict]:
        for _ in range(round(seconds / 0.05)):
            self.clock.advance(0.05)
            self.plant.advance(self.clock.now().timestamp())
        said: list[dict] = []
        while (found := self.plant.feed(self.position, 0.0))[0]:
            self.position = found[1]
            said += map(json.loads, found[0])
        self.said += said
        return said

    def act(self, action, key: str = "key") -> Seen:
        self.plant.send(key, action.model_dump(mode="json"))
        self.live(0.7)
        return self.plant.look(key)


@pytest.fixture
def make(tmp_path) -> Callable[..., Driven]:
    def made(seed: int = 1, inventory: Inventory = INVENTORY, **settings) -> Driven:
        clock = ManualClock(datetime(2026, 1, 12, 12, 0, tzinfo=UTC))
        return Driven(Plant(inventory, Settings(seed, tmp_path / "journal.jsonl", **settings), clock), clock)

    return made


def alarms(items: list[dict], *, cleared: bool | None = None) -> list[dict]:
    return [item for item in items if item["type"] == "alarm" and cleared in (None, item["cleared"])]


def last_values(items: list[dict]) -> dict[tuple[str, str], float | None]:
    """The newest value of each series by event time."""
    readings = sorted((item for item in items if item["type"] == "readings"), key=lambda item: item["time"])
    return {(element, metric): value for item in readings for element, metric, value in item["rows"]}


def truth(driven: Driven) -> dict:
    return driven.plant.truth()[-1]


@pytest.mark.parametrize("kind", KINDS)
def test_each_fault_is_cried_and_taken_back(make, kind):
    driven = make()
    driven.live(2)

    driven.plant.inject(kind)
    raised = alarms(driven.live(20), cleared=False)
    driven.plant.calm()
    driven.live(12)
    cleared = alarms(driven.said, cleared=True)

    assert raised
    assert {alarm["id"] for alarm in raised} <= {alarm["id"] for alarm in cleared}
    assert truth(driven)["by"] == "calm"


@pytest.mark.parametrize("kind", KINDS)
def test_each_fault_can_be_drawn_anywhere_it_may_befall(make, kind):
    driven = make()

    driven.plant.inject(kind)

    assert truth(driven)["fault"] == kind
    with pytest.raises(Conflict):
        driven.plant.inject(kind, truth(driven)["element"])


def test_a_fault_cannot_befall_what_is_of_another_kind(make):
    with pytest.raises(BadInput, match="cannot befall"):
        make().plant.inject(FaultKind.LINK_DOWN, CELL)


def test_a_quiet_plant_is_quiet(make):
    driven = make(seed=3)

    cries = alarms(driven.live(60), cleared=False)

    assert len({cry["resource"] for cry in cries}) <= 1  # a false alarm may come; trouble would say more


def test_bringing_an_interface_up_repairs_a_mistaken_lock(make):
    driven = make()
    driven.plant.inject(FaultKind.INTERFACE_LOCKED)
    point = truth(driven)["element"]
    assert driven.plant.state(point) == {"administrative": "locked", "operational": "disabled", "crew": "none"}

    assert driven.act(InterfaceUp(target=point), "repair") is Seen.DONE

    assert driven.plant.state(point)["operational"] == "enabled"
    assert truth(driven)["by"] == "repair"
    driven.live(1)
    notice = [item for item in driven.said if item["type"] == "state"][-1]
    assert (notice["element"], notice["attribute"], notice["value"]) == (point, "administrative", "unlocked")


def test_a_restart_repairs_a_hung_process_and_shows_in_its_start_time(make):
    driven = make()
    driven.plant.inject(FaultKind.PROCESS_HUNG, GATEWAY)
    action = RestartProcess(target=GATEWAY)
    before = driven.plant.state(GATEWAY)

    driven.act(action)

    assert before["process"] == "hung"
    assert action.took_effect(before, driven.plant.state(GATEWAY))
    assert truth(driven)["healed_at"] is not None


def test_restarting_a_healthy_process_interrupts_it(make):
    driven = make()
    cells = [need.dependent for need in INVENTORY.dependencies if GATEWAY in need.on]
    assert all(driven.plant.state(cell)["operational"] == "enabled" for cell in cells)

    driven.act(RestartProcess(target=GATEWAY))
    during = [driven.plant.state(cell)["operational"] for cell in cells]
    driven.live(2)

    assert "disabled" in during
    assert all(driven.plant.state(cell)["operational"] == "enabled" for cell in cells)


def test_a_crew_repairs_after_its_journey(make):
    driven = make(crew_s=2.0)
    driven.plant.inject(FaultKind.LINK_DOWN)
    link = truth(driven)["element"]

    driven.act(DispatchCrew(target=link))
    assert driven.plant.state(link) == {"metric": driven.plant.state(link)["metric"], "operational": "disabled"} | {
        "crew": "dispatched"
    }
    driven.live(2.5)

    assert driven.plant.state(link)["operational"] == "enabled"
    assert truth(driven)["by"] == "crew"


def test_a_recalled_crew_repairs_nothing(make):
    driven = make(crew_s=2.0)
    driven.plant.inject(FaultKind.LINK_DOWN)
    link = truth(driven)["element"]

    driven.act(DispatchCrew(target=link), "go")
    driven.act(RecallCrew(target=link), "back")
    driven.live(4)

    assert driven.plant.state(link) | {"metric": ""} == {"metric": "", "operational": "disabled", "crew": "none"}


def test_a_drained_link_carries_nothing_that_can_go_elsewhere(make):
    driven = make()
    driven.live(1)
    core = next(link for link in INVENTORY.links if "core" in link.source and "core" in link.destination)

    driven.act(DrainLink(target=core.id, previous_metric=core.metric))
    values = last_values(driven.live(3))

    assert driven.plant.state(core.id)["metric"] == "65535"
    assert values[(core.source, "utilisation")] == pytest.approx(0.0, abs=0.01)


def test_a_steered_demand_shows_its_waypoint(make):
    driven = make()
    demand = INVENTORY.demands[0]
    via = next(n.id for n in INVENTORY.nodes if n.kind is NodeKind.CORE and n.id != demand.source)

    driven.act(SteerDemand(target=demand.id, via=via), "there")
    assert driven.plant.state(demand.id)["via"] == via
    before = driven.plant.state(demand.id)
    half = SteerDemand(target=demand.id, via=via, share=0.5, previous_via=via)
    driven.act(half, "half")
    assert half.took_effect(before, driven.plant.state(demand.id))
    assert driven.plant.state(demand.id)["via"] == f"{via}@0.50"
    driven.act(SteerDemand(target=demand.id, via=None), "back")
    assert driven.plant.state(demand.id)["via"] == ""


def test_an_action_on_a_dead_node_fails_and_is_not_journalled(make):
    driven = make()
    point = next(tp.id for tp in INVENTORY.termination_points if tp.node == GATEWAY)
    driven.plant.inject(FaultKind.NODE_DOWN, GATEWAY)

    assert driven.act(InterfaceDown(target=point)) is Seen.FAILED
    assert driven.plant.journal() == []


def test_a_lying_executor_says_done_and_changes_nothing(make):
    driven = make()
    driven.plant.inject(FaultKind.INTERFACE_LOCKED, executor="lying")
    point = truth(driven)["element"]

    assert driven.act(InterfaceUp(target=point)) is Seen.DONE

    assert driven.plant.state(point)["administrative"] == "locked"
    assert driven.plant.journal() == []
    assert truth(driven)["healed_at"] is None


def test_a_fault_may_heal_by_itself(make):
    driven = make()
    driven.plant.inject(FaultKind.PROCESS_HUNG, GATEWAY, self_heals_after=5.0)

    driven.live(4.5)
    assert truth(driven)["healed_at"] is None
    driven.live(1.0)

    assert truth(driven)["by"] == "itself"
    assert driven.plant.state(GATEWAY)["process"] == "running"


def test_batteries_hold_for_a_while_and_then_the_site_is_dark(make):
    driven, batteries = make(), {}
    for seed in range(9):
        driven = make(seed=seed)
        values = last_values([json.loads(text) for text in driven.plant.history()])
        batteries = {element for (element, metric), value in values.items() if metric == "battery" and value == 1.0}
        if batteries:
            break
    site = min(batteries)

    driven.plant.inject(FaultKind.POWER_LOST, site)
    driven.live(2)
    assert driven.plant.state(site)["operational"] == "enabled"
    driven.live(95)

    assert driven.plant.state(site)["operational"] == "disabled"


def test_without_keys_the_device_does_it_twice(make):
    driven = make(keyed=False)
    action = LockCell(target=CELL)

    driven.act(action)
    driven.act(action)

    assert [line["key"] for line in driven.plant.journal()] == ["key", "key"]
    assert driven.plant.look("never sent") is Seen.CANNOT_TELL


def test_a_dead_node_is_silent_and_never_reads_as_zero_load(make):
    driven = make()
    driven.live(1)
    driven.plant.inject(FaultKind.NODE_DOWN, GATEWAY)
    points = {tp.id for tp in INVENTORY.termination_points if tp.node == GATEWAY}

    items = [item for item in driven.live(8) if item["type"] == "readings" and item["time"] > truth(driven)["at"]]
    values = last_values(items)

    assert {value for (element, _), value in values.items() if element in points} <= {None}
    assert values.get((GATEWAY, "oper_up")) in (0.0, None)


def test_counters_never_go_back(make):
    driven = make()
    driven.plant.inject(FaultKind.LINK_DOWN)
    items = sorted((i for i in driven.live(10) if i["type"] == "readings"), key=lambda item: item["time"])

    seen: dict[str, float] = {}
    for element, metric, value in (row for item in items for row in item["rows"]):
        if metric == "octets" and value is not None:
            assert value >= seen.get(element, 0.0)
            seen[element] = value
    assert seen


def test_alarms_are_never_cleared_before_they_are_raised(make):
    driven = make(seed=8)
    driven.plant.inject(FaultKind.NODE_DOWN, GATEWAY, self_heals_after=0.3)

    said = alarms(driven.live(20))

    raised = {alarm["id"]: alarm["time"] for alarm in reversed(said) if not alarm["cleared"]}
    for alarm in (alarm for alarm in said if alarm["cleared"]):
        assert alarm["time"] >= raised.get(alarm["id"], "")
    assert raised


def test_the_same_seed_lives_the_same_life(make):
    def life(seed: int) -> Iterator[list[dict]]:
        driven = make(seed=seed)
        yield driven.live(2)
        driven.plant.inject(*driven.plant.choose(5))
        yield driven.live(3)

    assert list(life(7)) == list(life(7))
    assert list(life(7)) != list(life(8))


def test_chosen_faults_are_of_several_kinds_and_hit_what_exists(make):
    driven = make()

    chosen = [driven.plant.choose(seed) for seed in range(40)]

    assert chosen == [driven.plant.choose(seed) for seed in range(40)]
    assert len({kind for kind, _ in chosen}) >= 5
    assert all(driven.plant.state(element) for _, element in chosen)
