"""Addresses of carriers, the events of their parcels, and each event on its way to each address."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("partner", sa.Integer(), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("old_secret", sa.LargeBinary(), nullable=True),
        sa.Column("old_until_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failing_ms", sa.BigInteger(), nullable=True),
        sa.Column("rests_until_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("paused_ms", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.String(length=200), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["partner"], ["partner.id"], name="fk_webhook_partner"),
        sa.PrimaryKeyConstraint("id", name="pk_webhook"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_webhook_partner", "webhook", ["partner"])
    op.create_table(
        "carrier_event",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("partner", sa.Integer(), nullable=False),
        sa.Column("parcel", sa.String(length=13), nullable=False),
        sa.Column("site", sa.String(length=31), nullable=False),
        sa.Column("tracking", sa.String(length=48), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["partner"], ["partner.id"], name="fk_carrier_event_partner"),
        sa.PrimaryKeyConstraint("number", name="pk_carrier_event"),
        sa.UniqueConstraint("id", name="uq_carrier_event_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_carrier_event_parcel", "carrier_event", ["parcel"])
    op.create_index("ix_carrier_event_created_ms", "carrier_event", ["created_ms"])
    op.create_table(
        "delivery",
        sa.Column("webhook", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("event", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("parcel", sa.String(length=13), nullable=False),
        sa.Column("state", sa.String(length=16), server_default="waiting", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("tried_ms", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.String(length=200), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["webhook"], ["webhook.id"], name="fk_delivery_webhook"),
        sa.ForeignKeyConstraint(["event"], ["carrier_event.number"], name="fk_delivery_event"),
        sa.PrimaryKeyConstraint("webhook", "event", name="pk_delivery"),
    )
    op.create_index("ix_delivery_webhook_parcel", "delivery", ["webhook", "parcel"])
    op.create_index("ix_delivery_state_due_ms", "delivery", ["state", "due_ms"])
    op.create_index("ix_delivery_event", "delivery", ["event"])


def downgrade() -> None:
    for table in ("delivery", "carrier_event", "webhook"):
        op.drop_table(table)
