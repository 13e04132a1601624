"""Every check finds what it is for, and leaves alone what looks like it."""

from dataclasses import dataclass, field

import pytest

from domain.configuration import FindingSeverity, ProtectedFlow, PushPolicy, PushReport, Transport
from tests.twin.configuration.theta import TEXT, THETA, Edit, both_ends, edited
from twin.configuration import CHECKS, check, parse

LOGGING = ProtectedFlow(
    name="logging", source="10.255.0.2", destination="10.255.0.1", transport=Transport.UDP, port=514
)
INTRUSION = ProtectedFlow(
    name="intrusion",
    source="172.16.1.9",
    destination="10.255.0.1",
    transport=Transport.TCP,
    port=22,
    forbidden=True,
)
POLICY = PushPolicy(max_routers=2, flows=(LOGGING, INTRUSION))

MOVED = "route 198.18.0.0/24 via"
#: `a` hands a network on to `b`, which has it; afterwards the other way round.
BEFORE_MOVE: tuple[Edit, ...] = (("a", "", f" {MOVED} 10.0.0.1"), ("b", "", f" {MOVED} 172.16.1.9"))
MOVE: tuple[Edit, ...] = (
    ("a", f" {MOVED} 10.0.0.1", f" {MOVED} 172.16.0.9"),
    ("b", f" {MOVED} 172.16.1.9", f" {MOVED} 10.0.0.0"),
)


@dataclass(frozen=True)
class Example:
    """Edits that a check blocks, and similar ones that it does not."""

    failing: tuple[Edit, ...]
    passing: tuple[Edit, ...]
    before: tuple[Edit, ...] = ()
    failing_order: tuple[str, ...] | None = None
    passing_order: tuple[str, ...] | None = None
    line: str = ""  # one of the offending lines
    policy: PushPolicy = field(default=POLICY)


EXAMPLES: dict[str, Example] = {
    "CFG-INTERFACE-UNKNOWN": Example(
        failing=(("a", " interface l0.a", " interface l0.z"),),
        passing=(("a", " interface lan0", " interface lan1"),),
        line="interface l0.z",
    ),
    "CFG-IP-DUPLICATE": Example(
        failing=(("b", "interface lo0 >   address 10.255.0.2/32", "  address 10.255.0.3/32"),),
        passing=tuple(
            (router, "", " interface lo1\n  description anycast\n  address 10.255.0.9/32") for router in "bd"
        ),
        line="address 10.255.0.3/32",
    ),
    "CFG-SUBNET-OVERLAP": Example(
        failing=(("b", "", " interface lan1\n  address 172.16.2.129/25"),),
        passing=(("b", "", " interface lan1\n  address 172.16.9.129/25"),),
        line="address 172.16.2.129/25",
    ),
    "CFG-SUBNET-MISMATCH": Example(
        failing=(("a", "interface l0.a >   address 10.0.0.0/31", "  address 10.0.7.0/31"),),
        passing=(
            ("a", "interface l0.a >   address 10.0.0.0/31", "  address 10.0.7.0/31"),
            ("b", "interface l0.b >   address 10.0.0.1/31", "  address 10.0.7.1/31"),
        ),
        line="address 10.0.7.0/31",
    ),
    "CFG-MTU-MISMATCH": Example(
        failing=(("a", "interface l0.a >   mtu 9000", "  mtu 1500"),),
        passing=both_ends("l0", "  mtu 9000", "  mtu 1500"),
        line="mtu 1500",
    ),
    "CFG-VLAN-MISMATCH": Example(
        failing=(("a", "interface l0.a >   vlan 100", ""),),
        passing=both_ends("l0", "  vlan 100", ""),
        line="vlan 100",
    ),
    "CFG-DUPLEX-MISMATCH": Example(
        failing=(("a", "interface l0.a >   duplex full", "  duplex auto"),),
        passing=both_ends("l0", "  duplex full", "  duplex auto"),
        line="duplex auto",
    ),
    "CFG-LINK-ONE-SIDED": Example(
        failing=(("a", "interface l0.a >   state up", "  state down"),),
        passing=both_ends("l4", "  state up", "  state down"),
        line="state down",
    ),
    "CFG-IGP-ONE-SIDED": Example(
        failing=(("a", "interface l0.a >   ospf metric 10", "  ospf metric 10\n  ospf passive"),),
        passing=both_ends("l4", "  ospf metric 30", "  ospf metric 30\n  ospf passive"),
        line="ospf area 0",
    ),
    "CFG-IGP-EXPOSED": Example(
        failing=(("a", "interface lan0 >   ospf passive", ""),),
        passing=(("a", "", " interface lan1\n  address 172.16.9.1/24\n  ospf area 0\n  ospf passive"),),
        line="ospf area 0",
    ),
    "CFG-IGP-METRIC": Example(
        failing=(("a", "interface l0.a >   ospf metric 10", "  ospf metric 11"),),
        passing=both_ends("l0", "  ospf metric 10", "  ospf metric 11"),
        line="ospf metric 11",
    ),
    "CFG-IGP-AREA": Example(
        failing=(("a", "interface l0.a >   ospf area 0", "  ospf area 0.0.0.1"),),
        passing=(("a", "interface l0.a >   ospf area 0", "  ospf area 0.0.0.0"),),
        line="ospf area 0.0.0.1",
    ),
    "CFG-IGP-AUTH": Example(
        failing=(("a", "interface l0.a >   ospf authentication igp-key", "  ospf authentication igp-kay"),),
        passing=both_ends("l0", "  ospf authentication igp-key", "  ospf authentication igp-kay"),
        line="ospf authentication igp-kay",
    ),
    "CFG-SESSION-ONE-SIDED": Example(
        failing=(("a", " neighbor 10.255.0.2 remote-as 64512 source lo0 authentication bgp-key", ""),),
        passing=(
            ("b", "", " neighbor 10.255.0.4 remote-as 64512 source lo0"),
            ("d", "", " neighbor 10.255.0.2 remote-as 64512 source lo0"),
        ),
        line="neighbor 10.255.0.1 remote-as 64512 source lo0 authentication bgp-key",
    ),
    "CFG-SESSION-MISMATCH": Example(
        failing=(("b", " as 64512", " as 64521"),),
        passing=(("b", "", " neighbor 172.16.1.77 remote-as 65001 source lan0"),),
        line="neighbor 10.255.0.2 remote-as 64512 source lo0 authentication bgp-key",
    ),
    "CFG-REFERENCE-UNKNOWN": Example(
        failing=(("a", "interface lan0 >   access-group EDGE in", "  access-group EGDE in"),),
        passing=(("a", "", " policy gold color 1 endpoint 10.255.0.3 via 10.255.0.5"),),
        line="access-group EGDE in",
    ),
    "CFG-ROUTE-UNRESOLVED": Example(
        failing=(("b", "", " route 198.18.0.0/24 via 172.61.1.2"),),
        passing=(("b", "", " route 198.18.0.0/24 via 10.255.0.4"),),
        line="route 198.18.0.0/24 via 172.61.1.2",
    ),
    "CFG-PREFIX-CONFLICT": Example(
        failing=(("b", "", " route 172.16.2.64/26 via 172.16.1.2"),),
        passing=(("b", "", " route 172.16.1.64/26 via 172.16.1.2"),),
        line="route 172.16.2.64/26 via 172.16.1.2",
    ),
    "CFG-ACL-SHADOWED": Example(
        failing=(
            (
                "a",
                "access-list EDGE >   30 permit ip 172.16.0.0/12 any",
                "  30 permit ip 172.16.0.0/12 any\n  31 deny ip 172.16.0.0/24 any",
            ),
        ),
        passing=(
            (
                "a",
                "access-list EDGE >   30 permit ip 172.16.0.0/12 any",
                "  29 deny ip 172.16.9.0/24 any\n  30 permit ip 172.16.0.0/12 any",
            ),
        ),
        line="31 deny ip 172.16.0.0/24 any",
    ),
    "CFG-ACL-REDUNDANT": Example(
        failing=(
            (
                "a",
                "access-list EDGE >   40 permit ip 100.64.0.0/10 any",
                "  40 permit ip 100.64.0.0/10 any\n  50 permit tcp 100.64.1.0/24 any",
            ),
        ),
        passing=(
            (
                "a",
                "access-list EDGE >   40 permit ip 100.64.0.0/10 any",
                "  40 permit ip 100.64.0.0/10 any\n  50 permit tcp 192.0.2.0/24 any",
            ),
        ),
        line="50 permit tcp 100.64.1.0/24 any",
    ),
    "CFG-FLOW-BLOCKED": Example(
        failing=(("a", " access-list CORE", " access-list CORE\n  5 deny udp any 10.255.0.1/32 port 514"),),
        passing=(("a", " access-list CORE", " access-list CORE\n  5 deny udp any 10.255.0.1/32 port 515"),),
        line="5 deny udp any 10.255.0.1/32 port 514",
    ),
    "CFG-FLOW-OPEN": Example(
        failing=(("b", "interface lan0 >   access-group EDGE in", ""),),
        passing=(
            ("b", "access-list EDGE >   20 deny ip any 10.255.0.0/16", "  20 deny tcp any 10.255.0.0/16 port 22"),
        ),
        line="interface lan0",
    ),
    "CFG-SRLG-SHARED": Example(
        failing=(("a", "", " protection p primary l0 l1 backup l2 l3"),),
        passing=(("d", "", " protection p primary l3 backup l2 l0 l1"),),
        line="protection p primary l0 l1 backup l2 l3",
    ),
    "CFG-PROTECTION-BROKEN": Example(
        failing=(("d", "", " protection p primary l3 backup l2 l1"),),
        passing=(("d", "", " protection p primary l3 backup l2 l0 l1"),),
        line="protection p primary l3 backup l2 l1",
    ),
    "CFG-PROTECTION-DOWN": Example(
        before=(("d", "", " protection p primary l3 backup l2 l0 l1"),),
        failing=both_ends("l0", "  state up", "  state down"),
        passing=both_ends("l4", "  state up", "  state down"),
        line="protection p primary l3 backup l2 l0 l1",
    ),
    "CFG-STEP-LOOP": Example(
        before=BEFORE_MOVE,
        failing=MOVE,
        failing_order=("b", "a"),
        passing=MOVE,
        passing_order=("a", "b"),
        line="route 198.18.0.0/24 via 10.0.0.0",
    ),
    "CFG-STEP-BLACK-HOLE": Example(
        failing=(*both_ends("l4", "  state up", "  state down"), *both_ends("l5", "  state up", "  state down")),
        passing=both_ends("l5", "  state up", "  state down"),
        policy=PushPolicy(),
        line="interface l5.b",
    ),
    "CFG-N1-HEADROOM": Example(
        failing=both_ends("l2", "  ospf metric 20", "  ospf metric 90"),
        passing=both_ends("l2", "  ospf metric 20", "  ospf metric 30"),
        line="interface l2.b",
    ),
    "CFG-BLAST-RADIUS": Example(
        failing=tuple((router, "interface lan0 >   mtu 1500", "  mtu 1600") for router in "abc"),
        passing=tuple((router, "interface lan0 >   description customers", "  description x") for router in "abc"),
        line="interface lan0",
    ),
    "CFG-PREFIX-WITHDRAWN": Example(
        failing=(("a", " route 100.64.0.0/24 via 172.16.0.2 announced", ""),),
        passing=(
            ("a", " route 100.64.0.0/24 via 172.16.0.2 announced", ""),
            ("b", "", " route 100.64.0.0/24 via 172.16.1.2 announced"),
        ),
        line="router a",
    ),
}

SEVERITIES = {line.id: line.severity for line in CHECKS}


def judge(example: Example, edits: tuple[Edit, ...], order: tuple[str, ...] | None) -> PushReport:
    before = edited(TEXT, *example.before)
    return check(parse(before), parse(edited(before, *edits)), THETA, example.policy, order)


def test_every_check_has_a_failing_and_a_passing_example() -> None:
    assert sorted(EXAMPLES) == sorted(SEVERITIES)
    assert all(example.failing and example.passing for example in EXAMPLES.values())


def test_the_ids_of_the_checks_are_unique() -> None:
    assert len(SEVERITIES) == len(CHECKS)


@pytest.mark.parametrize("id", EXAMPLES)
def test_a_failing_example_is_found_with_its_line_and_what_to_do(id: str) -> None:
    example = EXAMPLES[id]

    found = [finding for finding in judge(example, example.failing, example.failing_order).findings if finding.id == id]

    assert found
    assert all(finding.new and finding.remedy and finding.message for finding in found)
    assert {finding.blocks for finding in found} == {SEVERITIES[id] is FindingSeverity.ERROR}
    assert example.line in {line.text for finding in found for line in finding.lines}


@pytest.mark.parametrize("id", EXAMPLES)
def test_a_passing_example_is_not_found(id: str) -> None:
    example = EXAMPLES[id]

    report = judge(example, example.passing, example.passing_order)

    assert [finding for finding in report.findings if finding.id == id] == []


@pytest.mark.parametrize("id", [id for id, severity in SEVERITIES.items() if severity is FindingSeverity.ERROR])
def test_a_passing_example_is_not_blocked_by_any_check(id: str) -> None:
    example = EXAMPLES[id]

    report = judge(example, example.passing, example.passing_order)

    assert [(finding.id, finding.message) for finding in report.findings if finding.blocks] == []
