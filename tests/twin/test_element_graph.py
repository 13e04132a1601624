"""The graph of how trouble travels, and nearness in it."""

import networkx as nx

from domain.changes import SetOperational, SetVia
from domain.network import Dependency, DependencyKind, NodeKind, Operational
from tests.twin.small_networks import cell_site, network, square
from twin.consequences import suffering
from twin.evaluate import evaluate
from twin.generator import operator_network
from twin.graph import Proximity, demand_paths, element_graph
from twin.snapshot import Snapshot


def test_every_element_is_in_the_graph_with_its_kind() -> None:
    graph = element_graph(cell_site())
    kinds = {name: traits["kind"] for name, traits in graph.nodes(data=True)}
    assert kinds["gw"] == "gateway"
    assert (kinds["l0"], kinds["l0.a"], kinds["d0"], kinds["s0"]) == ("link", "termination_point", "demand", "service")


def test_power_reaches_the_customer_over_declared_steps() -> None:
    graph = element_graph(cell_site())
    assert nx.shortest_path(graph, "power", "s0") == ["power", "gnb", "cell", "s0"]


def test_what_one_can_do_without_is_marked() -> None:
    kinds = {"x": NodeKind.POWER, "y": NodeKind.POWER}
    feeds = Dependency(dependent="a", on=("x", "y"), kind=DependencyKind.POWERED_BY, needs=1)
    graph = element_graph(network([("a", "b", 1, 1.0)], kinds=kinds, dependencies=[feeds]))
    assert graph.edges["x", "a"] == {"kind": "powered_by", "redundant": True}
    assert not graph.edges["a", "l0.a"]["redundant"]


def test_every_symptom_can_be_reached_from_its_cause() -> None:
    inventory = operator_network(5, 100)
    graph, snapshot = element_graph(inventory), Snapshot.of(inventory)
    for cause in [*inventory.nodes, *inventory.links]:
        symptoms = suffering(snapshot, [SetOperational(element=cause.id, state=Operational.DISABLED)])
        assert symptoms - {cause.id} <= nx.descendants(graph, cause.id)


def test_a_demand_knows_its_paths() -> None:
    paths = demand_paths(evaluate(Snapshot.of(square())))
    assert paths["d0"] == {"a": False, "d": False, **dict.fromkeys(["b", "c", "l0", "l1", "l2", "l3"], True)}


def test_a_shared_demand_passes_with_a_part_what_is_not_on_both_ways() -> None:
    edges = [("a", "b", 1, 100.0), ("b", "d", 1, 100.0), ("b", "c", 1, 100.0), ("c", "d", 1, 100.0)]
    split = SetVia(demand="d0", via="c", share=0.4)
    paths = demand_paths(evaluate(Snapshot.of(network(edges, [("a", "d", 5.0)])), [split]))
    whole, part = ["a", "b", "d", "l0"], ["c", "l1", "l2", "l3"]
    assert paths["d0"] == dict.fromkeys(whole, False) | dict.fromkeys(part, True)


def test_distance_counts_hops_in_either_direction() -> None:
    near = Proximity(element_graph(square()))
    assert near.distance("l0.a", "l0") == near.distance("l0", "l0.a") == 1
    assert near.distance("a", "a") == 0
    assert near.distance("l0.a", "l1.b") == 4


def test_sharing_a_demand_does_not_make_elements_near() -> None:
    edges = [(f"n{number}", f"n{number + 1}", 1, 10.0) for number in range(12)]
    near = Proximity(element_graph(network(edges, [("n0", "n12", 1.0)])), farthest=6)
    assert near.distance("n0", "n12") is None
    assert near.distance("n0", "d0") == 1


def test_what_is_unknown_is_nowhere_near() -> None:
    near = Proximity(element_graph(square()))
    assert near.distance("a", "nowhere") is None
    assert near.upstream("nowhere") == frozenset()


def test_upstream_is_bounded_and_leaves_the_element_out() -> None:
    near = Proximity(element_graph(cell_site()))
    assert near.upstream("cell", 1) == {"gnb"}
    assert near.upstream("cell", 2) == {"gnb", "power", "gw"}


def test_the_rest_of_a_demand_s_path_is_not_upstream_of_a_link_that_it_fills() -> None:
    edges = [("a", "b", 1, 10.0), ("b", "c", 1, 10.0), ("c", "d", 1, 10.0)]
    near = Proximity(element_graph(network(edges, [("a", "d", 1.0)])))
    assert "d0" in near.upstream("l0", 2)
    assert "d" not in near.upstream("l0", 2)
