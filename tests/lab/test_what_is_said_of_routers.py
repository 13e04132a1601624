"""From looks at routers to the feed: readings, alarms and notices; and nothing of what nobody heard."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from adapters.network.routers.conditions import IF_FULL, SEVERITY, VENDOR, Condition, Conditions
from adapters.network.routers.discovery import discover
from adapters.network.routers.network import RoutersNetwork
from adapters.network.routers.probes import Measured, Tally
from adapters.network.routers.rates import Rate
from adapters.network.routers.vty import Vty
from domain.errors import Unavailable
from telemetry.mappings import VENDORS
from tests.lab.fixed import FixedWay, heard, network_over
from tests.lab.recorded import Recorded, reach


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


@pytest.fixture
def network(recorded: Recorded) -> Iterator[RoutersNetwork]:
    with network_over(recorded, {"r2": FixedWay(None)}) as opened:
        yield opened


def alarms(items: list[dict[str, Any]]) -> set[tuple[str, str, bool]]:
    return {(item["resource"], item["name"], item["cleared"]) for item in items if item["type"] == "alarm"}


def newest(items: Any) -> dict[tuple[str, str], Any]:
    return {(row[0], row[1]): row[2] for item in items if item["type"] == "readings" for row in item["rows"]}


def shut(recorded: Recorded) -> None:
    """Let r1 show what a router shows when its interface was shut, and r2 what the far end does."""
    r1, r2 = recorded.routers["r1"].answers, recorded.routers["r2"].answers
    r1["show interface json"]["eth-r2"]["administrativeStatus"] = "down"
    r2["show interface json"]["eth-r1"]["operationalStatus"] = "down"
    r1["show ip ospf neighbor json"]["neighbors"].pop("10.20.255.2")
    r2["show ip ospf neighbor json"]["neighbors"].pop("10.20.255.1")


def test_healthy_routers_say_no_alarm_and_have_readings(network):
    items = heard(network, lambda items: len(items) > 6).items

    assert alarms(list(items)) == set()
    rows = newest(items)
    assert rows["tp:r1-r2", "oper_up"] == 1
    assert rows["node:r2", "adjacencies"] == 3
    assert rows["demand:r1-r2", "loss"] == 0.0
    assert rows["demand:r1-r2", "delay"] == 0.5
    assert rows["tp:r2-r4", "octets"] > 0


def test_a_shut_interface_is_told_by_both_ends_and_cleared_again(network, recorded):
    usual = {name: Recorded().routers[name].answers for name in ("r1", "r2")}
    position = heard(network, bool).position
    shut(recorded)
    expected = {
        ("tp:r1-r2", "IF-SHUT", False),
        ("tp:r1-r2", "OSPF-NBR-DOWN", False),
        ("tp:r2-r1", "IF-DOWN", False),
        ("tp:r2-r1", "OSPF-NBR-DOWN", False),
    }

    feed = heard(network, lambda items: alarms(items) >= expected, position)

    assert alarms(list(feed.items)) == expected
    notices = [item for item in feed.items if item["type"] == "state"]
    assert [(n["element"], n["attribute"], n["value"]) for n in notices] == [("tp:r1-r2", "administrative", "locked")]
    for name, answers in usual.items():
        recorded.routers[name].answers = answers
    cleared = {(resource, name, True) for resource, name, _ in expected}
    heard(network, lambda items: alarms(items) >= cleared, feed.position)


def test_what_a_silent_router_does_not_say_is_not_zero(network, recorded):
    position = heard(network, bool).position
    recorded.routers["r3"].silent = True
    told = heard(network, lambda items: ("node:r3", "ROUTER-SILENT", False) in alarms(items), position)

    items = heard(network, lambda items: len(newest(items)) > 10, told.position).items

    assert not [key for key in newest(items) if key[0] == "node:r3" or key[0].startswith("tp:r3")]
    assert network.odd["r3"] > 0


def test_an_alarm_of_a_router_that_fell_silent_is_not_cleared_by_its_silence(network, recorded):
    shut(recorded)
    position = heard(network, lambda items: ("tp:r1-r2", "IF-SHUT", False) in alarms(items)).position
    recorded.routers["r1"].silent = True

    items = list(heard(network, lambda items: ("node:r1", "ROUTER-SILENT", False) in alarms(items), position).items)

    assert ("tp:r1-r2", "IF-SHUT", True) not in alarms(items)


def test_a_lost_neighbour_is_not_found_again_by_losing_the_process_that_would_know(network, recorded):
    shut(recorded)
    position = heard(network, lambda items: ("tp:r2-r1", "OSPF-NBR-DOWN", False) in alarms(items)).position
    recorded.routers["r2"].no_ospf = True

    items = heard(network, lambda items: ("node:r2", "OSPFD-DOWN", False) in alarms(items), position).items

    assert ("tp:r2-r1", "OSPF-NBR-DOWN", True) not in alarms(list(items))


def test_half_answers_are_counted_and_told_and_never_used(network, recorded):
    position = heard(network, bool).position
    recorded.routers["r2"].half = True
    told = heard(network, lambda items: ("node:r2", "ANSWER-BROKEN", False) in alarms(items), position)

    rows = newest(heard(network, lambda items: len(newest(items)) > 10, told.position).items)

    assert not [key for key in rows if key[0] == "node:r2" or key[0].startswith("tp:r2")]
    assert network.odd["r2"] > 0


def test_a_lost_routing_process_is_told_and_the_interfaces_are_still_read(network, recorded):
    position = heard(network, bool).position
    recorded.routers["r4"].no_ospf = True

    feed = heard(network, lambda items: ("node:r4", "OSPFD-DOWN", False) in alarms(items), position)

    rows = newest(heard(network, bool, feed.position).items)
    assert rows["tp:r4-r1", "oper_up"] == 1
    assert ("node:r4", "adjacencies") not in rows


def test_a_router_that_hangs_keeps_nobody_waiting(network, recorded):
    position = heard(network, bool).position
    recorded.routers["r3"].hangs = free = threading.Event()
    try:
        rows = newest(heard(network, lambda items: len(items) > 12, position).items)
        after = heard(network, lambda items: len(items) > 12, network.poll(position).position).items
    finally:
        free.set()

    assert ("tp:r1-r2", "utilisation") in rows
    assert not [key for key in newest(after) if key[0] == "node:r3" or key[0].startswith("tp:r3")]


def test_when_nobody_answers_it_is_us_who_cannot_hear(network, recorded):
    position = heard(network, bool).position
    for router in recorded.routers.values():
        router.silent = True

    with pytest.raises(Unavailable, match="no router answers"):
        heard(network, lambda _: False, position)

    for router in recorded.routers.values():
        router.silent = False


def test_a_way_that_measures_nothing_has_no_reading(network):
    rows = newest(heard(network, lambda items: len(items) > 4).items)

    assert not [key for key in rows if key[0] == "demand:r2-r3"]


def test_a_full_interface_is_told_after_a_second_look_and_calms_down(network, recorded):
    position = heard(network, bool).position
    link = next(x for x in recorded.routers["r4"].answers["ip -s -j link"] if x["ifname"] == "eth-r2")
    sent = link["stats64"]["tx"]

    def more(items: list[dict[str, Any]]) -> bool:
        sent["bytes"] += 100_000
        return ("tp:r4-r2", "IF-OVERUTIL", False) in alarms(items)

    feed = heard(network, more, position)
    heard(network, lambda items: ("tp:r4-r2", "IF-OVERUTIL", True) in alarms(items), feed.position)


def test_a_full_interface_that_seems_to_breathe_is_one_alarm(recorded):
    topology = discover([Vty(access, run=recorded) for access in reach().routers], reach())
    conditions, full = Conditions(topology), Condition("tp:r4-r2", IF_FULL)

    said = [
        full in conditions.update([], {full.resource: Rate(use, 0.0)}) for use in (1, 1, 0.8, 1, 0.8, 0.8, 1, 0.8, 0, 0)
    ]

    assert said == [False, *[True] * 8, False]


def test_what_stands_when_somebody_first_asks_is_told_then(recorded):
    shut(recorded)
    with network_over(recorded) as network:
        network.warm_up(4)
        assert {item["type"] for item in network.history()} == {"readings"}

        items = list(network.poll(0, wait_s=1.0).items)

    assert ("tp:r1-r2", "IF-SHUT", False) in alarms(items)


def test_a_later_network_goes_on_behind_an_earlier_one(recorded):
    with network_over(recorded) as first:
        position = heard(first, lambda items: len(items) > 4).position
    with network_over(recorded) as second:
        assert heard(second, bool, position).position > position


def test_every_alarm_has_a_word_and_a_severity_of_ours():
    assert set(SEVERITY) == set(VENDORS[VENDOR].types)
    assert set(SEVERITY.values()) == set(VENDORS[VENDOR].severities)


ANSWER = "1380 bytes from 10.20.255.2: icmp_seq={} ttl=63 time={} ms"
MISSED = "no answer yet for icmp_seq={}"


def test_a_ping_tells_loss_and_half_of_the_way_there_and_back():
    tally = Tally()
    for number in range(1, 11):
        tally.take((MISSED if number % 2 else ANSWER).format(number, 3.0), 1.0)

    assert tally.measured(1.2) == Measured(0.5, 1.5)


def test_an_answer_that_comes_late_is_no_loss():
    tally = Tally()
    for number in range(1, 11):
        tally.take(MISSED.format(number), 1.0)
    tally.take(ANSWER.format(4, 250.0), 1.1)

    assert tally.measured(1.2) == Measured(0.9, 125.0)


@pytest.mark.parametrize(("lines", "asked_at"), [(3, 1.0), (10, 9.0)], ids=["too few", "too long ago"])
def test_what_nobody_can_tell_has_no_value(lines, asked_at):
    tally = Tally()
    tally.take("PING 10.20.255.2 (10.20.255.2) 1372(1400) bytes of data.", 0.5)
    for number in range(lines):
        tally.take(ANSWER.format(number, 1.0), 1.0)

    assert tally.measured(asked_at) is None
