"""The words of the page of many parcels: what is wrong with a file, with a line, and what a line came to. French.

Owns texts only. Refuses to know files and routes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FILE: Final[Mapping[str, str]] = {
    "file_too_big": "Ce fichier est trop gros (256 Kio au plus). Coupez-le en plusieurs fichiers.",
    "file_too_many": "Il y a plus de 500 colis dans ce fichier. Coupez-le en plusieurs fichiers.",
    "file_empty": "Il n'y a aucun colis dans ce fichier. Choisissez un fichier avec une ligne de titres, puis une ligne par colis.",
    "file_damaged": "Ce fichier est abîmé. Enregistrez-le à nouveau en CSV.",
    "file_no_text": "Ce n'est pas un fichier CSV. Dans votre tableur, enregistrez le tableau au format CSV.",
    "file_open_quote": "Un guillemet n'est pas fermé, ou une ligne est trop longue. Corrigez le fichier et recommencez.",
    "file_columns": "La première ligne doit donner les noms des colonnes, et l'un d'eux n'est pas connu. Regardez la liste ci-dessous.",
    "file_column_twice": "Deux colonnes ont le même nom. Gardez-en une.",
    "file_no_site": "Il manque la colonne « site ».",
    "file_not_json": "Ce fichier JSON ne peut pas être lu. Vérifiez-le et recommencez.",
    "file_no_list": "Ce fichier JSON ne contient pas une liste de colis.",
    "changed_file": "Ce n'est pas le fichier qui a été montré. Choisissez-le à nouveau.",
}
LINE: Final[Mapping[str, str]] = {
    "too_many_cells": "plus de cases que de colonnes",
    "bad_line": "ce n'est pas un colis",
    "unknown_field": "un champ n'est pas connu",
    "too_long": "trop long",
    "no_site": "le site manque",
    "unknown_site": "ce site n'existe pas",
    "no_tracking": "il faut le numéro de suivi, ou le nom",
    "twice": "ce numéro est déjà plus haut dans le fichier",
    "here_already": "ce numéro est déjà annoncé ou présent sur ce site",
    "duplicate": "ce numéro est déjà annoncé ou présent sur ce site",
    "full": "ce site a trop de colis en cours",
    "versions_exhausted": "ce colis ne peut pas recevoir de code : réessayez",
}
FIELD: Final[Mapping[str, str]] = {
    "site": "Site", "tracking": "Numéro de suivi", "carrier": "Transporteur", "size": "Taille", "heavy": "Lourd",
    "reach": "Hauteur", "group": "Groupe", "name": "Nom", "phone": "Téléphone", "email": "E-mail",
    "language": "Langue", "help": "Aide", "recipient": "Destinataire",
}  # fmt: skip
CAME: Final[Mapping[str, str]] = {
    "ready": "prêt à annoncer",
    "refused": "à corriger",
    "announced": "annoncé",
    "attached": "déjà là, destinataire ajouté",
}
COLUMNS: Final[Mapping[str, str]] = {
    "site": "site", "tracking": "numéro de suivi", "carrier": "transporteur", "size": "taille", "heavy": "lourd",
    "reach": "hauteur", "group": "groupe", "name": "nom", "phone": "téléphone", "email": "e-mail",
    "language": "langue", "help": "aide",
}  # fmt: skip
"""How a column may be called in French."""
HEADS: Final[Mapping[str, str]] = {
    "site": "identifiant du site (obligatoire)",
    "tracking": "comme sur l'étiquette",
    "carrier": "son nom",
    "size": "S, M, L ou XL",
    "heavy": "oui ou non",
    "reach": "low, mid ou high : hauteur de porte qu'il faut",
    "group": "même texte pour les colis d'une même personne",
    "name": "la personne à qui il est destiné",
    "phone": "pour la prévenir",
    "email": "pour la prévenir",
    "language": "fr, en, ar, … ; à l'oral : snk (soninké), bm (bambara), kab (kabyle)",
    "help": "standard, low_reach (se tient assis), blind (voit mal), deaf (entend mal), assisted (accompagné)",
}


def fault(field: str, code: str) -> str:
    """What does not fit, in words."""
    text = LINE.get(code, "ne convient pas")
    return f"{FIELD[field]} : {text}" if field in FIELD else text
