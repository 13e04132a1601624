"""Defect 11: rejected incidents were marked resolved, with invented "3/3 checks passed"."""

import pytest

from domain.incidents import IncidentState, Resolution
from domain.proposals import ProposalState
from tests.stage import Stage


@pytest.mark.parametrize("end", ["rejected", "expired", "stopped"])
def test_what_nobody_let_be_done_resolves_nothing(stage: Stage, end: str) -> None:
    proposal = stage.begin()
    if end == "rejected":
        stage.commands.reject(stage.one, proposal.id, "no")
    elif end == "stopped":
        stage.commands.stop(stage.operator, proposal.id, "no")
    else:
        stage.clock.advance(stage.road.settings.proposal_s)
    stage.suffer(5)

    incident = stage.ledger.read(lambda tables: tables.incidents.get(proposal.incident_id))
    old = stage.ledger.read(lambda tables: tables.proposals.get(proposal.id))
    assert (incident.state, incident.resolution) == (IncidentState.OPEN, None)
    assert old.state in {ProposalState.REJECTED, ProposalState.EXPIRED, ProposalState.WITHDRAWN}
    assert stage.ledger.read(lambda tables: tables.executions.find(proposal_id=proposal.id)) == []
    said = [r for r in stage.ledger.records(ref=proposal.id) if "checks" in r.fields]
    assert said == []


def test_a_rejected_incident_that_heals_by_itself_is_not_ours(stage: Stage) -> None:
    proposal = stage.begin()
    stage.commands.reject(stage.one, proposal.id, "it heals by itself")

    stage.recover()
    stage.settle()

    incident = stage.ledger.read(lambda tables: tables.incidents.get(proposal.incident_id))
    assert (incident.state, incident.resolution) == (IncidentState.CLOSED, Resolution.NOT_OURS)
    assert "checks" not in incident.closed_because
