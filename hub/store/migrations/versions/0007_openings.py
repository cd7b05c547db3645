"""Doors opened from afar: a wish, its doors, and when the site accepted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("command", sa.Column("accepted_ms", sa.BigInteger(), nullable=True))
    op.create_table(
        "opening",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("site", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("note", sa.String(length=200), server_default="", nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=False),
        sa.Column("asked_name", sa.String(length=64), nullable=False),
        sa.Column("asked_ms", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.Integer(), server_default="0", nullable=False),
        sa.Column("decided_name", sa.String(length=64), server_default="", nullable=False),
        sa.Column("decided_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.number"], name="fk_opening_site"),
        sa.PrimaryKeyConstraint("id", name="pk_opening"),
    )
    op.create_index("ix_opening_state", "opening", ["state"])
    op.create_index("ix_opening_site_asked_ms", "opening", ["site", "asked_ms"])
    op.create_table(
        "opening_door",
        sa.Column("opening", sa.String(length=32), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("compartment", sa.String(length=4), nullable=False),
        sa.Column("command", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["opening"], ["opening.id"], name="fk_opening_door_opening"),
        sa.ForeignKeyConstraint(["command"], ["command.id"], name="fk_opening_door_command"),
        sa.PrimaryKeyConstraint("opening", "place", name="pk_opening_door"),
    )


def downgrade() -> None:
    op.drop_table("opening_door")
    op.drop_table("opening")
    op.drop_column("command", "accepted_ms")
