"""The demonstration's parts that need no running program: who may write to the inbox, whose folder it is, what the books say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.testclient import TestClient

from demo.folder import MARK, Folder, NotOurs
from demo.inbox import BODY_BYTES_MAX, MESSAGES_MAX, Inbox
from demo.ledger import Evidence, Ledger
from demo.page import Desk, PageServer, PortTaken, make_app
from demo.page_hands import Hands
from demo.page_picture import Painter, explain
from demo.page_tour import Tour
from demo.world import Site, World
from firmware.sim.coils import Finding

BALANCED = Ledger(
    parcels_in=2,
    collected=1,
    inside=1,
    removed=0,
    lost=0,
    doubled=0,
    facts_site=20,
    facts_hub=20,
    chains_equal=True,
    pulses=3,
    wrong_opens=0,
    coils_left_on=0,
    coil_faults=0,
    longest_pulse_ms=300.0,
)
OWN = {"Sec-Fetch-Site": "same-origin"}


def message(number: int = 1, text: str = "Bonjour.") -> dict[str, str]:
    return {
        "id": f"P{number}:ready",
        "kind": "ready",
        "to": "+33639980001",
        "language": "fr",
        "text": text,
        "parcel": f"P{number}",
        "site": "gennevilliers",
    }


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def page(inbox: Inbox, tmp_path: Path) -> TestClient:
    return TestClient(make_app(Desk(World(tmp_path / "state"), inbox), inbox), base_url="http://127.0.0.1")


def test_a_message_arrives_once_however_often_it_is_sent(page: TestClient, inbox: Inbox) -> None:
    assert page.post(inbox.path, json=message()).status_code == 204
    assert page.post(inbox.path, json=message(text="encore")).status_code == 204
    assert [(one["to"], one["text"]) for one in inbox.newest_first()] == [("+33639980001", "Bonjour.")]


def test_only_who_knows_the_secret_address_leaves_a_message(page: TestClient, inbox: Inbox) -> None:
    assert page.post("/inbox/guess", json=message()).status_code == 404
    assert page.get(inbox.path).status_code == 404
    assert Inbox().path != inbox.path
    assert inbox.newest_first() == []


def test_the_inbox_is_bounded_and_so_is_each_message(page: TestClient, inbox: Inbox) -> None:
    assert page.post(inbox.path, content=b"x" * (BODY_BYTES_MAX + 1)).status_code == 413
    assert page.post(inbox.path, content=iter([b"{}"])).status_code == 413
    assert page.post(inbox.path, content=b"no json").status_code == 422
    assert page.post(inbox.path, json=message(text="x" * 2_001)).status_code == 422
    for number in range(MESSAGES_MAX + 5):
        page.post(inbox.path, json=message(number))
    kept = [one["parcel"] for one in inbox.newest_first()]
    assert kept == [f"P{number}" for number in range(MESSAGES_MAX + 4, 4, -1)]


def test_the_page_names_its_language_and_lets_nobody_frame_it(page: TestClient) -> None:
    answer = page.get("/")
    assert '<html lang="fr">' in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert page.get("/static/page.js").status_code == page.get("/static/page.css").status_code == 200
    assert page.get("/static/page.html").status_code == page.get("/static/..%2fpage.py").status_code == 404


def test_no_other_website_drives_it(page: TestClient) -> None:
    act = {"do": "badge", "site": "gennevilliers"}
    assert page.post("/act", json=act, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert page.post("/act", json=act, headers={"Sec-Fetch-Site": "same-site"}).status_code == 403
    assert page.post("/act", json=act, headers={"Origin": "http://127.0.0.1:1"}).status_code == 403
    assert page.post("/act", json=act).status_code == 403
    assert page.get("/state", headers={"Host": "rebound.test"}).status_code == 421
    assert page.post("/act", content=b"x" * 3_000, headers=OWN).status_code == 413
    assert page.post("/act", json={**act, "shell": "ls"}, headers=OWN).status_code == 422


def test_before_the_programs_run_the_page_says_so(page: TestClient) -> None:
    assert page.get("/state").json() == {"ready": False}
    refused = page.post("/act", json={"do": "badge", "site": "gennevilliers"}, headers=OWN)
    assert (refused.status_code, refused.json()) == (
        409,
        {"problem": "Les programmes démarrent. Attendez un instant."},
    )


def test_a_port_that_is_taken_is_said_kindly(tmp_path: Path) -> None:
    first = PageServer(World(tmp_path / "state"))
    try:
        with pytest.raises(PortTaken, match="Leave out --port"):
            PageServer(World(tmp_path / "other"), int(first.origin.rpartition(":")[2]))
    finally:
        first.stop()


def test_two_demonstrations_never_share_a_folder(tmp_path: Path) -> None:
    first, second = Folder(tmp_path / "state"), Folder(tmp_path / "state")
    first.claim()
    with pytest.raises(NotOurs, match=r"Another demonstration is using .* --state ANOTHER-FOLDER"):
        second.claim()
    first.release()
    second.claim()
    second.release()


def test_a_folder_that_somebody_else_filled_is_never_emptied(tmp_path: Path) -> None:
    precious = tmp_path / "thesis.odt"
    precious.write_text("years of work")
    with pytest.raises(NotOurs, match="nothing in it is touched"):
        Folder(tmp_path).prepare(keep=False, needs="enrolled.json")
    assert precious.read_text() == "years of work"


def test_a_folder_starts_empty_or_goes_on(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "state")
    assert folder.prepare(keep=True, needs="enrolled.json") is False
    assert [file.name for file in folder.path.iterdir()] == [MARK]
    (folder.path / "enrolled.json").write_text("{}")
    assert folder.prepare(keep=True, needs="enrolled.json") is True
    assert (folder.path / "enrolled.json").exists()
    assert folder.prepare(keep=False, needs="enrolled.json") is False
    assert not (folder.path / "enrolled.json").exists()
    folder.remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"collected": 0, "lost": 1}, "retrait pas encore confirmé"),
        ({"doubled": 1}, "refermée sans le prendre"),
        ({"facts_hub": 15, "chains_equal": False}, "5 faits sont au site"),
        ({"chains_equal": False}, "ne disent pas la même chose"),
        ({"wrong_opens": 1}, "pas la sienne"),
        ({"coils_left_on": 1}, "sous tension"),
        ({"parcels_in": 3}, "une opération est peut-être en cours"),
    ],
)
def test_books_that_do_not_balance_say_why(wrong: dict[str, Any], said: str) -> None:
    books = replace(BALANCED, **wrong)
    assert not books.balances
    told = explain(books, stale=False)
    assert len(told) == 1
    assert said in told[0]


def test_books_that_balance_need_no_words() -> None:
    assert explain(BALANCED, stale=False) == []
    assert "Redémarrez-le" in explain(BALANCED, stale=True)[0]


def test_the_page_does_not_wait_for_facts_that_a_cut_line_keeps(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of a story waits up to five seconds a site until both sides have the same; a picture of now must not."""
    looks: list[str] = []

    def behind_a_cut_line(_world: World, site: Site, _ends: object) -> Evidence:
        looks.append(site.id)
        record = cast("Any", SimpleNamespace(body=b'{"kind":"of-tomorrow"}'))
        return Evidence(site.id, "a" * 32, [], [record], "", {}, [], Finding((), (), ()))

    monkeypatch.setattr("demo.ledger.gather", behind_a_cut_line)
    monkeypatch.setattr("demo.ledger.fold", lambda *_: "")
    world = cast("World", SimpleNamespace(sites=[SimpleNamespace(id="gennevilliers"), SimpleNamespace(id="colombes")]))
    painter = Painter(world, cast("Hands", SimpleNamespace(deaths=[])), cast("Tour", None), inbox)
    books = painter._books()
    assert books is not None
    assert not books["balances"]
    assert looks == ["gennevilliers", "colombes"]
