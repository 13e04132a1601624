"""Reading what real routers said, and believing nothing that is not whole."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.network.routers import reports
from adapters.network.routers.discovery import Topology, discover
from adapters.network.routers.observation import Heard, look_at
from adapters.network.routers.vty import Garbled, Said, Vty
from domain.clock import SystemClock
from domain.errors import BadInput, Refused, Unavailable
from tests.lab.recorded import Recorded, reach
from twin.integrity import check

WHOLE = json.dumps(Recorded().routers["r1"].answers["show interface json"])


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


def vtys(recorded: Recorded) -> list[Vty]:
    return [Vty(access, run=recorded) for access in reach().routers]


def found(recorded: Recorded) -> Topology:
    return discover(vtys(recorded), reach())


def answering(out: str, status: int = 0) -> Vty:
    return Vty(reach().routers[0], run=lambda *_: Said(status, out))


def test_the_network_is_what_the_database_and_the_interfaces_say(recorded):
    inventory = found(recorded).inventory

    check(inventory)
    assert [node.id for node in inventory.nodes] == ["node:r1", "node:r2", "node:r3", "node:r4"]
    capacities = {link.id: (link.capacity_mbps, link.metric, link.delay_ms) for link in inventory.links}
    assert capacities["link:r2-r4"] == (2.0, 10, 0.05)
    assert capacities["link:r1-r2"] == (10.0, 10, 0.05)
    assert len(capacities) == 5


def test_a_links_metric_is_what_the_database_announces(recorded):
    area = recorded.routers["r1"].answers["show ip ospf database router json"]["routerLinkStates"]["areas"]["0.0.0.0"]
    first = next(lsa for lsa in area if lsa["advertisingRouter"] == "10.20.255.1")
    link = next(said for said in first["routerLinks"].values() if said.get("neighborRouterId") == "10.20.255.2")
    link["tos0Metric"] = 33

    assert {link.id: link.metric for link in found(recorded).inventory.links}["link:r1-r2"] == 33


def test_a_link_that_is_shut_is_still_part_of_the_network(recorded):
    usual = found(recorded).inventory
    r1 = recorded.routers["r1"].answers
    r1["show interface json"]["eth-r2"]["administrativeStatus"] = "down"
    del r1["show interface json"]["eth-r2"]["operationalStatus"]
    del r1["show ip ospf interface json"]["interfaces"]["eth-r2"]

    inventory = found(recorded).inventory

    assert inventory.links == usual.links
    assert [p.id for p in inventory.termination_points if p.administrative == "locked"] == ["tp:r1-r2"]


def test_a_router_that_nobody_declared_is_named(recorded):
    known = reach().routers[:3]

    with pytest.raises(BadInput, match=r"10\.20\.255\.4"):
        discover(vtys(recorded)[:3], reach().but(routers=known))


def test_a_database_that_knows_more_than_the_interfaces_is_asked_again(recorded):
    area = recorded.routers["r1"].answers["show ip ospf database router json"]["routerLinkStates"]["areas"]["0.0.0.0"]
    area[0]["routerLinks"]["link0"]["routerInterfaceAddress"] = "10.99.0.1"

    with pytest.raises(Unavailable, match=r"10\.99\.0\.1.*ask again"):
        found(recorded)


@given(cut=st.integers(min_value=0, max_value=len(WHOLE) - 1))
def test_half_an_answer_is_none(cut):
    with pytest.raises(Unavailable):
        answering(WHOLE[:cut]).show("show interface json")


@pytest.mark.parametrize("out", ["% Unknown command: show foo", "[]", "{} {}", "{}junk", '{"a": NaN}', ""])
def test_what_is_no_single_object_is_garbled(out):
    with pytest.raises(Garbled, match="r1"):
        answering(out).show("show foo json")


@pytest.mark.parametrize("out", ["ospfd is not running\n", "Exiting: failed to connect to any daemons.\n"])
def test_a_daemon_that_is_not_there_is_unavailable_and_named(out):
    with pytest.raises(Unavailable, match=r"r1 does not answer: .*(ospfd|daemons)") as told:
        answering(out, 1).show("show ip ospf json")
    assert not isinstance(told.value, Garbled)


def test_silence_is_unavailable_with_router_and_reason(recorded):
    recorded.routers["r1"].silent = True

    with pytest.raises(Unavailable, match="r1 does not answer: no answer within 5 s"):
        vtys(recorded)[0].running()


def test_a_configuration_that_breaks_off_is_garbled(recorded):
    recorded.routers["r1"].half = True

    with pytest.raises(Garbled, match="breaks off"):
        vtys(recorded)[0].running()


def test_a_dry_run_gives_the_routers_words(recorded):
    with pytest.raises(Refused, match=r"Unknown command\[17\].*nonsense"):
        vtys(recorded)[0].check(["interface eth-r2", " nonsense"])


def _without_status(answer: dict[str, Any]) -> None:
    del answer["eth-r2"]["administrativeStatus"]


def _odd_status(answer: dict[str, Any]) -> None:
    answer["eth-r2"]["administrativeStatus"] = "maybe"


def _odd_bandwidth(answer: dict[str, Any]) -> None:
    answer["eth-r2"]["bandwidth"] = "ten"


def _odd_address(answer: dict[str, Any]) -> None:
    answer["eth-r2"]["ipAddresses"][0]["address"] = "10.20.0.300/31"


def _name_with_a_command_in_it(answer: dict[str, Any]) -> None:
    answer["eth0\nno router ospf"] = answer.pop("eth-r2")


@pytest.mark.parametrize(
    "spoil", [_without_status, _odd_status, _odd_bandwidth, _odd_address, _name_with_a_command_in_it]
)
def test_an_answer_with_an_odd_field_is_garbled_and_not_half_used(
    recorded: Recorded, spoil: Callable[[dict[str, Any]], None]
) -> None:
    spoil(recorded.routers["r1"].answers["show interface json"])

    seen = look_at(vtys(recorded)[0], recorded, SystemClock())

    assert seen.heard is Heard.GARBLED
    assert (seen.interfaces, seen.adjacencies, seen.counters) == (None, None, None)


def test_a_route_into_a_hole_deafens_nobody(recorded):
    recorded.routers["r1"].answers["show ip route static json"] = {
        "10.20.255.2/32": [{"nexthops": [{"unreachable": True, "blackhole": True}]}],
        "10.20.255.3/32": [{"nexthops": [{"directlyConnected": True, "interfaceName": "eth-r4"}, {"ip": "10.20.0.1"}]}],
        "10.20.255.4/32": [{"nexthops": []}],
    }

    seen = look_at(vtys(recorded)[0], recorded, SystemClock())

    assert seen.heard is Heard.WHOLE
    assert [len(hops) for hops in (seen.steering or {}).values()] == [1, 2, 0]


def test_an_interface_that_is_gone_is_down_and_was_shut_by_nobody(recorded):
    gone = {"administrativeStatus": "down", "linkUps": 0, "linkDowns": 1, "vrfName": "default", "pseudoInterface": True}
    recorded.routers["r1"].answers["show interface json"]["eth-r2"] = gone

    seen = look_at(vtys(recorded)[0], recorded, SystemClock())

    assert seen.heard is Heard.WHOLE
    interface = (seen.interfaces or {})["eth-r2"]
    assert (interface.admin_up, interface.oper_up) == (True, False)


ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-1, 9), st.just(1e400), st.text(max_size=5), st.just([]), st.just({})
)
QUESTIONS = sorted(set(Recorded().routers["r2"].answers) - {"show running-config"})


@given(question=st.sampled_from(QUESTIONS), odd=ODD, choose=st.randoms(use_true_random=False))
def test_whatever_stands_in_an_answer_a_look_raises_nothing(question, odd, choose):
    spoilt = Recorded()
    place: Any = spoilt.routers["r2"].answers
    key: Any = question
    while isinstance(place[key], (dict, list)) and place[key] and choose.random() < 0.8:
        place = place[key]
        key = choose.choice(list(place) if isinstance(place, dict) else range(len(place)))
    place[key] = odd

    assert look_at(vtys(spoilt)[1], spoilt, SystemClock()).heard in {Heard.WHOLE, Heard.GARBLED}


def test_without_its_routing_process_a_router_still_tells_of_its_interfaces(recorded):
    recorded.routers["r1"].no_ospf = True

    seen = look_at(vtys(recorded)[0], recorded, SystemClock())

    assert seen.heard is Heard.NO_ROUTING
    assert set(seen.interfaces or {}) == {"eth-r2", "eth-r4"}
    assert seen.adjacencies is None


def test_a_router_that_answers_is_heard_whole(recorded):
    seen = look_at(vtys(recorded)[1], recorded, SystemClock())

    assert seen.heard is Heard.WHOLE
    assert seen.adjacencies == {"eth-r1": 1, "eth-r3": 1, "eth-r4": 1}
    assert all(interface.oper_up for interface in (seen.interfaces or {}).values())


def test_costs_and_host_routes_are_read_from_a_configuration(recorded):
    routes = ["10.20.255.2/32 10.20.0.6", "10.20.255.3/32 Null0", "10.20.255.4/32 eth-r4", "10.20.255.4/32 10.20.0.1 9"]
    running = recorded.routers["r1"].running + "".join(f"ip route {route}\n" for route in routes)

    assert reports.costs_of(running) == {"eth-r2": 10, "eth-r4": 10}
    assert {str(destination): hops for destination, hops in reports.host_routes(running).items()} == {
        "10.20.255.2": ("10.20.0.6",),
        "10.20.255.3": ("Null0",),
        "10.20.255.4": ("eth-r4", "10.20.0.1 9"),
    }
