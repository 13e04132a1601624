"""The desk of the roster: who is on call, what they were told, what is handed over, and what is to be reviewed."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from control_plane import refusals
from control_plane.approvals.matters import readable
from control_plane.horizon import Horizon
from control_plane.ports import Written
from control_plane.rights import need
from control_plane.road import Road
from control_plane.roster import handover, reviews, shifts
from control_plane.roster.handover import TakeOver
from control_plane.roster.on_call import kept, standing, watch
from control_plane.roster.shifts import Line
from control_plane.tables import Tables
from domain.base import Utc, Word
from domain.errors import NotFound
from domain.identity import Permission, Principal, Role
from domain.keeping import Review
from domain.records import Entry
from domain.roster import HandOver, Notice, RosterGap, Shift

T = TypeVar("T")


class OnCallNow(Word):
    """One account that is on call in a role."""

    account: str
    person: str
    role: Role
    order: int


class RosterView(Word):
    """Who is on call at a moment. Where nobody keeps a roster, that is everybody who has the role: `kept` is false."""

    at: Utc
    kept: bool
    on_call: tuple[OnCallNow, ...]
    shifts: tuple[Shift, ...]
    gaps: tuple[RosterGap, ...]


@refusals.recorded
class RosterDesk:
    """Commands and queries of the roster's room."""

    def __init__(self, road: Road) -> None:
        self._road = road

    # --- who is on call ---

    def roster(
        self,
        who: Principal,
        *,
        at: datetime | None = None,
        role: Role | None = None,
        region: str = "",
        domain: str = "",
    ) -> RosterView:
        """Return who is on call at a moment, the shifts from then on, and the gaps that are known."""
        need(who, Permission.READ)
        moment = at or self._road.clock.now()

        def read(tables: Tables) -> RosterView:
            found = watch(tables, who.tenant, moment, (role,) if role else tuple(Role))
            here = [each for each in found if each.scope.covers(region=region, domain=domain)]
            rows = sorted({(each.role, each.order, each.account, each.person) for each in here})
            return RosterView(
                at=moment,
                kept=kept(tables, who.tenant),
                on_call=tuple(OnCallNow(account=a, person=p, role=Role(r), order=o) for r, o, a, p in rows),
                shifts=tuple(s for s in standing(tables, who.tenant, moment) if role in {None, s.role})[:500],
                gaps=tuple(tables.roster_gaps.find(tenant=who.tenant, open=True)),
            )

        return self._road.ledger.read(read)

    def declare(self, who: Principal, lines: Sequence[Line]) -> list[Shift]:
        """Put people on call: all of these shifts, or none. Raises BadInput or Conflict; the reason names the line."""
        need(who, Permission.KEEP_ROSTER)
        return self._rung(shifts.declare(self._road, who, lines))

    def withdraw(self, who: Principal, shift_id: str, because: str) -> Shift:
        """Take somebody off call. Raises NotFound or Conflict."""
        need(who, Permission.KEEP_ROSTER)
        return self._rung(shifts.withdraw(self._road, who, shift_id, readable(because)))

    # --- what they were told ---

    def notices(self, who: Principal, *, unseen: bool = False, limit: int = 100) -> list[Notice]:
        """Return the caller's notices, the newest first; who keeps the roster sees those that are nobody's, too."""
        need(who, None)
        nobodys = ("",) if who.roles & {Role.ADMIN, Role.TENANT_OWNER, Role.CHANGE_MANAGER} else ()

        def read(tables: Tables) -> list[Notice]:
            found = tables.notices.find(tenant=who.tenant, to_account=(who.name, *nobodys), newest=True, limit=1000)
            return [notice for notice in found if not (unseen and notice.seen_at)][:limit]

        return self._road.ledger.read(read)

    def seen(self, who: Principal, notice_id: str) -> Notice:
        """Mark a notice of the caller's as seen; marked twice, the first time counts. Raises NotFound."""
        need(who, None)

        def change(tables: Tables) -> Written[Notice]:
            old = tables.notices.get(notice_id)
            if old is None or old.tenant != who.tenant or old.to_account not in {who.name, ""}:
                raise NotFound(f"there is no notice `{notice_id}` for you; `nocturne notices` lists yours")
            if old.seen_at is not None:
                return Written(old)
            new, now = old.but(seen_at=self._road.clock.now()), self._road.clock.now()
            tables.notices.swap(old, new)
            refs = (new.id, new.ref)
            entry = Entry(kind="roster.notice.seen", actor=who.name, refs=refs, event_time=now, tenant=who.tenant)
            return Written(new, (entry,))

        return self._road.ledger.do(change)

    # --- the change of a shift ---

    def take_over(self, who: Principal) -> TakeOver:
        """Return what the caller has to look after now, and what changed since they last took over."""
        need(who, Permission.READ)
        return handover.take_over(self._road, who)

    def accept(self, who: Principal) -> list[HandOver]:
        """Take over what was handed to the caller. It gives attention, never a right. Raises Refused for machines."""
        need(who, Permission.READ)
        return handover.accept(self._road, who)

    # --- looking back ---

    def reviews(self, who: Principal, *, owed: bool = False) -> list[Review]:
        """Return reviews, the newest first; `owed`: only those that were not held yet."""
        need(who, Permission.READ)
        horizon = Horizon(self._road.live, who)

        def read(tables: Tables) -> list[Review]:
            newest = tables.reviews.find(tenant=who.tenant, newest=True, limit=1000)
            return [review for review in newest if horizon.named(tables, review.ref)]

        found = self._road.ledger.read(read)
        return [review for review in found if not (owed and review.held_at)]

    def call_review(self, who: Principal, kind: str, ref: str, due_at: datetime) -> Review:
        """Ask for a review. Raises BadInput."""
        need(who, Permission.REVIEW)
        return self._rung(reviews.call(self._road, who, kind, ref, due_at))

    def hold_review(self, who: Principal, review_id: str, attendees: Sequence[str], decisions: Sequence[str]) -> Review:
        """Record that a review was held. Raises NotFound, Conflict or BadInput."""
        need(who, Permission.REVIEW)
        return reviews.hold_review(self._road, who, review_id, attendees, decisions)

    # --- how it is done ---

    def _rung(self, result: T) -> T:
        """Ring the bell: something is due now."""
        self._road.bell.set()
        return result
