"""What is told to routers: checked first, all or nothing, and read back. The routers are recorded ones."""

from collections.abc import Iterator

import pytest

from adapters.network.routers.network import RoutersNetwork
from control_plane.ports import Seen
from domain.actions import (
    Action,
    DispatchCrew,
    DrainLink,
    InterfaceDown,
    InterfaceUp,
    LockCell,
    RestartProcess,
    SteerDemand,
    UndrainLink,
)
from domain.errors import NotFound, Refused, Unavailable
from tests.lab.fixed import network_over
from tests.lab.recorded import Recorded


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


@pytest.fixture
def network(recorded: Recorded) -> Iterator[RoutersNetwork]:
    with network_over(recorded) as opened:
        yield opened


def configurations(recorded: Recorded) -> dict[str, str]:
    return {name: router.running for name, router in recorded.routers.items()}


EVERY_KIND: list[Action] = [
    InterfaceDown(target="tp:r1-r2"),
    DrainLink(target="link:r2-r4", previous_metric=10),
    UndrainLink(target="link:r1-r2", metric=77),
    SteerDemand(target="demand:r1-r2", via="node:r4"),
]


@pytest.mark.parametrize("action", EVERY_KIND, ids=lambda action: action.kind)
def test_an_action_shows_in_the_state_and_its_inverse_puts_back_what_was(network, recorded, action):
    before, inverse = configurations(recorded), action.inverse()
    shown = network.state(action.target)

    network.send("there", action)

    assert network.look("there") is Seen.DONE
    assert action.took_effect(shown, network.state(action.target))
    if isinstance(action, UndrainLink):
        inverse = UndrainLink(target=action.target, metric=10)
    network.send("back", inverse)
    assert network.state(action.target) == shown
    assert configurations(recorded) == before


def test_every_line_is_parsed_before_the_first_is_carried_out(network, recorded):
    network.send("drain", DrainLink(target="link:r2-r4", previous_metric=10))

    assert recorded.checked == ["interface eth-r4", "ip ospf cost 65535", "interface eth-r2", "ip ospf cost 65535"]


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (InterfaceUp(target="tp:no-such"), "no interface"),
        (InterfaceUp(target="link:r1-r2"), "no interface"),
        (DrainLink(target="tp:r1-r2", previous_metric=10), "no link"),
        (SteerDemand(target="link:r1-r2", via="node:r4"), "no demand"),
        (SteerDemand(target="demand:r1-r2", via="node:r4", share=0.4), "take all of `demand:r1-r2` or nothing"),
        (SteerDemand(target="demand:r1-r2", via="node:r3"), "no neighbour of `node:r1`; choose of node:r2, node:r4"),
        (LockCell(target="tp:r1-r2"), "take no `lock_cell`"),
        (RestartProcess(target="node:r1"), "take no `restart_process`"),
        (DispatchCrew(target="link:r1-r2"), "take no `dispatch_crew`"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_told(network, recorded, action, said):
    with pytest.raises(Refused, match=said):
        network.send("odd", action)

    assert network.look("odd") is Seen.ABSENT
    assert not any(router.told for router in recorded.routers.values())


def test_what_the_second_router_refuses_is_put_back_on_the_first(network, recorded):
    before = configurations(recorded)
    recorded.routers["r4"].refuses = "ip ospf cost 65535"

    with pytest.raises(Refused, match=r"r4 refused.*everything is as it was before"):
        network.send("drain", DrainLink(target="link:r2-r4", previous_metric=10))

    assert recorded.routers["r2"].told[-1] == "ip ospf cost 10"
    assert configurations(recorded) == before
    assert network.look("drain") is Seen.ABSENT


def test_a_steering_that_is_refused_after_the_old_route_went_is_put_back(network, recorded):
    network.send("first", SteerDemand(target="demand:r4-r2", via="node:r3"))
    before, before_route = configurations(recorded), "ip route 10.20.255.2/32 10.20.0.4"
    recorded.routers["r4"].refuses = "ip route 10.20.255.2/32 10.20.0.7"

    with pytest.raises(Refused, match="r4 refused"):
        network.send("second", SteerDemand(target="demand:r4-r2", via="node:r1", previous_via="node:r3"))

    assert f"no {before_route}" in recorded.routers["r4"].told
    assert configurations(recorded) == before
    assert network.state("demand:r4-r2")["via"] == "node:r3"


def test_a_steering_takes_the_place_of_every_route_that_was_there_and_gives_it_back(network, recorded):
    running = recorded.routers["r4"].answers["show running-config"]
    old = ["ip route 10.20.255.2/32 Null0", "ip route 10.20.255.2/32 10.20.0.4 50"]
    running[running.index("!") : running.index("!")] = old
    shown = network.state("demand:r4-r2")["via"]
    recorded.routers["r4"].refuses = "ip route 10.20.255.2/32 10.20.0.7"

    with pytest.raises(Refused, match="r4 refused"):
        network.send("steer", SteerDemand(target="demand:r4-r2", via="node:r1"))

    assert shown == "Null0/10.20.0.4 50"
    assert sorted(line for line in running if line.startswith("ip route")) == sorted(old)
    recorded.routers["r4"].refuses = ""
    network.send("again", SteerDemand(target="demand:r4-r2", via="node:r1"))
    assert [line for line in running if line.startswith("ip route")] == ["ip route 10.20.255.2/32 10.20.0.7"]


@pytest.mark.parametrize(
    ("gone", "action"),
    [
        ("no_static", SteerDemand(target="demand:r4-r2", via="node:r3")),
        ("no_ospf", DrainLink(target="link:r2-r4", previous_metric=10)),
    ],
)
def test_what_a_process_that_is_gone_would_know_is_unknown_and_nothing_is_told(network, recorded, gone, action):
    setattr(recorded.routers["r4"], gone, True)

    with pytest.raises(Unavailable, match="is not running"):
        network.state(action.target)
    with pytest.raises(Unavailable, match="is not running"):
        network.send("there", action)

    assert network.look("there") is Seen.FAILED
    assert not any(router.told for router in recorded.routers.values())


def test_when_a_router_dies_in_the_middle_nobody_can_tell(network, recorded):
    recorded.routers["r4"].dies_at = "ip ospf cost 65535"

    with pytest.raises(Unavailable, match="putting it back failed"):
        network.send("drain", DrainLink(target="link:r2-r4", previous_metric=10))

    assert network.look("drain") is Seen.CANNOT_TELL


def test_a_router_that_is_silent_before_anything_was_told_failed(network, recorded):
    recorded.routers["r1"].silent = True

    with pytest.raises(Unavailable, match="r1 does not answer"):
        network.send("up", InterfaceUp(target="tp:r1-r2"))

    assert network.look("up") is Seen.FAILED
    assert recorded.routers["r1"].told == []


@pytest.mark.parametrize("element", ["tp:r1-r2", "link:r1-r2", "demand:r1-r2", "node:r1"])
def test_the_state_of_a_router_that_answers_half_is_unavailable(network, recorded, element):
    recorded.routers["r1"].half = True

    with pytest.raises(Unavailable):
        network.state(element)


def test_ends_that_disagree_show_as_such(network, recorded):
    running = recorded.routers["r1"].answers["show running-config"]
    running[running.index(" ip ospf cost 10")] = " ip ospf cost 33"

    assert network.state("link:r1-r2")["metric"] == "33/10"


def test_what_nobody_sent_here_cannot_be_told(network):
    assert network.look("of an earlier house") is Seen.CANNOT_TELL
    with pytest.raises(NotFound, match="no-such"):
        network.state("no-such")
