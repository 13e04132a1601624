"""What earlier incidents teach: how often a kind of fault heals by itself."""

from control_plane.ports import Ledger
from control_plane.tables import Tables
from domain.diagnosis import FaultKind
from domain.incidents import IncidentState, Resolution

#: A Beta prior that says "one in ten", worth ten incidents.
_PRIOR_HEALED, _PRIOR_ALL = 1.0, 10.0
_MOST = 500


class RecordedPast:
    """Reads closed incidents from the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def self_heal(self, fault: FaultKind) -> float:
        """Return the posterior mean (Beta-binomial) of the chance that such a fault heals by itself."""

        def read(tables: Tables) -> tuple[int, int]:
            closed = tables.incidents.find(state=IncidentState.CLOSED, newest=True, limit=_MOST)
            by_id = {incident.diagnosis_id: incident for incident in closed if incident.diagnosis_id}
            same = [
                by_id[diagnosis_id].resolution
                for diagnosis_id in by_id
                if (found := tables.diagnoses.get(diagnosis_id)) and found.top and found.top.fault is fault
            ]
            return sum(resolution is Resolution.NOT_OURS for resolution in same), len(same)

        healed, known = self._ledger.read(read)
        return (_PRIOR_HEALED + healed) / (_PRIOR_ALL + known)
