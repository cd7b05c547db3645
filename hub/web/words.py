"""The words of the screens: one French word for each value, one sentence for each fact (glossary of the journeys).

Owns every text that is not in a template, so that one person can review all of them in one place. Refuses to know
pages and tables. What it has no word for is shown as it came: a wrong guess would be worse than a foreign word (I-19).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub.web import remote_words
from hub.web.word import Tone as Tone
from hub.web.word import Word as Word
from wire import facts
from wire.facts import Place
from wire.ids import (
    Door,
    Found,
    IdentityCheck,
    Motive,
    Occupancy,
    ParcelState,
    PlaceKind,
    Purpose,
    ReachZone,
    Service,
    SizeClass,
    is_label,
)
from wire.plan import Help

OCCUPANCY: Final[Mapping[Occupancy, Word]] = {
    Occupancy.FREE: Word("libre", "free", Tone.GOOD),
    Occupancy.RESERVED: Word("réservé", "reserved"),
    Occupancy.OCCUPIED: Word("occupé", "parcel"),
    Occupancy.UNKNOWN: Word("à vérifier", "unknown", Tone.WATCH),
}

SERVICE: Final[Mapping[Service, Word]] = {
    Service.IN_SERVICE: Word("en service", "check", Tone.GOOD),
    Service.SUSPECT: Word("à contrôler", "watch", Tone.WATCH),
    Service.OUT_OF_SERVICE: Word("hors service", "stop", Tone.BAD),
}

DOOR: Final[Mapping[Door, Word]] = {
    Door.CLOSED: Word("porte fermée", "door-closed"),
    Door.OPEN: Word("porte ouverte", "door-open", Tone.WATCH),
    Door.UNKNOWN: Word("porte : état inconnu", "unknown", Tone.WATCH),
}

PARCEL_STATE: Final[Mapping[ParcelState, Word]] = {
    ParcelState.ANNOUNCED: Word("annoncé", "announced"),
    ParcelState.RECEIVED: Word("reçu à l'accueil", "desk"),
    ParcelState.STORED: Word("prêt à retirer", "parcel", Tone.GOOD),
    ParcelState.COLLECTING: Word("retrait en cours", "door-open"),
    ParcelState.COLLECTED: Word("retiré", "check", Tone.GOOD),
    ParcelState.RECALLED: Word("à reprendre", "return", Tone.WATCH),
    ParcelState.REMOVED: Word("repris par l'équipe", "return"),
    ParcelState.RETURNED: Word("retourné à l'expéditeur", "return"),
    ParcelState.REFUSED: Word("refusé par le destinataire", "stop", Tone.WATCH),
    ParcelState.DISPUTED: Word("contesté", "watch", Tone.BAD),
    ParcelState.LOST: Word("perdu", "stop", Tone.BAD),
}

SIZE: Final[Mapping[SizeClass, str]] = {
    SizeClass.S: "S (petit)",
    SizeClass.M: "M (moyen)",
    SizeClass.L: "L (grand)",
    SizeClass.XL: "XL (très grand)",
}

REACH: Final[Mapping[ReachZone, str]] = {
    ReachZone.LOW: "basse",
    ReachZone.MID: "moyenne",
    ReachZone.HIGH: "haute",
}

HELP: Final[Mapping[Help, str]] = {
    Help.STANDARD: "Aucune aide particulière",
    Help.LOW_REACH: "Ne peut pas lever le bras ou se tient assis",
    Help.BLIND: "Voit mal : la machine parle",
    Help.DEAF: "Entend mal : la machine montre",
    Help.ASSISTED: "Vient avec une médiatrice ou un médiateur",
}

LANGUAGES: Final[Mapping[str, str]] = {
    "fr": "français",
    "ar": "العربية (arabe)",
    "pt": "português (portugais)",
    "en": "English (anglais)",
    "ta": "தமிழ் (tamoul)",
    "tr": "Türkçe (turc)",
    "ro": "română (roumain)",
    "zh": "中文 (chinois)",
    "bn": "বাংলা (bengali)",
    "ur": "اردو (ourdou)",
    "ht": "kreyòl ayisyen (créole haïtien)",
    "uk": "українська (ukrainien)",
    "snk": "Sooninkanxanne (soninké, à l'oral)",
    "bm": "Bamanankan (bambara, à l'oral)",
    "kab": "Taqbaylit (kabyle, à l'oral)",
}
"""Languages of the recipients (field notes, *People*). The last three are spoken at the site and written nowhere: their slips and
messages are French (ADR 0030)."""

ALERT: Final[Mapping[str, Word]] = {
    "door_forced": Word("Porte forcée", "door-open", Tone.BAD),
    "door_left_open": Word("Porte restée ouverte", "door-open", Tone.WATCH),
    "open_at_boot": Word("Porte ouverte au démarrage", "door-open", Tone.WATCH),
    "latch_failed": Word("Serrure en panne", "stop", Tone.BAD),
    "sensor_chatters": Word("Capteur de porte peu sûr", "stop", Tone.BAD),
    "opening_failed": Word("Une porte ne s'est pas ouverte", "stop", Tone.BAD),
    "scanner_lost": Word("Lecteur de codes absent", "stop", Tone.BAD),
    "journal_behind": Word("La mémoire du site est plus ancienne que son passé", "stop", Tone.BAD),
    "sensor_suspect": Word("Capteur de porte à contrôler", "watch", Tone.WATCH),
    "disk_full": Word("Plus de place sur le disque du site", "stop", Tone.BAD),
    "machine_hot": Word("La machine du site est trop chaude", "watch", Tone.BAD),
    "power_weak": Word("L'alimentation de la machine est trop faible", "watch", Tone.BAD),
    "card_failing": Word("La carte mémoire du site s'abîme", "stop", Tone.BAD),
    "clock_untrusted": Word("Horloge du site pas sûre", "clock", Tone.WATCH),
    "plan_refused": Word("Consignes refusées par le site", "watch", Tone.WATCH),
    "foreign_parcel": Word("Colis d'un autre site", "watch", Tone.BAD),
    "recovered": Word("Colis retrouvé grâce au site", "return", Tone.WATCH),
    "crossed": Word("Décision et geste se sont croisés", "watch", Tone.WATCH),
    "disputed": Word("Colis contesté ou introuvable", "watch", Tone.BAD),
    "identity": Word("Deux sites avec la même identité, ou un journal modifié", "stop", Tone.BAD),
    "gap": Word("Il manque des faits dans le journal du site", "watch", Tone.WATCH),
    "unknown_site": Word("Un site inconnu a parlé", "watch", Tone.BAD),
    "bad_message": Word("Message illisible", "watch", Tone.WATCH),
    "views_differ": Word("Le site et le réseau ne voient pas la même chose", "watch", Tone.WATCH),
    "site_offline": Word("Site hors ligne", "offline", Tone.BAD),
    "message_failed": Word("Message au destinataire non parti", "stop", Tone.WATCH),
    "webhook_paused": Word("Un transporteur ne reçoit plus de nouvelles", "stop", Tone.WATCH),
}

ALERT_ADVICE: Final[Mapping[str, str]] = {
    "door_forced": "Appelez le site et faites regarder la porte.",
    "door_left_open": "Demandez à l'équipe de fermer la porte et de vérifier le casier.",
    "open_at_boot": "Demandez à l'équipe de fermer la porte et de vérifier le casier.",
    "sensor_chatters": "Le casier n'est plus choisi. Un bon ouvre encore sa porte. Faites regarder le câble du capteur.",
    "latch_failed": "Le casier ne sert plus. Le code du colis reste valable : l'équipe peut le remettre à l'accueil.",
    "opening_failed": "Le code du colis reste valable. L'équipe peut le remettre à l'accueil.",
    "journal_behind": "Une ancienne carte a été remise, ou deux machines ont la même identité. Faites vérifier chaque porte.",
    "scanner_lost": "Les chiffres du bon marchent encore. Faites vérifier le câble du lecteur.",
    "disk_full": "Les retraits marchent encore, rien n'est plus rangé. Faites de la place sur la carte du site.",
    "machine_hot": "Tout marche encore, plus lentement. Faites aérer l'armoire ; regardez le ventilateur et le soleil.",
    "power_weak": "Le site peut redémarrer sans prévenir. Faites changer l'alimentation ou son câble.",
    "card_failing": "Le système de fichiers a rencontré des erreurs. Préparez une carte neuve et remplacez-la.",
    "plan_refused": "Le site garde ses consignes d'avant. Prévenez le support technique.",
    "crossed": "Le geste du site est retenu. Vérifiez le colis.",
    "disputed": "Appelez le site et la personne. Regardez les derniers faits du colis.",
    "identity": "Ne remplacez rien avant d'avoir appelé le site.",
    "site_offline": "Le site continue seul : les bons ouvrent les portes. Vérifiez sa connexion.",
    "message_failed": "Appelez la personne, ou prévenez-la de vive voix. La page « Messages » dit pourquoi.",
    "webhook_paused": "Les colis ne sont pas touchés. Prévenez le transporteur, puis « Transporteurs », « Reprendre les envois ».",
    "unknown_site": "Un site a un mauvais identifiant, ou n'est pas encore créé ici.",
}

MESSAGE_KIND: Final[Mapping[str, str]] = {
    "ready": "Votre colis est prêt",
    "collected": "Votre colis est sorti",
    "replaced": "Votre bon de retrait est remplacé",
    "delegated": "Une autre personne est venue chercher votre colis",
    "waits": "Rappel : votre colis est encore ici",
    "last_day": "Rappel : venez avant le dernier jour",
}

WAY: Final[Mapping[str, str]] = {"email": "e-mail", "phone": "téléphone"}

_PROBLEMS: Final[tuple[tuple[str, str], ...]] = (
    ("the recipient was erased", "La personne a été effacée."),
    ("overtaken", "Le colis a changé avant l'envoi : ce message n'était plus vrai."),
    ("corrected", "L'adresse a été corrigée : un autre message la remplace."),
    ("no driver is configured", "Cette façon de prévenir n'est pas installée ici."),
    ("the mail server refuses the address", "Cette adresse n'existe pas. Prévenez la personne autrement."),
    ("the mail server does not take our name", "Le serveur de courrier refuse notre mot de passe."),
    ("the mail server answers", "Le serveur de courrier refuse pour l'instant."),
    ("the mail server is not reached", "Le serveur de courrier ne répond pas."),
    ("no gateway took it", "Aucun service de SMS ne l'a pris. Regardez son crédit et ses clés."),
    ("the association has no gateway", "Cette association n'a pas de service de SMS."),
    ("the receiver answers", "Le service de messages refuse pour l'instant."),
    ("the receiver is not reached", "Le service de messages ne répond pas."),
)
"""How the causes that `hub.notify` gives begin, and what they mean for whoever reads the page."""

MESSAGE_STATE: Final[Mapping[str, Word]] = {
    "waiting": Word("en attente", "clock"),
    "sent": Word("parti", "check", Tone.GOOD),
    "failed": Word("pas parti", "stop", Tone.BAD),
    "unsent": Word("pas envoyé", "message"),
}

_PURPOSE: Final[Mapping[Purpose, str]] = {
    Purpose.COLLECT: "pour le retrait",
    Purpose.REOPEN: "encore une fois pour le retrait",
    Purpose.LOAD: "pour le dépôt",
    Purpose.VERIFY: "pour vérifier",
    Purpose.PRACTICE: "pour un exercice",
    Purpose.SEND: "pour un colis que son expéditeur dépose",
    Purpose.REMOTE: "à distance",
}

_REFUSED: Final[Mapping[str, str]] = {
    "replaced": "Ancien bon présenté : il est remplacé par un plus récent.",
    "collected": "Bon présenté alors que le colis est déjà retiré.",
    "removed": "Bon présenté alors que l'équipe a repris le colis.",
    "returned": "Bon présenté alors que le colis est retourné à l'expéditeur.",
    "refused": "Bon présenté alors que le colis est refusé.",
    "lost": "Bon présenté alors que le colis est perdu.",
    "not_ready": "Bon présenté trop tôt : le colis n'est pas encore déposé.",
    "handed_in": "Bon de dépôt présenté encore : le colis est déjà déposé.",
    "desk": "Bon présenté : la personne est envoyée à l'accueil.",
    "mandate_withdrawn": "Bon pour une autre personne présenté alors qu'il est retiré.",
    "door": "Bon présenté : la porte ne s'ouvre pas, la personne est envoyée à l'accueil.",
}

_REMOVED: Final[Mapping[str, str]] = {
    "taken_out": "sorti à l'accueil",
    "found_empty": "colis contesté",
    "damaged": "colis abîmé",
    "not_found": "colis introuvable",
    "refused": "refusé par le destinataire",
    "sent": "remis au transporteur",
    "slip_unused": "bon de dépôt jamais utilisé",
}

_DISPUTED: Final[Mapping[str, str]] = {
    "found_empty": "La personne dit que le casier était vide. Il faut vérifier.",
    "damaged": "La personne dit que le colis est abîmé. Il faut le regarder.",
    "not_found": "L'équipe n'a pas trouvé le colis. Il faut le chercher.",
}

_FORM: Final[Mapping[str, str]] = {
    "qr": ", code scanné",
    "digits": ", chiffres tapés",
    "typed": ", chiffres tapés",
    "group": ", avec un autre colis de la même personne",
}

_CALLED: Final[Mapping[str, str]] = {
    "door_failed": "la porte ne s'ouvre pas",
    "at_desk": "le colis est à l'accueil",
    "deposit_cut": "un dépôt n'est pas allé au bout : regarder dans le casier",
    "help": "demande d'aide",
    "dispute": "la personne conteste le retrait",
    "disputed": "le colis est contesté",
    "recalled": "la garde du colis est finie",
    "moved": "le colis a changé de place",
    "journal_behind": "la porte doit d'abord être vérifiée",
    "wrong_parcel": "un autre colis était à sa place",
    "staff_at_door": "l'équipe est à cette porte",
    "out_of_service": "le casier est hors service",
    "out_of_reach": "la porte n'est pas à la bonne hauteur pour la personne",
    "reopen_asked": "la personne veut rouvrir la porte",
    "found_empty": "la personne dit que le casier est vide",
    "damaged": "la personne dit que le colis est abîmé",
    "found_other": "un casier ou l'étagère contient autre chose que prévu",
    "refused": "la personne ne veut pas du colis",
    "send_look_first": "un dépôt n'est pas confirmé : regarder dans le casier",
    "send_no_room": "la personne veut déposer un colis, aucun casier n'est libre",
    "send_help": "la personne veut déposer un colis",
}

_MOTIVE: Final[Mapping[Motive, str]] = {
    Motive.NO_SLIP: "sans bon",
    Motive.CANNOT_READ: "besoin d'aide pour lire",
    Motive.CANNOT_REACH: "porte hors de portée",
    Motive.MACHINE: "la machine ne lisait pas le bon",
    Motive.OTHER: "autre raison",
}

_IDENTITY: Final[Mapping[IdentityCheck, str]] = {
    IdentityCheck.SLIP: "bon ou message montré",
    IdentityCheck.KNOWN: "personne connue de l'équipe",
    IdentityCheck.DOCUMENT: "pièce d'identité vue",
}

_SIGNED_OUT: Final[Mapping[str, str]] = {
    "done": "terminé",
    "idle": "inactivité",
    "restart": "redémarrage",
    "replaced": "autre badge",
}


def alert_word(kind: str) -> Word:
    """What an alert is called; an alarm we do not know keeps its own name."""
    return ALERT.get(kind, Word(f"Alerte « {kind} »", "watch", Tone.WATCH))


def alert_subject(subject: str) -> str:
    """What an alert is about: a compartment by its label, anything else as it is named."""
    return f"casier {subject}" if is_label(subject) else subject


def message_kind(kind: str) -> str:
    """What a message to a recipient says. `replaced/2` is a replaced slip, version 2."""
    name, _, version = kind.partition("/")
    said = MESSAGE_KIND.get(name, kind)
    return f"{said} (version {version})" if name == "replaced" else said


def message_ways(told: str) -> str:
    """The ways a message went: « par e-mail et téléphone »; nothing before it went."""
    return f"par {' et '.join(WAY.get(way, way) for way in told.split())}" if told else ""


def message_problem(problem: str) -> str:
    """Why a message did not go some way, cause by cause; one we do not know keeps its own words."""
    return " ".join(_problem(cause) for cause in problem.split("; "))


def _problem(cause: str) -> str:
    way, parted, rest = cause.partition(": ")
    by, text = (f"Par {WAY[way]} : ", rest) if parted and way in WAY else ("", cause)
    return by + next((said for begins, said in _PROBLEMS if text.startswith(begins)), text)


def message_state(state: str) -> Word:
    """How far a message is."""
    return MESSAGE_STATE.get(state, Word(state, "message"))


def place(where: Place) -> str:
    """Where a parcel lies."""
    return place_named(where.kind, where.name)


def place_named(kind: PlaceKind | str, name: str) -> str:
    """Where a parcel lies, from the two parts a table holds."""
    if kind == PlaceKind.COMPARTMENT:
        return f"casier {name}"
    return f"étagère {name}, à l'accueil" if name else "étagère, à l'accueil"


def tell(fact: facts.AnyFact) -> Word:  # noqa: C901, PLR0911, PLR0912 (one arm for each kind of fact)
    """One sentence about a fact, for a timeline."""
    match fact:
        case facts.ParcelReceived():
            if fact.source == "sender":
                return Word("Une personne vient le déposer avec son bon.", "desk")
            unannounced = "" if fact.source == "plan" else " Il n'était pas annoncé."
            return Word(f"Reçu à l'accueil.{unannounced}", "desk")
        case facts.SendingIssued():
            return Word("Bon de dépôt fait à l'accueil. La personne a encore le colis.", "key")
        case facts.CompartmentReserved():
            return Word(f"Casier {fact.compartment} réservé.", "reserved")
        case facts.ReservationReleased(verified_empty=True):
            return Word(f"Casier {fact.compartment} vu vide, il est libre.", "free")
        case facts.ReservationReleased():
            return Word(f"Casier {fact.compartment} à vérifier : personne n'a vu s'il est vide.", "unknown", Tone.WATCH)
        case facts.ParcelStored():
            where = place(fact.place)
            text = f"Déposé : {where}." if fact.place.kind is PlaceKind.COMPARTMENT else f"Posé : {where}."
            return Word(text, "parcel", Tone.GOOD)
        case facts.ParcelTaken():
            return Word(f"Colis pris, porte refermée ({place(fact.place)}).", "door-closed", Tone.GOOD)
        case facts.ParcelCollected():
            text = "Remis en main propre à l'accueil." if fact.by else "Retiré. Le code ne sert plus."
            return Word(text, "check", Tone.GOOD)
        case facts.ParcelRemoved():
            reason = f" Motif : {_REMOVED.get(fact.reason, fact.reason)}." if fact.reason else ""
            return Word(f"Repris par l'équipe.{reason}", "return")
        case facts.ParcelDisputed():
            said = _DISPUTED.get(fact.reason, "Colis contesté ou introuvable. Il faut vérifier.")
            return Word(said, "watch", Tone.BAD)
        case facts.ParcelRefused():
            return Word(
                "Refusé par le destinataire, qui l'a laissé dans son casier. Il part en retour.", "return", Tone.WATCH
            )
        case facts.ParcelNoted():
            return _noted(fact)
        case facts.ParcelJoined():
            return Word("Annoncé et déjà reçu à l'accueil : c'est le même colis. Les deux bons l'ouvrent.", "parcel")
        case facts.KeyReplaced():
            where = f" à l'accueil, par {fact.by}" if fact.by else ""
            return Word(f"Nouveau bon{where}, version {fact.version}. Les bons d'avant n'ouvrent plus.", "key")
        case facts.HoldExtended():
            why = "la personne arrive" if fact.reason == "on_the_way" else "la personne l'a demandé"
            return Word(f"Délai de garde prolongé de {fact.days} jours : {why}.", "clock")
        case facts.SlipRefused():
            return Word(_REFUSED.get(fact.reason, f"Bon refusé ({fact.reason})."), "watch", Tone.WATCH)
        case (
            facts.OpeningOrdered()
            | facts.DoorOpened()
            | facts.DoorClosed()
            | facts.OpeningFailed()
            | facts.OpeningResolved()
        ):
            return _tell_door(fact)
        case facts.OccupancySet():
            return Word(f"Casier {fact.compartment} : {OCCUPANCY[fact.occupancy].text}.", "unknown")
        case facts.ServiceSet():
            word = SERVICE[fact.service]
            return Word(f"Casier {fact.compartment} : {word.text}.", word.icon, word.tone)
        case facts.MandateIssued() | facts.MandateWithdrawn() | facts.CollectionDelegated():
            return _tell_delegate(fact)
        case _:
            return _tell_machine(fact)


def _tell_delegate(fact: facts.MandateIssued | facts.MandateWithdrawn | facts.CollectionDelegated) -> Word:
    match fact:
        case facts.MandateIssued():
            check = _IDENTITY.get(fact.identity, fact.identity)
            return Word(f"Bon pour une autre personne, numéro {fact.number} : {check}.", "key")
        case facts.MandateWithdrawn():
            return Word(f"Bon pour une autre personne, numéro {fact.number} : retiré.", "key")
        case facts.CollectionDelegated():
            return Word(f"Une autre personne est venue, avec le bon numéro {fact.number}.", "person")


def _tell_door(
    fact: facts.OpeningOrdered | facts.DoorOpened | facts.DoorClosed | facts.OpeningFailed | facts.OpeningResolved,
) -> Word:
    match fact:
        case facts.OpeningOrdered():
            again = f", essai {fact.pulse}" if fact.pulse > 1 else ""
            form = _FORM.get(fact.form, "")
            return Word(f"Ouverture du casier {fact.compartment} {_PURPOSE[fact.purpose]}{form}{again}.", "key")
        case facts.DoorOpened(session=""):
            return Word(f"Porte {fact.compartment} ouverte sans raison connue.", "door-open", Tone.BAD)
        case facts.DoorOpened():
            return Word(f"Porte {fact.compartment} vue ouverte.", "door-open")
        case facts.DoorClosed():
            return Word(f"Porte {fact.compartment} vue fermée.", "door-closed")
        case facts.OpeningFailed():
            tries = "1 essai" if fact.pulses == 1 else f"{fact.pulses} essais"
            kept = "" if fact.purpose is Purpose.REMOTE else " Le code reste valable."
            return Word(f"La porte {fact.compartment} ne s'est pas ouverte ({tries}).{kept}", "stop", Tone.BAD)
        case facts.OpeningResolved():
            seen = {"open": "ouverte", "closed": "fermée"}.get(fact.door, "dans un état inconnu")
            return Word(f"Après une coupure, la porte {fact.compartment} a été trouvée {seen}.", "return", Tone.WATCH)


_ENDED: Final[Mapping[str, str]] = {
    "power": " après une coupure de courant ou un redémarrage de la machine",
    "hung": " : le programme ne répondait plus, il a été relancé",
    "failed": " : le programme s'était arrêté sur une erreur, il a été relancé",
    "killed": " : le programme avait été arrêté de force, il a été relancé",
}


def _tell_machine(fact: facts.AnyFact) -> Word:  # noqa: C901, PLR0911, PLR0912 (the same)
    """Facts about the site itself."""
    match fact:
        case facts.AlarmRaised():
            return Word(f"{alert_word(fact.alarm).text}{_at(fact.compartment)}.", "watch", Tone.BAD)
        case facts.AlarmCleared():
            return Word(f"Fin de l'alerte : {alert_word(fact.alarm).text}{_at(fact.compartment)}.", "check", Tone.GOOD)
        case facts.StaffCalled():
            return Word(f"L'équipe est appelée : {_CALLED.get(fact.reason, fact.reason)}.", "desk", Tone.WATCH)
        case facts.StaffAnswered():
            return Word("L'équipe a répondu à l'appel.", "desk")
        case facts.SiteStarted():
            how = "" if fact.clean else _ENDED.get(fact.ended, " après un arrêt brutal")
            return Word(f"Le site a démarré{how}.", "return", Tone.CALM if fact.clean else Tone.WATCH)
        case facts.ClockCorrected():
            return Word("L'horloge du site a été corrigée.", "clock")
        case facts.PlanApplied():
            return Word(f"Consignes appliquées, révision {fact.revision}.", "check")
        case facts.PlanRefused():
            return Word(f"Consignes refusées : {fact.reason}.", "watch", Tone.WATCH)
        case facts.AttemptFailed():
            return Word("Chiffres inconnus tapés.", "key")
        case facts.LockoutCleared():
            return Word("Les essais de chiffres sont à nouveau permis.", "key")
        case facts.StaffSignedIn():
            return Word("Un membre de l'équipe a montré son badge.", "person")
        case facts.StaffSignedOut():
            return Word(f"Fin du travail au badge ({_SIGNED_OUT.get(fact.reason, fact.reason)}).", "person")
        case facts.DropEnded():
            shelf = fact.on_shelf + fact.at_desk
            where = f"{fact.in_doors} dans les casiers, {shelf} sur l'étagère dont {fact.at_desk} faute de porte"
            differs = f"{fact.missing_count} annoncés et pas apportés, {len(fact.unannounced)} apportés et pas annoncés"
            tone = Tone.WATCH if fact.missing_count or fact.unannounced or fact.without_place else Tone.CALM
            return Word(f"Livraison de {fact.carrier} terminée : {where} ; {differs}.", "person", tone)
        case facts.CollectionAssisted():
            there = "la personne était là" if fact.present else "le colis lui a été porté"
            why, check = _MOTIVE.get(fact.motive, fact.motive), _IDENTITY.get(fact.identity, fact.identity)
            return Word(f"Retrait accompagné par l'équipe : {why} ; {check} ; {there}.", "person")
        case facts.KeyOpeningDeclared():
            when = "l'alarme est expliquée" if fact.opened_ms else "avant de l'ouvrir"
            return Word(f"Porte {fact.compartment} ouverte avec la clé : l'équipe l'a dit, {when}.", "key", Tone.WATCH)
        case facts.PracticeStarted():
            return Word(f"Exercice : le casier {fact.compartment} est mis de côté.", "person")
        case facts.PracticeEnded():
            return Word(f"Fin de l'exercice : l'équipe a regardé dans le casier {fact.compartment}.", "person")
        case (
            facts.ReconciliationStarted()
            | facts.CompartmentReconciled()
            | facts.ShelfReconciled()
            | facts.ReconciliationEnded()
        ):
            return _tell_inventory(fact)
        case facts.PinRefused():
            return Word("Code PIN faux tapé à l'accueil.", "key", Tone.WATCH)
        case facts.BadgeRefused():
            why = "il n'est plus valable" if fact.reason == "expired" else "personne ne le connaît ici"
            return Word(f"Badge refusé : {why}.", "stop", Tone.WATCH)
        case facts.BadgeVouched():
            return Word(
                "Un responsable a fait entrer une personne dont le badge n'est plus valable.", "person", Tone.WATCH
            )
        case facts.RemoteOpeningAccepted() | facts.CommandAnswered():
            return remote_words.tell(fact)
        case facts.HubIncarnationSeen():
            return Word("Le site a reconnu le serveur du réseau.", "check")
        case facts.JournalBehind():
            return Word(
                "La mémoire du site est plus ancienne que son passé : les portes sont à vérifier.", "stop", Tone.BAD
            )
        case _:
            return Word(f"Fait « {facts.kind(fact)} ».", "message")


def _at(compartment: str | None) -> str:
    return f", casier {compartment}" if compartment else ""


_FOUND: Final[Mapping[Found, str]] = {
    Found.AS_EXPECTED: "comme prévu",
    Found.EMPTY: "vide, un colis y était attendu",
    Found.OTHER: "autre chose que prévu",
    Found.NOT_OPENED: "la porte ne s'est pas ouverte",
}


def _tell_inventory(
    fact: facts.ReconciliationStarted | facts.CompartmentReconciled | facts.ShelfReconciled | facts.ReconciliationEnded,
) -> Word:
    match fact:
        case facts.ReconciliationStarted():
            shelf = f" et {len(fact.shelf)} places de l'étagère" if fact.shelf else ""
            return Word(f"Inventaire commencé : {len(fact.compartments)} casiers{shelf} à regarder.", "person")
        case facts.CompartmentReconciled():
            return _reconciled(fact)
        case facts.ShelfReconciled():
            return _shelf_reconciled(fact)
        case facts.ReconciliationEnded():
            unseen = (*fact.left, *(f"étagère {place}" for place in fact.shelf_left))
            left = f" Pas regardés : {', '.join(unseen)}." if unseen else ""
            return Word(f"Fin de l'inventaire.{left}", "person")


def _reconciled(fact: facts.CompartmentReconciled) -> Word:
    """What staff saw behind one door of an inventory."""
    well = fact.found is Found.AS_EXPECTED
    read = f" Étiquette lue : {fact.tracking}." if fact.tracking else ""
    text = f"Inventaire, casier {fact.compartment} : {_FOUND.get(fact.found, fact.found)}.{read}"
    return Word(text, "check" if well else "watch", Tone.GOOD if well else Tone.WATCH)


def _shelf_reconciled(fact: facts.ShelfReconciled) -> Word:
    """What staff saw at one place of the shelf in an inventory."""
    well = fact.found is Found.AS_EXPECTED
    others = f" En plus : {', '.join(fact.others)}." if fact.others else ""
    text = f"Inventaire, étagère {fact.place} : {fact.expected - fact.missing_count} colis sur {fact.expected} attendus.{others}"
    return Word(text, "check" if well else "watch", Tone.GOOD if well else Tone.WATCH)


def _noted(fact: facts.ParcelNoted) -> Word:
    """What staff said of a parcel in their hands."""
    if fact.unidentified is not None:
        text = (
            "Destinataire illisible. Le colis attend sur l'étagère, sans code."
            if fact.unidentified
            else "Destinataire retrouvé."
        )
        return Word(text, "watch" if fact.unidentified else "check", Tone.WATCH if fact.unidentified else Tone.GOOD)
    said = {
        "Lourd : seulement une porte entre 0,40 m et 1,30 m.": fact.heavy,
        "Pas lourd.": fact.heavy is False,
        "Une porte basse : la personne ne peut pas atteindre le haut.": fact.low,
        "Toutes les portes conviennent.": fact.low is False,
        "Arrivé abîmé : c'est écrit sur son reçu.": fact.damaged,
        "Pas abîmé à l'arrivée.": fact.damaged is False,
    }
    return Word(" ".join(text for text, is_said in said.items() if is_said) or "Rien de plus n'est dit.", "desk")
