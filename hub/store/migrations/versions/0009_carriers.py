"""Carriers with keys of their own, the parcels they announced, and announcements that must not happen twice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "partner",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tenant", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("bare", sa.String(length=32), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_partner"),
        sa.UniqueConstraint("tenant", "bare", name="uq_partner_tenant_bare"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "carrier_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("partner", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("hint", sa.String(length=4), nullable=False),
        sa.Column("rights", sa.Text(), nullable=False),
        sa.Column("every_site", sa.Boolean(), nullable=False),
        sa.Column("per_minute", sa.Integer(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("used_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["partner"], ["partner.id"], name="fk_carrier_key_partner"),
        sa.PrimaryKeyConstraint("id", name="pk_carrier_key"),
        sa.UniqueConstraint("digest", name="uq_carrier_key_digest"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_carrier_key_partner", "carrier_key", ["partner"])
    op.create_table(
        "carrier_key_site",
        sa.Column("key", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["key"], ["carrier_key.id"], name="fk_carrier_key_site_key"),
        sa.ForeignKeyConstraint(["site"], ["site.number"], name="fk_carrier_key_site_site"),
        sa.PrimaryKeyConstraint("key", "site", name="pk_carrier_key_site"),
    )
    op.create_table(
        "once",
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("parcel", sa.String(length=13), server_default="", nullable=False),
        sa.Column("is_new", sa.Boolean(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "key", name="pk_once"),
    )
    op.create_index("ix_once_at_ms", "once", ["at_ms"])
    op.add_column("parcel", sa.Column("partner", sa.Integer(), nullable=True))
    op.create_index(
        "ix_parcel_partner",
        "parcel",
        ["partner"],
        sqlite_where=sa.text("partner IS NOT NULL"),
        postgresql_where=sa.text("partner IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_parcel_partner", "parcel")
    op.drop_column("parcel", "partner")
    for table in ("once", "carrier_key_site", "carrier_key", "partner"):
        op.drop_table(table)
