"""Setting a level: the one function that can raise one, and it looks at the evidence in the same transaction.

The `Hands` port for levels (`adapters.autonomy.hands`) calls it with the key of an action that was granted. A key
works once: sent again, it changes nothing, whatever has become of the level since.
"""

from control_plane.autonomy import record
from control_plane.autonomy.demotion import keep
from control_plane.autonomy.standing import standing_of
from control_plane.ports import Written
from control_plane.tables import Tables
from domain.actions import SetAutonomy
from domain.autonomy import Ground, Level, LevelMove, Standing, parse_standing
from domain.base import Utc
from domain.records import Entry


def set_level(tables: Tables, key: str, action: SetAutonomy, at: Utc) -> Written[LevelMove]:
    """Set a level as an action asks; returns the move, which says whether it was made.

    Raises:
        BadInput: the action aims at no standing.
    """
    known = tables.level_moves.get(key)
    if known is not None:
        return Written(known)
    tenant, ground = parse_standing(action.target)
    held, level = standing_of(tables, tenant, ground, at), Level(action.level)
    against = _against(held, ground, action)
    because = against or ("signed by people on the evidence" if level > held.level else "taken back by people")
    move = _move(key, held, level, because, at, moved=not against)
    tables.level_moves.add(move)
    asked = _asked_by(tables, key)
    if not against:
        rises = level > held.level
        new = record.raised(held, level, because, asked, at) if rises else record.lowered(held, level, because, at)
        keep(tables, new)
    return Written(move, (entry(move, held, asked),))


def _asked_by(tables: Tables, key: str) -> str:
    """Return the proposal whose step has this key, or nothing where no step does."""
    step = tables.steps.get(key)
    execution = tables.executions.get(step.execution_id) if step else None
    return execution.proposal_id if execution else ""


def _against(held: Standing, ground: Ground, action: SetAutonomy) -> str:
    """Return why the level may not be set, or nothing; the evidence counts as it is now, not as it was signed."""
    if held.level != action.previous:
        return f"the level is {int(held.level)}, not {action.previous}; ask with what stands"
    if action.level <= held.level:
        return ""
    if action.level > ground.goal:
        return f"more than level {int(ground.goal)} cannot be earned on `{ground.key}`; people sign there"
    if action.level != ground.goal or not record.earned(held, ground):
        return f"the evidence on `{ground.key}` does not show level {action.level} any more; wait for more outcomes"
    return ""


def _move(key: str, held: Standing, level: Level, because: str, at: Utc, *, moved: bool) -> LevelMove:
    return LevelMove(
        id=key,
        tenant=held.tenant,
        ground=held.ground,
        level=level,
        previous=held.level,
        moved=moved,
        because=because,
        actor="plane",
        outcomes=held.outcomes,
        failures=held.failures,
        bound=held.bound,
        made_at=at,
    )


def entry(move: LevelMove, held: Standing, asked: str) -> Entry:
    """Return what the record says of a move: the evidence is part of it."""
    kind = "autonomy.level.set" if move.moved else "autonomy.level.refused"
    return Entry(
        kind=kind,
        actor=move.actor,
        refs=(held.id, move.id, *filter(None, [asked])),
        event_time=move.made_at,
        tenant=move.tenant,
        fields={
            "ground": move.ground,
            "from": int(move.previous),
            "to": int(move.level),
            "because": move.because,
            "outcomes": move.outcomes,
            "failures": move.failures,
            "bound": round(move.bound, 6),
        },
    )
