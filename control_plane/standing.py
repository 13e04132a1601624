"""Does a grant still stand? One answer for the last look before the first step, for each later step, and for a resend.

A grant is this plan, under these rules, on this state of the network, until it expires. Whatever of it does not
hold any more is named.
"""

from collections.abc import Iterable

from control_plane.gate import grant_id_of
from control_plane.judging import brief, judge
from control_plane.relevance import changed_facts
from control_plane.road import Road
from domain.decisions import Ruling
from domain.gate import Grant
from domain.proposals import Proposal
from domain.rehearsal import Fact
from policies.chain import CHAIN_VERSION


def grant_of(road: Road, proposal: Proposal) -> Grant | None:
    """Return the proposal's grant, or None."""
    return road.ledger.read(lambda tables: tables.grants.get(grant_id_of(proposal.id)))


def reasons_against(road: Road, proposal: Proposal, facts: Iterable[Fact]) -> list[str]:
    """Return why the grant does not cover the next step, or nothing.

    Args:
        road: the present.
        proposal: what was granted.
        facts: what the rehearsal read that must hold before this step.
    """
    grant = grant_of(road, proposal)
    if grant is None:
        return ["it has no grant"]
    return _grant_reasons(road, grant, proposal) or _rule_reasons(road, proposal) or changed_facts(road, facts)


def _grant_reasons(road: Road, grant: Grant, proposal: Proposal) -> list[str]:
    checks = {
        f"the grant expired at {grant.expires_at:%H:%M:%S}": road.clock.now() < grant.expires_at,
        "the plan is not the one that was granted": grant.plan_digest == proposal.plan.digest,
        "the policy book changed since the grant": grant.policy_version == road.book.version,
        "the approval chain changed since the grant": grant.chain_version == CHAIN_VERSION,
        "it was rehearsed anew since the grant": grant.rehearsal_id == proposal.rehearsal_id,
    }
    return [reason for reason, holds in checks.items() if not holds]


def _rule_reasons(road: Road, proposal: Proposal) -> list[str]:
    """Ask the book again, with the signatures that are really there."""
    about = road.ledger.read(lambda tables: brief(road, tables, proposal))
    judgement = judge(road, about, road.clock.now(), about.signatures)
    if judgement.answer is Ruling.ALLOW:
        return []
    return [f"the rules now say {judgement.answer}: {rule.because} ({rule.id})" for rule in judgement.rules]
