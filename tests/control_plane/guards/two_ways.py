"""A network with one spare way that bears one more demand and not two, and plans that lead demands over it.

s1 ──10── t      each of two demands asks for 15 Mbit/s and gets 10 of its own way;
s2 ──10── t      the spare way by x bears 20
s1, s2 ──50── x ──20── t
"""

from adapters.network.in_memory import InMemoryNetwork
from control_plane import flow
from control_plane.gate import entry
from control_plane.live import Live
from control_plane.ports import Written
from control_plane.receiving import receive_feed
from domain.actions import Action, SteerDemand
from domain.alarms import Severity
from domain.diagnosis import Cause, Diagnosis, FaultKind, Verdict
from domain.incidents import Incident
from domain.network import Customer, Demand, Inventory, Link, Node, NodeKind, Service, Slice, TerminationPoint
from domain.proposals import Plan, Proposal, ProposalState
from tests.stage import PERIOD_S, Stage

OVER_X_1 = (SteerDemand(target="demand:1", via="node:x"),)
OVER_X_2 = (SteerDemand(target="demand:2", via="node:x"),)
OVER_Y_2 = (SteerDemand(target="demand:2", via="node:y"),)
_LINKS = {("s1", "t"): 10.0, ("s2", "t"): 10.0, ("s1", "x"): 50.0, ("s2", "x"): 50.0, ("x", "t"): 20.0}
_MORE = {("s2", "y"): 50.0, ("y", "t"): 20.0}


def two_ways(spare_mbps: float = 20.0) -> Inventory:
    """Return the network of the module's docstring, and a way by y that only the second demand can take."""
    links = _LINKS | _MORE | {("x", "t"): spare_mbps}
    names = sorted({name for ends in links for name in ends})
    ends = [pair for here, there in links for pair in ((here, there), (there, here))]
    return Inventory(
        name="two ways",
        nodes=tuple(Node(id=f"node:{name}", kind=NodeKind.CORE, name=name) for name in names),
        termination_points=tuple(
            TerminationPoint(id=f"tp:{here}-{there}", node=f"node:{here}", name=there) for here, there in ends
        ),
        links=tuple(
            Link(
                id=f"link:{here}-{there}",
                source=f"tp:{here}-{there}",
                destination=f"tp:{there}-{here}",
                capacity_mbps=capacity,
                delay_ms=1.0,
                metric=10,
            )
            for (here, there), capacity in links.items()
        ),
        demands=tuple(
            Demand(id=f"demand:{n}", source=f"node:s{n}", destination="node:t", mbps=15.0, slice_id="slice:1")
            for n in (1, 2)
        ),
        slices=(Slice(id="slice:1", name="business"),),
        customers=(Customer(id="customer:1", name="one"), Customer(id="customer:2", name="two")),
        services=tuple(
            Service(
                id=f"service:{n}", name="line", customer=f"customer:{n}", slice_id="slice:1", demands=(f"demand:{n}",)
            )
            for n in (1, 2)
        ),
    )


def move_to(stage: Stage, spare_mbps: float = 20.0) -> Stage:
    """Put the stage's road onto this network, with readings of every interface."""
    inventory = two_ways(spare_mbps)
    stage.network = InMemoryNetwork(inventory, stage.clock)
    stage.road.network, stage.road.hands = stage.network, (stage.road.hands[0], stage.network)
    stage.road.live = Live(inventory, stage.clock, period_s=PERIOD_S, lateness_s=60.0)
    report(stage)
    return stage


def report(stage: Stage) -> None:
    """Let every interface report what the demands' own ways carry."""
    rows: list[list[object]] = []
    for point in two_ways().termination_points:
        own_way = point.id in {"tp:s1-t", "tp:s2-t"}
        rows += [[point.id, "oper_up", 1], [point.id, "utilisation", 1.0 if own_way else 0.0]]
    stage.network.say({"type": "readings", "source": "pm-1", "time": stage.clock.now().isoformat(), "rows": rows})
    receive_feed(stage.road, "network", 0.0)


def ask(stage: Stage, steps: tuple[Action, ...], requester: str = "agent:provisioning") -> Proposal:
    """Have somebody ask for a plan in an incident of its own, and walk it to the gate."""
    road, now = stage.road, stage.clock.now()
    incident = Incident(
        id=road.id("inc"),
        opened_at=now,
        last_alarm_at=now,
        last_known_at=now,
        severity=Severity.MAJOR,
        elements=("node:t",),
        alarm_ids=(),
        open_alarms=0,
    )
    cause = Cause(element="link:s1-t", fault=FaultKind.CONGESTION, confidence=0.9, hypothesis=(), evidence_ids=())
    diagnosis = Diagnosis(
        id=road.id("diag"),
        incident_id=incident.id,
        revision=incident.revision,
        verdict=Verdict.CAUSE,
        causes=(cause,),
        candidate_set=("link:s1-t",),
        provisional=False,
        made_by="agent:diagnostics",
        made_at=now,
        oldest_evidence=now,
    )
    plan = Plan(steps=steps)
    proposal = Proposal(
        id=road.id("prop"),
        incident_id=incident.id,
        diagnosis_id=diagnosis.id,
        change_id=road.id("chg"),
        requester=requester,
        title="another way",
        why="it is full",
        plan=plan,
        plan_digest=plan.digest,
        confidence=0.9,
        expires_at=now.replace(hour=23),
        made_at=now,
    )

    def change(tables: object) -> Written[None]:
        tables.incidents.add(incident.but(diagnosis_id=diagnosis.id, proposed_for=diagnosis.id))
        tables.diagnoses.add(diagnosis)
        tables.proposals.add(proposal)
        return Written(None, (entry(road, "propose.proposal.drafted", requester, proposal),))

    stage.ledger.do(change)
    flow.rehearse(road, incident.id)
    flow.judge(road, incident.id)
    return now_of(stage, proposal)


def now_of(stage: Stage, proposal: Proposal) -> Proposal:
    """Return a proposal as it stands."""
    found = stage.ledger.read(lambda tables: tables.proposals.get(proposal.id))
    assert found is not None
    return found


def states(stage: Stage) -> list[ProposalState]:
    """Return where each proposal stands, in order."""
    return [proposal.state for proposal in stage.proposals()]
