"""E-mail to recipients through a real mail server: what arrives, in which language, what is tried again and what never is."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from hub.core.hours import ALL_DAY
from hub.core.telling import MessageKind, Way
from hub.notify import sender as sending
from hub.notify.drivers import Outgoing, Undelivered
from hub.notify.mail import Mailer, html_of, letter_of, server_of
from hub.notify.words import Told, lines_of, plain, subject_of, words_in
from hub.rhythm.services import Rhythm
from hub.settings import BadSettings, Mail, Notify, Settings, read_mail_password, read_settings
from hub.store import rhythm
from hub.store.schema import PARCEL
from paper.phrases import languages, phrases
from tests.hub.hub_bench import DAY_MS, ME, Bench
from tests.hub.hub_process import write_settings
from tests.hub.hub_site import Journal, life
from tests.hub.mail_room import PASSWORD, USER, MailRoom, code_in_the_text, code_on_the_slip, mail_room, parts_of
from wire.ids import ParcelId, ParcelState
from wire.pickup import PickupKey, show_digits

EMAIL = "awa.diallo@example.org"
SENDER = Address(display_name="Conciergerie d'été", addr_spec="colis@asso.example")


@pytest.fixture
def room() -> Iterator[MailRoom]:
    with mail_room() as opened:
        yield opened


def mailer(room: MailRoom, bench: Bench) -> Mailer:
    mail = Mail(host="127.0.0.1", port=room.port, security="none", sender=SENDER, reply_to="aide@asso.example")
    return Mailer(server_of(mail, ""), bench.clock, timeout_s=5)


def with_mail(bench: Bench, room: MailRoom, *, phone: bool = False, hours: Any = ALL_DAY) -> None:
    drivers: dict[Way, Any] = {Way.EMAIL: mailer(room, bench)}
    if phone:
        drivers[Way.PHONE] = bench.driver
    bench.sender = bench.new_sender(drivers, Notify(hours=hours))


def stored(bench: Bench, site: str = "gambetta", **wish: Any) -> tuple[ParcelId, Journal]:
    parcel = bench.announce(site=site, **wish)
    journal = Journal(site)
    journal.write(*life(parcel, source="plan", ends=False))
    bench.hear(journal.batch(1, 5))
    return parcel, journal


def key_of(bench: Bench, parcel: str, version: int = 1) -> PickupKey:
    return PickupKey(1, ParcelId(parcel), version, 0)


@pytest.mark.parametrize("language", ["fr", "ar", "wo"])
def test_a_letter_brings_the_slip_the_code_and_the_digits_in_the_recipient_s_language(
    bench: Bench, room: MailRoom, language: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with_mail(bench, room)
    parcel, _journal = stored(bench, name="Awa", email=EMAIL, language=language)
    bench.sender.send_due()
    (mail,) = room.taken
    written = "ar" if language == "ar" else "fr"
    assert (mail["To"], mail["From"]) == (EMAIL, "Conciergerie d'été <colis@asso.example>")
    assert (mail["Reply-To"], mail["Auto-Submitted"]) == ("aide@asso.example", "auto-generated")
    assert mail["Message-ID"] == f"<{parcel}.ready@asso.example>"
    assert mail["Content-Language"] == written
    assert mail["Subject"] == words_in(written).arrived.rstrip(".")
    qr, digits = bench.keys.qr("gambetta", key_of(bench, parcel)), bench.keys.digits("gambetta", key_of(bench, parcel))
    assert code_on_the_slip(mail) == code_in_the_text(mail) == qr
    parts = parts_of(mail)
    shown = show_digits(digits).replace(" ", "\u00a0")
    page = parts["text/html"]
    direction = "rtl" if language == "ar" else "ltr"
    assert f'<html lang="{written}" dir="{direction}">' in page
    assert f">{shown}</bdi>" in page
    assert 'src="cid:code"' in page
    assert shown in parts["text/plain"]
    assert phrases(written).steps.door[0] in page
    assert bench.ask("SELECT state, told, problem FROM message") == [("sent", "email", "")]
    ours = " ".join(record.getMessage() for record in caplog.records if not record.name.startswith("mail."))
    assert [secret for secret in (EMAIL, "Awa", digits, shown, qr) if secret in ours] == []


def test_who_gave_both_is_told_the_key_both_ways_and_news_once(bench: Bench, room: MailRoom) -> None:
    with_mail(bench, room, phone=True)
    parcel, journal = stored(bench, phone="0612345678", email=EMAIL)
    bench.sender.send_due()
    bench.desk.reissue(parcel, ME)
    bench.sender.send_due()
    assert [message.kind for message in bench.driver.sent] == ["ready", "replaced"]
    assert [mail["Message-ID"] for mail in room.taken] == [
        f"<{parcel}.ready@asso.example>",
        f"<{parcel}.replaced.2@asso.example>",
    ]
    assert code_on_the_slip(room.taken[1]) == bench.keys.qr("gambetta", key_of(bench, parcel, 2))
    assert "slip" not in bench.driver.sent[0].text
    journal.write(*life(parcel, source="plan")[5:])
    bench.hear(journal.batch(6, 9))
    bench.sender.send_due()
    assert [message.kind for message in bench.driver.sent] == ["ready", "replaced", "collected"]
    assert len(room.taken) == 2


def test_a_way_that_fails_is_tried_alone_and_nobody_hears_twice(bench: Bench, room: MailRoom) -> None:
    with_mail(bench, room, phone=True)
    room.answers = ["451 try again", "452 full"]
    stored(bench, phone="0612345678", email=EMAIL)
    for _ in range(4):
        bench.sender.send_due()
        bench.now_ms += 60_000
    assert (len(bench.driver.sent), len(room.taken)) == (1, 1)
    assert bench.ask("SELECT state, attempts, told, problem FROM message") == [("sent", 3, "email phone", "")]


def test_an_address_that_nobody_has_is_not_tried_again(bench: Bench, room: MailRoom) -> None:
    with_mail(bench, room, phone=True)
    room.unknown = {EMAIL}
    stored(bench, phone="0612345678", email=EMAIL)
    bench.sender.send_due()
    refused = "email: the mail server refuses the address (550)"
    assert bench.ask("SELECT state, told, refused, problem FROM message") == [("sent", "phone", "email", refused)]
    assert bench.reads.alerts() == (), "they were told"
    stored(bench, "belleville", email=EMAIL)
    bench.sender.send_due()
    assert [row.state for row in bench.reads.messages()] == ["failed", "sent"]
    (alert,) = bench.reads.alerts()
    assert (alert.kind, alert.detail) == ("message_failed", refused)


def test_a_server_that_is_away_is_asked_all_day_a_person_knows_it_and_the_alert_ends(
    bench: Bench, room: MailRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_mail(bench, room)
    room.answers = ["421 closed"] * (sending.TRIES_TOLD + 1)
    stored(bench, email=EMAIL)
    began_ms, last = bench.now_ms, 0
    for attempt in range(1, sending.TRIES_TOLD + 2):
        assert bench.sender.send_due() == 1
        assert bench.sender.send_due() == 0, "not before its pause"
        pause = bench.ask("SELECT due_ms FROM message")[0][0] - bench.now_ms  # type: ignore[operator]
        assert last <= pause <= sending.PAUSE_MS_MAX
        last = pause
        assert len(bench.reads.alerts()) == (attempt >= sending.TRIES_TOLD)
        bench.now_ms += pause
    bench.sender.send_due()
    assert len(room.taken) == 1
    assert bench.reads.alerts() == ()
    assert sum(sending.pause_ms(attempt) for attempt in range(1, sending.TRIES_MAX)) > DAY_MS
    assert bench.now_ms - began_ms > 3_600_000


def test_what_never_leaves_is_given_up_and_shown(bench: Bench, room: MailRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "TRIES_MAX", 2)
    with_mail(bench, room)
    room.answers = ["421 closed"] * 5
    stored(bench, email=EMAIL)
    for _ in range(4):
        bench.sender.send_due()
        bench.now_ms += DAY_MS
    (row,) = bench.reads.messages()
    assert (row.state, row.attempts, row.problem) == ("failed", 2, "email: the mail server answers 421")
    assert [alert.kind for alert in bench.reads.alerts()] == ["message_failed"]
    room.answers.clear()
    bench.sender.send_due()
    assert room.taken == [], "nobody asked"
    assert bench.desk.tell_again(row.parcel, ME) == 1
    assert bench.reads.alerts() == ()
    bench.sender.send_due()
    assert ([found.state for found in bench.reads.messages()], len(room.taken)) == (["sent"], 1)
    assert bench.desk.tell_again(row.parcel, ME) == 0


def test_whoever_is_there_at_night_is_told_in_the_morning_but_a_dead_slip_at_once(bench: Bench, room: MailRoom) -> None:
    rules = Notify()
    bench.now_ms = int(datetime(2026, 3, 10, 22, 30, tzinfo=rules.time_zone).timestamp() * 1000)
    with_mail(bench, room, hours=rules.hours)
    parcel, _journal = stored(bench, email=EMAIL)
    bench.sender.send_due()
    assert room.taken == []
    assert bench.ask("SELECT state, attempts FROM message") == [("waiting", 0)]
    bench.now_ms += 9 * 3_600_000
    assert bench.sender.send_due() == 0, "half past seven"
    bench.now_ms += 1_800_000
    bench.sender.send_due()
    assert len(room.taken) == 1
    bench.now_ms += 14 * 3_600_000
    bench.desk.reissue(parcel, ME)
    bench.sender.send_due()
    assert [mail["Message-ID"].partition(".")[2] for mail in room.taken] == [
        "ready@asso.example>",
        "replaced.2@asso.example>",
    ]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_is_known_by_its_certificate_and_knows_us_by_our_password(tmp_path: Path, security: str) -> None:
    with mail_room(security=security, folder=tmp_path) as room:
        good = Mail(
            host="127.0.0.1", port=room.port, security=security, user=USER, sender=SENDER, ca_file=tmp_path / "ca.pem"
        )
        for mail, password, problem in (
            (
                Mail(host="127.0.0.1", port=room.port, security=security, user=USER, sender=SENDER),
                PASSWORD,
                "is not reached",
            ),
            (good, "wrong", "does not take our name and password"),
            (good, PASSWORD, ""),
        ):
            driver = Mailer(server_of(mail, password), lambda: 0, timeout_s=10)
            if problem:
                with pytest.raises(Undelivered, match=problem):
                    driver.send(outgoing("ready"))
            else:
                driver.send(outgoing("ready"))
        assert len(room.taken) == 1
        assert set(room.logins) == {USER}


def test_a_server_without_tls_is_told_nothing(room: MailRoom) -> None:
    mail = Mail(host="127.0.0.1", port=room.port, security="starttls", sender=SENDER)
    with pytest.raises(Undelivered, match="the mail server is not reached: SMTPException"):
        Mailer(server_of(mail, ""), lambda: 0, timeout_s=5).send(outgoing("ready"))
    assert room.taken == []


def test_a_server_that_is_not_there_is_undelivered() -> None:
    with mail_room() as gone:
        port = gone.port
    mail = Mail(host="127.0.0.1", port=port, security="none", sender=SENDER)
    with pytest.raises(Undelivered, match="is not reached: SMTPConnectError"):
        Mailer(server_of(mail, ""), lambda: 0, timeout_s=5).send(outgoing("ready"))


def outgoing(kind: str, language: str = "fr", **more: Any) -> Outgoing:
    told = Told(
        kind=MessageKind(kind),
        language=language,
        site="Gambetta",
        address="12 place Gambetta",
        digits="123456789012",
        **more,
    )
    lines = lines_of(told, Way.EMAIL)
    return Outgoing(
        id=f"p:{kind}", kind=kind, to=EMAIL, language=language, text=plain(lines, language), parcel="p", site="gambetta",
        subject=subject_of(told), lines=lines,
    )  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------- words


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", list(MessageKind))
def test_every_message_is_whole_in_every_language(kind: MessageKind, language: str) -> None:
    day = datetime(2026, 3, 10, tzinfo=UTC).date()
    message = outgoing(kind, language, at_desk=True, last_day=day, calm=(14, 16), help_phone="01 41 00 00 00")
    code = "1234\u00a05678\u00a09012"
    brings = kind not in {MessageKind.COLLECTED, MessageKind.DELEGATED}
    assert (code in message.text) is brings
    page = html_of(message)
    assert (f">{code}</bdi>" in page) is brings
    assert "{" not in message.text + message.subject
    assert not any(sign.isdigit() for sign in message.subject), "a lock screen shows it to everybody"
    assert len(message.subject) <= 90
    if brings:
        assert phrases(language).say_date(day) in message.text
        assert "14:00" in message.text
        assert phrases(language).areas["desk"] in message.text  # type: ignore[index]
    assert letter_of(message, Mail(sender=SENDER), 0).as_bytes()


@pytest.mark.parametrize("language", languages())
def test_a_telephone_hears_the_least_that_opens_the_door(language: str) -> None:
    told = Told(kind=MessageKind.READY, language=language, site="Gambetta", digits="123456789012", calm=(14, 16))
    lines = lines_of(told, Way.PHONE)
    text = plain(lines, language)
    assert "1234\u00a05678\u00a09012" in text
    assert words_in(language).slip_inside not in text
    assert len(text) < 300
    turned = phrases(language).direction.value == "rtl"
    assert ("\u2066" in text) is turned
    assert text.count("\u2066") + text.count("\u2068") == text.count("\u2069")


def test_every_language_of_the_slip_has_its_own_words() -> None:
    texts = [words_in(language) for language in languages()]
    for name in texts[0].__struct_fields__:
        assert len({getattr(words, name) for words in texts}) == len(texts), name
    assert words_in("wo") == words_in("fr")


# ------------------------------------------------------------------------------------------------------------- settings


def read(folder: Path, more: str) -> Settings:
    return read_settings(write_settings(folder, notify=more))


MAIL = '[mail]\nhost = "mail.asso.example"\nsender = "colis@Asso.example"\n'


def test_settings_of_mail_and_hours(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    settings = read(
        tmp_path,
        '[notify]\nfirst_hour = 9\nend_hour = 19\ntime_zones = { reunion = "Indian/Reunion" }\nhold_days = 10\n'
        + MAIL
        + 'security = "tls"\nuser = "u"\npassword_file = "secret"\nsender_name = "Été"\nreply_to = "a@b.fr"\n',
    )
    assert (settings.notify.hours.first, settings.notify.hours.end, settings.notify.hold.days) == (9, 19, 10)
    assert (str(settings.notify.zone_of("reunion")), str(settings.notify.zone_of("x"))) == (
        "Indian/Reunion",
        "Europe/Paris",
    )
    assert (settings.mail.port, str(settings.mail.sender)) == (465, "Été <colis@asso.example>")
    assert read_mail_password(settings) == "s3cret"
    assert read_mail_password(read(tmp_path, "")) == ""
    assert read(tmp_path, MAIL).mail.port == 587


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('[mail]\nhost = "a.example"\n', "needs both"),
        ('[mail]\nsender = "a@a.example"\n', "needs both"),
        (MAIL + 'security = "none"\n', "only for a server on this machine"),
        (MAIL + 'security = "ssl"\n', "allowed: starttls, tls, none"),
        (MAIL + 'reply_to = "nobody"\n', "reply_to: email: expected one address"),
        (MAIL + 'sender_name = "a\\u0007"\n', "printable"),
        ("[notify]\nfirst_hour = 20\nend_hour = 20\n", "an hour after first_hour"),
        ('[notify]\ntime_zone = "Europe/Bobigny"\n', "there is no time zone 'Europe/Bobigny'"),
        ('[notify]\ntime_zone = "../etc/passwd"\n', "there is no time zone"),
        ("[notify]\ntime_zones = 1\n", "expected a table"),
    ],
)
def test_settings_that_cannot_be_are_said(tmp_path: Path, more: str, said: str) -> None:
    with pytest.raises(BadSettings, match=said):
        read(tmp_path, more)


# ----------------------------------------------------------------------------------------------------------- calm hours


def test_a_message_says_when_its_site_is_calm_once_enough_is_known(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = Notify()
    today = datetime.fromtimestamp(bench.now_ms / 1000, rules.time_zone).replace(hour=9, minute=30)
    bench.now_ms = int(today.timestamp() * 1000)
    lives, asked = rhythm.lives, []

    def counted(connection: Any, number: int, since_ms: int) -> Any:
        asked.append(number)
        return lives(connection, number, since_ms)

    monkeypatch.setattr(rhythm, "lives", counted)
    bench.sender = bench.new_sender({Way.PHONE: bench.driver}, rules)
    stored(bench, phone="0612345678")
    bench.sender.send_due()
    assert ":00" not in bench.driver.sent[0].text, "nothing is known of the site yet"
    rows = [
        {"id": f"{days:02}{hour:02}{number:09}", "ended_ms": int(at.timestamp() * 1000), "state": ParcelState.COLLECTED}
        for days in range(1, 45)
        for hour, count in {9: 6, 10: 6, 11: 1, 12: 6, 13: 6}.items()
        for number in range(count)
        for at in [(today - timedelta(days=days)).replace(hour=hour)]
    ]
    same = {"site": 2, "source": "plan", "created_ms": 1, "changed_ms": 1, "version": 1}
    with bench.store.writing() as connection:
        connection.execute(insert(PARCEL), [{**same, **row, "stored_ms": row["ended_ms"]} for row in rows])
    stored(bench, "belleville", phone="0612345678")
    bench.desk.reissue(bench.ask("SELECT parcel FROM message ORDER BY id DESC")[0][0], ME)  # type: ignore[arg-type]
    bench.sender.send_due()
    bench.sender.send_due()
    told = [message.text for message in bench.driver.sent if message.site == "belleville"]
    assert told
    assert all("entre 11:00 et 12:00" in text for text in told)
    assert asked == [1, 2], "looked up once for a site and a day"
    row = bench.reads.site("belleville")
    assert row is not None
    assert Rhythm(bench.store, rules).site(row, bench.now_ms).calm_hours == (11,), "its page says what the messages say"
