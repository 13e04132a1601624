"""What blocks a push and what only warns, on whole configurations."""

import pytest

from domain.configuration import FindingSeverity, ProtectedFlow, PushPolicy, Transport
from domain.errors import BadInput
from domain.network import Inventory
from tests.twin.configuration.theta import TEXT, THETA, Edit, both_ends, edited
from tests.twin.small_networks import network
from twin.configuration import check, document, generate, parse
from twin.generator import operator_network
from twin.reference import from_topohub

BAD_MTU: Edit = ("a", "interface l0.a >   mtu 9000", "  mtu 1500")


def test_an_old_trouble_in_a_part_that_is_left_alone_only_warns() -> None:
    old = edited(TEXT, BAD_MTU)
    new = edited(old, ("e", "interface lan0 >   description customers", "  description shops"))

    report = check(parse(old), parse(new), THETA)

    (finding,) = report.findings
    assert (finding.id, finding.severity, finding.new) == ("CFG-MTU-MISMATCH", FindingSeverity.WARNING, False)
    assert not report.blocks


def test_an_old_trouble_in_a_part_that_is_touched_blocks() -> None:
    old = edited(TEXT, BAD_MTU)
    new = edited(old, ("a", "interface l0.a >   mtu 1500", "  mtu 1600"))

    report = check(parse(old), parse(new), THETA)

    assert [(finding.id, finding.new, finding.blocks) for finding in report.findings] == [
        ("CFG-MTU-MISMATCH", False, True)
    ]


def test_a_push_that_mends_a_trouble_passes() -> None:
    assert not check(parse(edited(TEXT, BAD_MTU)), parse(TEXT), THETA).blocks


def test_a_first_configuration_blocks_for_what_is_wrong_in_it_and_for_nothing_else() -> None:
    report = check(None, parse(edited(TEXT, BAD_MTU)), THETA)

    assert [(finding.id, finding.new, finding.blocks) for finding in report.findings] == [
        ("CFG-MTU-MISMATCH", True, True)
    ]
    assert report.order == tuple("abcde")


def test_a_router_that_is_taken_away_leaves_its_neighbours_to_be_cleaned_up() -> None:
    gone = TEXT[: TEXT.index("router e")]

    report = check(parse(TEXT), parse(gone), THETA)

    assert {finding.id for finding in report.findings if finding.blocks} == {"CFG-SESSION-ONE-SIDED"}
    assert report.order is not None
    assert "e" in report.order


def test_what_blocks_comes_first() -> None:
    old = edited(TEXT, BAD_MTU)
    new = edited(old, ("e", "interface l4.b >   vlan 104", "  vlan 105"))

    report = check(parse(old), parse(new), THETA)

    assert [finding.blocks for finding in report.findings] == [True, False]


def test_a_router_that_is_not_there_is_refused_with_its_line() -> None:
    with pytest.raises(BadInput, match=r"line 1: `z` is no router of this network"):
        check(None, parse("router z\n"), THETA)


def test_the_share_of_traffic_that_a_push_comes_near_is_limited() -> None:
    new = edited(TEXT, *both_ends("l0", "  duplex full", "  duplex auto"))
    far = edited(TEXT, *both_ends("l4", "  duplex full", "  duplex auto"))
    policy = PushPolicy(max_demand_share=0.5)

    assert [f.subject for f in check(parse(TEXT), parse(new), THETA, policy).findings] == ["traffic"]
    assert check(parse(TEXT), parse(far), THETA, policy).findings == ()


def test_headroom_names_the_link_the_failure_and_both_figures() -> None:
    """600 Mbit/s: by `b`, and when that fails by `d`; with `d` made dear, by `e`, where 400 fit."""
    report = check(parse(TEXT), parse(edited(TEXT, *both_ends("l2", "  ospf metric 20", "  ospf metric 90"))), THETA)

    (finding,) = report.findings
    assert finding.message.startswith("`l4` would be at 150% when `l0` fails; it would have been at 0% at most")


def test_links_that_share_a_risk_are_one_failure() -> None:
    """The ways by `b` and `d` leave `a` in one duct. Without both, `f` takes 600 Mbit/s, or `e`, where 400 fit."""
    ways = [("b", 10, 1000.0), ("d", 20, 1000.0), ("e", 100, 400.0), ("f", 40, 1000.0)]
    edges = [edge for via, metric, mbps in ways for edge in (("a", via, metric, mbps), (via, "c", metric, mbps))]
    plain = network(edges, [("a", "c", 600.0)])
    duct = plain.but(links=tuple(e.but(srlgs=("duct",)) if e.id in {"l0", "l2"} else e for e in plain.links))
    cheaper = (("a", "interface l4.a >   ospf metric 100", "  ospf metric 30"),
               ("e", "interface l4.b >   ospf metric 100", "  ospf metric 30"),
               ("e", "interface l5.a >   ospf metric 100", "  ospf metric 30"),
               ("c", "interface l5.b >   ospf metric 100", "  ospf metric 30"))  # fmt: skip
    found = []
    for inventory in (plain, duct):
        old = document(generate(inventory))
        found.append(check(old, parse(edited("\n".join(old.lines), *cheaper)), inventory).findings)

    assert found[0] == ()
    (finding,) = found[1]
    assert finding.message.startswith("`l4` would be at 150% when `duct` fails; it would have been at 0% at most")


def test_a_utilisation_that_was_there_already_does_not_block() -> None:
    tight = network([("a", "b", 10, 500.0), ("b", "c", 10, 500.0), ("a", "c", 30, 400.0)], [("a", "c", 450.0)])
    old = document(generate(tight))
    new = edited("\n".join(old.lines), ("a", "interface l2.a >   ospf metric 30", "  ospf metric 31"),
                 ("c", "interface l2.b >   ospf metric 30", "  ospf metric 31"))  # fmt: skip

    assert not check(old, parse(new), tight).blocks


def test_a_flow_to_what_is_out_of_reach_does_not_arrive() -> None:
    flow = ProtectedFlow(name="calls", source="172.16.0.9", destination="192.0.2.1", transport=Transport.UDP, port=5060)

    report = check(parse(TEXT), parse(TEXT), THETA, PushPolicy(flows=(flow,)))

    assert [finding.message for finding in report.findings] == [
        "`calls` does not arrive: 192.0.2.1 is out of reach of `a`"
    ]
    assert not report.blocks  # it never did


def test_a_flow_is_followed_on_all_equal_ways() -> None:
    """With equal metrics by `b` and by `d`, a list at `d` alone keeps a part of the flow out."""
    equal = edited(
        TEXT,
        *both_ends("l2", "  ospf metric 20", "  ospf metric 10"),
        *both_ends("l3", "  ospf metric 20", "  ospf metric 10"),
    )
    bad = edited(equal, ("d", " access-list CORE", " access-list CORE\n  5 deny udp any any port 5060"))
    flow = ProtectedFlow(
        name="calls", source="172.16.0.9", destination="172.16.2.9", transport=Transport.UDP, port=5060
    )

    report = check(parse(equal), parse(bad), THETA, PushPolicy(flows=(flow,)))

    assert [(finding.id, finding.blocks) for finding in report.findings] == [("CFG-FLOW-BLOCKED", True)]
    assert "`l2.b` of `d`" in report.findings[0].message


def test_a_forbidden_flow_is_kept_out_only_when_every_way_is_closed() -> None:
    equal = edited(
        TEXT,
        *both_ends("l2", "  ospf metric 20", "  ospf metric 10"),
        *both_ends("l3", "  ospf metric 20", "  ospf metric 10"),
        ("a", "interface lan0 >   access-group EDGE in", ""),
    )
    deny = " access-list CORE\n  5 deny tcp any 10.255.0.3/32 port 22"
    half = edited(equal, ("b", " access-list CORE", deny))
    whole = edited(half, ("d", " access-list CORE", deny))
    flow = ProtectedFlow(
        name="in", source="172.16.0.9", destination="10.255.0.3", transport=Transport.TCP, port=22, forbidden=True
    )

    policy = PushPolicy(flows=(flow,))
    assert [f.id for f in check(parse(half), parse(half), THETA, policy).findings] == ["CFG-FLOW-OPEN"]
    assert check(parse(whole), parse(whole), THETA, policy).findings == ()


@pytest.mark.parametrize(
    "inventory",
    [from_topohub("topozoo/Abilene"), from_topohub("gabriel/25/0"), operator_network(3, 120), THETA],
    ids=lambda inventory: inventory.name,
)
def test_a_generated_configuration_has_nothing_to_find(inventory: Inventory) -> None:
    report = check(None, document(generate(inventory)), inventory)

    assert report.findings == ()
    assert report.diff.count("+++ after/") == len(generate(inventory).routers)


def test_demands_with_a_waypoint_become_policies_that_the_headroom_knows() -> None:
    bent = THETA.but(demands=tuple(demand.but(via="d") for demand in THETA.demands))
    old = document(generate(bent))
    line = " policy d0 color 100 endpoint 10.255.0.3 via 10.255.0.4"
    through_e = parse(edited("\n".join(old.lines), ("a", line, line.replace(".4", ".5"))))

    report = check(old, through_e, bent)

    assert [finding.id for finding in report.findings] == ["CFG-N1-HEADROOM"]


def test_an_inventory_without_routers_has_no_configuration() -> None:
    with pytest.raises(BadInput, match="has 0 routers"):
        generate(Inventory(name="empty", nodes=()))
