"""Puts the pages of people into an application: the team, one's own account, passkeys, the sign-in of organisations. Owns nothing else."""

from __future__ import annotations

from fastapi import FastAPI

from hub.people import account_pages, identity_pages, pages, passkey_pages
from hub.people.parts import PeopleParts


def install(app: FastAPI, parts: PeopleParts) -> None:
    """Put these pages into an application."""
    app.state.people = parts
    for module in (pages, account_pages, passkey_pages, identity_pages):
        app.include_router(module.router)
