"""What the tables look like. Every shelf of `SHELVES` becomes one table; the rest is four tables of our own.

A shelf's table has the id, one indexed column per searchable field, and the whole word as JSON text. The columns only
serve the search: what is read back is the JSON. The record table keeps each record as canonical JSON bytes, so that one
altered byte is one altered record. Ids and searched texts sort and compare by code point on every database.
"""

import sqlalchemy as sa

from control_plane.tables import SHELVES, Shelved
from domain.canonical import digest

#: Raised whenever stored bodies are to be read differently than before.
VERSION = 1

METADATA = sa.MetaData()

_Exact = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _shelf(name: str, shelved: Shelved) -> sa.Table:
    fields = shelved.searchable
    return sa.Table(
        f"shelf_{name}",
        METADATA,
        sa.Column("id", _Exact, primary_key=True),
        *(sa.Column(field, _Exact) for field in fields),
        sa.Column("body", sa.Text, nullable=False),
        *(sa.Index(f"by_{name}_{field}", field, "id") for field in fields),
    )


SHELF_TABLES: dict[str, sa.Table] = {name: _shelf(name, shelved) for name, shelved in SHELVES.items()}

RECORDS = sa.Table(
    "record",
    METADATA,
    sa.Column("tenant", _Exact, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)

#: Which record mentions what: an index for the forensic query, never the authority.
REFS = sa.Table(
    "record_ref",
    METADATA,
    sa.Column("tenant", _Exact, primary_key=True),
    sa.Column("ref", _Exact, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
)

#: `hidden_until` starts as `due_at` and is moved on by a lease: what lies before now may be taken.
OUTBOX = sa.Table(
    "outbox",
    METADATA,
    sa.Column("id", _Exact, primary_key=True),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("ref", sa.Text, nullable=False),
    sa.Column("due_at", _Exact, nullable=False),
    sa.Column("hidden_until", _Exact, nullable=False),
    sa.Index("by_outbox_hidden_until", "hidden_until"),
)

SCHEMA = sa.Table(
    "nocturne_schema",
    METADATA,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("shape", sa.Text, nullable=False),
)


def shape() -> str:
    """Return a digest of all table and column names: a store of another shape is refused even at the same version."""
    return digest({table.name: [column.name for column in table.columns] for table in METADATA.sorted_tables})
