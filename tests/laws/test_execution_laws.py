"""Laws of the executor (P2), whoever calls and by whatever way: no hands move without a right that was consumed first.

The hands here write down what the store held at the very moment at which they were told to do something.
"""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.network.in_memory import InMemoryNetwork
from control_plane import flow
from control_plane.executor import advance, execution_id_of
from control_plane.gate import right_id
from control_plane.guards import freshness
from control_plane.guards.desk import GuardsDesk
from control_plane.worker import recover
from domain.actions import Action, DrainLink, InterfaceUp
from domain.clock import ManualClock
from domain.errors import NocturneError
from domain.execution import ExecutionState
from domain.gate import RightKind
from domain.guards import InFlight, SwitchKind
from domain.identity import Principal, Role
from domain.proposals import ProposalState
from tests.stage import CULPRIT, Stage, make_stage

NOON = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)
ADMIN = Principal(id="acc_admin", name="admin", person="the admin", roles=frozenset({Role.ADMIN}))
TWO_STEPS = (InterfaceUp(target=CULPRIT), DrainLink(target="link:c-d", previous_metric=10))


class Witness(InMemoryNetwork):
    """Hands that look into the store before they move."""

    stage: Stage

    def __init__(self, network: InMemoryNetwork) -> None:
        self.__dict__ = network.__dict__
        self.unlawful: list[str] = []
        self.under_a_switch: list[str] = []

    def send(self, key: str, action: Action) -> None:
        execution_id, kind, index = key.rsplit(":", 2)

        def read(tables: Any) -> tuple[bool, bool]:
            step, execution = tables.steps.get(key), tables.executions.get(execution_id)
            proposal = tables.proposals.get(execution.proposal_id) if execution else None
            right = tables.rights.get(right_id(execution.grant_id, RightKind(kind), int(index))) if execution else None
            lawful = (
                step is not None
                and step.action == action
                and right is not None
                and right.consumed_by == key
                and proposal is not None
                and proposal.state is ProposalState.EXECUTING
            )
            off = tables.switches.find(off=True)
            left = kind == "step" or any(switch.in_flight is InFlight.HAND_OVER for switch in off)
            return lawful, bool(off) and left

        lawful, under = self.stage.ledger.read(read)
        if not lawful:
            self.unlawful.append(key)
        if under:
            self.under_a_switch.append(key)
        super().send(key, action)


def by_api(stage: Stage, number: int) -> object:
    who = (stage.one, stage.two, stage.operator, stage.feed)[number % 4]
    return stage.commands.approve(who, stage.proposal().id, "drawn")


def by_chat(stage: Stage, number: int) -> object:
    question = f"approve {stage.proposal().id} and carry it out now, {'please' * (number % 3)}"
    return stage.queries.ask(stage.operator, question)


def by_hook(stage: Stage, number: int) -> object:
    stage.raise_alarms(cleared=number % 2 == 0)
    return stage.walk_all()


def by_schedule(stage: Stage, number: int) -> object:
    stage.clock.advance((1.0, 61.0, 700.0)[number % 3])
    freshness.sweep(stage.road)
    return recover(stage.road)


def by_resume(stage: Stage, _number: int) -> object:
    return flow.act(stage.road, stage.proposal().incident_id)


def by_executor(stage: Stage, _number: int) -> object:
    return advance(stage.road, execution_id_of(stage.proposal().id))


def by_rollback(stage: Stage, number: int) -> object:
    stage.suffer(0.5 * (number % 40))
    return stage.commands.stop(stage.operator, stage.proposal().id, "drawn")


def by_switch(stage: Stage, number: int) -> object:
    desk = GuardsDesk(stage.road)
    kind, name = ((SwitchKind.ALL, ""), (SwitchKind.AGENT, "provisioning"), (SwitchKind.DOMAIN, "transport"))[
        number % 3
    ]
    if number % 2:
        return desk.release(ADMIN, kind, name, "drawn")
    return desk.kill(stage.operator, kind, name, "drawn", tuple(InFlight)[number % 4 // 2])


def by_crash(stage: Stage, number: int) -> object:
    """The process ends at some point of the road, and another takes over."""
    point = ("begun", "intended", "sent", "acted", "settled")[number % 5]

    def watch(passed: str, _ref: str) -> None:
        if passed == point:
            stage.road.watchers.clear()
            raise Crash

    stage.road.watchers.append(watch)
    try:
        return stage.walk_all()
    finally:
        stage.road.watchers.clear()


class Crash(Exception):
    """The process ends here."""


WAYS = {
    "api": by_api,
    "chat": by_chat,
    "hook": by_hook,
    "schedule": by_schedule,
    "resume": by_resume,
    "executor": by_executor,
    "rollback": by_rollback,
    "switch": by_switch,
    "crash": by_crash,
    "walk": lambda stage, _: stage.walk_all(),
}
UNHURRIED = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
sequences = st.lists(st.tuples(st.sampled_from([*WAYS, "api", "walk", "switch"]), st.integers(0, 41)), max_size=14)


def lived(sequence: list[tuple[str, int]], *, keyed: bool) -> tuple[Stage, Witness]:
    """Let a repair wait for people; then let people, time, agents, crashes and switches do what was drawn."""
    stage = make_stage(ManualClock(NOON), keyed=keyed, steps=TWO_STEPS, wrap=Witness)
    witness: Witness = stage.road.network
    witness.stage = stage
    stage.begin()
    for name, number in [("api", 0), ("api", 1), *sequence]:
        with suppress(NocturneError, Crash):
            WAYS[name](stage, number)
    with suppress(NocturneError):
        stage.walk_all()
    return stage, witness


@UNHURRIED
@given(sequences, st.booleans())
def test_no_hands_move_without_a_right_nor_under_a_switch_and_locks_last_as_long_as_their_plans(
    sequence: list[tuple[str, int]], keyed: bool
) -> None:
    stage, witness = lived(sequence, keyed=keyed)
    held = {lock.id for lock in stage.ledger.read(lambda tables: tables.influence_locks.find(held=True))}
    begun = {p.id for p in stage.proposals() if p.state in {ProposalState.GRANTED, ProposalState.EXECUTING}}

    assert witness.unlawful == []
    assert witness.under_a_switch == []
    assert held == begun


def test_the_witness_would_see_an_unlawful_move() -> None:
    stage, witness = lived([], keyed=True)
    before = list(witness.unlawful)

    witness.send("exec_nowhere:step:0", InterfaceUp(target="tp:c-d"))

    assert before == []
    assert witness.unlawful == ["exec_nowhere:step:0"]
    assert stage.ledger.read(lambda tables: tables.executions.find())[-1].state is not ExecutionState.SETTLED
    assert stage.clock.now() - NOON < timedelta(hours=1)
