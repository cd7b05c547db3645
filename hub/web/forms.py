"""The form of a new parcel: what was typed, what does not fit and why, in words for the person who typed it.

Owns reading the fields. Refuses to know rules: `hub.core.parcels` has them, this module says them in French.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from hub.core.parcels import NAME_CHARACTERS_MAX, AlreadyHere, NewParcel, Refused, new_parcel
from hub.web.words import LANGUAGES, PARCEL_STATE, place_named
from wire.ids import ReachZone, SizeClass
from wire.plan import Help

FIELDS: Final = ("site", "tracking", "carrier", "size", "name", "phone", "email", "language", "help", "reach", "heavy")
FIELD_CHARACTERS_MAX: Final = 200
"""Longer input is cut: no field of ours is meant to hold as much."""

_SIZES: Final = frozenset(size.value for size in SizeClass)
_REACHES: Final = frozenset(reach.value for reach in ReachZone)
_HELPS: Final = frozenset(profile.value for profile in Help)
_REASONS: Final[Mapping[str, tuple[str, str]]] = {
    "bad_tracking": ("tracking", "Ce numéro ne convient pas. Il faut 4 à 48 caractères, avec au moins un chiffre."),
    "bad_phone": ("phone", "Ce numéro ne convient pas. Exemple : 06 12 34 56 78."),
    "bad_email": ("email", "Cette adresse ne convient pas. Exemple : awa@exemple.fr."),
    "bad_name": ("name", f"Ce nom est trop long. Il faut {NAME_CHARACTERS_MAX} caractères au plus."),
    "bad_carrier": ("carrier", "Ce nom est trop long. Il faut 32 caractères au plus."),
    "bad_language": ("language", "Choisissez une langue dans la liste."),
    "bad_group": ("tracking", "Ce groupe ne convient pas."),
    "unknown_site": ("site", "Ce site n'existe pas. Choisissez un site dans la liste."),
    "full": ("site", "Ce site a trop de colis en cours. Choisissez un autre site."),
}


@dataclass(slots=True)
class ParcelForm:
    """What was typed, and the error beside each field."""

    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    is_known_here: bool = False
    """Everything fits, but the parcel is at the site already."""

    def get(self, name: str) -> str:
        """What stands in a field."""
        return self.values.get(name, "")

    def refuse(self, refused: Refused) -> None:
        """Put a refusal beside the field it is about; one about no field stands on top, under the empty name."""
        if isinstance(refused, AlreadyHere):
            self.is_known_here = True
            name, text = "tracking", _already_here(refused)
        else:
            name, text = _REASONS.get(refused.code, ("", f"Le colis n'est pas annoncé : {refused}."))
        self.errors[name] = text


def _already_here(refused: AlreadyHere) -> str:
    """Where the parcel of this number is."""
    state = PARCEL_STATE[refused.state].text
    where = f", {place_named(refused.place_kind, refused.place_name)}" if refused.place_kind else ""
    return f"Ce site connaît déjà ce colis : {state}{where}. Cherchez-le dans la liste des colis."


def empty_form(site: str = "") -> ParcelForm:
    """The form before anything is typed."""
    return ParcelForm({"site": site, "language": "fr", "help": Help.STANDARD.value})


def read_form(typed: Mapping[str, object], sites: Collection[str]) -> tuple[ParcelForm, NewParcel | None]:
    """The form as typed, and the parcel when everything fits; errors beside their fields when not."""
    form = ParcelForm({name: str(typed.get(name, ""))[:FIELD_CHARACTERS_MAX].strip() for name in FIELDS})
    if form.get("site") not in sites:
        form.errors["site"] = "Choisissez un site."
    if not form.get("tracking") and not form.get("name"):
        form.errors["tracking"] = "Donnez le numéro de suivi, ou le nom du destinataire."
    if form.get("language") not in LANGUAGES:
        form.errors["language"] = "Choisissez une langue dans la liste."
    parcel = _parcel(form)
    return form, None if form.errors else parcel


def _parcel(form: ParcelForm) -> NewParcel | None:
    """The parcel; each try takes the next refused field out of the way, so that all errors show at once."""
    values = dict(form.values)
    for _ in FIELDS:
        try:
            return new_parcel(
                site=values["site"],
                tracking=values["tracking"],
                carrier=values["carrier"],
                size=SizeClass(values["size"]) if values["size"] in _SIZES else None,
                heavy=bool(values["heavy"]),
                reach=ReachZone(values["reach"]) if values["reach"] in _REACHES else None,
                name=values["name"],
                phone=values["phone"],
                email=values["email"],
                language=values["language"] or "fr",
                help_profile=Help(values["help"]) if values["help"] in _HELPS else Help.STANDARD,
            )
        except Refused as refused:
            form.refuse(refused)
            name = _REASONS.get(refused.code, ("", ""))[0]
            if not name:
                return None
            values[name] = ""
    return None
