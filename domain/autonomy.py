"""Autonomy that is earned: per agent, class of action, domain and blast band, from recorded outcomes."""

from collections.abc import Mapping
from enum import IntEnum, StrEnum

from pydantic import Field

from domain.actions import ActionClass
from domain.base import Stored, Utc, Word
from domain.blast import BlastScore
from domain.errors import BadInput
from domain.identity import NetworkDomain


class Level(IntEnum):
    """What an agent may do without a signature; the rules of the book say under which further conditions."""

    ADVISE = 0  # people sign every plan
    ACT_HARMLESS = 1  # acts alone where nobody is at risk
    ACT_NARROW = 2  # acts alone where few are at risk, too


class Band(StrEnum):
    """How much is put at risk by a plan, at any point, compared with doing nothing."""

    NONE = "none"  # nobody
    NARROW = "narrow"  # less than 5 cells and 3 customers
    WIDE = "wide"


def band_of(customers: int, cells: int) -> Band:
    """Return the blast band of so many customers and cells at risk."""
    if customers <= 0 and cells <= 0:
        return Band.NONE
    return Band.NARROW if customers < 3 and cells < 5 else Band.WIDE


#: The level that can be earned in each band: where many are at risk, people sign, for ever.
GOALS: Mapping[Band, Level] = {Band.NONE: Level.ACT_HARMLESS, Band.NARROW: Level.ACT_NARROW, Band.WIDE: Level.ADVISE}

#: Where autonomy can be earned. Paperwork proves nothing, and nobody earns the right to change models or levels.
EARNS = frozenset({NetworkDomain.RAN, NetworkDomain.TRANSPORT, NetworkDomain.CORE, NetworkDomain.POWER})


class Terms(Word):
    """What a level is given for, and on which terms it is used. They tighten as the level rises.

    The book's `network-needs-one` holds an agent that acts alone to `confidence`, `evidence_age` and `candidates`; a
    test keeps the two in step.
    """

    error_limit: float = Field(gt=0, lt=1, description="share of plans that may go wrong, at most")
    confidence: int = Field(ge=0, le=100, description="percent: how sure the cause must be, at least")
    evidence_age: int = Field(ge=0, description="seconds: how old the oldest evidence may be, at most")
    candidates: int = Field(ge=1, description="how many causes may still be possible, at most")
    review_share: float = Field(ge=0, le=1, description="share of plans carried out alone that a person looks at later")


TERMS: Mapping[Level, Terms] = {
    Level.ACT_HARMLESS: Terms(error_limit=0.05, confidence=80, evidence_age=900, candidates=3, review_share=0.10),
    Level.ACT_NARROW: Terms(error_limit=0.02, confidence=90, evidence_age=300, candidates=1, review_share=0.25),
}


class Ground(Word):
    """Where autonomy is earned: one class of action in one domain and blast band, for one agent."""

    agent: str
    action: ActionClass
    domain: NetworkDomain
    band: Band

    @property
    def key(self) -> str:
        return f"{self.agent}|{self.action}|{self.domain}|{self.band}"

    @property
    def goal(self) -> Level:
        """The level that can be earned here."""
        return GOALS[self.band] if self.domain in EARNS else Level.ADVISE

    @classmethod
    def parse(cls, key: str) -> "Ground":
        """Return the ground of a key. Raises BadInput."""
        parts = key.split("|")
        try:
            agent, action, domain, band = parts
            return cls(agent=agent, action=ActionClass(action), domain=NetworkDomain(domain), band=Band(band))
        except ValueError:
            raise BadInput(
                f"`{key[:200]}` names no ground; write it as `agent|action|domain|band` (`nocturne autonomy show`)"
            ) from None


def standing_id(tenant: str, ground: str) -> str:
    """Return the id of the standing of a tenant on a ground; it is also what `SetAutonomy` aims at."""
    return f"{tenant}|{ground}"


def parse_standing(id: str) -> tuple[str, Ground]:
    """Return tenant and ground of a standing's id. Raises BadInput."""
    tenant, _, key = id.partition("|")
    return tenant, Ground.parse(key)


class Credit(Stored):
    """What one plan says of its agent on one ground; `clean`: accepted unchanged, verified, not rolled back.

    A credit that does not `count` is kept to be seen: what healed by itself says nothing, either way.
    """

    tenant: str = "default"
    ground: str = Field(description="key of the ground")
    proposal_id: str
    execution_id: str = ""
    accepted_unchanged: bool
    verified: bool
    rolled_back: bool
    clean: bool
    counts: bool = True
    alone: bool = Field(description="it was carried out without a signature")
    because: str = ""
    known_at: Utc


class Standing(Stored):
    """The level on one ground, and the evidence that it rests on; the id is `tenant|key`.

    `outcomes` and `failures` are those since the evidence began, which it does anew with each demotion; `doubt` is
    the state of the watch on the limit (`stats.anytime.Watch`) since the level was given.
    """

    tenant: str = "default"
    ground: str
    level: Level = Level.ADVISE
    since: Utc
    because: str
    proposal_id: str = Field(default="", description="the signed proposal that promoted it")
    outcomes: int = Field(default=0, ge=0)
    failures: int = Field(default=0, ge=0)
    bound: float = Field(default=1.0, ge=0, le=1, description="anytime-valid upper bound of the share that goes wrong")
    demotions: int = Field(default=0, ge=0, description="each halves the chance of error that the next rise may have")
    watched: int = Field(default=0, ge=0, description="outcomes that `doubt` has seen")
    doubt: tuple[float, ...] = ()
    declined_at: int = Field(default=0, ge=0, description="outcomes when a person last said no to a rise")


class LevelMove(Stored):
    """One thing that was asked of a level, and what came of it: together, the history of a ground.

    The id is the idempotency key where an action moved it. `moved` is false where it was refused.
    """

    tenant: str = "default"
    ground: str
    level: Level
    previous: Level
    moved: bool
    because: str
    actor: str
    outcomes: int = 0
    failures: int = 0
    bound: float = 1.0
    made_at: Utc


class Waiver(Stored):
    """A signed exception that raises a level without the evidence, until it ends."""

    tenant: str = "default"
    ground: str
    level: Level
    account: str
    person: str
    because: str
    made_at: Utc
    ends_at: Utc
    revoked_at: Utc | None = None
    revoked_because: str = ""

    def holds(self, at: Utc) -> bool:
        """Say whether it is in force at a moment."""
        return self.revoked_at is None and self.made_at <= at < self.ends_at


class Disagreement(Stored):
    """A person and an agent wanted different things; the person won, and later it shows who was right."""

    tenant: str = "default"
    proposal_id: str
    incident_id: str
    requester: str
    plan_digest: str
    choice: str
    person: str
    because: str
    other_proposal_id: str = ""
    made_at: Utc
    outcome: str = ""
    known_at: Utc | None = None


class Claim(Word):
    """The evidence on one ground, held against what it would have to show for the level that can be earned there."""

    standing: str = Field(description="id of the standing")
    ground: Ground
    level: Level
    goal: Level
    outcomes: int
    failures: int
    bound: float
    limit: float
    chance: float = Field(description="that an agent over the limit ever gets this far")
    demotions: int = 0
    earned: bool
    newest_credit: str = ""
    oldest_known: Utc | None = None

    @property
    def told(self) -> str:
        """One sentence with the figures."""
        share = (
            f"at most {self.bound:.2%} go wrong, with {1 - self.chance:.3g} certainty"
            if self.outcomes
            else "no evidence"
        )
        return (
            f"{self.outcomes - self.failures} of {self.outcomes} outcomes clean: {share}; "
            f"{self.limit:.0%} may go wrong at level {int(self.goal)}"
        )


class Hindsight(Word):
    """What an agent would have done alone on the recorded past, had it had the level, and how that ended."""

    claim: Claim
    looked_at: int = Field(ge=0, description="past plans on this ground, the newest first, at most 200")
    alone: int = Field(ge=0, description="of these, the book would have let pass without a signature")
    ended: dict[str, int] = Field(default={}, description="what those came to: how often each")
    alone_wrong: int = Field(default=0, ge=0, description="of these, went wrong, or people said no")


class Realised(Stored):
    """What a plan was rehearsed to bring, held against what was measured; the id is the execution's."""

    tenant: str = "default"
    proposal_id: str
    requester: str
    classes: tuple[ActionClass, ...]
    expected_mbps: float = Field(description="traffic that was to be lost after the plan")
    low_mbps: float
    high_mbps: float
    level: float = Field(description="probability that the interval is to hold")
    nothing_mbps: float = Field(description="traffic that doing nothing was to lose")
    measured_mbps: float
    inside: bool
    blast: BlastScore | None = Field(
        default=None, exclude_if=lambda value: value is None, description="the whole blast radius, if one was rehearsed"
    )
    known_at: Utc
