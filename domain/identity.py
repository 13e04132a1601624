"""Who is asking: people, agents and machines, with roles and a scope. Nobody has a right that no role gives."""

from enum import StrEnum
from typing import Self

from pydantic import Field

from domain.base import Stored, Utc, Word

#: The tenant that runs the house: what the network itself says, and the models, are its own.
HOUSE = "default"

#: In a scope: whatever there is.
ANY = "*"
ANYTHING = frozenset({ANY})


class Role(StrEnum):
    VIEWER = "viewer"  # reads
    NOC = "noc"  # reads, declares planned work, asks
    OPERATOR = "operator"  # NOC operator: stops plans, settles doubt, closes incidents
    ENGINEER = "engineer"  # domain engineer: changes plans, signs in technical stages
    APPROVER = "approver"  # says yes or no to proposals
    CHANGE_MANAGER = "change_manager"  # freezes, windows, the last stage of what can hurt badly
    ML_ENGINEER = "ml_engineer"  # models: their changes and their record
    TENANT_OWNER = "tenant_owner"  # accounts and rosters of one tenant
    ADMIN = "admin"  # accounts, books, switches; signs nothing by that
    AUDITOR = "auditor"  # reads, verifies and exports the record
    FEED = "feed"  # a machine that sends alarms
    AGENT = "agent"  # proposes; never approves


class Permission(StrEnum):
    """One thing that can be asked of the house. Which role has which is said in `policies.permissions`."""

    READ = "read"  # incidents, proposals, alarms, tickets, models, state
    READ_ALARMS = "read_alarms"  # alarms alone: what a feed may see of what it sent
    READ_RECORD = "read_record"  # the audit record, and verifying it
    SEND = "send"  # alarms and readings
    PROPOSE = "propose"  # ask for a plan
    ORDER = "order"  # order a circuit or a slice, and take it back
    APPROVE = "approve"  # approve, reject, change, defer, ask
    STOP = "stop"  # stop a plan in flight
    SETTLE = "settle"  # say what became of a step in doubt
    CLOSE = "close"  # close an incident by hand
    DECLARE = "declare"  # planned work
    FREEZE = "freeze"  # freezes and change windows
    SWITCH_OFF = "switch_off"  # pull a kill switch
    SWITCH_ON = "switch_on"  # release one, close a breaker
    DELEGATE = "delegate"  # hand a part of one's own rights to somebody
    KEEP_ROSTER = "keep_roster"  # who is on call
    BREAK_GLASS = "break_glass"  # sign alone in an emergency
    REVIEW = "review"  # review what was done by broken glass
    KEEP_POLICY = "keep_policy"  # load another book
    WAIVE = "waive"  # sign a waiver that raises autonomy for a while
    REDACT = "redact"  # take a field out of the record
    EXPORT = "export"  # take the record out
    KEEP_KEYS = "keep_keys"  # renew the key that signs the record
    KEEP_ACCOUNTS = "keep_accounts"  # make and end accounts
    SEED = "seed"  # put cards that test attention before approvers


class NetworkDomain(StrEnum):
    """The parts of the house's world that people and agents are responsible for."""

    RAN = "ran"
    TRANSPORT = "transport"
    CORE = "core"
    POWER = "power"
    TICKETS = "tickets"
    MODELS = "models"
    AUTONOMY = "autonomy"


_DOMAIN_OF_KIND: dict[str, NetworkDomain] = {
    "cell": NetworkDomain.RAN,
    "gnb": NetworkDomain.RAN,
    "site": NetworkDomain.RAN,
    "core": NetworkDomain.CORE,
    "power": NetworkDomain.POWER,
    "incident": NetworkDomain.TICKETS,
    "model_slot": NetworkDomain.MODELS,
    "autonomy": NetworkDomain.AUTONOMY,
}


def domain_of(kind: str) -> NetworkDomain:
    """Return the domain that elements of a kind belong to; what is not known to be elsewhere is transport."""
    return _DOMAIN_OF_KIND.get(kind, NetworkDomain.TRANSPORT)


class Bound(Word):
    """What one argument of an action may be: one of `allowed`, or a number from `low` to `high`."""

    argument: str = Field(min_length=1, max_length=64)
    allowed: frozenset[str] = frozenset()
    low: float | None = None
    high: float | None = None

    def permits(self, value: object) -> bool:
        """Say whether the argument may have this value; what is neither listed nor in range may not."""
        if str(value) in self.allowed:
            return True
        if (self.low is None and self.high is None) or isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


class Scope(Word):
    """Where a right holds: regions, domains and device classes (`*`: any; empty: none), and bounds on arguments.

    Several bounds on one argument must all permit it.
    """

    regions: frozenset[str] = ANYTHING
    domains: frozenset[str] = ANYTHING
    kinds: frozenset[str] = ANYTHING
    bounds: tuple[Bound, ...] = ()

    def covers(self, *, region: str, domain: str = "", kind: str = "") -> bool:
        """Say whether something of this region, domain and kind lies inside; an empty text is not asked about."""
        asked = ((self.regions, region), (self.domains, domain), (self.kinds, kind))
        return all(not value or ANY in held or value in held for held, value in asked)

    def lesser(self, other: "Scope") -> "Scope":
        """Return what lies in both scopes."""
        return Scope(
            regions=_both(self.regions, other.regions),
            domains=_both(self.domains, other.domains),
            kinds=_both(self.kinds, other.kinds),
            bounds=tuple(dict.fromkeys((*self.bounds, *other.bounds))),
        )

    def within(self, other: "Scope") -> bool:
        """Say whether this scope holds nothing that `other` does not hold."""
        return self.lesser(other).but(bounds=self.bounds) == self and set(other.bounds) <= set(self.bounds)


EVERYWHERE = Scope()


def _both(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    if ANY in one:
        return other
    return one if ANY in other else one & other


class Principal(Stored):
    """An account. `person` is the human behind it, empty for machines and agents.

    `behind` is the account on whose behalf this one acts: it then has only what both have.
    `authenticated_at` is when the caller last proved who it is; None where that is not known.
    """

    name: str
    person: str = ""
    roles: frozenset[Role]
    tenant: str = "default"
    scope: Scope = EVERYWHERE
    behind: Self | None = None
    authenticated_at: Utc | None = None

    @property
    def chain(self) -> tuple[str, ...]:
        """Who acts, then on whose behalf, to the end."""
        return (self.name, *(self.behind.chain if self.behind else ()))

    @property
    def on_behalf_of(self) -> dict[str, tuple[str, ...]]:
        """For whom it acts, as a field of a record; nothing when it acts for itself."""
        return {"on_behalf_of": self.chain[1:]} if self.behind else {}
