"""Associations, what people may, their second factor, and the log of who did what.

Everything there was belongs to the first association. Whoever was `admin` is a network admin; a token may what it could.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_EVERY_RIGHT = (
    "acknowledge_alert announce_parcel follow_events manage_sites print_slip read_audit read_journal recall_parcel"
    " reissue_slip see_alerts see_bank see_messages see_parcels see_sites send_command"
)


def upgrade() -> None:
    _make_tables()
    # No foreign key: SQLite adds a column that refers to a table only when it may be null.
    for table in ("site", "person", "api_token"):
        op.add_column(table, sa.Column("tenant", sa.Integer(), server_default="1", nullable=False))
    op.create_index("ix_site_tenant", "site", ["tenant"])
    op.add_column("person", sa.Column("carrier", sa.String(length=32), server_default="", nullable=False))
    op.add_column("person", sa.Column("second_factor", sa.LargeBinary(), nullable=True))
    op.add_column("person", sa.Column("second_factor_step", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("web_session", sa.Column("second_ms", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("web_session", sa.Column("agent", sa.String(length=64), server_default="", nullable=False))
    op.create_index("ix_web_session_person", "web_session", ["person"])
    op.add_column("api_token", sa.Column("rights", sa.Text(), server_default="", nullable=False))
    op.add_column("api_token", sa.Column("carrier", sa.String(length=32), server_default="", nullable=False))
    op.execute("INSERT INTO association (number, name, created_ms) VALUES (1, 'Association', 0)")
    op.execute("UPDATE person SET role = 'network_admin' WHERE role = 'admin'")
    op.execute(f"UPDATE api_token SET rights = '{_EVERY_RIGHT}'")  # noqa: S608 (a constant)


def _make_tables() -> None:
    op.create_table(
        "association",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_association"),
        sa.UniqueConstraint("name", name="uq_association_name"),
    )
    op.create_table(
        "person_site",
        sa.Column("person", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name="fk_person_site_person"),
        sa.ForeignKeyConstraint(["site"], ["site.number"], name="fk_person_site_site"),
        sa.PrimaryKeyConstraint("person", "site", name="pk_person_site"),
    )
    op.create_table(
        "invitation",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("person", sa.Integer(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name="fk_invitation_person"),
        sa.PrimaryKeyConstraint("digest", name="pk_invitation"),
    )
    op.create_table(
        "recovery_code",
        sa.Column("person", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name="fk_recovery_code_person"),
        sa.PrimaryKeyConstraint("person", "digest", name="pk_recovery_code"),
    )
    op.create_table(
        "audit",
        sa.Column("tenant", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=31), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "seq", name="pk_audit"),
    )
    op.create_table(
        "audit_head",
        sa.Column("tenant", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", name="pk_audit_head"),
    )


def downgrade() -> None:
    op.drop_column("api_token", "carrier")
    op.drop_column("api_token", "rights")
    op.drop_index("ix_web_session_person", "web_session")
    op.drop_column("web_session", "agent")
    op.drop_column("web_session", "second_ms")
    for column in ("second_factor_step", "second_factor", "carrier"):
        op.drop_column("person", column)
    op.drop_index("ix_site_tenant", "site")
    for table in ("site", "person", "api_token"):
        op.drop_column(table, "tenant")
    for table in ("audit_head", "audit", "recovery_code", "invitation", "person_site", "association"):
        op.drop_table(table)
    op.execute("UPDATE person SET role = 'admin' WHERE role = 'network_admin'")
