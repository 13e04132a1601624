"""A card as it comes over the wire: the words of the house, read back without loading the rooms that wrote them."""

from pydantic import BaseModel, ConfigDict

from domain.alarms import Alarm
from domain.blast import BlastScore
from domain.decisions import Decision
from domain.diagnosis import Diagnosis
from domain.evidence import Evidence
from domain.execution import Execution, Step
from domain.gate import Approval, Choice
from domain.incidents import Incident
from domain.proposals import Proposal
from domain.rehearsal import Rehearsal


class CardView(BaseModel):
    """Everything that a person needs to decide on one proposal (`control_plane.cards.Card`)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    proposal: Proposal
    incident: Incident
    diagnosis: Diagnosis | None = None
    latest: Diagnosis | None = None
    rehearsal: Rehearsal | None = None
    forecast: str = ""
    blast: BlastScore | None = None
    score: str = ""
    decision: Decision | None = None
    approvals: tuple[Approval, ...] = ()
    signatures_needed: int | None = None
    execution: Execution | None = None
    steps: tuple[Step, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    alarms: tuple[Alarm, ...] = ()

    @property
    def signed(self) -> tuple[Approval, ...]:
        """What people said yes with."""
        return tuple(approval for approval in self.approvals if approval.choice is Choice.APPROVE)


class IncidentPage(BaseModel):
    """An incident with what is known of it (`control_plane.cards.IncidentView`)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    incident: Incident
    alarms: tuple[Alarm, ...] = ()
    diagnosis: Diagnosis | None = None
    evidence: tuple[Evidence, ...] = ()
    proposals: tuple[Proposal, ...] = ()
