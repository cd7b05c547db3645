"""Whom to tell by voice: who is on the list, who may print it, and what stands on the paper."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from sqlalchemy import insert, update

from hub.core.permissions import Role
from hub.core.telling import Way
from hub.notify import pages
from hub.notify.drivers import NoSuchAddress, Outgoing
from hub.settings import Notify
from hub.store.schema import MESSAGE, PARCEL
from paper.media import Paper
from paper.phrases import languages
from paper.voicelist import ToTell, VoiceList, voice_list_pdf
from tests.hub.hub_bench import ME, Bench
from tests.hub.hub_network import Network
from tests.hub.hub_site import AT_MS, Journal, life
from wire.ids import ParcelState, PlaceKind
from wire.plan import Help


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return "\n".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()


class NoMailbox:
    def send(self, message: Outgoing) -> None:
        raise NoSuchAddress("the mail server refuses the address (550)")


def test_who_has_no_telephone_and_who_was_not_reached_is_told_by_voice(bench: Bench) -> None:
    journal = Journal("gambetta")
    wishes: tuple[dict[str, Any], ...] = (
        {"name": "Sans Telephone", "language": "ta", "help_profile": Help.BLIND},
        {"name": "Avec Telephone", "phone": "0612345678"},
        {"name": "Mauvaise Adresse", "email": "a@example.org"},
        {},
        {"name": "Pas Encore"},
        {"name": "Repris"},
    )
    parcels = [
        bench.announce(site="gambetta", tracking=f"8N{number:010}", **wish) for number, wish in enumerate(wishes)
    ]
    for number, parcel in enumerate(parcels):
        if number != 4:
            journal.write(*life(parcel, label=str(number + 1), source="plan", ends=False))
    bench.hear(journal.batch(1, journal.last))
    bench.desk.recall(parcels[5], ME)
    assert [row.name for row in bench.reads.untold("gambetta")] == ["Sans Telephone"], "the others will be told"
    bench.sender = bench.new_sender({Way.PHONE: bench.driver, Way.EMAIL: NoMailbox()}, Notify())
    bench.now_ms = AT_MS + 24 * 3_600_000
    for _ in range(20):
        bench.now_ms += 3_600_000
        bench.sender.send_due()
    rows = bench.reads.untold("gambetta")
    assert [(row.name, row.language, row.place_name, row.tried) for row in rows] == [
        ("Sans Telephone", "ta", "1", False),
        ("Mauvaise Adresse", "fr", "3", True),
    ]
    assert bench.reads.untold("belleville") == ()


def test_names_are_printed_by_those_who_hand_parcels_out_and_every_print_is_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = Network(tmp_path, "")
    try:
        with network.hub.store.writing() as connection:
            there = {
                "state": ParcelState.STORED,
                "place_kind": PlaceKind.COMPARTMENT,
                "place_name": "7",
                "stored_ms": AT_MS,
            }
            connection.execute(update(PARCEL).values(**there))
        path = "/sites/gambetta/to-tell.pdf"
        allowed = {role for role in Role if network.client(role.value).get(path).status_code == 200}
        assert allowed == {Role.MEDIATOR, Role.CONCIERGE, Role.SITE_LEAD, Role.NETWORK_ADMIN}
        answer = network.client("mediator").get(f"{path}?paper=a6")
        assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("application/pdf", "no-store")
        text = text_of(answer.content)
        assert "Secret gambetta" in text
        assert "casier 7" in text
        assert "Secret belleville" not in text
        assert network.client("colleague").get(path).status_code == 404, "works elsewhere"
        assert 'href="/sites/gambetta/to-tell.pdf"' in network.client("mediator").get("/sites/gambetta").text
        assert "to-tell.pdf" not in network.client("auditor").get("/sites/gambetta").text
        printed = network.hub.store
        with printed.reading() as connection:
            rows = connection.exec_driver_sql("SELECT actor, subject FROM audit WHERE action = 'names_printed'").all()
        assert len(rows) == len(allowed) + 1
        assert {tuple(row) for row in rows} == {(role.value, "gambetta") for role in allowed}
        monkeypatch.setattr(pages, "PEOPLE_MAX", 0)
        assert "Et 1 personnes de plus." in text_of(network.client("mediator").get(path).content)
    finally:
        network.close()


def test_what_was_given_up_is_tried_again_from_its_parcels_page(tmp_path: Path) -> None:
    network = Network(tmp_path, "")
    try:
        parcel = network.own.parcel
        with network.hub.store.writing() as connection:
            given_up = {
                "parcel": parcel,
                "kind": "ready",
                "state": "failed",
                "created_ms": 1,
                "due_ms": 1,
                "attempts": 36,
            }
            connection.execute(insert(MESSAGE).values(**given_up, problem="email: the mail server answers 421"))
        concierge, auditor = network.client("concierge"), network.client("auditor")
        assert "Essayer encore" in concierge.get(f"/parcels/{parcel}").text
        assert "Essayer encore" not in auditor.get(f"/parcels/{parcel}").text
        assert "Par e-mail : Le serveur de courrier refuse pour l&#39;instant." in auditor.get("/messages").text
        own = {"sec-fetch-site": "same-origin"}
        asked = concierge.post(f"/parcels/{parcel}/tell-again", headers=own)
        assert (asked.status_code, asked.headers["location"]) == (303, f"/parcels/{parcel}")
        assert "Essayer encore" not in concierge.get(f"/parcels/{parcel}").text
        with network.hub.store.reading() as connection:
            rows = connection.exec_driver_sql("SELECT state, attempts, problem FROM message").all()
            noted = connection.exec_driver_sql("SELECT actor FROM audit WHERE action = 'message_again'").all()
        assert [tuple(row) for row in rows] == [("waiting", 0, "")]
        assert [tuple(row) for row in noted] == [("concierge",)]
    finally:
        network.close()


@pytest.mark.parametrize("paper", list(Paper))
def test_the_paper_says_it_in_every_language(paper: Paper) -> None:
    from datetime import UTC, datetime, timedelta

    at = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
    people = tuple(
        ToTell(
            name=f"Awa {language}", place=f"casier {number}", tracking=f"8N{number}", since=at - timedelta(days=number), language=language,
            spoken=language, sentence="Bonjour.", help="aveugle" if number else "", note="",
        )
        for number, language in enumerate(languages())
    )  # fmt: skip
    text = text_of(voice_list_pdf(VoiceList(site_name="Gambetta", at=at, people=people), paper))
    assert text.index(f"Awa {languages()[-1]}") < text.index("Awa fr"), "who waits longest first"
    assert all(f"Awa {language}" in text for language in languages())
    assert "Détruisez-la après la tournée." in " ".join(text.split())
    assert "8N3" in text
    unwritten = replace(people[0], name="李伟")
    text = text_of(voice_list_pdf(VoiceList(site_name="Gambetta", at=at, people=(unwritten,)), paper))
    assert "Nom dans une autre écriture" in " ".join(text.split())
    assert "Personne à prévenir" in text_of(voice_list_pdf(VoiceList(site_name="Gambetta", at=at, people=()), paper))
