"""A whole house over the ring of `tests/stage.py`: real agents, real doors, a network in memory, time by hand.

What a test sends to it comes in by HTTP, as an attacker would send it; nothing runs in the background.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from adapters.memory import MemoryLedger
from adapters.network.in_memory import InMemoryNetwork
from api.bootstrap import House, build, restore
from api.http.app import create_app
from api.settings import Settings
from control_plane import flow
from control_plane.correlating import refresh
from control_plane.receiving import receive_feed
from domain.actions import ActionClass
from domain.clock import ManualClock
from domain.execution import Step
from domain.identity import Role
from domain.incidents import Incident, IncidentState
from domain.proposals import Proposal
from domain.records import Record
from tests.stage import CULPRIT, PERIOD_S, carrying, ring
from tests.stage import _history as remember_a_minute

ENDS = (CULPRIT, "tp:b-a")
WEBHOOK = "/webhooks/alertmanager"
ALARMS = "/tmf-api/alarmManagement/v4/alarm"
TICKETS = "/tmf-api/troubleTicket/v4/troubleTicket"
PAPERWORK = {ActionClass.OPEN_TICKET, ActionClass.CANCEL_TICKET}

#: The accounts: name, roles, the person behind it.
ACCOUNTS: dict[str, tuple[frozenset[Role], str]] = {
    "feed": (frozenset({Role.FEED}), ""),
    "viewer": (frozenset({Role.VIEWER}), "the viewer"),
    "operator": (frozenset({Role.OPERATOR}), "the operator"),
    "auditor": (frozenset({Role.AUDITOR}), "the auditor"),
    "approver_a": (frozenset({Role.APPROVER}), "the first approver"),
    "approver_a-at-night": (frozenset({Role.APPROVER, Role.OPERATOR}), " THE  first approver"),
    "approver_b": (frozenset({Role.APPROVER}), "the second approver"),
    "robot": (frozenset({Role.AGENT}), ""),
    "all_roles": (frozenset(Role) - {Role.AGENT}, "somebody with every role"),
}


@dataclass
class RingHouse:
    """The house, and what a test does around it."""

    clock: ManualClock
    network: InMemoryNetwork
    house: House
    settings: Settings
    door: TestClient
    tokens: dict[str, str]
    up: bool = True

    # --- who knocks ---

    def post(self, who: str, path: str, body: Any = None, **named: Any) -> Any:
        """Send JSON (or, with `content=`, raw bytes) as somebody."""
        headers = self.bearer(who) | named.pop("headers", {})
        if "content" in named:
            return self.door.post(path, headers={"Content-Type": "application/json"} | headers, **named)
        return self.door.post(path, json=body, headers=headers, **named)

    def get(self, who: str, path: str, **params: Any) -> Any:
        return self.door.get(path, params=params, headers=self.bearer(who))

    def bearer(self, who: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[who]}"}

    def approve(self, who: str, proposal: Proposal, **body: Any) -> Any:
        return self.post(who, f"/proposals/{proposal.id}/approve", {"because": "it fits"} | body)

    # --- what happens ---

    def break_interface(self) -> None:
        """Lock the interface by mistake: the network and its readings show it; no alarm is sent."""
        self.network.put(CULPRIT, administrative="locked")
        self.house.road.live.twin.configured(CULPRIT, "administrative", "locked", self.clock.now())
        self.up = False
        self.report()

    def report(self) -> None:
        """Let every interface report, at the present moment."""
        points = [point.id for point in self.network.inventory().termination_points]
        rows = [[end, "oper_up", 1 if self.up or end not in ENDS else 0] for end in points]
        rows += [[end, "utilisation", 0.2 if end in carrying(up=self.up) else 0.0] for end in points]
        self.network.say({"type": "readings", "source": "pm-1", "time": self.clock.now().isoformat(), "rows": rows})
        receive_feed(self.house.road, "network", 0.0)

    def walk(self, seconds: float = 3.0) -> None:
        """Let time pass, with readings, and walk every open incident."""
        for _ in range(int(seconds / PERIOD_S)):
            flow.correlate(self.house.road)
            for incident in self.incidents(IncidentState.OPEN):
                refresh(self.house.road, incident.id)
                flow.walk(self.house.road, self.house.graph, incident.id)
            self.clock.advance(PERIOD_S)
            self.report()

    def held(self) -> Proposal:
        """Break the interface, raise its alarms by the webhook, and return the repair that waits for people."""
        self.break_interface()
        assert self.post("feed", WEBHOOK, self.webhook()).status_code == 200
        self.walk()
        return self.repairs()[-1]

    def webhook(self, text: str = "port down", **labels: str) -> dict[str, Any]:
        """Return Alertmanager's body about both ends of the broken link."""
        return {"version": "4", "status": "firing", "alerts": [self.alert(end, text, **labels) for end in ENDS]}

    def alert(self, element: str, text: str = "port down", **labels: str) -> dict[str, Any]:
        return {
            "status": "firing",
            "labels": {"alertname": "InterfaceDown", "element": element, "severity": "major", **labels},
            "annotations": {"summary": text},
            "startsAt": self.clock.now().isoformat(),
        }

    def tmf_alarm(self, element: str = CULPRIT, **more: Any) -> dict[str, Any]:
        """Return a TMF642 alarm."""
        return {
            "alarmType": "communicationsAlarm",
            "perceivedSeverity": "major",
            "probableCause": "linkFailure",
            "alarmedObject": {"id": element},
            "sourceSystemId": "ems-1",
            "state": "raised",
            "alarmRaisedTime": self.clock.now().isoformat(),
            **more,
        }

    # --- what is to be seen ---

    def proposals(self) -> list[Proposal]:
        return self.house.road.ledger.read(lambda tables: tables.proposals.find())

    def repairs(self) -> list[Proposal]:
        return [proposal for proposal in self.proposals() if not PAPERWORK.issuperset(proposal.plan.classes)]

    def incidents(self, *states: IncidentState) -> list[Incident]:
        wanted = states or tuple(IncidentState)
        return self.house.road.ledger.read(lambda tables: tables.incidents.find(state=wanted))

    def steps(self) -> list[Step]:
        return self.house.road.ledger.read(lambda tables: tables.steps.find())

    def records(self, kind: str = "", about: str | None = None) -> list[Record]:
        """Return the records of a kind (of all kinds), about something or anything."""
        return [record for record in self.house.road.ledger.records(ref=about) if not kind or record.kind == kind]

    def tallies(self) -> dict[str, dict[str, Any]]:
        return {row["id"]: row for row in self.get("viewer", "/tallies").json()}

    def close(self) -> None:
        self.house.close()


def ring_house(clock: ManualClock, folder: Path, *, in_memory: bool = True, **settings: Any) -> RingHouse:
    """Build the house; with `in_memory=False` on SQLite in `folder`."""
    network = InMemoryNetwork(ring(), clock)
    remember_a_minute(network, clock)
    chosen = Settings(data=folder, **settings)
    house = build(chosen, network, clock=clock, ledger=MemoryLedger(clock) if in_memory else None)
    restore(house.road)
    tokens = {name: house.issuer.issue(name, roles, person)[1] for name, (roles, person) in ACCOUNTS.items()}
    door = TestClient(create_app(house, chosen), raise_server_exceptions=False)
    return RingHouse(clock, network, house, chosen, door, tokens)


def tallies_add_up(rows: Sequence[dict[str, Any]] | Any) -> bool:
    """Say whether each source's `received == kept + late + rejected`."""
    return all(row["received"] == row["kept"] + row["late"] + row["rejected"] for row in rows)
