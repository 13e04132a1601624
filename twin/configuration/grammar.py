"""What single lines of the text form may say, and the fields that they give (see `reading` for the form itself)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from domain.configuration import AccessEntry, BgpSession, Protection, SegmentPolicy, StaticRoute
from domain.errors import BadInput

_FLAGS = {"up": True, "down": False}
_SETTINGS = "description, address, mtu, vlan, duplex, state, ospf, isis or access-group"


@dataclass
class Open:
    """A section that is being read: its fields so far, and the line of each."""

    section: str
    name: str
    number: int
    fields: dict[str, Any] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)


def wrong(number: int, what: str, remedy: str) -> BadInput:
    """Return the error of a line: where, what, and what to write."""
    return BadInput(f"line {number}: {what}; {remedy}")


def made(kind: Any, fields: dict[str, Any], numbers: dict[str, int], number: int) -> Any:
    """Make a word, or say in which line what is wrong with it."""
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        names = [str(part) for part in first["loc"]]
        at = next((numbers[name] for name in reversed(names) if name in numbers), number)
        what = first["msg"].removeprefix("Value error, ")
        given = f" (`{first['input']}`)" if isinstance(first["input"], str | int) else ""
        raise wrong(at, f"`{names[-1] if names else kind.__name__}`{given}: {what}", "correct the value") from None


def setting(section: Open, number: int, words: list[str]) -> None:
    """Take a line of an interface."""
    head, *rest = words
    match head:
        case "description":
            once(section, number, head, " ".join(rest))
        case "address" | "mtu" | "vlan" | "duplex":
            once(section, number, head, only(number, head, rest))
        case "state":
            if len(rest) != 1 or rest[0] not in _FLAGS:
                raise wrong(number, "an interface is up or down", "write `state up` or `state down`")
            once(section, number, "enabled", _FLAGS[rest[0]])
        case "ospf" | "isis":
            _igp_setting(section, number, head, rest)
        case "access-group":
            if len(rest) != 2 or rest[1] not in {"in", "out"}:
                raise wrong(number, "an access group has a name and a direction", "write `access-group NAME in`")
            once(section, number, f"access_{rest[1]}", rest[0])
        case _:
            raise wrong(number, f"`{head}` is nothing that an interface has", f"write {_SETTINGS}")


def _igp_setting(section: Open, number: int, protocol: str, rest: list[str]) -> None:
    igp: dict[str, Any] = section.fields.setdefault("igp", {"protocol": protocol})
    if igp["protocol"] != protocol:
        raise wrong(number, f"`{section.name}` speaks `{igp['protocol']}` already", "keep one protocol per interface")
    name = rest[0] if rest else ""
    if name == "passive" and len(rest) == 1:
        value: Any = True
    elif name in {"area", "metric", "authentication"} and len(rest) == 2:
        value = _area(rest[1]) if name == "area" else rest[1]
    else:
        raise wrong(
            number,
            f"`{' '.join([protocol, *rest])}` is not understood",
            f"write `{protocol} area N`, `{protocol} metric N`, `{protocol} authentication KEY` or `… passive`",
        )
    if name in igp:
        raise wrong(number, f"`{protocol} {name}` is said twice", "keep one of the two")
    igp[name] = value
    section.numbers[name] = number
    section.numbers.setdefault("igp", number)


def _area(text: str) -> str:
    """Return an area as a number; `0.0.0.1` is 1."""
    parts = text.split(".")
    if len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts):
        return str(int.from_bytes(bytes(int(part) for part in parts), "big"))
    return text


def entry(section: Open, number: int, words: list[str]) -> None:
    """Take a line of an access list."""
    if len(words) not in {5, 7} or (len(words) == 7 and words[5] != "port"):
        example = "write it like `10 permit tcp any 10.0.0.0/8 port 179`"
        raise wrong(number, f"`{' '.join(words)}` is no entry of an access list", example)
    names = ("sequence", "verdict", "transport", "source", "destination")
    fields: dict[str, Any] = dict(zip(names, words, strict=False))
    if len(words) == 7:
        fields["port"] = words[6]
    new = made(AccessEntry, fields, dict.fromkeys(fields, number), number)
    entries = section.fields.setdefault("entries", [])
    if entries and entries[-1].sequence >= new.sequence:
        raise wrong(number, f"entry {new.sequence} follows entry {entries[-1].sequence}", "number them upwards")
    entries.append(new)
    section.numbers[str(new.sequence)] = number


def once(section: Open, number: int, name: str, value: Any) -> None:
    """Set a field that may be set once."""
    if name in section.fields:
        raise wrong(number, f"`{name}` is said twice, first in line {section.numbers[name]}", "keep one of the two")
    section.fields[name] = value
    section.numbers[name] = number


def only(number: int, head: str, rest: list[str]) -> str:
    """Return the one value of a line."""
    if len(rest) != 1:
        raise wrong(number, f"`{head}` needs one value", f"write `{head} VALUE`")
    return rest[0]


def _neighbor(number: int, rest: list[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {"peer": rest[0] if rest else ""}
    names = {"remote-as": "remote_as", "source": "source", "authentication": "authentication"}
    words = iter(rest[1:])
    for word in words:
        if word == "shutdown":
            fields["enabled"] = False
        elif word in names and names[word] not in fields:
            fields[names[word]] = next(words, "")
        else:
            fields.clear()
            break
    if not {"peer", "remote_as", "source"} <= fields.keys():
        raise wrong(number, "the neighbor is not understood", "write `neighbor ADDRESS remote-as N source INTERFACE`")
    return fields


def _route(number: int, rest: list[str]) -> dict[str, Any]:
    words = rest[:-1] if rest[-1:] == ["announced"] else rest
    announced = len(words) < len(rest)
    if len(words) == 3 and words[1] == "via":
        return {"prefix": words[0], "via": words[2], "announced": announced}
    if len(words) == 2 and words[1] == "drop":
        return {"prefix": words[0], "announced": announced}
    raise wrong(number, "the route is not understood", "write `route PREFIX via ADDRESS` or `route PREFIX drop`")


def _policy(number: int, rest: list[str]) -> dict[str, Any]:
    if len(rest) < 5 or rest[1] != "color" or rest[3] != "endpoint" or (len(rest) > 5 and rest[5] != "via"):
        raise wrong(number, "the policy is not understood", "write `policy NAME color N endpoint ADDRESS via ADDRESS`")
    return {"name": rest[0], "color": rest[2], "endpoint": rest[4], "via": rest[6:]}


def _protection(number: int, rest: list[str]) -> dict[str, Any]:
    if len(rest) < 2 or rest[1] != "primary" or rest.count("backup") != 1:
        raise wrong(number, "the protection is not understood", "write `protection NAME primary LINK… backup LINK…`")
    turn = rest.index("backup")
    return {"name": rest[0], "primary": rest[2:turn], "backup": rest[turn + 1 :]}


_Read = Callable[[int, list[str]], dict[str, Any]]
#: By first word: the field of the router, what makes it one of a kind, its word, and who reads the rest of the line.
LINES: dict[str, tuple[str, str, Any, _Read]] = {
    "neighbor": ("sessions", "peer", BgpSession, _neighbor),
    "route": ("routes", "prefix", StaticRoute, _route),
    "policy": ("policies", "name", SegmentPolicy, _policy),
    "protection": ("protections", "name", Protection, _protection),
}
