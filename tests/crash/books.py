"""What the books of a site or of the hub look like after a power cut, and whether that is what was promised.

Owns the verdict on one image and the counters of many. Refuses to know what is in the books: that is said by `site_books` and
`hub_books`, each of which lives a working day on a recorded disk and opens what may be found afterwards.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from tests.crash.disk import Image, images
from tests.crash.vfs import Step

TEMPORARY: Final = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())
STORIES_MAX: Final = 20
"""Failures told in full; the others are counted."""


class Lost(AssertionError):
    """Something that had been acknowledged is not there any more."""


class Corrupt(AssertionError):
    """The books do not open, or contradict themselves or what was written."""


class Books(Protocol):
    """One kind of books."""

    name: str

    def small(self, seed: int) -> AbstractContextManager[None]:
        """What is turned down for recording and checking, so that one day shows everything."""

    def record(self, folder: Path, seed: int) -> list[Step]:
        """Live a day on a recorded disk."""

    def check(self, folder: Path, image: Image) -> None:
        """Open what was found. Raises Lost, Corrupt."""


@dataclass
class Tally:
    """What came out of many images."""

    recordings: int = 0
    images: int = 0
    acked_lost: int = 0
    corrupt: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    fates: Counter[str] = field(default_factory=Counter)
    stories: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Count what another process found as well."""
        self.recordings += other.recordings
        self.images += other.images
        self.acked_lost += other.acked_lost
        self.corrupt += other.corrupt
        self.kinds += other.kinds
        self.fates += other.fates
        self.stories += other.stories[: STORIES_MAX - len(self.stories)]


def replay(books: Books, seed: int, *, every: int = 1, until_s: float | None = None) -> Tally:
    """Record one day and look at its images: of each step, or of every so many; no more after `until_s` (monotonic)."""
    tally = Tally(recordings=1)
    with _folder("recorded") as folder, books.small(seed):
        steps = books.record(folder, seed)
    with _folder("image") as folder, books.small(seed):
        for image in images(steps, seed, every):
            if until_s is not None and time.monotonic() > until_s:
                break
            _look(books, seed, folder, image, tally)
    return tally


def _look(books: Books, seed: int, folder: Path, image: Image, tally: Tally) -> None:
    tally.images += 1
    tally.kinds[f"{books.name}: {image.kind}"] += 1
    tally.fates[image.fate.value] += 1
    for left in folder.iterdir():
        left.unlink()
    for name, content in image.files.items():
        (folder / name).write_bytes(content)
    try:
        books.check(folder, image)
    except Lost as lost:
        tally.acked_lost += 1
        _tell(tally, books, seed, image, f"lost: {lost}")
    except (
        Corrupt,
        ArithmeticError,
        AssertionError,
        LookupError,
        OSError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as corrupt:
        tally.corrupt += 1
        _tell(tally, books, seed, image, f"corrupt: {type(corrupt).__name__}: {corrupt}")


def _tell(tally: Tally, books: Books, seed: int, image: Image, what: str) -> None:
    if len(tally.stories) < STORIES_MAX:
        tally.stories.append(
            f"{books.name}, seed {seed}: power cut at step {image.at} (during {image.kind}), unsynced writes {image.fate}; {what}"
        )


@contextmanager
def _folder(name: str) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=f"consigne-{name}-", dir=TEMPORARY))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
