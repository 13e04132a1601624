"""The text form: what it says, what it refuses and where, and how two of them differ."""

import textwrap

import pytest

from domain.configuration import Duplex, Igp, IgpProtocol, Interface, StaticRoute
from domain.errors import BadInput, TooLarge
from tests.twin.configuration.theta import TEXT, edited
from twin.configuration import diff, parse, reading, write

EXAMPLE = textwrap.dedent((reading.__doc__ or "").split("\n\n", 2)[2])


def test_the_documented_example_is_read_and_written_back_to_the_same_configuration() -> None:
    document = parse(EXAMPLE)

    assert parse(write(document.configuration)).configuration == document.configuration
    assert document.routers["node:pe-1"].interfaces[1].igp == Igp(metric=10, authentication="core-key")


def test_what_is_left_out_has_its_default() -> None:
    router = parse("router a\n interface x\n  isis area 0.0.1.0\n route 10.0.0.0/8 drop\n").routers["a"]

    assert router.interfaces == (Interface(name="x", igp=Igp(protocol=IgpProtocol.ISIS, area=256)),)
    assert (router.interfaces[0].mtu, router.interfaces[0].duplex, router.interfaces[0].enabled) == (
        1500,
        Duplex.FULL,
        True,
    )
    assert router.routes == (StaticRoute(prefix="10.0.0.0/8"),)


def test_comments_empty_lines_and_line_ends_of_other_systems_say_nothing() -> None:
    plain = "router a\n interface x\n  mtu 9000\n"
    dressed = "! made by hand\r\n\r\nrouter a\r\n ! of the core\r\n interface x\r\n  mtu 9000\r\n"

    assert parse(dressed).configuration == parse(plain).configuration


def test_a_part_is_found_with_its_line_and_one_without_a_line_with_its_heading() -> None:
    document = parse(EXAMPLE)

    mtu = document.line("node:pe-1", "interface", "tp:pe-1.xe-0", "mtu")
    absent = document.line("node:pe-1", "interface", "lo0", "vlan")

    assert (mtu.number, mtu.text) == (12, "mtu 9000")
    assert (absent.number, absent.text) == (4, "interface lo0")
    assert document.line("node:pe-1", "route", "10.0.0.0/8").text == "router node:pe-1"
    assert document.line("node:pe-9").number == 0


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("", 1, "the configuration is empty; begin it with"),
        ("! nothing\n", 1, "the configuration is empty"),
        ("interface x\n", 1, "write `router NAME`"),
        (" interface x\n", 1, "belongs to no router"),
        ("router a\n    mtu 9000\n", 2, "is indented by 4"),
        ("router a\n  mtu 9000\n", 2, "is indented by 2 and belongs to nothing"),
        ("router a\nrouter b\nrouter a\n", 3, "`a` was configured from line 1 on already"),
        ("router a\n interface x\n interface x\n", 3, "stands in line 2 already"),
        ("router a\n interface x\n  mtu 9000\n  mtu 9000\n", 4, "said twice, first in line 3"),
        ("router a\n interface x\n  ospf area 0\n  ospf area 1\n", 4, "`ospf area` is said twice"),
        ("router a\n interface x\n  ospf area 0\n  isis area 0\n", 4, "speaks `ospf` already"),
        ("router a\n interface x\n  mtu 90000\n", 3, "`mtu` (`90000`)"),
        ("router a\n interface x\n  vlan 4095\n", 3, "less than or equal to 4094"),
        ("router a\n interface x\n  address 10.0.0.1\n", 3, "write it like `10.0.0.1/31`"),
        ("router a\n interface x\n  address 10.0.0.300/24\n", 3, "`address`"),
        ("router a\n interface x\n  ospf area 0\n  ospf metric 0\n", 4, "`metric` (`0`)"),
        ("router a\n interface x\n  speed 10\n", 3, "write description, address, mtu"),
        ("router a\n interface x\n  state shut\n", 3, "write `state up` or `state down`"),
        ("router a\n hostname b\n", 2, "write description, as, interface"),
        ("router a\n route 10.0.0.1/24 drop\n", 2, "host bits set"),
        ("router a\n route 10.0.0.0/24 10.0.0.1\n", 2, "write `route PREFIX via ADDRESS`"),
        ("router a\n route 10.0.0.0/24 drop\n route 10.0.0.0/24 drop\n", 3, "stands in line 2 already"),
        ("router a\n neighbor 10.0.0.1 remote-as 1\n", 2, "source INTERFACE"),
        ("router a\n neighbor 10.0.0.1 remote-as 0 source lo0\n", 2, "`remote_as` (`0`)"),
        ("router a\n access-list x\n  10 permit ip any\n", 3, "write it like"),
        ("router a\n access-list x\n  10 permit ip any any port 22\n", 3, "`ip` has no ports"),
        ("router a\n access-list x\n  20 permit ip any any\n  10 deny ip any any\n", 4, "number them upwards"),
        ("router a\n policy p color 1\n", 2, "write `policy NAME color N endpoint"),
        ("router a\n protection p primary l0 backup\n", 2, "`backup`"),
        ("router a\n description caf\u00e9\n", 2, "U+00E9 is no printable ASCII"),
        ("router a\n description a\tb\n", 2, "U+0009"),
        ("router a\n description a\u2028router b\n", 2, "U+2028"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_what_to_write(text: str, line: int, told: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(text)

    assert caught.value.reason.startswith(f"line {line}: ")
    assert told in caught.value.reason


def test_ten_thousand_lines_of_one_router_are_too_many() -> None:
    with pytest.raises(TooLarge, match="line 5001: `a` has more than 5000 lines"):
        parse("router a\n" + " ! filler\n" * 10_000)


def test_ten_thousand_lines_of_many_routers_are_read() -> None:
    text = "".join(f"router r{n}\n" + " ! filler\n" * 9 for n in range(1_000))

    assert len(parse(text).routers) == 1_000


def test_a_line_without_end_is_too_long() -> None:
    with pytest.raises(TooLarge, match="line 2: it has 5001 characters"):
        parse("router a\n" + " " * 5_001)


def test_a_diff_shows_the_changed_router_alone() -> None:
    new = edited(TEXT, ("b", "interface l0.b >   mtu 9000", "  mtu 1500"))

    lines = diff(parse(TEXT).configuration, parse(new).configuration).splitlines()

    assert lines[:2] == ["--- before/b", "+++ after/b"]
    assert [line for line in lines[2:] if line[0] in "+-"] == ["-  mtu 9000", "+  mtu 1500"]


def test_equal_configurations_do_not_differ() -> None:
    assert diff(parse(TEXT).configuration, parse(TEXT).configuration) == ""
