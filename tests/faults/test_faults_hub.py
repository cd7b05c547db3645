"""A real hub on a disk that fills, and whose database's system calls fail or kill it: what was acked is kept, once (I-15)."""

from __future__ import annotations

import itertools
import subprocess
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.injected_hub import Blow, InjectedHub
from tests.faults.own_namespace import MOUNTS, OwnNamespace, SmallDisk
from tests.faults.tracing import need_tracing
from tests.hub.hub_site import until

pytestmark = [pytest.mark.mosquitto, pytest.mark.slow, pytest.mark.timeout(300)]

DISK_BYTES = 8 * 1024 * 1024
LIVES_TOO_MANY = 150
"""More than the database has room for in what it grew to already."""

SLICE = (Blow("fdatasync", "error=EIO", 2),)
"""Every call and error, and every n: ./run campaign faults."""


@pytest.fixture
def namespace() -> Iterator[OwnNamespace]:
    own = OwnNamespace(MOUNTS)
    yield own
    own.close()


def test_on_a_full_disk_nothing_is_acked_that_is_not_kept_and_room_brings_everything_once(
    namespace: OwnNamespace, tmp_path: Path
) -> None:
    need_tracing()

    def story() -> None:
        world = InjectedHub(tmp_path)
        disk = SmallDisk(tmp_path / "state", DISK_BYTES)
        try:
            world.start()
            fill_and_free(world, disk)
            for blow in SLICE:
                books = world.strike(blow)
                assert books.struck, blow
                assert books.is_well, (blow, books)
        finally:
            world.close()

    namespace.run(story)


def fill_and_free(world: InjectedHub, disk: SmallDisk) -> None:
    """The disk is full in the middle of the traffic, and at a start; then somebody makes room."""
    disk.fill()
    with pytest.raises(urllib.error.HTTPError) as refused:
        wish_for_ever(world)
    assert refused.value.code == 503
    assert b"the disk is full" in refused.value.read()
    world.tell(LIVES_TOO_MANY)
    until(world.is_dead, "the hub to end rather than ack what it cannot keep")
    acked, kept = world.site.acked, world.seqs()
    assert kept == list(range(1, acked + 1))
    world.buried()
    # `seqs` closed the database as its last reader, and its log with the room in it is gone.
    disk.fill()
    with pytest.raises(subprocess.CalledProcessError) as refusal:
        world.hub.run("site", "list")
    assert "the database took nothing" in refusal.value.stderr
    assert "Traceback" not in refusal.value.stderr
    disk.free()
    world.hub.start()
    world.come_to_rest()
    assert world.seqs() == list(range(1, world.journal.last + 1))


def wish_for_ever(world: InjectedHub) -> None:
    """As long as the database's log has a page left, a wish is kept."""
    for number in itertools.count(8_000_000_000):
        recipient = {"name": "Awa Diallo", "phone": "0612345678", "language": "fr"}
        world.hub.post("/api/v1/parcels", {"site": "gambetta", "tracking": f"8N{number}", "recipient": recipient})
