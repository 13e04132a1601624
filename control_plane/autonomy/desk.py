"""What can be asked about autonomy, and the little that can be done about it by hand.

No command raises a level. Evidence does, through a proposal that a person signs; a waiver lends one, for days.
"""

from datetime import datetime
from typing import Any, TypeVar

from control_plane import refusals
from control_plane.approvals.matters import done, readable
from control_plane.autonomy import acceptance, crediting, disagreements, record, reviews, views, waivers
from control_plane.autonomy.demotion import keep, no_level
from control_plane.autonomy.grounds import require_within
from control_plane.autonomy.realised import Coverage, coverage, newest
from control_plane.autonomy.standing import level_on, standing_of
from control_plane.horizon import Horizon
from control_plane.ports import Change, Written
from control_plane.rights import need
from control_plane.road import Road
from control_plane.tables import Tables
from domain.autonomy import Ground, Level, LevelMove, Waiver
from domain.errors import Conflict, NotFound, Refused
from domain.identity import Permission, Principal
from domain.keeping import Review
from domain.records import Entry
from stats.shares import clopper_pearson

T = TypeVar("T")


@refusals.recorded
class AutonomyDesk:
    """The commands and queries of this room."""

    def __init__(self, road: Road) -> None:
        self._road = road

    # --- looking ---

    def grounds(self, who: Principal) -> list[views.GroundView]:
        """Return every ground on which something is recorded: level, evidence, and what is missing."""
        need(who, Permission.READ)
        at = self._road.clock.now()
        return self._road.ledger.read(lambda tables: views.grounds(tables, who.tenant, at))

    def ground(self, who: Principal, key: str) -> views.GroundPage:
        """Return one ground with its history. Raises BadInput for no key, NotFound where nothing is recorded."""
        need(who, Permission.READ)
        ground, at = Ground.parse(key), self._road.clock.now()
        return self._road.ledger.read(lambda tables: views.page(tables, who.tenant, ground, at))

    def acceptance(self, who: Principal) -> list[acceptance.Acceptance]:
        """Return how often people accept what each agent asks for, with the interval."""
        need(who, Permission.READ)
        return self._road.ledger.read(lambda tables: acceptance.acceptance(tables, who.tenant))

    def coverage(self, who: Principal) -> Coverage:
        """Return how often the rehearsals' intervals held what was measured, with n."""
        need(who, Permission.READ)
        return self._road.ledger.read(lambda tables: coverage(newest(tables, who.tenant)))

    def disagreements(self, who: Principal, *, requester: str = "", limit: int = 100) -> views.Disagreements:
        """Return what people and agents disagreed on, the newest first, with outcomes and rates."""
        need(who, Permission.READ)
        where: dict[str, Any] = {"tenant": who.tenant} | ({"requester": requester} if requester else {})

        def read(tables: Tables) -> views.Disagreements:
            horizon = Horizon(self._road.live, who)
            newest = tables.disagreements.find(newest=True, limit=limit, **where)
            rows = [row for row in newest if horizon.proposal(tables, tables.proposals.get(row.proposal_id))]
            names = sorted({row.requester for row in tables.disagreements.find(**where)})
            rates = tuple(_rate(tables, who.tenant, name) for name in names)
            return views.Disagreements(rows=tuple(rows), rates=rates)

        return self._road.ledger.read(read)

    # --- waivers ---

    def waive(self, who: Principal, key: str, level: int, ends_at: datetime, because: str) -> Waiver:
        """Lend a level without the evidence, for days at most.

        Raises:
            Refused: the caller may not, or answers for the agent.
            BadInput, NotFound, Conflict: as `waivers.sign`.
        """
        need(who, Permission.WAIVE)
        ground, reason = Ground.parse(key), readable(because)
        require_within(who, ground)
        return self._do(lambda tables: waivers.sign(self._road, tables, who, ground, level, ends_at, reason))

    def revoke(self, who: Principal, waiver_id: str, because: str) -> Waiver:
        """End a waiver; whoever may pull a kill switch ends it by `lower`.

        Raises:
            Refused, NotFound, Conflict: as `waivers.revoke`.
        """
        need(who, Permission.WAIVE)
        reason = readable(because)
        return self._do(lambda tables: waivers.revoke(self._road, tables, who, waiver_id, reason))

    # --- taking back ---

    def lower(self, who: Principal, key: str, because: str) -> LevelMove:
        """Take the level of a ground back at once, waivers included; what was earned stays on record.

        Raises:
            Conflict: people sign there already.
        """
        need(who, Permission.SWITCH_OFF)
        ground, reason = Ground.parse(key), readable(because)
        require_within(who, ground)
        return self._do(lambda tables: self._lowered(tables, who, ground, reason))

    def review(self, who: Principal, review_id: str, *, right: bool, because: str) -> Review:
        """Say whether a plan that an agent carried out alone was right; if not, its level falls at once.

        Raises:
            NotFound: there is no such review for this caller.
            Refused: no person stands behind the account, or one who answers for the agent.
            Conflict: it was held already.
        """
        need(who, Permission.APPROVE)
        if not who.person:
            raise Refused(f"no person stands behind the account `{who.name}`; a person reviews")
        reason = readable(because)
        return self._do(lambda tables: self._reviewed(tables, who, review_id, right, reason))

    def reviews(self, who: Principal) -> list[Review]:
        """Return the reviews of plans carried out alone that are still owed, the oldest first."""
        need(who, Permission.READ)
        horizon = Horizon(self._road.live, who)

        def read(tables: Tables) -> list[Review]:
            found = tables.reviews.find(tenant=who.tenant, kind=reviews.KIND)
            return [review for review in found if review.held_at is None and horizon.named(tables, review.ref)]

        return self._road.ledger.read(read)

    # --- how it is done ---

    def _do(self, change: Change[T]) -> T:
        return done(self._road, change)

    def _lowered(self, tables: Tables, who: Principal, ground: Ground, because: str) -> Written[LevelMove]:
        road, now = self._road, self._road.clock.now()
        if level_on(tables, who.tenant, ground, now) is Level.ADVISE:
            raise Conflict(f"people sign every plan on `{ground.key}` already; there is nothing to take back")
        held = standing_of(tables, who.tenant, ground, now)
        keep(
            tables, record.lowered(held, Level.ADVISE, f"taken back by {who.name}", now).but(declined_at=held.outcomes)
        )
        move, said = no_level(road, tables, held, ground, because, who.name)
        refs, fields = (held.id, move.id, *said["waivers_ended"]), {**said, "person": who.person, **who.on_behalf_of}
        return Written(move, (self._entry("autonomy.level.taken_back", who, refs, fields),))

    def _reviewed(self, tables: Tables, who: Principal, review_id: str, right: bool, because: str) -> Written[Review]:
        review = tables.reviews.get(review_id)
        ours = review is not None and (review.tenant, review.kind) == (who.tenant, reviews.KIND)
        if review is None or not ours or not Horizon(self._road.live, who).named(tables, review.ref):
            raise NotFound(f"there is no review `{review_id}`; `nocturne autonomy reviews` lists those that are owed")
        if review.held_at is not None:
            raise Conflict(f"review `{review_id}` was held at {review.held_at:%Y-%m-%d %H:%M}; it is held once")
        execution = tables.executions.get(review.ref)
        proposal = tables.proposals.get(execution.proposal_id) if execution else None
        if execution is None or proposal is None:
            raise NotFound(f"what review `{review_id}` is about is not stored")
        if waivers.answers_for(tables, who, proposal.requester):
            raise Refused(f"`{who.name}` answers for `{proposal.requester}`; another person must look back at its plan")
        said = "right" if right else "wrong"
        held = review.but(
            held_at=self._road.clock.now(),
            attendees=(who.person,),
            decisions=(f"{said}: {because}",),
            recorded_by=who.name,
        )
        tables.reviews.swap(review, held)
        fields = {"right": right, "because": because, "person": who.person, **who.on_behalf_of}
        entries = [self._entry("autonomy.review.held", who, (review.id, execution.id, proposal.id), fields)]
        if right:
            return Written(held, tuple(entries))
        outcome = f"the plan was {execution.outcome.resolution}" if execution.outcome else ""
        entries += disagreements.said(self._road, tables, proposal, "disown", who.person, because, outcome)
        credited = crediting.disowned(self._road, tables, proposal, execution, because)
        return Written(held, (*entries, *credited.entries), credited.messages)

    def _entry(self, kind: str, who: Principal, refs: tuple[str, ...], fields: dict[str, object]) -> Entry:
        at = self._road.clock.now()
        return Entry(kind=kind, actor=who.name, refs=refs, event_time=at, tenant=who.tenant, fields=fields)


def _rate(tables: Tables, tenant: str, requester: str) -> views.DisagreementRate:
    """Return how often people disagreed with one agent, of what they decided on."""
    rows = acceptance.acceptance(tables, tenant, requester)
    decided = sum(row.decided for row in rows)
    against = decided - sum(row.accepted for row in rows)
    low, high = clopper_pearson(against, decided)
    return views.DisagreementRate(
        requester=requester,
        disagreements=tables.disagreements.count(tenant=tenant, requester=requester),
        decided=decided,
        share=against / decided if decided else None,
        low=low,
        high=high,
    )
