"""What the staff screen says: words for states, calls, alarms and notices, and the one big line. French.

Owns the words. Refuses to know the page they stand on (`staff`) or to decide what is allowed.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from controller.core.model import Step
from controller.core.notices import StaffNotice, StaffNoticeKind
from controller.core.rights import Right, who_may
from controller.core.views import CompartmentView, ParcelView, ShelfView, TaskView, View
from controller.kiosk.texts import SPOKEN
from wire.facts import Place
from wire.ids import Door, IdentityCheck, Motive, Occupancy, ParcelState, PlaceKind, Service
from wire.plan import Help, Role

MARK_CHARACTERS: Final = 4
"""The end of a parcel's id, written on a parcel that nothing else tells from another: one in a million is like it."""

OCCUPANCIES: Final = {
    Occupancy.FREE: "libre",
    Occupancy.RESERVED: "réservé",
    Occupancy.OCCUPIED: "occupé",
    Occupancy.UNKNOWN: "à vérifier",
}
SERVICES: Final = {Service.IN_SERVICE: "", Service.SUSPECT: "à contrôler", Service.OUT_OF_SERVICE: "hors service"}
DOORS: Final = {Door.CLOSED: "", Door.OPEN: "porte ouverte", Door.UNKNOWN: "porte inconnue"}
STATES: Final = {
    ParcelState.ANNOUNCED: "annoncé",
    ParcelState.RECEIVED: "reçu, à ranger",
    ParcelState.STORED: "en stock",
    ParcelState.COLLECTING: "retrait en cours",
    ParcelState.COLLECTED: "retiré",
    ParcelState.RECALLED: "à renvoyer",
    ParcelState.REMOVED: "sorti du stock",
    ParcelState.RETURNED: "renvoyé",
    ParcelState.REFUSED: "refusé",
    ParcelState.DISPUTED: "contesté",
    ParcelState.LOST: "perdu",
}
SENDINGS: Final = {
    ParcelState.ANNOUNCED: "à déposer par la personne",
    ParcelState.RECEIVED: "dépôt pas confirmé",
    ParcelState.STORED: "déposé, pour le transporteur",
}
"""States of a parcel that a customer hands in (C-32)."""
CALLS: Final = {
    "help": "Une personne demande de l'aide à l'écran.",
    "dispute": "Une personne dit qu'elle n'a pas eu son colis.",
    "at_desk": "Une personne vient chercher un colis de l'étagère.",
    "disputed": "Une personne vient pour un colis contesté.",
    "recalled": "Une personne vient pour un colis à renvoyer.",
    "journal_behind": "Une porte doit être vérifiée avant d'être ouverte avec un bon.",
    "staff_at_door": "Une personne attend le colis de la porte que vous vérifiez.",
    "out_of_reach": "La porte de ce colis n'est pas à la bonne hauteur pour la personne. Ouvrez-la avec elle.",
    "out_of_service": "Le colis est derrière une porte hors service.",
    "reopen_asked": "Une personne demande de rouvrir sa porte.",
    "door_failed": "Une porte ne s'est pas ouverte.",
    "deposit_cut": "Une personne vient pour un colis. Il est peut-être dans ce casier : son dépôt n'est pas allé au bout. Vérifiez-le.",
    "misplaced": "Un colis est peut-être derrière la mauvaise porte. Vérifiez ce casier, puis scannez le colis à nouveau.",
    "found_empty": "Une personne dit que son casier est vide. Aidez-la, puis vérifiez le casier.",
    "damaged": "Une personne dit que son colis est abîmé. Aidez-la, puis regardez le colis.",
    "wrong_parcel": "Un autre colis était dans ce casier, ou a été pris à sa place. Cherchez pourquoi avant de continuer.",
    "found_other": "Il y a autre chose que prévu. Sortez-le du casier ou prenez-le sur l'étagère, puis scannez son étiquette.",
    "send_look_first": "Une personne a ouvert ce casier pour déposer un colis. Regardez dedans avant tout.",
    "send_no_room": "Une personne veut déposer un colis. Aucun casier n'est libre. Aidez-la.",
    "send_help": "Une personne veut déposer un colis et a besoin d'aide.",
    "refused": "Une personne ne veut pas de son colis. Il est dans le casier. Sortez-le pour le retour.",
}
HELPS: Final = {
    Help.LOW_REACH: "Ne peut pas lever le bras ou se tient assis.",
    Help.BLIND: "Voit mal : parlez, et allez à la porte ensemble.",
    Help.DEAF: "Entend mal : montrez, ou écrivez.",
    Help.ASSISTED: "Vient avec une médiatrice ou un médiateur.",
}
"""How to be with somebody who comes to the desk; nothing is said of who needs nothing."""

REASONS: Final = {
    "found_empty": "casier trouvé vide",
    "damaged": "abîmé",
    "not_found": "introuvable",
}
ALARMS: Final = {
    "door_left_open": "Une porte est restée ouverte. Allez la fermer.",
    "open_at_boot": "Une porte était ouverte au démarrage. Regardez dedans, puis fermez.",
    "door_forced": "Une porte s'est ouverte sans ordre. Allez voir. Si c'était vous avec la clé, dites-le.",
    "scanner_lost": "Le lecteur ne répond plus. Regardez son câble.",
    "journal_behind": "La mémoire de la machine est ancienne. Vérifiez toutes les portes, et prévenez le responsable.",
    "disk_full": "La mémoire de la machine est pleine. Les retraits marchent encore. Prévenez le responsable.",
    "machine_hot": "La machine est trop chaude. Ouvrez la pièce, dégagez l'armoire, prévenez le responsable.",
    "power_weak": "Le courant de la machine est trop faible. Prévenez le responsable avant une panne.",
    "card_failing": "La carte mémoire de la machine s'abîme. Tout marche encore. Prévenez vite le responsable.",
    "sensor_chatters": "Le capteur d'une porte n'est pas sûr. Le casier n'est plus choisi. Faites regarder son câble.",
    "sensor_suspect": "Le capteur d'une porte dit « ouverte » depuis des heures. Fermez-la, ou faites regarder son câble.",
    "latch_failed": "Une serrure ne marche pas. Mettez le casier hors service.",
}
NOTICES: Final = {
    StaffNoticeKind.BADGE_UNKNOWN: "Ce badge n'est pas connu ici. Demandez un badge à l'administration.",
    StaffNoticeKind.NOT_A_LABEL: "Ce n'est pas une étiquette de colis. Scannez le code-barres du transporteur.",
    StaffNoticeKind.ALREADY_HERE: "Ce colis est déjà en stock.",
    StaffNoticeKind.ALREADY_ENDED: "Ce colis est déjà sorti. Mettez-le de côté et prévenez le responsable.",
    StaffNoticeKind.STORED: "Colis rangé.",
    StaffNoticeKind.DOOR_FAILED: "La porte ne s'est pas ouverte. Une autre porte est choisie.",
    StaffNoticeKind.NOT_LATCHED: "La porte s'est rouverte. Le colis n'est pas rangé : fermez plus fort.",
    StaffNoticeKind.NEVER_LATCHES: "Cette porte ne tient pas fermée. Une autre porte va s'ouvrir.",
    StaffNoticeKind.MISPLACED: "Ce casier est à quelqu'un d'autre. Ouvrez-le, sortez votre colis, scannez-le à nouveau.",
    StaffNoticeKind.NEEDS_NOTED: "C'est noté.",
    StaffNoticeKind.IDENTIFIED: "Colis identifié. Vous pouvez imprimer son bon.",
    StaffNoticeKind.IDENTIFY_FIRST: "Ce colis n'a pas de destinataire connu. Touchez d'abord « Identifié ».",
    StaffNoticeKind.NO_ROOM: "Aucun colis ne peut laisser sa place. Gardez ce colis sur l'étagère.",
    StaffNoticeKind.LABEL_MATCHED: "C'est le bon colis. Fermez la porte.",
    StaffNoticeKind.SCAN_LABEL: "Scannez d'abord l'étiquette du colis sorti. Étiquette illisible : tapez son numéro.",
    StaffNoticeKind.WRONG_PARCEL: "Arrêtez : ce n'est pas le colis attendu. Remettez-le à sa place.",
    StaffNoticeKind.OTHER_LABEL: "Ce n'est pas le colis attendu. Laissez-le, fermez, puis répondez « Autre chose ».",
    StaffNoticeKind.SAY_WHICH: "Ce casier n'est pas sûr. Répondez « Vide », « Comme prévu » ou « Autre chose ».",
    StaffNoticeKind.ON_ITS_PLACE: "Il est à sa place. Scannez le suivant, ou répondez.",
    StaffNoticeKind.NOT_OF_THIS_PLACE: "Ce colis n'est pas attendu sur l'étagère. Laissez-le là. Après l'inventaire, scannez-le à l'accueil.",
    StaffNoticeKind.SAY_WHICH_ONES: "Scannez d'abord chaque colis qui est à cette place, puis répondez.",
    StaffNoticeKind.LAST_LOOK: "Répondez encore pour ce casier. L'inventaire finit après.",
    StaffNoticeKind.RECONCILED: "L'inventaire est fini. Imprimez son rapport, puis signez-le.",
    StaffNoticeKind.RECONCILIATION_PAUSED: "Une personne prend son colis. Continuez l'inventaire après elle.",
    StaffNoticeKind.REISSUED: "Nouveau bon prêt : imprimez-le. L'ancien bon n'ouvre plus.",
    StaffNoticeKind.MANDATE_ISSUED: "Bon pour une autre personne prêt : imprimez-le. Il ouvre une seule porte, pour un seul colis.",
    StaffNoticeKind.MANDATE_WITHDRAWN: "C'est retiré : le bon de l'autre personne n'ouvre plus.",
    StaffNoticeKind.SENDING_NEXT: "Scannez l'étiquette du colis à envoyer. Le bon de dépôt est pour la personne.",
    StaffNoticeKind.SENDING_ISSUED: "Bon de dépôt prêt : imprimez-le et donnez-le à la personne.",
    StaffNoticeKind.ALL_RETRIEVED: "Il n'y a plus de colis à reprendre.",
    StaffNoticeKind.CANCELLED: "Annulé. Le colis n'est pas rangé.",
    StaffNoticeKind.LEFT_UNKNOWN: "Le contenu n'est pas connu. Vérifiez ce casier dès que possible.",
    StaffNoticeKind.FINISH_FIRST: "Terminez d'abord l'étape en cours.",
    StaffNoticeKind.SIGN_IN_FIRST: "Montrez d'abord votre badge au lecteur.",
    StaffNoticeKind.CLOSE_DOOR_FIRST: "Fermez d'abord la porte ouverte.",
    StaffNoticeKind.SIZE_NOTED: "Taille notée pour les prochains colis.",
    StaffNoticeKind.NOTHING_TO_DO: "Rien à faire ici maintenant.",
    StaffNoticeKind.CHECKED: "Casier vérifié.",
    StaffNoticeKind.REMOVED: "Colis sorti du stock.",
    StaffNoticeKind.HANDED_OVER: "Colis remis.",
    StaffNoticeKind.BADGE_EXPIRED: "Ce badge n'est plus valable. Un responsable du site peut montrer son badge maintenant.",
    StaffNoticeKind.NO_PIN: "Votre badge n'a pas de code PIN. Il n'ouvre pas ce casier. Demandez à l'administration.",
    StaffNoticeKind.PIN_WRONG: "Ce code PIN n'est pas le bon. Tapez-le à nouveau, lentement.",
    StaffNoticeKind.PIN_WAIT: "Trop d'essais. Annulez, et demandez à un collègue d'ouvrir avec son badge.",
    StaffNoticeKind.LOOK_FIRST: "Vérifiez d'abord ce casier : ce qu'il contient n'est pas sûr.",
    StaffNoticeKind.ASSISTED: "La porte s'ouvre pour la personne. Aidez-la à prendre son colis, puis fermez.",
    StaffNoticeKind.PRACTICE_ON: "L'exercice est ouvert. Le bon d'exercice ouvre cette porte autant de fois que vous voulez.",
    StaffNoticeKind.NOT_FOR_PRACTICE: "Pour un exercice, choisissez un casier libre, fermé et en service.",
    StaffNoticeKind.NOT_YOUR_CARRIER: "Ce colis n'est pas de votre transporteur. Donnez-le à l'accueil.",
    StaffNoticeKind.DROP_ENDED: "Livraison terminée. Le reçu est prêt : imprimez-le.",
    StaffNoticeKind.DROP_FULL: "Ce reçu est plein. Terminez cette livraison, puis continuez.",
    StaffNoticeKind.NOT_YOURS: "Votre badge ne permet pas de faire cela.",
    StaffNoticeKind.SAY_WHY: "Dites d'abord pourquoi.",
    StaffNoticeKind.OUT_OF_SERVICE: "Casier hors service.",
    StaffNoticeKind.STILL_OCCUPIED: "Ce casier n'est pas vide. Sortez d'abord le colis, puis mettez-le hors service.",
    StaffNoticeKind.EXTENDED: "Délai prolongé. Le bon de la personne ouvre toujours. Dites-lui la date limite :",
    StaffNoticeKind.EXTENDED_ENOUGH: "Ce colis a déjà été prolongé deux fois. Demandez à l'administration.",
    StaffNoticeKind.KEY_TOO_LATE: "Trop tard pour dire que c'était vous : allez voir la porte. L'alarme reste.",
    StaffNoticeKind.DISK_FULL: "La mémoire de la machine est pleine. Gardez ce colis à l'accueil, prévenez le responsable.",
}
MOTIVES: Final = {
    Motive.NO_SLIP: "Elle n'a pas son bon",
    Motive.CANNOT_READ: "Elle a besoin d'aide pour lire ou comprendre",
    Motive.CANNOT_REACH: "Elle ne peut pas atteindre la porte ou l'écran",
    Motive.MACHINE: "La machine ne lit pas le bon",
    Motive.OTHER: "Autre raison",
}
IDENTITIES: Final = {
    IdentityCheck.DOCUMENT: "J'ai vu une pièce d'identité",
    IdentityCheck.KNOWN: "Je connais cette personne",
    IdentityCheck.SLIP: "Elle a son bon ou son message",
}
OUT_REASONS: Final = {
    "lock": "la serrure ne marche pas",
    "door": "la porte est abîmée",
    "dirty": "le casier est sale",
    "other": "autre raison",
}
BACK_REASONS: Final = {"repaired": "réparé", "cleaned": "nettoyé", "checked": "vérifié, tout va bien"}
NEEDED_HELP: Final = {
    Help.STANDARD: "",
    Help.LOW_REACH: "ne peut pas atteindre le haut",
    Help.BLIND: "voit mal",
    Help.DEAF: "entend mal",
    Help.ASSISTED: "vient avec un médiateur",
}
"""The same in a few words, for a list; empty for who needs nothing."""

LANGUAGES: Final = {
    "ar": "arabe",
    "bm": SPOKEN["bm"].french,
    "bn": "bengali",
    "en": "anglais",
    "fr": "français",
    "ht": "créole haïtien",
    "kab": SPOKEN["kab"].french,
    "pt": "portugais",
    "ro": "roumain",
    "snk": SPOKEN["snk"].french,
    "ta": "tamoul",
    "tr": "turc",
    "uk": "ukrainien",
    "ur": "ourdou",
    "zh": "chinois",
}
"""What a recipient speaks, named for whoever helps; another code is shown as it is."""

ROLES: Final = {
    Role.MEDIATOR: "un médiateur",
    Role.CONCIERGE: "un concierge",
    Role.LEAD: "le responsable du site",
    Role.COURIER: "un livreur",
}


def what_to_do(view: View) -> str:
    """The one big line."""
    if not view.staff.person:
        return "Montrez votre badge au lecteur."
    if view.staff.pin_asked:
        return "Tapez votre code PIN."
    task = view.staff.task
    if task is None:
        return "Scannez l'étiquette du prochain colis." if view.scanner else "Lecteur absent. Tapez le numéro du colis."
    return _reconciliation_words(task) if task.reconciling else _task_words(task)


def _task_words(task: TaskView) -> str:  # noqa: C901, PLR0911 one match, one line a step
    match task.step:
        case Step.CHOOSE_SIZE:
            return "Choisissez la taille du colis."
        case Step.PUT_IN:
            return f"Mettez le colis dans la porte\N{NO-BREAK SPACE}{task.compartment} et fermez."
        case Step.PUT_ON_SHELF:
            mark = (
                f"Écrivez « {task.parcel[-MARK_CHARACTERS:]} » sur le colis. "
                if task.unidentified and task.parcel
                else ""
            )
            return f"{mark}Posez le colis sur l'étagère, place\N{NO-BREAK SPACE}{task.shelf_place}, puis confirmez."
        case Step.TAKE_FROM_SHELF:
            return (
                f"Prenez le colis à la place\N{NO-BREAK SPACE}{task.shelf_place} de l'étagère et scannez son étiquette."
            )
        case Step.CHECK_SHELF:
            return f"Étagère, place\N{NO-BREAK SPACE}{task.shelf_place} : {shelf_words(task.shelf)}"
        case Step.OPEN_WITH_KEY:
            return f"Ouvrez la porte\N{NO-BREAK SPACE}{task.compartment} avec la clé. Vous avez 3\N{NO-BREAK SPACE}minutes."
        case Step.TAKE_BACK | Step.ASK_EMPTY if task.retrieving:
            return _retrieval_words(task)
        case Step.TAKE_BACK if task.unseen:
            return (
                f"Porte\N{NO-BREAK SPACE}{task.compartment} : son capteur ne marche pas. Regardez, fermez la porte, "
                "puis répondez. Est-ce vide ?"
            )
        case Step.TAKE_BACK if task.looks_only:
            return f"Porte\N{NO-BREAK SPACE}{task.compartment} : regardez sans rien retirer, puis fermez."
        case Step.TAKE_BACK if task.may_stay_open:
            return f"Porte\N{NO-BREAK SPACE}{task.compartment} : reprenez le colis. Regardez si le casier est vide."
        case Step.TAKE_BACK:
            return f"Porte\N{NO-BREAK SPACE}{task.compartment} : reprenez le colis, puis fermez la porte."
        case Step.ASK_EMPTY:
            return f"Le casier\N{NO-BREAK SPACE}{task.compartment} est-il vide ?"
        case Step.WHICH_DOOR:
            return f"Une autre porte a bougé. Le colis est-il derrière la porte\N{NO-BREAK SPACE}{task.compartment} ?"


def _retrieval_words(task: TaskView) -> str:
    door = f"orte\N{NO-BREAK SPACE}{task.compartment}"
    if task.step is Step.TAKE_BACK and task.scanned:
        return f"Bon colis. Fermez la p{door}."
    if task.step is Step.TAKE_BACK:
        return f"P{door} : sortez le colis et scannez son étiquette."
    if task.scanned:
        return f"Le casier\N{NO-BREAK SPACE}{task.compartment} est-il vide ?"
    return "Scannez l'étiquette du colis sorti."


def _reconciliation_words(task: TaskView) -> str:
    door = f"Porte\N{NO-BREAK SPACE}{task.compartment}"
    if task.step is Step.ASK_EMPTY:
        return f"{door} : qu'avez-vous vu ?"
    if task.unseen:
        return (
            f"{door} : son capteur ne marche pas. Regardez sans rien retirer, fermez la porte, puis répondez. "
            "Qu'avez-vous vu ?"
        )
    if task.may_stay_open:
        return f"{door} : elle peut rester ouverte. Qu'avez-vous vu ?"
    return f"{door} : {expected_words(task)} Regardez sans rien retirer, puis fermez."


def shelf_words(shelf: ShelfView | None) -> str:
    """How many parcels should lie at a place of the shelf, in an inventory."""
    count = 0 if shelf is None else len(shelf.expected)
    if not count:
        return "elle doit être vide. Qu'avez-vous vu ?"
    return f"il doit y avoir {count} colis. Scannez, puis répondez."


def on_place(task: TaskView | None) -> list[tuple[str, bool]]:
    """What should lie at a place of the shelf, and whether its label was read; one without a label by its mark (S-13)."""
    expected = () if task is None or task.shelf is None else task.shelf.expected
    return [(label or f"sans nom, « {parcel[-MARK_CHARACTERS:]} »", seen) for parcel, label, seen in expected]


def expected_words(task: TaskView) -> str:
    """What should lie behind a door of an inventory."""
    if task.parcel is not None:
        return f"il doit y avoir le colis {task.tracking or task.parcel[-MARK_CHARACTERS:]}."
    return "elle doit être vide." if task.believed is Occupancy.FREE else "personne ne sait ce qu'il y a."


def notice_words(notice: StaffNotice, instead: Mapping[StaffNoticeKind, str] | None = None) -> str:
    """A notice with what it points at; `instead` holds other words, for somebody who is not of the site."""
    details = [
        _ask_words(notice.right),
        notice.tracking,
        place_words(notice.place) or (f"porte {notice.compartment}" if notice.compartment else ""),
        clock_words(notice.at_ms) if notice.at_ms else "",
    ]
    detail = " · ".join(part for part in details if part)
    words = (instead or {}).get(notice.kind, NOTICES[notice.kind])
    return f"{words} {detail}".strip()


def _ask_words(right: str) -> str:
    """Whom to ask for what one's own badge does not allow."""
    if not right:
        return ""
    names = [ROLES[role] for role in who_may(Right(right))]
    asked = f"{', '.join(names[:-1])} ou {names[-1]}" if len(names) > 1 else "".join(names)
    return f"Demandez-le : {asked} peut le faire."


def place_words(place: Place | None) -> str:
    """Where a parcel lies."""
    if place is None:
        return ""
    return f"étagère {place.name}" if place.kind is PlaceKind.SHELF else f"porte {place.name}"


def door_words(door: CompartmentView) -> str:
    """The three axes of a compartment in words, for those who do not see the drawing."""
    parts = (OCCUPANCIES[door.occupancy], SERVICES[door.service], DOORS[door.door], door.tracking)
    return ", ".join(part for part in parts if part)


def state_words(parcel: ParcelView) -> str:
    """How a parcel stands, and why."""
    if parcel.unidentified:
        return f"{STATES[parcel.state]}, sans destinataire"
    if parcel.sending:
        return SENDINGS.get(parcel.state, STATES[parcel.state])
    reason = REASONS.get(parcel.reason, "")
    return f"{STATES[parcel.state]} ({reason})" if reason else STATES[parcel.state]


def clock_words(at_ms: int) -> str:
    """Day and time of this machine's own clock."""
    return time.strftime("%d/%m à %H:%M", time.localtime(at_ms / 1000)) if at_ms else ""
