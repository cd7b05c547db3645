"""Accounts of people at the sign-in of their organisation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "identity",
        sa.Column("person", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("provider", sa.String(length=31), nullable=False),
        sa.Column("issuer", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=True),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("used_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name="fk_identity_person"),
        sa.PrimaryKeyConstraint("person", "provider", name="pk_identity"),
        sa.UniqueConstraint("provider", "subject", name="uq_identity_provider_subject"),
        sa.UniqueConstraint("provider", "email", name="uq_identity_provider_email"),
    )


def downgrade() -> None:
    op.drop_table("identity")
