"""Check digits and the forms of texts, each against its standard or against arithmetic written another way."""

from __future__ import annotations

import json
from itertools import permutations, product
from pathlib import Path

import pytest

from wire import badges, crockford, damm, docs, facts, messages, topics
from wire.ids import SIZE_ORDER, SizeClass, is_parcel_id
from wire.labels import (
    TRACKING_CHARACTERS_MAX,
    TRACKING_CHARACTERS_MIN,
    CarrierLabel,
    LabelFormat,
    has_gs1_check_digit,
    has_s10_check_digit,
    read_label,
)
from wire.messages import BadMessage, HubPresence, decode
from wire.scans import Damaged, Foreign, classify

DIGITS = "0123456789"


@pytest.mark.parametrize(("digits", "check"), [("572", "4"), ("11294", "6"), ("", "0"), ("0", "0")])
def test_damms_digit_as_it_was_published(digits: str, check: str) -> None:
    assert damm.check_digit(digits) == check
    assert damm.is_valid(digits + check)
    assert not damm.is_valid(digits + str((int(check) + 3) % 10))


def test_damms_digit_catches_every_wrong_digit_and_every_swap_of_neighbours() -> None:
    """After each of the ten intermediate states, which a first digit reaches."""
    for before in DIGITS:
        assert {damm.check_digit(before + digit) for digit in DIGITS} == set(DIGITS)
        for one, other in permutations(DIGITS, 2):
            assert damm.check_digit(before + one + other) != damm.check_digit(before + other + one)


def s10(serial: str) -> str:
    """UPU S10-12, in its own words: the weighted sum's remainder, taken from 11; 10 becomes 0 and 11 becomes 5."""
    remainder = sum(a * b for a, b in zip((8, 6, 4, 2, 3, 5, 9, 7), map(int, serial), strict=True)) % 11
    return "5" if remainder == 0 else "0" if remainder == 1 else str(11 - remainder)


def test_the_check_digit_of_s10_is_the_one_of_the_standard() -> None:
    for number in range(0, 100_000_000, 99_991):
        serial = f"{number:08}"
        right = [digit for digit in DIGITS if has_s10_check_digit(f"RR{serial}{digit}FR")]
        assert right == [s10(serial)]


def test_the_check_digit_of_gs1_is_the_one_of_the_standard() -> None:
    """GS1 General Specifications, 7.9: from the right the weights are 3, 1, 3, …; the sum and the digit make a ten."""
    for number in range(0, 10**17, 10**14 - 27):
        body = f"{number:017}"
        total = 3 * sum(map(int, body[-1::-2])) + sum(map(int, body[-2::-2]))
        assert [digit for digit in DIGITS if has_gs1_check_digit(body + digit)] == [str(-total % 10)]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("A1B2", CarrierLabel(LabelFormat.UNKNOWN, "A1B2")),
        ("1" * TRACKING_CHARACTERS_MAX, CarrierLabel(LabelFormat.UNKNOWN, "1" * TRACKING_CHARACTERS_MAX)),
        ("1" * (TRACKING_CHARACTERS_MAX + 1), None),
        ("1" * (TRACKING_CHARACTERS_MIN - 1), None),
        ("]C1]C1123", CarrierLabel(LabelFormat.UNKNOWN, "]C1123")),
        ("(00)106141412345678908(00)", CarrierLabel(LabelFormat.UNKNOWN, "00106141412345678908(00)")),
        ("]C1\x1d00106141412345678908\x1d", CarrierLabel(LabelFormat.SSCC, "106141412345678908")),
        ("001061414123\x1d45678908", CarrierLabel(LabelFormat.SSCC, "106141412345678908")),
        ("2112\x1d00106141412345678908", CarrierLabel(LabelFormat.UNKNOWN, "211200106141412345678908")),
    ],
)
def test_a_label_at_the_edge_of_its_form(text: str, read: CarrierLabel | None) -> None:
    assert read_label(text) == read


def test_the_names_of_formats_and_sizes_are_part_of_the_wire() -> None:
    assert [str(one) for one in LabelFormat] == [
        "s10", "sscc", "la_poste_13", "la_poste_14", "chronopost_15", "unknown",
    ]  # fmt: skip
    assert SIZE_ORDER == (SizeClass.S, SizeClass.M, SizeClass.L, SizeClass.XL)
    assert TRACKING_CHARACTERS_MIN == 4


@pytest.mark.parametrize(
    "text", ["www.example.org/4711", "mailto:a1@example.org", "TEL:+33612345678", "wifi:T:1", "BEGIN:VCARD 2", "a1://b"]
)
def test_an_address_is_foreign_whatever_number_it_holds(text: str) -> None:
    assert classify(text) == Foreign()


@pytest.mark.parametrize("start", ["CG1", "CB1", "CC1"])
def test_a_text_that_starts_like_ours_is_damaged_only_when_it_is_longer_than_a_carrier_number(start: str) -> None:
    assert classify(start + "2" * 10) != Damaged()
    assert classify(start + "2" * 11) == Damaged()
    assert classify(start[:2] + "A" + "2" * 11) != Damaged(), "no version of ours"
    assert classify("CC1-GRUMPY") == Damaged()


def test_a_badge_or_a_parcel_that_holds_a_bit_too_many_is_none() -> None:
    largest, too_large = crockford.encode((1 << 128) - 1, 26), crockford.encode(1 << 128, 26)
    assert badges.is_badge("CB1" + largest)
    assert not badges.is_badge("CB1" + too_large)
    assert not badges.is_badge("CX1" + largest)
    assert not badges.is_badge("CB1" + largest + "0")
    assert is_parcel_id(crockford.encode((1 << 64) - 1, 13))
    assert not is_parcel_id(crockford.encode(1 << 64, 13))


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"kind":1}', b"[" * 100_000 + b"]" * 100_000])
def test_a_fact_that_cannot_be_read_claims_no_kind_and_is_unknown(body: bytes) -> None:
    assert facts.kind_of(body) == ""
    with pytest.raises(facts.UnknownFact):
        facts.decode_fact(body)
    with pytest.raises(BadMessage):
        decode(HubPresence, body)


def test_the_bounds_that_others_may_rely_on() -> None:
    assert messages.COMMAND_LIFE_MS_MAX == 30_000


def test_the_rules_of_the_broker_name_the_hub_and_nobody_else() -> None:
    lines = topics.mosquitto_acl("centre").splitlines()
    assert lines[:2] == ["user centre", f"topic readwrite {topics.ROOT}/#"]
    assert [line for line in lines if line.startswith("pattern")] == [
        f"pattern write {topics.ROOT}/%u/up/#",
        f"pattern read {topics.ROOT}/%u/down/#",
        f"pattern read {topics.ROOT}/hub/#",
    ]
    assert all(not line or line.split()[0] in {"user", "topic", "pattern", "#"} for line in lines)


def test_home_assistant_may_read_figures_and_write_nothing() -> None:
    lines = topics.mosquitto_acl("centre", "homeassistant").splitlines()
    assert lines[:8] == [
        "user centre",
        f"topic readwrite {topics.ROOT}/#",
        "topic write homeassistant/#",
        "",
        "user home-assistant",
        "topic read homeassistant/#",
        f"topic read {topics.ROOT}/hub/presence",
        "",
    ]
    assert lines[8:] == topics.mosquitto_acl("centre").splitlines()[3:]


def test_the_documents_are_written_where_they_are_wanted(tmp_path: Path) -> None:
    assert docs.main([str(tmp_path)]) == 0
    assert (tmp_path / "wire.md").read_text(encoding="utf-8") == docs.wire_page()
    assert json.loads((tmp_path / "asyncapi.json").read_text(encoding="utf-8"))["asyncapi"].startswith("3.")
    assert docs.main([]) == 2


def test_every_pair_of_letters_and_a_digit_that_is_not_ours_is_left_to_the_labels() -> None:
    for first, second in product("BCDG", repeat=2):
        text = f"{first}{second}1" + "2" * 11
        assert isinstance(classify(text), Damaged) is (first + second in {"CG", "CB", "CC"})
