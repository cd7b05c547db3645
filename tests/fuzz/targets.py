"""What is fuzzed: every parser that reads bytes which somebody else wrote, each with properties that must hold of any bytes.

Owns the properties and the first inputs (the golden files, the files of the repository). Refuses to know who makes up inputs: that
is `tests.fuzz.engine`, or the plain mutator of the ordinary tests.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from controller.panel_messages import BadLine, decode_input, encode_line
from controller.settings import SettingsError, load_settings
from firmware.board import BoardError, load_board
from firmware.framing import FRAME_BYTES_MAX, SILENCE_S, Framer
from hub.core.bulk import LINES_MAX, BadFile, read_file
from hub.core.project import project
from hub.settings import BadSettings, read_settings
from wire import crockford, topics
from wire.badges import CommandCard, badge_text, card_text
from wire.facts import UnknownFact, decode_fact, encode_fact, kind_of
from wire.ids import parcel_id_from_bits
from wire.labels import TRACKING_CHARACTERS_MAX, TRACKING_CHARACTERS_MIN, CarrierLabel, has_s10_check_digit, read_label
from wire.mandate import ScannedMandate, read_mandate
from wire.messages import BadMessage, decode, encode
from wire.pickup import (
    NotDigits,
    PickupKey,
    ScannedKey,
    WrongCheckDigit,
    is_genuine,
    qr_text,
    read_digits,
    read_qr_text,
    send_text,
    show_digits,
    typed_digits,
)
from wire.practice import ScannedPractice, read_practice
from wire.scans import Damaged, Foreign, ScannedBadge, classify

ROOT: Final = Path(__file__).resolve().parents[2]
GOLDEN: Final = ROOT / "tests" / "wire" / "golden" / "1"
TEMPORARY: Final = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())
STATE_BYTES_MAX: Final = 1024
"""What a framer may hold (I-32)."""
INPUT_BYTES_MAX: Final = 4096
SITE_KEY: Final = bytes(range(32))
KEY: Final = PickupKey(site_number=93, parcel=parcel_id_from_bits(0x0123_4567_89AB_CDEF), version=1, epoch=0)
QR: Final = qr_text(SITE_KEY, KEY)
LABELS: Final = (
    b"8N00234584108",
    b"RB123456785FR",
    b"]C100376104250021234569",
    b"XY1234567890123",
    b"(00)376104250021234569",
)


@dataclass(frozen=True, slots=True)
class Target:
    """One parser: what must hold of any bytes (AssertionError, or whatever should not be raised), and bytes to begin with."""

    check: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


# ------------------------------------------------------------------------------------------------------------- the door


def framing(data: bytes) -> None:
    """Whatever a reader sends: bounded, cut where it is cut, in step again one terminator later."""
    if not data:
        return
    size, rest = data[0] % 17 + 1, data[1:]
    pieces, whole = Framer(), Framer()
    texts = []
    for start in range(0, len(rest), size):
        texts += pieces.feed(rest[start : start + size], 0.0)
        assert pieces.state_bytes <= STATE_BYTES_MAX
    assert texts == whole.feed(rest, 0.0), "how the bytes were cut must not matter"
    for text in texts:
        assert 0 < len(text) <= FRAME_BYTES_MAX
        assert not any(ord(character) < 32 and character != "\x1d" for character in text)
    ended = pieces.quiet(SILENCE_S)
    assert len(ended) <= 1
    assert not pieces.pending
    whole.feed(b"\r", 0.0)
    assert whole.feed(QR.encode() + b"\r", 0.0) == [QR], "in step one terminator later"


def key(data: bytes) -> None:
    """A text that is taken for a key is the very text of that key; digits come back as they were typed."""
    text = data.decode("utf-8", errors="replace")
    scanned = read_qr_text(text)
    if scanned is not None:
        own = (send_text if scanned.sends else qr_text)(SITE_KEY, scanned.key)
        assert own[:23] == text[:23]
        assert crockford.encode(int.from_bytes(scanned.tag, "big"), 16) == text[23:]
        assert is_genuine(scanned, SITE_KEY) == (own == text)
    try:
        digits = read_digits(text)
    except (NotDigits, WrongCheckDigit):
        return
    assert len(digits) == 12
    assert set(digits) <= set("0123456789")
    assert read_digits(show_digits(digits)) == digits


def scans(data: bytes) -> None:
    """Every text is something, and what claims to be ours says exactly the text it was read from."""
    text = data.decode("utf-8", errors="replace")
    match classify(text):
        case ScannedKey() as scanned:
            assert read_qr_text(text) == scanned
        case CommandCard() as card:
            assert card_text(card) == text
        case CarrierLabel() as label:
            assert read_label(text) == label
            assert not text.startswith("CG1") or len(text) != len(QR)
        case ScannedMandate() as mandate:
            assert read_mandate(text) == mandate
        case ScannedPractice() as practice:
            assert read_practice(text) == practice
        case ScannedBadge() as badge:
            assert len(badge.digest) >= 32
            assert text not in badge.digest
        case other:
            assert isinstance(other, Damaged | Foreign)


def labels(data: bytes) -> None:
    """A number that is kept is printable, bounded, and read again as itself."""
    text = data.decode("utf-8", errors="replace")
    has_s10_check_digit(text)
    label = read_label(text)
    if label is None:
        return
    number = label.number
    assert TRACKING_CHARACTERS_MIN <= len(number) <= TRACKING_CHARACTERS_MAX
    assert number.isascii()
    assert number.isprintable()
    assert number == number.upper()
    if number[:1] in "](":
        return  # symbology marks inside a mark: no carrier prints them, and they are stripped once for each reading
    again = read_label(number)
    assert again is not None
    assert again.number == number, "a number typed from the screen is the same number"


# ------------------------------------------------------------------------------------------------------------- the wire


def messages(data: bytes) -> None:
    """Every message of every channel: understood and said again the same, or BadMessage."""
    if not data:
        return
    channel = topics.CHANNELS[data[0] % len(topics.CHANNELS)]
    try:
        message: Any = decode(channel.message, data[1:])
    except BadMessage:
        return
    said = encode(message)
    assert decode(channel.message, said) == message
    assert encode(decode(channel.message, said)) == said


def facts(data: bytes) -> None:
    """Every fact: understood, said again the same and projected, or UnknownFact."""
    kind_of(data)
    try:
        fact = decode_fact(data)
    except UnknownFact:
        return
    said = encode_fact(fact)
    assert decode_fact(said) == fact
    assert kind_of(said)
    project(fact)


def topic(data: bytes) -> None:
    """A topic is one of ours and written as we write it, or none."""
    text = data.decode("utf-8", errors="replace")
    address = topics.read_topic(text)
    if address is not None:
        assert topics.topic(address.channel, address.site) == text


def panel(data: bytes) -> None:
    """A line of a screen: understood and said again the same, or BadLine."""
    try:
        said = decode_input(data)
    except BadLine:
        return
    assert decode_input(encode_line(said)) == said


# ------------------------------------------------------------------------------------------------------------ the files


@lru_cache(maxsize=1)
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="consigne-fuzz-", dir=TEMPORARY)


def _file(data: bytes) -> Path:
    path = Path(_folder().name) / "any.toml"
    path.write_bytes(data)
    return path


def _is_plain(error: ValueError, path: Path) -> None:
    said = str(error)
    assert said.startswith(str(path)), "an error names the file first"
    assert len(said) > len(str(path)) + 4, "and says something of it"


def board(data: bytes) -> None:
    """A board file is a board, or an error that names the file and says at least one thing that is wrong."""
    path = _file(data)
    try:
        load_board(path)
    except BoardError as error:
        _is_plain(error, path)


def site_settings(data: bytes) -> None:
    """A site's file is settings, or an error that names the file and says something."""
    path = _file(data)
    try:
        load_settings(path)
    except SettingsError as error:
        _is_plain(error, path)


def hub_settings(data: bytes) -> None:
    """The same of the hub's."""
    path = _file(data)
    try:
        read_settings(path)
    except BadSettings as error:
        _is_plain(error, path)


def _golden(pattern: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted(GOLDEN.glob(pattern))]


def _message_seeds() -> tuple[bytes, ...]:
    return tuple(
        bytes([number]) + body
        for number, channel in enumerate(topics.CHANNELS)
        for body in _golden(f"{channel.suffix.replace('/', '-')}.*.json")
    )


_TEXTS: Final = (
    QR.encode(),
    badge_text(5).encode(),
    *(card_text(card).encode() for card in CommandCard),
    *LABELS,
    b"https://example.org/?a=1",
    typed_digits(SITE_KEY, KEY).encode(),
    show_digits(typed_digits(SITE_KEY, KEY)).encode(),
)
_SITE: Final = b"""[site]\nid = "gambetta"\nnumber = 93\nname = "Point Colis"\nkeys = "keys"\n[board]\nfile = "demo.toml"
[hardware]\nsimulate = true\n[store]\nstate_dir = "state"\n[panel]\nsocket = "panel.sock"\n[broker]\nhost = "127.0.0.1"
port = 1883\ntls_ca = "ca"\ntls_cert = "cert"\ntls_key = "key"\n[log]\nlevel = "info"\n[kiosk]\nport = 1\n"""
_HUB: Final = b"""state_dir = "state"\nmaster_secret_file = "secret"\ncontact_days = 20\n[broker]\nhost = "127.0.0.1"\nport = 1883
user = "hub"\npassword_file = "word"\n[web]\nhost = "127.0.0.1"\nport = 8080\n[store]\nurl = "sqlite:///x"\n"""


def bulk(data: bytes) -> None:
    """A file of parcels is read, or refused with what to do; a line is a parcel, or its faults, and none quotes the file."""
    try:
        lines = read_file(data)
    except BadFile:
        return
    assert 0 < len(lines) <= LINES_MAX
    assert [line.number for line in lines] == sorted({line.number for line in lines})
    for line in lines:
        assert (line.parcel is None) == bool(line.faults)
        assert all(fault.text.isascii() and fault.code for fault in line.faults)


TARGETS: Final[dict[str, Target]] = {
    "framing": Target(framing, tuple(b"\x05" + text + end for text in _TEXTS for end in (b"\r\n", b"\x03", b""))),
    "key": Target(key, _TEXTS),
    "scans": Target(scans, _TEXTS),
    "labels": Target(labels, _TEXTS),
    "messages": Target(messages, _message_seeds()),
    "facts": Target(facts, tuple(_golden("fact-*.json"))),
    "topic": Target(
        topic, tuple(topics.topic(c, "gambetta" if c.per_site else None).encode() for c in topics.CHANNELS)
    ),
    "panel": Target(
        panel,
        (
            b'{"input":"digits","text":"123456789012"}\n',
            b'{"input":"scan","text":"8N00234584108"}\n',
            b'{"input":"press","button":"done","value":"x","compartment":"7","parcel":"0000000000001"}\n',
        ),
    ),
    "board": Target(board, tuple(path.read_bytes() for path in sorted((ROOT / "hardware" / "boards").glob("*.toml")))),
    "site_settings": Target(site_settings, (_SITE,)),
    "hub_settings": Target(hub_settings, (_HUB,)),
    "bulk": Target(
        bulk,
        (
            b"site;tracking;size;name;phone\r\ngambetta;8N00234584108;M;Awa Diallo;06 12 34 56 78\r\n",
            b'\xef\xbb\xbfSite,Nom,Lourd\ngambetta,"Zo\xc3\xa9, ""Z""",oui\n',
            "site\tdestinataire\ngambetta\tL\u00e9a\n".encode("cp1252"),
            b'[{"site":"gambetta","tracking":"8N00234584108","heavy":true,"recipient":{"name":"Awa"}}]',
        ),
    ),
}
