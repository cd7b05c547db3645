"""Until when an extension at the site holds a parcel."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("parcel", sa.Column("held_until_ms", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("parcel", "held_until_ms")
