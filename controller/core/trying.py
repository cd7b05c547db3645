"""Somebody stands before the reader and nothing is read: after a while a picture shows how to hold the slip (C-33).

Owns when the hint is due, and what ends the wait for it. Refuses to know how a hint looks, and what a text means once it was read.
A person is known to be there by a touch of the customer's screen, or by a line of the reader that is no text.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from controller.core.effects import Decision, Show, Signal, Sound
from controller.core.handing_in import SendStep
from controller.core.model import Live, Now, Phase, State
from controller.core.notices import Notice, NoticeKind

TRYING_MS: Final = 10_000
"""As long as most people turn a slip before they think that it is their fault (journeys C-33)."""

HINTS_MAX: Final = 3
"""A reader that sends nothing but noise speaks to nobody for ever; a touch or a text that was read counts anew."""


def touched(live: Live, now: Now, *, busy: bool) -> Live:
    """The screen was touched: somebody is there. Who types, or reads what a notice says, holds no slip."""
    if busy:
        return answered(live)
    if live.notice is not None:
        return live
    return replace(live, hints=0, trying_since=now.mono if live.trying_since is None else live.trying_since)


def unread(live: Live, now: Now) -> Live:
    """The reader saw something. While staff are signed in it is a label in their hands, and they know what to do (S-02)."""
    if live.badge or live.trying_since is not None:
        return live
    return replace(live, trying_since=now.mono)


def answered(live: Live) -> Live:
    """A text was read, digits came, a button was pressed, a door moved: nobody waits for a hint."""
    return live if live.trying_since is None and live.hints == 0 else replace(live, trying_since=None, hints=0)


def shown(live: Live, notice: Notice) -> Live:
    """A notice answers whoever was trying; a hint is counted."""
    hints = live.hints + 1 if notice.kind is NoticeKind.SCAN_HINT else live.hints
    return replace(live, trying_since=None, hints=hints)


def hint_at(state: State) -> int | None:
    """The monotonic millisecond at which the hint is due; None when nobody waits, or the screen has something else to say.

    Without a reader there is nothing to hold a slip to. While the screen shows an open door it stays there; one that is left
    open for longer than the alarm's time is no longer shown.
    """
    live = state.live
    if live.trying_since is None or live.hints >= HINTS_MAX or not live.scanner or live.notice is not None:
        return None
    if live.sending is not None and live.sending.step is not SendStep.PUT_IN:  # Asked what no slip answers (C-32).
        return None
    due = live.trying_since + TRYING_MS
    for opening in state.durable.openings.values():
        if opening.phase is Phase.PULSING:
            return None
        if opening.phase is Phase.OPEN:
            due = max(due, opening.opened_mono + state.durable.settings.alarm_ms)
    return due


def hint() -> Decision:
    """How to hold the slip, and what else there is. Nothing of it is written down: nothing happened to a parcel."""
    return Decision((), (Show(Notice(NoticeKind.SCAN_HINT)), Sound(Signal.ATTENTION)))
