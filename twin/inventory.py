"""Inventories in and out: our JSON in RFC 8345 vocabulary, and reference networks from topohub.

The document is RFC 8345's `ietf-network:networks` with one network in it; what that model does not know bears our
prefix. One link entry stands for both directions, and each end of a link belongs to that link alone.

    {"ietf-network:networks": {"network": [{
       "network-id": "metro",
       "node": [{"node-id": "node:a", "nocturne:kind": "router", "nocturne:name": "A",
                 "ietf-network-topology:termination-point": [{"tp-id": "tp:a.1", "nocturne:name": "xe-1"}]}, …],
       "ietf-network-topology:link": [{"link-id": "link:a-b",
                 "source": {"source-node": "node:a", "source-tp": "tp:a.1"},
                 "destination": {"dest-node": "node:b", "dest-tp": "tp:b.1"},
                 "nocturne:capacity-mbps": 10000, "nocturne:delay-ms": 0.5, "nocturne:metric": 10}],
       "nocturne:dependencies": [{"dependent": …, "on": […], "kind": "powered_by", "needs": 1}],
       "nocturne:elastic-classes": ["broadband"],
       "nocturne:demands": […], "nocturne:slices": […], "nocturne:customers": […], "nocturne:services": […]}]}}

Names of the fields behind our prefix are those of `domain.network`, with hyphens. What is optional and says nothing
(no battery, no radio, no elastic class, single packets) is left out. Fields of other modules
(`some-module:field`) are skipped; a field without a prefix that nobody knows is refused.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from domain.base import Word
from domain.errors import BadInput, TooLarge
from domain.network import Customer, Demand, Dependency, Inventory, Link, Node, Service, Slice, TerminationPoint
from twin.integrity import LIMITS, check
from twin.physics.declared import check_declared
from twin.reference import from_topohub

__all__ = ["dump", "from_topohub", "parse"]

W = TypeVar("W", bound=Word)

_OURS = "nocturne:"
_POINTS, _LINKS = "ietf-network-topology:termination-point", "ietf-network-topology:link"
_ELASTIC = "elastic-classes"
_LISTS: dict[str, type[Word]] = {
    "dependencies": Dependency,
    "demands": Demand,
    "slices": Slice,
    "customers": Customer,
    "services": Service,
}


def parse(data: Any) -> Inventory:
    """Return the inventory that a document describes; parts come out sorted by id.

    Raises:
        TooLarge: a list is longer than `twin.integrity.LIMITS` allows.
        BadInput: the document is malformed or contradicts itself; the reason names the offender.
    """
    network = _only_network(data)
    _refuse_unknown(network, {"network-id", "node", "network-types", _LINKS}, {*_LISTS, _ELASTIC}, "the network")
    points: list[TerminationPoint] = []
    nodes = [_node(entry, points) for entry in _list(network, "node", "nodes")]
    node_of = {point.id: point.node for point in points}
    parts: dict[str, list[Any]] = {
        "nodes": nodes,
        "termination_points": points,
        "links": [_link(entry, node_of) for entry in _list(network, _LINKS, "links")],
        **{part: _words(network, part, word) for part, word in _LISTS.items()},
    }
    fields = {"name": _text(network, "network-id", "the network"), **_sorted(parts), **_elastic(network)}
    inventory = _word(Inventory, fields, "the network")
    check(inventory)
    check_declared(inventory)
    return inventory


def dump(inventory: Inventory) -> dict[str, Any]:
    """Return the document that `parse` reads back to the same inventory (parts sorted by id)."""
    points: dict[str, list[TerminationPoint]] = {}
    for point in inventory.termination_points:
        points.setdefault(point.node, []).append(point)
    node_of = {point.id: point.node for point in inventory.termination_points}
    network: dict[str, Any] = {
        "network-id": inventory.name,
        "node": [_dumped_node(node, points.get(node.id, [])) for node in inventory.nodes],
        _LINKS: [_dumped_link(link, node_of) for link in inventory.links],
    }
    for part in _LISTS:
        network[_OURS + part] = [_hyphened(entry.model_dump(mode="json"), "") for entry in getattr(inventory, part)]
    if inventory.elastic_classes:
        network[_OURS + _ELASTIC] = list(inventory.elastic_classes)
    return {"ietf-network:networks": {"network": [network]}}


def _dumped_node(node: Node, points: list[TerminationPoint]) -> dict[str, Any]:
    return {
        "node-id": node.id,
        **_hyphened(node.model_dump(mode="json", exclude={"id"}), _OURS),
        _POINTS: [
            {"tp-id": point.id, **_hyphened(point.model_dump(mode="json", exclude={"id", "node"}), _OURS)}
            for point in points
        ],
    }


def _dumped_link(link: Link, node_of: Mapping[str, str]) -> dict[str, Any]:
    return {
        "link-id": link.id,
        "source": {"source-node": node_of[link.source], "source-tp": link.source},
        "destination": {"dest-node": node_of[link.destination], "dest-tp": link.destination},
        **_hyphened(link.model_dump(mode="json", exclude={"id", "source", "destination"}), _OURS),
    }


def _hyphened(fields: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {prefix + name.replace("_", "-"): _inner(value, "_", "-") for name, value in fields.items()}


def _inner(value: Any, old: str, new: str) -> Any:
    """Return a value with the names of the objects in it respelt."""
    if isinstance(value, Mapping):
        return {str(name).replace(old, new): _inner(inner, old, new) for name, inner in value.items()}
    return [_inner(inner, old, new) for inner in value] if isinstance(value, list) else value


def _elastic(network: Mapping[str, Any]) -> dict[str, Any]:
    """Return the elastic classes, if the document names any, sorted."""
    names = network.get(_OURS + _ELASTIC, [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadInput(f"`{_OURS}{_ELASTIC}` must be a list of traffic classes; see the documented format")
    return {"elastic_classes": tuple(sorted(set(names)))}


def _only_network(data: Any) -> Mapping[str, Any]:
    document = _mapping(data, "the inventory")
    networks = _mapping(document.get("ietf-network:networks"), "`ietf-network:networks`")
    entries = networks.get("network")
    if not isinstance(entries, list) or len(entries) != 1:
        raise BadInput("`ietf-network:networks` must hold a list `network` with exactly one network; split it")
    return _mapping(entries[0], "the network")


def _node(entry: Mapping[str, Any], points: list[TerminationPoint]) -> Node:
    """Return the node, and put its termination points into `points`."""
    name = _text(entry, "node-id", "a node")
    whose = f"node `{name}`"
    fields = _own_fields(entry, {"node-id", "supporting-node", _POINTS}, whose)
    for inner in _list(entry, _POINTS, "termination_points"):
        point = _text(inner, "tp-id", f"a termination point of {whose}")
        own = _own_fields(inner, {"tp-id", "supporting-termination-point"}, f"termination point `{point}`")
        points.append(_word(TerminationPoint, {**own, "id": point, "node": name}, f"termination point `{point}`"))
        if len(points) > LIMITS["termination_points"]:
            raise TooLarge(f"the inventory has more than {LIMITS['termination_points']} termination points; split it")
    return _word(Node, {**fields, "id": name}, whose)


def _link(entry: Mapping[str, Any], node_of: Mapping[str, str]) -> Link:
    name = _text(entry, "link-id", "a link")
    whose = f"link `{name}`"
    fields = _own_fields(entry, {"link-id", "source", "destination", "supporting-link"}, whose)
    ends = {}
    for end, prefix in (("source", "source"), ("destination", "dest")):
        place = _mapping(entry.get(end), f"`{end}` of {whose}")
        point, node = _text(place, f"{prefix}-tp", whose), _text(place, f"{prefix}-node", whose)
        if node_of.get(point) != node:
            raise BadInput(f"{whose} dangles: `{point}` is no termination point of `{node}`; declare it or correct it")
        ends[end] = point
    return _word(Link, {**fields, **ends, "id": name}, whose)


def _words(network: Mapping[str, Any], part: str, word: type[W]) -> list[W]:
    found = []
    for place, entry in enumerate(_list(network, _OURS + part, part)):
        named = entry.get("id", entry.get("dependent", place))
        whose = f"entry `{str(named)[:80]}` of `{_OURS}{part}`"
        found.append(_word(word, {str(name).replace("-", "_"): value for name, value in entry.items()}, whose))
    return found


def _sorted(parts: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
    return {part: sorted(entries, key=_key) for part, entries in parts.items()}


def _key(entry: Word) -> tuple[str, ...]:
    if isinstance(entry, Dependency):
        return (entry.dependent, entry.kind.value, *entry.on)
    return (str(getattr(entry, "id", "")),)


def _own_fields(entry: Mapping[str, Any], known: set[str], whose: str) -> dict[str, Any]:
    """Return the fields behind our prefix by their names in `domain.network`; other modules' are skipped."""
    _refuse_unknown(entry, known, None, whose)
    fields = ((str(name), value) for name, value in entry.items())
    ours = ((name.removeprefix(_OURS), value) for name, value in fields if name.startswith(_OURS))
    return {name.replace("-", "_"): _inner(value, "-", "_") for name, value in ours}


def _refuse_unknown(entry: Mapping[str, Any], known: set[str], ours: Collection[str] | None, whose: str) -> None:
    for name in map(str, entry):
        strange = ours is not None and name.startswith(_OURS) and name.removeprefix(_OURS) not in ours
        if name not in known and (":" not in name or strange):
            raise BadInput(f"{whose} has the unknown field `{name[:80]}`; remove it or give it its module's prefix")


def _word(word: Callable[..., W], fields: dict[str, Any], whose: str) -> W:
    try:
        return word(**fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=True)[0]
        field = ".".join(str(step) for step in first["loc"]).replace("_", "-")
        given = repr(first.get("input"))[:80]
        raise BadInput(f"{whose} has a bad `{field}`: {first['msg'].lower()}, and it is {given}; correct it") from error


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadInput(f"{what} must be a JSON object; see the documented format")
    return value


def _list(entry: Mapping[str, Any], name: str, part: str) -> Iterator[Mapping[str, Any]]:
    values = entry.get(name, [])
    if not isinstance(values, list):
        raise BadInput(f"`{name}` must be a list; see the documented format")
    if len(values) > LIMITS[part]:
        raise TooLarge(f"`{name}` has more than {LIMITS[part]} entries; split the network into several twins")
    for place, value in enumerate(values):
        yield _mapping(value, f"entry {place} of `{name}`")


def _text(entry: Mapping[str, Any], name: str, whose: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or not value:
        raise BadInput(f"{whose} needs a text `{name}`; add it")
    return value
