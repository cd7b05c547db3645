"""A parcel that turned out to be another one leads to it (ADR 0007)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("parcel", sa.Column("joined_into", sa.String(length=13), nullable=True))
    op.add_column("parcel", sa.Column("joined_version", sa.Integer(), server_default="0", nullable=False))
    op.create_index(
        "ix_parcel_joined_into",
        "parcel",
        ["joined_into"],
        unique=False,
        sqlite_where=sa.text("joined_into IS NOT NULL"),
        postgresql_where=sa.text("joined_into IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_parcel_joined_into",
        table_name="parcel",
        sqlite_where=sa.text("joined_into IS NOT NULL"),
        postgresql_where=sa.text("joined_into IS NOT NULL"),
    )
    op.drop_column("parcel", "joined_version")
    op.drop_column("parcel", "joined_into")
