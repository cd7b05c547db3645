"""The words of doors opened from afar: why, how far, and why not (A-03 … A-06).

Owns these texts. Refuses to know pages and tables. A reason it has no word for is shown as it came (I-19).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub.core.openings import DoorWish, Step, Wish
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
    "not_published": "le serveur n'a pas pu l'envoyer",
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


WISH: Final[Mapping[str, Word]] = {
    Wish.WAITING: Word("attend une deuxième personne", "clock", Tone.WATCH),
    Wish.AGREED: Word("en cours", "key", Tone.WATCH),
    Wish.ENDED: Word("terminée", "check"),
    Wish.DECLINED: Word("refusée", "stop"),
    Wish.WITHDRAWN: Word("retirée", "stop"),
    Wish.LAPSED: Word("sans réponse : trop tard", "clock"),
}

STEP: Final[Mapping[Step, Word]] = {
    Step.NOT_SENT: Word("pas encore demandée au site", "clock"),
    Step.SENT: Word("demandée au site", "message", Tone.WATCH),
    Step.ACCEPTED: Word("acceptée par le site", "key", Tone.WATCH),
    Step.SEEN_OPEN: Word("porte vue ouverte", "door-open", Tone.GOOD),
    Step.NOT_SEEN: Word("porte pas vue ouverte", "stop", Tone.BAD),
    Step.REFUSED: Word("refusée par le site", "stop", Tone.BAD),
    Step.SILENT: Word("pas de réponse du site", "offline", Tone.BAD),
}
NEVER_SENT: Final = Word("pas demandée au site", "stop")

ADVICE: Final[Mapping[Step, str]] = {
    Step.SEEN_OPEN: "Sur place, il faut regarder dans ce casier et fermer la porte.",
    Step.NOT_SEEN: "Le code du colis reste valable. L'équipe sur place peut ouvrir avec la clé.",
    Step.SILENT: "La porte s'est peut-être ouverte. Le site le dira dès qu'il répondra. Faites regarder sur place.",
}

PROBLEMS: Final[Mapping[str, str]] = {
    "no_reason": "Choisissez une raison.",
    "bad_doors": "Choisissez une ou deux portes de ce site.",
    "not_heard": "Le site ne répond pas maintenant. Rien n'est envoyé, et rien ne s'ouvrira plus tard. Essayez dans une minute.",
    "waiting": "Une autre demande de ce site n'est pas finie. Attendez sa fin, ou retirez-la.",
    "budget_site": "Assez de portes de ce site ont été ouvertes à distance : 2 en 10 minutes, 10 par jour. Appelez l'équipe sur place.",
    "budget_network": "Assez de portes du réseau ont été ouvertes à distance : 10 en 10 minutes. Attendez un peu.",
    "same_person": "C'est votre demande : une autre personne doit accepter.",
    "over": "Cette demande a déjà reçu une réponse, ou a attendu trop longtemps.",
}


def stages(door: DoorWish, now_ms: int, *, is_over: bool) -> list[tuple[Word, int]]:
    """The life of a door of a wish so far: each word with its moment; 0 for what has none."""
    step = door.step(now_ms)
    if step is Step.NOT_SENT:
        return [(NEVER_SENT if is_over else STEP[step], 0)]
    told = [(STEP[Step.SENT], door.sent_ms)]
    if door.accepted_ms:
        told.append((STEP[Step.ACCEPTED], door.accepted_ms))
    if step not in {Step.SENT, Step.ACCEPTED}:
        why = {Step.REFUSED: REFUSED, Step.NOT_SEEN: FAILED}.get(step, {}).get(door.answer, door.answer)
        last = STEP[step]
        told.append((Word(f"{last.text} : {why}" if why else last.text, last.icon, last.tone), door.answered_ms))
    return told


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
