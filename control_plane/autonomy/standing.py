"""Which level stands on a ground now: what was earned, or what a waiver lends, never more than its band allows."""

from datetime import datetime

from control_plane.road import Road
from control_plane.tables import Tables
from domain.actions import ActionClass
from domain.autonomy import Band, Ground, Level, Standing, Waiver, parse_standing, standing_id
from domain.identity import NetworkDomain


def standing_of(tables: Tables, tenant: str, ground: Ground, at: datetime) -> Standing:
    """Return the standing on a ground; nobody has earned anything where none is stored."""
    stored = tables.standings.get(standing_id(tenant, ground.key))
    return stored or Standing(
        id=standing_id(tenant, ground.key),
        tenant=tenant,
        ground=ground.key,
        since=at,
        because="nothing has been earned here yet",
    )


def waivers_of(tables: Tables, tenant: str, ground: Ground, at: datetime) -> list[Waiver]:
    """Return the waivers that are in force on a ground."""
    return [waiver for waiver in tables.waivers.find(tenant=tenant, ground=ground.key) if waiver.holds(at)]


def level_on(tables: Tables, tenant: str, ground: Ground, at: datetime) -> Level:
    """Return the level on a ground at `at`: 0 advise, 1 act where harmless, 2 act where narrow."""
    earned = standing_of(tables, tenant, ground, at).level
    lent = [waiver.level for waiver in waivers_of(tables, tenant, ground, at)]
    return min(max((earned, *lent)), ground.goal)


def level_of(
    tables: Tables, tenant: str, agent: str, action: ActionClass, domain: NetworkDomain, band: Band, *, at: datetime
) -> int:
    """Return the level that an agent has on the ground of one step (see `level_on`); a person has none."""
    if not agent.startswith("agent:"):
        return Level.ADVISE
    return level_on(tables, tenant, Ground(agent=agent, action=action, domain=domain, band=band), at)


def present(road: Road, standing: str, attribute: str) -> str | float:
    """Return the present `level` or `bound` of a standing, as a grant's facts name them."""
    tenant, ground = parse_standing(standing)
    held = road.ledger.read(lambda tables: standing_of(tables, tenant, ground, road.clock.now()))
    return str(int(held.level)) if attribute == "level" else held.bound
