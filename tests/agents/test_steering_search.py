"""The search for detours: never worse than doing nothing, and close to trying everything."""

import pytest

from agents.steering import COMFORT, steer
from domain.changes import Change, ScaleDemand, SetVia
from domain.network import ROUTING_KINDS
from twin.evaluate import evaluate
from twin.generator import operator_network
from twin.snapshot import Snapshot


def best_single_move(snapshot: Snapshot, trouble: tuple[Change, ...]) -> float:
    """Return the least Mbit/s lost over all moves of one demand by one waypoint that hit nobody else."""
    hurt = snapshot.with_changes(trouble)
    now = evaluate(hurt)
    routers = [node.id for node in snapshot.inventory.nodes if node.kind in ROUTING_KINDS]
    suffering = [demand for demand in snapshot.inventory.demands if now.loss(demand.id) > 0]
    tried = [
        evaluate(hurt, (SetVia(demand=demand.id, via=via),)).impact()
        for demand in suffering
        for via in routers
        if via not in {demand.source, demand.destination}
    ]
    hit = set(now.impact().customers_hit)
    return min([now.lost_mbps, *(state.lost_mbps for state in tried if hit.issuperset(state.customers_hit))])


def surges(snapshot: Snapshot, factor: float) -> list[tuple[Change, ...]]:
    """Return the surges of single demands that make the network lose traffic."""
    each = [(ScaleDemand(demand=demand.id, factor=factor),) for demand in snapshot.inventory.demands]
    return [surge for surge in each if evaluate(snapshot, surge).lost_mbps > 1]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_search_finds_nearly_what_trying_every_single_move_finds(seed: int) -> None:
    snapshot = Snapshot.of(operator_network(seed, 120))
    saved = possible = 0.0

    for surge in surges(snapshot, 4.0)[:12]:
        lost, found = evaluate(snapshot, surge).lost_mbps, steer(snapshot, surge)
        saved += lost - found.after.lost_mbps if found else 0.0
        possible += lost - best_single_move(snapshot, surge)

    assert possible > 0
    assert saved >= 0.75 * possible


def test_what_the_search_promises_is_what_its_moves_do_and_harms_nobody_else() -> None:
    snapshot = Snapshot.of(operator_network(3, 200))
    found = [(surge, steering) for surge in surges(snapshot, 4.0) if (steering := steer(snapshot, surge))]

    assert found
    for surge, steering in found:
        moves = [change for step in steering.steps for change in step.changes()]
        assert evaluate(snapshot, (*surge, *moves)).impact() == steering.after
        assert steering.after.lost_mbps <= steering.before.lost_mbps
        assert set(steering.after.customers_hit) <= set(steering.before.customers_hit)
        assert steering.asked <= 200


def test_a_comfortable_network_is_left_alone() -> None:
    snapshot = Snapshot.of(operator_network(3, 120))

    assert evaluate(snapshot).impact().max_utilisation <= COMFORT
    assert steer(snapshot, ()) is None


def test_a_detour_that_is_in_force_is_restored_by_the_inverse() -> None:
    plain = Snapshot.of(operator_network(3, 200))
    surge, steering = next((s, found) for s in surges(plain, 4.0) if (found := steer(plain, s)))
    first = steering.steps[0]
    core = next(
        node.id for node in plain.inventory.nodes if node.id not in {first.via, "", None} and node.kind == "core"
    )
    steered = plain.with_changes([SetVia(demand=step.target, via=core) for step in steering.steps])

    again = steer(steered, surge)

    assert again is None or all(
        step.previous_via == (steered.value(step.target, "via") or None) for step in again.steps
    )
