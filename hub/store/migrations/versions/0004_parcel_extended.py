"""How often the hold of a parcel was extended at its site."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("parcel", sa.Column("extended", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("parcel", "extended")
