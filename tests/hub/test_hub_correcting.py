"""A recipient's card is corrected: the messages and the site follow it, and a code that went astray stays good for nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from hub.audit.log import lines_after
from hub.core.correcting import correction
from hub.core.hours import ALL_DAY
from hub.core.parcels import Refused
from hub.core.permissions import Right, Role, Scope, Visitor
from hub.core.telling import Way
from hub.notify.drivers import NoSuchAddress, Outgoing
from hub.settings import Notify
from hub.store import desk
from tests.hub.hub_bench import ME, Bench, FakeDriver
from tests.hub.hub_network import Network
from tests.hub.hub_site import Journal, life
from wire.ids import ParcelId
from wire.plan import Help


@pytest.fixture
def ways(bench: Bench) -> dict[Way, FakeDriver]:
    drivers = {way: FakeDriver() for way in Way}
    bench.sender = bench.new_sender(dict(drivers), Notify(hours=ALL_DAY))
    return drivers


def stored(bench: Bench, **card: str) -> ParcelId:
    parcel = bench.announce(site="gambetta", **card)
    journal = Journal("gambetta")
    journal.write(*life(parcel, source="plan", ends=False))
    bench.hear(journal.batch(1, journal.last))
    return parcel


def heard(bench: Bench, ways: dict[Way, FakeDriver]) -> list[tuple[str, str]]:
    """Who was told what since the last time, way by way."""
    bench.now_ms += 3_600_000
    bench.sender.send_due()
    new = [(message.to, message.id.partition(":")[2]) for driver in ways.values() for message in driver.sent]
    for driver in ways.values():
        driver.sent.clear()
    return new


def version(bench: Bench, parcel: str) -> object:
    return bench.ask(f"SELECT version FROM parcel WHERE id = '{parcel}'")[0][0]


def test_a_code_that_went_to_a_wrong_number_opens_nothing_and_everybody_has_the_new_one(
    bench: Bench, ways: dict[Way, FakeDriver]
) -> None:
    parcel = stored(bench, phone="0611111111", email="awa@example.org", name="Awa Diallo")
    assert heard(bench, ways) == [("awa@example.org", "ready"), ("0611111111", "ready")]
    assert bench.desk.correct(parcel, correction(phone="06 22 22 22 22", language="pt", help_profile=Help.ASSISTED), ME)
    assert version(bench, parcel) == 2
    assert heard(bench, ways) == [("awa@example.org", "replaced/2"), ("0622222222", "replaced/2")]
    assert heard(bench, ways) == []
    with bench.store.reading() as connection:
        planned = desk.planned_parcels(connection, 1)
        lines = list(lines_after(connection, 1, 0, 100))
    assert [(each.version, each.language, each.help) for each in planned] == [(2, "pt", Help.ASSISTED)]
    assert [(line.action, line.reason) for line in lines[-2:]] == [
        ("parcel_corrected", "phone, language, help"), ("slip_reissued", ""),
    ]  # fmt: skip
    assert not [word for word in ("Awa", "0611111111", "0622222222", "awa@") if word in str(lines)]
    assert not bench.desk.correct(parcel, correction(phone="+33622222222"), ME), "the same number in another way"
    assert heard(bench, ways) == []


def test_a_code_that_is_kept_is_sent_once_to_the_new_address_alone(bench: Bench, ways: dict[Way, FakeDriver]) -> None:
    parcel = stored(bench, phone="0611111111")
    heard(bench, ways)
    assert not bench.desk.correct(parcel, correction(email="awa@example.org"), ME), (
        "an address more is none that was wrong"
    )
    assert heard(bench, ways) == [("awa@example.org", "ready/1")]
    assert not bench.desk.correct(parcel, correction(phone="0622222222", keeps_code=True), ME)
    assert heard(bench, ways) == [("0622222222", "ready/2")]
    assert version(bench, parcel) == 1


def test_what_waits_goes_to_the_new_address_and_what_was_given_up_is_tried_there(
    bench: Bench, ways: dict[Way, FakeDriver], monkeypatch: pytest.MonkeyPatch
) -> None:
    parcel = stored(bench, phone="0611111111")
    assert not bench.desk.correct(parcel, correction(phone="0622222222", name="Awa"), ME)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(ways[Way.PHONE], "send", refuse)
        assert heard(bench, ways) == []
    assert bench.ask("SELECT kind, state FROM message") == [("ready", "failed")]
    assert bench.ask("SELECT count(*) FROM alert WHERE kind = 'message_failed' AND cleared_ms IS NULL") == [(1,)]
    assert not bench.desk.correct(parcel, correction(phone="0633333333"), ME), "nobody is reached at the old one"
    assert bench.ask("SELECT count(*) FROM alert WHERE kind = 'message_failed' AND cleared_ms IS NULL") == [(0,)]
    assert heard(bench, ways) == [("0633333333", "ready/1")]
    assert bench.ask("SELECT kind, state, problem FROM message ORDER BY id") == [
        ("ready", "unsent", "corrected"), ("ready/1", "sent", ""),
    ]  # fmt: skip


def refuse(_message: Outgoing) -> None:
    raise NoSuchAddress("no such number")


def test_an_address_that_is_taken_away_and_given_again_hears_once(bench: Bench, ways: dict[Way, FakeDriver]) -> None:
    parcel = stored(bench, phone="0611111111")
    bench.desk.correct(parcel, correction(phone=""), ME)
    assert heard(bench, ways) == []
    bench.desk.correct(parcel, correction(phone="0622222222"), ME)
    assert heard(bench, ways) == [("0622222222", "ready")]


def test_a_message_that_is_on_its_way_while_its_address_is_corrected_goes_nowhere(
    bench: Bench, ways: dict[Way, FakeDriver], monkeypatch: pytest.MonkeyPatch
) -> None:
    parcel = stored(bench, phone="0611111111")
    note = bench.sender._note

    def correct_meanwhile(row: object, **values: object) -> None:
        monkeypatch.setattr(bench.sender, "_note", note)
        note(row, **values)
        assert bench.desk.correct(parcel, correction(phone="0622222222"), ME), "the try is counted: the code may be out"

    monkeypatch.setattr(bench.sender, "_note", correct_meanwhile)
    bench.sender.send_due()
    assert ways[Way.PHONE].sent == []
    assert heard(bench, ways) == [("0622222222", "replaced/2")]


def test_who_was_erased_what_has_ended_and_what_a_carrier_handed_in_is_corrected_by_nobody(bench: Bench) -> None:
    journal = Journal("gambetta")
    parcel = bench.announce(site="gambetta", name="Awa", carrier="dhl")
    courier = Visitor("Joe", Role.CARRIER, scope=Scope(1, carrier="dhl"))
    other = Visitor("Jim", Role.CARRIER, scope=Scope(1, carrier="laposte"))
    bench.desk.correct(parcel, correction(name="Awa Ba"), courier)
    assert refused(bench, parcel, other) == "unknown_parcel"
    whole = life(parcel, source="plan")
    journal.write(*whole[:5])
    bench.hear(journal.batch(1, 5))
    assert refused(bench, parcel, courier) == "not_here"
    bench.privacy.erase((parcel,), asked_by="me", reason="asked")
    assert refused(bench, parcel) == "erased"
    journal.write(*whole[5:])
    bench.hear(journal.batch(6, journal.last))
    assert refused(bench, parcel) == "not_here"
    late = bench.announce(site="gambetta", name="Awa")
    with bench.store.writing() as connection:
        connection.execute(text(f"DELETE FROM contact WHERE parcel = '{late}'"))
    assert refused(bench, late) == "erased", "its time was over before it came"


def refused(bench: Bench, parcel: str, by: Visitor = ME) -> str:
    with pytest.raises(Refused) as error:
        bench.desk.correct(parcel, correction(name="Somebody"), by)
    return error.value.code


def test_the_card_is_corrected_on_its_page_and_by_the_api(tmp_path: Path) -> None:
    network = Network(tmp_path, "")
    client, page = network.client("concierge"), f"/parcels/{network.own.parcel}/recipient"
    client.headers["sec-fetch-site"] = "same-origin"
    assert page in client.get(f"/parcels/{network.own.parcel}").text
    assert 'value="Secret gambetta"' in client.get(page).text
    bad = client.post(page, data={"name": "a" * 99, "phone": "no", "email": "no", "language": "xx", "help": "standard"})
    assert bad.status_code == 422
    assert [f'id="{name}-error"' in bad.text for name in ("name", "phone", "email", "language")] == [True] * 4
    done = client.post(page, data={"name": "Awa", "phone": "0612345678", "language": "ar", "help": "assisted"})
    assert (done.status_code, done.headers["location"]) == (303, f"/parcels/{network.own.parcel}?done=corrected")
    api, url = network.program(Right.ANNOUNCE_PARCEL), f"/api/v1/parcels/{network.own.parcel}"
    row = api.patch(url, json={"recipient": {"email": "awa@Example.ORG"}}).json()
    assert (row["recipient_name"], row["recipient_phone"], row["recipient_email"], row["version"]) == (
        "Awa", "0612345678", "awa@example.org", 1,
    )  # fmt: skip
    assert api.patch(url, json={"recipient": {"phone": "1"}}).json()["code"] == "bad_phone"
    with network.hub.store.writing() as connection:
        connection.execute(text("UPDATE parcel SET state = 'collected'"))
    late = client.post(page, data={"name": "Awa", "language": "ar"})
    assert late.status_code == 409
    assert "La fiche ne se corrige plus" in late.text
    assert client.get(page).status_code == 409
    assert api.patch(url, json={"recipient": {}}).json()["code"] == "not_here"
    network.close()
