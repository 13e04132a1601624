"""The record, read for explaining: what the narrator (and nobody else) is given."""

from collections.abc import Sequence

from control_plane.executor import execution_id_of
from control_plane.horizon import Horizon
from control_plane.ports import Ledger
from control_plane.tables import Tables
from domain.diagnosis import Diagnosis
from domain.evidence import Evidence
from domain.execution import Execution
from domain.incidents import Incident
from domain.proposals import Proposal
from domain.records import Record


class RecordedFacts:
    """Reads the ledger for one caller; answers with what was stored and is to be seen by that caller, or nothing."""

    def __init__(self, ledger: Ledger, horizon: Horizon) -> None:
        self._ledger, self._horizon = ledger, horizon

    def find(self, ref: str) -> str | None:
        """Return the full id that a (possibly shortened) id, an element or `latest` speaks of, or None."""

        def read(tables: Tables) -> str | None:
            own, horizon = {"tenant": self._horizon.tenant}, self._horizon
            incidents = [i for i in tables.incidents.find(newest=True, limit=500, **own) if horizon.incident(i)]
            if ref == "latest":
                return incidents[0].id if incidents else None
            if horizon.incident(tables.incidents.get(ref)) or horizon.proposal(tables, tables.proposals.get(ref)):
                return ref
            if len(ref) < 6:
                return None
            newest = tables.proposals.find(newest=True, limit=500, **own)
            proposals = [proposal for proposal in newest if horizon.proposal(tables, proposal)]
            matching = [item.id for item in (*incidents, *proposals) if ref in item.id]
            about = [incident.id for incident in incidents if ref in incident.elements]
            return next(iter(matching if len(matching) == 1 else about), None)

        return self._ledger.read(read)

    def incident(self, incident_id: str) -> Incident | None:
        return self._ledger.read(lambda tables: self._incident(tables, incident_id))

    def diagnosis(self, incident_id: str) -> Diagnosis | None:
        def read(tables: Tables) -> Diagnosis | None:
            incident = self._incident(tables, incident_id)
            return tables.diagnoses.get(incident.diagnosis_id or "") if incident else None

        return self._ledger.read(read)

    def evidence(self, incident_id: str) -> Sequence[Evidence]:
        def read(tables: Tables) -> Sequence[Evidence]:
            return tables.evidence.find(incident_id=incident_id) if self._incident(tables, incident_id) else ()

        return self._ledger.read(read)

    def proposals(self, incident_id: str) -> Sequence[Proposal]:
        def read(tables: Tables) -> Sequence[Proposal]:
            found = tables.proposals.find(incident_id=incident_id)
            return [proposal for proposal in found if self._horizon.proposal(tables, proposal)]

        return self._ledger.read(read)

    def execution(self, proposal_id: str) -> Execution | None:
        def read(tables: Tables) -> Execution | None:
            seen = self._horizon.proposal(tables, tables.proposals.get(proposal_id))
            return tables.executions.get(execution_id_of(proposal_id)) if seen else None

        return self._ledger.read(read)

    def records(self, ref: str) -> Sequence[Record]:
        return [r for r in self._ledger.records(self._horizon.tenant, ref=ref) if self._horizon.record(r)]

    def _incident(self, tables: Tables, incident_id: str) -> Incident | None:
        found = tables.incidents.get(incident_id)
        return found if self._horizon.incident(found) else None
