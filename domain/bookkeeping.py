"""Small words of our own bookkeeping: hand-offs, quarantine, tallies, cursors, what is configured, tickets, secrets."""

from domain.base import Stored, Utc


class HandOff(Stored):
    """The control plane's ticket for a message from one agent to another; without one, a message is refused."""

    incident_id: str
    sender: str
    receiver: str
    subject: str
    made_at: Utc


class Quarantined(Stored):
    """Something bad that came in, kept as it came (shortened), with the rule it broke and the value that broke it."""

    tenant: str = "default"
    source: str
    rule: str
    reason: str
    value: str
    payload: str
    known_time: Utc


class LateArrival(Stored):
    """Something that came after the lateness bound: kept aside and counted, not lost."""

    source: str
    payload: str
    event_time: Utc
    known_time: Utc


class Tally(Stored):
    """What one source sent. Always `received == kept + late + rejected`; repeats are part of kept."""

    tenant: str = "default"
    received: int = 0
    kept: int = 0
    late: int = 0
    rejected: int = 0
    repeats: int = 0
    last_known: Utc | None = None


class Cursor(Stored):
    """How far a feed has been read; moved in the transaction that stores what was read."""

    position: int


class Configured(Stored):
    """What an element was last heard to be configured to; the id is `element:attribute`."""

    element: str
    attribute: str
    value: str
    event_time: Utc


class Ticket(Stored):
    """A trouble ticket (TMF621 states); `key` is the idempotency key that opened it, `cancel_key` what ended it."""

    tenant: str = "default"
    key: str
    cancel_key: str = ""
    incident_id: str
    status: str
    severity: str
    description: str
    created_at: Utc
    status_changed_at: Utc


class TwinState(Stored):
    """A snapshot of the twin that a decision rests on; its id is its digest."""

    inventory_digest: str
    body: str
    made_at: Utc


class Secret(Stored):
    """What is kept of an account's secret: its SHA-256. The id is the account's; the secret itself is kept nowhere."""

    hash: str
    made_at: Utc
    revoked_at: Utc | None = None
