"""One parcel known twice (ADR 0007): what the record that stays takes from the one that gives way.

Owns the rule *keep what is there, take what lacks*. Refuses to know tables, and how two records were found to be one
parcel: its site said so, or somebody announced a number that is here already.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hub.core.parcels import NewParcel
from wire.plan import Help, Intent


@dataclass(frozen=True, slots=True)
class Wishes:
    """What people want of a parcel and for whom it is: everything but its life, which is the site's to tell."""

    carrier: str = ""
    size: str | None = None
    reach: str | None = None
    heavy: bool = False
    group: str = ""
    intent: Intent = Intent.HOLD
    name: str = ""
    phone: str = ""
    language: str = "fr"
    help: Help = Help.STANDARD
    email: str = ""

    @property
    def has_recipient(self) -> bool:
        """Whether anybody knows for whom it is. Language and help alone say nothing: they have defaults."""
        return bool(self.name or self.phone or self.email)


def wishes_of(new: NewParcel) -> Wishes:
    """The wishes of somebody who announces a parcel."""
    return Wishes(
        carrier=new.carrier,
        size=new.size,
        reach=new.reach,
        heavy=new.heavy,
        group=new.group,
        name=new.name,
        phone=new.phone,
        email=new.email,
        language=new.language,
        help=new.help,
    )


def taken_over(here: Wishes, gives_way: Wishes) -> Wishes:
    """The wishes of the record that stays. A recall stands, whichever record it was asked of."""
    kept = replace(
        here,
        carrier=here.carrier or gives_way.carrier,
        size=here.size or gives_way.size,
        reach=here.reach or gives_way.reach,
        heavy=here.heavy or gives_way.heavy,
        group=here.group or gives_way.group,
        intent=gives_way.intent if here.intent is Intent.HOLD else here.intent,
        name=here.name or gives_way.name,
        phone=here.phone or gives_way.phone,
        email=here.email or gives_way.email,
        help=gives_way.help if here.help is Help.STANDARD else here.help,
    )
    return kept if here.has_recipient else replace(kept, language=gives_way.language)
