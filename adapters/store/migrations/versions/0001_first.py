"""The first schema, as it was: shelves, records, outbox, and a table that named the schema's version.

A revision is history: it never changes, and reads nothing that may change.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

_SHELVES: dict[str, tuple[str, ...]] = {
    "alarms": ("identity", "resource", "incident_id", "cleared", "correlated", "planned_work_id", "source"),
    "batches": ("source", "last_event_time"),
    "quarantine": ("source", "rule"),
    "late": ("source",),
    "tallies": (),
    "cursors": (),
    "configured": (),
    "planned_work": ("change_id",),
    "freezes": (),
    "incidents": ("state", "tenant"),
    "evidence": ("incident_id", "element"),
    "diagnoses": ("incident_id",),
    "hand_offs": ("incident_id", "receiver"),
    "proposals": ("incident_id", "state", "requester"),
    "rehearsals": ("proposal_id",),
    "twin_states": (),
    "decisions": ("proposal_id",),
    "approvals": ("proposal_id", "person"),
    "grants": ("proposal_id",),
    "rights": ("grant_id",),
    "executions": ("proposal_id", "incident_id", "state"),
    "steps": ("execution_id", "state"),
    "tickets": ("incident_id", "status", "key", "cancel_key"),
    "principals": ("name",),
    "secrets": (),
}


def upgrade() -> None:
    """Make the tables of a new store."""
    for name, fields in _SHELVES.items():
        _shelf(name, fields)
    op.create_table(
        "record",
        sa.Column("tenant", _EXACT, primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "record_ref",
        sa.Column("tenant", _EXACT, primary_key=True),
        sa.Column("ref", _EXACT, primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    )
    op.create_table(
        "outbox",
        sa.Column("id", _EXACT, primary_key=True),
        sa.Column("topic", _EXACT, nullable=False),
        sa.Column("ref", _EXACT, nullable=False),
        sa.Column("due_at", _EXACT, nullable=False),
        sa.Column("hidden_until", _EXACT, nullable=False),
    )
    op.create_index("by_outbox_hidden_until", "outbox", ["hidden_until"])
    op.create_table(
        "nocturne_schema",
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("shape", sa.Text, nullable=False),
    )


def _shelf(name: str, fields: tuple[str, ...]) -> None:
    op.create_table(
        f"shelf_{name}",
        sa.Column("id", _EXACT, primary_key=True),
        *(sa.Column(field, _EXACT) for field in fields),
        sa.Column("body", sa.Text, nullable=False),
    )
    for field in fields:
        op.create_index(f"by_{name}_{field}", f"shelf_{name}", [field, "id"])
