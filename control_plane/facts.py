"""The record, read for explaining: what the narrator (and nobody else) is given."""

from collections.abc import Sequence

from control_plane.executor import execution_id_of
from control_plane.ports import Ledger
from control_plane.tables import Tables
from domain.diagnosis import Diagnosis
from domain.evidence import Evidence
from domain.execution import Execution
from domain.incidents import Incident
from domain.proposals import Proposal
from domain.records import Record


class RecordedFacts:
    """Reads the ledger; answers with what was stored, or nothing."""

    def __init__(self, ledger: Ledger, tenant: str = "default") -> None:
        self._ledger, self._tenant = ledger, tenant

    def find(self, ref: str) -> str | None:
        """Return the full id that a (possibly shortened) id, an element or `latest` speaks of, or None."""

        def read(tables: Tables) -> str | None:
            incidents = tables.incidents.find(newest=True, limit=500)
            if ref == "latest":
                return incidents[0].id if incidents else None
            for shelf in (tables.incidents, tables.proposals):
                if shelf.get(ref) is not None:
                    return ref
            if len(ref) < 6:
                return None
            proposals = tables.proposals.find(newest=True, limit=500)
            matching = [item.id for item in (*incidents, *proposals) if ref in item.id]
            about = [incident.id for incident in incidents if ref in incident.elements]
            return next(iter(matching if len(matching) == 1 else about), None)

        return self._ledger.read(read)

    def incident(self, incident_id: str) -> Incident | None:
        return self._ledger.read(lambda tables: tables.incidents.get(incident_id))

    def diagnosis(self, incident_id: str) -> Diagnosis | None:
        def read(tables: Tables) -> Diagnosis | None:
            incident = tables.incidents.get(incident_id)
            return tables.diagnoses.get(incident.diagnosis_id or "") if incident else None

        return self._ledger.read(read)

    def evidence(self, incident_id: str) -> Sequence[Evidence]:
        return self._ledger.read(lambda tables: tables.evidence.find(incident_id=incident_id))

    def proposals(self, incident_id: str) -> Sequence[Proposal]:
        return self._ledger.read(lambda tables: tables.proposals.find(incident_id=incident_id))

    def execution(self, proposal_id: str) -> Execution | None:
        return self._ledger.read(lambda tables: tables.executions.get(execution_id_of(proposal_id)))

    def records(self, ref: str) -> Sequence[Record]:
        return self._ledger.records(self._tenant, ref=ref)
