"""One who watches what opens from afar: never late, never twice, never too often, never by one person alone (A-03 … A-06, I-21, I-30).

Owns arithmetic of its own, by the clock on the wall, which nobody moves in these lives. Refuses to act.
"""

from __future__ import annotations

from typing import Final

from wire import facts as f
from wire.ids import Purpose

WINDOW_MS: Final = 600_000
DAY_MS: Final = 86_400_000
ENDS_WITHIN_MS: Final = 60_000
"""Three tries of a latch, with their pauses, and a world that looks twice a second."""


class AfarWatch:
    """Hears every fact of one site, in order."""

    def __init__(self) -> None:
        self.accepted: dict[str, int] = {}
        """Commands that were accepted, and when."""
        self.ended: dict[str, str] = {}
        """The last word on each of them."""
        self.opened: set[str] = set()
        """Sessions whose door was seen open."""
        self._sessions: dict[str, str] = {}
        self._staff = False
        self._must_end: set[str] = set()

    def hear(self, fact: f.AnyFact, at_ms: int) -> None:
        """One fact more."""
        match fact:
            case f.RemoteOpeningAccepted():
                self._accept(fact, at_ms)
            case f.OpeningOrdered() if fact.purpose is Purpose.REMOTE:
                assert fact.session in self._sessions, "I-10: opened from afar, and nothing says who wanted it"
            case f.DoorOpened():
                self.opened.add(fact.session)
            case f.CommandAnswered() if fact.id in self.accepted and fact.outcome != "accepted":
                assert fact.id not in self.ended, "A-05: a command has two ends"
                self._end(fact)
            case f.StaffSignedIn():
                self._staff = True
            case f.StaffSignedOut():
                self._staff = False
            case f.SiteStarted():
                self._must_end = self.accepted.keys() - self.ended.keys()
            case _:
                return

    def look(self, now_ms: int) -> None:
        """After a step: nobody waits for an answer that can come no more."""
        assert not self._must_end - self.ended.keys(), "A-05: a restart left a command without an answer"
        open_ended = [one for one, at_ms in self.accepted.items() if one not in self.ended]
        waited = [one for one in open_ended if now_ms - self.accepted[one] > ENDS_WITHIN_MS]
        assert not waited, "A-03: nobody says whether the door was seen open"

    def _accept(self, fact: f.RemoteOpeningAccepted, at_ms: int) -> None:
        assert fact.command not in self.accepted, "A-05: one command opened two doors"
        assert fact.by, "I-30: nobody asked for it"
        assert fact.approver.strip().casefold() not in {"", fact.by.strip().casefold()}, (
            "I-30: one person opened a door"
        )
        assert fact.reason, "A-03: a door opened, and nobody says why"
        assert not self._staff, "a door opened from afar while somebody worked at the bank"
        times = self.accepted.values()
        recent = sum(at_ms - before < WINDOW_MS for before in times)
        today = sum(at_ms - before < DAY_MS for before in times)
        assert recent < 2, f"I-21: {recent + 1} doors from afar within ten minutes"
        assert today < 10, f"I-21: {today + 1} doors from afar within a day"
        self.accepted[fact.command] = at_ms
        self._sessions[fact.session] = fact.command

    def _end(self, fact: f.CommandAnswered) -> None:
        self.ended[fact.id] = fact.outcome
        session = next(session for session, command in self._sessions.items() if command == fact.id)
        seen = session in self.opened or fact.reason == "restart"
        assert fact.outcome != "done" or seen, "A-03: called open, and nobody saw the door move"
