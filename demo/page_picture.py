"""What the demonstration's page shows: the physical world of a site, its parcels, the messages, the books.

Owns the picture and how old it may be. Refuses to act; everything is asked of the same surfaces that anybody could ask.
"""

from __future__ import annotations

import json
import sqlite3
import time
import tomllib
from collections.abc import Sequence
from dataclasses import asdict
from threading import Lock
from typing import Any, Final

from demo.inbox import Inbox
from demo.ledger import Ledger, draw_up
from demo.page_hands import Hands, is_staff_in, people
from demo.page_tour import Tour
from demo.story import waiting
from demo.world import Site, World
from firmware.board import Board, load_board

LEDGER_AGE_S: Final = 2.0
"""Drawing up the books reads every journal: no oftener than this."""

PARCELS_MAX: Final = 40
"""The newest parcels of a site that are shown."""

AWAY: Final = (OSError, sqlite3.Error)
"""What a program that is down, or just coming up, looks like from outside."""


class Painter:
    """Makes pictures of one world."""

    def __init__(self, world: World, hands: Hands, tour: Tour, inbox: Inbox) -> None:
        self._world, self._hands, self._tour, self._inbox = world, hands, tour, inbox
        self._lock = Lock()
        self._boards: dict[str, Board] = {}
        self._last_sim: dict[str, dict[str, Any]] = {}
        self._last_parcels: dict[str, list[dict[str, Any]]] = {}
        self._ledger: Ledger | None = None
        self._drawn_at = -LEDGER_AGE_S

    def paint(self, name: str) -> dict[str, Any]:
        """Everything the page shows while the site `name` is chosen. Raises Impossible for an unknown one."""
        site = self._hands.site(name)
        with self._lock:
            return {
                "ready": True,
                "sites": [{"id": one.id, "name": one.name} for one in self._world.sites],
                "site": self._site(site),
                "people": people(),
                "messages": self._inbox.newest_first(),
                "ledger": self._books(),
                "tour": self._tour.picture(),
                "hub": self._world.hub_url,
            }

    def _site(self, site: Site) -> dict[str, Any]:
        names = {one["id"]: one["name"] for one in self._parcels(site)}
        sim = self._sim(site)
        return {
            "id": site.id,
            "name": site.name,
            "kiosk": f"{site.kiosk_url}/",
            "staff": f"{site.kiosk_url}/staff",
            "hub": f"{self._world.hub_url}/sites/{site.id}",
            "power": site.controller.is_running(),
            "cut": site.relay.is_cut,
            "waiting": self._waiting(site),
            "staff_in": is_staff_in(site),
            "scanner": sim["scanner"]["plugged"],
            "doors": [
                {
                    "label": cell.label,
                    "size": cell.size,
                    "grid": [cell.row + 1, cell.column + 1, cell.rows, cell.columns],
                    "open": sim["doors"][cell.label] == "open",
                    "coil": sim["coils"][cell.label] == "on",
                    "inside": [{"id": held, "name": names.get(held, held)} for held in sim["contents"][cell.label]],
                    "faults": sim["faults"][cell.label],
                }
                for cell in self._board(site).compartments
            ],
            "parcels": self._parcels(site),
        }

    def _board(self, site: Site) -> Board:
        if site.id not in self._boards:
            file = tomllib.loads((site.folder / "site.toml").read_text(encoding="utf-8"))["board"]["file"]
            self._boards[site.id] = load_board(site.folder / file)
        return self._boards[site.id]

    def _sim(self, site: Site) -> dict[str, Any]:
        """The world; while the program that plays it is dead, doors and contents as they are on its disk."""
        try:
            self._last_sim[site.id] = site.sim()
        except OSError:
            if site.id not in self._last_sim:
                raise
            lying = json.loads((site.folder / "state" / "world.json").read_text(encoding="utf-8"))
            return {**self._last_sim[site.id], **lying}
        return self._last_sim[site.id]

    def _parcels(self, site: Site) -> list[dict[str, Any]]:
        try:
            found = self._world.hub(f"parcels?site={site.id}&limit={PARCELS_MAX}")["parcels"]
        except OSError:
            return self._last_parcels.get(site.id, [])
        self._last_parcels[site.id] = [
            {
                "id": one["id"],
                "name": one["recipient_name"] or one["tracking"] or one["id"],
                "tracking": one["tracking"],
                "state": one["state"],
                "place": one["place_name"],
                "size": one["size"],
                "slip": f"{self._world.hub_url}/parcels/{one['id']}/slip",
            }
            for one in found
        ]
        return self._last_parcels[site.id]

    def _waiting(self, site: Site) -> int | None:
        try:
            return waiting(self._world, site)
        except AWAY:
            return None

    def _books(self) -> dict[str, Any] | None:
        now = time.monotonic()
        if now - self._drawn_at > LEDGER_AGE_S:
            try:
                # Never in wait of rest: behind a cut line it does not come, and whoever looks would wait with it.
                self._ledger = draw_up(self._world, self._hands.deaths, looks=1)
            except AWAY:
                return self._told(stale=True)
            self._drawn_at = time.monotonic()
        return self._told(stale=False)

    def _told(self, *, stale: bool) -> dict[str, Any] | None:
        if self._ledger is None:
            return None
        return {
            **asdict(self._ledger),
            "balances": self._ledger.balances,
            "stale": stale,
            "why": explain(self._ledger, stale=stale),
        }


def explain(ledger: Ledger, *, stale: bool) -> Sequence[str]:
    """In French, what does not balance and what that means; nothing when everything does."""
    reasons = [sentence for is_so, sentence in _reasons(ledger) if is_so]
    if not reasons and not ledger.balances:
        reasons = ["Les colis ne tombent pas juste : une opération est peut-être en cours."]
    if stale:
        reasons.append("Un programme est arrêté : ce compte est celui d'avant. Redémarrez-le.")
    return reasons


def _reasons(ledger: Ledger) -> list[tuple[bool, str]]:
    return [
        (
            ledger.lost > 0,
            (
                f"{ledger.lost} colis sorti, retrait pas encore confirmé : fermez la porte et attendez trois secondes. "
                "S'il a été pris sans bon, le site ne peut pas le savoir : il manque vraiment."
            ),
        ),
        (
            ledger.doubled > 0,
            f"{ledger.doubled} colis compté retiré est encore dans un casier : la porte a été refermée sans le prendre.",
        ),
        (
            ledger.facts_site != ledger.facts_hub,
            (
                f"{ledger.facts_site - ledger.facts_hub} faits sont au site et pas encore au serveur : "
                "ils sont en route, ou le réseau est coupé."
            ),
        ),
        (
            ledger.facts_site == ledger.facts_hub and not ledger.chains_equal,
            "Les deux journaux ont la même longueur et ne disent pas la même chose : regardez les alertes.",
        ),
        (ledger.wrong_opens > 0, f"{ledger.wrong_opens} porte ouverte par une clé qui n'était pas la sienne."),
        (ledger.coils_left_on + ledger.coil_faults > 0, "Une serrure est restée sous tension trop longtemps."),
    ]
