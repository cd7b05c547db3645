"""Forgetting: when it is time, and when somebody asks (A-14, I-34).

Owns the book of erasures, which outlives a database that is put back from an older copy. Refuses to know HTTP and SQL.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from hub.clock import Clock
from hub.core.parcels import Refused, fold_name, tidy_email, tidy_phone
from hub.core.retention import limits, written_ways
from hub.store import privacy
from hub.store.engine import Store
from hub.store.privacy import Request

BOOK: Final = "erasures.jsonl"
"""Beside the database, and never inside a copy of it."""
ROUND_MAX: Final = 2_000
"""Recipients forgotten in one transaction: under a second, so that no fact waits longer for the writer."""
PARCELS_MAX: Final = 500
"""Parcels of one person in an export or an erasure: one a day for more than a year."""
REASON_CHARACTERS_MAX: Final = 200
ASKED_BY_CHARACTERS_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Held:
    """What is held about one person; `more` says that it is not all."""

    parcels: tuple[dict[str, Any], ...]
    more: bool = False


class Book:
    """The erasures that were asked for, one a line, by parcel id: no name and no number stands in it."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def write(self, request: Request) -> None:
        """Add an erasure, durably. Begins with a line end: one that a power cut tore ends there."""
        line = b"\n" + msgspec.json.encode(request) + b"\n"
        with os.fdopen(os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> list[Request]:
        """Every whole line; a torn one was never answered, and whoever asked asks again."""
        if not self._file.exists():
            return []
        found: list[Request] = []
        for line in self._file.read_bytes().splitlines():
            try:
                found.append(msgspec.json.decode(line, type=Request))
            except msgspec.MsgspecError:
                continue
        return found


class Privacy:
    """What the hub forgets, and what it tells of somebody."""

    def __init__(self, *, store: Store, clock: Clock, contact_days: int, state_dir: Path) -> None:
        self._store = store
        self._clock = clock
        self._contact_days = contact_days
        self._book = Book(state_dir / BOOK)
        self._is_restored = True
        self._has_traces = False

    def round(self) -> int:
        """Forget recipients whose time is over, at most `ROUND_MAX`; how many. The first round repeats what a database put
        back from an older copy does not know to have erased.
        """
        if self._is_restored:
            self._repeat()
            self._is_restored = False
        with self._store.writing() as connection:
            due = privacy.due(connection, limits(self._clock(), self._contact_days), ROUND_MAX)
            erased = privacy.forget(connection, due)
        self._clear_traces(erased)
        return erased

    def all_rounds(self) -> int:
        """Forget everybody whose time is over, round after round; how many."""
        erased = last = self.round()
        while last == ROUND_MAX:
            last = self.round()
            erased += last
        return erased

    def due_by_site(self) -> list[tuple[str, int]]:
        """How many recipients each site would lose now; nothing is changed."""
        with self._store.reading() as connection:
            return privacy.due_by_site(connection, limits(self._clock(), self._contact_days))

    def kept(self) -> int:
        """How many recipients are known."""
        with self._store.reading() as connection:
            return privacy.kept(connection)

    def find(self, *, phone: str = "", email: str = "", name: str = "") -> tuple[str, ...]:
        """The parcels of one person, at most one more than `PARCELS_MAX`. Raises Refused without anything to know them by."""
        phones, address, folded = written_ways(tidy_phone(phone)), tidy_email(email), fold_name(name)
        if not phones and not address and not folded:
            raise Refused("nobody", "say a phone number, an e-mail address or a whole name")
        with self._store.reading() as connection:
            found = privacy.parcels_of(
                connection, phones=phones, email=address, name_folded=folded, most=PARCELS_MAX + 1
            )
        return tuple(found)

    def held(self, parcels: tuple[str, ...]) -> Held:
        """Everything held about these parcels and whom they are for."""
        with self._store.reading() as connection:
            records = [privacy.record(connection, parcel) for parcel in parcels[:PARCELS_MAX]]
        return Held(tuple(record for record in records if record is not None), len(parcels) > PARCELS_MAX)

    def erase(self, parcels: tuple[str, ...], *, asked_by: str, reason: str) -> int:
        """Erase whom these parcels are for; how many named somebody. Who asked and why is kept. Raises Refused."""
        if not 0 < len(parcels) <= PARCELS_MAX:
            raise Refused("bad_parcels", f"name 1 to {PARCELS_MAX} parcels")
        request = Request(
            id=secrets.token_hex(16),
            asked_ms=self._clock(),
            asked_by=_tidy(asked_by, "asked_by", ASKED_BY_CHARACTERS_MAX),
            reason=_tidy(reason, "reason", REASON_CHARACTERS_MAX),
            parcels=parcels,
        )
        self._book.write(request)  # before the database: what is answered must survive an older copy of it
        erased = self._apply([request])
        self._clear_traces(1)
        return erased

    def _repeat(self) -> None:
        with self._store.reading() as connection:
            known = privacy.known_requests(connection)
        unknown = [request for request in self._book.read() if request.id not in known]
        if unknown:
            self._clear_traces(self._apply(unknown))

    def _apply(self, wanted: list[Request]) -> int:
        erased = 0
        for request in wanted:
            with self._store.writing() as connection:
                erased += privacy.forget_on_request(connection, request.parcels)
                privacy.add_request(connection, request)
        return erased

    def _clear_traces(self, erased: int) -> None:
        self._has_traces = not self._store.clear_log() if erased or self._has_traces else False


def _tidy(text: str, field: str, most: int) -> str:
    tidy = " ".join(text.split())
    if not 0 < len(tidy) <= most or not tidy.isprintable():
        raise Refused(f"bad_{field}", f"{field}: 1 to {most} printable characters")
    return tidy
