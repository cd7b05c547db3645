"""What size of door a parcel took, and whether there was none: a site's rhythm by size (A-15)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("parcel", sa.Column("door_size", sa.String(length=2), server_default="", nullable=False))
    op.add_column("parcel", sa.Column("no_door", sa.Boolean(), server_default=sa.text("false"), nullable=False))


def downgrade() -> None:
    op.drop_column("parcel", "no_door")
    op.drop_column("parcel", "door_size")
