"""What the lock process and the screens say to each other over the panel's socket: one JSON object a line.

Owns the shape of those lines and their bounds. Refuses to know sockets and screens. Needs msgspec and the core's shapes only,
so that the kiosk can import it without the lock process.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from controller.core.events import Button
from controller.core.views import View
from wire.badges import PIN_DIGITS_MAX
from wire.ids import IdentityCheck, Motive

LINE_BYTES_MAX: Final = 64 * 1024
"""Longest line either way, newline included: a picture of 60 compartments and 500 parcels stays below it by far."""

TEXT_CHARACTERS_MAX: Final = 512
"""Longest text of an input: the scanner's own bound on one code."""

Text = Annotated[str, Meta(max_length=TEXT_CHARACTERS_MAX)]
LabelText = Annotated[str, Meta(pattern=r"^[A-Z0-9]{1,4}$")]
ParcelText = Annotated[str, Meta(pattern=r"^[0-9A-HJKMNP-TV-Z]{13}$")]


FoundText = Annotated[str, Meta(max_length=48)]
"""Twice the longest carrier number, for the spaces somebody types."""

LATEST_MS: Final = 253_402_300_799_999
"""The last millisecond of the year 9999, UTC."""


class ViewLine(msgspec.Struct, frozen=True, kw_only=True):
    """Lock process → screens: the whole picture, on connection and after every change."""

    view: View


class ClosedLine(msgspec.Struct, frozen=True, kw_only=True):
    """Lock process → screens: the last line before the connection is closed, and why."""

    closed: str


class TouchInput(msgspec.Struct, frozen=True, kw_only=True, tag_field="input", tag="touch"):
    """Screens → lock process: somebody touches the customer's screen; `busy` when they type or choose something there."""

    busy: bool = False


class DigitsInput(msgspec.Struct, frozen=True, kw_only=True, tag_field="input", tag="digits"):
    """Screens → lock process: what a customer typed."""

    text: Text


class ScanInput(msgspec.Struct, frozen=True, kw_only=True, tag_field="input", tag="scan"):
    """Screens → lock process: a label typed by staff, handled as if it had been scanned."""

    text: Text


class AssistInput(msgspec.Struct, frozen=True, kw_only=True, tag_field="input", tag="assist"):
    """Screens → lock process: staff open for a recipient at the desk."""

    parcel: ParcelText
    motive: Motive
    identity: IdentityCheck
    present: bool


class FindInput(msgspec.Struct, frozen=True, kw_only=True, tag_field="input", tag="find"):
    """Screens → lock process: what staff know of a parcel they look for; the kiosk adds the day that a date means here."""

    text: FoundText = ""
    since_ms: Annotated[int, Meta(ge=0, le=LATEST_MS)] = 0
    until_ms: Annotated[int, Meta(ge=0, le=LATEST_MS)] = 0


class PinInput(msgspec.Struct, frozen=True, kw_only=True, tag_field="input", tag="pin"):
    """Screens → lock process: the PIN that was asked for, typed on the staff screen."""

    text: Annotated[str, Meta(max_length=PIN_DIGITS_MAX)]


class PressInput(msgspec.Struct, frozen=True, kw_only=True, tag_field="input", tag="press", omit_defaults=True):
    """Screens → lock process: a button with what it points at."""

    button: Button
    value: Text = ""
    compartment: LabelText | None = None
    parcel: ParcelText | None = None


Input = AssistInput | DigitsInput | FindInput | ScanInput | PinInput | PressInput | TouchInput
Line = ViewLine | ClosedLine

_ENCODER = msgspec.json.Encoder()
_INPUTS: msgspec.json.Decoder[Input] = msgspec.json.Decoder(Input)
_VIEWS: msgspec.json.Decoder[ViewLine] = msgspec.json.Decoder(ViewLine)
_CLOSED: msgspec.json.Decoder[ClosedLine] = msgspec.json.Decoder(ClosedLine)


class BadLine(ValueError):
    """A line is none of these messages; the text says what is wrong, without quoting it."""


def encode_line(message: Line | Input) -> bytes:
    """One line, newline included."""
    return _ENCODER.encode(message) + b"\n"


def decode_input(line: bytes) -> Input:
    """What the screens sent. Raises BadLine."""
    try:
        return _INPUTS.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadLine(str(error)) from error


def decode_line(line: bytes) -> Line:
    """What the lock process sent. Raises BadLine."""
    decoder = _CLOSED if line.startswith(b'{"closed"') else _VIEWS
    try:
        return decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadLine(str(error)) from error
