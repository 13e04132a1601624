"""Attack 6, double execution: a kill between the device's write and our commit, a doubled message, a storm of retries.

The effect is counted by the network, never in our tables. Kills of whole processes are in `tests/scenarios`.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

import pytest

from control_plane import flow
from control_plane.executor import advance, execution_id_of
from control_plane.tables import Message
from control_plane.worker import Worker
from domain.errors import NocturneError
from domain.execution import StepState
from domain.proposals import Proposal
from tests.attacks.ring_house import RingHouse


class Crash(Exception):
    """The process ends here."""


def at_once(acts: Sequence[Callable[[], object]]) -> None:
    """Do everything at the same moment; what is refused is refused."""
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        barrier.wait()
        with suppress(NocturneError):
            act()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def approved(ring: RingHouse) -> Proposal:
    """Return a repair that is granted, in a house whose worker rests."""
    proposal = ring.held()
    assert ring.approve("approver_a", proposal).status_code == 200
    return proposal


def killed_at(ring: RingHouse, proposal: Proposal, point: str) -> None:
    def watch(passed: str, _ref: str) -> None:
        if passed == point:
            raise Crash

    ring.house.road.watchers.append(watch)
    with pytest.raises(Crash):
        flow.act(ring.house.road, proposal.incident_id)
    ring.house.road.watchers.clear()


@pytest.mark.parametrize("point", ["begun", "intended", "sent", "acted", "settled"])
@pytest.mark.parametrize("keyed", [True, False], ids=["keyed", "not-keyed"])
def test_a_kill_between_the_devices_write_and_our_commit_repeats_nothing(
    ring: RingHouse, point: str, *, keyed: bool
) -> None:
    ring.network.keyed = keyed
    proposal = approved(ring)
    killed_at(ring, proposal, point)

    for _ in range(3):
        flow.act(ring.house.road, proposal.incident_id)

    assert len(ring.network.journal) <= 1
    step = ring.steps()[-1]
    assert step.state is StepState.DONE or (step.state is StepState.IN_DOUBT and not keyed)


def test_a_doubled_queue_message_is_one_effect(ring: RingHouse) -> None:
    proposal = approved(ring)
    now = ring.clock.now()
    twice = [Message(id=f"msg_{n}", topic="wake", ref=proposal.incident_id, due_at=now) for n in range(2)]
    worker = Worker(ring.house.road, ring.house.graph, feed="network")

    worker._handle([*twice, *twice])
    worker.close()

    assert len(ring.network.journal) == 1


def test_a_storm_of_retries_against_a_device_that_answers_nobody_is_one_effect(ring: RingHouse) -> None:
    proposal = approved(ring)
    ring.network.deaf = True

    at_once([lambda: flow.act(ring.house.road, proposal.incident_id)] * 12)
    at_once([lambda: advance(ring.house.road, execution_id_of(proposal.id))] * 12)

    assert len(ring.network.journal) == 1


def test_the_same_approval_from_fifty_threads_is_one_effect(ring: RingHouse) -> None:
    proposal = ring.held()

    codes: list[int] = []
    at_once([lambda: codes.append(ring.approve("approver_a", proposal).status_code)] * 50)
    at_once([lambda: flow.act(ring.house.road, proposal.incident_id)] * 8)

    assert codes.count(200) >= 1
    assert set(codes) <= {200, 409}
    assert len(ring.network.journal) == 1
