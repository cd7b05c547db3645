"""Languages that are heard and not read: chosen like any other at the hub, spoken by the site, French on every paper (C-28)."""

from __future__ import annotations

from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import text

from controller.kiosk.texts import SPOKEN
from hub.notify.words import words_in
from hub.web import words
from paper.phrases import language_or_fallback
from tests.hub.hub_carriers import CarrierHub, announce
from tests.hub.hub_network import Network
from tests.hub.test_hub_imports import send
from tests.hub.test_hub_voice_list import text_of
from wire.ids import ParcelState, PlaceKind

pytestmark = pytest.mark.parametrize("language", SPOKEN)


def shown(language: str) -> str:
    """A language as the hub's pages name it."""
    return f"{SPOKEN[language].name} ({SPOKEN[language].french}, à l'oral)"


def test_c_28_a_language_by_voice_alone_is_chosen_on_the_pages_and_named_on_the_list_of_whom_to_tell(
    tmp_path: Path, language: str
) -> None:
    network = Network(tmp_path, "")
    try:
        client = network.client("concierge")
        client.headers["sec-fetch-site"] = "same-origin"
        new = {"site": "gambetta", "tracking": "8N00234584999", "name": "Awa", "language": language, "help": "standard"}
        offered = f'<option value="{language}">{shown(language)}</option>'
        assert offered in unescape(client.get("/parcels/new").text)
        made = client.post("/parcels/new", data=new)
        assert made.status_code == 303, made.text
        card = f"{made.headers['location'].partition('?')[0]}/recipient"
        assert f"<dd>{shown(language)}</dd>" in unescape(client.get(made.headers["location"]).text)
        assert offered.replace(">", " selected>", 1) in unescape(client.get(card).text)
        assert client.post(card, data={"name": "Awa", "language": "fr", "help": "standard"}).status_code == 303
        assert client.post(card, data={"name": "Awa", "language": language, "help": "standard"}).status_code == 303
        with network.hub.store.writing() as connection:
            connection.execute(
                text("UPDATE parcel SET state = :state, place_kind = :kind, place_name = '7', stored_ms = 1"),
                {"state": ParcelState.STORED.value, "kind": PlaceKind.COMPARTMENT.value},
            )
        paper = " ".join(text_of(client.get("/sites/gambetta/to-tell.pdf").content).split())
        assert shown(language) in paper
    finally:
        network.close()


def test_c_28_programs_and_files_announce_it_and_what_is_written_is_french(tmp_path: Path, language: str) -> None:
    network = CarrierHub(tmp_path, "")
    try:
        program = network.program()
        assert announce(program, recipient={"name": "Awa", "language": language})[0] == 201
        file = f"Site;Numéro de suivi;Nom;Langue\ngambetta;8N00234584201;Awa;{language}\n".encode()
        seen = send(program, file)[1]
        assert (seen["ready"], seen["refused"]) == (1, 0)
        assert send(program, file, seen["digest"])[1]["announced"] == 1
        with network.hub.store.reading() as connection:
            count = connection.execute(text("SELECT count(*) FROM contact WHERE language = :l"), {"l": language})
            assert count.scalar_one() == 2
    finally:
        network.close()
    assert words_in(language) == words_in("fr")
    assert language_or_fallback(language) == "fr"
    assert words.LANGUAGES[language] == shown(language)
