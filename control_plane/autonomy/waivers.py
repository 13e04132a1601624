"""A waiver lends a level without the evidence: signed by a person, for a reason, and for days at most.

It is the one way past the evidence, so it is loud: recorded, told, shown beside the level, and ended at once by the
first plan that the agent carries out alone and that goes wrong.
"""

from datetime import datetime, timedelta

from control_plane.autonomy.grounds import require_within
from control_plane.ports import Written
from control_plane.road import Road
from control_plane.roster.notices import to_role
from control_plane.tables import Tables
from domain.autonomy import Ground, Level, Waiver, standing_id
from domain.errors import BadInput, Conflict, NotFound, Refused
from domain.identity import Principal, Role
from domain.records import Entry
from domain.roster import NoticeKind
from policies.chain import person_key

#: A waiver lasts so long at most; then there is evidence, or there is none.
LONGEST = timedelta(days=14)


def sign(
    road: Road, tables: Tables, who: Principal, ground: Ground, level: int, ends_at: datetime, because: str
) -> Written[Waiver]:
    """Keep a waiver, record it and tell people.

    Raises:
        BadInput: the level is none that could be earned on the ground, or the end is past or too far away.
        NotFound: there is no such agent here.
        Refused: no person signs, or the person answers for the agent itself.
        Conflict: a waiver is in force there already.
    """
    now = road.clock.now()
    _require_agent(road, ground)
    _require_person(tables, who, ground)
    if not Level.ADVISE < level <= ground.goal:
        raise BadInput(f"on `{ground.key}` the level can be at most {int(ground.goal)}; a waiver lends what is earned")
    if not now < ends_at <= now + LONGEST:
        raise BadInput(f"a waiver ends within {LONGEST.days} days; give a moment in that time")
    if any(each.holds(now) for each in tables.waivers.find(tenant=who.tenant, ground=ground.key)):
        raise Conflict(f"a waiver is in force on `{ground.key}`; revoke it before you sign another")
    waiver = Waiver(
        id=road.id("waiver"),
        tenant=who.tenant,
        ground=ground.key,
        level=Level(level),
        account=who.name,
        person=who.person,
        because=because,
        made_at=now,
        ends_at=ends_at,
    )
    tables.waivers.add(waiver)
    text = f"{who.person} lent level {level} on `{ground.key}` without evidence until {ends_at:%Y-%m-%d %H:%M} UTC"
    return _loud(road, tables, who, waiver, "autonomy.waiver.signed", because, text)


def revoke(road: Road, tables: Tables, who: Principal, waiver_id: str, because: str) -> Written[Waiver]:
    """End a waiver now.

    Raises:
        NotFound: there is no such waiver for this caller.
        Refused: the ground lies outside the caller's scope.
        Conflict: it has ended already.
    """
    now = road.clock.now()
    waiver = tables.waivers.get(waiver_id)
    if waiver is None or waiver.tenant != who.tenant:
        raise NotFound(f"there is no waiver `{waiver_id}`; `nocturne autonomy show` lists them")
    require_within(who, Ground.parse(waiver.ground))
    if not waiver.holds(now):
        raise Conflict(f"waiver `{waiver_id}` has ended already; there is nothing to revoke")
    ended = waiver.but(revoked_at=now, revoked_because=because)
    tables.waivers.swap(waiver, ended)
    text = f"{who.person or who.name} ended the waiver on `{waiver.ground}`"
    return _loud(road, tables, who, ended, "autonomy.waiver.revoked", because, text)


def _require_agent(road: Road, ground: Ground) -> None:
    if ground.agent not in {planner.card.principal for planner in road.planners}:
        raise NotFound(f"there is no agent `{ground.agent[:64]}` here; `nocturne autonomy show` lists those that act")


def _require_person(tables: Tables, who: Principal, ground: Ground) -> None:
    if Role.AGENT in who.roles or not who.person:
        raise Refused(f"no person stands behind the account `{who.name}`; a waiver is signed by a person")
    if answers_for(tables, who, ground.agent):
        raise Refused(f"`{who.name}` answers for `{ground.agent}`; another person must sign its waiver")


def answers_for(tables: Tables, who: Principal, agent: str) -> bool:
    """Say whether the person behind an account is the one who answers for an agent."""
    owners = {person_key(owner.person) for owner in tables.principals.find(name=agent)} - {""}
    return person_key(who.person) in owners


def _loud(
    road: Road, tables: Tables, who: Principal, waiver: Waiver, kind: str, because: str, text: str
) -> Written[Waiver]:
    """Return the waiver with its record entry, and the notice to whoever manages changes."""
    standing = standing_id(waiver.tenant, waiver.ground)
    told = to_role(
        road,
        tables,
        Role.CHANGE_MANAGER,
        tenant=waiver.tenant,
        kind=NoticeKind.CHANGED,
        ref=standing,
        text=text,
        mark=f"{waiver.id} {kind}",
    )
    entry = Entry(
        kind=kind,
        actor=who.name,
        refs=(waiver.id, standing),
        event_time=road.clock.now(),
        tenant=waiver.tenant,
        fields={
            "ground": waiver.ground,
            "level": int(waiver.level),
            "person": who.person,
            "because": because,
            "ends_at": waiver.ends_at.isoformat(),
            **who.on_behalf_of,
        },
    )
    return Written(waiver, (entry, *told.entries), told.messages)
