"""An e-mail opens a door: a real mail server takes it, a reader reads the attached slip's pixels, and the parcel is collected."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.story import announce, collect, load, sign_in, sign_out, state_of
from demo.story import expect as wait_for
from demo.world import World
from tests.end_to_end.test_end_to_end_slip import through_the_pty
from tests.hub.mail_room import code_in_the_text, code_on_the_slip, mail_room

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

TRACKING = "RR473124829FR"
EMAIL = "awa@example.org"


def test_the_slip_in_an_e_mail_opens_the_door_and_its_end_is_told(tmp_path: Path) -> None:
    world = World(tmp_path / "state")
    with mail_room() as room:
        try:
            world.start(mail_port=room.port)
            site = world.sites[0]
            recipient = {"name": "Awa Diallo", "email": EMAIL, "language": "ar"}
            parcel = announce(world, site, TRACKING, "S", recipient)
            sign_in(site)
            load(world, site, parcel, TRACKING)
            sign_out(site)
            wait_for(lambda: room.taken, "the e-mail")
            (mail,) = room.taken
            assert (mail["To"], mail["Content-Language"]) == (EMAIL, "ar")
            code = code_on_the_slip(mail)
            assert code == code_in_the_text(mail)
            collect(world, site, parcel, lambda: through_the_pty(site, code))
            wait_for(lambda: state_of(world, parcel) == "collected", "the hub to say collected")
            wait_for(lambda: len(room.taken) == 2, "the e-mail that it is gone")
            assert site.sim()["coils"]
            hub_log = (world.folder / "hub.log").read_text()
            assert [secret for secret in (EMAIL, "Diallo", code) if secret in hub_log] == []
        finally:
            world.stop()
    assert [str(mail["Message-ID"]).partition("@")[0].partition(".")[2] for mail in room.taken] == [
        "ready",
        "collected",
    ]
