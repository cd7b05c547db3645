"""What may be asked of a parcel: the rules of announcing, re-issuing and recalling it.

Owns the validation of intents. Refuses to know tables, HTTP and keys.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from wire.ids import KEY_VERSION_MAX, ParcelState, ReachZone, SizeClass
from wire.labels import TRACKING_CHARACTERS_MAX, read_label
from wire.plan import Help

NAME_CHARACTERS_MAX: Final = 80
"""A recipient's name as it fits on a slip."""
CARRIER_CHARACTERS_MAX: Final = 32
PHONE_DIGITS_MIN: Final = 6
PHONE_DIGITS_MAX: Final = 15
"""Digits of an international number (ITU-T E.164)."""

EMAIL_CHARACTERS_MAX: Final = 254
"""Characters of an address that mail servers carry (RFC 5321)."""

REPLACEABLE: Final = frozenset({ParcelState.ANNOUNCED, ParcelState.RECEIVED, ParcelState.STORED, ParcelState.RECALLED})
"""States in which a key opens something, or will."""

_PHONE: Final = re.compile(rf"\+?[0-9]{{{PHONE_DIGITS_MIN},{PHONE_DIGITS_MAX}}}")
_PHONE_FILLERS: Final = re.compile(r"[\s.()/-]+")
_EMAIL: Final = re.compile(
    r"([A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*)@((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,63})"
)
"""The address as people have it: RFC 5322 without quotes, comments and bare machine names."""
_LOCAL_CHARACTERS_MAX: Final = 64
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?")
_GROUP: Final = re.compile(r"[A-Za-z0-9_-]{0,32}")


class Refused(Exception):
    """A wish that cannot be met. `code` is for programs, the text for people."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class AlreadyHere(Refused):
    """A number that is announced, or lies, at its site already; the attributes say which parcel that is, and where."""

    def __init__(self, parcel: str, state: ParcelState, place_kind: str, place_name: str) -> None:
        where = f", {place_kind} {place_name}".rstrip() if place_kind else ""
        super().__init__(
            "duplicate", f"tracking: this parcel is known at the site already: {state}{where} (id {parcel})"
        )
        self.parcel = parcel
        self.state = state
        self.place_kind = place_kind
        self.place_name = place_name


@dataclass(frozen=True, slots=True)
class NewParcel:
    """A parcel as somebody announces it; build it with `new_parcel`."""

    site: str
    tracking: str
    carrier: str
    size: SizeClass | None
    heavy: bool
    reach: ReachZone | None
    group: str
    name: str
    phone: str
    email: str
    language: str
    help: Help


@dataclass(frozen=True, slots=True)
class Announced:
    """The parcel a wish ended in: a new one, or the one that was known under its number."""

    parcel: str
    is_new: bool
    answer: bytes = b""
    """What was answered before to the same wish; empty the first time."""


def new_parcel(
    *,
    site: str,
    tracking: str = "",
    carrier: str = "",
    size: SizeClass | None = None,
    heavy: bool = False,
    reach: ReachZone | None = None,
    group: str = "",
    name: str = "",
    phone: str = "",
    email: str = "",
    language: str = "fr",
    help_profile: Help = Help.STANDARD,
) -> NewParcel:
    """A parcel to announce, tidied. Raises Refused with the field that does not fit."""
    return NewParcel(
        site=site,
        tracking=tidy_tracking(tracking),
        carrier=_short(carrier, "carrier", CARRIER_CHARACTERS_MAX),
        size=size,
        heavy=heavy,
        reach=reach,
        group=_matching(group, _GROUP, "group", "at most 32 letters, digits, _ and -"),
        name=tidy_name(name),
        phone=tidy_phone(phone),
        email=tidy_email(email),
        language=tidy_language(language),
        help=help_profile,
    )


def tidy_tracking(text: str) -> str:
    """A tracking number as it is kept; empty when there is none. Raises Refused."""
    if not text.strip():
        return ""
    label = read_label(text)
    if label is None:
        raise Refused("bad_tracking", f"tracking: expected 4 to {TRACKING_CHARACTERS_MAX} printable characters")
    return label.number


def tidy_name(text: str) -> str:
    """A recipient's name with single spaces; empty when there is none. Raises Refused."""
    return _short(text, "name", NAME_CHARACTERS_MAX)


def tidy_language(text: str) -> str:
    """A language's tag as it is. Raises Refused."""
    return _matching(text, _LANGUAGE, "language", "a language tag such as fr or pt-BR")


def tidy_phone(text: str) -> str:
    """A phone number without spaces and dots, + kept; empty when there is none. Raises Refused."""
    bare = _PHONE_FILLERS.sub("", text)
    if bare and _PHONE.fullmatch(bare) is None:
        raise Refused(
            "bad_phone", f"phone: expected {PHONE_DIGITS_MIN} to {PHONE_DIGITS_MAX} digits, + in front if foreign"
        )
    return bare


def tidy_email(text: str) -> str:
    """An e-mail address without spaces around it, its domain in small letters; empty when there is none. Raises Refused."""
    bare = text.strip()
    if not bare:
        return ""
    found = _EMAIL.fullmatch(bare)
    if found is None or len(bare) > EMAIL_CHARACTERS_MAX or len(found[1]) > _LOCAL_CHARACTERS_MAX:
        raise Refused("bad_email", "email: expected one address such as awa@example.org")
    return f"{found[1]}@{found[2].lower()}"


def fold_name(text: str) -> str:
    """A name for searching: no case, no accents, single spaces."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())


def next_version(state: ParcelState, version: int) -> int:
    """The version of a re-issued key. Raises Refused when the parcel is gone or the versions are used up."""
    if state not in REPLACEABLE:
        raise Refused("not_here", f"the parcel is {state}: a new slip would open nothing")
    if version >= KEY_VERSION_MAX:
        raise Refused("versions_exhausted", "the key of this parcel was replaced too often: announce it anew")
    return version + 1


def check_recall(state: ParcelState) -> None:
    """Whether a hold can be ended now. Raises Refused."""
    if state not in REPLACEABLE:
        raise Refused("not_here", f"the parcel is {state}: there is nothing to recall")


def _short(text: str, field: str, most: int) -> str:
    tidy = " ".join(text.split())
    if len(tidy) > most or not tidy.isprintable():
        raise Refused(f"bad_{field}", f"{field}: at most {most} printable characters")
    return tidy


def _matching(text: str, pattern: re.Pattern[str], field: str, allowed: str) -> str:
    if pattern.fullmatch(text) is None:
        raise Refused(f"bad_{field}", f"{field}: {allowed}")
    return text
