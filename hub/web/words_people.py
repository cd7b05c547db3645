"""The words of the pages about people and of the log: roles, what was done, what does not fit. French.

Owns texts only. Refuses to know routes and tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub.audit.chain import Action
from hub.core.permissions import Role
from wire.plan import Role as BadgeRole

ROLES: Final[Mapping[str, str]] = {
    Role.MEDIATOR: "Médiation",
    Role.CONCIERGE: "Conciergerie",
    Role.SITE_LEAD: "Responsable de site",
    Role.NETWORK_ADMIN: "Administration du réseau",
    Role.CARRIER: "Transporteur",
    Role.AUDITOR: "Contrôle (lecture seule)",
}
ROLE_HELP: Final[Mapping[str, str]] = {
    Role.MEDIATOR: "Voit ses sites, remplace un bon de retrait.",
    Role.CONCIERGE: "Annonce des colis, les fait reprendre.",
    Role.SITE_LEAD: "Peut aussi ouvrir une porte à distance, à deux.",
    Role.NETWORK_ADMIN: "Tous les sites, les personnes et le journal.",
    Role.CARRIER: "Ses propres colis seulement.",
    Role.AUDITOR: "Voit tous les sites et le journal, ne change rien.",
}
BADGE_ROLES: Final[Mapping[str, str]] = {
    BadgeRole.MEDIATOR: "Médiation",
    BadgeRole.CONCIERGE: "Conciergerie",
    BadgeRole.LEAD: "Responsable du site",
    BadgeRole.COURIER: "Livraison",
}
"""What stands on a badge for each role at a site."""
ACTIONS: Final[Mapping[str, str]] = {
    Action.AUDIT_BEGUN: "Journal commencé",
    Action.AUDIT_HEAD_LOST: "La fin du journal a été touchée : des lignes peuvent manquer",
    Action.AUDIT_EXPORTED: "Journal exporté",
    Action.PARCEL_ANNOUNCED: "Colis annoncé",
    Action.PARCEL_ATTACHED: "Destinataire donné à un colis",
    Action.PARCEL_CORRECTED: "Fiche d'un destinataire corrigée",
    Action.SLIP_REISSUED: "Bon de retrait remplacé",
    Action.SLIP_SHOWN: "Bon de retrait vu",
    Action.MESSAGE_AGAIN: "Message essayé encore",
    Action.NAMES_PRINTED: "Liste de noms imprimée",
    Action.PARCEL_RECALLED: "Colis à reprendre",
    Action.ALERT_ACKNOWLEDGED: "Alerte prise en charge",
    Action.COMMAND_SENT: "Commande envoyée",
    Action.OPENING_ASKED: "Ouverture à distance demandée",
    Action.OPENING_APPROVED: "Ouverture à distance approuvée",
    Action.OPENING_REFUSED: "Ouverture à distance refusée",
    Action.OPENING_WITHDRAWN: "Demande d'ouverture retirée",
    Action.SITE_CREATED: "Site créé",
    Action.SITE_CHANGED: "Site modifié",
    Action.SITE_KEY_SHOWN: "Clé de site vue",
    Action.SITE_INVITED: "Jeton de mise en service créé",
    Action.SITE_ENROLLED: "Machine mise en service",
    Action.SITE_TOKEN_REPLAYED: "Jeton de mise en service présenté une deuxième fois : les clés du site sont peut-être copiées",
    Action.SITE_ADOPTED: "Nouveau passé du site accepté",
    Action.BADGE_ADDED: "Badge créé",
    Action.BADGE_ENDED: "Badge supprimé",
    Action.ASSOCIATION_CREATED: "Association créée",
    Action.PERSON_INVITED: "Personne invitée",
    Action.PERSON_CHANGED: "Rôle ou sites modifiés",
    Action.PERSON_ENDED: "Personne retirée",
    Action.PASSWORD_SET: "Mot de passe choisi",
    Action.SECOND_FACTOR_SET: "Second facteur mis en place",
    Action.SECOND_FACTOR_REMOVED: "Accès remis à zéro",
    Action.RECOVERY_CODE_USED: "Code de secours utilisé",
    Action.PASSKEY_ADDED: "Clé d'accès ajoutée",
    Action.PASSKEY_REMOVED: "Clé d'accès retirée",
    Action.PASSKEY_REFUSED: "Clé d'accès refusée : il y en a peut-être une copie",
    Action.IDENTITY_EXPECTED: "Compte de l'organisation attendu",
    Action.IDENTITY_LINKED: "Compte de l'organisation lié",
    Action.IDENTITY_ENDED: "Compte de l'organisation retiré",
    Action.SIGNED_IN: "Connexion",
    Action.SESSIONS_ENDED: "Déconnexion forcée",
    Action.TOKEN_ADDED: "Jeton d'API créé",
    Action.TOKEN_ENDED: "Jeton d'API supprimé",
    Action.CARRIER_ADDED: "Transporteur ajouté",
    Action.CARRIER_KEY_ADDED: "Clé de transporteur créée",
    Action.CARRIER_KEY_ENDED: "Clé de transporteur retirée",
    Action.WEBHOOK_ADDED: "Adresse d'un transporteur ajoutée",
    Action.WEBHOOK_ROTATED: "Secret d'une adresse remplacé",
    Action.WEBHOOK_RESUMED: "Envois à une adresse repris",
    Action.WEBHOOK_ENDED: "Adresse d'un transporteur retirée",
    Action.DELIVERY_AGAIN: "Événement envoyé à nouveau",
}
REFUSALS: Final[Mapping[str, str]] = {
    "bad_name": "Donnez un nom de 1 à 64 caractères.",
    "duplicate": "Ce nom est déjà pris. Ajoutez par exemple l'initiale du nom de famille.",
    "bad_carrier": "Donnez le nom du transporteur pour le rôle « Transporteur », et pour lui seul.",
    "unknown_site": "Un de ces sites n'existe pas.",
    "no_site": "Ce rôle travaille sur des sites précis. Choisissez au moins un site.",
    "last_admin": "C'est la dernière personne de l'administration. Nommez-en d'abord une autre.",
    "bad_role": "Choisissez un rôle dans la liste.",
}
PASSKEY_REFUSALS: Final[Mapping[str, str]] = {
    "no_passkeys": "Les clés d'accès ne sont pas proposées ici. Prenez un code, ou votre mot de passe.",
    "owes": "Donnez d'abord votre second facteur.",
    "bad_name": "Donnez à la clé un nom de 1 à 64 caractères.",
    "too_many": "Vous avez déjà 10 clés d'accès. Retirez-en une d'abord.",
    "known": "Cette clé d'accès est déjà connue ici.",
    "stale": "Cette demande a déjà servi, ou la page était ouverte depuis trop longtemps. Recommencez.",
    "bad_passkey": "La clé d'accès n'a pas pu être vérifiée. Recommencez, ou prenez un code ou votre mot de passe.",
    "unknown_passkey": "Cette clé d'accès n'est pas connue ici, ou a été retirée. Prenez-en une autre, ou votre mot de passe.",
    "copied": "Cette clé d'accès est refusée : il y en a peut-être une copie. Connectez-vous autrement, retirez-la de votre compte et prévenez l'administration.",
}
IDENTITY_REFUSALS: Final[Mapping[str, str]] = {
    "unknown_provider": "Cette organisation n'est pas connue ici.",
    "bad_email": "Donnez une adresse e-mail, comme awa@example.org.",
    "wrong_domain": "Cette adresse n'est pas de l'organisation.",
    "taken": "Ce compte est déjà celui de quelqu'un d'autre ici.",
    "owes": "Donnez d'abord votre second facteur.",
    "stale": "Cette connexion a déjà servi, ou a pris trop de temps. Recommencez.",
    "cancelled": "L'organisation n'a pas confirmé la connexion. Recommencez, ou prenez votre nom et votre mot de passe.",
    "provider_away": "Le service de connexion de l'organisation ne répond pas. Réessayez dans quelques minutes, ou prenez votre nom et votre mot de passe.",
    "bad_answer": "La réponse de l'organisation n'a pas pu être vérifiée : personne n'est connecté. Recommencez ; si cela se répète, prévenez l'administration.",
    "not_linked": "Ce compte n'est lié à personne ici. Demandez à l'administration de votre association de vous inviter, ou connectez-vous avec votre mot de passe et liez-le dans « Mon compte ».",
}
WRONG_CODE: Final = "Ce code n'est pas bon, ou il a déjà servi. Attendez le code suivant et recommencez."
WRONG_PASSWORD: Final = "Le mot de passe actuel n'est pas bon, ou trop d'essais ont été faits."  # noqa: S105
WEAK_PASSWORD: Final = "Le mot de passe doit avoir de 10 à 256 caractères."  # noqa: S105


def role(name: str) -> str:
    """A role in words; one this version does not know by its name."""
    return ROLES.get(name, name)


def action(name: str) -> str:
    """What was done, in words; what this version does not know by its name."""
    return ACTIONS.get(name, name)
