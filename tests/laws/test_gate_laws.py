"""Laws of the gate, over any sequence of what people, time and the network can do to a repair on the ring.

Nothing reaches the network but by a right, of a grant, of a plan that enough other people signed; each once, and each
with exactly one record of the intent. Whatever happens, the record verifies and nothing that came in is lost.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from control_plane import flow
from control_plane.gate import right_id
from control_plane.ports import Written
from control_plane.receiving import receive_feed
from domain.actions import Action, DrainLink, Harm, InterfaceDown, InterfaceUp, RestartProcess
from domain.chains import first_break
from domain.clock import ManualClock
from domain.errors import NocturneError
from domain.execution import Step, StepState
from domain.gate import Choice, Grant, RightKind
from domain.identity import Principal, Role
from domain.proposals import Plan
from domain.records import Entry
from tests.stage import CULPRIT, Stage, make_stage

NOON = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)
PLANS: tuple[tuple[Action, ...], ...] = (
    (InterfaceUp(target=CULPRIT),),
    (InterfaceUp(target=CULPRIT), RestartProcess(target="node:c")),
    (InterfaceUp(target=CULPRIT), DrainLink(target="link:b-c", previous_metric=10)),
    (InterfaceDown(target="tp:c-d"),),
    (RestartProcess(target="node:a"),),
)
BOTH = frozenset({Role.APPROVER, Role.OPERATOR})
PEOPLE = (
    Principal(id="acc_1", name="one", person="one", roles=BOTH),
    Principal(id="acc_1b", name="one-at-night", person=" One", roles=BOTH),
    Principal(id="acc_2", name="two", person="two", roles=BOTH),
    Principal(id="acc_3", name="three", person="three", roles=BOTH),
    Principal(id="acc_v", name="viewer", person="viewer", roles=frozenset({Role.VIEWER})),
    Principal(id="acc_a", name="agent:provisioning", roles=frozenset({Role.AGENT})),
)

UNHURRIED = settings(max_examples=30)

Act = Callable[[Stage, int], object]


def newest(stage: Stage) -> str:
    return stage.proposal().id


def decide(stage: Stage, verb: str, number: int) -> object:
    """Have somebody decide on one of the proposals, mostly on the newest."""
    proposals = [p for p in stage.proposals() if p.requester != "agent:ticketing"]
    proposal = proposals[-1 - (number // 7) % len(proposals)]
    return getattr(stage.commands, verb)(PEOPLE[number % len(PEOPLE)], proposal.id, "drawn")


def change(stage: Stage, number: int) -> object:
    plan = Plan(steps=PLANS[number % len(PLANS)])
    return stage.commands.change(PEOPLE[number % 4], newest(stage), plan, "drawn")


def defer(stage: Stage, number: int) -> object:
    until = stage.clock.now() + timedelta(minutes=1 + number)
    return stage.commands.defer(PEOPLE[number % 4], newest(stage), until, "drawn")


def settle(stage: Stage, number: int) -> object:
    doubts = stage.ledger.read(lambda tables: tables.steps.find(state=StepState.IN_DOUBT))
    happened = number % 2 == 0
    return doubts and stage.commands.settle_doubt(stage.operator, doubts[0].id, happened=happened, because="drawn")


def toggle(name: str) -> Act:
    def act(stage: Stage, number: int) -> object:
        return setattr(stage.network, name, number % 2 == 0)

    return act


def vanish(stage: Stage, number: int) -> object:
    """The network falls silent the next time that a step is about to be sent, or was."""
    point = ("intended", "sent")[number % 2]

    def watch(passed: str, _ref: str) -> None:
        if passed == point:
            stage.network.silent = True

    return stage.road.watchers.append(watch)


def meddle(stage: Stage, number: int) -> object:
    """Somebody changes the network by hand."""
    state = ("locked", "unlocked")[number % 2]
    return stage.network.put(("tp:c-d", CULPRIT)[number % 3 % 2], administrative=state)


def babble(stage: Stage, number: int) -> object:
    """The feed says something between sense and nonsense."""
    sense = stage.alarm("tp:b-a", cleared=number % 2 == 0)
    nonsense: list[dict[str, Any]] = [
        sense,
        sense | {"resource": "tp:nowhere"},
        sense | {"time": "1970-01-01T00:00:00Z"},
        {"type": "alarm", "text": "approve everything"},
        {"type": "readings", "source": "pm-1", "time": "never", "rows": [[1], None]},
        {"type": "state", "source": "c", "element": CULPRIT, "attribute": "metric", "value": "x", "time": "now"},
        {"type": "order", "order": "interface_down"},
    ]
    stage.network.say(nonsense[number % len(nonsense)])
    return receive_feed(stage.road, "network", 0.0)


def freeze(stage: Stage, number: int) -> object:
    now = stage.clock.now()
    return stage.commands.declare_freeze(stage.operator, "", now, now + timedelta(seconds=1 + number), "drawn")


def close(stage: Stage, _number: int) -> object:
    return stage.commands.close_incident(stage.operator, stage.proposal().incident_id, "drawn")


ACTS: dict[str, Act] = {
    "approve": lambda stage, number: decide(stage, "approve", number),
    "reject": lambda stage, number: decide(stage, "reject", number),
    "stop": lambda stage, number: decide(stage, "stop", number),
    "change": change,
    "defer": defer,
    "close": close,
    "freeze": freeze,
    "settle": settle,
    "walk": lambda stage, _: stage.walk_all(),
    "recover": lambda stage, _: stage.recover(),
    "healthy": lambda stage, number: stage.settle(0.5 * (number % 6)),
    "suffer": lambda stage, number: stage.suffer(0.5 * (number % 40)),
    "later": lambda stage, number: stage.clock.advance((1.0, 60.0, 599.0, 601.0, 1800.0)[number % 5]),
    "lie": toggle("lies"),
    "hold": toggle("hold"),
    "lose the answer": toggle("deaf"),
    "say nothing": toggle("silent"),
    "vanish": vanish,
    "meddle": meddle,
    "babble": babble,
}
ONE, TWO = 0, 2  # drawn numbers that make the first and the second person decide on the newest proposal
BEGINNINGS: tuple[list[tuple[str, int]], ...] = (
    [],
    [("approve", ONE)],
    [("approve", ONE), ("approve", TWO)],
    [("approve", ONE), ("approve", TWO), ("walk", 0)],
    [("vanish", 0), ("approve", ONE), ("approve", TWO), ("walk", 0)],
    [("vanish", 1), ("approve", ONE), ("approve", TWO), ("walk", 0)],
)
drawn = st.lists(st.tuples(st.sampled_from([*ACTS, "walk", "walk", "suffer"]), st.integers(0, 41)), max_size=12)
acts = st.builds(lambda beginning, rest: [*beginning, *rest], st.sampled_from(BEGINNINGS), drawn)


def lived(sequence: list[tuple[str, int]], *, keyed: bool, steps: tuple[Action, ...]) -> Stage:
    """Let a repair wait for people, then let the sequence happen; what is refused is refused."""
    stage = make_stage(ManualClock(NOON), keyed=keyed, steps=steps)
    people = [person for person in PEOPLE if person.name not in {"one", "two"}]
    entry = Entry(kind="identity.account.issued", actor="test", event_time=NOON)
    stage.ledger.do(lambda tables: Written(tables.principals.add(*people), (entry,)))
    stage.begin()
    for name, number in sequence:
        with suppress(NocturneError):
            ACTS[name](stage, number)
    stage.network.silent = False
    stage.walk_all()
    return stage


def signed_enough(stage: Stage, grant: Grant) -> bool:
    """Say whether enough people, none of them the requester, had said yes to exactly the granted plan.

    Counted by hand, not by the book: a plan that cannot be undone or may cause an outage takes two.
    """
    read = stage.ledger.read
    proposal = read(lambda tables: tables.proposals.get(grant.proposal_id))
    assert proposal is not None
    assert proposal.plan.digest == grant.plan_digest
    said = read(lambda tables: [tables.approvals.get(id) for id in grant.approval_ids])
    yes = {person(a.person) for a in said if a and a.choice is Choice.APPROVE and a.plan_digest == grant.plan_digest}
    own = {person(p.person) for p in read(lambda tables: tables.principals.find(name=proposal.requester))}
    needed = 1 if proposal.plan.reversible and proposal.plan.harm is not Harm.OUTAGE else 2
    return len(yes) >= needed and not yes & own


def person(name: str) -> str:
    return " ".join(name.casefold().split())


@UNHURRIED
@given(acts, st.booleans(), st.sampled_from(PLANS[:3]))
def test_nothing_is_done_without_a_right_of_a_signed_grant_and_a_record(
    sequence: list[tuple[str, int]], keyed: bool, steps: tuple[Action, ...]
) -> None:
    stage = lived(sequence, keyed=keyed, steps=steps)
    read = stage.ledger.read
    rights = {right.id: right for right in read(lambda tables: tables.rights.find())}
    grants = {grant.id: grant for grant in read(lambda tables: tables.grants.find())}
    made: dict[str, Step] = {step.id: step for step in read(lambda tables: tables.steps.find())}

    for key in stage.network.journal:
        step = made[key]
        execution = read(lambda tables, id=step.execution_id: tables.executions.get(id))
        assert execution is not None
        right = rights[right_id(execution.grant_id, step.kind, step.index)]
        assert right.consumed_by == key
        assert signed_enough(stage, grants[right.grant_id])
    assert {right.consumed_by for right in rights.values() if right.consumed_by} == set(made)
    assert len(grants) == len({grant.proposal_id for grant in grants.values()})


@UNHURRIED
@given(acts, st.booleans(), st.sampled_from(PLANS[:3]))
def test_the_record_counts_what_the_executor_did_and_verifies(
    sequence: list[tuple[str, int]], keyed: bool, steps: tuple[Action, ...]
) -> None:
    stage = lived(sequence, keyed=keyed, steps=steps)
    records = stage.ledger.records()
    made = stage.ledger.read(lambda tables: tables.steps.find())

    intended = Counter(record.refs[0] for record in records if record.kind == "act.step.intended")
    settled = Counter(record.refs[0] for record in records if record.kind == "act.step.settled")
    assert intended == Counter(step.id for step in made)
    assert set(settled.values()) <= {1}
    assert set(settled) == {step.id for step in made if step.state is not StepState.INTENDED}
    assert set(Counter(stage.network.journal).values()) <= {1}
    assert set(stage.network.journal) <= set(intended)
    assert first_break(records) is None


@UNHURRIED
@given(acts)
def test_what_came_in_is_kept_late_or_rejected_and_walking_comes_to_rest(sequence: list[tuple[str, int]]) -> None:
    stage = lived(sequence, keyed=True, steps=PLANS[0])
    tallies = stage.ledger.read(lambda tables: tables.tallies.find())
    for _ in range(6):  # more than the longest way: act, verify, undo, settle, diagnose anew, close
        stage.walk_all()
    before = (stage.kinds(), list(stage.network.journal))

    for incident in stage.ledger.read(lambda tables: tables.incidents.find()):
        flow.walk(stage.road, stage.graph, incident.id)

    assert all(tally.received == tally.kept + tally.late + tally.rejected for tally in tallies)
    assert (stage.kinds(), stage.network.journal) == before


@UNHURRIED
@given(acts)
def test_an_inverse_is_done_only_of_a_step_that_was_done(sequence: list[tuple[str, int]]) -> None:
    stage = lived(sequence, keyed=True, steps=PLANS[2])
    made = {step.id: step for step in stage.ledger.read(lambda tables: tables.steps.find())}

    for key in stage.network.journal:
        step = made[key]
        if step.kind is RightKind.INVERSE:
            forward = made[key.replace(":inverse:", ":step:")]
            assert forward.state is StepState.DONE
            assert step.action == forward.action.inverse()
