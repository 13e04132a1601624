"""Shelves for models, and what an incident is about.

Until here every incident was about the network and said nothing of it, so the new column is the same for all of them.
The table that named the schema's version goes: revisions do that now.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

_SHELVES: dict[str, tuple[str, ...]] = {
    "model_versions": ("slot", "status"),
    "model_moves": ("slot", "state"),
    "model_outcomes": ("slot", "version", "incident_id"),
}


def upgrade() -> None:
    """Add the shelves for models and the column of incidents."""
    for name, fields in _SHELVES.items():
        op.create_table(
            f"shelf_{name}",
            sa.Column("id", _EXACT, primary_key=True),
            *(sa.Column(field, _EXACT) for field in fields),
            sa.Column("body", sa.Text, nullable=False),
        )
        for field in fields:
            op.create_index(f"by_{name}_{field}", f"shelf_{name}", [field, "id"])
    op.add_column("shelf_incidents", sa.Column("about", _EXACT))
    op.execute("UPDATE shelf_incidents SET about = 'network'")
    op.create_index("by_incidents_about", "shelf_incidents", ["about", "id"])
    op.drop_table("nocturne_schema")
