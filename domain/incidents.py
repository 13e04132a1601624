"""Incidents: alarms treated as one trouble, with a life."""

from enum import StrEnum

from domain.alarms import Severity
from domain.base import Stored, Utc
from domain.errors import IllegalMove


class IncidentClass(StrEnum):
    """What is in trouble: the network, or a model that watches it. Both walk the same road."""

    NETWORK = "network"
    AI_MODEL = "ai_model"
    AUTONOMY = "autonomy"  # nothing is in trouble: what an agent may do by itself is to be changed
    SERVICE_ORDER = "service_order"  # nothing is in trouble: a customer wants a circuit or a slice, or no longer does


class IncidentState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class Resolution(StrEnum):
    """How an incident ended. Only `restored` says that we did it."""

    RESTORED = "restored"
    ROLLED_BACK = "rolled_back"
    NOT_OURS = "not_ours"
    UNRESOLVED = "unresolved"
    RECORDED = "recorded"  # paperwork or preparation was done; what is in trouble was not touched


class Incident(Stored):
    """`revision` rises with every change of its alarms; a diagnosis belongs to one revision."""

    about: IncidentClass = IncidentClass.NETWORK
    tenant: str = "default"
    region: str = "default"
    state: IncidentState = IncidentState.OPEN
    severity: Severity
    opened_at: Utc
    last_alarm_at: Utc
    last_known_at: Utc
    revision: int = 1
    alarm_ids: tuple[str, ...]
    elements: tuple[str, ...]
    open_alarms: int
    diagnosis_id: str | None = None
    proposed_for: str | None = None  # the diagnosis that plans were last asked for
    resolution: Resolution | None = None
    closed_at: Utc | None = None
    closed_because: str = ""

    def closed(self, resolution: Resolution, because: str, at: Utc) -> "Incident":
        """Return this incident, closed. Raises IllegalMove when it already is."""
        if self.state is IncidentState.CLOSED:
            raise IllegalMove(f"incident `{self.id}` is closed already ({self.resolution}); open a new one")
        return self.but(state=IncidentState.CLOSED, resolution=resolution, closed_because=because, closed_at=at)
