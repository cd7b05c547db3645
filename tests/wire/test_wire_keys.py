"""Pickup keys, badges, cards, labels: what is printed is read back, and what was changed is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import crockford
from wire.badges import CommandCard, badge_digest, badge_text, card_text, is_badge, is_pin, pin_digest, read_card
from wire.ids import is_label, is_parcel_id, is_site_id, parcel_id_from_bits
from wire.labels import CarrierLabel, LabelFormat, has_gs1_check_digit, has_s10_check_digit, read_label
from wire.pickup import (
    NotDigits,
    PickupKey,
    WrongCheckDigit,
    is_genuine,
    qr_text,
    read_digits,
    read_qr_text,
    show_digits,
    typed_digits,
)
from wire.scans import Damaged, Foreign, ScannedBadge, classify

SITE_KEY = bytes(range(32))
KEY = PickupKey(site_number=7, parcel=parcel_id_from_bits(0x0123_4567_89AB_CDEF), version=3, epoch=1)
keys = st.builds(
    PickupKey,
    site_number=st.integers(0, (1 << 20) - 1),
    parcel=st.integers(0, (1 << 64) - 1).map(parcel_id_from_bits),
    version=st.integers(0, 1023),
    epoch=st.integers(0, 63),
)


@given(keys)
def test_a_printed_key_reads_back_and_is_genuine(key: PickupKey) -> None:
    text = qr_text(SITE_KEY, key)
    scanned = read_qr_text(text)
    assert len(text) == 39
    assert scanned is not None
    assert scanned.key == key
    assert is_genuine(scanned, SITE_KEY)
    assert not is_genuine(scanned, bytes(32))


def test_every_single_bit_mutation_of_a_slip_is_refused() -> None:
    text = qr_text(SITE_KEY, KEY)
    for place in range(len(text)):
        for bit in range(8):
            mutated = text[:place] + chr(ord(text[place]) ^ 1 << bit) + text[place + 1 :]
            scanned = read_qr_text(mutated)
            assert scanned is None or not is_genuine(scanned, SITE_KEY), mutated


def test_every_other_character_anywhere_is_refused() -> None:
    text = qr_text(SITE_KEY, KEY)
    for place in range(len(text)):
        for other in crockford.ALPHABET:
            if other != text[place]:
                scanned = read_qr_text(text[:place] + other + text[place + 1 :])
                assert scanned is None or not is_genuine(scanned, SITE_KEY)


def test_lower_case_and_look_alikes_are_not_read() -> None:
    text = qr_text(SITE_KEY, KEY)
    assert read_qr_text(text.lower()) is None
    for look_alike in "ILOU":
        assert read_qr_text(text[:10] + look_alike + text[11:]) is None


@pytest.mark.parametrize(
    "key",
    [
        PickupKey(1 << 20, KEY.parcel, 1, 0),
        PickupKey(1, KEY.parcel, 1024, 0),
        PickupKey(1, KEY.parcel, 1, 64),
        PickupKey(-1, KEY.parcel, 1, 0),
    ],
)
def test_a_field_out_of_range_is_never_printed(key: PickupKey) -> None:
    with pytest.raises(ValueError, match="outside"):
        qr_text(SITE_KEY, key)


def test_a_site_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        typed_digits(b"short", KEY)


def test_typed_digits_differ_by_version_site_and_epoch() -> None:
    others = (
        KEY,
        PickupKey(7, KEY.parcel, 4, 1),
        PickupKey(8, KEY.parcel, 3, 1),
        PickupKey(7, KEY.parcel, 3, 2),
    )
    assert len({typed_digits(SITE_KEY, key) for key in others}) == len(others)


@given(keys)
def test_digits_are_read_as_people_write_them(key: PickupKey) -> None:
    digits = typed_digits(SITE_KEY, key)
    assert read_digits(show_digits(digits)) == digits
    assert read_digits(f"{digits[:4]}-{digits[4:8]}.{digits[8:]}") == digits


@given(keys, st.integers(0, 11), st.integers(1, 9))
def test_every_single_wrong_digit_is_caught(key: PickupKey, place: int, shift: int) -> None:
    digits = typed_digits(SITE_KEY, key)
    wrong = digits[:place] + str((int(digits[place]) + shift) % 10) + digits[place + 1 :]
    with pytest.raises(WrongCheckDigit):
        read_digits(wrong)


@given(keys, st.integers(0, 10))
def test_every_swap_of_neighbours_is_caught(key: PickupKey, place: int) -> None:
    digits = typed_digits(SITE_KEY, key)
    swapped = digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :]
    if swapped != digits:
        with pytest.raises(WrongCheckDigit):
            read_digits(swapped)


@pytest.mark.parametrize("text", ["", "123", "1234567890123", "12345678901a", "١٢٣٤٥٦٧٨٩٠١٢", "²²²²²²²²²²²²"])
def test_what_is_not_twelve_digits_says_so(text: str) -> None:
    with pytest.raises(NotDigits):
        read_digits(text)


def test_a_badge_is_known_by_its_digest_only() -> None:
    text = badge_text(0xFEED)
    assert classify(text) == ScannedBadge(badge_digest(text))
    assert text not in badge_digest(text)
    with pytest.raises(ValueError, match="128 bits"):
        badge_text(1 << 128)


@pytest.mark.parametrize("card", list(CommandCard))
def test_every_command_card_reads_back(card: CommandCard) -> None:
    assert classify(card_text(card)) is card


@pytest.mark.parametrize(
    ("text", "label_format", "number"),
    [
        ("RR473124829FR", LabelFormat.S10, "RR473124829FR"),
        ("rr 473 124 829 fr", LabelFormat.S10, "RR473124829FR"),
        ("RR473124829XX", LabelFormat.UNKNOWN, "RR473124829XX"),
        ("8N00234584108", LabelFormat.LA_POSTE_13, "8N00234584108"),
        ("12345678901234", LabelFormat.LA_POSTE_14, "12345678901234"),
        ("XY1234567890123", LabelFormat.CHRONOPOST_15, "XY1234567890123"),
        ("]C100340123450000000017", LabelFormat.SSCC, "340123450000000017"),
        ("]C100106141412345678908", LabelFormat.SSCC, "106141412345678908"),
        ("]C100340123450000000018", LabelFormat.UNKNOWN, "00340123450000000018"),
        ("(00)106141412345678908", LabelFormat.SSCC, "106141412345678908"),
        ("]d200106141412345678908\x1d21ABC", LabelFormat.SSCC, "106141412345678908"),
        ("ABCD-1234/56", LabelFormat.UNKNOWN, "ABCD1234/56"),
    ],
)
def test_labels_are_recognised_and_never_refused_for_their_format(
    text: str, label_format: LabelFormat, number: str
) -> None:
    label = read_label(text)
    assert label is not None
    assert (label.format, label.number) == (label_format, number)


@pytest.mark.parametrize("text", ["", "12", "ABCDEF", "é1234", "1" * 49])
def test_what_cannot_be_a_number_is_no_label(text: str) -> None:
    assert read_label(text) is None


def test_check_digits_of_the_standards() -> None:
    assert has_s10_check_digit("RR473124829FR")
    assert not has_s10_check_digit("RR473124828FR")
    assert not has_s10_check_digit("RR4731248290FR")
    assert has_gs1_check_digit("106141412345678908")


@given(st.text(max_size=600))
def test_classify_never_raises_and_never_takes_a_stranger_for_ours(text: str) -> None:
    found = classify(text)
    if not text.startswith(("CG1", "CB1", "CC1-")):
        assert not isinstance(found, ScannedBadge | CommandCard)


def test_a_damaged_slip_is_not_taken_for_a_carrier_label() -> None:
    text = qr_text(SITE_KEY, KEY)
    assert isinstance(classify(text[:-3]), Damaged)
    assert isinstance(classify("https://example.org"), Foreign)
    assert not isinstance(classify("CC123456785FR"), Damaged)


def test_ids_have_one_form() -> None:
    assert is_parcel_id(KEY.parcel)
    assert not is_parcel_id(KEY.parcel.lower())
    assert not is_parcel_id("Z" * 13)
    assert is_site_id("gennevilliers-2")
    assert not is_site_id("hub")
    assert not is_site_id("A/b")


@pytest.mark.parametrize("text", ["CB1" + "U" * 26, "CB1" + "Z" * 26, "CB1", "CC1-", "CC1-GRUMPY", "CG1" + "!" * 36])
def test_a_badge_a_card_or_a_slip_that_is_not_whole_is_damaged_or_foreign(text: str) -> None:
    assert isinstance(classify(text), Damaged | Foreign | CarrierLabel)
    assert not is_badge(text)
    assert read_card(text) is None


def test_a_web_address_is_foreign() -> None:
    assert classify("https://example.org/8N00234584108") == Foreign()
    assert classify("WIFI:T:WPA;S:guest;;") == Foreign()


def test_a_badge_and_a_card_are_told_apart() -> None:
    text = badge_text(7)
    assert classify(text) == ScannedBadge(badge_digest(text))
    assert classify(card_text(CommandCard.BIGGER)) is CommandCard.BIGGER
    assert classify(qr_text(SITE_KEY, KEY)) == read_qr_text(qr_text(SITE_KEY, KEY))


def test_what_does_not_fit_is_never_printed() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        crockford.encode(32, 1)
    with pytest.raises(ValueError, match="128 bits"):
        badge_text(1 << 128)


@pytest.mark.parametrize(("text", "holds"), [("7", True), ("12AB", True), ("", False), ("a", False), ("12345", False)])
def test_a_label_is_what_a_painter_can_paint(text: str, *, holds: bool) -> None:
    assert is_label(text) is holds


@pytest.mark.parametrize(("text", "is_one"), [("123", False), ("1234", True), ("12345678", True), ("123456789", False)])
def test_a_pin_has_four_to_eight_digits(text: str, *, is_one: bool) -> None:
    assert is_pin(text) is is_one
    assert not is_pin(text[:-1] + "a")
    assert not is_pin(text[:-1] + "٣"), "digits of another script are not what a pad sends"


def test_the_digest_of_a_pin_is_another_for_another_badge_and_says_nothing_without_it() -> None:
    mine, other = badge_text(1), badge_text(2)
    digest = pin_digest(mine, "4071")
    assert digest == "bea07c20e639b6568bd89aa688aea4a51c086b7ebae1d23f1a37d4ae3304fd63"
    assert len({digest, pin_digest(other, "4071"), pin_digest(mine, "4072")}) == 3
