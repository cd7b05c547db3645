"""A badge has a PIN on top, and an end; a courier's names the carrier."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("roster", sa.Column("carrier", sa.String(length=32), server_default="", nullable=False))
    op.add_column("roster", sa.Column("pin", sa.String(length=64), server_default="", nullable=False))
    op.add_column("roster", sa.Column("valid_until_ms", sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("roster", "valid_until_ms")
    op.drop_column("roster", "pin")
    op.drop_column("roster", "carrier")
