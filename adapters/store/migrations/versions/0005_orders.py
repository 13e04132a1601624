"""A shelf for service orders."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_FIELDS = ("tenant", "incident_id", "cancel_id", "external_id")


def upgrade() -> None:
    """Add the shelf."""
    op.create_table(
        "shelf_orders",
        sa.Column("id", _EXACT, primary_key=True),
        *(sa.Column(field, _EXACT) for field in _FIELDS),
        sa.Column("body", sa.Text, nullable=False),
    )
    for field in _FIELDS:
        op.create_index(f"by_orders_{field}", "shelf_orders", [field, "id"])
