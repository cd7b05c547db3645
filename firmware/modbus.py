"""Frames for relay boards that speak Modbus RTU: what is sent, and what an answer must be before it is believed.

Owns the bytes. Refuses to know a serial port, a compartment, or why a relay is fired. The numbers are those of the maker's
page "Modbus RTU Relay", development protocol (waveshare.com/wiki/Modbus_RTU_Relay): function 05 at 0x0200 + relay is *flash
on*, its value a number of 100 ms after which the board itself lets the relay go; 0x00FF is all relays; function 01 reads
them. Frames and exceptions are those of "Modbus over Serial Line V1.02" and "Application Protocol V1.1b3" (modbus.org).
"""

from __future__ import annotations

from typing import Final

READ_RELAYS: Final = 0x01
WRITE_RELAY: Final = 0x05
FLASH_ON: Final = 0x0200
ALL_RELAYS: Final = 0x00FF
EXCEPTION_BIT: Final = 0x80
EXCEPTION_BYTES: Final = 5
FLASH_STEP_MS: Final = 100
CRC_BYTES: Final = 2

EXCEPTIONS: Final = {
    1: "it does not know this function",
    2: "it has no such relay",
    3: "it does not allow this value",
    4: "it failed",
    6: "it is busy",
}


class ModbusError(Exception):
    """There was no answer that can be believed; the text says what came instead."""


class Refusal(ModbusError):
    """The board answered, and will not do it."""


def crc16(data: bytes) -> int:
    """The check of Modbus RTU (polynomial 0xA001 reflected, start 0xFFFF)."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def framed(body: bytes) -> bytes:
    """`body` with its check, low byte first."""
    return body + crc16(body).to_bytes(CRC_BYTES, "little")


def flash_on(unit: int, channel: int, pulse_ms: int) -> bytes:
    """Switch relay `channel` (1 is the first, as printed) on; the board switches it off by itself after `pulse_ms`."""
    return _write(unit, FLASH_ON + channel - 1, pulse_ms // FLASH_STEP_MS)


def all_off(unit: int) -> bytes:
    """Switch every relay of the board off."""
    return _write(unit, ALL_RELAYS, 0)


def read_relays(unit: int, channels: int) -> bytes:
    """Ask which relays are on. Its answer looks like no request, so a line that echoes is not taken for a board."""
    return framed(bytes([unit, READ_RELAYS, 0, 0]) + channels.to_bytes(2, "big"))


def answer_length(request: bytes, so_far: bytes) -> int:
    """How many bytes the answer to `request` has, judged by what came until now: an exception is shorter."""
    if len(so_far) > 1 and so_far[1] & EXCEPTION_BIT:
        return EXCEPTION_BYTES
    if request[1] == WRITE_RELAY:
        return len(request)
    return 3 + _relay_bytes(request) + CRC_BYTES


def check(request: bytes, answer: bytes) -> bytes:
    """The answer's content between its head and its check. Raises `ModbusError`, or `Refusal` for an exception."""
    if not answer:
        raise ModbusError("it is silent")
    if request[1] == READ_RELAYS and answer.startswith(request):
        raise ModbusError("the line repeats what is sent: use an adapter that does not hear itself")
    wanted = answer_length(request, answer)
    if len(answer) != wanted:
        raise ModbusError(f"{len(answer)} bytes came instead of {wanted}")
    body, crc = answer[:-CRC_BYTES], answer[-CRC_BYTES:]
    if crc16(body).to_bytes(CRC_BYTES, "little") != crc:
        raise ModbusError("the answer is damaged")
    if body[0] != request[0]:
        raise ModbusError(f"unit {body[0]} answered for unit {request[0]}")
    if body[1] == request[1] | EXCEPTION_BIT:
        raise Refusal(f"it refuses: {EXCEPTIONS.get(body[2], f'exception {body[2]}')}")
    if body[1] != request[1]:
        raise ModbusError(f"function {body[1]} was answered instead of {request[1]}")
    if request[1] == WRITE_RELAY and answer != request:
        raise ModbusError("it repeated something else than it was told")
    if request[1] == READ_RELAYS and body[2] != _relay_bytes(request):
        raise ModbusError(f"it told {body[2]} bytes of relays instead of {_relay_bytes(request)}")
    return body[2:] if request[1] == WRITE_RELAY else body[3:]


def relays_on(content: bytes, channels: int) -> frozenset[int]:
    """The channels that are on, from the content of an answer to `read_relays`."""
    return frozenset(number + 1 for number in range(channels) if content[number // 8] >> number % 8 & 1)


def _write(unit: int, address: int, value: int) -> bytes:
    return framed(bytes([unit, WRITE_RELAY]) + address.to_bytes(2, "big") + value.to_bytes(2, "big"))


def _relay_bytes(request: bytes) -> int:
    return (int.from_bytes(request[4:6], "big") + 7) // 8
