"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alert",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site", sa.String(length=31), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=64), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("raised_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), server_default="1", nullable=False),
        sa.Column("acknowledged_by", sa.Text(), server_default="", nullable=False),
        sa.Column("acknowledged_ms", sa.BigInteger(), nullable=True),
        sa.Column("cleared_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_alert_open",
        "alert",
        ["site", "kind", "subject"],
        unique=True,
        sqlite_where=sa.text("cleared_ms IS NULL"),
        postgresql_where=sa.text("cleared_ms IS NULL"),
    )
    op.create_table(
        "api_token",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_api_token")),
        sa.UniqueConstraint("name", name=op.f("uq_api_token_name")),
    )
    op.create_table(
        "hub_meta",
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_hub_meta")),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("name", name=op.f("uq_person_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "quarantine",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("topic", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "site",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=31), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("help_phone", sa.Text(), server_default="", nullable=False),
        sa.Column("epoch", sa.Integer(), server_default="0", nullable=False),
        sa.Column("settings", sa.Text(), server_default="{}", nullable=False),
        sa.Column("wanted", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_site")),
        sa.UniqueConstraint("id", name=op.f("uq_site_id")),
    )
    op.create_table(
        "command",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("site", sa.Integer(), nullable=False),
        sa.Column("verb", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.String(length=64), server_default="", nullable=False),
        sa.Column("reason", sa.String(length=200), server_default="", nullable=False),
        sa.Column("compartment", sa.String(length=4), nullable=True),
        sa.Column("issued_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=16), server_default="", nullable=False),
        sa.Column("answer", sa.String(length=200), server_default="", nullable=False),
        sa.Column("answered_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["site"], ["site.number"], name=op.f("fk_command_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_command")),
    )
    op.create_index("ix_command_site_issued_ms", "command", ["site", "issued_ms"], unique=False)
    op.create_table(
        "compartment",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("label", sa.String(length=4), nullable=False),
        sa.Column("size", sa.String(length=2), server_default="", nullable=False),
        sa.Column("reach", sa.String(length=4), server_default="", nullable=False),
        sa.Column("height_mm", sa.Integer(), server_default="0", nullable=False),
        sa.Column("row", sa.Integer(), server_default="0", nullable=False),
        sa.Column("column", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rows", sa.Integer(), server_default="1", nullable=False),
        sa.Column("columns", sa.Integer(), server_default="1", nullable=False),
        sa.Column("present", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("occupancy", sa.String(length=16), server_default="unknown", nullable=False),
        sa.Column("service", sa.String(length=16), server_default="in_service", nullable=False),
        sa.Column("parcel", sa.String(length=13), nullable=True),
        sa.Column("changed_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.number"], name=op.f("fk_compartment_site")),
        sa.PrimaryKeyConstraint("site", "label", name=op.f("pk_compartment")),
    )
    op.create_table(
        "fact",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("journal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("boot", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("trust", sa.String(length=8), nullable=False),
        sa.Column("committed_ms", sa.BigInteger(), nullable=False),
        sa.Column("parcel", sa.String(length=13), nullable=True),
        sa.Column("session", sa.String(length=64), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.number"], name=op.f("fk_fact_site")),
        sa.PrimaryKeyConstraint("site", "journal", "seq", name=op.f("pk_fact")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_fact_parcel",
        "fact",
        ["parcel"],
        unique=False,
        sqlite_where=sa.text("parcel IS NOT NULL"),
        postgresql_where=sa.text("parcel IS NOT NULL"),
    )
    op.create_index(
        "ix_fact_session",
        "fact",
        ["session"],
        unique=False,
        sqlite_where=sa.text("session IS NOT NULL"),
        postgresql_where=sa.text("session IS NOT NULL"),
    )
    op.create_table(
        "parcel",
        sa.Column("id", sa.String(length=13), nullable=False),
        sa.Column("site", sa.Integer(), nullable=False),
        sa.Column("tracking", sa.String(length=48), server_default="", nullable=False),
        sa.Column("carrier", sa.String(length=32), server_default="", nullable=False),
        sa.Column("size", sa.String(length=2), nullable=True),
        sa.Column("reach", sa.String(length=4), nullable=True),
        sa.Column("heavy", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("group_id", sa.String(length=32), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("epoch", sa.Integer(), server_default="0", nullable=False),
        sa.Column("intent", sa.String(length=8), server_default="hold", nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("place_kind", sa.String(length=16), nullable=True),
        sa.Column("place_name", sa.String(length=32), server_default="", nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=True),
        sa.Column("stored_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.number"], name=op.f("fk_parcel_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parcel")),
    )
    op.create_index("ix_parcel_created_ms_id", "parcel", ["created_ms", "id"], unique=False)
    op.create_index("ix_parcel_ended_ms", "parcel", ["ended_ms"], unique=False)
    op.create_index("ix_parcel_site_state", "parcel", ["site", "state"], unique=False)
    op.create_index("ix_parcel_tracking", "parcel", ["tracking"], unique=False)
    op.create_table(
        "past_journal",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("journal", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("closed_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.number"], name=op.f("fk_past_journal_site")),
        sa.PrimaryKeyConstraint("site", "ordinal", name=op.f("pk_past_journal")),
    )
    op.create_table(
        "plan",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("wanted", sa.BigInteger(), nullable=False),
        sa.Column("built_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.number"], name=op.f("fk_plan_site")),
        sa.PrimaryKeyConstraint("site", name=op.f("pk_plan")),
    )
    op.create_table(
        "roster",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("badge", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.number"], name=op.f("fk_roster_site")),
        sa.PrimaryKeyConstraint("site", "id", name=op.f("pk_roster")),
    )
    op.create_table(
        "site_cursor",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ordinal", sa.Integer(), server_default="1", nullable=False),
        sa.Column("journal", sa.Text(), server_default="", nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("hash", sa.String(length=64), server_default="", nullable=False),
        sa.Column("adopt", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("committed_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.number"], name=op.f("fk_site_cursor_site")),
        sa.PrimaryKeyConstraint("site", name=op.f("pk_site_cursor")),
    )
    op.create_table(
        "site_live",
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("boot", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("heard_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("presence", sa.String(length=16), server_default="", nullable=False),
        sa.Column("presence_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("birth", sa.LargeBinary(), nullable=True),
        sa.Column("birth_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=True),
        sa.Column("state_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("state_boot", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("state_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("health", sa.LargeBinary(), nullable=True),
        sa.Column("health_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("applied_incarnation", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("applied_revision", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("applied_hash", sa.String(length=64), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.number"], name=op.f("fk_site_live_site")),
        sa.PrimaryKeyConstraint("site", name=op.f("pk_site_live")),
    )
    op.create_table(
        "web_session",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("person", sa.Integer(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_web_session_person")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_web_session")),
    )
    op.create_index("ix_web_session_expires_ms", "web_session", ["expires_ms"], unique=False)
    op.create_table(
        "contact",
        sa.Column("parcel", sa.String(length=13), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("name_folded", sa.Text(), server_default="", nullable=False),
        sa.Column("phone", sa.String(length=20), server_default="", nullable=False),
        sa.Column("help", sa.String(length=16), server_default="standard", nullable=False),
        sa.Column("language", sa.String(length=8), server_default="fr", nullable=False),
        sa.ForeignKeyConstraint(["parcel"], ["parcel.id"], name=op.f("fk_contact_parcel")),
        sa.PrimaryKeyConstraint("parcel", name=op.f("pk_contact")),
    )
    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("parcel", sa.String(length=13), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("state", sa.String(length=16), server_default="waiting", nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sent_ms", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.String(length=200), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["parcel"], ["parcel.id"], name=op.f("fk_message_parcel")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("parcel", "kind", name=op.f("uq_message_parcel_kind")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_message_state_due_ms", "message", ["state", "due_ms"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_message_state_due_ms", table_name="message")
    op.drop_table("message")
    op.drop_table("contact")
    op.drop_index("ix_web_session_expires_ms", table_name="web_session")
    op.drop_table("web_session")
    op.drop_table("site_live")
    op.drop_table("site_cursor")
    op.drop_table("roster")
    op.drop_table("plan")
    op.drop_table("past_journal")
    op.drop_index("ix_parcel_tracking", table_name="parcel")
    op.drop_index("ix_parcel_site_state", table_name="parcel")
    op.drop_index("ix_parcel_ended_ms", table_name="parcel")
    op.drop_index("ix_parcel_created_ms_id", table_name="parcel")
    op.drop_table("parcel")
    op.drop_index(
        "ix_fact_session",
        table_name="fact",
        sqlite_where=sa.text("session IS NOT NULL"),
        postgresql_where=sa.text("session IS NOT NULL"),
    )
    op.drop_index(
        "ix_fact_parcel",
        table_name="fact",
        sqlite_where=sa.text("parcel IS NOT NULL"),
        postgresql_where=sa.text("parcel IS NOT NULL"),
    )
    op.drop_table("fact")
    op.drop_table("compartment")
    op.drop_index("ix_command_site_issued_ms", table_name="command")
    op.drop_table("command")
    op.drop_table("site")
    op.drop_table("quarantine")
    op.drop_table("person")
    op.drop_table("hub_meta")
    op.drop_table("api_token")
    op.drop_index(
        "uq_alert_open",
        table_name="alert",
        sqlite_where=sa.text("cleared_ms IS NULL"),
        postgresql_where=sa.text("cleared_ms IS NULL"),
    )
    op.drop_table("alert")
