"""A recording VFS: every write, truncation, sync, creation and deletion of the files in one folder, in order.

Owns the hooks. Refuses to know what is written. It is registered in the very SQLite library that Python's `sqlite3` runs on, so
that production code, production SQL and the production library are what is recorded; nothing of ours is replaced and no connection
is a different one. A file is opened by SQLite's own `unix` VFS; then its table of methods is exchanged for a copy in which four
entries (write, truncate, sync, close) note what they do and go on to the original. (APSW carries an SQLite of its own: its VFS never
sees a connection of `sqlite3`.)

Files written past SQLite are recorded by `aside`, which watches Python's own calls.
"""

from __future__ import annotations

import _sqlite3
import contextlib
import ctypes
import os
from collections.abc import Callable, Iterator
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple
from unittest import mock

NAME: Final = b"consigne-recorder"
OPEN_WAL: Final = 0x00080000
OPEN_JOURNAL: Final = 0x00000800
OK: Final = 0


class Create(NamedTuple):
    """A file was made, empty."""

    name: str
    wants_folder_sync: bool = False


class Write(NamedTuple):
    """Bytes were written."""

    name: str
    offset: int
    data: bytes


class Truncate(NamedTuple):
    """A file was cut, or grown with zeros."""

    name: str
    size: int


class Sync(NamedTuple):
    """What was written to a file is on the disk."""

    name: str


class Delete(NamedTuple):
    """A name was removed; `synced`: and that is on the disk."""

    name: str
    synced: bool


class Promise(NamedTuple):
    """A call of ours returned: from here on `view` may not be lost."""

    view: Any


class Start(NamedTuple):
    """A call of ours begins, whose kind is counted."""

    kind: str


Step = Create | Write | Truncate | Sync | Delete | Promise | Start

_OPEN: Final = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, POINTER(c_int))
_DELETE: Final = CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)
_CLOSE: Final = CFUNCTYPE(c_int, c_void_p)
_WRITE: Final = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_TRUNCATE: Final = CFUNCTYPE(c_int, c_void_p, c_int64)
_SYNC: Final = CFUNCTYPE(c_int, c_void_p, c_int)
_RANDOMNESS: Final = CFUNCTYPE(c_int, c_void_p, c_int, c_void_p)


class _Vfs(Structure):
    """`struct sqlite3_vfs` (sqlite.org/c3ref/vfs.html), version 3."""

    _fields_ = (
        ("version", c_int),
        ("file_bytes", c_int),
        ("path_bytes_max", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("data", c_void_p),
        ("open", c_void_p),
        ("delete", c_void_p),
        ("others", c_void_p * 6),
        ("randomness", c_void_p),
        ("rest", c_void_p * 6),
    )


class _Methods(Structure):
    """`struct sqlite3_io_methods` (sqlite.org/c3ref/io_methods.html), version 3."""

    _fields_ = (
        ("version", c_int),
        ("close", c_void_p),
        ("read", c_void_p),
        ("write", c_void_p),
        ("truncate", c_void_p),
        ("sync", c_void_p),
        ("others", c_void_p * 13),
    )


class _File(Structure):
    """The head of `struct sqlite3_file`."""

    _fields_ = (("methods", POINTER(_Methods)),)


class Recorder:
    """What happened in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.steps: list[Step] = []

    def promise(self, view: Any) -> None:
        """Note that a call returned and what it promised."""
        self.steps.append(Promise(view))

    def start(self, kind: str) -> None:
        """Note that a call begins."""
        self.steps.append(Start(kind))

    def name_of(self, path: str) -> str | None:
        """The name of a file in the folder; None elsewhere."""
        folder, _, name = path.rpartition("/")
        return name if folder == str(self.folder) else None


class Unrecordable(Exception):
    """This Python's `sqlite3` hides the library it runs on; the text says so."""


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    """The SQLite that `sqlite3` runs on. Raises Unrecordable."""
    for file in (getattr(_sqlite3, "__file__", None), None):
        library = ctypes.CDLL(file)
        if hasattr(library, "sqlite3_vfs_register"):
            library.sqlite3_vfs_find.restype = POINTER(_Vfs)
            library.sqlite3_vfs_find.argtypes = [c_char_p]
            library.sqlite3_vfs_register.argtypes = [POINTER(_Vfs), c_int]
            library.sqlite3_randomness.argtypes = [c_int, c_void_p]
            return library
    raise Unrecordable("this Python is built with an SQLite of which no function can be reached from outside")


class _Hooks:
    """The VFS. There is one for a process; a recorder is put in while something is to be recorded."""

    def __init__(self) -> None:
        self._library = _library()
        self._unix = self._library.sqlite3_vfs_find(b"unix")
        self.recorder: Recorder | None = None
        self._random = Random(0)
        self._names: dict[int, str] = {}
        self._tables: dict[int, tuple[Any, ...]] = {}
        unix = self._unix.contents
        self._base_open = _OPEN(unix.open)
        self._base_delete = _DELETE(unix.delete)
        self._vfs = _Vfs()
        ctypes.memmove(ctypes.byref(self._vfs), self._unix, ctypes.sizeof(_Vfs))
        self._vfs.name = NAME
        self._vfs.next = None
        self._own_open, self._own_delete = _OPEN(self._open), _DELETE(self._delete)
        self._vfs.open = ctypes.cast(self._own_open, c_void_p)
        self._vfs.delete = ctypes.cast(self._own_delete, c_void_p)
        self._own_randomness = _RANDOMNESS(self._randomness)
        self._vfs.randomness = ctypes.cast(self._own_randomness, c_void_p)

    def switch(self, *, on: bool, seed: int = 0) -> None:
        """New connections come here, with SQLite's own dice thrown from a seed; or go where they always go."""
        self._random = Random(seed)
        self._library.sqlite3_randomness(0, None)
        if on:
            self._library.sqlite3_vfs_register(ctypes.byref(self._vfs), 1)
        else:
            self._library.sqlite3_vfs_register(self._unix, 1)

    def _note(self, step: Step) -> None:
        if self.recorder is not None:
            self.recorder.steps.append(step)

    def _open(self, vfs: int, path: int | None, file: int, flags: int, out: Any) -> int:
        text = ctypes.string_at(path).decode() if path else ""
        name = self.recorder.name_of(text) if self.recorder else None
        is_new = name is not None and not os.path.exists(text)  # noqa: PTH110 asked on every opening
        answer: int = self._base_open(vfs, path, file, flags, out)
        if answer == OK and name is not None:
            if is_new:
                self._note(Create(name, bool(flags & (OPEN_WAL | OPEN_JOURNAL))))
            self._names[file] = name
            opened = ctypes.cast(file, POINTER(_File)).contents
            opened.methods = ctypes.pointer(self._table(opened.methods))
        return answer

    def _delete(self, vfs: int, path: bytes, sync_folder: int) -> int:
        answer: int = self._base_delete(vfs, path, sync_folder)
        name = self.recorder.name_of(path.decode()) if self.recorder else None
        if answer == OK and name is not None:
            self._note(Delete(name, bool(sync_folder)))
        return answer

    def _randomness(self, _vfs: int, size: int, out: int) -> int:
        ctypes.memmove(out, self._random.randbytes(size), size)
        return size

    def _table(self, base: Any) -> _Methods:
        """A copy of SQLite's own table of methods with ours in it; one for each of SQLite's."""
        address = ctypes.addressof(base.contents)
        if address not in self._tables:
            table = _Methods()
            ctypes.memmove(ctypes.byref(table), base, ctypes.sizeof(_Methods))
            own = self._methods(base.contents)
            for field, function in own.items():
                setattr(table, field, ctypes.cast(function, c_void_p))
            self._tables[address] = (table, own)
        found: _Methods = self._tables[address][0]
        return found

    def _methods(self, base: Any) -> dict[str, Any]:
        write_on, truncate_on = _WRITE(base.write), _TRUNCATE(base.truncate)
        sync_on, close_on = _SYNC(base.sync), _CLOSE(base.close)

        def write(file: int, data: int, size: int, offset: int) -> int:
            self._note(Write(self._names[file], offset, ctypes.string_at(data, size)))
            answer: int = write_on(file, data, size, offset)
            return answer

        def truncate(file: int, size: int) -> int:
            self._note(Truncate(self._names[file], size))
            answer: int = truncate_on(file, size)
            return answer

        def sync(file: int, flags: int) -> int:
            answer: int = sync_on(file, flags)
            if answer == OK:
                self._note(Sync(self._names[file]))
            return answer

        def close(file: int) -> int:
            self._names.pop(file, None)
            answer: int = close_on(file)
            return answer

        return {"write": _WRITE(write), "truncate": _TRUNCATE(truncate), "sync": _SYNC(sync), "close": _CLOSE(close)}


@lru_cache(maxsize=1)
def _hooks() -> _Hooks:
    return _Hooks()


def can_record() -> bool:
    """Whether this Python's SQLite can be watched."""
    try:
        _library()
    except Unrecordable:
        return False
    return True


@contextlib.contextmanager
def recording(folder: Path, seed: int) -> Iterator[Recorder]:
    """Record what happens in `folder`; the same seed, the same chance. Connections opened inside must be closed inside. Raises Unrecordable."""
    hooks = _hooks()
    assert hooks.recorder is None, "one recording at a time"
    hooks.recorder = recorder = Recorder(folder)
    hooks.switch(on=True, seed=seed)
    dice = Random(seed)
    try:
        with (
            aside(recorder),
            mock.patch("secrets.token_hex", lambda size=32: dice.randbytes(size).hex()),
            mock.patch("secrets.randbits", dice.getrandbits),
        ):
            yield recorder
    finally:
        hooks.switch(on=False)
        hooks.recorder = None


@contextlib.contextmanager
def aside(recorder: Recorder) -> Iterator[None]:
    """Record files that are made, grown and removed without SQLite (the ballast)."""
    fallocate, unlink, opener = os.posix_fallocate, Path.unlink, Path.open

    def note(path: str, step: Callable[[str], Step]) -> None:
        name = recorder.name_of(path)
        if name is not None:
            recorder.steps.append(step(name))

    def posix_fallocate(file: int, offset: int, length: int) -> None:
        fallocate(file, offset, length)
        note(str(Path(f"/proc/self/fd/{file}").readlink()), lambda name: Truncate(name, offset + length))

    def path_open(self: Path, mode: str = "r", *rest: Any, **more: Any) -> Any:
        is_new = "w" in mode and not self.exists()
        opened = opener(self, mode, *rest, **more)
        if is_new:
            note(str(self), Create)
        return opened

    def path_unlink(self: Path, missing_ok: bool = False) -> None:  # noqa: FBT001, FBT002 as in pathlib
        existed = self.exists()
        unlink(self, missing_ok=missing_ok)
        if existed:
            note(str(self), lambda name: Delete(name, synced=False))

    with (
        mock.patch.object(os, "posix_fallocate", posix_fallocate),
        mock.patch.object(Path, "open", path_open),
        mock.patch.object(Path, "unlink", path_unlink),
    ):
        yield
