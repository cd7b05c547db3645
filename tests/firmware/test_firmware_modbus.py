"""Frames of relay boards: the published examples byte for byte, and that nothing but the right answer is believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware import modbus
from firmware.modbus import ModbusError, Refusal, answer_length, check, crc16, framed
from tests.tools.relay_boards import with_check

UNITS = st.integers(1, 247)
CHANNELS = st.integers(1, 32)
REQUESTS = st.one_of(
    st.builds(modbus.flash_on, UNITS, CHANNELS, st.sampled_from(range(100, 900, 100))),
    st.builds(modbus.all_off, UNITS),
    st.builds(modbus.read_relays, UNITS, CHANNELS),
)


def right_answer(request: bytes, bits: int = 0) -> bytes:
    if request[1] == modbus.WRITE_RELAY:
        return request
    size = (request[5] + 7) // 8
    return with_check(bytes([request[0], 1, size]) + (bits % (1 << request[5])).to_bytes(size, "little"))


@pytest.mark.parametrize(
    ("made", "published"),
    [
        (modbus.flash_on(1, 1, 700), "01 05 02 00 00 07 8D B0"),
        (modbus.flash_on(1, 2, 800), "01 05 02 01 00 08 9C 74"),
        (modbus.all_off(1), "01 05 00 FF 00 00 FD FA"),
        (modbus.read_relays(1, 8), "01 01 00 00 00 08 3D CC"),
    ],
)
def test_the_makers_examples_byte_for_byte(made: bytes, published: str) -> None:
    assert made == bytes.fromhex(published)


@pytest.mark.parametrize(
    ("data", "crc"),
    [
        (b"123456789", 0x4B37),  # the check value of CRC-16/MODBUS in the catalogues
        (b"", 0xFFFF),
        (bytes.fromhex("01 05 00 00 FF 00"), 0x3A8C),
        (bytes.fromhex("01 05 00 01 00 00"), 0x0A9C),
        (bytes.fromhex("01 05 00 FF FF 00"), 0x0ABC),
    ],
)
def test_the_check_is_that_of_published_examples(data: bytes, crc: int) -> None:
    assert crc16(data) == crc


@given(st.binary(max_size=64))
def test_the_check_agrees_with_another_way_to_work_it_out(body: bytes) -> None:
    assert framed(body) == with_check(body)


@given(REQUESTS, st.integers(0, 2**32 - 1))
def test_the_right_answer_is_believed(request: bytes, bits: int) -> None:
    answer = right_answer(request, bits)
    assert len(answer) == answer_length(request, answer[:3]) == answer_length(request, answer)
    content = check(request, answer)
    if request[1] == modbus.READ_RELAYS:
        channels = request[5]
        assert modbus.relays_on(content, channels) == {n + 1 for n in range(channels) if bits >> n & 1}


@given(REQUESTS, st.binary(max_size=16))
def test_noise_is_never_an_answer(request: bytes, noise: bytes) -> None:
    if len(noise) > 4 and noise == with_check(noise[:-2]):
        return  # One in 65,536: no noise.
    with pytest.raises(ModbusError):
        check(request, noise)


@given(REQUESTS, st.data())
def test_one_wrong_bit_or_a_lost_or_a_further_byte_is_no_answer(request: bytes, data: st.DataObject) -> None:
    answer = right_answer(request)
    bit = data.draw(st.integers(0, len(answer) * 8 - 1))
    flipped = bytearray(answer)
    flipped[bit // 8] ^= 1 << bit % 8
    for wrong in (bytes(flipped), answer[: bit // 8], answer + answer[:1], b"\0" + answer):
        with pytest.raises(ModbusError):
            check(request, wrong)


@given(REQUESTS, UNITS)
def test_the_answer_of_another_unit_is_not_taken(request: bytes, unit: int) -> None:
    if unit == request[0]:
        return
    answer = right_answer(request)
    with pytest.raises(ModbusError, match=f"unit {unit} answered for unit {request[0]}"):
        check(request, with_check(bytes([unit]) + answer[1:-2]))


@given(UNITS, CHANNELS)
def test_a_line_that_hears_itself_is_not_taken_for_a_board(unit: int, channels: int) -> None:
    request = modbus.read_relays(unit, channels)
    for heard in (request, request + right_answer(request)):
        with pytest.raises(ModbusError, match="repeats what is sent"):
            check(request, heard)


@pytest.mark.parametrize(("code", "words"), [(2, "no such relay"), (6, "busy"), (77, "exception 77")])
def test_an_exception_is_a_refusal_with_its_reason(code: int, words: str) -> None:
    for request in (modbus.flash_on(3, 9, 400), modbus.read_relays(3, 8)):
        answer = with_check(bytes([3, request[1] | 0x80, code]))
        assert answer_length(request, answer) == len(answer)
        with pytest.raises(Refusal, match=words):
            check(request, answer)


@pytest.mark.parametrize(
    ("request_", "body", "words"),
    [
        (modbus.flash_on(1, 1, 700), "01 05 02 01 00 07", "something else than it was told"),
        (modbus.flash_on(1, 1, 700), "01 06 02 00 00 07", "function 6 was answered instead of 5"),
        (modbus.read_relays(1, 8), "01 01 02 00", "2 bytes of relays instead of 1"),
        (modbus.read_relays(1, 8), "01 85 02 00", "6 bytes came instead of 5"),
        (modbus.read_relays(1, 8), "01 85 02", "function 133 was answered instead of 1"),
    ],
)
def test_a_sound_frame_that_answers_something_else_is_told(request_: bytes, body: str, words: str) -> None:
    with pytest.raises(ModbusError, match=words):
        check(request_, with_check(bytes.fromhex(body)))


def test_silence_is_silence() -> None:
    with pytest.raises(ModbusError, match="silent"):
        check(modbus.all_off(1), b"")
