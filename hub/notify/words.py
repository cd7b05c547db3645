"""The words of a message to a recipient, easy to read. Owns the text; refuses to know how it travels.

One idea a sentence, the same word for the same thing (FALC). The text holds a key, so it is made at the moment it is
sent and kept nowhere.
"""

from __future__ import annotations


def ready_text(*, site: str, address: str, at_desk: bool, digits: str) -> str:
    """The parcel is there."""
    where = "Votre colis est à l'accueil." if at_desk else "Votre colis est dans la consigne."
    place = f"{site}, {address}" if address else site
    return (
        f"Bonjour. Votre colis est arrivé. {where} Lieu : {place}. "
        f"Votre code : {digits}. Gardez ce code pour vous. Vous pouvez aussi venir avec votre bon de retrait."
    )


def replaced_text(*, site: str, address: str, digits: str) -> str:
    """The code changed."""
    place = f"{site}, {address}" if address else site
    return (
        f"Bonjour. Votre code a changé. L'ancien code ne marche plus. "
        f"Lieu : {place}. Votre nouveau code : {digits}. Gardez ce code pour vous."
    )


def collected_text(*, site: str) -> str:
    """The parcel is gone."""
    return f"Bonjour. Votre colis a été retiré. Lieu : {site}. Ce n'est pas vous ? Parlez-en à l'accueil."


def delegated_text(*, site: str) -> str:
    """Somebody came with the slip that the recipient gave to another person."""
    return (
        f"Bonjour. Une personne est venue chercher votre colis avec le bon pour une autre personne. Lieu : {site}. "
        f"Vous n'avez envoyé personne ? Parlez-en à l'accueil."
    )
