"""What correcting a recipient's card asks for: what changed, who holds the code by mistake, what is said anew.

Owns that decision (ADR 0024). Refuses to know tables, words, keys and the hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from hub.core.join import Wishes
from hub.core.parcels import Refused, tidy_email, tidy_language, tidy_name, tidy_phone
from hub.core.project import ENDED
from hub.core.retention import written_ways
from hub.core.telling import MessageKind, Way, brings_key, kind_of
from wire.ids import ParcelState
from wire.plan import Help

ANEW_MAX: Final = 20
"""How often the same code may be sent to another address of one parcel."""
_CARD: Final = ("name", "phone", "email", "language", "help")


@dataclass(frozen=True, slots=True)
class Correction:
    """What is to stand on a recipient's card; None leaves what stands there. Build it with `correction`."""

    name: str | None = None
    phone: str | None = None
    email: str | None = None
    language: str | None = None
    help: Help | None = None
    keeps_code: bool = False
    """The code stays good although it went to an address that is corrected now."""


def correction(
    *,
    name: str | None = None,
    phone: str | None = None,
    email: str | None = None,
    language: str | None = None,
    help_profile: Help | None = None,
    keeps_code: bool = False,
) -> Correction:
    """A correction, tidied as an announcement is. Raises Refused with the field that does not fit."""
    return Correction(
        name=None if name is None else tidy_name(name),
        phone=None if phone is None else tidy_phone(phone),
        email=None if email is None else tidy_email(email),
        language=None if language is None else tidy_language(language),
        help=help_profile,
        keeps_code=keeps_code,
    )


def may_correct(state: ParcelState, *, is_carrier: bool) -> bool:
    """Whether the card of a parcel can be corrected now.

    By its carrier until the parcel is in the hands of its site: from then on the card says who gets the code of a parcel
    that the carrier has no more.
    """
    return state is ParcelState.ANNOUNCED if is_carrier else state not in ENDED


def corrected(card: Wishes, wanted: Correction) -> tuple[Wishes, tuple[str, ...]]:
    """The card as it is to be, and the names of what is different on it."""
    given = {name: getattr(wanted, name) for name in _CARD}
    changed = {name: value for name, value in given.items() if value is not None and value != getattr(card, name)}
    return replace(card, **changed), tuple(changed)


def moved_ways(before: Wishes, after: Wishes) -> frozenset[Way]:
    """The ways that lead somewhere else now, or nowhere. The same number written in another way is the same."""
    moved = set()
    if after.phone not in {before.phone, *written_ways(before.phone)}:
        moved.add(Way.PHONE)
    if after.email.lower() != before.email.lower():
        moved.add(Way.EMAIL)
    return frozenset(moved)


def ways_given(card: Wishes) -> frozenset[Way]:
    """The ways a recipient can be told."""
    return frozenset(way for way, address in ((Way.PHONE, card.phone), (Way.EMAIL, card.email)) if address)


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the outbox, as far as it got."""

    id: int
    kind: str
    state: str
    attempts: int
    told: frozenset[Way]
    refused: frozenset[Way]

    @property
    def is_over(self) -> bool:
        """Whether it will not be tried again by itself, because it went."""
        return self.state not in {"waiting", "failed"}

    @property
    def may_be_out(self) -> bool:
        """Whether it brings the code, and was tried at least once."""
        kind = kind_of(self.kind)
        return kind is not None and brings_key(kind) and (self.attempts > 0 or self.state == "sent")

    def may_have_reached(self, way: Way) -> bool:
        """Whether it went that way, or a try that nobody noted the end of may have gone it."""
        if self.state == "sent" and self.told:
            return way in self.told
        return way not in self.refused


@dataclass(frozen=True, slots=True)
class Anew:
    """What follows for the messages of a corrected parcel."""

    replaces_key: bool = False
    """The code is with somebody else: it must not stay good. Everybody is told the new one."""
    says: str = ""
    """The kind of the message that brings the same code to where it has not been; empty when there is none."""
    told: frozenset[Way] = frozenset()
    """The ways that message need not take: the code is there already."""
    drops: frozenset[int] = frozenset()
    """Messages whose place is taken by the new one."""


def anew(
    said: Sequence[Said], *, moved: frozenset[Way], before: frozenset[Way], after: frozenset[Way], keeps_code: bool
) -> Anew:
    """What is said anew; `before` and `after` are the ways the card gave and gives. Raises Refused when that was too often."""
    out = [each for each in said if each.may_be_out]
    wrong = {way for way in moved & before for each in out if each.may_have_reached(way)}
    replaces = bool(wrong) and not keeps_code
    if not replaces and not (out and moved & after):
        return Anew()
    same = [each for each in said if kind_of(each.kind) in {MessageKind.READY, MessageKind.REPLACED}]
    drops = frozenset(each.id for each in (*out, *same) if not each.is_over)
    if replaces:
        return Anew(replaces_key=True, drops=drops)
    number = 1 + sum(each.kind.startswith(f"{MessageKind.READY}/") for each in said)
    if number > ANEW_MAX:
        raise Refused("corrected_too_often", "this card was corrected too often: print the slip instead")
    told = frozenset(way for each in out for way in each.told) - moved
    return Anew(says=f"{MessageKind.READY}/{number}", told=told, drops=drops)
