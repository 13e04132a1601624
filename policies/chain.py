"""Who may sign a plan, and whose signatures count.

People sign, once each, for a plan that somebody else asked for. An account is not a person: two accounts of
one person are one signature, and a machine's account is none.
"""

import unicodedata
from collections.abc import Iterable

from domain.canonical import digest
from domain.errors import Conflict, NotFound, Refused
from domain.gate import Approval, Choice
from domain.identity import Principal, Role
from domain.proposals import Proposal

#: The parameters of the rules below. A grant is bound to their digest, so changing them voids what was granted.
RULES: dict[str, str] = {
    "role": Role.APPROVER.value,
    "requester": "may not sign, by any account",
    "agents": "may not sign",
    "accounts_without_a_person": "may not sign",
    "person": "counts once",
    "signature": "is for one plan digest and one rehearsal of it",
}
CHAIN_VERSION = digest(RULES)


def may_sign(
    principal: Principal, proposal: Proposal, approvals: Iterable[Approval], *, requester_person: str = ""
) -> None:
    """Return when `principal` may sign `proposal`'s plan.

    Args:
        principal: who wants to sign.
        proposal: what is to be signed.
        approvals: what was said of the proposal so far.
        requester_person: the human behind the requester's account, where there is one.

    Raises:
        NotFound: the proposal belongs to another tenant.
        Refused: this account may never sign this proposal.
        Conflict: this person has signed this plan already.
    """
    if principal.tenant != proposal.tenant:
        raise NotFound(f"there is no proposal `{proposal.id}`; look into your inbox for those that there are")
    _can_sign_at_all(principal)
    own = {_person(proposal.requester), _person(requester_person)} - {""}
    if own & {_person(principal.name), _person(principal.person)}:
        raise Refused(f"`{principal.name}` asked for proposal `{proposal.id}`; another person must sign it")
    if _person(principal.person) in signers(proposal, approvals):
        raise Conflict(f"`{principal.person}` has signed this plan already; a second signature is another person's")


def signers(proposal: Proposal, approvals: Iterable[Approval]) -> frozenset[str]:
    """Return the distinct people who approved exactly this plan; their number is the count of signatures."""
    return frozenset(
        _person(approval.person) for approval in approvals if counts(approval, proposal) and _person(approval.person)
    )


def counts(approval: Approval, proposal: Proposal) -> bool:
    """Say whether an approval is a yes to exactly this plan, on what the present rehearsal knows of it."""
    return (
        approval.choice is Choice.APPROVE
        and approval.proposal_id == proposal.id
        and approval.plan_digest == proposal.plan_digest
        and approval.rehearsal_id == (proposal.rehearsal_id or "")
    )


def _can_sign_at_all(principal: Principal) -> None:
    if Role.AGENT in principal.roles or principal.name.startswith("agent:"):
        raise Refused(f"`{principal.name}` is an agent, and agents sign nothing; ask a person with the approver role")
    if Role.APPROVER not in principal.roles:
        raise Refused(f"`{principal.name}` lacks the approver role; ask somebody who has it")
    if not _person(principal.person):
        raise Refused(f"no person stands behind the account `{principal.name}`; sign with a personal account")


def _person(name: str) -> str:
    """Return the form in which names of people are compared, so that spelling makes nobody two people."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
