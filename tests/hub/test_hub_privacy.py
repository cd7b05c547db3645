"""For whom a parcel was is forgotten in time and on request, in older copies too; what was counted stays (A-14, I-33, I-34)."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from hub.core.parcels import Refused
from hub.core.retention import AWAITED_DAYS, DAY_MS
from hub.privacy import services
from hub.privacy.services import Book, Privacy
from hub.store.privacy import Request
from tests.hub.hub_bench import Bench
from tests.hub.hub_process import HubProcess
from tests.hub.hub_site import AT_MS, Journal, Site, life, until
from wire import chain
from wire.chain import FactRecord
from wire.ids import ParcelId, Trust

NAME, PHONE, EMAIL = "Awa Diallo", "0612345678", "Awa@example.org"


def lived(bench: Bench, *, ends: bool = True, name: str = NAME, phone: str = PHONE) -> tuple[ParcelId, Journal]:
    parcel = bench.announce(site="gambetta", name=name, phone=phone, email=EMAIL, language="wo")
    journal = Journal("gambetta")
    journal.write(*life(parcel, source="plan", ends=ends))
    bench.hear(journal.batch(1, journal.last))
    return parcel, journal


def verify(rows: list[tuple[Any, ...]], journal: Journal) -> None:
    """The chain, computed anew from what the database keeps."""
    link = chain.genesis("gambetta", "journal-one")
    for seq, boot, at_ms, trust, body, kept in rows:
        link = chain.link(link, FactRecord(seq=seq, boot=boot, at_ms=at_ms, trust=Trust(trust), body=_raw(body)))
        assert link == bytes(kept).hex()
    assert link == journal.hashes[-1]


def _raw(body: Any) -> Any:
    import msgspec

    return msgspec.Raw(bytes(body))


FACTS = "SELECT seq, boot, at_ms, trust, body, hash FROM fact ORDER BY seq"


def test_a_14_what_names_somebody_is_gone_in_thirty_days_and_what_is_counted_stays(bench: Bench) -> None:
    parcel, journal = lived(bench)
    bench.now_ms = AT_MS + 29 * DAY_MS
    assert (bench.privacy.due_by_site(), bench.privacy.round(), bench.privacy.kept()) == ([], 0, 1)
    bench.now_ms = AT_MS + 30 * DAY_MS
    assert bench.privacy.due_by_site() == [("gambetta", 1)]
    assert (bench.privacy.kept(), bench.privacy.round(), bench.privacy.kept()) == (1, 1, 0)
    assert bench.ask("SELECT id, state, tracking FROM parcel") == [(parcel, "collected", "8N00234584108")]
    assert {row[0] for row in bench.ask("SELECT state FROM message")} == {"unsent"}, "nothing waits for nobody"
    verify(bench.ask(FACTS), journal)
    assert NAME.encode() not in b"".join(bytes(row[4]) for row in bench.ask(FACTS))  # type: ignore[call-overload]


def test_a_14_a_parcel_that_never_came_is_not_remembered_for_ever(bench: Bench) -> None:
    bench.announce(site="gambetta", name=NAME, phone=PHONE)
    began = bench.now_ms
    bench.now_ms = began + AWAITED_DAYS * DAY_MS
    assert bench.privacy.round() == 0
    bench.now_ms += 1
    assert bench.privacy.round() == 1


def test_a_14_one_round_takes_no_more_than_a_round_and_the_next_goes_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        bench.announce(site="gambetta", name=f"{NAME} {number}", tracking=f"8N0023458410{number}")
    bench.now_ms += (AWAITED_DAYS + 1) * DAY_MS
    for part in ("hub.privacy.services.ROUND_MAX", "hub.alerts.housekeeping.ROUND_MAX"):
        monkeypatch.setattr(part, 2)
    left = []
    for _round in range(4):
        bench.housekeeping.look()
        left.append(bench.privacy.kept())
    assert left == [3, 1, 0, 0]


def test_a_14_somebody_is_told_all_that_is_held_about_them(bench: Bench) -> None:
    parcel, _journal = lived(bench)
    bench.announce(site="gambetta", name="Somebody Else", phone="0711111111")
    for asked in ({"phone": "+33 6 12 34 56 78"}, {"email": " awa@EXAMPLE.org"}, {"name": "  AWA  diallo"}):
        held = bench.privacy.held(bench.privacy.find(**asked))
        assert not held.more
        (record,) = held.parcels
        assert (record["id"], record["name"], record["phone"], record["language"]) == (parcel, NAME, PHONE, "wo")
        assert record["email"] == EMAIL
        assert [each["kind"] for each in record["messages"]] == ["ready", "collected"]
        assert [each["kind"] for each in record["facts"]][-1] == "parcel_collected"
    assert bench.privacy.find(name="Awa") == (), "half a name is somebody else's too"
    assert bench.privacy.held(("0000000000000",)).parcels == ()
    with pytest.raises(Refused, match="whole name"):
        bench.privacy.find()


def test_a_14_who_asks_is_erased_at_once_and_a_parcel_still_here_is_still_handed_over(bench: Bench) -> None:
    parcel, journal = lived(bench, ends=False)
    assert bench.privacy.erase((parcel,), asked_by="lea", reason="asked at the desk") == 1
    assert bench.ask("SELECT name, name_folded, phone, email, language FROM contact") == [("", "", "", "", "wo")]
    assert bench.ask("SELECT state, problem FROM message") == [("unsent", "the recipient was erased")]
    assert bench.ask("SELECT state FROM parcel") == [("stored",)]
    assert bench.ask("SELECT asked_by, reason, parcels FROM erasure") == [("lea", "asked at the desk", f'["{parcel}"]')]
    assert bench.privacy.find(phone=PHONE) == bench.privacy.find(email=EMAIL) == ()
    verify(bench.ask(FACTS), journal)
    assert NAME not in (bench.state_dir / services.BOOK).read_text()


@pytest.mark.parametrize(
    ("parcels", "asked_by", "reason"),
    [
        ((), "lea", "why"),
        (("0",) * 501, "lea", "why"),
        (("0",), " ", "why"),
        (("0",), "lea", ""),
        (("0",), "lea", "\x07"),
    ],
)
def test_a_14_an_erasure_says_who_and_why(bench: Bench, parcels: tuple[str, ...], asked_by: str, reason: str) -> None:
    with pytest.raises(Refused):
        bench.privacy.erase(parcels, asked_by=asked_by, reason=reason)
    assert bench.ask("SELECT count(*) FROM erasure") == [(0,)]


def test_a_14_what_an_older_copy_brings_back_is_erased_again_at_the_first_round(bench: Bench) -> None:
    """The copy is what a database of before the erasure holds: the contact is there, the request is not."""
    parcel, _journal = lived(bench)
    gone = bench.ask("SELECT * FROM contact")[0]
    bench.privacy.erase((parcel,), asked_by="lea", reason="asked")
    assert bench.privacy.kept() == 0
    with bench.store.writing() as connection:
        connection.execute(text("DELETE FROM erasure"))
        columns = dict(zip(("parcel", "name", "name_folded", "phone", "help", "language", "email"), gone, strict=True))
        connection.execute(
            text("INSERT INTO contact VALUES (:parcel, :name, :name_folded, :phone, :help, :language, :email)"), columns
        )
    restarted = Privacy(store=bench.store, clock=bench.clock, contact_days=30, state_dir=bench.state_dir)
    assert restarted.kept() == 1
    restarted.round()
    assert restarted.kept() == 0
    assert bench.ask("SELECT asked_by FROM erasure") == [("lea",)]


def test_a_14_a_line_of_the_book_that_a_power_cut_tore_spoils_no_other(tmp_path: Path) -> None:
    book = Book(tmp_path / services.BOOK)
    assert book.read() == []
    one, two = (Request(name, 1, "lea", "why", ("p",)) for name in ("one", "two"))
    book.write(one)
    with (tmp_path / services.BOOK).open("ab") as file:
        file.write(b'\n{"id":"to')
    book.write(two)
    assert book.read() == [one, two]
    assert (tmp_path / services.BOOK).stat().st_mode & 0o777 == 0o600


def test_a_14_what_was_erased_is_in_no_byte_of_the_file(tmp_path: Path) -> None:
    bench = Bench(f"sqlite:///{tmp_path / 'hub.sqlite'}", tmp_path)
    parcel, _journal = lived(bench)
    reader = sqlite3.connect(tmp_path / "hub.sqlite")
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM contact").fetchone()
    bench.privacy.erase((parcel,), asked_by="lea", reason="asked")
    reader.close()
    bench.privacy.round()
    assert all(NAME.encode() not in file.read_bytes() for file in tmp_path.iterdir())
    bench.store.close()


# ------------------------------------------------------------------------------------------------- the assembled program


@pytest.fixture
def hub(store_url: str, tmp_path: Path, mosquitto: Any, free_port: int) -> Iterator[HubProcess]:
    process = HubProcess(
        tmp_path, broker_port=mosquitto.port, web_port=free_port, store_url=store_url, first="contact_days = 0\n"
    )
    process.run("site", "add", "gambetta", "--name", "Gambetta")
    yield process
    process.close()


@pytest.mark.mosquitto
@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_14_the_running_hub_forgets_and_its_commands_tell_and_erase(hub: HubProcess, mosquitto: Any) -> None:
    hub.start()
    wish = {"site": "gambetta", "recipient": {"name": NAME, "phone": PHONE}}
    parcels = [ParcelId(hub.post("/api/v1/parcels", {**wish, "tracking": f"8N0023458410{n}"})["id"]) for n in range(2)]
    told = json.loads(hub.run("person", "export", "--by", "phone", given="+33 612 345 678\n"))
    assert {each["id"] for each in told["parcels"]} == set(parcels)
    assert "0 of 2 recipients would be erased" in hub.run("retention", "--dry-run")
    journal = Journal("gambetta")
    journal.write(*life(parcels[0], source="plan"))
    site = Site(mosquitto.port, journal)
    site.birth()
    site.send_after_ack()
    until(lambda: site.acked == 9, "the life is acked")
    site.close()
    until(lambda: "erased" in hub.run("retention"), "the job runs by hand")
    until(lambda: hub.ask("SELECT parcel FROM contact") == [(parcels[1],)], "the ended one is forgotten")
    hub.run(
        "person", "erase", "--phone-stdin", "--asked-by", "lea", "--reason", "asked at the desk", given=f"{PHONE}\n"
    )
    assert hub.ask("SELECT name, phone FROM contact") == [("", "")]
    with pytest.raises(subprocess.CalledProcessError) as nobody:
        hub.run("person", "erase", "--phone-stdin", "--asked-by", "lea", "--reason", "twice", given=f"{PHONE}\n")
    assert "nothing is held" in nobody.value.stderr
    verify(hub.ask(FACTS), journal)
    assert NAME not in hub.log()
    assert PHONE not in hub.log()


@pytest.mark.mosquitto
@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_14_a_hub_put_back_from_before_an_erasure_erases_again_by_itself(
    tmp_path: Path, mosquitto: Any, free_port: int
) -> None:
    process = HubProcess(tmp_path, broker_port=mosquitto.port, web_port=free_port)
    process.run("site", "add", "gambetta", "--name", "Gambetta")
    process.start()
    process.post("/api/v1/parcels", {"site": "gambetta", "recipient": {"name": NAME, "phone": PHONE}})
    process.stop()
    database = Path(process.settings.store_url.removeprefix("sqlite:///"))
    shutil.copy(database, tmp_path / "older")
    process.run("person", "erase", "--phone-stdin", "--asked-by", "lea", "--reason", "asked", given=PHONE)
    for file in database.parent.glob(f"{database.name}*"):
        file.unlink()
    shutil.copy(tmp_path / "older", database)
    assert process.ask("SELECT name FROM contact") == [(NAME,)]
    process.start()
    until(lambda: process.ask("SELECT name, phone FROM contact") == [("", "")], "the first round")
    process.close()
