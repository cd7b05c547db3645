"""The audit log in the database: a line is written in the transaction of the change it is about, or neither is.

Owns its SQL and the seal of its end. Refuses to know routes and words. Recipients never appear in it (I-25, I-34).
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, bindparam, insert, select, update

from hub.audit.chain import (
    REASON_CHARACTERS_MAX,
    SUBJECT_CHARACTERS_MAX,
    Action,
    Finding,
    Line,
    faults,
    genesis,
    link,
)
from hub.core.permissions import Visitor
from hub.keys import KeyRing
from hub.store.schema_people import AUDIT, AUDIT_HEAD

READ_AT_ONCE: Final = 2_000
"""Lines in memory at a time while a log is checked or exported."""

_HEAD: Final = select(AUDIT_HEAD).where(AUDIT_HEAD.c.tenant == bindparam("tenant")).with_for_update()
_LAST: Final = (
    select(AUDIT.c.seq, AUDIT.c.hash).where(AUDIT.c.tenant == bindparam("tenant")).order_by(AUDIT.c.seq.desc()).limit(1)
)


class AuditLog:
    """Writes and checks the log."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    def note(
        self,
        connection: Connection,
        by: Visitor,
        action: Action,
        *,
        tenant: int,
        at_ms: int,
        kind: str = "",
        subject: str = "",
        site: str = "",
        reason: str = "",
    ) -> None:
        """Write one line; call it last, its lock is held until the transaction ends."""
        line = Line(
            tenant=tenant,
            seq=0,
            at_ms=at_ms,
            actor=by.name[:64],
            role=by.role[:16],
            action=action,
            kind=kind,
            subject=subject[:SUBJECT_CHARACTERS_MAX],
            site=site,
            reason=reason[:REASON_CHARACTERS_MAX],
        )
        seq, previous = self._end(connection, tenant, at_ms)
        self._append(connection, line, seq, previous)

    def _append(self, connection: Connection, line: Line, seq: int, previous: bytes) -> tuple[int, bytes]:
        placed = replace(line, seq=seq + 1)
        placed = replace(placed, hash=link(previous, placed))
        connection.execute(insert(AUDIT).values(**_columns(placed)))
        values = {"seq": placed.seq, "hash": placed.hash, "seal": self._seal(placed.tenant, placed.seq, placed.hash)}
        connection.execute(update(AUDIT_HEAD).where(AUDIT_HEAD.c.tenant == placed.tenant).values(**values))
        return placed.seq, placed.hash

    def _end(self, connection: Connection, tenant: int, at_ms: int) -> tuple[int, bytes]:
        """Number and hash of the last line, locked. An end without our seal is told by a line of its own, never healed."""
        head = connection.execute(_HEAD, {"tenant": tenant}).one_or_none()
        if head is not None and self._is_sealed(head):
            return int(head.seq), bytes(head.hash)
        if head is None:
            connection.execute(_insert_head(connection), {"tenant": tenant, "seq": 0, "hash": b"", "seal": b""})
            head = connection.execute(_HEAD, {"tenant": tenant}).one()  # another one may have been quicker
            if self._is_sealed(head):
                return int(head.seq), bytes(head.hash)
        last = connection.execute(_LAST, {"tenant": tenant}).one_or_none()
        seq, previous = (0, genesis(tenant)) if last is None else (int(last.seq), bytes(last.hash))
        begun = last is None and not head.seal
        action = Action.AUDIT_BEGUN if begun else Action.AUDIT_HEAD_LOST
        line = Line(tenant, 0, at_ms, "hub", "", action, "", "", "", "")
        return self._append(connection, line, seq, previous)

    def verify(self, connection: Connection, tenant: int) -> tuple[list[Finding], int, str]:
        """What is wrong with a log, and its end: number of the last line and its hash in hex."""
        read = _Reading(connection, tenant)
        findings = list(faults(tenant, read))
        head = connection.execute(select(AUDIT_HEAD).where(AUDIT_HEAD.c.tenant == tenant)).one_or_none()
        if head is None:
            if read.seq:
                findings.append(Finding(read.seq, "the seal of the log's end is missing: later lines may be, too"))
        elif not self._is_sealed(head):
            findings.append(Finding(read.seq, "the seal of the log's end is not this hub's"))
        elif (head.seq, bytes(head.hash)) != (read.seq, read.hash):
            findings.append(Finding(read.seq, f"the log ends here, and was sealed with {head.seq} lines"))
        return findings, read.seq, read.hash.hex()

    def _is_sealed(self, head: Any) -> bool:
        return hmac.compare_digest(bytes(head.seal), self._seal(head.tenant, head.seq, bytes(head.hash)))

    def _seal(self, tenant: int, seq: int, digest: bytes) -> bytes:
        return self._keys.signature(b"audit", b"%d\x00%d\x00" % (tenant, seq) + digest)


class _Reading:
    """A log from its first line on, some lines at a time; remembers where it ended."""

    def __init__(self, connection: Connection, tenant: int) -> None:
        self._connection = connection
        self._tenant = tenant
        self.seq = 0
        self.hash = genesis(tenant)

    def __iter__(self) -> Iterator[Line]:
        while lines := lines_after(self._connection, self._tenant, self.seq, READ_AT_ONCE):
            for line in lines:
                self.seq, self.hash = line.seq, line.hash
                yield line


def lines_after(connection: Connection, tenant: int, after: int, most: int) -> Sequence[Line]:
    """Lines in order, from the one after number `after`."""
    query = select(AUDIT).where(AUDIT.c.tenant == tenant, AUDIT.c.seq > after).order_by(AUDIT.c.seq).limit(most)
    return [_line(row) for row in connection.execute(query)]


def newest_lines(connection: Connection, tenant: int, before: int, most: int, *, actor: str = "") -> Sequence[Line]:
    """Lines, newest first, before number `before` (0: from the end), of one actor where one is named."""
    query = select(AUDIT).where(AUDIT.c.tenant == tenant).order_by(AUDIT.c.seq.desc()).limit(most)
    if before:
        query = query.where(AUDIT.c.seq < before)
    if actor:
        query = query.where(AUDIT.c.actor == actor)
    return [_line(row) for row in connection.execute(query)]


def _insert_head(connection: Connection) -> Any:
    from sqlalchemy.dialects import postgresql, sqlite

    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(AUDIT_HEAD).on_conflict_do_nothing()


def _line(row: Any) -> Line:
    return Line(**{**row._mapping, "hash": bytes(row.hash)})  # noqa: SLF001 SQLAlchemy's public name for it


def _columns(line: Line) -> dict[str, Any]:
    return {name: getattr(line, name) for name in Line.__dataclass_fields__}
