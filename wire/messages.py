"""Every message of the wire, one struct each (design §4).

Owns the shape of messages and their decoding. Refuses to know brokers. Unknown fields are ignored on reading
(additive evolution); a message that does not fit raises `BadMessage` with what is wrong, never anything else.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta

from wire.chain import FactRecord
from wire.ids import Door, Label, Occupancy, ParcelId, ParcelState, ReachZone, Service, SizeClass, Trust, Whole
from wire.plan import Plan

MESSAGE_BYTES_MAX: Final = 1 << 20
"""No message of ours is larger; a larger one is refused before it is decoded."""

BATCH_FACTS_MAX: Final = 200
"""Facts in one batch: about 50 kB, half a second on the slowest uplink we expect (1 Mbit/s)."""

COMMAND_LIFE_MS_MAX: Final = 30_000
"""No command that could move a door lives longer (design §4)."""


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of every message."""


class PresenceStatus(StrEnum):
    """What a side says of itself; `lost` is said by the broker in its name (the will)."""

    READY = "ready"
    STOPPING = "stopping"
    LOST = "lost"


class Presence(Message, frozen=True, kw_only=True):
    """A site is here or gone. A `lost` of an older boot is ignored: a will can overtake a rebirth."""

    site: str
    boot: Whole
    status: PresenceStatus
    at_ms: Whole = 0


class CompartmentCard(Message, frozen=True, kw_only=True):
    """A compartment as it hangs in the bank: position and extent in grid units from the top left."""

    label: Label
    size: SizeClass
    reach: ReachZone
    height_mm: int
    row: int
    column: int
    rows: int = 1
    columns: int = 1


class HeldIntent(Message, frozen=True, kw_only=True):
    """A parcel of a plan that the site still holds; tells a restored hub what it forgot."""

    parcel: ParcelId
    version: int
    epoch: int
    state: ParcelState
    tracking: str = ""
    carrier: str = ""


class Birth(Message, frozen=True, kw_only=True):
    """A site describes itself; retained."""

    site: str
    boot: Whole
    journal: str
    version: str
    board: str
    compartments: tuple[CompartmentCard, ...]
    shelf_places: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    plan_incarnation: Whole = 0
    plan_revision: Whole = 0
    plan_hash: str = ""
    last_seq: Whole = 0
    last_hash: str = ""
    held: tuple[HeldIntent, ...] = ()


class CompartmentState(Message, frozen=True, kw_only=True):
    """The three axes of one compartment, never merged."""

    label: Label
    occupancy: Occupancy
    service: Service
    door: Door
    parcel: ParcelId | None = None


class ShelfState(Message, frozen=True, kw_only=True):
    """A parcel on the desk's shelf."""

    place: str
    parcel: ParcelId


class AlarmState(Message, frozen=True, kw_only=True):
    """An alarm nobody has answered yet."""

    alarm: str
    compartment: Label | None = None
    since_ms: Whole = 0


class SiteState(Message, frozen=True, kw_only=True):
    """One atomic snapshot of a site, retained; `seq` is the last fact it contains."""

    site: str
    boot: Whole
    seq: Whole
    at_ms: Whole
    trust: Trust
    compartments: tuple[CompartmentState, ...]
    shelf: tuple[ShelfState, ...] = ()
    alarms: tuple[AlarmState, ...] = ()
    scanner: bool = True
    calls: Whole = 0


class FactBatch(Message, frozen=True, kw_only=True):
    """Facts of a journal, contiguous from `first_seq`; `previous` and `head` are the chain's hashes before and after."""

    site: str
    journal: str
    boot: Whole
    first_seq: Annotated[int, Meta(ge=1)]
    previous: str
    head: str
    facts: Annotated[tuple[FactRecord, ...], Meta(min_length=1, max_length=BATCH_FACTS_MAX)]


class Outcome(StrEnum):
    """How a command ended; `accepted` is not an end."""

    ACCEPTED = "accepted"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


class Reply(Message, frozen=True, kw_only=True):
    """Answer to a command. The same id always gets the same stored answer."""

    site: str
    id: str
    verb: str
    outcome: Outcome
    reason: str = ""


class Health(Message, frozen=True, kw_only=True):
    """How the machine is; lost without harm.

    `mono_ms`: the monotonic clock of this boot as this was written, the time that a command for a door has to name (`Command`); 0: not said.
    """

    site: str
    boot: Whole
    at_ms: Whole
    uptime_ms: Whole
    outbox: Whole
    disk_free_mb: int | None = None
    temperature_c: float | None = None
    throttled: int | None = None
    resident_mb: float | None = None
    pin_policy: str = ""
    mono_ms: Whole = 0


class Ack(Message, frozen=True, kw_only=True):
    """The highest contiguous seq committed in the hub's database; retained. An older incarnation is ignored.

    `head`: the chain's hash after that fact, in hex; a site whose own fact of that number has another one lacks a part of its
    past (ADR 0009). Empty: not said. `before_seq`, `before_head`: the same of the past that was given up when an admin took the
    site's own in its place, for as long as this one is in force: a site to which nobody could say it before hears it now.
    """

    incarnation: Whole
    seq: Whole
    head: str = ""
    before_seq: Whole = 0
    before_head: str = ""


class Verb(StrEnum):
    """What a hub may ask once. Others are refused by name (`unknown_verb`)."""

    REBIRTH = "rebirth"
    IDENTIFY = "identify"
    OPEN = "open"


class OpeningReason(StrEnum):
    """Why a door is opened from afar. A word of a list and never a sentence: a site keeps nobody's name (I-33)."""

    RECIPIENT_WAITS = "recipient_waits"
    PARCEL_STUCK = "parcel_stuck"
    LOOK_INSIDE = "look_inside"
    DELIVERY = "delivery"
    SAFETY = "safety"
    REPAIR = "repair"


class Command(Message, frozen=True, kw_only=True):
    """A one-off intent. Never executed late, at most once. `verb` is text, so that an unknown one can be refused by name.

    A door (`open`) asks for more. `session`: the site's boot, as in its presence. `until_mono_ms`: when it is late by the site's own
    monotonic clock, which nobody can set: what `Health.mono_ms` said, with the time since and the life of the command added; no further
    ahead than `COMMAND_LIFE_MS_MAX`. `actor` asks, `approver` is somebody else who agreed (I-30); both are ids and no names.
    """

    id: Annotated[str, Meta(min_length=8, max_length=64)]
    verb: Annotated[str, Meta(max_length=32)]
    expires_at_ms: Whole
    issued_at_ms: Whole
    session: str = ""
    until_mono_ms: Whole = 0
    actor: Annotated[str, Meta(max_length=64)] = ""
    approver: Annotated[str, Meta(max_length=64)] = ""
    reason: Annotated[str, Meta(max_length=200)] = ""
    compartment: Label | None = None


class HubPresence(Message, frozen=True, kw_only=True):
    """The hub is here or gone."""

    incarnation: Whole
    online: bool
    at_ms: Whole = 0


class BadMessage(ValueError):
    """The bytes are not the message they should be; the text says what is wrong, without quoting them."""


_Decoded = TypeVar("_Decoded", bound="Message | Plan")
_ENCODER = msgspec.json.Encoder()
_DECODERS: dict[type[Any], msgspec.json.Decoder[Any]] = {}


def encode(message: Message | Plan) -> bytes:
    """The bytes of a message."""
    return _ENCODER.encode(message)


def decode(kind: type[_Decoded], payload: bytes) -> _Decoded:
    """The message in `payload`. Raises BadMessage."""
    if len(payload) > MESSAGE_BYTES_MAX:
        text = f"{kind.__name__}: {len(payload)} bytes, at most {MESSAGE_BYTES_MAX} are read"
        raise BadMessage(text)
    decoder = _DECODERS.get(kind)
    if decoder is None:
        decoder = _DECODERS[kind] = msgspec.json.Decoder(kind)
    try:
        message: _Decoded = decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        text = f"{kind.__name__}: {error}"
        raise BadMessage(text) from error
    return message
