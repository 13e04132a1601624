"""From a repair back to the raw events, and the executor's count against the record's."""

from domain.identity import Role
from tests.stage import CULPRIT, Stage


def repaired(stage: Stage) -> None:
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "plausible")
    stage.walk_all()
    stage.recover()
    stage.settle()


def test_every_link_behind_a_repair_leads_somewhere(stage: Stage) -> None:
    repaired(stage)

    found = stage.queries.lineage(stage.one, stage.proposal().id)

    assert found.orphans == ()
    assert all([found.steps, found.approvals, found.grant, found.decision, found.twin_state])
    assert found.incident == stage.proposal().incident_id


def test_the_facts_of_a_plan_lead_to_alarms_and_batches(stage: Stage) -> None:
    repaired(stage)
    evidence = stage.ledger.read(lambda tables: tables.evidence.find(element=CULPRIT))
    proposal = stage.proposal().but(evidence_ids=tuple(fact.id for fact in evidence))

    from control_plane.lineage import lineage

    facts = stage.ledger.read(lambda tables: lineage(tables, proposal)).facts

    raw = [identifier for fact in facts for identifier in fact.raw]
    assert any(identifier.startswith("alarm_") for identifier in raw)
    assert any(identifier.startswith("batch_") for identifier in raw)


def test_the_executor_and_the_record_count_the_same_steps(stage: Stage) -> None:
    repaired(stage)
    auditor = stage.one.but(roles=frozenset({Role.AUDITOR}))

    verdict = stage.queries.verify_audit(auditor)

    assert verdict.verified
    assert verdict.steps == verdict.steps_recorded == 1
