"""What the pages ask of the rest of the hub, besides reading.

Owns the shape of these questions. Refuses to know the answers: the composition root hands in who can give them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from fastapi import Request

from hub.core.correcting import Correction
from hub.core.parcels import Announced, NewParcel
from hub.core.permissions import Scope, Visitor
from hub.keys import KeyRing
from hub.live import Live
from hub.store.pages import PageReads

COOKIE: Final = "consigne_session"
"""The pages' cookie; the API accepts it too."""


class Reads(Protocol):
    """What can be read, once it is said for whom: nothing is read without a scope (I-31)."""

    def within(self, scope: Scope) -> PageReads:
        """The reads of what is inside a scope."""
        ...


class Door(Protocol):
    """Who may come in."""

    def visitor_of(self, cookie: str) -> Visitor | None:
        """Whose session the cookie is; None when it is nobody's, or over."""
        ...

    def sign_in(self, name: str, password: str, agent: str = "") -> str | None:
        """The cookie of a new session; None when name and password do not fit, or too many were tried."""
        ...

    def sign_out(self, cookie: str) -> None:
        """End the session."""
        ...


class Desk(Protocol):
    """What may be asked. Each raises hub.core.parcels.Refused with a code and a reason."""

    def announce(self, parcel: NewParcel, by: Visitor) -> Announced:
        """Announce a parcel, or give the one that is known under this number its recipient."""
        ...

    def correct(self, parcel: str, wanted: Correction, by: Visitor) -> bool:
        """Correct the card of a parcel's recipient; whether its slip was replaced by that."""
        ...

    def reissue(self, parcel: str, by: Visitor) -> int:
        """Replace the key of a parcel; the new version."""
        ...

    def recall(self, parcel: str, by: Visitor) -> None:
        """End the hold: the team takes the parcel out."""
        ...

    def show_slip(self, parcel: str, by: Visitor) -> None:
        """Note that somebody sees the slip of a parcel, which is its key."""
        ...

    def tell_again(self, parcel: str, by: Visitor) -> int:
        """Try the messages about a parcel that were given up once more; how many."""
        ...

    def print_names(self, site_id: str, by: Visitor) -> None:
        """Note that somebody prints whom to tell at a site."""
        ...

    def acknowledge(self, alert: int, by: Visitor) -> None:
        """Note that somebody looks after an alert."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WebParts:
    """Everything the pages need, put into `app.state.web` by the composition root."""

    reads: Reads
    door: Door
    desk: Desk
    keys: KeyRing
    live: Live
    now_ms: Callable[[], int]
    secure_cookies: bool = False
    passkeys_at: str = ""
    """The address at which passkeys are offered; empty where they are not."""
    organisations: tuple[tuple[str, str], ...] = ()
    """Key and name of each organisation whose own sign-in is offered."""
    framers: tuple[str, ...] = ()
    """Origins whose pages may show ours in a frame."""


def parts_of(request: Request) -> WebParts:
    """The parts of the application a request came to."""
    parts: WebParts = request.app.state.web
    return parts
