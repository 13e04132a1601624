"""Approvals as a desk: everything around a signature but the signature itself (`Commands.approve` and its kin)."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar

from control_plane import refusals
from control_plane.approvals import asking, breaking_glass, delegating, lending, taking_back
from control_plane.approvals.verdict import verdict
from control_plane.executor import execution_id_of
from control_plane.horizon import no_proposal
from control_plane.judging import brief
from control_plane.ports import Narrator
from control_plane.rights import need
from control_plane.road import Road
from control_plane.tables import Tables
from domain.approvals import BrokenGlass, ChangeRecord, ChangeState, Delegation, DelegationKind, Enquiry
from domain.base import Word
from domain.errors import NotFound
from domain.gate import Approval
from domain.identity import EVERYWHERE, Permission, Principal, Scope
from domain.proposals import Proposal
from policies.stages import Chain, Progress

T = TypeVar("T")


class ChangeView(Word):
    """A change record with what people said of its plan, and how far its chain of approval is."""

    change: ChangeRecord
    proposal: Proposal
    approvals: tuple[Approval, ...]
    enquiries: tuple[Enquiry, ...]
    execution_id: str = ""


class ChainView(Word):
    """The chains of approval that are in force; `version` is what a grant is bound to."""

    version: str
    chains: tuple[Chain, ...]


@refusals.recorded
class ApprovalsDesk:
    """Ask, take back, lend, break the glass, review; and the change records."""

    def __init__(self, road: Road, narrator: Narrator | None = None) -> None:
        self._road, self._narrator = road, narrator

    # --- around one decision ---

    def ask(self, who: Principal, proposal_id: str, question: str) -> Enquiry:
        """Ask about a proposal before deciding; what the record can answer, it answers at once."""
        return asking.ask(self._road, self._narrator, who, proposal_id, question)

    def answer(self, who: Principal, enquiry_id: str, text: str) -> Enquiry:
        """Answer a question about a proposal, as a person."""
        return asking.answer(self._road, who, enquiry_id, text)

    def enquiries(self, who: Principal, proposal_id: str) -> list[Enquiry]:
        """Return what was asked about a proposal, the oldest first. Raises NotFound."""
        return self._read(who, Permission.READ, lambda tables: asking.about(self._road, tables, who, proposal_id))

    def revoke(self, who: Principal, proposal_id: str, because: str) -> Proposal:
        """Take one's own signature back; once the plan is being carried out, stop it."""
        return taking_back.revoke(self._road, who, proposal_id, because)

    def progress(self, who: Principal, proposal_id: str) -> Progress:
        """Return how far the chain of approval of a proposal is: who signed in which stage, and what is missing.

        Raises:
            NotFound: there is no such proposal for this caller, or it is not rehearsed yet.
        """

        def read(tables: Tables) -> Progress:
            proposal = tables.proposals.get(proposal_id)
            if proposal is None or not asking.horizon(self._road, tables, who).proposal(tables, proposal):
                raise no_proposal(proposal_id)
            return verdict(self._road, brief(self._road, tables, proposal), self._road.clock.now()).progress

        return self._read(who, Permission.READ, read)

    def chains(self, who: Principal) -> ChainView:
        """Return the chains of approval in force, in the order in which they are tried."""
        need(who, Permission.READ)
        return ChainView(version=self._road.chains.version, chains=self._road.chains.all)

    # --- lending ---

    def delegate(
        self,
        who: Principal,
        to_account: str,
        permissions: Iterable[Permission],
        starts_at: datetime,
        ends_at: datetime,
        because: str,
        *,
        where: Scope = EVERYWHERE,
        kind: DelegationKind = DelegationKind.DELEGATION,
    ) -> Delegation:
        """Lend a part of one's own rights to another person for a while."""
        return delegating.delegate(
            self._road, who, to_account, permissions, starts_at, ends_at, because, where=where, kind=kind
        )

    def revoke_delegation(self, who: Principal, delegation_id: str, because: str) -> Delegation:
        """End a delegation at once."""
        return delegating.take_back(self._road, who, delegation_id, because)

    def delegations(self, who: Principal) -> list[Delegation]:
        """Return what the caller lent and borrows, the newest first."""
        return self._read(who, None, lambda tables: delegating.listed(tables, who))

    def borrows(self, who: Principal, permission: Permission | None) -> bool:
        """Say whether a permission is lent to an account now; where it holds, the command itself looks at closer."""
        now = self._road.clock.now()
        lent = self._road.ledger.read(lambda tables: lending.loans(tables, who, now))
        return any(permission in loan.permissions for loan in lent)

    # --- emergencies ---

    def break_glass(self, who: Principal, proposal_id: str, plan_digest: str, because: str) -> Proposal:
        """Sign a plan alone, in an emergency; it is reviewed on the next working day."""
        return breaking_glass.break_glass(self._road, who, proposal_id, plan_digest, because)

    def review(self, who: Principal, glass_id: str, *, justified: bool, because: str) -> BrokenGlass:
        """Record what somebody else finds of a broken glass."""
        verdict = "justified" if justified else "not justified"
        return breaking_glass.review(self._road, who, glass_id, verdict, because)

    def broken_glass(self, who: Principal, *, overdue: bool = False) -> list[BrokenGlass]:
        """Return every broken glass of the caller's tenant, the newest first; `overdue`: whose review is late."""
        now = self._road.clock.now()
        found = self._read(who, Permission.READ_RECORD, lambda t: t.broken_glass.find(tenant=who.tenant, newest=True))
        return [glass for glass in found if not overdue or (glass.reviewed_at is None and now >= glass.review_due)]

    # --- change records ---

    def changes(
        self, who: Principal, *, state: ChangeState | None = None, limit: int = 100, after: str | None = None
    ) -> list[ChangeRecord]:
        """Return change records that the caller may see, the newest first."""
        where = {"tenant": who.tenant} | ({"state": state} if state else {})

        def read(tables: Tables) -> list[ChangeRecord]:
            seen = asking.horizon(self._road, tables, who)
            found: list[ChangeRecord] = []
            last = after
            while len(found) < limit:
                batch = tables.change_records.find(newest=True, limit=limit, after=last, **where)
                found += [each for each in batch if seen.proposal(tables, tables.proposals.get(each.proposal_id))]
                if len(batch) < limit:
                    break
                last = batch[-1].id
            return found[:limit]

        return self._read(who, Permission.READ, read)

    def change(self, who: Principal, id: str) -> ChangeView:
        """Return one change record with the plan that it is about. Raises NotFound."""

        def read(tables: Tables) -> ChangeView:
            record = tables.change_records.get(id)
            proposal = tables.proposals.get(record.proposal_id) if record else None
            seen = asking.horizon(self._road, tables, who)
            if record is None or proposal is None or not seen.proposal(tables, proposal):
                raise NotFound(f"there is no change `{id}`; `nocturne changes` lists them")
            execution = tables.executions.get(execution_id_of(proposal.id))
            return ChangeView(
                change=record,
                proposal=proposal,
                approvals=tuple(tables.approvals.find(proposal_id=proposal.id)),
                enquiries=tuple(tables.enquiries.find(proposal_id=proposal.id)),
                execution_id=execution.id if execution else "",
            )

        return self._read(who, Permission.READ, read)

    def _read(self, who: Principal, permission: Permission | None, query: Callable[[Tables], T]) -> T:
        need(who, permission)
        return self._road.ledger.read(query)
