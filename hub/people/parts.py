"""What the pages of people need, and where they find it in a request. Owns nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from hub.people.identities import Identities
from hub.people.passkeys import Passkeys
from hub.people.second_factor import SecondFactor
from hub.people.team import Team


@dataclass(frozen=True, slots=True)
class PeopleParts:
    """Put into `app.state.people` by the composition root."""

    team: Team
    second_factor: SecondFactor
    passkeys: Passkeys
    identities: Identities
    public_url: str


def people_of(request: Request) -> PeopleParts:
    """The parts of the application a request came to."""
    parts: PeopleParts = request.app.state.people
    return parts
