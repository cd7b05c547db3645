"""Doors opened from afar as the hub sees them: who may ask for which, and how far each door has come (A-03 … A-06).

Owns the hub's own caps, the two people, and what is sent next. The site keeps a budget and a clock of its own and believes none of
this (ADR 0021); these rules are there to say no before a second person is asked. Refuses to know tables, pages and the broker.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hub.core.moment import OFFLINE_AFTER_MS
from wire.messages import Health, Outcome

DOORS_A_WISH_MAX: Final = 2
"""Doors of one site in one wish: what its own budget lets open in ten minutes. There is no wish for several sites (A-06)."""
WINDOW_MS: Final = 600_000
DOORS_A_WINDOW_SITE: Final = 2
DAY_MS: Final = 86_400_000
DOORS_A_DAY_SITE: Final = 10
DOORS_A_WINDOW_ASSOCIATION: Final = 10
"""Whoever holds two people's sessions opens no more than this in ten minutes, however many sites there are."""
WISH_LIFE_MS: Final = 900_000
"""How long the second person may take; then whoever stood at the door has left, and it is asked again."""
DOOR_LIFE_MS: Final = 20_000
"""Life of a command for a door; the wire allows 30 s (`wire.messages.COMMAND_LIFE_MS_MAX`)."""
SILENT_AFTER_MS: Final = 10_000
"""Past the end of a command's life: an answer that has not come by then is told as missing."""
PAUSE_MS: Final = 1_500
"""Between the end of one door and the next: one coil at a time, and a person follows with their eyes (I-8)."""
AGREED_LIFE_MS: Final = 120_000
"""How long after the second person agreed a door may still be sent; what was not sent by then is not sent any more."""


class Wish(StrEnum):
    """How far a wish to open doors has come."""

    WAITING = "waiting"
    """For a second person."""
    AGREED = "agreed"
    ENDED = "ended"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


class Step(StrEnum):
    """How far one door of a wish has come."""

    NOT_SENT = "not_sent"
    SENT = "sent"
    ACCEPTED = "accepted"
    SEEN_OPEN = "seen_open"
    NOT_SEEN = "not_seen"
    REFUSED = "refused"
    SILENT = "silent"
    """No answer came in time. It is not known whether the door opened; the site tells it when it is heard again."""


_LAST_WORDS: Final[Mapping[str, Step]] = {
    Outcome.DONE: Step.SEEN_OPEN,
    Outcome.FAILED: Step.NOT_SEEN,
    Outcome.REFUSED: Step.REFUSED,
}


@dataclass(frozen=True, slots=True)
class DoorWish:
    """One door of a wish. Times are the hub's, in milliseconds since 1970 UTC; 0: it was not, or not yet."""

    compartment: str
    sent_ms: int = 0
    expires_ms: int = 0
    accepted_ms: int = 0
    outcome: str = ""
    answer: str = ""
    answered_ms: int = 0

    def step(self, now_ms: int) -> Step:
        """How far it has come. The site's last word counts whenever it comes."""
        if not self.sent_ms:
            return Step.NOT_SENT
        if self.outcome in _LAST_WORDS:
            return _LAST_WORDS[self.outcome]
        if now_ms >= self.expires_ms + SILENT_AFTER_MS:
            return Step.SILENT
        return Step.ACCEPTED if self.outcome == Outcome.ACCEPTED else Step.SENT


@dataclass(frozen=True, slots=True)
class Asked:
    """A door that was asked for lately: when, and at which site."""

    site: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Moment:
    """When a command for a door is late, by the one clock that nobody can set (ADR 0021)."""

    session: str
    until_mono_ms: int


def wish_now(state: str, asked_ms: int, now_ms: int) -> str:
    """The state of a wish as it is now: nobody has to note that one lapsed."""
    if state == Wish.WAITING and now_ms - asked_ms >= WISH_LIFE_MS:
        return Wish.LAPSED
    return state


def may_not(asked: Sequence[Asked], site: int, doors: int, now_ms: int) -> str:
    """Why no more doors may be asked for now, `budget_site` or `budget_network`; empty when they may.

    `asked` are the association's doors of the last day that were asked for and that no site refused.
    """
    here = [one.at_ms for one in asked if one.site == site]
    lately = [at_ms for at_ms in here if now_ms - at_ms < WINDOW_MS]
    if len(lately) + doors > DOORS_A_WINDOW_SITE or len(here) + doors > DOORS_A_DAY_SITE:
        return "budget_site"
    everywhere = [one for one in asked if now_ms - one.at_ms < WINDOW_MS]
    return "budget_network" if len(everywhere) + doors > DOORS_A_WINDOW_ASSOCIATION else ""


def moment_for(health: Health | None, heard_ms: int, boot: int, now_ms: int) -> Moment | None:
    """What a command for a door names; None when the site was not heard since its last start, or not lately.

    What took long on the way up makes the command late sooner, never later. A hub's clock that went back counts as no time passed.
    """
    if health is None or not health.mono_ms or health.boot != boot or now_ms - heard_ms >= OFFLINE_AFTER_MS:
        return None
    return Moment(str(boot), health.mono_ms + max(0, now_ms - heard_ms) + DOOR_LIFE_MS)


def next_door(doors: Sequence[DoorWish], agreed_ms: int, now_ms: int) -> int | None:
    """Which door is sent now, by its place in the wish; None when there is nothing to do but wait, or nothing more.

    One after the other. A refusal or a silence ends the wish: what stands against the first stands against the second.
    """
    last_ms = 0
    for place, door in enumerate(doors):
        match door.step(now_ms):
            case Step.NOT_SENT:
                return place if now_ms - last_ms >= PAUSE_MS and now_ms - agreed_ms < AGREED_LIFE_MS else None
            case Step.SEEN_OPEN | Step.NOT_SEEN:
                last_ms = door.answered_ms
            case _:
                return None
    return None


def is_over(doors: Sequence[DoorWish], agreed_ms: int, now_ms: int) -> bool:
    """Whether nothing will be sent any more and nothing is waited for."""
    for door in doors:
        match door.step(now_ms):
            case Step.REFUSED | Step.SILENT:
                return True
            case Step.NOT_SENT:
                return now_ms - agreed_ms >= AGREED_LIFE_MS
            case Step.SENT | Step.ACCEPTED:
                return False
            case _:
                pass
    return True
