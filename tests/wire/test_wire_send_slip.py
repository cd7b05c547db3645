"""The slip for handing in a parcel: its own text, its own signature, never a key that collects (C-32)."""

from __future__ import annotations

import pytest

from wire.ids import parcel_id_from_bits
from wire.labels import CarrierLabel
from wire.pickup import QR_CHARACTERS, PickupKey, ScannedKey, is_genuine, qr_text, read_qr_text, send_text
from wire.scans import Damaged, classify

SITE_KEY = bytes(range(32))
KEY = PickupKey(7, parcel_id_from_bits(0x0123_4567_89AB_CDEF), 1, 0)


def test_it_is_read_back_with_its_purpose_and_as_long_as_a_pickup_slip() -> None:
    text = send_text(SITE_KEY, KEY)
    scanned = classify(text)
    assert isinstance(scanned, ScannedKey)
    assert (scanned.key, scanned.sends, len(text)) == (KEY, True, QR_CHARACTERS)
    assert is_genuine(scanned, SITE_KEY)
    assert not is_genuine(scanned, bytes(32))


def test_neither_kind_of_slip_can_be_turned_into_the_other() -> None:
    for text, other in ((send_text(SITE_KEY, KEY), "CG1"), (qr_text(SITE_KEY, KEY), "CD1")):
        turned = read_qr_text(other + text[3:])
        assert turned is not None
        assert not is_genuine(turned, SITE_KEY)


@pytest.mark.parametrize("place", range(3, QR_CHARACTERS))
def test_every_changed_character_is_refused(place: int) -> None:
    text = send_text(SITE_KEY, KEY)
    changed = text[:place] + ("0" if text[place] != "0" else "1") + text[place + 1 :]
    scanned = classify(changed)
    assert not isinstance(scanned, ScannedKey) or not is_genuine(scanned, SITE_KEY)


def test_half_a_slip_is_damaged_and_a_chronopost_number_that_starts_like_it_is_a_label() -> None:
    assert classify(send_text(SITE_KEY, KEY)[:-1]) == Damaged()
    assert isinstance(classify("CD1234567890123"), CarrierLabel)
