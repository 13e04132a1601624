"""Each state on the way of a push, on three ways from `a` to `c` that one can follow with a finger."""

import pytest

from domain.configuration import PushPolicy, PushReport
from domain.errors import BadInput
from tests.twin.configuration.theta import TEXT, THETA, Edit, both_ends, edited
from twin.configuration import check, parse

NETWORK = "route 198.18.0.0/24 via"


def push(before: tuple[Edit, ...], edits: tuple[Edit, ...], order: tuple[str, ...] | None = None) -> PushReport:
    old = edited(TEXT, *before)
    return check(parse(old), parse(edited(old, *edits)), THETA, PushPolicy(), order)


def messages(report: PushReport, id: str) -> list[str]:
    return [finding.message for finding in report.findings if finding.id == id]


#: The exit of a network moves along a–b–c: at first `c` has it, in the end `a`.
CHAIN: tuple[Edit, ...] = (
    ("a", "", f" {NETWORK} 10.0.0.1"),
    ("b", "", f" {NETWORK} 10.0.0.3"),
    ("c", "", f" {NETWORK} 172.16.2.9"),
)
MOVE: tuple[Edit, ...] = (
    ("a", f" {NETWORK} 10.0.0.1", f" {NETWORK} 172.16.0.9"),
    ("b", f" {NETWORK} 10.0.0.3", f" {NETWORK} 10.0.0.0"),
    ("c", f" {NETWORK} 172.16.2.9", f" {NETWORK} 10.0.0.2"),
)


def test_an_order_that_sends_packets_back_is_refused_and_the_safe_one_named() -> None:
    report = push(CHAIN, MOVE, ("c", "b", "a"))

    (message,) = messages(report, "CFG-STEP-LOOP")
    assert message.startswith("after step 1 of 3, the push of `c`, packets from `a`, `b`, `c` to 198.18.0.0 go round")
    assert "a safe order is `a`, `b`, `c`" in message
    assert report.order == ("a", "b", "c")
    assert report.blocks


def test_a_safe_order_is_found_when_none_is_given() -> None:
    report = push(CHAIN, MOVE)

    assert report.order == ("a", "b", "c")
    assert not report.blocks


def test_a_loop_in_the_middle_alone_is_seen() -> None:
    report = push(CHAIN, MOVE, ("a", "c", "b"))

    (message,) = messages(report, "CFG-STEP-LOOP")
    assert message.startswith("after step 2 of 3, the push of `c`, packets from `b`, `c` to")


def test_routes_that_swap_between_two_routers_have_no_safe_order() -> None:
    """Two networks cross over between `a` and `b`: whoever goes first sends one of them back."""
    other = "route 198.19.0.0/24 via"
    before: tuple[Edit, ...] = (
        ("a", "", f" {NETWORK} 10.0.0.1\n {other} 172.16.0.9"),
        ("b", "", f" {NETWORK} 172.16.1.9\n {other} 10.0.0.0"),
    )
    swap: tuple[Edit, ...] = (
        ("a", f" {NETWORK} 10.0.0.1\n {other} 172.16.0.9", f" {NETWORK} 172.16.0.9\n {other} 10.0.0.1"),
        ("b", f" {NETWORK} 172.16.1.9\n {other} 10.0.0.0", f" {NETWORK} 10.0.0.0\n {other} 172.16.1.9"),
    )

    report = push(before, swap)

    assert report.order is None
    assert "no safe order exists" in messages(report, "CFG-STEP-LOOP")[0]


def test_a_last_state_that_is_not_safe_is_cured_by_no_order() -> None:
    report = push((), (*both_ends("l4", "  state up", "  state down"), *both_ends("l5", "  state up", "  state down")))

    assert report.order is None
    (message,) = messages(report, "CFG-STEP-BLACK-HOLE")
    assert "no order helps: the last state itself is not safe" in message


def test_a_drop_route_in_the_middle_swallows_what_passes_there() -> None:
    report = push((), (("b", "", " route 172.16.2.128/25 drop"),))

    (message,) = messages(report, "CFG-STEP-BLACK-HOLE")
    assert "packets from `a`, `b` to 172.16.2.128 do not arrive any more" in message


def test_a_route_that_drops_what_nobody_has_is_no_trouble() -> None:
    assert not push((), (("b", "", " route 203.0.113.0/24 drop"),)).blocks


def test_a_key_changed_at_both_ends_of_the_only_way_is_seen_between_the_two_pushes() -> None:
    down = (*both_ends("l4", "  state up", "  state down"),)
    report = push(down, both_ends("l5", "  ospf authentication igp-key", "  ospf authentication new-key"), ("c", "e"))

    (message,) = messages(report, "CFG-STEP-BLACK-HOLE")
    assert message.startswith("after step 1 of 2, the push of `c`")
    assert "no safe order exists" in message


def test_a_next_hop_behind_the_igp_is_followed() -> None:
    """`b` sends the network to the loopback of `d`, which is two hops away; `a` and `c` have no route of their own."""
    before: tuple[Edit, ...] = (("d", "", f" {NETWORK} 172.16.3.9 announced"),)
    report = push(before, (("b", "", f" {NETWORK} 10.255.0.4"),))

    assert not report.blocks


def test_words_alone_can_be_pushed_in_any_order() -> None:
    edits = tuple((name, "interface lan0 >   description customers", "  description shops") for name in "ab")

    report = push((), edits, ("b", "a"))

    assert report.order == ("b", "a")
    assert report.findings == ()


@pytest.mark.parametrize(
    ("order", "told"),
    [
        (("a", "b", "b", "c"), "names a router twice"),
        (("a", "b", "z", "c"), "names `z`, which is no router here"),
        (("a", "b"), "leaves out `c`, which changes"),
    ],
)
def test_an_order_that_does_not_fit_the_change_is_refused(order: tuple[str, ...], told: str) -> None:
    with pytest.raises(BadInput, match=told):
        push(CHAIN, MOVE, order)


def test_a_push_wider_than_the_policy_is_judged_by_its_last_state_and_gets_no_order() -> None:
    old = edited(TEXT, *CHAIN)
    new = parse(edited(old, *MOVE))

    report = check(parse(old), new, THETA, PushPolicy(max_routers=2))
    asked = check(parse(old), new, THETA, PushPolicy(max_routers=2), ("c", "b", "a"))

    assert report.order is None
    assert {finding.id for finding in report.findings} == {"CFG-BLAST-RADIUS"}
    assert {finding.id for finding in asked.findings} == {"CFG-BLAST-RADIUS", "CFG-STEP-LOOP"}
    assert "split the push" in messages(asked, "CFG-STEP-LOOP")[0]
