"""Networks from files: a topology and its demands as JSON, so that any network can be put in.

Topology: `{"nodes": ["a", "b"], "links": [{"name": "ab", "from": "a", "to": "b", "capacity_mbps": 100, "metric": 10,
"srlgs": ["span-1"]}]}`. A link leads both ways; `metric` may be left out (1), `srlgs` too.
Demands: `[{"from": "a", "to": "b", "mbps": 3.5, "via": "c", "share": 0.4}]`; `via`, the waypoint of an SR policy, and
`share`, the part that goes there (1), may be left out. What goes the direct way beside it comes after all demands.
"""

import json
import math
from collections import defaultdict
from contextlib import suppress
from typing import Any

import numpy as np

from domain.errors import BadInput
from twin.whatif.network import Ints, Network, checked

_LARGEST_METRIC = 2**24


def read_network(topology: str, demands: str) -> Network:
    """Read a network from the text of two JSON files (see the module).

    A demand whose ends are not connected is taken, and counted as lost (`Base.lost_mbps`).

    Raises:
        BadInput: not that form, a name that is not there or there twice, a number out of its bounds.
    """
    plain, asked = _object(_parse(topology, "topology"), "the topology"), _parse(demands, "demands")
    nodes = [_text(name, "a node") for name in _list(plain.get("nodes"), "nodes")]
    links = [_object(link, "a link") for link in _list(plain.get("links"), "links")]
    names = [_text(link.get("name"), "a link") for link in links]
    for given in (nodes, names):
        _check_unique(given)
    at = {name: place for place, name in enumerate(nodes)}
    ends = [
        [_place(at, link.get(end), name) for end in ("from", "to")] for link, name in zip(links, names, strict=True)
    ]
    groups: dict[str, list[int]] = defaultdict(list)
    for place, link in enumerate(links):
        for group in _list(link.get("srlgs", []), "srlgs"):
            groups[_text(group, "a shared-risk group")].append(place)
    tail = np.array(ends, np.int32).reshape(-1, 2)
    flows = [_object(flow, "a demand") for flow in _list(asked, "demands")]
    what = [f"demand {number}" for number in range(len(flows))]
    vias = [flow.get("via") for flow in flows]
    source = [_place(at, flow.get("from"), name) for flow, name in zip(flows, what, strict=True)]
    destination = [_place(at, flow.get("to"), name) for flow, name in zip(flows, what, strict=True)]
    via = [-1 if v is None else _place(at, v, name) for v, name in zip(vias, what, strict=True)]
    idle = [v in (-1, s, d) for v, s, d in zip(via, source, destination, strict=True)]
    share = np.array([_share(flow, name) for flow, name in zip(flows, what, strict=True)], np.float64)
    share[np.array(idle, np.bool_)] = 1.0
    mbps = np.array([_number(flow, "mbps", name) for flow, name in zip(flows, what, strict=True)], np.float64)
    rest = np.flatnonzero(share < 1.0)
    return checked(
        Network(
            nodes=tuple(nodes),
            links=tuple(names),
            tail=tail.ravel(),
            head=np.ascontiguousarray(tail[:, ::-1]).ravel(),
            metric=np.repeat(np.array([_metric(link, n) for link, n in zip(links, names, strict=True)], np.int32), 2),
            capacity=np.repeat(
                [_number(link, "capacity_mbps", f"link `{n}`") for link, n in zip(links, names, strict=True)], 2
            ),
            usable=np.ones(len(links), np.bool_),
            source=_and_rest(source, rest, source),
            destination=_and_rest(destination, rest, destination),
            via=_and_rest(np.where(np.array(idle, np.bool_), -1, np.array(via, np.int32)), rest, [-1] * len(via)),
            mbps=np.concatenate([mbps * share, mbps[rest] * (1.0 - share[rest])]),
            groups={name: tuple(groups[name]) for name in sorted(groups)},
        )
    )


def _parse(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"the {what} file is no JSON (`{str(error)[:80]}`); correct it") from None


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise BadInput(f"`{what}` must be a list; write it as `[…]`")
    return value


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadInput(f"{what} must be an object, not `{str(value)[:40]}`; write it as `{{…}}`")
    return value


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise BadInput(f"the name of {what} must be a text, not `{str(value)[:40]}`; write it in quotes")
    return value


def _place(at: dict[str, int], name: Any, where: str) -> int:
    if not isinstance(name, str) or name not in at:
        raise BadInput(f"{where} names `{str(name)[:40]}`, which is no node of the topology; correct the name")
    return at[name]


def _check_unique(names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise BadInput(f"the name `{name}` is given twice; give each node and each link a name of its own")
        seen.add(name)


def _number(entry: dict[str, Any], key: str, where: str) -> float:
    value = entry.get(key)
    number = math.nan
    if isinstance(value, int | float) and not isinstance(value, bool):
        with suppress(OverflowError):  # of an integer with hundreds of digits
            number = float(value)
    if not math.isfinite(number):
        raise BadInput(f"{where} has `{key}` `{str(value)[:40]}`; write a finite number")
    return number


def _share(flow: dict[str, Any], name: str) -> float:
    value = _number({"share": 1.0} | flow, "share", name)
    if not 0 < value <= 1:
        raise BadInput(f"{name} has `share` `{value:g}`; write more than 0 and at most 1")
    if value < 1 and flow.get("via") is None:
        raise BadInput(f"{name} has a `share` but no `via`; name the waypoint, or leave the share out")
    return value


def _and_rest(values: Any, rest: Any, theirs: Any) -> Ints:
    """Return values per demand, and after them those of the rests that go the direct way."""
    return np.concatenate([np.array(values, np.int32), np.array(theirs, np.int32)[rest]])


def _metric(link: dict[str, Any], name: str) -> int:
    value = _number({"metric": 1} | link, "metric", f"link `{name}`")
    if value != int(value) or not 1 <= value <= _LARGEST_METRIC:
        raise BadInput(f"link `{name}` has metric `{value:g}`; write a whole number from 1 to {_LARGEST_METRIC}")
    return int(value)
