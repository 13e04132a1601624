"""Laws of configurations: the text form loses nothing, access lists match as a slow reading of them does, packets
arrive where a plain graph says that they can, and a safe order is found exactly when there is one."""

from itertools import pairwise, permutations

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.configuration import (
    AccessEntry,
    AccessList,
    AccessVerdict,
    BgpSession,
    Configuration,
    Duplex,
    Igp,
    IgpProtocol,
    Interface,
    Protection,
    PushPolicy,
    RouterConfiguration,
    SegmentPolicy,
    StaticRoute,
    Transport,
)
from domain.errors import BadInput
from tests.twin.configuration.theta import TEXT, THETA, both_ends, edited
from tests.twin.small_networks import network
from twin.configuration import check, diff, generate, parse, write
from twin.configuration.filters import covering
from twin.configuration.order import Way
from twin.configuration.view import Push, View
from twin.configuration.wiring import Wiring, number_of

names = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)
links = names.filter(lambda name: name != "backup")
words = st.lists(names, max_size=4).map(" ".join)
addresses = st.ip_addresses(v=4).map(str)
prefixes = st.builds(
    lambda number, length: (
        f"{'.'.join(str(p) for p in (number >> (32 - length) << (32 - length)).to_bytes(4, 'big'))}/{length}"
    ),
    st.integers(0, 2**32 - 1),
    st.integers(1, 32),
)
anything = st.one_of(st.just("any"), prefixes)
keys = st.one_of(st.just(""), names)

igps = st.builds(
    Igp,
    protocol=st.sampled_from(IgpProtocol),
    area=st.integers(0, 2**32 - 1),
    metric=st.integers(1, 65535),
    authentication=keys,
    passive=st.booleans(),
)
interfaces = st.builds(
    Interface,
    name=names,
    description=words,
    address=st.none() | st.builds(lambda address, length: f"{address}/{length}", addresses, st.integers(0, 32)),
    mtu=st.integers(576, 9216),
    vlan=st.none() | st.integers(1, 4094),
    duplex=st.sampled_from(Duplex),
    enabled=st.booleans(),
    igp=st.none() | igps,
    access_in=keys,
    access_out=keys,
)


def entries(sources: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[AccessEntry, ...]]:
    """Lists of entries, numbered upwards."""
    ported = st.tuples(st.sampled_from([Transport.TCP, Transport.UDP]), st.none() | st.integers(0, 3))
    plain = st.tuples(st.sampled_from([Transport.IP, Transport.ICMP]), st.none())
    made = st.lists(st.tuples(st.sampled_from(AccessVerdict), ported | plain, sources, sources), max_size=6)
    return made.map(
        lambda found: tuple(
            AccessEntry(sequence=n, verdict=verdict, transport=transport, port=port, source=source, destination=goal)
            for n, (verdict, (transport, port), source, goal) in enumerate(found, 1)
        )
    )


def unique(strategy: st.SearchStrategy[object], key: str) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(strategy, max_size=3, unique_by=lambda made: getattr(made, key)).map(tuple)


routers = st.builds(
    RouterConfiguration,
    router=names,
    description=words,
    local_as=st.none() | st.integers(1, 2**32 - 1),
    interfaces=unique(interfaces, "name"),
    sessions=unique(
        st.builds(
            BgpSession,
            peer=addresses,
            remote_as=st.integers(1, 2**32 - 1),
            source=names,
            authentication=keys,
            enabled=st.booleans(),
        ),
        "peer",
    ),
    access_lists=unique(st.builds(AccessList, name=names, entries=entries(anything)), "name"),
    routes=unique(
        st.builds(StaticRoute, prefix=prefixes, via=st.none() | addresses, announced=st.booleans()), "prefix"
    ),
    policies=unique(
        st.builds(
            SegmentPolicy,
            name=names,
            color=st.integers(1, 2**32 - 1),
            endpoint=addresses,
            via=st.lists(addresses, max_size=3).map(tuple),
        ),
        "name",
    ),
    protections=unique(
        st.builds(
            Protection,
            name=names,
            primary=st.lists(links, min_size=1, max_size=3).map(tuple),
            backup=st.lists(links, min_size=1, max_size=3).map(tuple),
        ),
        "name",
    ),
)
configurations = st.lists(routers, min_size=1, max_size=3, unique_by=lambda router: router.router).map(
    lambda made: Configuration(routers=tuple(made))
)


@given(configurations)
@settings(max_examples=40)
def test_what_is_written_is_read_back_the_same(configuration: Configuration) -> None:
    assert parse(write(configuration)).configuration == configuration


@given(configurations)
@settings(max_examples=40)
def test_every_section_has_the_line_that_says_it(configuration: Configuration) -> None:
    document = parse(write(configuration))

    for router in configuration.routers:
        assert document.line(router.router).text == f"router {router.router}"
        for interface in router.interfaces:
            line = document.line(router.router, "interface", interface.name, "mtu")
            assert line.text == f"mtu {interface.mtu}"
            assert document.lines[line.number - 1].strip() == line.text


@given(configurations)
@settings(max_examples=40)
def test_a_diff_is_empty_for_the_same_and_for_nothing_else(configuration: Configuration) -> None:
    first = configuration.routers[0]
    other = configuration.but(routers=(first.but(local_as=1 if first.local_as != 1 else 2), *configuration.routers[1:]))

    assert diff(configuration, configuration) == ""
    assert diff(configuration, other) != ""


def refusal(text: str) -> str:
    """Return why a text is refused, or that it is read; any other exception is none of the two."""
    try:
        parse(text)
    except BadInput as error:
        return error.reason
    return "read"


@given(st.text(st.characters(max_codepoint=200), max_size=200))
def test_any_text_is_read_or_refused_with_a_line(text: str) -> None:
    assert refusal(text).startswith(("line ", "read"))


@given(st.data())
def test_any_broken_line_of_a_configuration_is_read_or_refused_with_a_line(data: st.DataObject) -> None:
    lines = TEXT.splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    words_of = lines[at].split(" ")
    place = data.draw(st.integers(0, len(words_of) - 1))
    words_of[place] = data.draw(st.sampled_from(["", "x", "-1", "0", "999999", "10.0.0.0/33", "\u00e9"]))
    lines[at] = " ".join(words_of)

    assert refusal("\n".join(lines)).startswith(("line ", "read"))


routes = st.lists(
    st.tuples(
        st.sampled_from("abcde"),
        st.sampled_from(["0.0.0.0/0", "172.16.0.0/16", "172.16.2.0/24", "172.16.2.128/25", "10.255.0.3/32"]),
        st.sampled_from(["drop", "via 10.0.0.1", "via 10.0.0.6", "via 10.255.0.2", "via 172.16.3.9", "via 9.9.9.9"]),
        st.sampled_from(["", " announced"]),
    ),
    max_size=4,
    unique_by=lambda made: made[:2],
)


@given(routes)
@settings(max_examples=40)
def test_what_the_igp_alone_decides_is_what_following_every_way_says(made: list[tuple[str, ...]]) -> None:
    text = edited(TEXT, *((router, "", f" route {prefix} {goal}{flag}") for router, prefix, goal, flag in made))
    view = View(parse(text), Wiring(THETA))

    for address in ("10.255.0.3", "172.16.2.0", "172.16.2.129", "172.16.4.9", "100.64.0.0", "9.9.9.9"):
        plain = view.forwarding.plainly_good(number_of(address))
        fate = view.forwarding.fate(number_of(address))
        assert plain is None or plain.tolist() == fate.good.tolist()
        assert not (fate.good & fate.looping).any()


@given(routes)
@settings(max_examples=25)
def test_a_push_that_changes_nothing_blocks_nothing_however_bad_it_is(made: list[tuple[str, ...]]) -> None:
    text = edited(TEXT, *((router, "", f" route {prefix} {goal}{flag}") for router, prefix, goal, flag in made))

    report = check(parse(text), parse(text), THETA)

    assert (report.blocks, report.order, report.diff) == (False, (), "")
    assert not any(finding.new for finding in report.findings)


#: Few prefixes that overlap in every way, so that entries meet.
near = st.sampled_from(["any", "0.0.0.0/1", "128.0.0.0/1", "0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2"])
PACKETS = [
    (source << 30, goal << 30, transport, port)
    for source in range(4)
    for goal in range(4)
    for transport in (Transport.TCP, Transport.UDP, Transport.ICMP, None)
    for port in range(5)
]


def matches(entry: AccessEntry, packet: tuple[int, int, Transport | None, int]) -> bool:
    """Read one entry slowly: the packet's transport None is any other."""
    source, goal, transport, port = packet
    for prefix, number in ((entry.source, source), (entry.destination, goal)):
        if prefix != "any":
            start, length = prefix.split("/")
            if number >> (32 - int(length)) != number_of(start) >> (32 - int(length)):
                return False
    return entry.transport in {Transport.IP, transport} and entry.port in {None, port}


@given(entries(near))
def test_an_entry_is_called_dead_exactly_when_no_packet_gets_to_it(found: tuple[AccessEntry, ...]) -> None:
    access = AccessList(name="x", entries=found)

    for place, entry in enumerate(found):
        reached = any(
            matches(entry, packet) and not any(matches(other, packet) for other in found[:place]) for packet in PACKETS
        )
        assert bool(covering(access, place)) is not reached


edges = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 5)).filter(lambda pair: pair[0] < pair[1]),
    min_size=1,
    max_size=9,
    unique=True,
)


@given(edges, st.data())
@settings(max_examples=40)
def test_packets_arrive_where_the_links_that_are_up_lead(pairs: list[tuple[int, int]], data: st.DataObject) -> None:
    inventory = network([(f"r{a}", f"r{b}", 10, 100.0) for a, b in pairs])
    down = data.draw(st.sets(st.integers(0, len(pairs) - 1)))
    text = write(generate(inventory))
    for number in down:
        head, _, tail = text.partition(f" interface l{number}.a\n")
        text = f"{head} interface l{number}.a\n{tail.replace('state up', 'state down', 1)}"
    view = View(parse(text), Wiring(inventory))
    graph = nx.Graph([(f"r{a}", f"r{b}") for n, (a, b) in enumerate(pairs) if n not in down])
    graph.add_nodes_from(view.names)

    for place, name in enumerate(view.names, 1):
        address = number_of(f"10.255.0.{place}")
        fate, plain = view.forwarding.fate(address), view.forwarding.plainly_good(address)
        assert plain is not None
        assert plain.tolist() == fate.good.tolist()
        assert {view.names[n] for n, good in enumerate(fate.good) if good} == nx.node_connected_component(graph, name)
        assert not fate.looping.any()


NEXT = {(pair[0], pair[1]): f"10.0.0.{2 * n + 1}" for n, pair in enumerate(["ab", "bc", "ad", "dc", "ae", "ec"])} | {
    (pair[1], pair[0]): f"10.0.0.{2 * n}" for n, pair in enumerate(["ab", "bc", "ad", "dc", "ae", "ec"])
}


#: All ways of two to four routers over the links.
WAYS = nx.Graph(list(NEXT))
CHAINS = [way for ends in permutations("abcde", 2) for way in nx.all_simple_paths(WAYS, *ends, cutoff=3)]
chains = st.sampled_from(CHAINS)


def with_exit(text: str, chain: list[str], prefix: str) -> str:
    """Return a text in which each router of a chain sends a network on, and the last one has it."""
    for here, there in pairwise(chain):
        text = edited(text, (here, "", f" route {prefix} via {NEXT[here, there]}"))
    lan = "abcde".index(chain[-1])
    return edited(text, (chain[-1], "", f" route {prefix} via 172.16.{lan}.9"))


@given(st.lists(st.tuples(chains, chains), min_size=1, max_size=2))
@settings(max_examples=30)
def test_a_safe_order_is_found_exactly_when_there_is_one(moves: list[tuple[list[str], list[str]]]) -> None:
    before = after = TEXT
    for number, (old, new) in enumerate(moves):
        before = with_exit(before, old, f"198.18.{number}.0/24")
        after = with_exit(after, new, f"198.18.{number}.0/24")
    wiring = Wiring(THETA)
    way = Way(Push(View(parse(before), wiring), View(parse(after), wiring), None, PushPolicy()))

    safe = [order for order in permutations(way.movers) if way.is_safe(order)]

    assert (way.safe_order is not None) is bool(safe)
    if way.safe_order is not None:
        assert way.is_safe(way.safe_order)
        assert sorted(way.safe_order) == list(way.push.changed)


@pytest.mark.parametrize("text", [TEXT, edited(TEXT, *both_ends("l0", "  ospf metric 10", "  ospf metric 25"))])
def test_the_same_push_is_judged_the_same_twice(text: str) -> None:
    assert check(parse(TEXT), parse(text), THETA) == check(parse(TEXT), parse(text), THETA)
