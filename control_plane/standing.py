"""Does a grant still stand? One answer for the last look before the first step, for each later step, and for a resend.

A grant is this plan, under these rules, on this state of the network, until it expires. Whatever of it does not
hold any more is named.
"""

from collections.abc import Iterable

from control_plane.approvals import changes
from control_plane.approvals.verdict import missing
from control_plane.gate import grant_id_of
from control_plane.judging import brief, judge
from control_plane.relevance import changed_facts
from control_plane.road import Road
from control_plane.tables import Tables
from domain.decisions import Ruling
from domain.gate import Grant
from domain.proposals import Proposal
from domain.rehearsal import Fact


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
    said = road.ledger.read(lambda tables: on_record(road, tables, proposal))
    return said or changed_facts(road, facts)


def on_record(road: Road, tables: Tables, proposal: Proposal) -> list[str]:
    """Return why the grant does not stand by what is recorded, or nothing: all but the state of the network.

    The transaction that consumes a right asks it again, so that nothing can come between: no freeze, no other book,
    no signature taken back.
    """
    grant = tables.grants.get(grant_id_of(proposal.id))
    if grant is None:
        return ["it has no grant"]
    if tables.seeded_cards.get(proposal.id) is not None:
        return ["it was made to test attention"]
    return (
        changes.reasons_against(tables, proposal)
        or _grant_reasons(road, grant, proposal)
        or _rule_reasons(road, tables, proposal)
    )


def _grant_reasons(road: Road, grant: Grant, proposal: Proposal) -> list[str]:
    now = road.clock.now()
    checks = {
        f"the grant expired at {grant.expires_at:%H:%M:%S}": now < grant.expires_at,
        f"the grant is of {grant.made_at:%H:%M:%S}, which is yet to come: the clock was set back": now >= grant.made_at,
        "the plan is not the one that was granted": grant.plan_digest == proposal.plan.digest,
        "the policy book changed since the grant": grant.policy_version == road.book.version,
        "the approval chain changed since the grant": grant.chain_version == road.chains.version,
        "a signature under it was taken back": grant.revoked_at is None,
        "it was rehearsed anew since the grant": grant.rehearsal_id == proposal.rehearsal_id,
    }
    return [reason for reason, holds in checks.items() if not holds]


def _rule_reasons(road: Road, tables: Tables, proposal: Proposal) -> list[str]:
    """Ask the book again, with the signatures that are really there."""
    about, now = brief(road, tables, proposal), road.clock.now()
    judgement = judge(road, about, now, about.signatures)
    if judgement.answer is Ruling.ALLOW:
        return missing(road, about, now)
    return [f"the rules now say {judgement.answer}: {rule.because} ({rule.id})" for rule in judgement.rules]
