"""Laws of the physics, on random networks: of conservation, fairness, sameness with enumeration, and of ending."""

from collections import defaultdict
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from domain.changes import SetOperational
from domain.network import Inventory, Node, NodeKind, Operational, Radio, UserGroup
from tests.laws.test_twin_laws import Question, _graph, _shares, _ways, questions
from twin.evaluate import Prediction, evaluate, predict
from twin.generator import operator_network
from twin.inventory import dump, parse
from twin.physics.cascade import cascade
from twin.physics.delay import fit_burst, waiting
from twin.physics.elastic import max_min
from twin.physics.equipment import equip
from twin.physics.power import course
from twin.physics.radio import NOISE_MW, PRB_HZ, compile_radio, efficiency, radio_state
from twin.snapshot import Snapshot
from twin.topology import Topology

LAW = settings(max_examples=50, deadline=None)


@st.composite
def mixed(draw: st.DrawFn) -> Question:
    """A question in which each demand is elastic or not, and links have bursts of their own."""
    question = draw(questions())
    kinds = st.sampled_from(["web", "voice"])
    demands = tuple(demand.but(traffic_class=draw(kinds)) for demand in question.inventory.demands)
    links = tuple(link.but(burst=draw(st.sampled_from([1.0, 3.0, 12.0]))) for link in question.inventory.links)
    return Question(question.inventory.but(demands=demands, links=links, elastic_classes=("web",)), question.changes)


def answer(question: Question) -> Prediction:
    return evaluate(Snapshot.of(question.inventory), question.changes)


@LAW
@given(mixed())
def test_what_is_offered_is_delivered_or_lost(question: Question) -> None:
    predicted = answer(question)
    delivered = predicted.demand_mbps * (1 - predicted.demand_loss)
    assert delivered.sum() + predicted.lost_mbps == pytest.approx(predicted.demand_mbps.sum())
    assert ((predicted.demand_loss >= -1e-9) & (predicted.demand_loss <= 1 + 1e-9)).all()


@LAW
@given(mixed())
def test_what_flows_into_a_node_flows_out_unless_it_begins_or_ends_there(question: Question) -> None:
    predicted = answer(question)
    topology, routing, sharing = predicted.topology, predicted.routing, predicted.sharing
    sent = predicted.demand_mbps.copy()
    if sharing is not None:
        sent[sharing.places] = sharing.rate
    balance = np.zeros(len(topology.routers))
    np.add.at(balance, topology.head, predicted.arc_load)
    np.subtract.at(balance, topology.tail, predicted.arc_load)
    for place, mbps in enumerate(sent):
        via, share = int(routing.ask.via[place]), float(routing.ask.share[place])
        ends = (int(topology.source[place]), int(topology.destination[place]))
        legs = [(*leg, share) for leg in pairwise([ends[0], *([via] if via >= 0 else []), ends[1]])]
        for begin, end, part in [*legs, (*ends, 1.0 - share)]:
            if part and routing.carries[routing.row_at[end], begin]:
                balance[begin] += part * mbps
                balance[end] -= part * mbps
    assert balance == pytest.approx(np.zeros(len(balance)), abs=1e-6)


@LAW
@given(mixed())
def test_elastic_traffic_never_overloads_what_inelastic_traffic_left_open(question: Question) -> None:
    predicted = answer(question)
    sharing = predicted.sharing
    if sharing is not None:
        assert (sharing.elastic_load >= 0).all()
        assert (sharing.rate <= sharing.wanted * (1 + 1e-9)).all()
        over = predicted.arc_load > predicted.capacity * (1 + 1e-6)
        assert (sharing.inelastic_load[over] > predicted.capacity[over]).all()


@st.composite
def sharings(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Uses (flows, arcs), wishes and rooms."""
    flows, arcs = draw(st.integers(1, 7)), draw(st.integers(1, 6))
    use = st.sampled_from([0.0, 0.0, 0.25, 0.5, 1.0, 2.0])
    uses = np.array(draw(st.lists(st.lists(use, min_size=arcs, max_size=arcs), min_size=flows, max_size=flows)))
    wanted = np.array(draw(st.lists(st.sampled_from([0.0, 1.0, 7.0, 30.0]), min_size=flows, max_size=flows)))
    room = np.array(draw(st.lists(st.sampled_from([0.0, 3.0, 10.0, 25.0]), min_size=arcs, max_size=arcs)))
    return uses, wanted, room


@settings(max_examples=200, deadline=None)
@given(sharings())
def test_no_flow_can_grow_without_a_smaller_one_shrinking(case: tuple[np.ndarray, ...]) -> None:  # type: ignore[type-arg]
    uses, wanted, room = case
    rate = max_min(csr_array(uses), wanted, room)
    load = rate @ uses
    assert (load <= room + 1e-6).all()
    for flow in np.flatnonzero(rate < wanted - 1e-6):  # each has an arc that is full and on which nobody has more
        full = np.flatnonzero((uses[flow] > 0) & (load >= room - 1e-6))
        assert any((rate[uses[:, arc] > 0] <= rate[flow] + 1e-6).all() for arc in full)


@LAW
@given(mixed())
def test_the_mean_delay_of_a_demand_equals_enumeration(question: Question) -> None:
    snapshot = Snapshot.of(question.inventory).with_changes(question.changes)
    predicted = predict(snapshot)
    topology = predicted.topology
    graph = _graph(snapshot, [predicted.available(link) for link in topology.links])
    up = {node for node in topology.nodes if predicted.available(node)}
    ends = {point.id: point.node for point in question.inventory.termination_points}
    arc_of = {(link.id, ends[link.source]): 2 * topology.link_at[link.id] for link in question.inventory.links}
    arc_of |= {
        (link.id, ends[link.destination]): 2 * topology.link_at[link.id] + 1 for link in question.inventory.links
    }
    for demand, ways, _ in _ways(snapshot, up):
        used: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
        whole = [(part, found) for legs, part in ways if all(found := [_shares(graph, *leg) for leg in legs])]
        arrives = sum(part for part, _ in whole)
        for part, where, share in ((part, *use) for part, found in whole for leg in found for use in leg.items()):
            used[where] += share * part / arrives
        expected = sum(float(share) * predicted.arc_delay_ms[arc_of[where]] for where, share in used.items())
        assert predicted.delay(demand) == pytest.approx(expected if whole else np.inf)


@LAW
@given(mixed(), st.sampled_from([1.0, 1.3, 4.0]))
def test_more_load_never_makes_faster_and_the_worst_way_is_not_better_than_the_mean(
    question: Question, factor: float
) -> None:
    inelastic = Question(question.inventory.but(elastic_classes=()), question.changes)
    predicted = answer(inelastic)
    assert (predicted.at_load(factor).demand_delay_ms >= predicted.demand_delay_ms - 1e-9).all()
    assert (predicted.worst_delay_ms >= predicted.demand_delay_ms - 1e-9).all()


@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=6), st.floats(1.0, 50.0))
def test_a_burst_is_fitted_back_from_the_waits_that_it_makes(loads: list[float], burst: float) -> None:
    rho = np.array(loads)
    assert fit_burst(rho, waiting(rho, burst)) == pytest.approx(burst)


@st.composite
def radios(draw: st.DrawFn) -> Inventory:
    """Up to 5 cells within some kilometres, each with up to 4 user groups around it."""
    step = st.integers(-30, 30).map(lambda tenths: tenths / 1000)  # thousandths of a degree: 111 m
    nodes = []
    for number in range(draw(st.integers(1, 5))):
        at = (draw(step), draw(step))
        groups = tuple(
            UserGroup(
                latitude=at[0] + draw(step) / 3,
                longitude=at[1] + draw(step) / 3,
                offered_mbps=draw(st.sampled_from([0.0, 1.0, 6.0, 40.0])),
            )
            for _ in range(draw(st.integers(0, 4)))
        )
        radio = Radio(power_dbm=draw(st.sampled_from([40.0, 61.0])), prbs=50, users=groups)
        name = f"cell:{number}"
        nodes.append(Node(id=name, name=name, kind=NodeKind.CELL, latitude=at[0], longitude=at[1], radio=radio))
    return Inventory(name="radio", nodes=tuple(nodes))


@LAW
@given(radios(), st.integers(0, 31))
def test_loads_and_interference_agree_and_nobody_gets_more_than_asked(inventory: Inventory, mask: int) -> None:
    plan = compile_radio(inventory)
    assert plan is not None
    working = np.array([bool(mask >> place & 1) for place in range(len(plan.cells))])
    found = radio_state(plan, working)
    received, busy = plan.received.toarray(), np.minimum(found.load, 1.0)
    need = np.zeros(len(plan.cells))
    for user, cell in enumerate(found.server):
        if cell >= 0:
            others = sum(received[user, k] * busy[k] for k in range(len(busy)) if k != cell)
            sinr = received[user, cell] / (others + NOISE_MW)
            assert found.sinr[user] == pytest.approx(sinr, rel=1e-6)
            need[cell] += found.offered[user] * 1e6 / (50 * PRB_HZ * float(efficiency(np.array([sinr]))[0]))
    assert found.load == pytest.approx(need, rel=1e-6)
    assert (found.load[~working] == 0).all()
    assert ((found.delivered >= 0) & (found.delivered <= found.offered + 1e-9)).all()
    assert (found.delivered[found.server < 0] == 0).all()
    assert found.delivered.sum() + found.lost_mbps == pytest.approx(found.offered.sum())


@LAW
@given(radios(), st.floats(1.0, 3.0))
def test_users_who_ask_for_more_empty_no_cell(inventory: Inventory, factor: float) -> None:
    plan = compile_radio(inventory)
    assert plan is not None
    working = np.ones(len(plan.cells), np.bool_)
    once, more = radio_state(plan, working), radio_state(plan, working, factor)
    assert (more.load >= once.load - 1e-6 * (1 + once.load)).all()


@LAW
@given(questions(), st.sampled_from([1.0, 1.6, 3.0]))
def test_a_cascade_only_takes_away_and_ends_where_nothing_is_above_the_threshold(
    question: Question, trip_at: float
) -> None:
    snapshot = Snapshot.of(question.inventory)
    found = cascade(snapshot, question.changes, trip_at=trip_at)
    rounds = [link for each in found.rounds for link in each]
    assert len(rounds) == len(set(rounds))
    assert not any(found.prediction.available(link) for link in rounds)
    assert found.prediction.arc_utilisation.max(initial=0.0) <= trip_at
    assert not (found.prediction.works & ~evaluate(snapshot, question.changes).works).any()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1_000), st.data())
def test_an_outage_only_spreads_and_ends_in_the_state_with_empty_batteries(seed: int, data: st.DataObject) -> None:
    snapshot = Snapshot.of(equip(operator_network(seed % 3, 60), seed))
    supplies = [node.id for node in snapshot.inventory.nodes if node.kind is NodeKind.POWER]
    out = data.draw(st.sets(st.sampled_from(supplies), min_size=1))
    changes = [SetOperational(element=name, state=Operational.DISABLED) for name in sorted(out)]
    stages = course(snapshot, changes)
    for before, after in pairwise(stages):
        assert before.hours < after.hours
        assert not (after.prediction.works & ~before.prediction.works).any()
    assert np.array_equal(stages[-1].prediction.works, evaluate(snapshot, changes).works)
    assert len(stages) == 1 + len({entry.battery_hours for entry in snapshot.inventory.nodes if entry.id in out})


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1_000), st.integers(40, 150))
def test_an_equipped_network_comes_back_from_its_document_and_its_bare_self_is_unaltered(
    seed: int, elements: int
) -> None:
    bare = operator_network(seed, elements)
    full = operator_network(seed, elements, equipped=True)
    assert full == equip(bare, seed)
    assert parse(dump(full)) == full
    assert Topology.of(full).digest != Topology.of(bare).digest
    nodes = tuple(node.but(battery_hours=0.0, radio=None) for node in full.nodes)
    links = tuple(link.but(burst=1.0) for link in full.links)
    assert full.but(nodes=nodes, links=links, elastic_classes=()) == bare


def test_what_says_nothing_is_not_written_so_a_digest_made_before_it_was_known_holds() -> None:
    assert Topology.of(operator_network(7, 100)).digest == (
        "a501f9e36b11df0a8e589ca7b2f8c0a622eee5f9ca5ad0cf1d9fc629723dec6c"
    )
