"""A demand of which a policy takes a share: the plant really splits it, about as the policy says."""

import numpy as np
import pytest

from adapters.network.emulated.habits import Habits
from adapters.network.emulated.physics import Topology
from adapters.network.emulated.world import World
from domain.actions import Action, SteerDemand
from tests.twin.small_networks import network

TRIANGLE = network([("a", "b", 1, 100.0), ("a", "c", 1, 100.0), ("c", "b", 1, 100.0)], [("a", "b", 40.0)])
SHARED = SteerDemand(target="d0", via="c", share=0.4)


def living(seed: int) -> World:
    topology = Topology.of(TRIANGLE)
    return World(TRIANGLE, topology, Habits.drawn(TRIANGLE, topology, seed), np.random.default_rng(seed), 0.0)


def ways(world: World, action: Action, at: float) -> list[float]:
    """Carry an action out and return what a unit of the demand puts on each link once routing has converged."""
    world.apply(action, f"at {at}", at, 1.0)
    world.advance(at + 5.0)
    found: list[float] = world.routes.shares.toarray()[0].reshape(-1, 2).sum(axis=1).tolist()
    return found


def test_flows_are_hashed_onto_both_ways_about_as_the_policy_says() -> None:
    found = [ways(living(seed), SHARED, 10.0) for seed in range(8)]

    for direct, into, out in found:
        assert into == out == pytest.approx(0.4, abs=0.12)
        assert direct + into == pytest.approx(1.0)
    assert len({round(direct, 6) for direct, _, _ in found}) == 8, "each plant hashes otherwise"


def test_what_undoes_a_share_puts_all_back_where_it_was() -> None:
    world = living(1)

    there, back = ways(world, SHARED, 10.0), ways(world, SHARED.inverse(), 20.0)

    assert there[1] > 0
    assert back == [1.0, 0.0, 0.0]
    assert [notice.value for notice in world.notices()] == ["c@0.40", ""]
