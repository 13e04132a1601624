"""Chains of approval: which people sign a plan, how many of them, and in which order.

A chain is a readable file of `policies/chains`. The first one (by file name) whose `when` fits any step of a plan is
the plan's; the last has no `when` and takes the rest. Its stages are filled in order: a signature counts in the stage
that is open when it is given, and one human counts once in the whole chain. The policy book says *how many* people
must sign; what it asks for beyond the stages' own counts is signed in the last stage.

`progress` is a pure function of the chain, the proposal and what was signed, so it can be replayed.
"""

from collections.abc import Iterable, Sequence

from pydantic import Field

from domain.actions import ActionClass, Harm
from domain.autonomy import Band
from domain.base import Word
from domain.gate import Approval
from domain.identity import NetworkDomain, Role
from domain.proposals import Proposal
from policies.chain import counts, person_key
from policies.question import Question

_MOST = 9


class When(Word):
    """All of these hold for one step of the plan; what is empty or not given is not asked about."""

    irreversible: bool | None = None
    harm: frozenset[Harm] = frozenset()
    bands: frozenset[Band] = frozenset()
    classes: frozenset[ActionClass] = frozenset()
    domains: frozenset[NetworkDomain] = frozenset()
    regions: frozenset[str] = frozenset()

    def fits(self, step: Question) -> bool:
        """Say whether a step, with what is known of it, is meant."""
        if self.irreversible is not None and self.irreversible is step.reversible:
            return False
        asked: tuple[tuple[frozenset[str], str], ...] = (
            (frozenset(self.harm), step.harm),
            (frozenset(self.bands), step.band),
            (frozenset(self.classes), step.action),
            (frozenset(self.domains), step.domain),
            (self.regions, step.region),
        )
        return all(not wanted or value in wanted for wanted, value in asked)


class Stage(Word):
    """`count` people, each in one of `roles`; where `of` names accounts or persons, only these."""

    id: str = Field(min_length=1, max_length=64)
    roles: tuple[Role, ...] = Field(min_length=1, max_length=_MOST)
    count: int = Field(ge=1, le=_MOST)
    of: tuple[str, ...] = Field(default=(), max_length=64)

    def takes(self, role: str, account: str, person: str) -> bool:
        """Say whether a signature in this role, by this account of this person, belongs here."""
        named = {person_key(name) for name in self.of}
        return role in self.roles and (not named or bool(named & {person_key(account), person_key(person)}))


class Chain(Word):
    id: str = Field(min_length=1, max_length=64)
    because: str = Field(min_length=1, max_length=500)
    when: tuple[When, ...] = Field(default=(), max_length=64)
    stages: tuple[Stage, ...] = Field(validation_alias="stage", min_length=1, max_length=_MOST)

    def takes(self, steps: Sequence[Question]) -> bool:
        """Say whether this chain is for a plan of these steps."""
        return not self.when or any(when.fits(step) for when in self.when for step in steps)

    def roles(self) -> frozenset[Role]:
        """Return every role that may sign somewhere in it."""
        return frozenset(role for stage in self.stages for role in stage.roles)


class StageProgress(Word):
    """A stage as it stands: who signed in it, and how many more must."""

    stage: Stage
    needs: int
    signed_by: tuple[str, ...] = ()

    @property
    def missing(self) -> int:
        return max(0, self.needs - len(self.signed_by))


class Progress(Word):
    """A chain as it stands for one plan. `broken_glass_id`: an emergency signature stands for all stages."""

    chain: str
    because: str
    stages: tuple[StageProgress, ...]
    broken_glass_id: str = ""

    @property
    def open(self) -> StageProgress | None:
        """The stage that the next signature belongs to; None when every stage is full."""
        if self.broken_glass_id:
            return None
        return next((stage for stage in self.stages if stage.missing), None)

    @property
    def full(self) -> bool:
        return self.open is None

    @property
    def last(self) -> StageProgress:
        return self.stages[-1]


def progress(
    chain: Chain, proposal: Proposal, approvals: Iterable[Approval], needed: int | None = None, *, extra: int = 0
) -> Progress:
    """Return how far the signatures fill a chain's stages. One more signature never empties a stage.

    Args:
        chain: the plan's chain.
        proposal: the plan as it stands.
        approvals: what was said of it; looked at is what counts for exactly this plan, in the order of saying it.
        needed: how many people the policy book asks for; None where no number of them is enough.
        extra: people beyond that, for example because a shift misses too much.
    """
    given = sorted((a for a in approvals if counts(a, proposal)), key=lambda a: (a.turn, a.made_at, a.id))
    asked = [stage.count for stage in chain.stages]
    asked[-1] = max(asked[-1], (needed or 0) - sum(asked[:-1])) + max(0, extra)
    signed: list[list[str]] = [[] for _ in chain.stages]
    seen: set[str] = set()
    at = 0
    for approval in given:
        while at < len(asked) and len(signed[at]) >= asked[at]:
            at += 1
        place, key = min(at, len(asked) - 1), person_key(approval.person)
        role = approval.role or Role.APPROVER  # what was signed before roles were kept was signed by approvers
        if key and key not in seen and chain.stages[place].takes(role, approval.account, approval.person):
            signed[place].append(approval.person)
            seen.add(key)
    glass = next((approval.broken_glass_id for approval in given if approval.broken_glass_id), "")
    stages = tuple(
        StageProgress(stage=stage, needs=needs, signed_by=tuple(people))
        for stage, needs, people in zip(chain.stages, asked, signed, strict=True)
    )
    return Progress(chain=chain.id, because=chain.because, stages=stages, broken_glass_id=glass)
