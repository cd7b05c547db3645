"""The guided tour: the story of a parcel in eleven steps, one button each, and a sentence that says where to look.

Owns the order and the words. Refuses to do anything a person could not do with the page's other buttons.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

from demo.page_hands import PEOPLE, Hands, Impossible, is_staff_in
from demo.story import (
    HAND_S,
    StoryBroke,
    collect,
    come_to_rest,
    expect,
    find_empty,
    load,
    open_by,
    sign_in,
    sign_out,
    state_of,
    take_only,
)
from demo.world import Site, World


@dataclass(frozen=True, slots=True)
class Step:
    """What the button does, and what to look at afterwards."""

    title: str
    button: str
    look: str
    run: Callable[[], None]


class Tour:
    """One tour at the first site. Whoever presses twice is served once."""

    def __init__(self, world: World, hands: Hands) -> None:
        self._world, self._hands = world, hands
        self._lock = Lock()
        self._at = 0
        self._said = ""
        self._parcel = self._tracking = self._door = ""
        self._steps = self._story()

    def picture(self) -> dict[str, Any]:
        """Where the tour is."""
        step = self._steps[self._at] if self._at < len(self._steps) else None
        return {
            "number": self._at + 1,
            "of": len(self._steps),
            "title": step.title if step else "La visite est finie.",
            "button": step.button if step else "",
            "look": self._said,
            "site": self._world.sites[0].id if self._world.sites else "",
        }

    def go_on(self) -> str:
        """The next step; the sentence that says where to look. Raises Impossible."""
        if not self._lock.acquire(blocking=False):
            raise Impossible("L'étape est en cours. Attendez un instant.")
        try:
            if self._at >= len(self._steps):
                raise Impossible("La visite est finie. Vous pouvez la recommencer.")
            step = self._steps[self._at]
            step.run()
        except (StoryBroke, OSError) as error:
            raise Impossible(
                "Cette étape n'a pas abouti. Fermez les portes, rétablissez le réseau et le courant, "
                f"puis recommencez la visite. ({error})"
            ) from error
        else:
            self._at, self._said = self._at + 1, step.look
            return step.look
        finally:
            self._lock.release()

    def restart(self) -> str:
        """From the first step."""
        self._at, self._said = 0, ""
        return "La visite recommence."

    @property
    def _site(self) -> Site:
        return self._world.sites[0]

    def _announce(self, person: int) -> None:
        self._parcel, self._tracking = self._hands.announce(self._site, PEOPLE[person], "S")

    def _welcome(self) -> None:
        if not is_staff_in(self._site):
            sign_in(self._site)

    def _goodbye(self) -> None:
        if is_staff_in(self._site):
            sign_out(self._site)

    def _present(self) -> None:
        self._site.scan(self._hands.slip_of(self._parcel))

    def _load(self) -> None:
        self._welcome()
        self._door = open_by(self._site, lambda: self._site.scan(self._tracking))

    def _put(self) -> None:
        self._site.act(f"contents/{self._door}", {"put": self._parcel})
        self._site.act(f"doors/{self._door}", "close")
        self._expect("stored")

    def _open(self) -> None:
        self._goodbye()
        self._door = open_by(self._site, self._present)

    def _take(self) -> None:
        take_only(self._site, self._door, self._parcel)
        self._site.act(f"doors/{self._door}", "close")
        self._expect("collected")

    def _ready(self, person: int) -> None:
        self._announce(person)
        self._welcome()
        load(self._world, self._site, self._parcel, self._tracking)
        self._goodbye()
        self._hands.slip_of(self._parcel)

    def _cut(self) -> None:
        self._ready(1)
        self._site.relay.cut()

    def _alone(self) -> None:
        text = self._hands.slip_of(self._parcel)
        collect(self._world, self._site, self._parcel, lambda: self._site.scan(text))

    def _back(self) -> None:
        self._site.relay.restore()
        self._expect("collected")

    def _dark(self) -> None:
        self._ready(2)
        self._door = open_by(self._site, self._present)
        self._hands.kill(self._site)

    def _light(self) -> None:
        if not self._site.controller.is_running():
            self._site.start()
            time.sleep(HAND_S)

    def _close(self) -> None:
        take_only(self._site, self._door, self._parcel)
        self._site.act(f"doors/{self._door}", "close")
        self._welcome()
        find_empty(self._site, self._door)
        self._goodbye()
        self._expect("collected")
        come_to_rest(self._world)

    def _expect(self, state: str) -> None:
        expect(lambda: state_of(self._world, self._parcel) == state, f"the hub to say {state}")

    def _story(self) -> tuple[Step, ...]:
        return (
            Step(
                "Un colis est annoncé pour Awa Diallo.",
                "Annoncer le colis",
                "Regardez « Colis » à gauche : le colis est annoncé. L'accueil l'attend.",
                lambda: self._announce(0),
            ),
            Step(
                "Le colis arrive. L'accueil montre son badge, puis l'étiquette du colis.",
                "Scanner badge et étiquette",
                "Regardez la consigne à gauche : une porte s'est ouverte. L'écran de l'accueil dit laquelle.",
                self._load,
            ),
            Step(
                "L'accueil pose le colis et ferme la porte.",
                "Poser le colis et fermer",
                "Regardez le téléphone, à droite : Awa a reçu son code. « Vu de loin », le casier est occupé.",
                self._put,
            ),
            Step(
                "Awa vient avec son bon de retrait.",
                "Scanner le bon",
                "Regardez l'écran du client : un grand numéro. La porte est ouverte.",
                self._open,
            ),
            Step(
                "Awa prend le colis et ferme la porte.",
                "Prendre et fermer",
                "Regardez « Vu de loin » : le colis est retiré, car la porte a été vue ouverte, puis fermée.",
                self._take,
            ),
            Step(
                "Un deuxième colis est déposé pour Wei Chen. Puis le réseau tombe.",
                "Déposer, puis couper le réseau",
                "Regardez « Réseau et courant » à gauche : le site est seul. « Vu de loin » le dira bientôt.",
                self._cut,
            ),
            Step(
                "Wei Chen retire son colis sans réseau.",
                "Retirer sans réseau",
                "La porte s'est ouverte comme d'habitude. Regardez « Réseau et courant » : des faits attendent sur le site.",
                self._alone,
            ),
            Step(
                "Le réseau revient.",
                "Rétablir le réseau",
                "Regardez « Vu de loin » : le serveur sait tout maintenant, une fois et dans l'ordre.",
                self._back,
            ),
            Step(
                "Un troisième colis. Fatima ouvre la porte, et le courant saute (kill -9).",
                "Ouvrir, puis couper le courant",
                "Regardez les deux écrans : la machine redémarre. À gauche, la porte est restée ouverte.",
                self._dark,
            ),
            Step(
                "Le courant revient.",
                "Redémarrer",
                "Regardez « Vu de loin » : la porte ouverte est signalée. L'écran du client dit encore quoi faire.",
                self._light,
            ),
            Step(
                "Fatima prend son colis et ferme la porte. Le site ne l'a pas vu partir : l'accueil regarde dans le casier.",
                "Prendre, fermer, regarder",
                "Regardez le compte en haut : rien de perdu, rien en double, deux journaux pareils.",
                self._close,
            ),
        )
