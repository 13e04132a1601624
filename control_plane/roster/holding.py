"""Who has to look after a matter at a moment. Pure: the same answer decides who is told, when it escalates, and what
moves at a change of shift.

A matter climbs a ladder of rungs: the first on call in the asked role, the others on call in it, the role that is
next, and at last the operator in charge. Each rung has an equal share of the time; a rung on which nobody is on call
is passed at once. What a person holds is attention, never a right: the ladder is made of people who have the rights.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from domain.identity import EVERYWHERE, Role, Scope

#: Who is asked when nobody in a role answers.
NEXT_ROLE: dict[Role, Role] = {
    Role.ENGINEER: Role.APPROVER,
    Role.APPROVER: Role.CHANGE_MANAGER,
    Role.ML_ENGINEER: Role.CHANGE_MANAGER,
    Role.CHANGE_MANAGER: Role.TENANT_OWNER,
    Role.OPERATOR: Role.TENANT_OWNER,
}
#: Who is in charge of the shift. It may stop a plan and find people, whether or not it may sign.
IN_CHARGE = Role.OPERATOR


class Kind(StrEnum):
    """What is pending."""

    DECIDE = "decide"  # a proposal waits for a signature
    ENQUIRY = "enquiry"  # somebody asked, and nobody answered
    DOUBT = "doubt"  # a step of which nobody can tell whether it happened
    RUNNING = "running"  # a plan is being carried out
    REVIEW = "review"  # something is to be looked back at
    MODEL = "model"  # a model is in trouble
    ABSTAINED = "abstained"  # the cause of an incident could not be told


class Matter(NamedTuple):
    """Something pending. `barred` are the people who must not be asked: whoever asked for it, and who signed already.

    `roles` are those of which any will do, and `named` the people of whom one must, where that is said. `since` and
    `until` bound the time in which it is to be dealt with; without `until` it does not climb by time. `round` tells one
    asking from the next: another rehearsal, another signature still missing. Nobody is told of what is `quiet`; of
    what is `ending` everybody is told who was asked.
    """

    id: str
    kind: Kind
    roles: tuple[Role, ...]
    regions: tuple[str, ...]
    domains: tuple[str, ...]
    title: str
    since: datetime
    until: datetime | None = None
    barred: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    round: str = ""
    quiet: bool = False
    ending: bool = False

    @property
    def region(self) -> str:
        """The region that its records belong to."""
        return self.regions[0] if self.regions else "default"


class Watcher(NamedTuple):
    """Somebody who is on call at the moment, in one role; `order` 1 is asked first."""

    account: str
    person: str
    role: Role
    order: int = 1
    scope: Scope = EVERYWHERE

    def may(self, matter: Matter) -> bool:
        """Say whether the matter lies within this watcher's scope, and is not barred to the person."""
        if not all(self.scope.covers(region=region) for region in matter.regions):
            return False
        if not all(self.scope.covers(region="", domain=domain) for domain in matter.domains):
            return False
        if self.role not in matter.roles:  # asked to find somebody, not to do it
            return True
        named = not matter.named or bool(matter.named & {self.account, self.person})
        return named and self.person not in matter.barred


class Rung(NamedTuple):
    """One step of the ladder: the roles, and whether only the first on call in them are asked, or all."""

    roles: tuple[Role, ...]
    first_only: bool = False


class Held(NamedTuple):
    """Who looks after a matter now. `by` is empty only when nobody at all is on call: then it is `escalated`.

    `rung` is the highest that was reached, `deadline` when the next one is reached, `next_role` who is asked then.
    """

    rung: int
    by: tuple[Watcher, ...]
    deadline: datetime | None
    next_role: Role
    escalated: bool


def ladder(roles: tuple[Role, ...]) -> tuple[Rung, ...]:
    """Return the rungs that a matter asked of any of these roles climbs."""
    above = [(role,) for role in (next_role(roles), IN_CHARGE) if role not in roles]
    return (Rung(roles, first_only=True), Rung(roles), *(Rung(role) for role in dict.fromkeys(above)))


def next_role(roles: tuple[Role, ...]) -> Role:
    """Return who is asked when nobody in these roles answers."""
    return NEXT_ROLE.get(roles[0], IN_CHARGE)


def hold(matter: Matter, watch: Iterable[Watcher], now: datetime, share: float) -> Held:
    """Return who has to look after a matter at `now`.

    Args:
        matter: what is pending.
        watch: everybody on call at `now`.
        now: the moment.
        share: the part of the time from `since` to `until` after which the next rung is reached (0 to 1).
    """
    rungs = ladder(matter.roles)
    people = [_on(rung, matter, watch) for rung in rungs]
    by_time = _rung_by_time(matter, now, share, len(rungs))
    first = next((index for index, found in enumerate(people) if found), len(rungs) - 1)
    top = max(by_time, first)
    by = tuple({watcher.account: watcher for found in reversed(people[: top + 1]) for watcher in found}.values())
    following = rungs[top + 1].roles[0] if top + 1 < len(rungs) else next_role(rungs[-1].roles)
    return Held(top, by, deadline(matter, top, share), following, escalated=not by)


def deadline(matter: Matter, rung: int, share: float) -> datetime | None:
    """Return until when the people on a rung have to answer; None where the matter does not climb by time."""
    if matter.until is None:
        return None
    return min(matter.since + (rung + 1) * share * (matter.until - matter.since), matter.until)


def _rung_by_time(matter: Matter, now: datetime, share: float, rungs: int) -> int:
    for rung in range(rungs - 1):
        ends = deadline(matter, rung, share)
        if ends is None or now < ends:
            return rung
    return rungs - 1


def _on(rung: Rung, matter: Matter, watch: Iterable[Watcher]) -> list[Watcher]:
    able = [watcher for watcher in watch if watcher.role in rung.roles and watcher.may(matter)]
    if not rung.first_only or not able:
        return able
    first = min(watcher.order for watcher in able)
    return [watcher for watcher in able if watcher.order == first]


class Moves(NamedTuple):
    """What a change of the watch does to the pending matters: by arriving account, what it now has to look after.

    `left` is what some leaving person held and nobody who arrived may act on: whoever holds it now was told before.
    `escalated` is what nobody on call can look after: it goes to whoever keeps the roster.
    """

    moved: dict[str, tuple[str, ...]]
    left: tuple[str, ...]
    escalated: tuple[str, ...]


def change_watch(
    matters: Sequence[Matter], before: Sequence[Watcher], after: Sequence[Watcher], now: datetime, share: float
) -> Moves:
    """Return what moves to whom when the watch changes. No matter is without somebody, or it is escalated."""
    moved: dict[str, list[str]] = {}
    left, escalated = [], []
    for matter in matters:
        then = {watcher.account for watcher in hold(matter, before, now, share).by}
        held = hold(matter, after, now, share)
        holders = {watcher.account for watcher in held.by}
        for account in sorted(holders - then):
            moved.setdefault(account, []).append(matter.id)
        if held.escalated:
            escalated.append(matter.id)
        elif then - holders and holders <= then:
            left.append(matter.id)
    return Moves({account: tuple(ids) for account, ids in moved.items()}, tuple(left), tuple(escalated))
