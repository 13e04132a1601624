"""What is claimed for an agent, from the record: the evidence on a ground, and the past had it had the level."""

from collections import Counter

from control_plane.autonomy import record
from control_plane.autonomy.standing import standing_of
from control_plane.judging import ask, brief
from control_plane.ports import Ledger
from control_plane.road import Road
from control_plane.tables import Tables
from domain.autonomy import Claim, Credit, Hindsight, parse_standing
from domain.clock import Clock
from domain.decisions import Ruling
from domain.errors import NotFound
from policies.engine import judge_plan

#: So many past plans are decided again.
_MOST = 200


def claim_of(tables: Tables, standing: str, clock: Clock) -> Claim:
    """Return the claim on a ground. Raises BadInput when the id is no standing's."""
    tenant, ground = parse_standing(standing)
    held = standing_of(tables, tenant, ground, clock.now())
    terms = record.terms_of(ground)
    newest = tables.credits.find(tenant=tenant, ground=ground.key, newest=True, limit=1)
    return Claim(
        standing=standing,
        ground=ground,
        level=held.level,
        goal=ground.goal,
        outcomes=held.outcomes,
        failures=held.failures,
        bound=held.bound,
        limit=terms.error_limit if terms else 0.0,
        chance=record.chance(held),
        demotions=held.demotions,
        earned=record.earned(held, ground),
        newest_credit=newest[0].id if newest else "",
        oldest_known=newest[0].known_at if newest else None,
    )


class RecordedAutonomy:
    """The `autonomy` tool of agents: reads the ledger of credit, changes nothing."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock

    def earnings(self, standing: str) -> Claim:
        """Return the evidence on a ground as it stands. Raises BadInput when the id is no standing's."""
        return self._ledger.read(lambda tables: claim_of(tables, standing, self._clock))


def hindsight(road: Road, standing: str, level: int) -> Hindsight:
    """Return the claim, and what would have been done alone on the recorded past with this level.

    Each past plan of the agent on this ground is judged again by the book of today, without a signature, on what was
    known of it when it was judged.
    """
    tenant, ground = parse_standing(standing)
    clock = road.clock

    def read(tables: Tables) -> Hindsight:
        past = tables.credits.find(tenant=tenant, ground=ground.key, newest=True, limit=_MOST)
        passed = [credit for credit in past if _alone(road, tables, credit, level)]
        return Hindsight(
            claim=claim_of(tables, standing, clock),
            looked_at=len(past),
            alone=len(passed),
            ended=dict(sorted(Counter(credit.because for credit in passed).items())),
            alone_wrong=sum(credit.counts and not credit.clean for credit in passed),
        )

    return road.ledger.read(read)


def _alone(road: Road, tables: Tables, credit: Credit, level: int) -> bool:
    """Say whether the book would have let a past plan pass without a signature, had the agent had this level."""
    proposal = tables.proposals.get(credit.proposal_id)
    decision = tables.decisions.get(proposal.decision_id or "") if proposal else None
    if proposal is None or decision is None:
        return False
    try:
        about = brief(road, tables, proposal).but(approvals=())
        asked = tuple(question.but(autonomy=level, requester_signed=False) for question in ask(about, decision.made_at))
    except NotFound:
        return False
    return judge_plan(road.book, asked, 0).answer is Ruling.ALLOW


def told(found: Hindsight) -> str:
    """Return the two figures that a person signs on, in words."""
    ends = ", ".join(f"{count} {end}" for end, count in found.ended.items()) or "none of them"
    return (
        f"{found.claim.told}; of the last {found.looked_at} plans it would have carried out {found.alone} alone: {ends}"
    )


def objections(found: Hindsight, level: int, previous: int) -> tuple[str, ...]:
    """Return what speaks against setting this level now, or nothing. Lowering needs no evidence."""
    claim = found.claim
    against = {
        f"this ground is at level {level} already; ask for another": level == previous,
        f"the level here is {int(claim.level)}, not {previous}; ask with what stands": previous != claim.level,
    }
    if level > claim.level:
        against |= {
            f"the level that can be earned here is {int(claim.goal)}: people sign where more is at risk": (
                level != claim.goal
            ),
            f"the evidence is not enough: {claim.told}": not claim.earned,
        }
    return tuple(reason for reason, applies in against.items() if applies)
