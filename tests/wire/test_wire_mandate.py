"""Mandate slips: their own form, their own tag, nothing of a pickup key's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.ids import parcel_id_from_bits
from wire.mandate import MANDATE_CHARACTERS, ScannedMandate, is_genuine_mandate, mandate_text, read_mandate
from wire.pickup import PickupKey, qr_text, read_qr_text
from wire.scans import Damaged, classify

KEY = bytes(range(32))
OWN = PickupKey(93, parcel_id_from_bits(0x0123_4567_89AB_CDEF), 3, 1)
TEXT = mandate_text(KEY, OWN, 12)


def test_what_is_printed_is_read_back_and_genuine() -> None:
    read = read_mandate(TEXT)
    assert read is not None
    assert (read.key, read.number) == (OWN, 12)
    assert is_genuine_mandate(read, KEY)
    assert not is_genuine_mandate(read, bytes(32))
    assert classify(TEXT) == read
    assert len(TEXT) == MANDATE_CHARACTERS == 41


def test_neither_a_key_nor_another_number_can_be_made_of_it() -> None:
    tag = TEXT[-16:]
    assert qr_text(KEY, OWN)[-16:] != tag
    assert mandate_text(KEY, OWN, 13)[-16:] != tag
    assert read_qr_text(TEXT) is None


@given(st.integers(0, MANDATE_CHARACTERS - 1), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_a_changed_character_is_refused(place: int, other: str) -> None:
    changed = TEXT[:place] + other + TEXT[place + 1 :]
    read = read_mandate(changed)
    assert changed == TEXT or read is None or not is_genuine_mandate(read, KEY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "CM1",
        TEXT[:-1],
        TEXT + "0",
        TEXT.replace("CM1", "CG1"),
        TEXT[:23] + "U" + TEXT[24:],
        TEXT[:23] + "00" + TEXT[25:],
        TEXT[:-1] + "U",
    ],
)
def test_what_is_no_mandate_is_none(text: str) -> None:
    assert read_mandate(text) is None
    assert not isinstance(classify(text), ScannedMandate)


def test_half_a_mandate_is_a_damaged_slip_of_ours() -> None:
    assert classify(TEXT[:-3]) == Damaged()


@pytest.mark.parametrize("number", [0, 1024, -1])
def test_a_number_out_of_range_is_none_of_ours(number: int) -> None:
    with pytest.raises(ValueError, match="outside 1"):
        mandate_text(KEY, OWN, number)
