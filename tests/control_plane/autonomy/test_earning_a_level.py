"""From outcomes to a level: the bound passes, the oversight agent asks, a person signs, the hands set it."""

import pytest

from control_plane.autonomy.claims import hindsight, objections
from domain.actions import InterfaceUp, SetAutonomy
from domain.autonomy import Level
from domain.chains import first_break
from domain.errors import BadInput
from domain.incidents import IncidentState, Resolution
from domain.proposals import Plan, ProposalState
from tests.control_plane.autonomy.earning import STANDING, Earning


def test_a_level_that_was_earned_and_signed_stands(earning_anywhere: Earning) -> None:
    earning = earning_anywhere
    earning.promote()

    matter = earning.matter()
    assert earning.level() is Level.ACT_HARMLESS
    assert matter is not None
    assert (matter.state, matter.resolution) == (IncidentState.CLOSED, Resolution.RESTORED)
    assert first_break(earning.ledger.records()) is None


def test_nobody_is_asked_before_the_bound_passes(earning: Earning) -> None:
    earning.settle(Resolution.RESTORED, 87)
    earning.walk()

    assert earning.asked() is None
    assert earning.standing().bound > 0.05


def test_the_bound_passes_with_88_clean_outcomes(earning: Earning) -> None:
    asked = earning.earn()

    assert asked.state is ProposalState.HELD
    assert earning.standing().bound <= 0.05
    assert earning.level() is Level.ADVISE


def test_what_a_person_signs_shows_the_evidence_and_the_past(earning: Earning) -> None:
    asked = earning.earn()

    rehearsal = earning.ledger.read(lambda tables: tables.rehearsals.get(asked.rehearsal_id or ""))
    assert rehearsal is not None
    assert rehearsal.hindsight is not None
    assert (rehearsal.hindsight.claim.outcomes, rehearsal.hindsight.claim.failures) == (88, 0)
    assert rehearsal.hindsight.looked_at == 88
    assert rehearsal.hindsight.alone == 88
    assert rehearsal.hindsight.ended == {"restored": 88}


def test_the_evidence_is_in_the_record_of_the_move(earning: Earning) -> None:
    earning.promote()

    (record,) = [each for each in earning.ledger.records() if each.kind == "autonomy.level.set"]
    said = {name: field.value for name, field in record.fields.items()}
    assert (said["from"], said["to"], said["outcomes"], said["failures"]) == (0, 1, 88, 0)
    assert STANDING in record.refs


def test_a_level_names_the_proposal_that_was_signed_for_it(earning: Earning) -> None:
    asked = earning.earn()
    earning.sign(asked)

    (record,) = [each for each in earning.ledger.records() if each.kind == "autonomy.level.set"]
    assert earning.standing().proposal_id == asked.id
    assert asked.id in record.refs


def test_what_healed_by_itself_is_no_evidence(earning: Earning) -> None:
    earning.settle(Resolution.NOT_OURS, 200)

    assert (earning.standing().outcomes, earning.standing().failures) == (0, 0)


def test_what_a_kill_switch_cut_off_is_no_evidence(earning: Earning) -> None:
    earning.settle(Resolution.ROLLED_BACK, stopped_by="operator")

    assert (earning.standing().outcomes, earning.standing().failures) == (0, 0)


@pytest.mark.parametrize("bad", [Resolution.ROLLED_BACK, Resolution.UNRESOLVED])
def test_what_was_undone_or_did_not_help_is_a_failure(earning: Earning, bad: Resolution) -> None:
    earning.settle(bad)

    assert (earning.standing().outcomes, earning.standing().failures) == (1, 1)


def test_one_failure_makes_the_way_longer(earning: Earning) -> None:
    earning.settle(Resolution.UNRESOLVED)
    earning.settle(Resolution.RESTORED, 132)
    earning.walk()
    assert earning.asked() is None

    earning.settle(Resolution.RESTORED)
    earning.walk()

    assert earning.asked() is not None


def test_a_rejected_plan_is_a_failure(earning: Earning) -> None:
    earning.stage.commands.reject(earning.stage.one, earning.sample.id, "not that one")

    assert (earning.standing().outcomes, earning.standing().failures) == (1, 1)


def test_a_real_repair_earns_one_credit(earning: Earning) -> None:
    stage = earning.stage
    stage.commands.approve(stage.one, earning.sample.id, "plausible")
    stage.walk_all()
    stage.recover()
    stage.settle()

    (credit,) = earning.ledger.read(lambda tables: tables.credits.find())
    assert (credit.clean, credit.alone, earning.standing().outcomes) == (True, False, 1)


def test_evidence_that_went_bad_after_the_signature_raises_nothing(earning: Earning) -> None:
    asked = earning.earn()
    earning.stage.commands.approve(earning.stage.one, asked.id, "the figures say so", asked.plan_digest)
    earning.settle(Resolution.UNRESOLVED)
    earning.walk()

    found = earning.ledger.read(lambda tables: tables.proposals.get(asked.id))
    assert found is not None
    assert found.state is ProposalState.WITHDRAWN
    assert "bound" in found.state_reason
    assert earning.level() is Level.ADVISE


def test_a_person_cannot_ask_for_more_than_was_earned(earning: Earning) -> None:
    asked = earning.earn()
    higher = Plan(steps=(SetAutonomy(target=STANDING, level=2, previous=0),))
    earning.stage.commands.change(earning.stage.one, asked.id, higher, "it does so well")
    earning.walk()

    found = earning.ledger.read(lambda tables: tables.proposals.find(incident_id=asked.incident_id))
    (newest,) = [proposal for proposal in found if proposal.replaces == asked.id]
    assert (newest.plan, newest.state) == (higher, ProposalState.DENIED)
    assert earning.level() is Level.ADVISE


@pytest.mark.parametrize("others", [(), (InterfaceUp(target="tp:a-b"),)])
def test_a_level_cannot_be_slipped_into_a_repair(earning: Earning, others: tuple[InterfaceUp, ...]) -> None:
    slipped = Plan(steps=(*others, SetAutonomy(target=STANDING, level=1, previous=0)))

    with pytest.raises(BadInput):
        earning.stage.commands.change(earning.stage.one, earning.sample.id, slipped, "while you are at it")


def test_after_a_no_twice_the_evidence_is_needed_to_ask_again(earning: Earning) -> None:
    asked = earning.earn()
    earning.stage.commands.reject(earning.stage.one, asked.id, "not this season")
    earning.settle(Resolution.RESTORED, 87)
    earning.walk()

    assert earning.asked() == earning.ledger.read(lambda tables: tables.proposals.get(asked.id))
    matter = earning.matter()
    assert matter is not None
    assert matter.state is IncidentState.CLOSED

    earning.settle(Resolution.RESTORED)
    earning.walk()

    again = earning.asked()
    assert again is not None
    assert (again.id != asked.id, again.state) == (True, ProposalState.HELD)


def test_a_request_that_expired_is_made_again_with_the_next_clean_outcome(earning: Earning) -> None:
    asked = earning.earn()
    earning.stage.clock.advance(earning.stage.road.settings.proposal_s + 1)
    earning.walk()
    earning.settle(Resolution.RESTORED)
    earning.walk()

    again = earning.asked()
    assert again is not None
    assert (again.id != asked.id, again.state) == (True, ProposalState.HELD)


@pytest.mark.parametrize(
    ("clean", "level", "previous", "said"),
    [
        (50, 1, 0, ("the evidence is not enough",)),
        (88, 1, 0, ()),
        (88, 2, 0, ("the level that can be earned here is 1",)),
        (88, 1, 1, ("at level 1 already", "the level here is 0, not 1")),
    ],
)
def test_a_rehearsal_names_what_speaks_against_a_level(
    earning: Earning, clean: int, level: int, previous: int, said: tuple[str, ...]
) -> None:
    earning.settle(Resolution.RESTORED, clean)

    against = objections(hindsight(earning.stage.road, STANDING, level), level, previous)

    assert len(against) == len(said)
    assert all(part in reason for part, reason in zip(said, against, strict=True))
