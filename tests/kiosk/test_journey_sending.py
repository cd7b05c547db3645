"""Row C-32 as its sender meets it: the assembled controller and kiosk, a slip of the desk, pictures, and fingers on the screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from controller.core.notices import NoticeKind
from controller.kiosk.texts import texts
from tests.controller.controller_site import end_all, wait_for
from tests.controller.hands import sign_in
from tests.controller.stage import Stage
from tests.kiosk.public_room import room
from tests.tools.axe import violations

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

RETURN_LABEL = "8N00234584108"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A site that is not started yet."""
    yield Stage(tmp_path)
    end_all()


def test_c_32_who_reads_nothing_hands_in_a_parcel_by_its_pictures_and_keeps_a_proof(
    stage: Stage, chromium: Browser
) -> None:
    """The desk makes and shows the slip; scan, size, door, put, close, *it is inside*; the screen proves it."""
    stage.start()
    words = texts("fr")
    with room(stage, chromium) as public:
        desk = chromium.new_page()
        desk.goto(f"{public.url}/staff")
        sign_in(stage)
        desk.click("#sending-1")
        wait_for(lambda: stage.staff_notice() == "sending_next", "the word to scan its label")
        assert violations(desk) == []
        stage.scan(RETURN_LABEL)
        desk.click("#slip")
        expect(desk.get_by_text("Bon de dépôt").first).to_be_visible()
        made = wait_for(lambda: stage.view["staff"]["slip"], "the slip")
        desk.close()
        page = public.page
        stage.scan(made["qr_text"])
        expect(page.locator("h1").first).to_have_text(words.choose_size)
        assert page.locator(".choices.sizes svg").count() == 4
        assert violations(page) == []
        page.click("#size-S")
        wait_for(lambda: stage.screen() == "put_in", "the open door")
        label = str(stage.view["customer"]["compartment"])
        expect(page.locator("p.number bdi")).to_have_text(label)
        expect(page.locator("#send-bigger")).to_be_visible()
        assert violations(page) == []
        stage.put_and_close(label, made["parcel"])
        page.click("#send_inside")
        expect(page.locator(".telling h1")).to_have_text(words.notices[NoticeKind.HANDED_IN].say)
        expect(page.locator("#proof")).to_contain_text(made["parcel"][:4])
    assert stage.knows("parcel_stored", parcel=made["parcel"], by="")
    stage.end()


def test_c_32_no_on_the_picture_of_an_empty_box_sends_to_the_desk(stage: Stage, chromium: Browser) -> None:
    stage.start()
    with room(stage, chromium) as public:
        sign_in(stage)
        stage.press("sending")
        wait_for(lambda: stage.staff_notice() == "sending_next", "the word to scan its label")
        stage.scan(RETURN_LABEL)
        made = wait_for(lambda: stage.view["staff"]["slip"], "the slip")
        stage.press("sign_out")
        page = public.page
        stage.scan(made["qr_text"])
        page.click("#size-M")
        wait_for(lambda: stage.screen() == "put_in", "the open door")
        label = str(stage.view["customer"]["compartment"])
        stage.site.act(f"doors/{label}", "close")
        page.click("#send_not_inside")
        expect(page.locator(".telling h1")).to_have_text(texts("fr").notices[NoticeKind.ASK_DESK].say)
    wait_for(lambda: stage.compartment(label)["occupancy"] == "unknown", "the compartment to be unknown")
    stage.end()
