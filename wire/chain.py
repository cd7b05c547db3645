"""The hash chain of a site's journal: one edit anywhere is seen by whoever holds a later hash (I-13, I-28).

Owns what is hashed and in which order. Refuses to know storage or transport.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Protocol

import msgspec

from wire.ids import Trust, Whole


class FactRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a journal. `body` is the fact's own bytes, kept and forwarded verbatim.

    `at_ms` is the site's wall clock in milliseconds since 1970 UTC, believable as far as `trust` says.
    """

    seq: Whole
    boot: Whole
    at_ms: Whole
    trust: Trust
    body: msgspec.Raw


class Chained(Protocol):
    """What a link of the chain is made of."""

    @property
    def seq(self) -> int:
        """Its place, from 1."""
        ...

    @property
    def boot(self) -> int:
        """The start of the site it belongs to."""
        ...

    @property
    def at_ms(self) -> int:
        """The site's wall clock."""
        ...

    @property
    def trust(self) -> Trust:
        """How far that clock may be believed."""
        ...

    @property
    def body(self) -> msgspec.Raw | bytes:
        """The fact's own bytes."""
        ...


def genesis(site: str, journal: str) -> str:
    """The hash before the first fact of a journal; `journal` is the random id drawn when it was created."""
    return hashlib.sha256(b"consigne/1/journal\x00" + site.encode() + b"\x00" + journal.encode()).hexdigest()


def link(previous: str, record: Chained) -> str:
    """The hash of `record` standing after `previous`, in hex."""
    return links(previous, (record,))[0].hex()


def links(previous: str, records: Iterable[Chained]) -> list[bytes]:
    """The hash after each of `records`. Raises ValueError when `previous` is no hash."""
    digest = bytes.fromhex(previous)
    digests = []
    sha256 = hashlib.sha256
    for record in records:
        header = b"\x00%d\x00%d\x00%d\x00%b\x00" % (record.seq, record.boot, record.at_ms, record.trust.encode())
        digest = sha256(digest + header + bytes(record.body)).digest()
        digests.append(digest)
    return digests


def fold(previous: str, records: Iterable[Chained]) -> str:
    """The hash after all of `records`."""
    digests = links(previous, records)
    return digests[-1].hex() if digests else previous
