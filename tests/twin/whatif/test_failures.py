"""Failures worked out on paper."""

import numpy as np
import pytest

from domain.changes import ScaleDemand, SetOperational
from domain.errors import BadInput, TooLarge
from domain.network import Demand, Dependency, DependencyKind, Inventory, NodeKind, Operational
from tests.twin.small_networks import network, square
from twin.evaluate import evaluate
from twin.snapshot import Snapshot
from twin.whatif.base import Base, prepare
from twin.whatif.network import network_of
from twin.whatif.scenarios import during, failing, link_pairs, named, shared_risks, single_links, single_nodes
from twin.whatif.sweep import before_convergence, estimate_s, sweep, what_if

#: Two ways from a to d (over b and over c, equal), a longer one over e; 80 Mbit/s from a to d.
EDGES = [
    ("a", "b", 1, 100.0),
    ("b", "d", 1, 100.0),
    ("a", "c", 1, 100.0),
    ("c", "d", 1, 50.0),
    ("b", "e", 1, 100.0),
    ("e", "d", 1, 100.0),
]


def _base(inventory: Inventory) -> Base:
    return prepare(network_of(Snapshot.of(inventory)))


def _detours() -> Base:
    return _base(network(EDGES, [("a", "d", 80.0)]))


def _load(base: Base, load: "np.ndarray[tuple[int], np.dtype[np.float64]]", link: str) -> list[float]:
    at = 2 * base.network.link_at[link]
    return [round(float(value), 9) for value in load[at : at + 2]]


def test_one_of_two_equal_ways_fails_and_the_other_takes_all() -> None:
    base = _detours()

    after = what_if(base, named(base.network, "l0"))

    assert _load(base, base.load, "l0") == [40.0, 0.0]
    assert _load(base, after.load, "l0") == [0.0, 0.0]
    assert _load(base, after.load, "l2") == _load(base, after.load, "l3") == [80.0, 0.0]
    assert after.lost_mbps == 0


def test_before_convergence_the_router_next_to_the_failure_goes_round_it() -> None:
    base = _detours()

    early = before_convergence(base, named(base.network, "l1"))
    late = what_if(base, named(base.network, "l1"))

    # b still gets its 40, and goes on over e to the head of the failed arc
    assert [_load(base, early.load, link) for link in ("l0", "l4", "l5")] == [[40.0, 0.0]] * 3
    assert [_load(base, late.load, link) for link in ("l0", "l4", "l5")] == [[0.0, 0.0]] * 3
    assert early.lost_mbps == late.lost_mbps == 0


def test_a_bypass_that_crosses_another_failed_link_is_down() -> None:
    base = _detours()

    early = before_convergence(base, named(base.network, "l1", "l5"))

    assert early.lost_mbps == 40.0
    assert what_if(base, named(base.network, "l1", "l5")).lost_mbps == 0


def test_a_sweep_names_the_arc_that_is_worst_and_all_that_are_overloaded() -> None:
    base = _detours()

    result = sweep(base, single_links(base.network))

    assert [scenario.name for scenario in result.scenarios] == ["l0", "l1", "l2", "l3", "l4", "l5"]
    assert result.converged.max_utilisation.tolist() == pytest.approx([1.6, 1.6, 0.8, 0.8, 0.8, 0.8])
    worst = 2 * base.network.link_at["l3"]
    assert [arcs.tolist() for arcs in result.converged.over] == [[worst], [worst], [], [], [], []]
    assert result.converged.worst[0] == worst
    assert result.fast_reroute is None


def test_a_failed_node_loses_what_begins_or_ends_there_and_nothing_else() -> None:
    base = _base(network(EDGES, [("a", "d", 80.0), ("b", "d", 8.0), ("c", "b", 4.0)]))

    result = sweep(base, single_nodes(base.network), fast_reroute=True)

    assert dict(zip("abcde", result.converged.lost_mbps, strict=False)) == {"a": 80, "b": 12, "c": 4, "d": 88, "e": 0}
    assert result.fast_reroute is not None
    # until routers know, what was on its way over the node is lost as well
    assert dict(zip("abcde", result.fast_reroute.lost_mbps, strict=False)) == {
        "a": 82,
        "b": 52,
        "c": 44,
        "d": 90,
        "e": 0,
    }


def test_what_has_no_path_even_now_is_lost_in_every_answer() -> None:
    base = _base(network([("a", "b", 1, 10.0), ("c", "d", 1, 10.0)], [("a", "b", 1.0), ("a", "d", 5.0)]))

    assert base.lost_mbps == 5.0
    assert sweep(base, single_links(base.network)).converged.lost_mbps.tolist() == [6.0, 5.0]


def test_traffic_of_a_policy_is_lost_once_and_goes_straight_when_its_waypoint_is_down() -> None:
    bent = network([*EDGES, ("a", "e", 9, 100.0)])
    demand = Demand(id="d0", source="a", destination="d", mbps=10.0, via="e")
    snapshot = Snapshot.of(bent.model_copy(update={"demands": (demand,)}))
    base = prepare(network_of(snapshot))

    cut = what_if(base, named(base.network, "l4", "l5", "l6"))
    direct = what_if(base, named(base.network, "e"))
    swept = sweep(base, [named(base.network, "e"), named(base.network, "l4")])

    assert cut.lost_mbps == 10.0
    assert direct.lost_mbps == 0
    down = evaluate(snapshot, [SetOperational(element="e", state=Operational.DISABLED)])
    assert direct.load.tolist() == pytest.approx(down.arc_load.tolist())
    assert swept.converged.max_utilisation[0] == pytest.approx(float(down.arc_utilisation.max()))


def test_links_of_one_span_fail_together_and_planned_work_comes_first() -> None:
    base = _base(network(EDGES, [("a", "d", 80.0)]))

    spans = shared_risks(base.network)
    work = during(base.network, {"night": ["l0"]}, single_links(base.network))

    assert [(span.name, span.links) for span in spans] == [
        ("span-a", (0, 2)),
        ("span-b", (1, 4)),
        ("span-c", (3,)),
        ("span-d", (5,)),
    ]
    assert sweep(base, spans).converged.lost_mbps.tolist() == [80.0, 0.0, 0.0, 0.0]
    assert [each.links for each in work[:4]] == [(0,), (0,), (0, 1), (0, 2)]
    assert sweep(base, work).converged.lost_mbps.tolist() == [0, 0, 0, 80, 80, 0, 0]
    pairs = link_pairs(base.network)
    assert len(pairs) == len(list(pairs)) == 15
    assert [pairs[at] for at in range(15)] == pairs[:] == list(pairs)
    assert [pair.links for pair in pairs[3:7]] == [(0, 4), (0, 5), (1, 2), (1, 3)]


def test_what_depends_on_a_failed_supply_fails_with_it() -> None:
    supply = Dependency(dependent="b", on=("power",), kind=DependencyKind.POWERED_BY, needs=1)
    inventory = network(EDGES, [("a", "d", 80.0)], kinds={"power": NodeKind.POWER}, dependencies=[supply])
    snapshot = Snapshot.of(inventory)
    known = network_of(snapshot)

    scenario = failing(snapshot, known, [SetOperational(element="power", state=Operational.DISABLED)])

    assert [known.links[link] for link in scenario.links] == ["l0", "l1", "l4"]
    assert [known.nodes[node] for node in scenario.nodes] == ["b"]


def test_a_link_that_is_down_already_changes_nothing() -> None:
    snapshot = Snapshot.of(square()).with_changes([SetOperational(element="l0", state=Operational.DISABLED)])
    base = prepare(network_of(snapshot))

    assert [scenario.name for scenario in single_links(base.network)] == ["l1", "l2", "l3"]
    assert what_if(base, named(base.network, "l0")).load.tolist() == base.load.tolist()
    assert what_if(base, named(base.network, "l1", "l1")).lost_mbps == 0


def test_processes_give_the_same_answers_in_the_same_order() -> None:
    ring = [("h", "x", 1, 9.0), ("h", "y", 1, 9.0), ("x", "y", 1, 9.0), ("x", "k", 1, 9.0), ("y", "k", 1, 9.0)]
    ring += [("h", "k", 1, 9.0), ("x", "q0", 1, 9.0), ("q0", "q1", 1, 9.0), ("q1", "y", 1, 9.0)]
    ring += [("x", "r0", 1, 9.0), ("r0", "r1", 1, 9.0), ("r1", "r2", 1, 9.0), ("r2", "r3", 1, 9.0), ("r3", "y", 1, 9.0)]
    inventory = network(ring, [("h", f"r{n}", 3.0 + n) for n in range(4)])
    base = prepare(network_of(Snapshot.of(inventory)))
    scenarios = list(link_pairs(base.network))
    assert len(base.state.reduced_rows.goal) == 4

    here, there = sweep(base, scenarios), sweep(base, scenarios, workers=2)

    for mine, other in zip(vars(here.converged).values(), vars(there.converged).values(), strict=True):
        assert [np.asarray(each).tolist() for each in mine] == [np.asarray(each).tolist() for each in other]


def test_a_sweep_that_cannot_fit_its_budget_says_how_long_it_would_take() -> None:
    base = _detours()
    scenarios = single_links(base.network) * 50

    assert estimate_s(base, scenarios) > 0
    with pytest.raises(TooLarge, match=r"300 scenarios would take about .* s, more than its budget of 1e-09 s"):
        sweep(base, scenarios, budget_s=1e-9)
    assert len(sweep(base, scenarios, budget_s=1e9).scenarios) == 300


def test_what_is_not_there_cannot_fail() -> None:
    base, snapshot = _detours(), Snapshot.of(square())

    with pytest.raises(BadInput, match="`l9` is no link"):
        named(base.network, "l9")
    with pytest.raises(BadInput, match="correct it"):
        sweep(base, single_links(_base(network([*EDGES, *EDGES])).network))
    with pytest.raises(BadInput, match="takes no link out of service"):
        during(base.network, {"night": []})
    with pytest.raises(BadInput, match="`scale_demand` is no failure"):
        failing(snapshot, network_of(snapshot), [ScaleDemand(demand="d0", factor=2.0)])
    with pytest.raises(BadInput, match="ask for 1 or more"):
        sweep(base, [], workers=0)


def test_nothing_to_do_is_done_at_once() -> None:
    base = _base(network(EDGES))

    assert sweep(base, []).converged.max_utilisation.tolist() == []
    assert sweep(base, single_links(base.network)).converged.worst.tolist() == [-1] * 6


def test_without_ray_the_error_names_the_extra_and_with_it_the_answers_are_the_same() -> None:
    base = _detours()
    scenarios = single_links(base.network)
    try:
        import ray
    except ImportError:
        with pytest.raises(BadInput, match="install the extra `ray`"):
            sweep(base, scenarios, ray=True)
        pytest.skip("Ray is not installed")
    try:
        spread = sweep(base, scenarios, ray=True, workers=2)
    finally:
        ray.shutdown()
    assert spread.converged.max_utilisation.tolist() == sweep(base, scenarios).converged.max_utilisation.tolist()
