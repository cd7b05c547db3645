"""The one folder a demonstration lives in: whose it is, that nobody else uses it now, and that it starts empty or goes on.

Owns the lock beside the folder and the mark inside it. Refuses to empty a folder that no demonstration made.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path
from typing import Final

MARK: Final = ".consigne-demo"
"""A folder with this file in it was made here, and may be emptied here."""


class NotOurs(Exception):
    """The folder cannot be used; the text says why and what to do now."""


class Folder:
    """A state folder, held by one demonstration at a time from `claim` to `release`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    def claim(self) -> None:
        """Hold it against every other demonstration. Raises NotOurs."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._lock_file(), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            message = (
                f"Another demonstration is using {self.path} now. Look for its window and press Ctrl-C there, "
                "or start this one beside it with --state ANOTHER-FOLDER."
            )
            raise NotOurs(message) from None
        self._handle = handle

    def prepare(self, *, keep: bool, needs: str) -> bool:
        """Make it ready; True when what was there goes on, which needs the file `needs`. Raises NotOurs."""
        if keep and (self.path / needs).is_file():
            return True
        if self.path.is_dir() and any(self.path.iterdir()) and not (self.path / MARK).exists():
            message = (
                f"{self.path} is not empty and no demonstration made it, so nothing in it is touched. "
                "Name an empty or a new folder with --state, or delete this one yourself."
            )
            raise NotOurs(message)
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True)
        (self.path / MARK).touch()
        return False

    def release(self) -> None:
        """Let others have it. Idempotent."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def remove(self) -> None:
        """Delete it, and its lock. Only what `prepare` has made or found to be ours."""
        self.release()
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock_file().unlink(missing_ok=True)

    def _lock_file(self) -> Path:
        return self.path.with_name(f"{self.path.name}.lock")
