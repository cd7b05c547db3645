"""Every program real, and the world between them hostile: a cable pulled, programs frozen, a broker without its memory.

One world lives through all of it; the ledger is drawn up at the end. Nobody in front of a door may notice any of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from demo.story import waiting
from tests.faults.cut_world import CutWorld
from tests.faults.own_namespace import MOUNTS, NETWORK, OwnNamespace

pytestmark = [pytest.mark.mosquitto, pytest.mark.slow, pytest.mark.timeout(240)]


class Lived:
    """The world of this file, and the thread of its network: every story is told in there."""

    def __init__(self, folder: Path) -> None:
        self.namespace = OwnNamespace(MOUNTS | NETWORK)
        self.world = self.namespace.run(lambda: CutWorld(folder))

    def tell(self, story: Callable[[CutWorld], None]) -> None:
        self.namespace.run(lambda: story(self.world))


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    one = Lived(tmp_path_factory.mktemp("cut") / "state")
    try:
        one.tell(CutWorld.start)
        yield one
        one.tell(CutWorld.stop)
    finally:
        one.namespace.close()


def test_a_pulled_cable_is_not_noticed_at_the_door_and_the_hub_learns_all_of_it(lived: Lived) -> None:
    def story(world: CutWorld) -> None:
        parcel = world.stored(world.far)
        key = world.key(parcel)
        world.pull()
        world.collected_at_once(world.far, parcel, key)
        assert not world.is_collected(parcel)
        assert waiting(world.world, world.far) > 0
        near = world.stored(world.near)
        world.collected_at_once(world.near, near, world.key(near))
        world.plug()
        world.come_to_rest()

    lived.tell(story)


def test_no_door_waits_for_a_frozen_hub_broker_or_kiosk(lived: Lived) -> None:
    def story(world: CutWorld) -> None:
        parcel = world.stored(world.near)
        key = world.key(parcel)
        with world.frozen(world.program("hub")), world.frozen(world.program("broker")), world.frozen(world.near.kiosk):
            world.collected_at_once(world.near, parcel, key)
            world.come_and_go(world.near)
        world.come_to_rest()

    lived.tell(story)


def test_a_broker_killed_with_its_memory_costs_nobody_anything(lived: Lived) -> None:
    def story(world: CutWorld) -> None:
        parcel, other = world.stored(world.near), world.stored(world.far)
        keys = world.key(parcel), world.key(other)
        world.broker_dies_and_forgets()
        world.collected_at_once(world.near, parcel, keys[0])
        world.broker.start()
        world.collected_at_once(world.far, other, keys[1])
        world.come_to_rest()
        # Plans and presences were retained by what is gone: they are said again, and a new parcel arrives.
        again = world.stored(world.far)
        world.collected_at_once(world.far, again, world.key(again))
        world.come_to_rest()

    lived.tell(story)


def test_after_all_of_it_the_books_balance(lived: Lived) -> None:
    def story(world: CutWorld) -> None:
        world.come_to_rest()
        ledger = world.books()
        assert ledger.parcels_in == len(world.parcels)
        assert ledger.balances, ledger.as_json()

    lived.tell(story)
