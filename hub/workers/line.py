"""What changed, from every process of a hub to the open pages of each.

Owns the thread that says and the thread that listens, and what is done when some of it was lost: every page reads itself anew.
Refuses to know what an event is about. An event that comes late or never harms nothing that is kept.
"""

from __future__ import annotations

import logging
import queue
import threading
from typing import Final

import msgspec

from hub.live import Live
from hub.store.between import Line, Unreachable

LOG: Final = logging.getLogger(__name__)

WAITING_MAX: Final = 2_000
"""Events waiting to be said; past this the pages read themselves anew instead."""
AT_ONCE_MAX: Final = 200
LOOK_S: Final = 0.5
AGAIN_S: Final = 2.0
"""Pause before a new connection."""
_MISSED: Final = ""
"""Said when events were lost on the way."""


class Relay:
    """Says what changed in this process. `run` belongs in a guarded thread; put it into `Live.relay`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._waiting: queue.Queue[str] = queue.Queue(WAITING_MAX)
        self._has_lost = False
        self.stopping = threading.Event()

    def __call__(self, topic: str, site: str, key: str) -> None:
        """Take an event; waits for nobody."""
        try:
            self._waiting.put_nowait(msgspec.json.encode((topic, site, key)).decode())
        except queue.Full:
            self._has_lost = True

    def run(self) -> None:
        """Work until `stopping`."""
        while not self.stopping.is_set():
            try:
                self._speak()
            except Unreachable as error:
                LOG.warning("pages of other processes are told nothing for now: %s", error)
                self._has_lost = True
                self.stopping.wait(AGAIN_S)

    def _speak(self) -> None:
        line = Line(self._url)
        try:
            while not self.stopping.is_set():
                words = self._next()
                if self._has_lost:
                    self._has_lost = False
                    words = [_MISSED]
                if words:
                    line.say(words)
        finally:
            line.close()

    def _next(self) -> list[str]:
        words: list[str] = []
        try:
            words.append(self._waiting.get(timeout=LOOK_S))
            while len(words) < AT_ONCE_MAX:
                words.append(self._waiting.get_nowait())
        except queue.Empty:
            pass
        return words


class Listener:
    """Tells the pages of this process what changed in any. `run` belongs in a guarded thread."""

    def __init__(self, url: str, live: Live) -> None:
        self._url = url
        self._live = live
        self.stopping = threading.Event()

    def run(self) -> None:
        """Work until `stopping`."""
        while not self.stopping.is_set():
            try:
                self._listen()
            except Unreachable as error:
                LOG.warning("nothing is heard of other processes for now: %s", error)
                self.stopping.wait(AGAIN_S)

    def _listen(self) -> None:
        line = Line(self._url)
        try:
            line.listen()
            self._live.reset()  # what was said before this connection is not known
            while not self.stopping.is_set():
                for word in line.heard(LOOK_S):
                    self._tell(word)
        finally:
            line.close()

    def _tell(self, word: str) -> None:
        if word == _MISSED:
            self._live.reset()
        else:
            self._live.hear(*msgspec.json.decode(word, type=tuple[str, str, str]))
