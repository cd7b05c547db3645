"""What recipients are told, by which way, and whether a word is still true when its moment comes.

Owns the kinds of messages and the one decision of who hears what where. Refuses to know addresses, words, clocks and tables.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from wire.ids import ParcelState
from wire.plan import Intent


class MessageKind(StrEnum):
    """What a recipient is told.

    `replaced` is followed by the version (`replaced/2`), `delegated` by the mandate's number, `last_day` by how often the hold
    was extended, `ready` by how often it was said again because an address was corrected: each is said once.
    """

    READY = "ready"
    COLLECTED = "collected"
    REPLACED = "replaced"
    DELEGATED = "delegated"
    WAITS = "waits"
    LAST_DAY = "last_day"


class Way(StrEnum):
    """How somebody is reached."""

    EMAIL = "email"
    PHONE = "phone"


class Truth(StrEnum):
    """Whether a message may be said: now, not yet, or never more because its parcel went on meanwhile."""

    NOW = "now"
    LATER = "later"
    NEVER = "never"


_KEYS: Final = frozenset({MessageKind.READY, MessageKind.REPLACED, MessageKind.WAITS, MessageKind.LAST_DAY})
"""Messages that bring the key of a parcel, and without which it is not collected."""
_NOT_YET: Final = frozenset({ParcelState.ANNOUNCED, ParcelState.RECEIVED, ParcelState.COLLECTING})
"""On its way to a door, or out of it for as long as its collection may still be disputed."""


def replaced_kind(version: int) -> str:
    """The kind of the message that tells of a new key: once for each version."""
    return f"{MessageKind.REPLACED}/{version}"


def last_day_kind(extended: int) -> str:
    """The kind of the reminder before a hold ends: once for each extension."""
    return f"{MessageKind.LAST_DAY}/{extended}"


def kind_of(kind: str) -> MessageKind | None:
    """What a queued kind says, without its number; None for one of another version of the hub."""
    name = kind.partition("/")[0]
    return next((known for known in MessageKind if known.value == name), None)


def brings_key(kind: MessageKind) -> bool:
    """Whether a message carries the code of its parcel."""
    return kind in _KEYS


def is_urgent(kind: MessageKind) -> bool:
    """Whether a message goes at once, at any hour: the paper in somebody's hand opens nothing any more (ADR 0024)."""
    return kind is MessageKind.REPLACED


def ways_to(kind: MessageKind, *, given: frozenset[Way], working: frozenset[Way]) -> tuple[Way, ...]:
    """The ways a message takes, of those its recipient gave and this hub has.

    What brings the key goes every way: the slip comes by e-mail, the telephone says at once that it is there. What only tells
    that something happened goes one way, by telephone where there is one.
    """
    open_ways = given & working
    if brings_key(kind):
        return tuple(way for way in Way if way in open_ways)
    return next(((way,) for way in (Way.PHONE, Way.EMAIL) if way in open_ways), ())


def international(phone: str, country: str) -> str:
    """A tidied number as gateways take it, + in front: one with a single 0 is of the `country` (its code, such as 33)."""
    if phone.startswith("00"):
        return f"+{phone[2:]}"
    if phone.startswith("0"):
        return f"+{country}{phone[1:]}"
    return phone if phone.startswith("+") else f"+{phone}"


def truth_of(kind: str, *, state: ParcelState, intent: Intent, extended: int) -> Truth:
    """Whether a message is true of its parcel as it is now. A code that opens nothing any more is never sent."""
    match kind_of(kind):
        case None:
            return Truth.NEVER
        case MessageKind.COLLECTED | MessageKind.DELEGATED:
            return Truth.NOW
        case MessageKind.REPLACED:
            return Truth.NOW if state in _NOT_YET | {ParcelState.STORED} else Truth.NEVER
        case waits:
            if intent is Intent.RECALL or (waits is MessageKind.LAST_DAY and kind != last_day_kind(extended)):
                return Truth.NEVER
            if state in _NOT_YET:
                return Truth.LATER
            return Truth.NOW if state is ParcelState.STORED else Truth.NEVER
