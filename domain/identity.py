"""Who is asking: people, agents and machines, with roles. Nobody has a right that no role gives."""

from enum import StrEnum

from domain.base import Stored


class Role(StrEnum):
    VIEWER = "viewer"  # reads
    OPERATOR = "operator"  # reads, stops plans, declares planned work
    APPROVER = "approver"  # says yes or no to proposals
    AUDITOR = "auditor"  # reads and verifies the record
    FEED = "feed"  # a machine that sends alarms
    AGENT = "agent"  # proposes; never approves


class Principal(Stored):
    """An account. `person` is the human behind it, empty for machines and agents."""

    name: str
    person: str = ""
    roles: frozenset[Role]
    tenant: str = "default"
