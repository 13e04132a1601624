"""A stage on which autonomy can be earned: the ring, with the oversight agent and the hands on levels.

A history is told to the real ledger of credit: each plan of it is proposed, rehearsed, judged and settled by the road's
own functions on copies of one repair, so that hundreds of outcomes cost seconds and not hours.
"""

from dataclasses import dataclass, replace

from adapters.autonomy.hands import AutonomyHands
from adapters.store.checkpoints import MemoryWakes
from agents.cards import CARDS
from agents.oversight import Oversight
from control_plane import flow
from control_plane.autonomy import crediting, promotion
from control_plane.autonomy.claims import RecordedAutonomy
from control_plane.autonomy.crediting import Credited
from control_plane.autonomy.desk import AutonomyDesk
from control_plane.autonomy.standing import level_on, standing_of
from control_plane.commands import Commands
from control_plane.executor import execution_id_of
from control_plane.gate import grant_id_of
from control_plane.ports import Ledger, Written
from control_plane.queries import Queries
from control_plane.tables import Tables
from control_plane.toolbox import Toolbox
from domain.actions import ActionClass
from domain.answers import Answer
from domain.autonomy import Band, Ground, Level, Standing, standing_id
from domain.clock import ManualClock
from domain.execution import Execution, ExecutionState, Outcome
from domain.gate import Grant
from domain.identity import NetworkDomain, Principal, Role
from domain.incidents import Incident, IncidentClass, Resolution
from domain.proposals import Proposal, ProposalState
from domain.records import Entry
from tests.stage import Stage, make_stage

GROUND = Ground(
    agent="agent:provisioning", action=ActionClass.INTERFACE_UP, domain=NetworkDomain.TRANSPORT, band=Band.NONE
)
STANDING = standing_id("default", GROUND.key)


@dataclass
class Earning:
    """The stage, a desk, and people: `manager` may sign waivers."""

    stage: Stage
    desk: AutonomyDesk
    manager: Principal
    sample: Proposal

    @property
    def ledger(self) -> Ledger:
        return self.stage.ledger

    def standing(self, ground: Ground = GROUND) -> Standing:
        return self.ledger.read(lambda tables: standing_of(tables, "default", ground, self.stage.clock.now()))

    def level(self, ground: Ground = GROUND) -> Level:
        return self.ledger.read(lambda tables: level_on(tables, "default", ground, self.stage.clock.now()))

    def settle(self, resolution: Resolution, times: int = 1, *, alone: bool = False, stopped_by: str = "") -> None:
        """Have so many plans like the sample settled with this outcome, each later than the one before."""

        def change(tables: Tables) -> Written[None]:
            parts = [self._settled(tables, resolution, alone, stopped_by) for _ in range(times)]
            entries = tuple(entry for part in parts for entry in part.entries)
            return Written(None, entries, tuple(message for part in parts for message in part.messages))

        self.ledger.do(change)

    def _settled(self, tables: Tables, resolution: Resolution, alone: bool, stopped_by: str) -> Credited:
        self.stage.clock.advance(0.01)
        road, now = self.stage.road, self.stage.clock.now()
        id = road.id("prop")
        proposal = self.sample.but(id=id, state=ProposalState.SETTLED, made_at=now)
        execution = Execution(
            id=execution_id_of(id),
            proposal_id=id,
            incident_id=self.sample.incident_id,
            grant_id=grant_id_of(id),
            state=ExecutionState.SETTLED,
            started_at=now,
            stopped_by=stopped_by,
            outcome=Outcome(resolution=resolution, measured_at=now),
            settled_at=now,
        )
        grant = Grant(
            id=grant_id_of(id),
            proposal_id=id,
            plan_digest=proposal.plan_digest,
            policy_version=road.book.version,
            chain_version="1",
            rehearsal_id=proposal.rehearsal_id or "",
            facts=(),
            approval_ids=() if alone else ("appr_1",),
            made_at=now,
            expires_at=now,
        )
        tables.proposals.add(proposal)
        tables.executions.add(execution)
        tables.grants.add(grant)
        return crediting.settled(road, tables, proposal, execution)

    def refuse(self, times: int) -> None:
        """Have people say no to so many plans like the sample."""

        def change(tables: Tables) -> Written[None]:
            entries: list[Entry] = []
            for _ in range(times):
                self.stage.clock.advance(0.01)
                rejected = self.sample.but(id=self.stage.road.id("prop"), state=ProposalState.REJECTED)
                tables.proposals.add(rejected)
                entries += crediting.refused(self.stage.road, tables, rejected, "reject", "one", "no").entries
            return Written(None, tuple(entries))

        self.ledger.do(change)

    def matter(self) -> Incident | None:
        """Return the newest incident about autonomy, or None."""
        found = self.ledger.read(lambda tables: tables.incidents.find(about=IncidentClass.AUTONOMY))
        return found[-1] if found else None

    def walk(self) -> None:
        """Do what the worker does with the messages about autonomy, and walk the matters that are open."""
        promotion.look(self.stage.road, STANDING)
        for incident in self.ledger.read(lambda tables: tables.incidents.find(about=IncidentClass.AUTONOMY)):
            flow.walk(self.stage.road, self.stage.graph, incident.id)

    def asked(self) -> Proposal | None:
        """Return the newest proposal of the oversight agent, or None."""
        found = self.ledger.read(lambda tables: tables.proposals.find(requester="agent:oversight"))
        return found[-1] if found else None

    def earn(self) -> Proposal:
        """Earn the level on the ground, and have it asked for."""
        self.settle(Resolution.RESTORED, 88)
        self.walk()
        asked = self.asked()
        assert asked is not None
        return asked

    def sign(self, proposal: Proposal) -> None:
        """Have a person say yes, and walk until it is settled."""
        self.stage.commands.approve(self.stage.one, proposal.id, "the figures say so", proposal.plan_digest)
        self.walk()
        self.walk()

    def promote(self) -> None:
        """Earn the level and have it signed."""
        self.sign(self.earn())


def make_earning(clock: ManualClock, *, ledger: Ledger | None = None) -> Earning:
    """Build the stage; its sample is the repair of the ring, rehearsed and judged."""
    plain = make_stage(clock, ledger=ledger)
    stage = with_oversight(plain)
    sample = stage.begin()
    issuer_manager = Principal(
        id="acc_manager", name="manager", person="manager", roles=frozenset({Role.CHANGE_MANAGER})
    )
    return Earning(stage, AutonomyDesk(stage.road), issuer_manager, sample)


def with_oversight(stage: Stage) -> Stage:
    """Return the stage with the oversight agent and the hands on levels."""
    ledger, clock = stage.ledger, stage.clock
    tools = {"autonomy": RecordedAutonomy(ledger, clock)}
    oversight = Oversight(Toolbox(CARDS["oversight"], tools, ledger, clock))
    road = replace(
        stage.road,
        hands=(AutonomyHands(ledger, clock), *stage.road.hands),
        diagnosticians={**stage.road.diagnosticians, IncidentClass.AUTONOMY: oversight},
        planners=(*stage.road.planners, oversight),
    )
    return replace(
        stage,
        road=road,
        graph=flow.build(road, MemoryWakes().saver()),
        commands=Commands(road),
        queries=Queries(road, lambda _question, _horizon: Answer(sentences=(), refused=True)),
    )
