"""What a disk may hold after the power went: images of a recording, cut at every step.

Owns the model of a disk that lies as much as it may. Refuses to know databases. What was synced is kept; of what was not, any
sector may be kept or lost, in any order, whole or torn; the name of a file is only safe once its folder was synced. A sector whose
writing had begun may hold garbage, but bytes nobody was writing are left alone (SQLite's *powersafe overwrite*, true of every
disk and card whose sectors have a checksum). Everything is drawn from one seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any, Final, NamedTuple

from tests.crash.vfs import Create, Delete, Promise, Start, Step, Sync, Truncate, Write

SECTORS: Final = (512, 4096)
"""Bytes a disk writes at once, or not at all."""
SHM: Final = "-shm"
"""The file of SQLite's shared memory is never synced: what it holds after a power cut is anybody's guess."""


class Fate(StrEnum):
    """What became of the writes that were not synced yet."""

    LOST = "lost"
    """None of them was made."""
    KEPT = "kept"
    """All of them were, as after `kill -9`."""
    TORN = "torn"
    """All but the last, and of that a sector or two."""
    PART = "part"
    """Some sectors of some, whichever."""
    REORDERED = "reordered"
    """The last ones, but not those before them."""
    GARBLED = "garbled"
    """Some sectors, and others hold garbage."""


class Image(NamedTuple):
    """The files of a folder as they are found when the power is back, and what had been promised."""

    files: dict[str, bytes]
    promised: Any
    """The view of the newest promise; None before the first."""
    next_view: Any
    """What the call under way was about to promise; None when none followed."""
    kind: str
    """The kind of the call under way."""
    fate: Fate
    at: int
    """The step at which the power went."""


@dataclass
class _Node:
    """A file without its name: what is safe, and what was asked for since."""

    safe: bytearray = field(default_factory=bytearray)
    pending: list[Write | Truncate] = field(default_factory=list)

    def sync(self) -> None:
        for step in self.pending:
            _apply(self.safe, step)
        self.pending.clear()


class Disk:
    """Follows a recording; `images` draws what may be found at this moment."""

    def __init__(self) -> None:
        self._nodes: dict[str, _Node] = {}
        self._safe_names: dict[str, _Node] = {}
        self._unsafe_names: list[tuple[str, _Node | None]] = []
        """Names made (with what they name) and removed (with None) since the folder was synced."""
        self._folder_synced_by: set[str] = set()

    def follow(self, step: Step) -> None:
        """One step of the recording."""
        match step:
            case Create():
                node = self._nodes[step.name] = _Node()
                self._unsafe_names.append((step.name, node))
                if step.wants_folder_sync:
                    self._folder_synced_by.add(step.name)
            case Write() | Truncate():
                self._nodes[step.name].pending.append(step)
            case Sync():
                self._nodes[step.name].sync()
                if step.name in self._folder_synced_by:
                    self._folder_synced_by.discard(step.name)
                    self._sync_folder()
            case Delete():
                self._nodes.pop(step.name, None)
                self._unsafe_names.append((step.name, None))
                if step.synced:
                    self._sync_folder()
            case Promise() | Start():
                pass

    def draw(self, fate: Fate, random: Random) -> tuple[dict[str, bytes], tuple[object, ...]]:
        """The files under one fate, and a key: two draws with one key are one image."""
        names, known = self._names(fate, random)
        files: dict[str, bytes] = {}
        key: list[object] = [known]
        for name, node in names.items():
            content = bytearray(node.safe)
            key.append((name, _fated(content, node.pending, fate, random)))
            files[name] = bytes(content)
        return files, tuple(key)

    def _names(self, fate: Fate, random: Random) -> tuple[dict[str, _Node], int]:
        """Names come and go in order: a folder is kept by a journal of its own."""
        names = dict(self._safe_names)
        count = len(self._unsafe_names)
        if fate is Fate.LOST:
            count = 0
        elif fate in {Fate.PART, Fate.GARBLED, Fate.REORDERED}:
            count = random.randint(0, count)
        for name, node in self._unsafe_names[:count]:
            if node is None:
                names.pop(name, None)
            else:
                names[name] = node
        return names, count

    def _sync_folder(self) -> None:
        for name, node in self._unsafe_names:
            if node is None:
                self._safe_names.pop(name, None)
            else:
                self._safe_names[name] = node
        self._unsafe_names.clear()


def images(steps: list[Step], seed: int, every: int = 1) -> Iterator[Image]:
    """Every step of a recording (or every so many) under every fate, each different image once."""
    views = [step.view for step in steps if isinstance(step, Promise)]
    disk, given, kind = Disk(), 0, "start"
    for at, step in enumerate(steps):
        disk.follow(step)
        if isinstance(step, Promise):
            given += 1
        elif isinstance(step, Start):
            kind = step.kind
        promised = views[given - 1] if given else None
        coming = views[given] if given < len(views) else None
        if at % every:
            continue
        random = Random(f"{seed} {at}")
        seen: set[tuple[object, ...]] = set()
        for fate in Fate:
            files, key = disk.draw(fate, random)
            if key not in seen:
                seen.add(key)
                if random.random() < 0.5:
                    files.update(
                        {
                            f"{name[: -len('-wal')]}{SHM}": random.randbytes(32768)
                            for name in files
                            if name.endswith("-wal")
                        }
                    )
                yield Image(files, promised, coming, kind, fate, at)


def _apply(content: bytearray, step: Write | Truncate) -> None:
    if isinstance(step, Truncate):
        if step.size < len(content):
            del content[step.size :]
        else:
            content.extend(bytes(step.size - len(content)))
        return
    _put(content, step.offset, step.data)


def _put(content: bytearray, offset: int, data: bytes) -> None:
    if offset > len(content):
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


def _pieces(step: Write, sector: int) -> Iterator[tuple[int, bytes]]:
    """A write as the sectors it touches."""
    start = step.offset
    end = start + len(step.data)
    while start < end:
        until = min(end, (start // sector + 1) * sector)
        yield start, step.data[start - step.offset : until - step.offset]
        start = until


def _fated(content: bytearray, pending: list[Write | Truncate], fate: Fate, random: Random) -> tuple[object, ...]:
    """Do to `content` what became of `pending`; what was done, as a key."""
    if fate is Fate.LOST or not pending:
        return ()
    if fate is Fate.KEPT:
        for step in pending:
            _apply(content, step)
        return ("all",)
    sector = random.choice(SECTORS)
    if fate is Fate.TORN:
        return _torn(content, pending, sector, random)
    first = random.randrange(len(pending)) if fate is Fate.REORDERED else 0
    share = 1.0 if fate is Fate.REORDERED else random.choice((0.1, 0.5, 0.9))
    kept: list[object] = []
    for number, step in enumerate(pending[first:], first):
        if isinstance(step, Truncate):
            if random.random() < share:
                _apply(content, step)
                kept.append(number)
            continue
        for offset, data in _pieces(step, sector):
            if random.random() < share:
                _put(content, offset, data)
                kept.append((number, offset))
            elif fate is Fate.GARBLED and random.random() < 0.5:
                _put(content, offset, random.randbytes(len(data)))
                kept.append((number, offset, "garbage"))
    whole = len(pending) if first == 0 and share >= 1 else None
    return ("all",) if whole is not None else tuple(kept)


def _torn(content: bytearray, pending: list[Write | Truncate], sector: int, random: Random) -> tuple[object, ...]:
    *whole, last = pending
    for step in whole:
        _apply(content, step)
    if isinstance(last, Truncate):
        return ("all but", len(whole))
    pieces = list(_pieces(last, sector))
    some = random.sample(pieces, random.randrange(len(pieces) + 1)) if random.random() < 0.5 else pieces[:-1]
    for offset, data in some:
        _put(content, offset, data)
    return ("torn", len(whole), tuple(sorted(offset for offset, _data in some)))
