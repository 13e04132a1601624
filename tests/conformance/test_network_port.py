"""What every `Network` must do, whatever stands behind it. More networks join `SUBJECTS`."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adapters.network.emulated.launcher import start_plant
from adapters.network.lab.launcher import start_lab
from adapters.network.lab.plan import SMOKE
from adapters.network.routers.network import RoutersNetwork
from control_plane.ports import Network, Seen
from domain.actions import InterfaceDown, InterfaceUp, LockCell, OpenTicket, UndrainLink
from domain.errors import NotFound, Refused, Unavailable
from tests.lab.fixed import network_over
from tests.lab.needed import need_a_lab
from tests.lab.recorded import Recorded
from twin.generator import operator_network


@dataclass
class Subject:
    """A network under test, an interface and a link of it, its true effects, and how to take it away.

    `at_once`: what it accepts is done by then, so nothing is ever pending.
    """

    network: Network
    interface: str
    link: str
    effects: Callable[[], list[dict[str, Any]]]
    take_away: Callable[[], None]
    at_once: bool = False


def emulated(folder: Path, *, keyed: bool = True) -> Iterator[Subject]:
    inventory = operator_network(4, 80)
    with start_plant(inventory, 4, folder, period_s=0.2, keyed=keyed) as plant:
        link = inventory.links[0]
        yield Subject(plant.network(timeout_s=2.0), link.source, link.id, plant.umpire().journal, plant.kill)


def routers(_folder: Path) -> Iterator[Subject]:
    """Real routers."""
    need_a_lab()
    with start_lab(SMOKE) as lab, RoutersNetwork(lab.reach, period_s=0.2) as network:
        network.warm_up(6)
        yield _over(network, take_away=lambda: None)


def recorded_routers(_folder: Path) -> Iterator[Subject]:
    """Routers that fall silent, all of them, without a lab to be ended for it."""
    recorded = Recorded()
    with network_over(recorded) as network:

        def take_away() -> None:
            for router in recorded.routers.values():
                router.silent = True
            for _ in range(100):
                if not _answers(network):
                    return
                time.sleep(0.1)

        yield _over(network, take_away)


def _over(network: RoutersNetwork, take_away: Callable[[], None]) -> Subject:
    link = network.inventory().links[0]
    return Subject(network, link.source, link.id, lambda: list(network.journal), take_away, at_once=True)


def _answers(network: Network) -> bool:
    try:
        network.cancel("never-sent")
    except Unavailable:
        return False
    return True


SUBJECTS: dict[str, Callable[[Path], Iterator[Subject]]] = {
    "emulated": emulated,
    "routers": routers,
    "recorded": recorded_routers,
}
NAMES = ["emulated", pytest.param("routers", marks=pytest.mark.slow), "recorded"]


@pytest.fixture(scope="module", params=NAMES)
def subject(request, tmp_path_factory) -> Iterator[Subject]:
    yield from SUBJECTS[request.param](tmp_path_factory.mktemp("network"))


@pytest.fixture(params=["emulated", "recorded"])
def short_lived(request, tmp_path) -> Iterator[Subject]:
    yield from SUBJECTS[request.param](tmp_path)


def settled(network: Network, key: str) -> Seen:
    """Look until the action is pending no more; at most ten seconds."""
    for _ in range(500):
        if (seen := network.look(key)) is not Seen.PENDING:
            return seen
        time.sleep(0.02)
    return Seen.PENDING


def lines(subject: Subject, key: str) -> list[dict[str, Any]]:
    return [line for line in subject.effects() if line["key"] == key]


def test_an_effect_is_visible_in_the_state(subject):
    subject.network.send("visible", InterfaceDown(target=subject.interface))

    assert settled(subject.network, "visible") is Seen.DONE
    assert subject.network.state(subject.interface)["administrative"] == "locked"
    subject.network.send("visible-back", InterfaceUp(target=subject.interface))
    assert settled(subject.network, "visible-back") is Seen.DONE
    assert subject.network.state(subject.interface)["administrative"] == "unlocked"


def test_a_keyed_resend_has_one_effect(subject):
    if not subject.network.keyed:
        pytest.skip("it does not say that it is keyed, and nothing is ever sent to it twice")
    action = UndrainLink(target=subject.link, metric=77)

    for _ in range(3):
        subject.network.send("once", action)
    settled(subject.network, "once")
    subject.network.send("once", action)

    assert settled(subject.network, "once") is Seen.DONE
    assert len(lines(subject, "once")) == 1
    assert subject.network.state(subject.link)["metric"] == "77"


def test_a_key_belongs_to_one_action(subject):
    if not subject.network.keyed:
        pytest.skip("it does not say that it is keyed")
    subject.network.send("taken", UndrainLink(target=subject.link, metric=11))

    with pytest.raises(Refused, match="another action"):
        subject.network.send("taken", UndrainLink(target=subject.link, metric=12))


def test_an_unknown_key_is_absent_where_keys_are_remembered(subject):
    expected = Seen.ABSENT if subject.network.keyed else Seen.CANNOT_TELL

    assert subject.network.look("never-sent") is expected


def test_the_state_of_an_unknown_element_is_not_found(subject):
    with pytest.raises(NotFound, match="no-such-thing"):
        subject.network.state("no-such-thing")


def test_a_cancelled_action_never_happens(subject):
    if subject.at_once:
        pytest.skip("what it accepts is done at once, so there is nothing to cancel")
    subject.network.send("cancelled", InterfaceDown(target=subject.interface))
    subject.network.cancel("cancelled")

    assert subject.network.look("cancelled") is Seen.ABSENT
    subject.network.send("later", UndrainLink(target=subject.link, metric=5))
    assert settled(subject.network, "later") is Seen.DONE
    assert lines(subject, "cancelled") == []


def test_what_is_done_cannot_be_cancelled(subject):
    subject.network.send("done", UndrainLink(target=subject.link, metric=9))
    settled(subject.network, "done")

    subject.network.cancel("done")

    assert subject.network.look("done") is Seen.DONE


@pytest.mark.parametrize("target", ["no-such-thing", "the-link"])
def test_a_refused_action_leaves_no_trace(subject, target):
    action = LockCell(target=subject.link if target == "the-link" else target)

    with pytest.raises(Refused):
        subject.network.send(f"refused-{target}", action)

    assert subject.network.look(f"refused-{target}") is Seen.ABSENT
    assert lines(subject, f"refused-{target}") == []


def test_tickets_are_not_for_a_network(subject):
    ticket = OpenTicket(target="inc_1", description="trouble")

    assert not subject.network.takes(ticket)
    assert subject.network.takes(InterfaceUp(target=subject.interface))


def test_polled_positions_rise_and_polling_again_gives_the_same(subject):
    first = subject.network.poll(0, wait_s=5.0)
    second = subject.network.poll(first.position, wait_s=5.0)

    assert first.items
    assert second.items
    assert second.position > first.position > 0
    again = subject.network.poll(0).items[: len(first.items)]
    assert again == first.items


def test_history_is_readings_of_before(subject):
    history = subject.network.history()
    newest = max(item["time"] for item in history)

    assert {item["type"] for item in history} == {"readings"}
    said = subject.network.poll(0, wait_s=5.0).items
    assert newest <= min(item["time"] for item in said if item["type"] == "readings")


def test_every_item_speaks_of_declared_elements(subject):
    inventory = subject.network.inventory()
    known = {node.id for node in inventory.nodes} | {tp.id for tp in inventory.termination_points}
    known |= {demand.id for demand in inventory.demands}

    named = {row[0] for item in subject.network.history() for row in item["rows"]}

    assert named
    assert named <= known


def test_a_dead_network_is_unavailable_and_cannot_be_told(short_lived):
    short_lived.network.send("last", InterfaceUp(target=short_lived.interface))
    short_lived.take_away()

    assert short_lived.network.look("last") is Seen.CANNOT_TELL
    for ask in (
        lambda: short_lived.network.state(short_lived.interface),
        lambda: short_lived.network.poll(0),
        lambda: short_lived.network.send("after", InterfaceUp(target=short_lived.interface)),
        lambda: short_lived.network.cancel("last"),
        short_lived.network.history,
        short_lived.network.inventory,
    ):
        with pytest.raises(Unavailable):
            ask()
