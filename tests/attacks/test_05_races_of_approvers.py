"""Row 5: fifty at once: whatever they shout, there is one outcome, and the network is touched once."""

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from control_plane import flow
from control_plane.approvals.desk import ApprovalsDesk
from control_plane.gate import consume, grant_id_of
from control_plane.ports import Ledger, Written
from domain.chains import first_break
from domain.clock import ManualClock
from domain.errors import NocturneError
from domain.gate import Choice
from domain.identity import Principal, Role
from domain.proposals import ProposalState
from domain.records import Entry
from tests.stage import Stage, make_stage
from tests.stores import STORES, opened

MANY = 50


@pytest.fixture(params=STORES)
def ledger(request: pytest.FixtureRequest, clock: ManualClock, tmp_path: Path) -> Iterator[Ledger]:
    with opened(request.param, tmp_path, clock) as made:
        yield made


@pytest.fixture(params=[True, False], ids=["keyed", "not-keyed"])
def stage(request: pytest.FixtureRequest, clock: ManualClock, ledger: Ledger) -> Stage:
    return make_stage(clock, ledger=ledger, keyed=request.param)


def people(stage: Stage) -> list[Principal]:
    """Return fifty approvers who are fifty people."""
    roles = frozenset({Role.APPROVER, Role.OPERATOR})
    return [Principal(id=f"acc_{n}", name=f"one-{n}", person=f"Person {n}", roles=roles) for n in range(MANY)]


def at_once(acts: Sequence[Callable[[], object]]) -> list[str]:
    """Do everything at the same moment; return what came of each: `ok`, or the code of its refusal."""
    barrier, outcomes = threading.Barrier(len(acts)), [""] * len(acts)

    def run(place: int) -> None:
        barrier.wait()
        try:
            acts[place]()
            outcomes[place] = "ok"
        except NocturneError as error:
            outcomes[place] = error.code

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def begun(stage: Stage, proposal_id: str) -> int:
    return len([r for r in stage.ledger.records(ref=proposal_id) if r.kind == "act.execution.begun"])


def test_fifty_approvals_make_one_grant_and_one_effect(stage: Stage) -> None:
    proposal = stage.begin()

    outcomes = at_once([lambda p=p: stage.commands.approve(p, proposal.id, "yes") for p in people(stage)])
    at_once([stage.walk_all] * 8)

    assert sorted(outcomes) == ["conflict"] * (MANY - 1) + ["ok"]
    assert len(stage.ledger.read(lambda tables: tables.grants.find(proposal_id=proposal.id))) == 1
    assert len(stage.network.journal) == begun(stage, proposal.id) == 1


def test_approve_and_reject_have_one_outcome(stage: Stage) -> None:
    proposal = stage.begin()
    commands, who = stage.commands, people(stage)
    yes = [lambda p=p: commands.approve(p, proposal.id, "yes") for p in who[::2]]
    no = [lambda p=p: commands.reject(p, proposal.id, "no") for p in who[1::2]]

    outcomes = at_once([act for pair in zip(yes, no, strict=True) for act in pair])
    stage.walk_all()

    state = stage.proposal().state
    said = stage.ledger.read(lambda tables: tables.approvals.find(proposal_id=proposal.id))
    assert outcomes.count("ok") == 1
    assert set(outcomes) <= {"ok", "conflict"}
    assert (said[0].choice is Choice.REJECT, len(said)) == (state is ProposalState.REJECTED, 1)
    assert len(stage.network.journal) == (0 if state is ProposalState.REJECTED else 1)


def test_one_request_sent_fifty_times_under_its_key_is_done_once(stage: Stage) -> None:
    proposal = stage.begin()

    outcomes = at_once([lambda: stage.commands.approve(stage.one, proposal.id, "yes", key="k-1")] * MANY)
    stage.walk_all()

    assert outcomes == ["ok"] * MANY
    assert len(stage.ledger.read(lambda tables: tables.approvals.find(proposal_id=proposal.id))) == 1
    assert len(stage.network.journal) == 1


def test_taking_a_signature_back_against_the_first_step_leaves_nothing_half_done(stage: Stage) -> None:
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "yes")
    desk = ApprovalsDesk(stage.road)
    walks = [lambda: flow.walk(stage.road, stage.graph, proposal.incident_id)] * 8

    at_once([*walks, *[lambda: desk.revoke(stage.one, proposal.id, "no")] * 8])
    stage.walk_all()

    keys = [key.rsplit(":", 2)[1] for key in stage.network.journal]
    assert (keys, stage.proposal().state) in (
        ([], ProposalState.HELD),
        (["step", "inverse"], ProposalState.SETTLED),
    )


def test_one_person_who_clicks_fifty_times_signs_once(stage: Stage) -> None:
    proposal = stage.begin()

    outcomes = at_once([lambda: stage.commands.approve(stage.one, proposal.id, "yes")] * MANY)

    assert outcomes.count("ok") == 1
    assert len(stage.ledger.read(lambda tables: tables.approvals.find(proposal_id=proposal.id))) == 1


def test_fifty_wakes_and_a_second_worker_make_one_effect(stage: Stage) -> None:
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "yes")
    incident = proposal.incident_id

    at_once([lambda: flow.walk(stage.road, stage.graph, incident)] * MANY)

    assert len(stage.network.journal) == begun(stage, proposal.id) == 1
    assert first_break(stage.ledger.records()) is None


def test_workers_that_do_not_know_of_each_other_make_one_effect(stage: Stage) -> None:
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "yes")

    # past the turn that walkers of one process take: as walkers of many processes would come
    at_once([lambda: flow.act(stage.road, proposal.incident_id)] * MANY)

    intended = [r for r in stage.ledger.records(ref=proposal.id) if r.kind == "act.step.intended"]
    assert len(stage.network.journal) == len(intended) == 1


def test_a_right_is_used_up_by_one_of_fifty(stage: Stage) -> None:
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "yes")
    right = stage.ledger.read(lambda tables: tables.rights.find(grant_id=grant_id_of(proposal.id)))[0].id
    got: list[str] = []

    def take(name: str) -> None:
        entry = Entry(kind="act.right.tried", actor=name, event_time=stage.clock.now())
        if stage.ledger.do(lambda tables: Written(consume(stage.road, tables, right, name), (entry,))):
            got.append(name)

    at_once([lambda n=n: take(f"worker-{n}") for n in range(MANY)])

    assert len(got) == 1
    assert stage.ledger.read(lambda tables: tables.rights.get(right)).consumed_by == got[0]


def test_stop_against_the_first_step_leaves_nothing_half_done(stage: Stage) -> None:
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "yes")
    walks = [lambda: flow.walk(stage.road, stage.graph, proposal.incident_id)] * 4
    stops = [lambda p=p: stage.commands.stop(p, proposal.id, "wait") for p in people(stage)[:8]]

    at_once([*walks, *stops])
    stage.walk_all()

    keys = [key.rsplit(":", 2)[1] for key in stage.network.journal]
    assert keys in ([], ["step", "inverse"])
    assert stage.proposal().state in {ProposalState.WITHDRAWN, ProposalState.SETTLED}
