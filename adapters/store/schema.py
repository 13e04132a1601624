"""What the tables look like. Every shelf of `SHELVES` becomes one table; the rest is three tables of our own.

A shelf's table has the id, one indexed column per searchable field, and the whole word as JSON text. The columns only
serve the search: what is read back is the JSON. The record table keeps each record as canonical JSON bytes, so that one
altered byte is one altered record: the envelope, which the database itself lets nobody change, and the fields, of which
a row in the redaction table allows one to be emptied. Ids and searched texts sort and compare by code point on every
database.

This is what the program expects; how a store comes to it is said in `migrations`. A test compares the two: who changes
a shelf adds a revision.
"""

import sqlalchemy as sa

from adapters.store.texts import Exact
from control_plane.tables import SHELVES, Shelved

METADATA = sa.MetaData()

#: The table in which a store says which revision of `migrations` it has.
REVISIONS = "nocturne_revision"


def _shelf(name: str, shelved: Shelved) -> sa.Table:
    fields = shelved.searchable
    return sa.Table(
        f"shelf_{name}",
        METADATA,
        sa.Column("id", Exact, primary_key=True),
        *(sa.Column(field, Exact) for field in fields),
        sa.Column("body", sa.Text, nullable=False),
        *(sa.Index(f"by_{name}_{field}", field, "id") for field in fields),
    )


SHELF_TABLES: dict[str, sa.Table] = {name: _shelf(name, shelved) for name, shelved in SHELVES.items()}

RECORDS = sa.Table(
    "record",
    METADATA,
    sa.Column("tenant", Exact, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("fields", sa.LargeBinary),
)

#: Which bytes of a record's fields were emptied. A trigger lets them go, and no others; this table only grows, too.
REDACTIONS = sa.Table(
    "redaction",
    METADATA,
    sa.Column("tenant", Exact, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", Exact, primary_key=True),
    sa.Column("starts", sa.BigInteger, nullable=False),
    sa.Column("stops", sa.BigInteger, nullable=False),
)

#: Which record mentions what: an index for the forensic query, never the authority.
REFS = sa.Table(
    "record_ref",
    METADATA,
    sa.Column("tenant", Exact, primary_key=True),
    sa.Column("ref", Exact, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
)

#: `hidden_until` starts as `due_at` and is moved on by a lease: what lies before now may be taken.
OUTBOX = sa.Table(
    "outbox",
    METADATA,
    sa.Column("id", Exact, primary_key=True),
    sa.Column("topic", Exact, nullable=False),
    sa.Column("ref", Exact, nullable=False),
    sa.Column("due_at", Exact, nullable=False),
    sa.Column("hidden_until", Exact, nullable=False),
    sa.Index("by_outbox_hidden_until", "hidden_until"),
)
