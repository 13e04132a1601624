"""What a proposal to steer says of itself: now, after, optimum, N-1 after; and what it never does."""

import re

import pytest

from agents.provisioning import Provisioning
from agents.steering import COMFORT, steer
from domain.changes import ScaleDemand, SetOperational
from domain.diagnosis import FaultKind
from domain.faults import hypothesis
from domain.network import Inventory, Operational, Slice
from tests.agents.test_provisioning_repairs import ReadOnlyTools, case, cause, network
from tests.twin.small_networks import network as drawn
from twin.snapshot import Snapshot

SURGE = hypothesis(FaultKind.CONGESTION, "demand:small", 3.0)


def three_ways() -> Inventory:
    """From a to z over b (short), c and d (longer), each for 100 Mbit/s; eight demands of 15 Mbit/s."""
    edges = [(begin, end, metric, 100.0) for mid, metric in (("b", 1), ("c", 2), ("d", 3)) for begin, end in ways(mid)]
    return drawn([(begin, end, metric, room) for begin, end, metric, room in edges], [("a", "z", 15.0)] * 8)


def ways(mid: str) -> list[tuple[str, str]]:
    return [("a", mid), (mid, "z")]


def test_the_proposal_says_now_after_optimum_and_after_one_failure_more() -> None:
    draft = Provisioning(ReadOnlyTools(network())).plan(case(cause(FaultKind.CONGESTION, "demand:small", 3.0)))  # type: ignore[arg-type]

    assert draft is not None
    found = re.search(r"now (\d+) %, after (\d+) %, optimum (\d+) %, N-1 after (\d+) %", draft.why)
    assert found is not None, draft.why
    # 50 and 90 Mbit/s on the one way, then on one way each; together 140 on two; all on one when the other fails
    assert tuple(map(int, found.groups())) == (140, 90, 70, 140)


def test_no_more_demands_are_moved_than_comfort_asks_for() -> None:
    snapshot = Snapshot.of(three_ways())

    found = steer(snapshot, ())

    assert found is not None
    assert len(found.steps) == 2  # 120 Mbit/s on 100; six of eight demands fill 90 %
    assert found.after.max_utilisation == pytest.approx(COMFORT)
    assert found.optimum == pytest.approx(0.4)


def test_without_time_for_programs_the_greedy_moves_are_proposed() -> None:
    found = steer(Snapshot.of(three_ways()), (), budget_s=0.0)

    assert found is not None
    assert found.optimum is None
    assert found.after.lost_mbps == 0.0


def test_a_bound_that_was_not_worked_out_is_said_to_be_so() -> None:
    agent = Provisioning(ReadOnlyTools(network()), steering_budget_s=0.0)  # type: ignore[arg-type]

    draft = agent.plan(case(cause(FaultKind.CONGESTION, "demand:small", 3.0)))

    assert draft is not None
    assert "optimum not worked out" in draft.why


@pytest.mark.parametrize("budget_s", [3.0, 0.0], ids=["lp", "greedy"])
def test_a_slice_is_not_sent_where_it_would_be_late(budget_s: float) -> None:
    strict = network()
    slow = tuple(link.but(delay_ms=15.0) if link.id in {"link:ac", "link:cb"} else link for link in strict.links)
    demands = tuple(demand.but(slice_id="fast") for demand in strict.demands)
    late = strict.but(links=slow, demands=demands, slices=(Slice(id="fast", name="Fast", max_delay_ms=20.0),))
    patient = late.but(slices=(Slice(id="fast", name="Fast", max_delay_ms=40.0),))

    assert steer(Snapshot.of(late), SURGE, budget_s) is None
    assert steer(Snapshot.of(patient), SURGE, budget_s) is not None


def test_loss_is_relieved_even_where_the_fullest_link_cannot_be() -> None:
    """The bridge to e stays at 200 %; what is lost on the way over b need not be."""
    stuck = three_ways()
    bridge = drawn([("z", "e", 1, 10.0)], [("z", "e", 20.0)])
    renamed = {"l0": "bridge", "l0.a": "bridge.a", "l0.b": "bridge.b"}
    points = tuple(point.but(id=renamed[point.id]) for point in bridge.termination_points)
    links = tuple(link.but(id="bridge", source="bridge.a", destination="bridge.b") for link in bridge.links)
    both = stuck.but(
        nodes=(*stuck.nodes, *(node for node in bridge.nodes if node.id == "e")),
        termination_points=(*stuck.termination_points, *points),
        links=(*stuck.links, *links),
        demands=(*stuck.demands, bridge.demands[0].but(id="bridged")),
    )

    found = steer(Snapshot.of(both), ())

    assert found is not None
    assert found.before.lost_mbps > 30.0
    assert found.after.lost_mbps == pytest.approx(10.0)
    assert found.after.max_utilisation == pytest.approx(2.0)


def test_a_fault_that_leaves_one_way_alone_has_no_steering() -> None:
    snapshot = Snapshot.of(network())
    trouble = (
        SetOperational(element="link:ac", state=Operational.DISABLED),
        ScaleDemand(demand="demand:small", factor=3.0),
    )

    assert steer(snapshot, trouble) is None
