"""Believed demands move slowly, and only for what lasts and what demands can explain."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tests.twin.small_networks import network
from twin.estimating.beliefs import Beliefs, Look
from twin.evaluate import Prediction, evaluate
from twin.snapshot import Snapshot

NOON = datetime(2026, 1, 12, 12, tzinfo=UTC)
#: A line with d0 a>b 10, d1 a>c 20, d2 b>c 30: the links carry 30 and 50.
USUAL = np.array([10.0, 20.0, 30.0])


def line() -> Prediction:
    edges = [("a", "b", 1, 100.0), ("b", "c", 1, 100.0)]
    demands = [("a", "b", 10.0), ("a", "c", 20.0), ("b", "c", 30.0)]
    return evaluate(Snapshot.of(network(edges, demands)))


def looks(beliefs: Beliefs, arcs: list[float], times: int, *, first: int = 0, **more: np.ndarray) -> list[bool]:
    """Look at the same counters once a minute; say when what is published changed."""
    prediction, unknown = line(), np.full(3, np.nan)
    age, probes = more.get("age", np.zeros(4)), more.get("probes", unknown)
    moments = [NOON + timedelta(minutes=first + minute) for minute in range(times)]
    made = [Look(at, np.array(arcs), age, probes, more.get("probe_age", unknown)) for at in moments]
    return [beliefs.look(look, prediction.routing, USUAL) for look in made]


def test_counters_that_bear_out_the_belief_change_nothing() -> None:
    beliefs = Beliefs(line().topology)
    assert not any(looks(beliefs, [30.3, 0.0, 49.6, 0.0], 30))
    assert beliefs.factors.tolist() == [1.0, 1.0, 1.0]


def test_a_short_surge_changes_nothing() -> None:
    beliefs = Beliefs(line().topology)
    assert not any(looks(beliefs, [30.0, 0.0, 50.0, 0.0], 10))
    assert not any(looks(beliefs, [60.0, 0.0, 90.0, 0.0], 2, first=10))
    assert not any(looks(beliefs, [30.0, 0.0, 50.0, 0.0], 10, first=12))


def test_what_lasts_is_believed_and_makes_the_loads_that_are_counted() -> None:
    beliefs = Beliefs(line().topology)
    assert any(looks(beliefs, [60.0, 0.0, 90.0, 0.0], 60))
    d0, d1, d2 = (USUAL * beliefs.factors).tolist()
    assert d0 + d1 == pytest.approx(60.0, rel=0.06)
    assert d1 + d2 == pytest.approx(90.0, rel=0.06)


def test_loads_that_no_demands_explain_correct_none() -> None:
    """The only demand crosses both links, and one of them is idle: that is a matter of paths."""
    edges = [("a", "b", 1, 100.0), ("b", "c", 1, 100.0)]
    through, unknown = evaluate(Snapshot.of(network(edges, [("a", "c", 20.0)]))), np.full(1, np.nan)
    beliefs = Beliefs(through.topology)
    for minute in range(60):
        moment, arcs = NOON + timedelta(minutes=minute), np.array([90.0, 0.0, 0.0, 0.0])
        look = Look(at=moment, arcs=arcs, arc_age=np.zeros(4), probes=unknown, probe_age=unknown)
        assert not beliefs.look(look, through.routing, np.array([20.0]))
    assert beliefs.factors.tolist() == [1.0]


def test_a_probe_tells_apart_what_links_cannot() -> None:
    """The links carry what they usually do, but probes say that d0 has grown at the cost of d1."""
    beliefs = Beliefs(line().topology)
    looks(beliefs, [30.0, 0.0, 50.0, 0.0], 60, probes=np.array([20.0, 10.0, 40.0]), probe_age=np.zeros(3))
    assert USUAL * beliefs.factors == pytest.approx(np.array([20.0, 10.0, 40.0]), abs=2.0)


def test_each_demand_tells_by_what_it_is_known_and_since_when() -> None:
    beliefs = Beliefs(line().topology)
    age, unknown = np.array([5.0, 0.0, np.nan, np.nan]), np.nan
    probes, probe_age = np.array([unknown, unknown, 30.0]), np.array([unknown, unknown, 7.0])
    looks(beliefs, [30.0, 0.0, unknown, unknown], 1, age=age, probes=probes, probe_age=probe_age)
    by_links, also_by_links, by_probe = beliefs.believed(USUAL)
    assert (by_links.demand, by_links.mbps, by_links.source) == ("d0", 10.0, "counters")
    assert by_links.at == also_by_links.at == NOON - timedelta(seconds=5)
    assert (by_probe.source, by_probe.at) == ("probe", NOON - timedelta(seconds=7))


def test_what_no_counter_bears_out_is_of_the_inventory_and_has_no_age() -> None:
    beliefs = Beliefs(line().topology)
    looks(beliefs, [30.0, 0.0, np.nan, np.nan], 1)
    assert [(one.source, one.at) for one in beliefs.believed(USUAL)][2] == ("inventory", None)


def test_looks_are_a_minute_apart() -> None:
    beliefs = Beliefs(line().topology)
    assert beliefs.due(NOON)
    looks(beliefs, [30.0, 0.0, 50.0, 0.0], 1)
    assert [beliefs.due(NOON + timedelta(seconds=passed)) for passed in (5, 59, 60)] == [False, False, True]
