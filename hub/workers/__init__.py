"""A hub of several processes on one PostgreSQL: web workers, ingest workers, and the one of these that leads (ADR 0028)."""
