"""What an access list lets through, and which of its entries never match."""

import pytest

from domain.configuration import AccessList, ProtectedFlow, Transport
from twin.configuration import parse
from twin.configuration.filters import admits, covering, deciding


def access(*entries: str) -> AccessList:
    text = "router a\n access-list x\n" + "".join(f"  {10 * n} {entry}\n" for n, entry in enumerate(entries, 1))
    return parse(text).routers["a"].access_lists[0]


def flow(transport: Transport = Transport.TCP, port: int | None = 80) -> ProtectedFlow:
    return ProtectedFlow(name="f", source="10.0.0.1", destination="10.1.0.1", transport=transport, port=port)


@pytest.mark.parametrize(
    ("entries", "by"),
    [
        (("permit ip any any", "deny tcp any any"), [10]),
        (("permit ip 10.0.0.0/9 any", "permit ip 10.128.0.0/9 any", "deny ip 10.0.0.0/8 any"), [10, 20]),
        (("permit tcp any any", "permit udp any any", "permit icmp any any", "deny ip any any"), []),
        (("permit ip 10.0.0.0/9 any", "deny ip 10.0.0.0/8 any"), []),
        (("permit tcp any any port 22", "deny tcp any any port 23"), []),
        (("permit tcp any any", "deny tcp any any port 23"), [10]),
        (("permit tcp 10.0.0.0/8 any", "deny tcp any 10.0.0.0/8"), []),
    ],
)
def test_an_entry_is_dead_when_those_before_it_together_leave_nothing(entries: tuple[str, ...], by: list[int]) -> None:
    made = access(*entries)

    assert [entry.sequence for entry in covering(made, len(entries) - 1)] == by


def test_the_first_entry_that_matches_decides() -> None:
    made = access("deny tcp 10.0.0.0/8 any port 80", "permit ip any any")
    found = deciding(made, flow())

    assert found is not None
    assert found.sequence == 10
    assert deciding(made, flow(port=81)) is None
    assert not admits(made, flow())


def test_what_no_entry_matches_is_denied() -> None:
    found = deciding(access("permit tcp any any port 443"), flow())

    assert found is not None
    assert deciding(AccessList(name="empty"), flow()) is not None
    assert not admits(AccessList(name="empty"), flow())


def test_a_flow_of_all_ports_is_kept_out_in_part_by_one_of_them() -> None:
    made = access("deny tcp any any port 25", "permit ip any any")
    found = deciding(made, flow(port=None))

    assert found is not None
    assert found.sequence == 10
    assert admits(made, flow(port=None))


def test_a_flow_of_any_transport_needs_all_of_them() -> None:
    assert deciding(access("permit tcp any any"), flow(Transport.IP, None)) is not None
    assert deciding(access("permit ip any any"), flow(Transport.IP, None)) is None
