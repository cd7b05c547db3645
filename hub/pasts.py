"""What the hub knows of a site's chain, fact by fact, and how a batch stands to it.

Owns the comparison of two pasts (ADR 0009). Refuses to decide what follows from it: the group does.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from hub import batches
from hub.store import journals
from hub.store.journals import Cursor
from wire.messages import FactBatch


class Pasts:
    """The hashes of one transaction: what is written, and what this group has added so far."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._added: dict[tuple[int, int], tuple[int, list[bytes]]] = {}

    def add(self, cursor: Cursor, first_seq: int, hashes: Sequence[bytes]) -> None:
        """Remember hashes that go on from what was added before; the facts themselves are written at the group's end."""
        self._added.setdefault((cursor.site, cursor.ordinal), (first_seq, []))[1].extend(hashes)

    def hash_at(self, cursor: Cursor, seq: int) -> str | None:
        """The chain's hash after a fact of the cursor's past, in hex; None when it is not known here."""
        first, hashes = self._added.get((cursor.site, cursor.ordinal), (0, []))
        if 0 <= seq - first < len(hashes):
            return hashes[seq - first].hex()
        return journals.hash_at(self._connection, cursor, seq)

    def is_joint(self, batch: FactBatch, cursor: Cursor) -> bool:
        """Whether what stands before the batch is the same in both pasts."""
        return batch.first_seq == 1 or self.hash_at(cursor, batch.first_seq - 1) == batch.previous

    def common(self, batch: FactBatch, cursor: Cursor) -> list[bytes]:
        """The hashes of the batch's first facts, as far as they are known here."""
        if batch.journal != cursor.journal:
            return []
        numbered = enumerate(batches.hashes(batch), batch.first_seq)
        return [digest for seq, digest in numbered if self.hash_at(cursor, seq) == digest.hex()]

    def is_fork(self, batch: FactBatch, cursor: Cursor) -> bool:
        """Whether a batch, whole in itself, goes on from a fact known here and then tells another story."""
        hashes = batches.hashes(batch)
        whole = bool(hashes) and hashes[-1].hex() == batch.head and batch.first_seq <= cursor.seq + 1
        return whole and not self.continues(batch, cursor, hashes)

    def continues(self, batch: FactBatch, cursor: Cursor, hashes: Sequence[bytes]) -> bool:
        """Whether the batch agrees with every hash that is known here."""
        if batch.first_seq == cursor.seq + 1:
            return batch.previous == cursor.hash
        last = batch.first_seq + len(batch.facts) - 1
        joint = min(last, cursor.seq)
        expected = cursor.hash if joint == cursor.seq else self.hash_at(cursor, joint)
        return expected is None or hashes[joint - batch.first_seq].hex() == expected
