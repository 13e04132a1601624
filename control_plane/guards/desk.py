"""The service layer of the guards: pull and release kill switches, close a breaker, see what holds what back."""

from typing import TypeVar

from control_plane import refusals
from control_plane.approvals.matters import readable
from control_plane.guards import breakers, stopping
from control_plane.guards.budgets import usage, window_start
from control_plane.horizon import Horizon
from control_plane.ports import Change, Written
from control_plane.rights import need
from control_plane.road import Road
from control_plane.tables import Tables
from domain.base import Utc, Word
from domain.errors import BadInput, Conflict, NotFound
from domain.guards import Breaker, BreakerState, Collision, InFlight, InfluenceLock, Switch, SwitchKind, Usage
from domain.identity import ANY, NetworkDomain, Permission, Principal
from policies.chain import is_agent

T = TypeVar("T")

_AGENT = "agent:"


class GuardsView(Word):
    """Everything that holds the plane back, or may."""

    switches: tuple[Switch, ...]
    breakers: tuple[Breaker, ...]
    usage: tuple[Usage, ...]
    locks: tuple[InfluenceLock, ...]
    collisions: tuple[Collision, ...]
    window_start: Utc


@refusals.recorded
class GuardsDesk:
    """Commands and queries of the guards."""

    def __init__(self, road: Road) -> None:
        self._road = road

    def kill(
        self, who: Principal, kind: SwitchKind, name: str, because: str, in_flight: InFlight = InFlight.UNDO
    ) -> Switch:
        """Pull a kill switch: nothing in its reach starts any more, what runs is undone or handed over.

        Raises:
            Refused: the caller may not.
            BadInput: there is no such agent or domain, or no reason was given.
        """
        need(who, Permission.SWITCH_OFF)
        checked, reason = self._name(who, kind, name), readable(because)
        pulled = self._do(lambda tables: stopping.pull(self._road, tables, who, kind, checked, reason, in_flight))
        stopping.sweep(self._road, pulled.id)
        self._road.notice("switched off", pulled.id)
        return pulled

    def release(self, who: Principal, kind: SwitchKind, name: str, because: str) -> Switch:
        """Release a kill switch; what waited only for it is rehearsed and judged anew.

        Raises:
            Refused: the caller may not.
            NotFound: it was never pulled.
            Conflict: it is on.
        """
        need(who, Permission.SWITCH_ON)
        checked, reason = self._name(who, kind, name), readable(because)
        released = self._do(lambda tables: stopping.release(self._road, tables, who, kind, checked, reason))
        self._road.notice("switched on", released.id)
        return released

    def close_breaker(self, who: Principal, breaker_id: str, because: str) -> Breaker:
        """Close a breaker by hand: its requester's plans of that kind pass by themselves again.

        Raises:
            Refused: the caller may not.
            NotFound: there is no such breaker.
            Conflict: it is closed, or changed a moment ago.
        """
        need(who, Permission.SWITCH_ON)
        reason = readable(because)

        def change(tables: Tables) -> Written[Breaker]:
            old = tables.breakers.get(breaker_id)
            if old is None or old.tenant != who.tenant:
                raise NotFound(f"there is no breaker `{breaker_id}`; `nocturne guards` lists those that there are")
            if old.state is BreakerState.CLOSED:
                raise Conflict(f"the breaker `{breaker_id}` is closed already; there is nothing to close")
            new = old.but(
                state=BreakerState.CLOSED,
                recent=(),
                failures=0,
                trial="",
                note=f"closed by {who.name}: {reason}",
                changed_at=self._road.clock.now(),
            )
            tables.breakers.swap(old, new)
            return Written(new, (breakers.entry(self._road, new, who.name),))

        return self._do(change)

    def show(self, who: Principal) -> GuardsView:
        """Return what holds the plane back now."""
        need(who, Permission.READ)
        start = window_start(self._road)

        def read(tables: Tables) -> GuardsView:
            mine, horizon = who.tenant, Horizon(self._road.live, who)

            def seen(proposal_id: str) -> bool:
                return horizon.proposal(tables, tables.proposals.get(proposal_id))

            requesters = sorted({p.requester for p in tables.proposals.find(newest=True, limit=500, tenant=mine)})
            used = [usage(self._road, tables, mine, requester) for requester in requesters]
            return GuardsView(
                switches=tuple(tables.switches.find(tenant=mine)),
                breakers=tuple(tables.breakers.find(tenant=mine)),
                usage=tuple(each for each in used if each.plans or each.steps),
                locks=tuple(lock for lock in tables.influence_locks.find(held=True, tenant=mine) if seen(lock.id)),
                collisions=tuple(
                    each
                    for each in tables.collisions.find(newest=True, limit=100, tenant=mine)
                    if seen(each.proposal_id) and seen(each.other_id)
                ),
                window_start=start,
            )

        return self._road.ledger.read(read)

    def _name(self, who: Principal, kind: SwitchKind, name: str) -> str:
        """Return what a switch is called in the store. A name that reaches nothing would only look like a stop."""
        match kind:
            case SwitchKind.ALL:
                if name not in {"", ANY}:
                    raise BadInput("the switch of everything takes no name; leave it out, or name an agent or a domain")
                return ANY
            case SwitchKind.AGENT:
                bare = name.removeprefix(_AGENT)
                agents = sorted(planner.card.name for planner in self._road.planners)
                if bare not in agents and not self._from_outside(who, bare):
                    raise BadInput(f"there is no agent `{name[:64]}` that plans; name one of {', '.join(agents)}")
                return bare
            case SwitchKind.DOMAIN:
                if name not in set(NetworkDomain):
                    raise BadInput(f"there is no domain `{name[:64]}`; name one of {', '.join(NetworkDomain)}")
                return name

    def _from_outside(self, who: Principal, bare: str) -> bool:
        """Say whether an account of the tenant is an agent's, or has asked for a plan as one."""

        def read(tables: Tables) -> bool:
            accounts = tables.principals.find(name=(bare, f"{_AGENT}{bare}"), tenant=who.tenant)
            asked = tables.proposals.find(requester=f"{_AGENT}{bare}", tenant=who.tenant, limit=1)
            return any(map(is_agent, accounts)) or bool(asked)

        return self._road.ledger.read(read)

    def _do(self, change: Change[T]) -> T:
        result = self._road.ledger.do(change)
        self._road.bell.set()
        return result
