"""The kiosk program from outside: its settings, its guard and its voice."""

from __future__ import annotations

import asyncio
import http.client
import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from importlib import resources
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from controller.core.notices import NoticeKind, StaffNoticeKind
from controller.core.views import Screen
from controller.kiosk import customer, staff, staff_words
from controller.kiosk.__main__ import main
from controller.kiosk.app import Kiosk
from controller.kiosk.guard import Guard
from controller.kiosk.link import Link, Picture
from controller.kiosk.printing import NO_QUEUE, print_pdf
from controller.kiosk.settings import load_settings
from controller.kiosk.texts import languages, texts
from controller.kiosk.voice import about, spoken
from controller.panel_messages import PressInput
from tests.kiosk.conftest import Running
from tests.kiosk.kiosk_lock import READY, noticing, serving
from wire.ids import ReachZone
from wire.plan import Help

PANEL = '[panel]\nsocket = "panel.sock"\n'


def ask(kiosk: Running, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(urlsplit(kiosk.url).netloc, timeout=10)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()


HELP = '{"input":"press","button":"call_desk"}'
JSON = "application/json"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (PANEL + "[screens]\n", ("screens", "[screen]")),
        (PANEL + "[web]\nprot = 1\n", ("[web]", "prot", "port")),
        (PANEL + '[screen]\nlanguages = ["xx"]\n', ("xx", "fr", "snk")),
        (PANEL + "[web]\nport = 70000\n", ("port",)),
        (PANEL + '[web]\nframe_ancestors = ["http://a.test; script-src *"]\n', ("frame_ancestors",)),
        (PANEL + '[voice]\nrecordings = "nowhere"\n', ("recordings", "nowhere")),
        ("[web]\n", ("panel",)),
    ],
)
def test_check_names_the_file_the_key_and_what_is_allowed(
    folder_of: Callable[[str], Path], capsys: pytest.CaptureFixture[str], text: str, named: tuple[str, ...]
):
    path = folder_of(text)
    assert main(["--config", str(path), "--check"]) == 2
    said = capsys.readouterr().err
    assert [word for word in (str(path), *named) if word not in said] == []


def test_check_accepts_a_good_file(folder_of: Callable[[str], Path]):
    assert main(["--config", str(folder_of(PANEL)), "--check"]) == 0


@pytest.mark.parametrize("framers", [(), ("http://127.0.0.1:8099",)])
def test_nobody_may_frame_the_screens_but_who_is_named(framers: tuple[str, ...]):
    answered = TestClient(Guard(PlainTextResponse("a screen"), frozenset({"kiosk.test"}), framers)).get(
        "http://kiosk.test/"
    )
    policy = answered.headers["content-security-policy"]
    assert policy.endswith(" ".join(("frame-ancestors 'self'", *framers)))


def test_every_language_has_every_text_with_its_places():
    assert set(languages()) == {"fr", "ar", "bn", "en", "ht", "pt", "ro", "ta", "tr", "uk", "ur", "zh"}
    folder = resources.files("controller.kiosk") / "text"
    french = tomllib.loads((folder / "fr.toml").read_text("utf-8"))
    for language in languages():
        words = texts(language)
        assert tomllib.loads((folder / f"{language}.toml").read_text("utf-8")).keys() == french.keys()
        assert words.notices.keys() == set(NoticeKind)
        assert "{door}" in words.push_door
        assert "{door}" in words.close_door
        assert "{date}" in words.retired
        assert "{time}" in words.retired
        assert all(notice.say for notice in words.notices.values())


PLACES = re.compile(r"\{\w+\}")
FOREIGN = {"ar", "bn", "ta", "uk", "ur", "zh"}
"""Languages of another script than ours."""


@pytest.mark.parametrize("language", languages())
def test_no_text_keeps_words_of_another_language_or_loses_a_place(language: str):
    folder = resources.files("controller.kiosk") / "text"
    french, own = (flat(tomllib.loads((folder / f"{one}.toml").read_text("utf-8"))) for one in ("fr", language))
    for key, said in own.items():
        assert sorted(PLACES.findall(said)) == sorted(PLACES.findall(french[key])), key
        assert len(said) <= 2 * len(french[key]) + 30, f"{key} is too long to be read in a hurry"
        latin = re.search("[A-Za-z]", PLACES.sub("", said))
        if language in FOREIGN and key != "direction":
            assert latin is None, f"{key}: {said}"
        if language != "fr":
            assert said != french[key] or " " not in said, f"{key} is still French"


def flat(texts: dict[str, object], before: str = "") -> dict[str, str]:
    """Every text by the path of its key."""
    found: dict[str, str] = {}
    for key, value in texts.items():
        found |= flat(value, f"{before}{key}.") if isinstance(value, dict) else {f"{before}{key}": str(value)}
    return found


def test_every_staff_notice_has_words():
    assert staff_words.NOTICES.keys() == set(StaffNoticeKind)


def test_an_input_of_our_own_page_is_handed_over(kiosk: Running):
    assert ask(kiosk, "POST", "/input", HELP, Sec_Fetch_Site="same-origin", Content_Type=JSON)[0] == 204
    kiosk.lock.wait_for_input(lambda sent: isinstance(sent, PressInput), "the press")


def test_inputs_of_other_pages_programs_and_hosts_are_refused(kiosk: Running):
    own = {"Sec_Fetch_Site": "same-origin", "Content_Type": JSON}
    assert ask(kiosk, "POST", "/input", HELP, Sec_Fetch_Site="cross-site", Content_Type=JSON)[0] == 403
    assert ask(kiosk, "POST", "/input", HELP, Origin="http://elsewhere.test", Content_Type=JSON)[0] == 403
    assert ask(kiosk, "POST", "/input", HELP, Content_Type=JSON)[0] == 403
    assert ask(kiosk, "POST", "/input", HELP, **own, Host="rebound.test")[0] == 421
    assert ask(kiosk, "POST", "/input", HELP, Sec_Fetch_Site="same-origin", Content_Type="text/plain")[0] == 422
    assert ask(kiosk, "POST", "/input", "x" * 5000, **own)[0] == 413
    assert ask(kiosk, "POST", "/input", '{"input":"press","button":"clear_lockout"}', **own)[0] == 422
    assert ask(kiosk, "POST", "/input", '{"input":"scan","text":"RR123456785FR"}', **own)[0] == 422
    assert ask(kiosk, "POST", "/staff/input", '{"input":"digits","text":"1"}', **own)[0] == 422
    assert ask(kiosk, "POST", "/staff/input", '{"input":"scan","text":"CG1' + "0" * 36 + '"}', **own)[0] == 422
    assert kiosk.lock.inputs == []


def test_while_the_lock_process_is_away_an_input_is_not_claimed_taken(kiosk: Running):
    kiosk.lock.stop("goodbye")
    try:
        own = {"Sec_Fetch_Site": "same-origin", "Content_Type": JSON}
        assert ask(kiosk, "POST", "/input", HELP, **own)[0] == 503
    finally:
        kiosk.lock.start()


def test_every_screen_and_notice_can_be_spoken():
    for language in languages():
        clips = [f"notice-{kind}" for kind in NoticeKind] + [screen for screen in Screen if screen is not Screen.NOTICE]
        assert [clip for clip in clips if not spoken(clip, "3", texts(language))] == []


@pytest.mark.parametrize("language", languages())
def test_all_that_a_screen_shows_in_words_is_said_in_the_same_words(folder_of: Callable[[str], Path], language: str):
    """Also when a parcel left, where the other site is, that it is practice, and that the reader or the machine is away."""
    kiosk = Kiosk(load_settings(folder_of(PANEL)), Link(Path("panel.sock")))
    blind = replace(serving(Screen.TAKE, language).customer, help=Help.BLIND)
    views = [
        *(noticing(kind, language) for kind in NoticeKind),
        *(serving(screen, language) for screen in customer.SERVING),
        replace(READY, customer=replace(serving(Screen.TAKE, language).customer, practice=True)),
        replace(READY, customer=blind),
        replace(READY, scanner=False),
    ]
    said = {clip: "" for view in views for clip in kiosk.customer(Picture(view, 0.0), language).say}
    said |= dict.fromkeys(kiosk.customer(None, language).say, "")
    for view in views:
        for address in kiosk.customer(Picture(view, 0.0), language).say:
            _, _, lang, clip = urlsplit(address).path.split("/")
            door = "3" if "door=" in address else ""
            words = texts(lang)
            said[address] = about(clip, view.customer.notice, words) or spoken(clip, door, words) or ""
    said[f"/voice/{language}/away"] = spoken("away", "", texts(language)) or ""
    assert [address for address, sentence in said.items() if not sentence] == []
    words = texts(language)
    aloud = " ".join(said.values())
    for shown in (
        "Centre social Nord",
        "12 rue des Lilas",
        words.practice,
        words.reader_away,
        words.away,
        words.reach[ReachZone.MID],
    ):
        assert shown in aloud
    assert re.search(re.escape(words.retired).replace(r"\{date\}", "[0-9/]+").replace(r"\{time\}", "[0-9:]+"), aloud)


def test_only_what_the_notice_on_the_screen_says_is_spoken_of_it(kiosk: Running):
    assert ask(kiosk, "GET", "/voice/fr/retired")[0] == 404
    assert ask(kiosk, "GET", "/voice/fr/other_site")[0] == 404
    assert ask(kiosk, "GET", "/voice/fr/reach-here")[0] == 404


def test_without_a_printer_staff_are_told_what_to_do():
    assert asyncio.run(print_pdf(b"%PDF-", "")) == (False, NO_QUEUE)


def test_a_typed_label_is_echoed_with_a_warning_when_its_check_digit_is_wrong():
    good, bad, unknown, none = map(staff.echo, ("rr 123 456 785 fr", "RR123456784FR", "AB12345", "??"))
    assert good is not None
    assert (good.number, good.warning) == ("RR123456785FR", "")
    assert bad is not None
    assert "contrôle" in bad.warning
    assert unknown is not None
    assert "Format inconnu" in unknown.warning
    assert none is None
