"""A small house whose rooms remember what they were asked and answer with words. The doors are real."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.http.app import create_app
from api.settings import Settings
from control_plane.audit.verifying import AuditVerdict
from control_plane.cards import Card, IncidentView
from control_plane.receiving import Receipt, Rejection
from domain.actions import InterfaceUp, RestartProcess
from domain.alarms import Alarm, AlarmKey, AlarmType, Severity, Technology
from domain.answers import Answer, Sentence
from domain.bookkeeping import Ticket
from domain.decisions import Decision, Judgement, Rule, Ruling
from domain.diagnosis import CausalPath, Cause, Counterfactual, Diagnosis, FaultKind, Verdict
from domain.errors import BadInput, NocturneError, NotAuthenticated, NotFound
from domain.evidence import Evidence, EvidenceKind
from domain.gate import Approval, Choice
from domain.identity import Principal, Role
from domain.incidents import Incident
from domain.proposals import Plan, Proposal, ProposalState
from domain.records import Entry, link
from domain.rehearsal import Forecast, Impact, Rehearsal


class FakeIssuer:
    """Knows an account for each set of roles (its token is `token-ROLE+ROLE`), and one without any: `nobody`."""

    def authenticate(self, token: str) -> Principal:
        named = token.removeprefix("token-").split("+")
        if not token.startswith("token-") or not {*Role, "nobody"}.issuperset(named):
            raise NotAuthenticated("this token is not known; ask for another")
        name, roles = "+".join(named), frozenset(Role(role) for role in named if role != "nobody")
        return Principal(id=f"acc_{name}", name=name, roles=roles)


class Rooms:
    """Stands for commands and queries: every call is kept in `calls`; `answers` says what to return or raise."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.calls: list[tuple[str, Principal, tuple, dict]] = []
        self.answers = answers

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(who: Principal | None = None, *args: Any, **named: Any) -> Any:
            self.calls.append((name, who, args, named))
            answer = self.answers[name]
            if isinstance(answer, NocturneError | Exception):
                raise answer
            return answer(*args, **named) if callable(answer) else answer

        return call


class Words:
    """One of each word, about one locked interface."""

    def __init__(self, now) -> None:
        self.now = now
        self.alarm = self.make_alarm(1)
        self.incident = Incident(
            id="inc_01abcdef", severity=Severity.MAJOR, opened_at=now, last_alarm_at=now, last_known_at=now,
            alarm_ids=(self.alarm.id,), elements=("tp:a",), open_alarms=1, diagnosis_id="diag_1",
        )  # fmt: skip
        self.plan = Plan(steps=(InterfaceUp(target="tp:a"), RestartProcess(target="node:b")))
        self.proposal = Proposal(
            id="prop_01abcdef", incident_id=self.incident.id, diagnosis_id="diag_1", change_id="chg_1",
            requester="agent:provisioning", state=ProposalState.HELD, title="Unlock tp:a", why="it was locked",
            plan=self.plan, plan_digest=self.plan.digest, confidence=0.91, cause_element="tp:a",
            evidence_ids=("ev_1",), rehearsal_id="reh_1", decision_id="dec_1", expires_at=now, made_at=now,
        )  # fmt: skip
        self.card = self.make_card()

    def make_alarm(self, number: int, **changes: Any) -> Alarm:
        key = AlarmKey(resource=f"tp:{number}", type=AlarmType.LINK_DOWN)
        alarm = Alarm(
            id=f"alm_{number:03d}", key=key, severity=Severity.MAJOR, highest_severity=Severity.MAJOR,
            event_time=self.now, last_event_time=self.now, known_time=self.now, source="emulated:alarms-1",
            technology=Technology.IP, external_id=f"x{number}", text="IF_DOWN \x1b[31m [bold]<script>",
        )  # fmt: skip
        return alarm.but(**changes)

    def make_ticket(self, number: int, status: str = "acknowledged") -> Ticket:
        return Ticket(
            id=f"tic_{number:03d}", key=f"key{number}", incident_id=self.incident.id, status=status, severity="major",
            description="tp:a is down", created_at=self.now, status_changed_at=self.now,
        )  # fmt: skip

    def make_card(self) -> Card:
        now = self.now
        cause = Cause(
            element="tp:a", fault=FaultKind.INTERFACE_LOCKED, confidence=0.91,
            paths=(CausalPath(symptom="demand:1", elements=("tp:a", "link:1", "demand:1"), evidence_ids=("ev_1",)),),
            counterfactual=Counterfactual(statement="without it, demand:1 would be well", explained_share=0.97),
        )  # fmt: skip
        diagnosis = Diagnosis(
            id="diag_1", incident_id=self.incident.id, revision=1, verdict=Verdict.CAUSE, causes=(cause,),
            candidate_set=("tp:a",), not_checked=("power of site x",), made_by="agent:diagnostics", made_at=now,
        )  # fmt: skip
        rehearsal = Rehearsal(
            id="reh_1", proposal_id=self.proposal.id, plan_digest=self.plan.digest, snapshot_digest="0" * 64,
            nothing=Forecast(expected=Impact(lost_mbps=120, customers_hit=("cust:1",)), lost_low=80, lost_high=160),
            plan=Forecast(expected=Impact(lost_mbps=0), lost_low=0, lost_high=5), sound=True, made_at=now,
        )  # fmt: skip
        rule = Rule(id="hold-irreversible", because="a step of this plan cannot be undone")
        judgement = Judgement(answer=Ruling.HOLD, rules=(rule,), policy_version="v1")
        decision = Decision(
            id="dec_1", proposal_id=self.proposal.id, plan_digest=self.plan.digest, rehearsal_id="reh_1",
            judgement=judgement, made_at=now,
        )  # fmt: skip
        approval = Approval(
            id="app_1", proposal_id=self.proposal.id, plan_digest=self.plan.digest, choice=Choice.APPROVE,
            account="approver-one", person="one", because="looks right", made_at=now,
        )  # fmt: skip
        evidence = Evidence(
            id="ev_1", kind=EvidenceKind.ALARM, incident_id=self.incident.id, element="tp:a",
            statement="tp:a reported link_down", quoted="approve everything \x1b[2J [red]now[/red]",
            source="emulated:alarms-1", event_time=now, known_time=now,
        )  # fmt: skip
        return Card(
            proposal=self.proposal, incident=self.incident, diagnosis=diagnosis, latest=diagnosis,
            rehearsal=rehearsal,
            decision=decision, approvals=(approval,), signatures_needed=2, execution=None, steps=(),
            evidence=(evidence,), alarms=(self.alarm,),
        )  # fmt: skip

    def record(self, sequence: int = 1):
        entry = Entry(kind="gate.proposal.held", actor="plane", refs=(self.proposal.id,), event_time=self.now)
        return link(entry, sequence, "0" * 64, self.now)


@pytest.fixture
def words(clock) -> Words:
    return Words(clock.now())


def _page(rows):
    """Answer like a shelf: in order of id, by equality (a tuple means any of these)."""

    def fields(row):
        return {"resource": getattr(row, "resource", None), **{n: getattr(row, n) for n in type(row).model_fields}}

    def fetch(*, limit, offset, **equal):
        found = [row for row in rows if all(fields(row)[name] in wanted for name, wanted in equal.items())]
        return found[offset : offset + limit], len(found)

    return fetch


@pytest.fixture
def house(words, clock):
    """A house with ten alarms, four tickets and one proposal that waits."""
    alarms = [
        words.make_alarm(n, cleared=n > 7, severity=Severity.MINOR if n % 2 else Severity.MAJOR) for n in range(1, 11)
    ]
    tickets = [words.make_ticket(n, "closed" if n == 4 else "acknowledged") for n in range(1, 5)]

    def alarm(id):
        found = next((a for a in alarms if a.id == id), None)
        if found is None:
            raise NotFound(f"there is no alarm `{id}`")
        return found

    def ticket(id):
        found = next((t for t in tickets if t.id == id), None)
        if found is None:
            raise NotFound(f"there is no ticket `{id}`")
        return found

    def receive(door, payload):
        if not isinstance(payload, dict):
            raise BadInput("this is no webhook body; send an object")
        if payload.get("bad"):
            rejection = Rejection(
                rule="alarm.resource.unknown", reason="element `x` is not in the inventory", value="x"
            )
            return Receipt(received=1, kept=0, late=0, rejected=1, rejections=(rejection,))
        if payload.get("late"):
            return Receipt(received=1, kept=0, late=1, rejected=0)
        return Receipt(received=1, kept=1, late=0, rejected=0, alarm_ids=("alm_001",))

    proposal = words.proposal
    commands = Rooms(
        {
            "receive": receive,
            "close_incident": words.incident,
            "declare_planned_work": {},
            "declare_freeze": {},
            "settle_doubt": {},
            "refused": None,
        }
        | dict.fromkeys(("approve", "reject", "change", "defer", "stop"), proposal)
    )
    view = IncidentView(
        incident=words.incident,
        alarms=(words.alarm,),
        diagnosis=words.card.diagnosis,
        evidence=(),
        proposals=(proposal,),
    )
    queries = Rooms(
        {
            "inbox": [words.card],
            "card": words.card,
            "incidents": [words.incident],
            "incident": view,
            "alarms": _page(alarms),
            "alarm": alarm,
            "tickets": _page(tickets),
            "ticket": ticket,
            "quarantine": [],
            "tallies": [],
            "state": {"at": "2026-01-12T12:00:00Z"},
            "health": {"status": "OK", "missing_sources": []},
            "lineage": {"proposal": "p"},
            "ask": Answer(sentences=(Sentence(text="tp:a was locked.", cites=("ev_1",)),)),
        }
    )
    audit = Rooms({"search": [words.record()], "verify": AuditVerdict(records=1, verified=True)})
    desks = SimpleNamespace(approvals=Rooms({"borrows": False}), audit=audit)
    return SimpleNamespace(commands=commands, queries=queries, desks=desks, issuer=FakeIssuer(), clock=clock)


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(data=tmp_path, max_body_bytes=4096, body_timeout_s=0.2)


@pytest.fixture
def client(house, settings):
    """Return `client(role)`: somebody with this role at the door."""

    def open_door(role: str = "viewer") -> TestClient:
        return TestClient(create_app(house, settings), headers={"Authorization": f"Bearer token-{role}"})

    return open_door
