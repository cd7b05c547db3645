"""The words of the pages about carriers: what a key may, what does not fit. French.

Owns texts only. Refuses to know routes and tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub.core.permissions import Right

RIGHTS: Final[Mapping[str, str]] = {
    Right.ANNOUNCE_PARCEL: "Annoncer des colis",
    Right.FOLLOW_PARCELS: "Suivre ses propres colis",
    Right.RECALL_PARCEL: "Demander qu'un colis lui soit rendu",
    Right.SEE_CAPACITY: "Voir les places libres d'un site",
    Right.MANAGE_WEBHOOKS: "Choisir l'adresse où ses événements sont envoyés",
}
REFUSALS: Final[Mapping[str, str]] = {
    "bad_carrier": "Donnez le nom du transporteur : 1 à 32 caractères, avec des lettres ou des chiffres.",
    "bad_name": "Donnez un nom à cette clé : 1 à 40 caractères, par exemple « production ».",
    "no_right": "Cochez au moins une chose que cette clé peut faire.",
    "no_site": "Cochez au moins un site, ou « Tous les sites ».",
    "unknown_site": "Un de ces sites n'existe pas.",
    "bad_limit": "Donnez un nombre de demandes par minute, de 1 à 1200.",
    "too_many": "Ce transporteur a déjà 20 clés. Retirez d'abord une clé qui ne sert plus.",
    "unknown_key": "Cette clé n'existe pas, ou elle est déjà retirée.",
    "unknown_webhook": "Cette adresse n'existe pas.",
    "unknown_delivery": "Cet événement n'est plus à renvoyer.",
    "busy": "Quelqu'un d'autre a fait la même chose au même moment. Recommencez.",
}
EVENTS: Final[Mapping[str, str]] = {
    "parcel.announced": "annoncé",
    "parcel.received": "reçu par l'équipe",
    "parcel.stored": "prêt à retirer",
    "parcel.collecting": "en cours de retrait",
    "parcel.collected": "retiré",
    "parcel.recalled": "à reprendre",
    "parcel.removed": "sorti par l'équipe",
    "parcel.returned": "rendu",
    "parcel.refused": "refusé",
    "parcel.disputed": "contesté",
    "parcel.lost": "perdu",
}
PROBLEMS: Final[Mapping[str, str]] = {
    "it answers": "son serveur répond par l'erreur",
    "it is not reached": "son serveur ne répond pas",
    "it takes longer": "son serveur est trop lent",
    "its name is not found": "le nom de son serveur n'est pas trouvé",
    "its name stands for": "son adresse est dans un réseau privé : elle est refusée",
    "its secret": "son secret est à renouveler",
}
"""Beginnings of what is noted when something does not arrive."""


def problem(noted: str) -> str:
    """What is wrong with an address, in words; a status with its number."""
    for begins, said in PROBLEMS.items():
        if noted.startswith(begins):
            status = noted.removeprefix("it answers ")[:3]
            return f"{said} {status}" if status.isdecimal() else said
    return noted


def event(kind: str) -> str:
    """What happened to a parcel, in words."""
    return EVENTS.get(kind, kind)


def right(name: str) -> str:
    """What a right lets a program do, in words."""
    return RIGHTS.get(name, name)
