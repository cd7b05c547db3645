"""The plan: the whole of what the hub wants of one site, and the parts it is made of.

Owns the document and its hash. Refuses to know how a site carries it out. Holds no name, phone number or code.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from wire.ids import KEY_EPOCH_MAX, KEY_VERSION_MAX, SITE_NUMBER_MAX, ParcelId, ReachZone, SizeClass, Whole

PLAN_PARCELS_MAX: Final = 2_000
"""Parcels in one plan: forty times the largest bank we know, and under 1 MiB on the wire."""

KeyVersion = Annotated[int, Meta(ge=0, le=KEY_VERSION_MAX)]
KeyEpoch = Annotated[int, Meta(ge=0, le=KEY_EPOCH_MAX)]
Milliseconds = Annotated[int, Meta(ge=0, le=90 * 24 * 3600 * 1000)]


class Intent(StrEnum):
    """What the hub wants of a parcel."""

    HOLD = "hold"
    RECALL = "recall"


class Help(StrEnum):
    """The help profile of a recipient: how the machine should speak, never who they are."""

    STANDARD = "standard"
    LOW_REACH = "low_reach"
    BLIND = "blind"
    DEAF = "deaf"
    ASSISTED = "assisted"


class PlannedParcel(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A parcel the hub announced to this site. `group` ties the parcels of one recipient without naming them.

    `extended`: how many extensions of its hold the hub knew of when it said `intent`. A site that knows of more keeps its own (ADR 0016).
    `again`: the hub knew that a parcel of this number had left the site, and expects it once more (ADR 0007).
    """

    id: ParcelId
    version: KeyVersion
    epoch: KeyEpoch = 0
    tracking: str = ""
    carrier: str = ""
    size: SizeClass | None = None
    heavy: bool = False
    reach: ReachZone | None = None
    language: str = "fr"
    help: Help = Help.STANDARD
    group: str = ""
    intent: Intent = Intent.HOLD
    extended: Annotated[int, Meta(ge=0, le=1_000)] = 0
    again: bool = False


class Role(StrEnum):
    """What somebody is at a site. A roster may hold others, of a later version: they may do nothing here."""

    MEDIATOR = "mediator"
    CONCIERGE = "concierge"
    LEAD = "lead"
    COURIER = "courier"


class Person(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry of the roster: an opaque id, a role, and the digest of a badge (`wire.badges.badge_digest`).

    `carrier`: whose courier it is. `pin`: `wire.badges.pin_digest` of badge and PIN, empty without one. `valid_until_ms`: from then
    on the badge opens nothing, by a trusted clock only; 0 without an end.
    """

    id: str
    role: str
    badge: str
    carrier: Annotated[str, Meta(max_length=32)] = ""
    pin: Annotated[str, Meta(max_length=64)] = ""
    valid_until_ms: Whole = 0


class SiteCard(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How another site is named to a customer who stands at the wrong one."""

    number: Annotated[int, Meta(ge=0, le=SITE_NUMBER_MAX)]
    name: str
    address: str = ""


class Settings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Times of a site, all in milliseconds; the defaults are the journeys' table.

    `pin_required`: a badge without a PIN opens no compartment that may hold a parcel. Off, so that a site whose hub has given no PINs
    yet is not locked out of its own doors by an update. `sensor_open_ms`: a switch that reads open for so long is not believed (A-08).
    """

    open_timeout_ms: Milliseconds = 4_000
    pulses_max: Annotated[int, Meta(ge=1, le=3)] = 3
    pulse_gap_ms: Annotated[int, Meta(ge=1_500, le=10_000)] = 1_500
    take_ms: Milliseconds = 60_000
    nag_ms: Milliseconds = 15_000
    alarm_ms: Milliseconds = 180_000
    reopen_grace_ms: Milliseconds = 300_000
    dispute_ms: Milliseconds = 900_000
    quick_close_ms: Milliseconds = 2_000
    cancel_answer_ms: Milliseconds = 30_000
    staff_idle_ms: Milliseconds = 90_000
    attempts_burst: Annotated[int, Meta(ge=1, le=20)] = 8
    attempts_per_hour: Annotated[int, Meta(ge=1, le=20)] = 4
    attempts_per_hour_alarm: Annotated[int, Meta(ge=1, le=20)] = 1
    reopens_max: Annotated[int, Meta(ge=0, le=10)] = 3
    pin_required: bool = False
    sensor_open_ms: Milliseconds = 7_200_000


class Plan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The full desired document of a site, ordered by (incarnation, revision)."""

    site: str
    incarnation: Whole
    revision: Whole
    hash: str
    name: str = ""
    address: str = ""
    parcels: Annotated[tuple[PlannedParcel, ...], Meta(max_length=PLAN_PARCELS_MAX)] = ()
    people: Annotated[tuple[Person, ...], Meta(max_length=500)] = ()
    sites: Annotated[tuple[SiteCard, ...], Meta(max_length=1_000)] = ()
    settings: Settings = Settings()
    issued_at_ms: Whole = 0


def plan_hash(plan: Plan) -> str:
    """SHA-256, in hex, of what the plan asks for; incarnation, revision, time of issue and the hash itself are left out."""
    bare = msgspec.structs.replace(plan, incarnation=0, revision=0, hash="", issued_at_ms=0)
    return hashlib.sha256(msgspec.json.encode(bare)).hexdigest()


def sealed(plan: Plan) -> Plan:
    """The same plan carrying its own hash."""
    return msgspec.structs.replace(plan, hash=plan_hash(plan))
