"""Carrier labels: what the bar-code of an incoming parcel says.

Owns the recognised formats (UPU S10, GS1 SSCC, La Poste, Chronopost) and their check digits. Refuses to refuse:
anything printable is accepted as *unknown format*, because a desk never stops on a format (field notes, Identifiers).
S10's check misses 1.8 % of single wrong digits, so a typed number is always echoed and confirmed by its caller.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

TRACKING_CHARACTERS_MIN: Final = 4
TRACKING_CHARACTERS_MAX: Final = 48
"""Longest number kept. GS1 allows 48 characters for an application-identifier string (GS1 General Specifications)."""

_GS: Final = "\x1d"
_AIM: Final = re.compile(r"\][A-Za-z][0-9A-Za-z]")
_S10: Final = re.compile(r"([A-Z]{2})([0-9]{8})([0-9])([A-Z]{2})")
_S10_WEIGHTS: Final = (8, 6, 4, 2, 3, 5, 9, 7)
_LA_POSTE_13: Final = re.compile(r"[0-9][A-Z][0-9]{11}|[A-Z]{2}[0-9]{11}")
_LA_POSTE_14: Final = re.compile(r"[0-9]{14}")
_CHRONOPOST_15: Final = re.compile(r"[A-Z]{2}[0-9]{13}|[0-9]{15}")
_SSCC: Final = re.compile(r"00([0-9]{18})")
_SEPARATORS: Final = re.compile(r"[ \t\r\n._-]+")


class LabelFormat(StrEnum):
    """Format a number was recognised as."""

    S10 = "s10"
    SSCC = "sscc"
    LA_POSTE_13 = "la_poste_13"
    LA_POSTE_14 = "la_poste_14"
    CHRONOPOST_15 = "chronopost_15"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CarrierLabel:
    """A tracking number as kept: upper case, no separators."""

    format: LabelFormat
    number: str


def read_label(text: str) -> CarrierLabel | None:
    """The label in a scanned or typed text; None when it is too short, too long or not printable ASCII."""
    stripped = _AIM.sub("", text, count=1) if text.startswith("]") else text
    number = _SEPARATORS.sub("", stripped.strip(_GS + " ").upper())
    if number.startswith("(00)"):
        number = number.replace("(00)", "00", 1)
    first, number = number.partition(_GS)[0], number.replace(_GS, "")
    for candidate in (first, number):  # what is kept must be the same number when it is typed again
        sscc = _SSCC.fullmatch(candidate)
        if sscc and has_gs1_check_digit(sscc[1]):
            return CarrierLabel(LabelFormat.SSCC, sscc[1])
    if not TRACKING_CHARACTERS_MIN <= len(number) <= TRACKING_CHARACTERS_MAX:
        return None
    if not (number.isascii() and number.isprintable() and any(character.isdigit() for character in number)):
        return None
    return CarrierLabel(_format_of(number), number)


def has_s10_check_digit(number: str) -> bool:
    """Whether a 13-character UPU S10 number carries the right check digit (UPU S10, weights 8-6-4-2-3-5-9-7)."""
    parts = _S10.fullmatch(number)
    if parts is None:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_S10_WEIGHTS, parts[2], strict=True))
    check = {10: 0, 11: 5}.get(11 - total % 11, 11 - total % 11)
    return check == int(parts[3])


def has_gs1_check_digit(digits: str) -> bool:
    """Whether the last of `digits` is the GS1 modulo-10 check digit (weights 3 and 1 from the right)."""
    body, check = digits[:-1], digits[-1]
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return (10 - total % 10) % 10 == int(check)


def _format_of(number: str) -> LabelFormat:
    if _S10.fullmatch(number) and number[-2:] in UPU_COUNTRIES and has_s10_check_digit(number):
        return LabelFormat.S10
    for pattern, label_format in (
        (_LA_POSTE_13, LabelFormat.LA_POSTE_13),
        (_LA_POSTE_14, LabelFormat.LA_POSTE_14),
        (_CHRONOPOST_15, LabelFormat.CHRONOPOST_15),
    ):
        if pattern.fullmatch(number):
            return label_format
    return LabelFormat.UNKNOWN


_COUNTRY_CODES: Final = (
    "AD AE AF AG AI AL AM AO AR AS AT AU AW AZ BA BB BD BE BF BG BH BI BJ BM BN BO BR BS BT BW BY BZ CA CD CF CG CH CI "
    "CK CL CM CN CO CR CU CV CW CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL "
    "GM GN GP GQ GR GT GU GW GY HK HN HR HT HU ID IE IL IM IN IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ "
    "LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG "
    "NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SK SL "
    "SM SN SO SR SS ST SV SX SY SZ TC TD TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU "
    "WF WS XK YE YT ZA ZM ZW"
)
UPU_COUNTRIES: Final = frozenset(_COUNTRY_CODES.split())
"""ISO 3166-1 alpha-2 codes of places with a postal operator; S10's check alone accepts `XX` (field notes)."""
