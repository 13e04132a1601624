"""A shelf for what the interfaces of each region sent, hour by hour: what capacity is planned from."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the shelf."""
    op.create_table(
        "shelf_hourly_loads",
        sa.Column("id", _EXACT, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )
