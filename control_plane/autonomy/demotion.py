"""Losing a level: at once, in the transaction that learns why, and without a signature."""

from typing import Any

from control_plane.autonomy import record
from control_plane.autonomy.standing import waivers_of
from control_plane.road import Road
from control_plane.roster.notices import Told, to_role
from control_plane.tables import Message, Tables
from domain.autonomy import Ground, Level, LevelMove, Standing
from domain.identity import Role
from domain.records import Entry
from domain.roster import NoticeKind


def keep(tables: Tables, standing: Standing) -> None:
    """Store a standing as it is now."""
    stored = tables.standings.get(standing.id)
    if stored is None:
        tables.standings.add(standing)
    else:
        tables.standings.swap(stored, standing)


def fall(
    road: Road, tables: Tables, standing: Standing, ground: Ground, because: str, ref: str, *, residency: str
) -> Told:
    """Take the level of a ground, end its waivers, begin its evidence anew, and tell people.

    Args:
        road: the present.
        tables: of the running change.
        standing: with the outcome that costs the level already counted.
        ground: where.
        because: why, in one sentence.
        ref: the plan that it was learned from.
        residency: where that plan's data belongs.
    """
    now = road.clock.now()
    keep(tables, record.fallen(standing, because, now))
    move, fields = no_level(road, tables, standing, ground, because, "plane")
    ended = fields["waivers_ended"]
    entry = Entry(
        kind="autonomy.level.fell",
        actor="plane",
        refs=(standing.id, move.id, ref, *ended),
        event_time=now,
        tenant=standing.tenant,
        residency=residency,
        fields=fields,
    )
    text = f"`{ground.key}` lost level {int(move.previous)}: {because}; people sign again"
    notice = to_role(
        road,
        tables,
        Role.OPERATOR,
        tenant=standing.tenant,
        kind=NoticeKind.CHANGED,
        ref=standing.id,
        text=text,
        mark=move.id,
        domain=ground.domain,
    )
    return Told(notice.notices, (entry, *notice.entries), notice.messages)


def no_level(
    road: Road, tables: Tables, standing: Standing, ground: Ground, because: str, actor: str
) -> tuple[LevelMove, dict[str, Any]]:
    """End the waivers of a ground and note that nothing is left there; return the move, and what the record says of it.

    `standing` is as it was before: its level and its evidence are part of what is noted.
    """
    now = road.clock.now()
    waivers = waivers_of(tables, standing.tenant, ground, now)
    for waiver in waivers:
        tables.waivers.swap(waiver, waiver.but(revoked_at=now, revoked_because=because))
    move = LevelMove(
        id=road.id("move"),
        tenant=standing.tenant,
        ground=ground.key,
        level=Level.ADVISE,
        previous=max((standing.level, *(waiver.level for waiver in waivers))),
        moved=True,
        because=because,
        actor=actor,
        outcomes=standing.outcomes,
        failures=standing.failures,
        bound=standing.bound,
        made_at=now,
    )
    tables.level_moves.add(move)
    said = {"ground": ground.key, "from": int(move.previous), "to": int(move.level), "because": because}
    evidence = {"outcomes": standing.outcomes, "failures": standing.failures}
    return move, {**said, **evidence, "waivers_ended": [waiver.id for waiver in waivers]}


def looked_at(road: Road, standing: Standing) -> Message:
    """Return the message that has people told of what happened to a level, and evidence looked at."""
    return Message(id=road.id("msg"), topic="autonomy", ref=standing.id, due_at=road.clock.now())
