"""What a person can do on the demonstration's page: hands, reader, lines, power, and announcing a parcel.

Owns the verbs. Each goes through a public surface: the simulated world, the reader's pty behind it, the hub's API, the wire
that can be cut. Refuses to look into any program.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from demo.ledger import read_facts
from demo.story import expect, is_known, kill, slip
from demo.world import Site, World
from firmware.sim.coils import Death
from wire import facts as f
from wire.badges import CommandCard, card_text
from wire.plan import Help

GARBAGE_BYTES: Final = 200
FOREIGN: Final = "https://www.example.org/menu"
"""A poster's QR code."""

SLIPS_MAX: Final = 200
"""Slips that stay in people's pockets after their parcel is gone."""

Word = Annotated[str, Meta(max_length=64)]


@dataclass(frozen=True, slots=True)
class Person:
    """An invented recipient."""

    name: str
    phone: str
    language: str
    help: Help
    about: str


PEOPLE: Final = (
    Person("Awa Diallo", "0639980001", "fr", Help.STANDARD, "français"),
    Person("Wei Chen", "0639980002", "zh", Help.STANDARD, "chinois"),
    Person("Fatima Benali", "0639980003", "ar", Help.LOW_REACH, "arabe, ne peut pas lever le bras"),
    Person("João Pereira", "0639980004", "pt", Help.DEAF, "portugais, n'entend pas"),
    Person("Ileana Popescu", "0639980005", "ro", Help.BLIND, "roumain, ne voit pas"),
)


class Impossible(Exception):
    """It cannot be done now; the text, in French, says why and what to do."""


class Act(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing a person does on the page."""

    do: Word
    site: Word
    door: Word = ""
    parcel: Word = ""
    value: Word = ""
    size: Word = "S"


class Hands:
    """The verbs, on one world. `deaths` are the power cuts, which the ledger asks for."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._slips: dict[str, str] = {}
        self.deaths: list[Death] = []
        self._verbs: dict[str, Callable[[Site, Act], str]] = {
            "door": self._door,
            "put": self._put,
            "take": self._take,
            "fault": self._fault,
            "slip": self._slip,
            "label": self._label,
            "badge": self._badge,
            "card": self._card,
            "noise": self._noise,
            "scanner": self._scanner,
            "network": self._network,
            "power": self._power,
            "announce": self._announce,
        }

    def do(self, act: Act) -> str:
        """Do it; the sentence to show. Raises Impossible, OSError and StoryBroke."""
        verb = self._verbs.get(act.do)
        if verb is None:
            raise Impossible("Cette page ne connaît pas ce geste.")
        return verb(self.site(act.site), act)

    def site(self, name: str) -> Site:
        """A site by its id. Raises Impossible."""
        for site in self._world.sites:
            if site.id == name:
                return site
        raise Impossible("Ce site n'existe pas.")

    def announce(self, site: Site, person: Person, size: str) -> tuple[str, str]:
        """Announce a parcel for somebody and wait until the site knows; its id and its label. Raises StoryBroke."""
        tracking = f"8N{secrets.randbelow(10**11):011d}"
        recipient = {"name": person.name, "phone": person.phone, "language": person.language, "help": person.help}
        made = self._world.hub("parcels", {"site": site.id, "tracking": tracking, "size": size, "recipient": recipient})
        parcel = str(made["id"])
        if not site.relay.is_cut and site.controller.is_running():
            expect(lambda: is_known(site, parcel), f"the plan with {tracking} to reach {site.id}")
        return parcel, tracking

    def slip_of(self, parcel: str) -> str:
        """The QR text of a slip; one that was shown once stays in its owner's pocket. Raises OSError."""
        try:
            text = slip(self._world, parcel)["qr"]
        except OSError:
            if parcel not in self._slips:
                raise
            return self._slips[parcel]
        self._slips[parcel] = text
        if len(self._slips) > SLIPS_MAX:
            del self._slips[next(iter(self._slips))]
        return text

    def kill(self, site: Site) -> None:
        """The power fails. Raises StoryBroke when a coil stays on."""
        if site.controller.is_running():
            self.deaths.append(kill(site))

    def _door(self, site: Site, act: Act) -> str:
        site.act(f"doors/{act.door}", act.value)
        return f"Porte {act.door} : {'ouverte à la main' if act.value == 'open' else 'poussée'}."

    def _put(self, site: Site, act: Act) -> str:
        site.act(f"contents/{act.door}", {"put": act.parcel})
        return f"Le colis est posé dans le casier {act.door}. Fermez la porte."

    def _take(self, site: Site, act: Act) -> str:
        site.act(f"contents/{act.door}", {"take": True})
        return f"Le casier {act.door} est vidé. Fermez la porte."

    def _fault(self, site: Site, act: Act) -> str:
        site.act(f"faults/{act.door}", act.value)
        return f"Porte {act.door} : {'réparée' if act.value == 'clear' else 'panne en place'}."

    def _slip(self, site: Site, act: Act) -> str:
        site.scan(self.slip_of(act.parcel))
        return "Le bon est passé devant le lecteur. Regardez l'écran du client et les portes."

    def _label(self, site: Site, act: Act) -> str:
        site.scan(str(self._world.hub(f"parcels/{act.parcel}")["parcel"]["tracking"]))
        return "L'étiquette est passée devant le lecteur. Regardez l'écran de l'accueil et les portes."

    def _badge(self, site: Site, _act: Act) -> str:
        site.scan(site.badge)
        return "Le badge est passé devant le lecteur. Regardez l'écran de l'accueil."

    def _card(self, site: Site, act: Act) -> str:
        try:
            site.scan(card_text(CommandCard(act.value)))
        except ValueError:
            raise Impossible("Cette carte n'existe pas.") from None
        return "La carte est passée devant le lecteur. Regardez l'écran de l'accueil."

    def _noise(self, site: Site, act: Act) -> str:
        if act.value == "garbage":
            site.act("scan", {"garbage": GARBAGE_BYTES})
            return f"Le lecteur a envoyé {GARBAGE_BYTES} octets illisibles. Rien ne doit s'ouvrir."
        site.scan(FOREIGN)
        return "Un QR code d'affiche est passé devant le lecteur. Rien ne doit s'ouvrir."

    def _scanner(self, site: Site, act: Act) -> str:
        site.act("scanner", act.value)
        return "Le lecteur est branché." if act.value == "plug" else "Le lecteur est débranché. Le code se tape encore."

    def _network(self, site: Site, act: Act) -> str:
        if act.value == "cut":
            site.relay.cut()
            return "Le réseau du site est coupé. Tout marche encore ici ; les faits attendent."
        site.relay.restore()
        return "Le réseau est rétabli. Les faits partent dans l'ordre."

    def _power(self, site: Site, act: Act) -> str:
        if act.value == "kill":
            self.kill(site)
            return "Courant coupé : le programme du site est mort d'un coup (kill -9)."
        if not site.controller.is_running():
            site.start()
        return "Le programme du site est reparti. Il a relu son journal et regardé chaque porte."

    def _announce(self, site: Site, act: Act) -> str:
        person = next((one for one in PEOPLE if one.name == act.value), None)
        if person is None or act.size not in {"S", "M", "L", "XL"}:
            raise Impossible("Choisissez une personne et une taille dans la liste.")
        _, tracking = self.announce(site, person, act.size)
        return f"Un colis est annoncé pour {person.name} ({tracking}). L'accueil peut scanner son étiquette."


def is_staff_in(site: Site) -> bool:
    """Whether somebody of the team is signed in, as the site's journal says."""
    moves = [one for one in read_facts(site.journal()) if isinstance(one, f.StaffSignedIn | f.StaffSignedOut)]
    return bool(moves) and isinstance(moves[-1], f.StaffSignedIn)


def people() -> list[dict[str, Any]]:
    """The invented recipients, for the page."""
    return [{"name": one.name, "about": one.about, "phone": one.phone} for one in PEOPLE]
