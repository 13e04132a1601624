"""The world of the exactly-once bench: rings of four routers that have nothing to do with each other, and their people.

In each ring one interface can be locked by mistake, so that as many troubles as there are rings are repaired at the
same time. Effects are counted in the plant's own journal, in a process that survives every kill.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from adapters.models.ranker import NoRanker
from adapters.network.emulated.umpire import Umpire
from agents.cards import CARDS
from agents.diagnostics import Diagnostics
from api import settings
from api.bootstrap import House, build
from causal.attribution import NoAttribution
from control_plane.ports import Network
from control_plane.proposing import repairs
from control_plane.tables import Tables
from control_plane.toolbox import Toolbox
from domain.actions import ActionClass
from domain.alarms import Severity
from domain.diagnosis import FaultKind
from domain.errors import NocturneError, Refused
from domain.execution import StepState
from domain.identity import Principal, Role
from domain.incidents import IncidentClass, IncidentState
from domain.network import Customer, Demand, Inventory, Link, Node, NodeKind, Service, Slice, TerminationPoint
from domain.proposals import TRANSITIONS, ProposalState

_RING = ("a", "b", "c", "d")
_MOST_RINGS = 100
#: The plant has small troubles of its own, too, some of which wait for a person until they are closed.
_GRAVE = frozenset({Severity.CRITICAL, Severity.MAJOR})
_UNDER_WAY = frozenset(state for state, then in TRANSITIONS.items() if then)
#: How long people wait, after the last news of an incident, before they close it by hand.
_QUIET = timedelta(seconds=5)
#: Long enough that a plan is not given up while the house that verifies it is dead.
_VERIFY_S, _SETTLE_S = 90.0, 0.6
#: A trouble whose cause was not found ends by itself, so that its ring takes part again.
_HEALS_S = 45.0


def rings(count: int) -> Inventory:
    """Return so many separate rings, each in a region of its own, each with a demand and a customer."""
    nodes, points, links, demands, customers, services = [], [], [], [], [], []
    for ring in (f"r{number:02d}" for number in range(count)):
        pairs = [(_RING[place], _RING[(place + 1) % 4]) for place in range(4)]
        nodes += [Node(id=f"node:{ring}{x}", kind=NodeKind.CORE, name=f"{ring}{x}", region=ring) for x in _RING]
        for here, there in pairs:
            ends = [
                TerminationPoint(id=f"tp:{ring}{x}-{y}", node=f"node:{ring}{x}", name=y)
                for x, y in ((here, there), (there, here))
            ]
            points += ends
            links.append(
                Link(
                    id=f"link:{ring}{here}-{there}",
                    source=ends[0].id,
                    destination=ends[1].id,
                    capacity_mbps=100.0,
                    delay_ms=1.0,
                    metric=10,
                )
            )
        flow = f"demand:{ring}"
        demands.append(Demand(id=flow, source=f"node:{ring}a", destination=f"node:{ring}b", mbps=20.0, slice_id="s"))
        customers.append(Customer(id=f"customer:{ring}", name=ring))
        services.append(
            Service(id=f"service:{ring}", name=ring, customer=f"customer:{ring}", slice_id="s", demands=(flow,))
        )
    return Inventory(
        name="rings",
        nodes=tuple(nodes),
        termination_points=tuple(points),
        links=tuple(links),
        demands=tuple(demands),
        slices=(Slice(id="s", name="business"),),
        customers=tuple(customers),
        services=tuple(services),
    )


def culprits(count: int) -> list[str]:
    """Return the interface of each ring that is locked by mistake."""
    return [f"tp:r{number:02d}a-b" for number in range(count)]


def built(folder: Path, network: Network, database: str) -> House:
    """Return a house over the rings, quick to start: without learned ranker and causal model."""
    house = build(settings.load(data=folder, database=database, verify_s=_VERIFY_S, settle_s=_SETTLE_S), network)
    road = house.road
    tools: Any = {"telemetry": road.live.history, "twin": road.live, "past": road.past, "ranker": NoRanker()}
    box: Any = Toolbox(CARDS["diagnostics"], tools, road.ledger, road.clock)
    road.diagnosticians[IncidentClass.NETWORK] = Diagnostics(box, NoAttribution())
    return house


def people(house: House, count: int) -> list[Principal]:
    """Return so many approvers, each a person; made at the first start, found at the next."""
    found = []
    for name in (f"approver-{number}" for number in range(count)):
        known = house.road.ledger.read(partial(_named, name))
        roles = frozenset({Role.APPROVER, Role.OPERATOR, Role.AUDITOR})
        found.append(known[0] if known else house.issuer.issue(name, roles, person=f"person of {name}")[0])
    return found


def _named(name: str, tables: Tables) -> list[Principal]:
    return tables.principals.find(name=name)


class Troubles:
    """Which interface was locked how often, and what the plant says was done about it."""

    def __init__(self, umpire: Umpire, elements: Sequence[str]) -> None:
        self._umpire, self.elements = umpire, tuple(elements)
        self.made: Counter[str] = Counter()

    def make(self, element: str) -> bool:
        """Lock an interface; say whether it was free to be."""
        try:
            self._umpire.inject(FaultKind.INTERFACE_LOCKED, element, self_heals_after=_HEALS_S)
        except Refused:
            return False
        self.made[element] += 1
        return True

    def healed(self) -> set[str]:
        """Return the interfaces on which no fault stands."""
        return set(self.elements) - {fault["element"] for fault in self._umpire.truth() if fault["healed_at"] is None}

    def doubles(self) -> int:
        """Return how many effects there were beyond one for each trouble, by key and by element."""
        lines = self._umpire.journal()
        keys = Counter(line["key"] for line in lines)
        done = Counter(line["target"] for line in lines if line["action"] == ActionClass.INTERFACE_UP)
        beyond = sum(max(0, done[element] - made) for element, made in self.made.items())
        return max(beyond, sum(times - 1 for times in keys.values()))

    def repaired(self) -> int:
        """Return how many troubles ended because of an action."""
        return sum(":step:" in (fault["by"] or "") for fault in self._umpire.truth())

    def keys(self) -> frozenset[str]:
        """Return the keys of everything that was really done."""
        return frozenset(line["key"] for line in self._umpire.journal())


def waiting(tables: Tables) -> list[str]:
    """Return the ids of repairs of the network that wait for people on a diagnosis that has settled.

    Other plans wait, too: after so many good repairs the house asks that its agent may make them alone.
    """
    found = []
    for proposal in tables.proposals.find(state=(ProposalState.HELD,)):
        incident = tables.incidents.get(proposal.incident_id)
        if incident is None or incident.about is not IncidentClass.NETWORK or not repairs(proposal):
            continue
        latest = tables.diagnoses.get(incident.diagnosis_id or "")
        if latest and not latest.provisional and latest.id == proposal.diagnosis_id:
            found.append(proposal.id)
    return found


def close_what_is_over(house: House, who: Principal) -> None:
    """Close the incidents that the house leaves to people, once their alarms are gone and nothing is under way."""
    for id in house.road.ledger.read(lambda tables: _over(tables, house.road.clock.now() - _QUIET)):
        with suppress(NocturneError):  # it moved on meanwhile
            house.commands.close_incident(who, id, "its alarms are gone")


def settle_doubts(house: House, who: Principal, umpire: Umpire) -> None:
    """Say of the steps that nobody could tell what the plant's journal says: somebody went and looked."""
    before = house.road.clock.now() - _QUIET
    doubts = house.road.ledger.read(lambda tables: tables.steps.find(state=StepState.IN_DOUBT))
    waiting = [step.id for step in doubts if step.intended_at < before]
    seen = {line["key"] for line in umpire.journal()} if waiting else set()
    for id in waiting:
        with suppress(NocturneError):  # somebody else was faster
            house.commands.settle_doubt(who, id, happened=id in seen, because="looked at the device")


def _over(tables: Tables, before: datetime) -> list[str]:
    quiet = [
        found
        for found in tables.incidents.find(state=IncidentState.OPEN)
        if not found.open_alarms and found.last_known_at < before
    ]
    return [each.id for each in quiet if not tables.proposals.count(incident_id=each.id, state=tuple(_UNDER_WAY))]


def at_rest(tables: Tables) -> bool:
    """Say whether every incident about a culprit is closed and no repair is under way."""
    return not (tables.proposals.count(state=(ProposalState.GRANTED, ProposalState.EXECUTING)) or troubled(tables))


def troubled(tables: Tables) -> set[str]:
    """Return the culprits at whose links a grave incident is open, whichever end of the link its alarms name."""
    grave = [found for found in tables.incidents.find(state=IncidentState.OPEN) if found.severity in _GRAVE]
    alarmed = {element for found in grave for element in found.elements}
    return {culprit for culprit in culprits(_MOST_RINGS) if {culprit, _other_end(culprit)} & alarmed}


def _other_end(culprit: str) -> str:
    return culprit.replace("a-b", "b-a")


def lost(tables: Tables, acknowledged: Iterable[str], effects: frozenset[str]) -> int:
    """Return how many approvals that somebody was told of came to nothing that anybody can account for.

    Such a one is not there, or led to a grant that nobody carried out, or to an execution that the plant never saw.
    """
    missing = 0
    for id in dict.fromkeys(acknowledged):
        proposal = tables.proposals.get(id)
        signed = bool(tables.approvals.find(proposal_id=id))
        idle = proposal is not None and proposal.state is ProposalState.GRANTED
        missing += proposal is None or not signed or idle or not _done(tables, id) <= effects
    return missing


def _done(tables: Tables, proposal_id: str) -> set[str]:
    """Return the keys of the steps of a proposal that are recorded as done."""
    executions = tuple(each.id for each in tables.executions.find(proposal_id=proposal_id))
    return {step.id for step in tables.steps.find(execution_id=executions, state=StepState.DONE)}
