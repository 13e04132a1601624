"""Networks from files: what is read, and what is refused in which words."""

import json
from typing import Any

import pytest

from domain.errors import BadInput, TooLarge
from tests.twin.small_networks import square
from twin.snapshot import Snapshot
from twin.whatif import base as base_module
from twin.whatif.base import prepare
from twin.whatif.network import network_of
from twin.whatif.reading import read_network

LINK: dict[str, Any] = {"name": "ab", "from": "a", "to": "b", "capacity_mbps": 100}
TOPOLOGY: dict[str, Any] = {"nodes": ["a", "b", "c"], "links": [LINK]}
DEMAND: dict[str, Any] = {"from": "a", "to": "b", "mbps": 5}


def test_a_network_is_read_and_a_demand_without_a_path_is_counted() -> None:
    topology = TOPOLOGY | {"links": [LINK | {"metric": 7, "srlgs": ["duct"]}]}

    known = read_network(json.dumps(topology), json.dumps([DEMAND, DEMAND | {"to": "c", "via": "b"}]))
    base = prepare(known)

    assert (known.metric.tolist(), dict(known.groups), known.via.tolist()) == ([7, 7], {"duct": (0,)}, [-1, 1])
    assert base.lost_mbps == 5.0
    assert base.load.tolist() == [10.0, 0.0]


def test_a_share_of_a_demand_goes_by_its_waypoint_and_the_rest_directly() -> None:
    triangle = [("ab", "a", "b", 1), ("ac", "a", "c", 1), ("cb", "c", "b", 1)]
    links = [LINK | {"name": name, "from": a, "to": b, "metric": metric} for name, a, b, metric in triangle]

    known = read_network(
        json.dumps(TOPOLOGY | {"links": links}), json.dumps([DEMAND | {"via": "c", "share": 0.4}, DEMAND])
    )

    assert prepare(known).load[::2].tolist() == pytest.approx([8.0, 2.0, 2.0])
    assert (known.source.tolist(), known.via.tolist()) == ([0, 0, 0], [2, -1, -1])


@pytest.mark.parametrize(
    ("topology", "demands", "reason"),
    [
        (TOPOLOGY, [DEMAND | {"via": "c", "share": 0}], "demand 0 has `share` `0`"),
        (TOPOLOGY, [DEMAND | {"via": "c", "share": 1.5}], "more than 0 and at most 1"),
        (TOPOLOGY, [DEMAND | {"share": 0.5}], "a `share` but no `via`"),
        (TOPOLOGY | {"links": [LINK | {"capacity_mbps": 0}]}, [], "`ab` has capacity 0"),
        (TOPOLOGY | {"links": [LINK | {"capacity_mbps": -3}]}, [], "`ab` has capacity -3"),
        (TOPOLOGY | {"links": [LINK | {"metric": float("nan")}]}, [], "`ab` has `metric` `nan`"),
        (TOPOLOGY | {"links": [LINK | {"metric": 0}]}, [], "a whole number from 1"),
        (TOPOLOGY | {"links": [LINK | {"metric": 1.5}]}, [], "a whole number from 1"),
        (TOPOLOGY | {"links": [LINK | {"metric": True}]}, [], "a finite number"),
        (TOPOLOGY | {"links": [LINK | {"to": "x"}]}, [], "link|`ab`|names `x`"),
        (TOPOLOGY | {"links": [LINK, LINK]}, [], "`ab` is given twice"),
        (TOPOLOGY | {"nodes": ["a", "b", "a"]}, [], "`a` is given twice"),
        (TOPOLOGY | {"nodes": [1]}, [], "must be a text"),
        ({"nodes": ["a"]}, [], "`links` must be a list"),
        ([], [], "the topology must be an object"),
        (TOPOLOGY, {}, "`demands` must be a list"),
        (TOPOLOGY, [DEMAND | {"mbps": float("inf")}], "demand 0 has `mbps` `inf`"),
        (TOPOLOGY, [DEMAND | {"mbps": 10**400}], "demand 0 has `mbps` `1000"),
        (TOPOLOGY, [DEMAND | {"mbps": -1}], "demand 0 asks for -1"),
        (TOPOLOGY, [DEMAND, DEMAND | {"from": "x"}], "demand 1 names `x`"),
        (TOPOLOGY, [DEMAND | {"via": ["a"]}], "is no node of the topology"),
    ],
)
def test_what_makes_no_network_is_refused(topology: Any, demands: Any, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        read_network(json.dumps(topology), json.dumps(demands))


def test_a_file_that_is_no_json_is_refused() -> None:
    for text in ("{", "[" * 200_000):
        with pytest.raises(BadInput, match="the topology file is no JSON"):
            read_network(text, "[]")


def test_paths_that_could_grow_too_long_are_refused() -> None:
    nodes = [f"n{number}" for number in range(100)]
    topology = {"nodes": nodes, "links": [LINK | {"from": "n0", "to": "n1", "metric": 2**24}]}

    with pytest.raises(BadInput, match="divide all metrics"):
        read_network(json.dumps(topology), "[]")


def test_a_base_that_would_not_fit_into_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_module, "_MOST_BYTES", 10)

    with pytest.raises(TooLarge, match="1 destinations in a network of 4 nodes need"):
        prepare(network_of(Snapshot.of(square())))
