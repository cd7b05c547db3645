"""Tokens that make a machine a site, once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "enrolment",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("site", sa.Integer(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("used_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["site"], ["site.number"], name="fk_enrolment_site"),
        sa.PrimaryKeyConstraint("digest", name="pk_enrolment"),
    )


def downgrade() -> None:
    op.drop_table("enrolment")
