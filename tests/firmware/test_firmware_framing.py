# mypy: allow-untyped-calls
"""From serial bytes to texts: exact, bounded, never raising (I-32, D-05)."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.framing import FRAME_BYTES_MAX, SILENCE_S, Framer

CODE = b"CG1ABCDEFGHJKMNPQRSTVWXYZ0123456789"


def texts(*pieces: bytes) -> list[str]:
    framer = Framer()
    return [text for now, piece in enumerate(pieces) for text in framer.feed(piece, float(now))]


@pytest.mark.parametrize("terminator", [b"\r", b"\n", b"\r\n", b"\x03"])
def test_a_terminator_completes_a_text(terminator):
    assert texts(CODE + terminator) == [CODE.decode()]


@pytest.mark.parametrize(
    ("bytes_", "expected"),
    [
        (b"one\rtwo\r", ["one", "two"]),
        (b"\x02one\x03\x02two\x03", ["one", "two"]),
        (b"]C100340123450000000018\r", ["00340123450000000018"]),
        (b"]Q3\x1d0112345\x1d21X\r", ["\x1d0112345\x1d21X"]),
        (b"on\x00e\rtwo\r", ["two"]),
        (b"\x1b[A\rtwo\r", ["two"]),
        (b"\r\n\r\n", []),
        (b" \r", []),
        (b"\x1d\r", []),
        ("é€\r".encode(), ["é€"]),
        (b"a\xffb\r", ["a\ufffdb"]),
        (b"x" * 512 + b"\r", ["x" * 512]),
        (b"x" * 513 + b"\r" + b"ok\r", ["ok"]),
    ],
)
def test_what_becomes_of_bytes(bytes_, expected):
    assert texts(bytes_) == expected
    assert texts(*[bytes_[i : i + 1] for i in range(len(bytes_))]) == expected


@pytest.mark.parametrize(
    ("bytes_", "unread"),
    [
        (b"one\r\ntwo\r\n", 0),
        (b"\r\n\r\n", 0),
        (b" \r\x02\x03\x1d\r", 0),
        (b"on\x00e\rtwo\r", 1),
        (b"x" * 600 + b"\r" + b"\x01\r", 2),
        (b"NOREAD\r%%NoRead\rNG\rBADCODE\r\x02NO READ\x03", 5),
    ],
)
def test_a_line_that_is_no_text_is_counted_as_unread(bytes_, unread):
    framer = Framer()
    found = framer.feed(bytes_, 1.0)
    assert framer.unread == unread
    assert not {text for text in found if "read" in text.lower()}


def test_without_a_terminator_silence_completes_a_text():
    framer = Framer()
    assert framer.feed(CODE, 1.0) == []
    assert framer.quiet(1.0 + SILENCE_S / 2) == []
    assert framer.quiet(1.0 + SILENCE_S) == [CODE.decode()]
    assert framer.quiet(9.0) == []


def test_two_late_readings_of_one_code_stay_one_code():
    assert texts(CODE[:10], CODE[10:] + b"\r") == [CODE.decode()]


def test_a_burst_ended_by_silence_leaves_the_next_code_whole():
    framer = Framer()
    framer.feed(b"\xaa" * 10_240, 0.0)
    assert framer.quiet(0.1) == []
    assert framer.feed(CODE + b"\r", 0.2) == [CODE.decode()]


@given(st.lists(st.binary(max_size=700), max_size=20))
def test_never_raises_holds_little_and_resynchronises_within_one_terminator(pieces):
    framer = Framer()
    for now, piece in enumerate(pieces):
        for text in framer.feed(piece, float(now)):
            assert 0 < len(text) <= FRAME_BYTES_MAX
            assert not any((ord(c) < 32 and c != "\x1d") or 127 <= ord(c) < 160 for c in text)
        assert framer.state_bytes <= FRAME_BYTES_MAX
    framer.feed(b"\r", 99.0)
    assert framer.feed(CODE + b"\r", 100.0) == [CODE.decode()]


@given(st.binary(max_size=2_000), st.lists(st.integers(0, 2_000), max_size=6))
def test_how_the_bytes_were_cut_into_readings_changes_nothing(data, cuts):
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    assert texts(*[data[a:b] for a, b in pairwise(edges)]) == texts(data)
