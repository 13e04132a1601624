"""Agents as principals: what each may use, what it takes and gives, and the case it is handed."""

from domain.actions import ActionClass
from domain.alarms import Alarm
from domain.base import Utc, Word
from domain.diagnosis import Diagnosis
from domain.evidence import Evidence
from domain.identity import NetworkDomain
from domain.incidents import Incident
from domain.observations import Picture


class AgentCard(Word):
    """An agent's declaration. Tools outside `tools` are refused; hand-offs outside `hands_to` are, too.

    A draft may hold actions of the classes in `actions`, on elements of the domains in `domains`; any other is refused.
    """

    name: str
    purpose: str
    tools: frozenset[str]
    takes: tuple[str, ...]
    gives: tuple[str, ...]
    hands_to: frozenset[str] = frozenset()
    actions: frozenset[ActionClass] = frozenset()
    domains: frozenset[NetworkDomain] = frozenset()

    @property
    def principal(self) -> str:
        """The account name under which the agent acts."""
        return f"agent:{self.name}"


class Case(Word):
    """Everything about one incident that an agent is handed, pinned: the same case gives the same answer.

    `evidence` has one entry per alarm, per anomaly of `picture` and per silent element near the incident;
    a diagnosis cites their ids. `hand_off_id` is the plane's ticket for the message.
    """

    incident: Incident
    alarms: tuple[Alarm, ...]
    picture: Picture
    evidence: tuple[Evidence, ...] = ()
    made_at: Utc
    diagnosis: Diagnosis | None = None
    hand_off_id: str = ""
