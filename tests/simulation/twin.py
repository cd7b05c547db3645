"""A spare machine with a copy of a site's card: the same name, the same journal up to the copy, another bank.

Owns nothing but its own existence; what it believes is judged by nobody, what it does to the other one is.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.simulation.site import Site

if TYPE_CHECKING:
    from tests.simulation.world import World


class _Nobody:
    """Stands for the checks: nobody looks."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_args, **_named: None


class _Aside:
    """The world as it is, but for the judgement."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.checks = _Nobody()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world, name)


class Twin(Site):
    """It has a bank that nobody uses, and says what it says in the other's name."""

    def __init__(self, world: World, site: Site, card: Path) -> None:
        folder = card.with_name("spare") / site.name
        folder.mkdir(parents=True)
        shutil.copyfile(card, folder / "journal.db")
        super().__init__(_Aside(world), site.name, site.number, site.key, folder, site.later)  # type: ignore[arg-type]
        self._is_on = True

    def _power_back(self) -> None:
        if self._is_on:
            super()._power_back()

    def switch_off(self) -> None:
        """For good."""
        self._is_on = False
        self.lose_power()
