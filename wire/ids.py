"""Identifiers and the closed vocabularies of the glossary. Knows how they look, never what happens to them."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Final, NewType

from msgspec import Meta

from wire import crockford

SiteId = NewType("SiteId", str)
"""Short name of a site, used in topics: 2–31 characters of `a-z 0-9 -`."""

ParcelId = NewType("ParcelId", str)
"""64 random bits as 13 characters of Crockford base32 (upper case)."""

Label = NewType("Label", str)
"""What is painted on a compartment's door, for instance `7`."""

Whole = Annotated[int, Meta(ge=0, le=(1 << 53) - 1)]
"""A count or a time on the wire: what every JSON reader and every database can hold."""

PARCEL_ID_BITS: Final = 64
PARCEL_ID_CHARACTERS: Final = 13
SITE_NUMBER_MAX: Final = (1 << 20) - 1
KEY_VERSION_MAX: Final = (1 << 10) - 1
KEY_EPOCH_MAX: Final = (1 << 6) - 1

_SITE_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,30}")
_LABEL = re.compile(r"[A-Z0-9]{1,4}")


def is_site_id(text: str) -> bool:
    """Whether `text` may name a site on a topic; `hub` is the hub's own place there."""
    return text != "hub" and _SITE_ID.fullmatch(text) is not None


def is_label(text: str) -> bool:
    """Whether `text` may be painted on a compartment: 1–4 characters of `A-Z 0-9`."""
    return _LABEL.fullmatch(text) is not None


def parcel_id_from_bits(bits: int) -> ParcelId:
    """The id of a parcel from 64 random bits drawn by the caller."""
    return ParcelId(crockford.encode(bits, PARCEL_ID_CHARACTERS))


def is_parcel_id(text: str) -> bool:
    """Whether `text` is a canonical parcel id."""
    try:
        return len(text) == PARCEL_ID_CHARACTERS and crockford.decode(text) < 1 << PARCEL_ID_BITS
    except crockford.NotCrockford:
        return False


class SizeClass(StrEnum):
    """Size of a compartment or parcel, smallest first."""

    S = "S"
    M = "M"
    L = "L"
    XL = "XL"


SIZE_ORDER: Final = (SizeClass.S, SizeClass.M, SizeClass.L, SizeClass.XL)


class ReachZone(StrEnum):
    """Height of a door as a person meets it."""

    LOW = "low"
    MID = "mid"
    HIGH = "high"


class Occupancy(StrEnum):
    """What is known of a compartment's inside. Never merged with service or door."""

    FREE = "free"
    RESERVED = "reserved"
    OCCUPIED = "occupied"
    UNKNOWN = "unknown"


class Service(StrEnum):
    """Whether a compartment may be used."""

    IN_SERVICE = "in_service"
    SUSPECT = "suspect"
    OUT_OF_SERVICE = "out_of_service"


class Door(StrEnum):
    """What the door's switch says now."""

    CLOSED = "closed"
    OPEN = "open"
    UNKNOWN = "unknown"


class ParcelState(StrEnum):
    """The life of a parcel (journeys, *States*)."""

    ANNOUNCED = "announced"
    RECEIVED = "received"
    STORED = "stored"
    COLLECTING = "collecting"
    COLLECTED = "collected"
    RECALLED = "recalled"
    REMOVED = "removed"
    RETURNED = "returned"
    REFUSED = "refused"
    DISPUTED = "disputed"
    LOST = "lost"


class Trust(StrEnum):
    """How far a site's wall clock may be believed, least first (design §3)."""

    UNSET = "unset"
    FLOOR = "floor"
    HUB = "hub"
    NTP = "ntp"


class Motive(StrEnum):
    """Why staff opened for somebody (M-05)."""

    NO_SLIP = "no_slip"
    CANNOT_READ = "cannot_read"
    CANNOT_REACH = "cannot_reach"
    MACHINE = "machine"
    OTHER = "other"


class IdentityCheck(StrEnum):
    """How staff knew whom they had before them, the weakest first."""

    SLIP = "slip"
    KNOWN = "known"
    DOCUMENT = "document"


class Found(StrEnum):
    """What staff saw behind a door of a reconciliation (M-07); `not_opened`: it never opened, so nobody saw."""

    AS_EXPECTED = "as_expected"
    EMPTY = "empty"
    OTHER = "other"
    NOT_OPENED = "not_opened"


class Purpose(StrEnum):
    """Why a door is opened."""

    COLLECT = "collect"
    REOPEN = "reopen"
    LOAD = "load"
    VERIFY = "verify"
    PRACTICE = "practice"
    SEND = "send"
    REMOTE = "remote"


class PlaceKind(StrEnum):
    """Where a parcel lies: behind a door, or on the desk's shelf."""

    COMPARTMENT = "compartment"
    SHELF = "shelf"
