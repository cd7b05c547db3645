"""The form of a site's settings: each time in the unit a person thinks in, with its bounds, and what does not fit.

Owns labels, units, the bounds that make sense to people, and reading what was typed. Refuses to know defaults: `wire.plan.Settings` has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from wire.plan import Settings


@dataclass(frozen=True, slots=True)
class Field:
    """One setting on the page. `per`: what one typed unit is in the setting's own. Bounds are in typed units."""

    key: str
    label: str
    least: str
    most: str
    unit: str
    per: int = 1


GROUPS: Final[Mapping[str, tuple[Field, ...]]] = {
    "Pour la personne qui vient": (
        Field("take_ms", "Temps pour prendre son colis avant un rappel", "10", "600", "secondes", 1_000),
        Field("nag_ms", "Rappel « fermez la porte » toutes les", "5", "120", "secondes", 1_000),
        Field("reopen_grace_ms", "Le même code rouvre la même porte pendant", "0", "60", "minutes", 60_000),
        Field("reopens_max", "Réouvertures au plus", "0", "10", "fois"),
        Field("dispute_ms", "Temps pour dire « il y a un problème »", "1", "120", "minutes", 60_000),
        Field("cancel_answer_ms", "Temps pour répondre après « annuler »", "5", "120", "secondes", 1_000),
    ),
    "Pour l'équipe": (
        Field("alarm_ms", "Alarme : porte restée ouverte depuis", "30", "1800", "secondes", 1_000),
        Field("staff_idle_ms", "Fin de session du badge sans rien faire", "15", "1800", "secondes", 1_000),
    ),
    "Contre les codes devinés": (
        Field("attempts_burst", "Codes tapés faux d'affilée", "1", "20", "essais"),
        Field("attempts_per_hour", "Essais rendus par heure", "1", "20", "essais"),
        Field("attempts_per_hour_alarm", "Essais rendus par heure pendant une alarme", "1", "20", "essais"),
    ),
    "Pour les portes": (
        Field("open_timeout_ms", "Une porte s'ouvre en moins de", "1", "15", "secondes", 1_000),
        Field("pulses_max", "Essais pour ouvrir une porte", "1", "3", "essais"),
        Field("pulse_gap_ms", "Pause entre deux essais", "1,5", "10", "secondes", 1_000),
        Field("quick_close_ms", "Porte refermée plus vite : rien n'est pris", "0", "10", "secondes", 1_000),
        Field("sensor_open_ms", "Capteur douteux : lu « ouvert » depuis", "5", "1440", "minutes", 60_000),
    ),
}
PIN: Final = "pin_required"
_FIELDS: Final = tuple(field for fields in GROUPS.values() for field in fields)
TYPED_CHARACTERS_MAX: Final = 12


def shown(settings: Settings) -> dict[str, str]:
    """Each setting as it stands in its field."""
    values = {field.key: _plain(getattr(settings, field.key), field) for field in _FIELDS}
    return values | ({PIN: "1"} if settings.pin_required else {})


def read(typed: Mapping[str, Any], known: Settings) -> tuple[dict[str, int | bool], dict[str, str]]:
    """The settings of a form as it was sent, and what does not fit, by field.

    A field that was not sent is not changed, and one that says what was known is never wrong: the command line has wider bounds.
    """
    values: dict[str, int | bool] = {PIN: bool(typed.get(PIN))}
    errors = {}
    for field in _FIELDS:
        if field.key not in typed:
            continue
        value = _number(str(typed[field.key])[:TYPED_CHARACTERS_MAX], field)
        if value is not None and (value == getattr(known, field.key) or _is_within(value, field)):
            values[field.key] = value
        else:
            errors[field.key] = f"Donnez un nombre de {field.least} à {field.most}."
    return values, errors


def _is_within(value: int, field: Field) -> bool:
    least, most = (_number(bound, field) for bound in (field.least, field.most))
    return least is not None and most is not None and least <= value <= most


def _number(text: str, field: Field) -> int | None:
    try:
        value = Decimal(text.strip().replace(",", ".")) * field.per
        return int(value) if value == value.to_integral_value() else None
    except InvalidOperation:
        return None


def _plain(value: int, field: Field) -> str:
    """A whole number where it is one; the comma of French otherwise."""
    text = f"{Decimal(value) / field.per:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace(".", ",")
