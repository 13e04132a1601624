"""What earlier incidents teach: how often a kind of fault heals by itself, and how long a kind of plan takes."""

from collections.abc import Sequence

from control_plane.ports import Ledger
from control_plane.tables import Tables
from domain.actions import ActionClass
from domain.autonomy import Realised
from domain.blast import Quantity
from domain.diagnosis import FaultKind
from domain.incidents import IncidentState, Resolution
from twin.blast.classes import class_of

#: A Beta prior that says "one in ten", worth ten incidents.
_PRIOR_HEALED, _PRIOR_ALL = 1.0, 10.0
_MOST = 500
#: So many newest scores are looked through for plans of a class, and so many of these are asked.
_MOST_SCORES, _MOST_TIMES = 200, 50


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

    def recovery(self, action_class: ActionClass) -> Sequence[float]:
        """Return the seconds that the newest plans of this class took from first step to recovery, oldest first.

        Plans that did not bring a recovery took no time that could be told; they are left out.
        """

        def read(tables: Tables) -> list[float]:
            rows = tables.realised.find(newest=True, limit=_MOST_SCORES)
            known = sorted(rows, key=lambda row: (row.known_at, row.id))
            return [seen for row in known if (seen := _took(tables, row, action_class)) is not None]

        return self._ledger.read(read)[-_MOST_TIMES:]


def _took(tables: Tables, row: Realised, action_class: ActionClass) -> float | None:
    proposal = tables.proposals.get(row.proposal_id) if row.blast and action_class in row.classes else None
    if row.blast is None or proposal is None or class_of(proposal.plan) is not action_class:
        return None
    return next((entry.seen for entry in row.blast.measured if entry.quantity is Quantity.RECOVERY), None)
