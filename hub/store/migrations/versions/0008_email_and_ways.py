"""A recipient's e-mail address, and the ways a message went."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("contact", sa.Column("email", sa.String(254), nullable=False, server_default=""))
    for name in ("told", "refused"):
        op.add_column("message", sa.Column(name, sa.String(16), nullable=False, server_default=""))


def downgrade() -> None:
    for name in ("refused", "told"):
        op.drop_column("message", name)
    op.drop_column("contact", "email")
