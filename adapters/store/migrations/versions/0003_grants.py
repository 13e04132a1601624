"""Shelves for what makes a grant mean one thing: approvals, rosters, guards, autonomy, pins, checkpoints; and tenants.

Until here there was one tenant, so the new columns say `default` for all there is. The record can only grow: its rows
are neither changed nor taken away, but for the fields that a redaction empties.
"""

import json

import rfc8785
import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

_SHELVES: dict[str, tuple[str, ...]] = {
    "change_windows": ("tenant", "region"),
    "enquiries": ("proposal_id",),
    "delegations": ("tenant", "to_account", "from_account"),
    "change_records": ("tenant", "proposal_id", "state"),
    "broken_glass": ("tenant", "proposal_id"),
    "shifts": ("tenant", "role", "account"),
    "roster_gaps": ("tenant", "open"),
    "notices": ("tenant", "to_account", "ref", "kind"),
    "hand_overs": ("tenant", "to_account"),
    "viewings": ("tenant", "proposal_id", "person"),
    "seeded_cards": ("tenant", "shift", "shown_to"),
    "switches": ("tenant", "off"),
    "breakers": ("tenant", "state"),
    "usages": ("requester",),
    "influence_locks": ("tenant", "held"),
    "collisions": ("tenant", "proposal_id", "other_id"),
    "touches": ("tenant", "element"),
    "credits": ("tenant", "ground", "proposal_id"),
    "standings": ("tenant", "ground"),
    "level_moves": ("tenant", "ground"),
    "waivers": ("tenant", "ground"),
    "disagreements": ("tenant", "proposal_id", "incident_id", "requester"),
    "realised": ("tenant", "requester", "inside"),
    "pins": ("kind", "ref"),
    "tapes": (),
    "policy_books": (),
    "policy_in_force": (),
    "checkpoints": ("tenant",),
    "reviews": ("tenant", "kind", "ref"),
    "credentials": ("tenant", "account", "kind"),
}

#: Shelves that could not be searched by tenant before.
_TENANTS = ("alarms", "freezes", "planned_work", "principals", "proposals", "quarantine", "tickets")


def upgrade() -> None:
    """Add the shelves and the columns."""
    for name, fields in _SHELVES.items():
        op.create_table(
            f"shelf_{name}",
            sa.Column("id", _EXACT, primary_key=True),
            *(sa.Column(field, _EXACT) for field in fields),
            sa.Column("body", sa.Text, nullable=False),
        )
        for field in fields:
            op.create_index(f"by_{name}_{field}", f"shelf_{name}", [field, "id"])
    for name in _TENANTS:
        op.add_column(f"shelf_{name}", sa.Column("tenant", _EXACT))
        op.execute(sa.table(f"shelf_{name}", sa.column("tenant")).update().values(tenant="default"))
        op.create_index(f"by_{name}_tenant", f"shelf_{name}", ["tenant", "id"])
    op.add_column("record", sa.Column("fields", sa.LargeBinary))
    op.create_table(
        "redaction",
        sa.Column("tenant", _EXACT, primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("name", _EXACT, primary_key=True),
        sa.Column("starts", sa.BigInteger, nullable=False),
        sa.Column("stops", sa.BigInteger, nullable=False),
    )
    _part_records()
    for statement in _GUARDS_POSTGRESQL if op.get_bind().dialect.name == "postgresql" else _GUARDS_SQLITE:
        op.get_bind().exec_driver_sql(statement)


def _part_records() -> None:
    """Write the fields of every record apart from its envelope. What was altered before is left for verifying."""
    record = sa.table("record", *map(sa.column, ("tenant", "sequence", "body", "fields")))
    page = sa.select(record.c.tenant, record.c.sequence, record.c.body).where(record.c.fields.is_(None)).limit(500)
    here = (record.c.tenant == sa.bindparam("of"), record.c.sequence == sa.bindparam("at"))
    update = record.update().where(*here).values(body=sa.bindparam("envelope"), fields=sa.bindparam("parts"))
    connection = op.get_bind()
    while rows := connection.execute(page).all():
        parted = [(row.tenant, row.sequence, *_parted(bytes(row.body))) for row in rows]
        names = ("of", "at", "envelope", "parts")
        connection.execute(update, [dict(zip(names, each, strict=True)) for each in parted])


def _parted(body: bytes) -> tuple[bytes, bytes]:
    try:
        envelope = json.loads(body)
        if rfc8785.dumps(envelope) == body:
            fields = rfc8785.dumps(envelope.pop("fields"))
            return rfc8785.dumps(envelope), fields
    except (ValueError, TypeError, LookupError, AttributeError):
        pass
    return body, b""


_GUARDS_SQLITE = (
    # an INSERT OR REPLACE would take a row away and tell no trigger of deletes
    """
    CREATE TRIGGER record_is_appended BEFORE INSERT ON record
    WHEN NEW.sequence IS NOT 1 + coalesce((SELECT max(sequence) FROM record WHERE tenant = NEW.tenant), 0)
    BEGIN SELECT RAISE(ABORT, 'the record only grows: its rows are neither changed nor taken away'); END
    """,
    """
    CREATE TRIGGER record_is_kept BEFORE DELETE ON record
    BEGIN SELECT RAISE(ABORT, 'the record only grows: its rows are neither changed nor taken away'); END
    """,
    """
    CREATE TRIGGER record_is_unchanged BEFORE UPDATE ON record
    WHEN NEW.tenant IS NOT OLD.tenant OR NEW.sequence IS NOT OLD.sequence OR NEW.body IS NOT OLD.body OR NOT EXISTS (
        SELECT 1 FROM redaction AS r WHERE r.tenant = OLD.tenant AND r.sequence = OLD.sequence
        AND hex(substr(OLD.fields, r.starts + 1, 9)) = hex('{"salt":"')
        AND hex(NEW.fields) = hex(substr(OLD.fields, 1, r.starts)) || hex('{"salt":null,"value":null}')
            || hex(substr(OLD.fields, r.stops + 1))
    )
    BEGIN SELECT RAISE(ABORT, 'the record only grows: its rows are neither changed nor taken away'); END
    """,
    """
    CREATE TRIGGER redaction_is_appended BEFORE INSERT ON redaction
    WHEN EXISTS (
        SELECT 1 FROM redaction AS r
        WHERE r.tenant = NEW.tenant AND r.sequence = NEW.sequence AND r.name = NEW.name
    )
    BEGIN SELECT RAISE(ABORT, 'the record only grows: its rows are neither changed nor taken away'); END
    """,
    """
    CREATE TRIGGER redaction_is_kept BEFORE DELETE ON redaction
    BEGIN SELECT RAISE(ABORT, 'the record only grows: its rows are neither changed nor taken away'); END
    """,
    """
    CREATE TRIGGER redaction_is_unchanged BEFORE UPDATE ON redaction
    BEGIN SELECT RAISE(ABORT, 'the record only grows: its rows are neither changed nor taken away'); END
    """,
)

_GUARDS_POSTGRESQL = (
    """
    CREATE FUNCTION nocturne_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the record only grows: its rows are neither changed nor taken away'
            USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE FUNCTION nocturne_only_redacted() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.tenant = OLD.tenant AND NEW.sequence = OLD.sequence AND NEW.body = OLD.body AND EXISTS (
            SELECT 1 FROM redaction AS r WHERE r.tenant = OLD.tenant AND r.sequence = OLD.sequence
            AND substring(OLD.fields FROM r.starts::int + 1 FOR 9) = convert_to('{"salt":"', 'UTF8')
            AND NEW.fields = substring(OLD.fields FROM 1 FOR r.starts::int)
                || convert_to('{"salt":null,"value":null}', 'UTF8') || substring(OLD.fields FROM r.stops::int + 1)
        ) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'the record only grows: its rows are neither changed nor taken away'
            USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE TRIGGER record_is_unchanged BEFORE UPDATE ON record
    FOR EACH ROW EXECUTE FUNCTION nocturne_only_redacted()
    """,
    """
    CREATE TRIGGER record_is_kept BEFORE DELETE ON record
    FOR EACH ROW EXECUTE FUNCTION nocturne_only_grows()
    """,
    """
    CREATE TRIGGER record_is_never_emptied BEFORE TRUNCATE ON record
    FOR EACH STATEMENT EXECUTE FUNCTION nocturne_only_grows()
    """,
    """
    CREATE TRIGGER redaction_is_kept BEFORE UPDATE OR DELETE ON redaction
    FOR EACH ROW EXECUTE FUNCTION nocturne_only_grows()
    """,
    """
    CREATE TRIGGER redaction_is_never_emptied BEFORE TRUNCATE ON redaction
    FOR EACH STATEMENT EXECUTE FUNCTION nocturne_only_grows()
    """,
)
