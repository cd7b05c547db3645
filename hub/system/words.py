"""Why the broker is not there, in French. `/readyz` says it in English, for programs and logs.

Owns these words. Refuses to know when they are shown (`hub.system.pages`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_REASONS: Final[Mapping[str, str]] = {
    "Not authorized": "cet utilisateur n'a pas le droit",
    "Bad user name or password": "le nom ou le mot de passe n'est pas bon",
    "Client identifier not valid": "notre identifiant ne lui convient pas",
    "Unsupported protocol version": "il parle une autre version de MQTT",
    "Banned": "cet utilisateur est banni",
    "Server unavailable": "il n'est pas disponible",
    "Server busy": "il a trop à faire",
    "Server shutting down": "il s'arrête",
    "Keep alive timeout": "plus de réponse à temps",
    "Session taken over": "un autre hub a pris notre place, avec le même identifiant",
    "Unspecified error": "le réseau est coupé, ou le courtier s'est arrêté",
}
"""What MQTT 5 names its commonest reasons, and what they mean for whoever reads the page."""
_PROBLEMS: Final = (
    (re.compile("not connected yet"), "pas encore de réponse"),
    (re.compile("the broker refuses the connection: (.+)"), "il refuse la connexion : {}"),
    (
        re.compile("the broker's access rules refuse .+ to user '(.*)'"),
        "ses règles d'accès refusent des sujets à l'utilisateur « {} » : refaire son fichier avec « consigne-hub acl »",
    ),
    (re.compile("lost the broker: (.+)"), "la connexion s'est coupée : {}"),
)


def broker_problem(problem: str) -> str:
    """Why the broker is not there; one we do not know keeps its own words."""
    for pattern, said in _PROBLEMS:
        found = pattern.fullmatch(problem)
        if found:
            return said.format(*(_REASONS.get(each, each) for each in found.groups()))
    return problem
