"""On PostgreSQL, facts lie in a table for each month of their commit (ADR 0029). SQLite keeps its one table."""

from __future__ import annotations

from datetime import UTC, datetime

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_COLUMNS = "site, journal, seq, kind, boot, at_ms, trust, committed_ms, parcel, session, body, hash"
_INDEXES = (
    "CREATE INDEX ix_fact_parcel ON fact (parcel) WHERE parcel IS NOT NULL",
    "CREATE INDEX ix_fact_session ON fact (session) WHERE session IS NOT NULL",
)
_MONTHS = (
    "SELECT DISTINCT CAST(to_char(to_timestamp(committed_ms / 1000) AT TIME ZONE 'UTC', 'YYYYMM') AS integer)"
    " FROM fact_before ORDER BY 1"
)


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for statement in (
        "ALTER TABLE fact RENAME TO fact_before",
        "ALTER TABLE fact_before DROP CONSTRAINT pk_fact",
        "DROP INDEX ix_fact_parcel",
        "DROP INDEX ix_fact_session",
        "CREATE TABLE fact (LIKE fact_before INCLUDING DEFAULTS) PARTITION BY RANGE (committed_ms)",
        "ALTER TABLE fact ADD CONSTRAINT fk_fact_site FOREIGN KEY (site) REFERENCES site (number)",
        *_INDEXES,
        "CREATE TABLE fact_other PARTITION OF fact DEFAULT",
        "CREATE UNIQUE INDEX uq_fact_other ON fact_other (site, journal, seq)",
    ):
        op.execute(statement)
    for found in op.get_bind().exec_driver_sql(_MONTHS).scalars().all():
        year, month = divmod(found, 100)
        name, first, after = f"fact_{year:04}_{month:02}", _ms(year, month), _ms(year + month // 12, month % 12 + 1)
        op.execute(f"CREATE TABLE {name} PARTITION OF fact FOR VALUES FROM ({first}) TO ({after})")
        op.execute(f"CREATE UNIQUE INDEX uq_{name} ON {name} (site, journal, seq)")
    op.execute(f"INSERT INTO fact ({_COLUMNS}) SELECT {_COLUMNS} FROM fact_before")  # noqa: S608 our own names
    op.execute("DROP TABLE fact_before")


def _ms(year: int, month: int) -> int:
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp()) * 1000


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for statement in (
        "CREATE TABLE fact_after (LIKE fact INCLUDING DEFAULTS)",
        f"INSERT INTO fact_after ({_COLUMNS}) SELECT {_COLUMNS} FROM fact",  # noqa: S608 our own names
        "DROP TABLE fact",
        "ALTER TABLE fact_after RENAME TO fact",
        "ALTER TABLE fact ADD CONSTRAINT pk_fact PRIMARY KEY (site, journal, seq)",
        "ALTER TABLE fact ADD CONSTRAINT fk_fact_site FOREIGN KEY (site) REFERENCES site (number)",
        *_INDEXES,
    ):
        op.execute(statement)
