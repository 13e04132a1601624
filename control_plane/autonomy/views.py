"""What is shown of autonomy: grounds with their evidence, one ground with its history, and what people disagreed on."""

from datetime import datetime
from typing import Any

from control_plane.autonomy import record
from control_plane.autonomy.standing import level_on, standing_of, waivers_of
from control_plane.tables import Tables
from domain.autonomy import Credit, Disagreement, Ground, Level, LevelMove, Waiver
from domain.base import Utc, Word
from domain.errors import NotFound
from stats.anytime import needed

#: So much of the history of a ground is shown, the newest first.
_MOST = 50


class GroundView(Word):
    """One ground: the level that holds now, how it came about, and what is missing to the one that can be earned."""

    ground: str
    agent: str
    action: str
    domain: str
    band: str
    level: Level
    earned: Level
    goal: Level
    outcomes: int
    failures: int
    bound: float
    limit: float | None
    clean_outcomes_to_go: int | None
    demotions: int
    since: Utc
    because: str
    waiver: str = ""
    waiver_ends_at: Utc | None = None


class GroundPage(Word):
    """One ground with its history: levels, waivers, and the newest credits."""

    view: GroundView
    moves: tuple[LevelMove, ...]
    waivers: tuple[Waiver, ...]
    credits: tuple[Credit, ...]


class DisagreementRate(Word):
    """How often people wanted something else than one agent, of what they decided on."""

    requester: str
    disagreements: int
    decided: int
    share: float | None
    low: float
    high: float


class Disagreements(Word):
    """What people and agents disagreed on, the newest first, and how often per agent."""

    rows: tuple[Disagreement, ...]
    rates: tuple[DisagreementRate, ...]


def grounds(tables: Tables, tenant: str, at: datetime) -> list[GroundView]:
    """Return every ground on which something is recorded, by key."""
    keys = {held.ground for held in tables.standings.find(tenant=tenant)}
    keys |= {waiver.ground for waiver in tables.waivers.find(tenant=tenant)}
    return [view(tables, tenant, Ground.parse(key), at) for key in sorted(keys)]


def view(tables: Tables, tenant: str, ground: Ground, at: datetime) -> GroundView:
    """Return one ground as it stands."""
    held, terms = standing_of(tables, tenant, ground, at), record.terms_of(ground)
    lent = next(iter(waivers_of(tables, tenant, ground, at)), None)
    to_go = needed(terms.error_limit, held.failures, record.chance(held)) - held.outcomes if terms else None
    return GroundView(
        ground=ground.key,
        agent=ground.agent,
        action=ground.action,
        domain=ground.domain,
        band=ground.band,
        level=level_on(tables, tenant, ground, at),
        earned=held.level,
        goal=ground.goal,
        outcomes=held.outcomes,
        failures=held.failures,
        bound=held.bound,
        limit=terms.error_limit if terms else None,
        clean_outcomes_to_go=None if to_go is None else max(0, to_go),
        demotions=held.demotions,
        since=held.since,
        because=held.because,
        waiver=lent.id if lent else "",
        waiver_ends_at=lent.ends_at if lent else None,
    )


def page(tables: Tables, tenant: str, ground: Ground, at: datetime) -> GroundPage:
    """Return one ground with its history. Raises NotFound when nothing is recorded there."""
    where: dict[str, Any] = {"tenant": tenant, "ground": ground.key}
    if not tables.standings.count(**where) + tables.waivers.count(**where):
        raise NotFound(f"nothing is recorded on `{ground.key}`; `nocturne autonomy show` lists the grounds")
    moves = sorted(tables.level_moves.find(**where), key=lambda move: (move.made_at, move.id), reverse=True)
    return GroundPage(
        view=view(tables, tenant, ground, at),
        moves=tuple(moves[:_MOST]),
        waivers=tuple(tables.waivers.find(newest=True, limit=_MOST, **where)),
        credits=tuple(tables.credits.find(newest=True, limit=_MOST, **where)),
    )
