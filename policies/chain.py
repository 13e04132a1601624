"""Who may sign a plan, and whose signatures count.

People sign, once each, for a plan that somebody else asked for. An account is not a person: two accounts of
one person are one signature, and a machine's account is none. In which role, in which order and how many: that is
said by the chains of approval (`policies.stages`).
"""

import unicodedata
from collections.abc import Iterable

from domain.errors import Conflict, NotFound, Refused
from domain.gate import Approval, Choice
from domain.identity import Permission, Principal, Role
from domain.proposals import Proposal
from policies.permissions import PERMISSIONS

#: The parameters of the rules below. A grant is bound to their digest, so changing them voids what was granted.
RULES: dict[str, str] = {
    "requester": "may not sign, by any account, nor may anybody on whose behalf it was asked",
    "agents": "may not sign",
    "accounts_without_a_person": "may not sign",
    "person": "counts once",
    "signature": "is for one plan digest and one rehearsal of it, until it is taken back",
    "stand_in": "signs as itself, and not what the lender asked for",
    "broken_glass": "counts as every signature that the rules ask for",
}
#: More signatures than any rule asks for: what an emergency signature counts as.
EVERYBODY = 1_000_000


def may_sign(
    principal: Principal,
    proposal: Proposal,
    approvals: Iterable[Approval],
    *,
    roles: frozenset[Role] | None = None,
    requesters: Iterable[str] = (),
    lenders: Iterable[str] = (),
) -> None:
    """Return when `principal` may sign `proposal`'s plan, or say no to it.

    Args:
        principal: who wants to sign.
        proposal: what is to be signed.
        approvals: what was said of the proposal so far.
        roles: the roles in which the principal may sign, its own and lent ones; None: its own.
        requesters: the accounts and people who asked for the plan, beside the proposal's own `requester`.
        lenders: the accounts and people whose rights the principal would sign with.

    Raises:
        NotFound: the proposal belongs to another tenant.
        Refused: this account may never sign this proposal.
        Conflict: this person has signed this plan already.
    """
    if principal.tenant != proposal.tenant:
        raise NotFound(f"there is no proposal `{proposal.id}`; look into your inbox for those that there are")
    _can_sign_at_all(principal, signing_roles(principal) if roles is None else roles)
    own = {person_key(name) for name in (proposal.requester, *proposal.on_behalf_of, *requesters)} - {""}
    if own & {person_key(name) for name in _names(principal)}:
        raise Refused(f"`{principal.name}` asked for proposal `{proposal.id}`; another person must sign it")
    if own & {person_key(name) for name in lenders}:
        raise Refused(
            f"whoever `{principal.name}` stands in for asked for proposal `{proposal.id}`; another person must sign it"
        )
    if person_key(principal.person) in signers(proposal, approvals):
        raise Conflict(f"`{principal.person}` has signed this plan already; a second signature is another person's")


def signers(proposal: Proposal, approvals: Iterable[Approval]) -> frozenset[str]:
    """Return the distinct people who approved exactly this plan."""
    return frozenset(
        person_key(approval.person)
        for approval in approvals
        if counts(approval, proposal) and person_key(approval.person)
    )


def signature_count(proposal: Proposal, approvals: Iterable[Approval]) -> int:
    """Return the number of signatures that the book is told of: one per person; a broken glass counts as all."""
    given = tuple(approvals)
    if any(approval.broken_glass_id and counts(approval, proposal) for approval in given):
        return EVERYBODY
    return len(signers(proposal, given))


def counts(approval: Approval, proposal: Proposal) -> bool:
    """Say whether an approval is a yes to exactly this plan, on what the present rehearsal knows of it."""
    return (
        approval.choice is Choice.APPROVE
        and approval.revoked_at is None
        and approval.proposal_id == proposal.id
        and approval.plan_digest == proposal.plan_digest
        and approval.rehearsal_id == (proposal.rehearsal_id or "")
    )


def signing_roles(principal: Principal) -> frozenset[Role]:
    """Return the roles in which an account may sign by itself: those that whoever it acts for has, too."""
    own = frozenset(role for role in principal.roles if Permission.APPROVE in PERMISSIONS[role])
    return own & signing_roles(principal.behind) if principal.behind else own


def person_key(name: str) -> str:
    """Return the form in which names of people are compared, so that spelling makes nobody two people."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def is_agent(principal: Principal) -> bool:
    """Say whether an agent is, or acts through, this account."""
    if Role.AGENT in principal.roles or principal.name.startswith("agent:"):
        return True
    return principal.behind is not None and is_agent(principal.behind)


def _can_sign_at_all(principal: Principal, roles: frozenset[Role]) -> None:
    if is_agent(principal):
        raise Refused(f"`{principal.name}` is an agent, and agents sign nothing; ask a person with the approver role")
    if not roles:
        raise Refused(f"`{principal.name}` lacks the approver role; ask somebody who has it")
    if not person_key(principal.person):
        raise Refused(f"no person stands behind the account `{principal.name}`; sign with a personal account")


def _names(principal: Principal) -> set[str]:
    """Return every account and person that speaks when this account does."""
    behind = _names(principal.behind) if principal.behind else set[str]()
    return {principal.name, principal.person} | behind
