"""The words of doors opened from afar: why, how far, and why not (A-03 … A-06).

Owns these texts. Refuses to know pages and tables. A reason it has no word for is shown as it came (I-19).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub.web.word import Tone, Word
from wire import facts
from wire.messages import OpeningReason, Outcome, Verb

REASON: Final[Mapping[str, str]] = {
    OpeningReason.RECIPIENT_WAITS: "une personne attend devant la porte",
    OpeningReason.PARCEL_STUCK: "un colis est bloqué",
    OpeningReason.LOOK_INSIDE: "regarder dans le casier",
    OpeningReason.DELIVERY: "une livraison",
    OpeningReason.SAFETY: "la sécurité",
    OpeningReason.REPAIR: "une réparation",
}

REFUSED: Final[Mapping[str, str]] = {
    "expired": "la demande est arrivée trop tard",
    "other_session": "le site a redémarré depuis",
    "two_people": "il faut deux personnes différentes",
    "no_reason": "la raison manque",
    "unknown_compartment": "le site ne connaît pas ce casier",
    "busy": "quelqu'un est devant les casiers",
    "budget": "le site a déjà ouvert 2 portes en 10 minutes, ou 10 portes en un jour",
    "unknown_verb": "le site a une version trop ancienne",
}

FAILED: Final[Mapping[str, str]] = {
    "not_seen_open": "la porte n'a pas bougé",
    "driver_error": "la serrure ne répond pas",
    "sensor_reads_open": "le capteur disait déjà « ouverte » avant : la porte est peut-être ouverte",
    "restart": "le site a été coupé pendant l'ouverture : la porte est peut-être ouverte",
}

_VERB: Final[Mapping[str, str]] = {
    Verb.REBIRTH: "se présenter encore",
    Verb.IDENTIFY: "se signaler",
    Verb.OPEN: "ouvrir une porte",
}


def tell(fact: facts.RemoteOpeningAccepted | facts.CommandAnswered) -> Word:
    """One sentence about a fact, for a timeline."""
    if isinstance(fact, facts.RemoteOpeningAccepted):
        why = REASON.get(fact.reason, fact.reason)
        return Word(f"Ouverture à distance du casier {fact.compartment}, à deux personnes : {why}.", "key", Tone.WATCH)
    asked = f"Demande du réseau : {_VERB.get(fact.verb, f'« {fact.verb} »')}."
    match fact.outcome:
        case Outcome.ACCEPTED:
            return Word(f"{asked} Acceptée.", "message")
        case Outcome.DONE if fact.verb == Verb.OPEN:
            return Word(f"{asked} La porte a été vue ouverte.", "door-open")
        case Outcome.DONE:
            return Word(f"{asked} C'est fait.", "message")
        case Outcome.REFUSED:
            return Word(f"{asked} Refusée : {REFUSED.get(fact.reason, fact.reason)}.", "stop", Tone.WATCH)
        case _:
            return Word(f"{asked} Pas vue ouverte : {FAILED.get(fact.reason, fact.reason)}.", "stop", Tone.BAD)
