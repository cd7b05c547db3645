"""Many parcels from one file: shown first, announced when somebody says so, and each once however often they say it.

Owns what a line came to. Refuses to know HTTP and pages. Keeps nothing of a file: whoever confirms brings it again, and
its digest says that it is the same. Raises hub.core.parcels.Refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from typing import Final

from hub.core.bulk import Fault, Line, read_file
from hub.core.parcels import AlreadyHere, NewParcel, Refused
from hub.core.permissions import Visitor
from hub.parcels.services import Desk, Once, owner_of
from hub.store import desk as sql
from hub.store.engine import Store
from hub.store.pages import PageReads

_FIELDS_OF: Final[Mapping[str, str]] = {"unknown_site": "site", "full": "site", "duplicate": "tracking"}
"""Refusals of the desk whose code does not name their field."""


class Came(StrEnum):
    """What a line came to."""

    READY = "ready"
    """It will be announced when the file is confirmed."""
    REFUSED = "refused"
    ANNOUNCED = "announced"
    ATTACHED = "attached"
    """Its parcel was at the site already."""


@dataclass(frozen=True, slots=True)
class Told:
    """One line of a file and what it came to; `parcel` is the id, once there is one."""

    number: int
    came: Came
    wish: NewParcel | None
    faults: tuple[Fault, ...] = ()
    parcel: str = ""


@dataclass(frozen=True, slots=True)
class Import:
    """A file as it was read: `digest` names it."""

    digest: str
    lines: tuple[Told, ...]

    def count(self, came: Came) -> int:
        """How many lines came to this."""
        return sum(line.came is came for line in self.lines)


class Imports:
    """What may be asked with a file."""

    def __init__(self, store: Store, desk: Desk, reads: PageReads) -> None:
        self._store = store
        self._desk = desk
        self._reads = reads

    def preview(self, data: bytes, by: Visitor) -> Import:
        """What would come of a file; nothing is written. Refused: `file_…` when it cannot be read as a whole."""
        sites = {row.id: row.number for row in self._reads.within(by.scope).sites()}
        lines = [_read(line, sites) for line in read_file(data)]
        with self._store.reading() as connection:
            here = {
                (site, tracking)
                for site, number in sites.items()
                for tracking in sql.alive_numbers(
                    connection, number, [told.wish.tracking for told in lines if told.wish and told.wish.site == site]
                )
            }
        return Import(sha256(data).hexdigest(), tuple(_unless_here(told, here) for told in lines))

    def confirm(self, data: bytes, digest: str, by: Visitor) -> Import:
        """Announce every line that fits, in its order. Said again of the same file within two days, nothing is done twice.

        A hub that dies on the way has announced the first lines; confirmed again, the others follow. Refused:
        `changed_file` when it is another file than the one that was shown.
        """
        if sha256(data).hexdigest() != digest:
            raise Refused("changed_file", "file: this is not the file that was shown: look at it first")
        sites = {row.id: row.number for row in self._reads.within(by.scope).sites()}
        lines = [_read(line, sites) for line in read_file(data)]
        return Import(digest, tuple(self._announce(told, digest, by) for told in lines))

    def _announce(self, told: Told, digest: str, by: Visitor) -> Told:
        if told.wish is None:
            return told
        asked = sha256(repr(told.wish).encode()).digest()
        once = Once(owner_of(by), f"import {digest} {told.number}", asked, lambda _connection, _parcel: b"")
        try:
            announced = self._desk.announce(told.wish, by, once)
        except Refused as refused:
            return replace(told, came=Came.REFUSED, faults=(_fault_of(refused),))
        return replace(told, came=Came.ANNOUNCED if announced.is_new else Came.ATTACHED, parcel=announced.parcel)


def _read(line: Line, sites: Mapping[str, int]) -> Told:
    if line.parcel is None:
        return Told(line.number, Came.REFUSED, None, line.faults)
    if line.parcel.site not in sites:
        return Told(line.number, Came.REFUSED, None, (Fault("site", "unknown_site", "there is no such site"),))
    return Told(line.number, Came.READY, line.parcel)


def _unless_here(told: Told, here: set[tuple[str, str]]) -> Told:
    if told.wish is None or (told.wish.site, told.wish.tracking) not in here:
        return told
    return replace(told, faults=(Fault("tracking", "here_already", "this number is at the site, or announced there"),))


def _fault_of(refused: Refused) -> Fault:
    field = _FIELDS_OF.get(refused.code, refused.code.removeprefix("bad_"))
    text = "this number is in use at the site" if isinstance(refused, AlreadyHere) else str(refused).partition(": ")[2]
    return Fault(field, refused.code, text or str(refused))
