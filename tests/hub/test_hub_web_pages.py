"""The pages in headless Chromium, on a real server with a real SQLite store."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
import pytest
import zxingcpp
from fastapi import FastAPI
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import insert, select, update

from hub.clock import wall_ms
from hub.core.permissions import Role
from hub.keys import KeyRing
from hub.live import Live
from hub.parcels.services import Desk
from hub.people.services import Door
from hub.receiver import Incoming
from hub.store.engine import Store
from hub.store.migrate import migrate
from hub.store.pages import PageReads
from hub.store.schema import ALERT, CONTACT, FACT, MESSAGE, PARCEL, PLAN, SITE, SITE_CURSOR, SITE_LIVE
from hub.store.tenants import SitePlaces
from hub.web.pages import install
from hub.web.ports import COOKIE, WebParts
from tests.hub.web_server import serving
from tests.tools.axe import violations
from wire import facts
from wire.facts import Place
from wire.ids import Door as DoorState
from wire.ids import (
    Label,
    Occupancy,
    ParcelId,
    ParcelState,
    PlaceKind,
    Purpose,
    ReachZone,
    Service,
    SizeClass,
    Trust,
    parcel_id_from_bits,
)
from wire.messages import AlarmState, Birth, CompartmentCard, CompartmentState, ShelfState, SiteState, encode
from wire.pickup import PickupKey, show_digits

MASTER = bytes(range(32))
PASSWORD = "sésame, ouvre-toi"
STORED = parcel_id_from_bits(0xA1)
SHELVED = parcel_id_from_bits(0xA2)
GONE = parcel_id_from_bits(0xA3)
ANNOUNCED = parcel_id_from_bits(0xA4)
SHOTS = os.environ.get("CONSIGNE_SCREENSHOTS", "")
"""A folder to put pictures of the pages into, for a person to look at."""


class NoLink:
    """A broker that is away: the pages work all the same."""

    is_connected = False

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> bool:
        return False

    def acknowledge(self, messages: Sequence[Incoming]) -> None:
        raise AssertionError("nothing came in")

    def rejoin(self) -> None:
        raise AssertionError("nobody left")


def _add_parcel(connection: Any, parcel: str, site: int, tracking: str, state: ParcelState, **more: Any) -> None:
    now_ms = wall_ms()
    values = {"epoch": 0, "version": 1, "source": "plan", "created_ms": now_ms - 7_200_000, "changed_ms": now_ms}
    connection.execute(insert(PARCEL).values(id=parcel, site=site, tracking=tracking, state=state, **values | more))


def bank_of_the_lime_trees(*, door_7: DoorState = DoorState.CLOSED) -> tuple[Birth, SiteState]:
    cards = []
    for column in range(4):
        cards += [
            CompartmentCard(
                label=Label(str(column * 3 + 1)),
                size=SizeClass.S,
                reach=ReachZone.HIGH,
                height_mm=1500,
                row=0,
                column=column,
            ),
            CompartmentCard(
                label=Label(str(column * 3 + 2)),
                size=SizeClass.M,
                reach=ReachZone.MID,
                height_mm=1000,
                row=1,
                column=column,
            ),
            CompartmentCard(
                label=Label(str(column * 3 + 3)),
                size=SizeClass.L,
                reach=ReachZone.LOW,
                height_mm=300,
                row=2,
                column=column,
                rows=2,
            ),
        ]
    states: dict[Label, tuple[Occupancy, Service, DoorState, ParcelId | None]] = {
        card.label: (Occupancy.FREE, Service.IN_SERVICE, DoorState.CLOSED, None) for card in cards
    }
    states[Label("7")] = (Occupancy.OCCUPIED, Service.IN_SERVICE, door_7, STORED)
    states[Label("2")] = (Occupancy.RESERVED, Service.IN_SERVICE, DoorState.CLOSED, None)
    states[Label("5")] = (Occupancy.UNKNOWN, Service.SUSPECT, DoorState.CLOSED, None)
    states[Label("9")] = (Occupancy.FREE, Service.OUT_OF_SERVICE, DoorState.UNKNOWN, None)
    birth = Birth(site="tilleuls", boot=3, journal="j", version="0.1.0", board="desk-8", compartments=tuple(cards))
    state = SiteState(
        site="tilleuls",
        boot=3,
        seq=12,
        at_ms=wall_ms(),
        trust=Trust.NTP,
        compartments=tuple(
            CompartmentState(label=label, occupancy=axes[0], service=axes[1], door=axes[2], parcel=axes[3])
            for label, axes in states.items()
        ),
        shelf=(ShelfState(place="A", parcel=SHELVED),),
        alarms=(AlarmState(alarm="latch_failed", compartment=Label("9")),),
    )
    return birth, state


def life_of_the_stored_parcel() -> list[facts.AnyFact]:
    return [
        facts.ParcelReceived(
            parcel=STORED,
            tracking="RR123456785FR",
            carrier="La Poste",
            source="plan",
            key_version=1,
            key_epoch=0,
            session="s",
            by="p",
        ),
        facts.CompartmentReserved(compartment=Label("7"), parcel=STORED, session="s"),
        facts.OpeningOrdered(session="s", compartment=Label("7"), purpose=Purpose.LOAD, pulse=1, parcel=STORED),
        facts.DoorOpened(compartment=Label("7"), session="s"),
        facts.DoorClosed(compartment=Label("7"), session="s"),
        facts.ParcelStored(parcel=STORED, place=Place(kind=PlaceKind.COMPARTMENT, name="7"), session="s", by="p"),
    ]


def fill(store: Store) -> None:
    now_ms = wall_ms()
    birth, state = bank_of_the_lime_trees()
    with store.writing() as connection:
        for number, site, name in ((1, "tilleuls", "Loge Les Tilleuls"), (2, "parc", "Résidence du Parc")):
            connection.execute(
                insert(SITE).values(
                    number=number, id=site, name=name, address="12 rue des Arbres, 93200 Saint-Denis",
                    help_phone="01 23 45 67 89", created_ms=now_ms,
                )
            )  # fmt: skip
            connection.execute(insert(SITE_CURSOR).values(site=number, seq=12 if number == 1 else 0))
        connection.execute(
            insert(SITE_LIVE).values(
                site=1, boot=3, heard_ms=now_ms, presence="ready", birth=encode(birth), state=encode(state),
                state_ms=now_ms - 4_000, applied_revision=2, applied_hash="a" * 64,
            )
        )  # fmt: skip
        connection.execute(insert(SITE_LIVE).values(site=2, heard_ms=now_ms - 600_000, presence="lost"))
        connection.execute(insert(PLAN).values(site=1, revision=2, hash="a" * 64, wanted=1, built_ms=now_ms))
        _add_parcel(
            connection, STORED, 1, "RR123456785FR", ParcelState.STORED, place_kind="compartment", place_name="7"
        )
        _add_parcel(connection, SHELVED, 1, "6A12345678901", ParcelState.STORED, place_kind="shelf", place_name="A")
        _add_parcel(connection, GONE, 1, "XY00000000001", ParcelState.COLLECTED)
        _add_parcel(connection, ANNOUNCED, 2, "", ParcelState.ANNOUNCED)
        connection.execute(
            insert(CONTACT).values(
                parcel=STORED, name="Fatou Diallo", name_folded="fatou diallo", phone="0612345678", language="ar"
            )
        )
        for seq, fact in enumerate(life_of_the_stored_parcel(), 1):
            connection.execute(
                insert(FACT).values(
                    site=1, journal=1, seq=seq, kind=facts.kind(fact), boot=3, at_ms=now_ms - 60_000 + seq,
                    trust="ntp", committed_ms=now_ms, parcel=getattr(fact, "parcel", None), session="s",
                    body=facts.encode_fact(fact), hash=b"",
                )
            )  # fmt: skip
        for kind, subject in (("latch_failed", "9"), ("site_offline", "")):
            site = "tilleuls" if subject else "parc"
            connection.execute(
                insert(ALERT).values(site=site, kind=kind, subject=subject, raised_ms=now_ms - 90_000, last_ms=now_ms)
            )
        connection.execute(insert(MESSAGE).values(parcel=STORED, kind="ready", created_ms=now_ms, due_ms=now_ms))


@dataclass
class Hub:
    """A hub's pages on a loopback port."""

    url: str
    store: Store
    live: Live
    keys: KeyRing
    woken: list[str]

    def versions(self) -> dict[str, int]:
        with self.store.reading() as connection:
            return {row.id: row.version for row in connection.execute(select(PARCEL.c.id, PARCEL.c.version))}


@pytest.fixture
def empty_hub(tmp_path: Path) -> Iterator[Hub]:
    store = Store(f"sqlite:///{tmp_path / 'hub.sqlite'}")
    migrate(store)
    live, keys = Live(place_of=SitePlaces(store).of), KeyRing(MASTER)
    door = Door(store, keys, wall_ms)
    door.add_person("Samira", Role.NETWORK_ADMIN, PASSWORD)
    woken: list[str] = []
    desk = Desk(
        store=store,
        keys=keys,
        live=live,
        link=NoLink(),
        clock=wall_ms,
        wake_planner=lambda: woken.append("planner"),
        wake_sender=lambda: woken.append("sender"),
    )
    app = FastAPI()
    install(app, WebParts(reads=PageReads(store), door=door, desk=desk, keys=keys, live=live, now_ms=wall_ms))
    with serving(app, live) as url:
        yield Hub(url, store, live, keys, woken)
    store.close()


@pytest.fixture
def hub(empty_hub: Hub) -> Hub:
    fill(empty_hub.store)
    return empty_hub


@pytest.fixture
def page(hub: Hub, chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(base_url=hub.url, locale="fr-FR")
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if "Content Security" in said.text else None)
    sign_in(page)
    yield page
    context.close()
    assert problems == []


def sign_in(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Nom").fill("Samira")
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    page.wait_for_url("**/")


PAGES = {
    "fleet": "/",
    "site": "/sites/tilleuls",
    "site-silent": "/sites/parc",
    "parcels": "/parcels",
    "parcel": f"/parcels/{STORED}",
    "parcel-gone": f"/parcels/{GONE}",
    "parcel-new": "/parcels/new",
    "recipient": f"/parcels/{STORED}/recipient",
    "slip": f"/parcels/{STORED}/slip",
    "reissue": f"/parcels/{STORED}/reissue",
    "alerts": "/alerts",
    "messages": "/messages",
    "missing": "/sites/none",
}


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_an_accessibility_fault(page, scheme):
    page.emulate_media(color_scheme=scheme)
    found = {}
    for name, path in PAGES.items():
        page.goto(path)
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{name}-{scheme}.png", full_page=True)
        found[name] = violations(page)
    page.context.clear_cookies()
    page.goto("/sign-in")
    found["sign-in"] = violations(page)
    assert {name: seen for name, seen in found.items() if seen} == {}


CONTROLS = "button, .button, nav a, select, input:not([type=radio]):not([type=checkbox]):not([type=hidden])"


@pytest.mark.slow
@pytest.mark.parametrize("width", [360, 1920])
def test_no_page_scrolls_sideways_and_every_control_is_large_enough(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    wide, small = [], {}
    for name, path in PAGES.items():
        page.goto(path)
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{name}-{width}.png", full_page=True)
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wide.append(name)
        low = page.evaluate(
            """controls => [...document.querySelectorAll(controls)]
            .filter(e => e.getBoundingClientRect().height < 43.9).map(e => e.outerHTML.slice(0, 80))""",
            CONTROLS,
        )
        if low:
            small[name] = low
    assert (wide, small) == ([], {})


def test_nothing_is_shown_before_signing_in(hub, chromium):
    context = chromium.new_context(base_url=hub.url)
    page = context.new_page()
    for path in (*PAGES.values(), f"/parcels/{STORED}/slip.pdf"):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_have_text("Se connecter")
    assert context.request.get("/live").status == 401
    context.close()


def test_a_wrong_password_says_so_and_signing_out_ends_the_session(page):
    cookie = next(cookie for cookie in page.context.cookies() if cookie["name"] == COOKIE)
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    page.get_by_role("button", name="Se déconnecter").click()
    page.get_by_label("Nom").fill("Samira")
    page.get_by_label("Mot de passe").fill("autre chose")
    page.get_by_role("button", name="Se connecter").click()
    expect(page.get_by_role("alert")).to_contain_text("ne vont pas ensemble")
    expect(page.get_by_label("Nom")).to_have_value("Samira")
    page.context.add_cookies([cookie])
    page.goto("/parcels")
    expect(page.get_by_role("heading", level=1)).to_have_text("Se connecter")


def test_the_bank_is_drawn_as_it_hangs_with_its_three_axes(page):
    page.goto("/sites/tilleuls")
    expect(page.locator(".bank .cell")).to_have_count(12)
    expect(page.locator("#cell-7")).to_contain_text("occupé")
    expect(page.locator("#cell-2")).to_contain_text("réservé")
    expect(page.locator("#cell-5")).to_contain_text("à vérifier")
    expect(page.locator("#cell-5")).to_contain_text("à contrôler")
    expect(page.locator("#cell-9")).to_contain_text("hors service")
    expect(page.locator("#cell-1")).to_contain_text("libre")
    first, below, right = (page.locator(f"#cell-{label}").bounding_box() for label in ("1", "3", "4"))
    assert first["x"] == below["x"]
    assert first["y"] < below["y"]
    assert first["y"] == right["y"]
    assert first["x"] < right["x"]
    assert below["height"] > 1.8 * first["height"]
    page.locator("#cell-7 a").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Colis RR123456785FR")


def test_a_door_that_opens_is_seen_on_a_page_that_nobody_reloads(page, hub):
    page.goto("/sites/tilleuls")
    expect(page.locator("#live-status")).to_have_text("En direct")
    _birth, state = bank_of_the_lime_trees(door_7=DoorState.OPEN)
    with hub.store.writing() as connection:
        connection.execute(
            update(SITE_LIVE).where(SITE_LIVE.c.site == 1).values(state=encode(state), state_ms=wall_ms())
        )
    hub.live.publish("site", "tilleuls")
    expect(page.locator("#cell-7")).to_contain_text("porte ouverte", timeout=10_000)
    expect(page.locator("#announcer")).to_contain_text("La consigne a changé.")


def test_the_fleet_shows_age_offline_and_alerts_worst_first(page):
    assert page.locator(".fleet h2").all_inner_texts() == ["Résidence du Parc", "Loge Les Tilleuls"]
    expect(page.locator("#site-parc")).to_contain_text("hors ligne")
    expect(page.locator("#site-parc")).to_contain_text("dernier signe il y a 10")
    expect(page.locator("#site-tilleuls")).to_contain_text("en ligne")
    expect(page.locator("#site-tilleuls time").first).to_contain_text("il y a")
    expect(page.locator("#site-tilleuls")).to_contain_text("casiers à regarder")


def test_a_parcel_tells_its_life_in_order(page):
    page.goto(f"/parcels/{STORED}")
    told = page.locator("#life li p:first-child").all_inner_texts()
    assert told == [
        "Annoncé.",
        "Reçu à l'accueil.",
        "Casier 7 réservé.",
        "Ouverture du casier 7 pour le dépôt.",
        "Porte 7 vue ouverte.",
        "Porte 7 vue fermée.",
        "Déposé : casier 7.",
    ]
    expect(page.locator("#now")).to_contain_text("casier 7")


def test_the_form_keeps_what_was_typed_and_says_what_does_not_fit(page, hub):
    page.goto("/parcels/new")
    page.get_by_label("Numéro de suivi").fill("RR")
    page.get_by_label("Téléphone").fill("bonjour")
    page.get_by_label("Nom", exact=True).fill("Ana Pereira")
    page.get_by_label("M (moyen)").check()
    page.get_by_label("Langue").select_option("pt")
    page.get_by_role("button", name="Annoncer le colis").click()
    expect(page.locator("#site-error")).to_have_text("Choisissez un site.")
    expect(page.locator("#tracking-error")).to_contain_text("4 à 48 caractères")
    expect(page.locator("#phone-error")).to_contain_text("Exemple")
    expect(page.get_by_label("Nom", exact=True)).to_have_value("Ana Pereira")
    expect(page.get_by_label("M (moyen)")).to_be_checked()
    expect(page.get_by_label("Langue")).to_have_value("pt")
    assert violations(page) == []
    assert len(hub.versions()) == 4


def test_an_announced_parcel_has_its_page_and_its_number_is_not_announced_twice(page, hub):
    for last, sentence in (
        ("Le colis est annoncé.", "Le colis est annoncé."),
        ("", "Ce site connaît déjà ce colis : annoncé."),
    ):
        page.goto("/parcels/new?site=tilleuls")
        page.get_by_label("Numéro de suivi").fill("rr 987 654 320 fr")
        page.get_by_label("Téléphone").fill("06 12 34 56 78")
        page.get_by_role("button", name="Annoncer le colis").click()
        expect(page.get_by_text(sentence)).to_be_visible()
        if last:
            expect(page.get_by_role("heading", level=1)).to_have_text("Colis RR987654320FR")
    assert (len(hub.versions()), hub.woken) == (5, ["planner"])


def test_the_slip_alone_shows_the_code_and_no_cache_keeps_it(page, hub):
    digits = show_digits(hub.keys.digits("tilleuls", PickupKey(1, STORED, 1, 0)))
    for name, path in PAGES.items():
        answer = page.goto(path)
        assert (digits in answer.text()) == (name == "slip"), name
        assert answer.headers["cache-control"] == "no-store"
    page.goto(f"/parcels/{STORED}/slip")
    slip = page.locator(".slip")
    expect(slip).to_have_attribute("dir", "rtl")
    wanted = hub.keys.qr("tilleuls", PickupKey(1, STORED, 1, 0))
    printed = page.context.request.get(f"/parcels/{STORED}/slip.pdf")
    assert printed.headers["cache-control"] == "no-store"
    for image in (rendered(printed.body()), Image.open(io.BytesIO(slip.locator(".qr").screenshot())).convert("L")):
        assert [found.text for found in zxingcpp.read_barcodes(np.asarray(image))] == [wanted]


def rendered(pdf: bytes) -> Any:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return document[0].render(scale=3).to_pil().convert("L")
    finally:
        document.close()


def test_a_reissued_slip_is_asked_twice_and_then_another_one(page, hub):
    page.goto(f"/parcels/{STORED}")
    page.get_by_role("link", name="Remplacer le bon").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Remplacer le bon de retrait")
    assert hub.versions()[STORED] == 1
    page.get_by_role("button", name="Remplacer le bon").click()
    expect(page.get_by_text("Le nouveau bon est prêt.")).to_be_visible()
    page.get_by_role("link", name="Voir le bon de retrait").click()
    expect(page.locator(".slip-digits")).to_have_text(
        show_digits(hub.keys.digits("tilleuls", PickupKey(1, STORED, 2, 0)))
    )


def test_a_recall_is_confirmed_and_a_late_one_is_explained(page, hub):
    page.goto(f"/parcels/{STORED}/recall")
    page.get_by_role("button", name="Faire reprendre le colis").click()
    expect(page.locator("#now")).to_contain_text("à reprendre")
    page.goto(f"/parcels/{GONE}/recall")
    page.get_by_role("button", name="Faire reprendre le colis").click()
    expect(page.get_by_text("Ce n'est plus possible")).to_be_visible()


def test_a_collected_parcel_has_no_slip(page):
    assert page.goto(f"/parcels/{GONE}/slip").status == 404
    expect(page.get_by_text("Il n'y a plus de bon")).to_be_visible()


def test_an_alert_is_taken_over_by_name(page):
    page.goto("/alerts")
    page.get_by_role("button", name="Je m'en occupe : Serrure en panne, casier 9").click()
    expect(page.locator("#open")).to_contain_text("vu par Samira")
    expect(page.locator("#alerts-count")).to_contain_text("1")


def test_a_form_of_another_site_is_refused(page, hub):
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}):
        answer = page.context.request.post(f"/parcels/{STORED}/reissue", headers=headers)
        assert answer.status == 403
    assert hub.versions()[STORED] == 1


def test_a_search_finds_by_number_and_by_name(page):
    for wanted, found in (("rr 1234", "RR123456785FR"), ("fatou", "RR123456785FR"), ("6a123", "6A12345678901")):
        page.goto("/parcels")
        page.get_by_label("Numéro de suivi ou nom").fill(wanted)
        page.get_by_role("button", name="Chercher").click()
        assert page.locator("#list a.line").all_inner_texts() == [found]
    page.goto("/parcels?q=rien")
    expect(page.get_by_text("Aucun colis ne correspond.")).to_be_visible()


def test_every_page_works_without_javascript(hub, chromium):
    context = chromium.new_context(base_url=hub.url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page)
    for path in PAGES.values():
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
    context.close()


def test_an_empty_network_says_what_to_do_next(empty_hub, chromium):
    context = chromium.new_context(base_url=empty_hub.url)
    page = context.new_page()
    sign_in(page)
    for path, words in (("/", "site add"), ("/parcels", "Annoncer le premier"), ("/parcels/new", "d'abord un site")):
        page.goto(path)
        expect(page.locator(".empty")).to_contain_text(words)
        assert violations(page) == []
    context.close()
