"""A promotion is a proposal that a person signs: how an incident about autonomy walks the one road.

Nothing is in trouble; what an agent may do by itself is to be changed. The evidence opens the incident, the oversight
agent finds the level earned and asks for it, the rehearsal is the evidence together with the recorded past had the
agent had the level, and what was set is read back. The evidence is looked at again when it is carried out: by the
rehearsal that precedes it, by the facts that the grant rests on, and by the hands in their own transaction.
"""

from control_plane.autonomy import record
from control_plane.autonomy.claims import claim_of, hindsight, objections, told
from control_plane.autonomy.standing import standing_of
from control_plane.executor import Matter, settle
from control_plane.ports import Written
from control_plane.relevance import read_state
from control_plane.road import Road
from control_plane.tables import Tables
from control_plane.verification import effect, undo
from domain.actions import SetAutonomy
from domain.agents import Case
from domain.alarms import Severity
from domain.autonomy import parse_standing
from domain.errors import BadInput
from domain.evidence import Evidence, EvidenceKind
from domain.execution import Outcome
from domain.incidents import Incident, IncidentClass, IncidentState, Resolution
from domain.observations import Picture
from domain.proposals import Plan, Proposal
from domain.records import Entry
from domain.rehearsal import Fact, Forecast, Impact, Rehearsal
from twin.snapshot import Snapshot

#: What an evidence about a ground measures: the upper bound of the share that goes wrong.
METRIC = "share_wrong"
_UNTOUCHED = Forecast(expected=Impact(), lost_low=0.0, lost_high=0.0)


def look(road: Road, standing: str) -> None:
    """Errand: open the matter of a level that has been earned, or have the one that is open looked at anew.

    After a person's no, it is opened again only with twice the evidence.
    """

    def change(tables: Tables) -> Written[str | None]:
        tenant, ground = parse_standing(standing)
        held = standing_of(tables, tenant, ground, road.clock.now())
        if not record.earned(held, ground) or held.outcomes < 2 * held.declined_at:
            return Written(None)
        found = open_matter(tables, standing)
        if found is None:
            made = _opened(road, tenant, standing)
            tables.incidents.add(made)
            fields = {"ground": ground.key, "outcomes": held.outcomes, "failures": held.failures, "bound": held.bound}
            entry = _entry(road, made, "autonomy.matter.opened", fields)
            return Written(made.id, (entry,), (road.wake(made.id),))
        if any(proposal.live for proposal in tables.proposals.find(incident_id=found.id)):
            return Written(None)
        revised = found.but(revision=found.revision + 1, last_known_at=road.clock.now())
        tables.incidents.swap(found, revised)
        entry = _entry(road, revised, "correlate.incident.revised", {"revision": revised.revision})
        return Written(found.id, (entry,), (road.wake(found.id),))

    opened = road.ledger.do(change)
    if opened:
        road.notice("autonomy", opened)


def open_matter(tables: Tables, standing: str) -> Incident | None:
    """Return the open incident about a standing, or None."""
    found = tables.incidents.find(about=IncidentClass.AUTONOMY, state=IncidentState.OPEN)
    return next((incident for incident in found if standing in incident.elements), None)


def _opened(road: Road, tenant: str, standing: str) -> Incident:
    now = road.clock.now()
    return Incident(
        id=road.id("inc"),
        about=IncidentClass.AUTONOMY,
        tenant=tenant,
        severity=Severity.INDETERMINATE,
        opened_at=now,
        last_alarm_at=now,
        last_known_at=now,
        alarm_ids=(),
        elements=(standing,),
        open_alarms=0,
    )


# --- the way of such an incident ------------------------------------------------------------------------------------


def gather(road: Road, incident: Incident) -> Case:
    """Return the case: one evidence with the counts on the ground, citing the newest credit."""
    standing = incident.elements[0]
    claim = road.ledger.read(lambda tables: claim_of(tables, standing, road.clock))
    now = road.clock.now()
    known = claim.oldest_known or now
    evidence = Evidence(
        id=road.id("ev"),
        kind=EvidenceKind.MEASUREMENT,
        incident_id=incident.id,
        element=standing,
        statement=claim.told,
        source="ledger of credit",
        event_time=known,
        known_time=known,
        ref=claim.newest_credit or standing,
        metric=METRIC,
        value=claim.bound,
    )
    return Case(incident=incident, alarms=(), picture=Picture(at=now), evidence=(evidence,), made_at=now)


def check(_road: Road, plan: Plan) -> None:
    """Refuse a plan that is not one step which sets a level. Raises BadInput."""
    if len(plan.steps) != 1 or not isinstance(plan.steps[0], SetAutonomy):
        raise BadInput("a plan about autonomy is one step that sets the level of one ground; send such a plan")
    parse_standing(plan.steps[0].target)


def rehearse(road: Road, proposal: Proposal, snapshot: Snapshot) -> Rehearsal:
    """Return the evidence, and what would have been done alone; sound only when the evidence is enough.

    Raises:
        BadInput: the plan is about something else, or about a ground of another tenant.
    """
    check(road, proposal.plan)
    step = proposal.plan.steps[0]
    assert isinstance(step, SetAutonomy)
    if parse_standing(step.target)[0] != proposal.tenant:
        raise BadInput(f"`{step.target}` is no standing of this tenant; name one that `nocturne autonomy show` lists")
    found = hindsight(road, step.target, step.level)
    against = objections(found, step.level, step.previous)
    return Rehearsal(
        id=road.id("reh"),
        proposal_id=proposal.id,
        plan_digest=proposal.plan.digest,
        snapshot_digest=snapshot.digest,
        nothing=_UNTOUCHED,
        plan=_UNTOUCHED,
        inverse=_UNTOUCHED,
        facts=(facts := _facts(step, found.claim.limit)),
        step_facts=(facts,),
        sound=not against,
        reasons=against or (told(found),),
        hindsight=found,
        made_at=road.clock.now(),
    )


def _facts(step: SetAutonomy, limit: float) -> tuple[Fact, ...]:
    """What must still be so when it is carried out: the level, and for a rise a bound within the limit."""
    level = Fact(element=step.target, attribute="level", value=str(step.previous))
    rises = step.level > step.previous
    return (level, Fact(element=step.target, attribute="bound", low=0.0, high=limit)) if rises else (level,)


def verify(road: Road, matter: Matter) -> float | None:
    """Read the level back; settle, or undo. It is told at once, so this never asks to come back."""
    step = matter.proposal.plan.steps[0]
    shown, done = read_state(road.hands_for(step), step.target), effect(road, matter)
    if not done.passed:
        undo(road, matter, (done,), done.detail)
        return None
    because = f"{step.target} is at level {shown.get('level', '?')}"
    now = road.clock.now()
    settle(
        road,
        matter.execution,
        Outcome(resolution=Resolution.RESTORED, checks=(done,), because=because, measured_at=now),
    )
    return None


def _entry(road: Road, incident: Incident, kind: str, fields: dict[str, object]) -> Entry:
    return Entry(
        kind=kind,
        actor="plane",
        refs=(incident.id, *incident.elements),
        event_time=road.clock.now(),
        tenant=incident.tenant,
        residency=incident.region,
        fields=fields,
    )
