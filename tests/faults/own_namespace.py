"""Mounts and networks of a test's own: a thread leaves the machine's namespaces, and everything it starts is with it.

Owns the leaving, and the disks that are mounted in there. Nothing done in there is seen outside, and all of it is gone with
the last process in it. Who may not (no root, a guarded container) is skipped, loudly.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

import pytest

from tests.tools.debian import SKIP_PREFIX, need

MOUNTS: Final = 0x00020000
"""CLONE_NEWNS of unshare(2); such a namespace is a thread's own, not a process's."""

NETWORK: Final = 0x40000000
"""CLONE_NEWNET."""

PATIENCE_S: Final = 10.0
BLOCK: Final = 4096
T = TypeVar("T")


class OwnNamespace:
    """A thread that lives in namespaces of its own until closed; whatever it starts lives there too."""

    def __init__(self, what: int) -> None:
        """Leave. Skips the test where that is not permitted."""
        need("namespaces")
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="own-namespace")
        try:
            self.run(lambda: _leave(what))
        except BaseException:
            self.close()
            raise

    def run(self, body: Callable[[], T]) -> T:
        """Do it in there; what it raises is raised here, a skip as well."""
        return self._thread.submit(body).result()

    def close(self) -> None:
        """End the thread; the namespaces go with the last process in them."""
        self._thread.shutdown()


def in_own_namespace(what: int, body: Callable[[], None]) -> None:
    """Run `body` in a thread with namespaces of its own; whatever it raises is raised here."""
    namespace = OwnNamespace(what)
    try:
        namespace.run(body)
    finally:
        namespace.close()


def _leave(what: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(what) != 0:
        pytest.skip(f"{SKIP_PREFIX}namespaces: not permitted here ({os.strerror(ctypes.get_errno())}); run it as root")
    if what & MOUNTS:
        call("mount", "--make-rprivate", "/")
    if what & NETWORK:
        need("iproute2")
        call("ip", "link", "set", "lo", "up")


def call(*command: str) -> str:
    """One tool; what it printed. Who may unshare but not mount is skipped as well."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    if done.returncode:
        pytest.skip(f"{SKIP_PREFIX}namespaces: {' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


class SmallDisk:
    """A disk in memory of so many bytes under a folder, which a test fills and frees."""

    def __init__(self, folder: Path, size: int) -> None:
        """Mount it; only in a namespace of one's own."""
        folder.mkdir(parents=True, exist_ok=True)
        call("mount", "-t", "tmpfs", "-o", f"size={size}", "consigne-test", str(folder))
        self.folder = folder
        self._filler = folder / "somebody-elses-file"

    def fill(self, *, but: int = 0) -> None:
        """Not one block is left, or so many bytes."""
        with self._filler.open("ab", buffering=0) as file:
            for size in (1 << 20, BLOCK):
                with contextlib.suppress(OSError):
                    while self.free_bytes() >= but + size:
                        file.write(bytes(size))
        assert self.free_bytes() <= but + BLOCK

    def free(self) -> None:
        """Somebody made room."""
        self._filler.unlink(missing_ok=True)

    def free_bytes(self) -> int:
        """What is left."""
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize


class FailingCard:
    """A card with ext4 on it under a folder, which the kernel makes read-only under whoever writes, as it does on an error."""

    def __init__(self, image: Path, folder: Path, size: int) -> None:
        """Make it and mount it; only in a namespace of one's own."""
        need("ext4")
        folder.mkdir(parents=True, exist_ok=True)
        with image.open("wb") as file:
            file.truncate(size)
        call("mkfs.ext4", "-q", "-F", str(image))
        self.folder = folder
        self._image = image
        self.mount()

    def mount(self) -> None:
        """Put the card in: a kernel replays its log."""
        call("mount", "-o", "loop,errors=remount-ro", str(self._image), str(self.folder))

    def unmount(self) -> None:
        """Take it out; nobody may have a file open."""
        call("umount", str(self.folder))

    def fail(self) -> None:
        """An error in the file system: from now on every write is refused, also to files that are open."""
        device = Path(call("findmnt", "--noheadings", "--output", "SOURCE", str(self.folder)).strip()).name
        trigger = Path("/sys/fs/ext4") / device / "trigger_fs_error"
        try:
            trigger.write_text("1")
        except OSError as error:
            pytest.skip(f"{SKIP_PREFIX}namespaces: {trigger}: {error}")

    def forgive(self) -> None:
        """A new mount of the same card, once nobody uses it."""
        self.unmount()
        self.mount()
