"""The text form of configurations, read with line numbers.

One file holds any number of routers. Indentation (0, 1 or 2 spaces) says what a line belongs to; `!` begins a comment
line; empty lines are free; the text is ASCII. What is left out has the default that `domain.configuration` names.

    router node:pe-1
     description edge of the west
     as 65000
     interface lo0
      address 10.255.0.1/32
      ospf area 0
      ospf metric 1
      ospf passive
     interface tp:pe-1.xe-0
      description to core 1
      address 10.0.0.0/31
      mtu 9000
      vlan 100
      duplex full
      state up
      ospf area 0
      ospf metric 10
      ospf authentication core-key
      access-group EDGE in
     access-list EDGE
      10 permit tcp any 10.255.0.0/16 port 179
      20 deny udp 192.0.2.0/24 any
     neighbor 10.255.0.2 remote-as 65000 source lo0 authentication bgp-key
     route 172.20.0.0/24 via 172.16.1.2 announced
     route 198.51.100.0/24 drop
     policy gold color 100 endpoint 10.255.0.9 via 10.255.0.4
     protection west primary link:a--b link:b--c backup link:a--d link:d--c
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from domain.configuration import (
    AccessList,
    Configuration,
    ConfigurationLine,
    Interface,
    RouterConfiguration,
)
from domain.errors import TooLarge
from twin.configuration.grammar import LINES, Open, entry, made, once, only, setting, wrong

#: Lines of one router, of one text, and characters of one line.
MOST_PER_ROUTER, MOST_LINES, LONGEST = 5_000, 1_000_000, 4_000

#: Section, its name, and a field of it (an access entry's field is its sequence number).
Place = tuple[str, str, str]

_SECTIONS = "description, as, interface, access-list, neighbor, route, policy or protection"


@dataclass(frozen=True)
class Document:
    """A configuration together with the text that says it."""

    configuration: Configuration
    lines: tuple[str, ...]
    places: Mapping[str, Mapping[Place, int]]

    @cached_property
    def routers(self) -> dict[str, RouterConfiguration]:
        """The configurations by router."""
        return {router.router: router for router in self.configuration.routers}

    def line(self, router: str, section: str = "", name: str = "", part: str = "") -> ConfigurationLine:
        """Return the line of a part; of what has no line of its own, the nearest heading above."""
        places = self.places.get(router, {})
        keys: tuple[Place, ...] = ((section, name, part), (section, name, ""), ("", "", ""))
        number = next((places[key] for key in keys if key in places), 0)
        return ConfigurationLine(router=router, number=number, text=self.lines[number - 1].strip() if number else "")


@dataclass
class _Reading:
    """How far the text has been read."""

    routers: list[RouterConfiguration] = field(default_factory=list)
    places: dict[str, dict[Place, int]] = field(default_factory=dict)
    router: Open | None = None
    section: Open | None = None


def parse(text: str) -> Document:
    """Read a text.

    Raises:
        TooLarge: the text, a line or a router is longer than this reads.
        BadInput: anything else is wrong; the sentence names the line and what to write.
    """
    lines = tuple(text.replace("\r\n", "\n").split("\n"))
    if len(lines) > MOST_LINES:
        raise TooLarge(f"the configuration has {len(lines)} lines and at most {MOST_LINES} are read; split it")
    reading = _Reading()
    for number, line in enumerate(lines, 1):
        _check_line(reading, number, line)
        words = line.split()
        if words and not words[0].startswith("!"):
            _take(reading, number, len(line) - len(line.lstrip(" ")), words)
    _close_router(reading)
    if not reading.routers:
        raise wrong(1, "the configuration is empty", "begin it with a line like `router node:pe-1`")
    return Document(Configuration(routers=tuple(reading.routers)), lines, reading.places)


def _check_line(reading: _Reading, number: int, line: str) -> None:
    if len(line) > LONGEST:
        raise TooLarge(f"line {number}: it has {len(line)} characters and at most {LONGEST} are read; shorten it")
    strange = next((sign for sign in line if not " " <= sign <= "~"), None)
    if strange is not None:
        raise wrong(number, f"U+{ord(strange):04X} is no printable ASCII character", "write it in plain ASCII")
    if reading.router is not None and number - reading.router.number >= MOST_PER_ROUTER:
        name = reading.router.name
        raise TooLarge(f"line {number}: `{name}` has more than {MOST_PER_ROUTER} lines; split the push or the router")


def _take(reading: _Reading, number: int, depth: int, words: list[str]) -> None:
    if depth == 0:
        _open_router(reading, number, words)
    elif reading.router is None:
        raise wrong(number, f"`{words[0]}` belongs to no router", "begin with a line like `router node:pe-1`")
    elif depth == 1:
        _close_section(reading)
        _section(reading, reading.router, number, words)
    elif depth == 2 and reading.section is not None:
        taker = entry if reading.section.section == "access-list" else setting
        taker(reading.section, number, words)
    else:
        raise wrong(
            number,
            f"`{words[0]}` is indented by {depth} and belongs to nothing",
            "indent a router's lines by one space, and the lines of its interfaces and access lists by two",
        )


def _open_router(reading: _Reading, number: int, words: list[str]) -> None:
    if words[0] != "router" or len(words) != 2:
        raise wrong(number, f"`{words[0]}` opens no router", "write `router NAME`, and indent what belongs to it")
    _close_router(reading)
    if words[1] in reading.places:
        first = reading.places[words[1]]["", "", ""]
        raise wrong(number, f"router `{words[1]}` was configured from line {first} on already", "merge the two")
    reading.router = Open("", words[1], number)
    reading.places[words[1]] = {("", "", ""): number}


def _section(reading: _Reading, router: Open, number: int, words: list[str]) -> None:
    head, *rest = words
    if head in {"interface", "access-list"}:
        if len(rest) != 1:
            raise wrong(number, f"`{head}` needs one name", f"write `{head} NAME`")
        _place(reading, router, number, head, rest[0])
        reading.section = Open(head, rest[0], number, {"name": rest[0]})
    elif head == "description":
        once(router, number, "description", " ".join(rest))
    elif head == "as":
        once(router, number, "local_as", only(number, head, rest))
    elif head in LINES:
        list_name, key, kind, read = LINES[head]
        fields = read(number, rest)
        word = made(kind, fields, dict.fromkeys(fields, number), number)
        _place(reading, router, number, head, str(getattr(word, key)))
        router.fields.setdefault(list_name, []).append(word)
    else:
        raise wrong(number, f"`{head}` is nothing that a router has", f"write {_SECTIONS}")


def _place(reading: _Reading, router: Open, number: int, section: str, name: str) -> None:
    """Note where a section begins, and refuse a second one of the same name."""
    places = reading.places[router.name]
    first = places.setdefault((section, name, ""), number)
    if first != number:
        raise wrong(number, f"`{section} {name}` stands in line {first} already", "keep one of the two")


def _close_section(reading: _Reading) -> None:
    section, router = reading.section, reading.router
    if section is None or router is None:
        return
    reading.section = None
    kind, list_name = (AccessList, "access_lists") if section.section == "access-list" else (Interface, "interfaces")
    word = made(kind, section.fields, section.numbers, section.number)
    router.fields.setdefault(list_name, []).append(word)
    places = reading.places[router.name]
    places |= {(section.section, section.name, name): number for name, number in section.numbers.items()}


def _close_router(reading: _Reading) -> None:
    _close_section(reading)
    router, reading.router = reading.router, None
    if router is not None:
        fields = {"router": router.name, **router.fields}
        reading.routers.append(made(RouterConfiguration, fields, router.numbers, router.number))
