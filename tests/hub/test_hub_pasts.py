"""Two pasts of one site at the hub: an older card, a copy in another machine, and what is believed of either (ADR 0009)."""

from __future__ import annotations

import pytest
from msgspec import structs
from sqlalchemy import select

from hub.intake import DOUBT_PAUSE_MS, REBIRTH_PAUSE_MS
from hub.store import desk
from hub.store.schema import SITE_LIVE
from tests.hub.hub_bench import Bench, answer, rebirths
from tests.hub.hub_site import AT_MS, Journal, life_of
from wire import topics
from wire.facts import AnyFact
from wire.ids import Trust, parcel_id_from_bits
from wire.messages import Ack, Birth, Health, Presence, PresenceStatus, SiteState, decode


def forked(journal: Journal, at: int, *new: AnyFact) -> Journal:
    """The same journal, gone on from a card that knew only the first facts."""
    fork = Journal(journal.site, journal.name)
    for record in journal.records[:at]:
        fork.write(bytes(record.body))
    fork.write(*new)
    return fork


def test_a_machine_under_suspicion_is_not_asked_to_say_again_what_nobody_takes(bench: Bench) -> None:
    journal = Journal("gambetta")
    journal.write(*life_of(1), *life_of(2, ends=False))
    bench.hear(journal.batch(1, journal.last))
    fork = forked(journal, 5, *life_of(3), *life_of(4), *life_of(5))
    asked = rebirths(bench)
    for _try in range(100):
        bench.now_ms += 3_600_000
        bench.hear(fork.batch(6, fork.last - 5), fork.batch(fork.last - 4, fork.last))
    assert rebirths(bench) == asked
    assert bench.acks()[-1] == (1000, journal.last), "it is still told what is known here (ADR 0009)"


def test_a_card_older_than_its_past_is_refused_until_an_admin_adopts_it(bench: Bench) -> None:
    journal = Journal("gambetta")
    journal.write(*life_of(1), *life_of(2, ends=False))
    bench.hear(journal.batch(1, journal.last))
    fork = forked(journal, 5, *life_of(3, ends=False))
    assert fork.hashes[:6] == journal.hashes[:6]
    bench.hear(fork.batch(6, fork.last))
    cursor = "SELECT ordinal, journal, seq FROM site_cursor WHERE site = 1"
    assert bench.ask(cursor) == [(1, journal.name, journal.last)]
    assert bench.ask("SELECT kind FROM alert WHERE cleared_ms IS NULL") == [("identity",)]

    with bench.store.writing() as connection:
        desk.adopt_next_journal(connection, 1)
    before = bench.incarnation.value
    bench.hear(fork.batch(3, fork.last))
    assert bench.ask(cursor) == [(2, journal.name, fork.last)]
    assert bench.ask("SELECT state FROM parcel ORDER BY id") == [("collected",), ("stored",), ("stored",)], (
        "what both pasts tell is not told again"
    )
    assert bench.ask("SELECT journal, count(*) FROM fact GROUP BY journal ORDER BY journal") == [
        (1, journal.last),
        (2, fork.last),
    ]
    assert bench.ask("SELECT hash FROM fact WHERE journal = 2 ORDER BY seq") == [
        (bytes.fromhex(digest),) for digest in fork.hashes[1:]
    ], "whole from its first fact"
    assert bench.ask("SELECT label, occupancy, parcel FROM compartment WHERE site = 1 AND changed_seq > 0") == [
        ("7", "occupied", parcel_id_from_bits(3))
    ]
    assert bench.ask("SELECT kind FROM alert WHERE cleared_ms IS NULL") == []
    assert bench.incarnation.value > before, "a site follows an earlier fact only with a newer word (I-18)"
    assert bench.link.rejoined == 1
    assert bench.ask("SELECT value FROM hub_meta WHERE key = 'incarnation'") == [(str(bench.incarnation.value),)]
    given_up = (journal.last, journal.hashes[journal.last])
    assert bench.given_up()[-1] == given_up, "whoever was not told before is told now"
    fork.write(*life_of(4, ends=False))
    bench.hear(fork.batch(fork.last - 4, fork.last))
    assert bench.ask(cursor) == [(2, journal.name, fork.last)]
    assert bench.given_up()[-1] == given_up, "for as long as it takes"


def test_what_an_abandoned_past_said_of_a_compartment_in_the_same_group_is_abandoned_with_it(bench: Bench) -> None:
    journal = Journal("gambetta")
    journal.write(*life_of(1), *life_of(2, label="8", ends=False))
    bench.hear(journal.batch(1, 5))
    fork = forked(journal, 5, *life_of(3, ends=False)[:1])
    with bench.store.writing() as connection:
        desk.adopt_next_journal(connection, 1)
    bench.hear(journal.batch(6, journal.last), fork.batch(1, fork.last))
    assert bench.ask("SELECT ordinal, seq FROM site_cursor WHERE site = 1") == [(2, fork.last)]
    assert bench.ask("SELECT parcel FROM compartment WHERE site = 1 AND parcel IS NOT NULL") == [
        (parcel_id_from_bits(1),)
    ]


def test_an_adopted_past_that_parted_before_what_is_told_is_asked_for_from_its_first_fact(bench: Bench) -> None:
    journal = Journal("gambetta")
    journal.write(*life_of(1), *life_of(2, ends=False))
    bench.hear(journal.batch(1, journal.last))
    fork = forked(journal, 5, *life_of(3), *life_of(4, ends=False))
    bench.hear(fork.batch(1, 8))
    assert bench.ask("SELECT kind FROM alert WHERE cleared_ms IS NULL") == [("identity",)]
    with bench.store.writing() as connection:
        desk.adopt_next_journal(connection, 1)
    bench.hear(fork.batch(9, fork.last))
    cursor = "SELECT ordinal, seq, hash FROM site_cursor WHERE site = 1"
    assert bench.ask(cursor) == [(2, 0, fork.hashes[0])], "nothing of either past stands under the other one"
    bench.hear(fork.batch(1, fork.last))
    assert bench.ask(cursor) == [(2, fork.last, fork.hashes[-1])]
    assert bench.ask("SELECT hash FROM fact WHERE journal = 2 ORDER BY seq") == [
        (bytes.fromhex(digest),) for digest in fork.hashes[1:]
    ], "whole from its first fact"
    assert bench.ask("SELECT kind FROM alert WHERE cleared_ms IS NULL") == []


def test_a_suspect_is_acknowledged_what_both_pasts_tell_or_it_would_never_come_to_where_they_part(bench: Bench) -> None:
    journal = Journal("gambetta")
    journal.write(*life_of(1), *life_of(2, ends=False))
    bench.hear(journal.batch(1, journal.last))
    fork = forked(journal, 8, *life_of(3, ends=False))
    bench.hear(fork.batch(9, fork.last))
    assert acks(bench)[-1] == (journal.last, journal.hashes[-1]), "what it lacks is told"
    bench.hear(fork.batch(1, 4))
    assert acks(bench)[-1] == (4, journal.hashes[4])
    with bench.store.writing() as connection:
        desk.adopt_next_journal(connection, 1)
    bench.hear(fork.batch(1, 4), fork.batch(5, fork.last))
    cursor = "SELECT ordinal, seq, hash FROM site_cursor WHERE site = 1"
    assert bench.ask(cursor) == [(2, fork.last, fork.hashes[-1])]
    assert acks(bench)[-1] == (fork.last, fork.hashes[-1])
    bench.hear(fork.batch(1, 4))
    assert acks(bench)[-1] == (fork.last, fork.hashes[-1]), "nobody is under suspicion any more"


def acks(bench: Bench) -> list[tuple[int, str]]:
    """What the site was told is committed."""
    said = [decode(Ack, body) for topic, body in bench.link.said if topic == topics.topic(topics.ACK, "gambetta")]
    return [(ack.seq, ack.head) for ack in said]


def words_of(journal: Journal, boot: int) -> tuple[Presence, Birth, SiteState]:
    """What a machine says besides its facts."""
    ready = Presence(site=journal.site, status=PresenceStatus.READY, boot=boot)
    birth = Birth(
        site=journal.site, boot=boot, journal=journal.name, version=f"of start {boot}", board="demo", compartments=()
    )
    state = SiteState(site=journal.site, boot=boot, seq=journal.last, at_ms=AT_MS, trust=Trust.NTP, compartments=())
    return ready, birth, state


@pytest.mark.parametrize("goes_on", ["the older card", "the site, after a copy of its card ran elsewhere"])
def test_after_an_adoption_the_number_of_starts_of_the_other_machine_counts_no_more(bench: Bench, goes_on: str) -> None:
    """It had started more often: all that the site said of itself was taken for old, and it counted as away for ever."""
    known = Journal("gambetta")
    known.write(*life_of(1), *life_of(2, ends=False))
    other = forked(known, 5, *life_of(3, ends=False))
    bench.hear(known.batch(1, known.last, boot=3), *words_of(known, 3))
    if goes_on == "the older card":
        bench.hear(known.batch(1, known.last, boot=9), *words_of(known, 9))
        bench.hear(other.batch(6, other.last, boot=4), *words_of(other, 4))
        here = other
    else:
        bench.hear(other.batch(6, other.last, boot=9), *words_of(other, 9))
        here = known
    bench.hear(Presence(site="gambetta", status=PresenceStatus.LOST, boot=9))
    with bench.store.writing() as connection:
        desk.adopt_next_journal(connection, 1)
    here.write(*life_of(4, label="8", ends=False))
    asked = rebirths(bench)
    bench.now_ms += REBIRTH_PAUSE_MS
    bench.hear(here.batch(1, here.last, boot=4))
    assert rebirths(bench) == asked + 1, "how it is now was never heard, or not believed"
    bench.hear(*words_of(here, 4))
    assert bench.ask("SELECT boot, presence, state_boot, state_seq FROM site_live WHERE site = 1") == [
        (4, "ready", 4, here.last)
    ]
    with bench.store.reading() as connection:
        said = connection.execute(select(SITE_LIVE.c.birth).where(SITE_LIVE.c.site == 1)).scalar_one()
    assert decode(Birth, said).version == "of start 4"
    bench.hear(Presence(site="gambetta", status=PresenceStatus.LOST, boot=9))
    here.write(*life_of(5, label="9", ends=False))
    feels = Health(site="gambetta", boot=4, at_ms=1, uptime_ms=1, outbox=0)
    bench.now_ms += REBIRTH_PAUSE_MS
    bench.hear(here.batch(here.last - 4, here.last, boot=4), feels)
    assert bench.ask("SELECT boot, presence FROM site_live WHERE site = 1") == [(9, "lost")]
    here.write(answer(bench))
    bench.hear(here.batch(here.last, here.last, boot=4), feels)
    assert bench.ask("SELECT boot, presence FROM site_live WHERE site = 1") == [(4, "ready")], (
        "the will of a machine that was switched off later proves nothing either"
    )
    assert bench.ask("SELECT kind FROM alert WHERE cleared_ms IS NULL") == []


def test_a_site_whose_will_another_machine_left_behind_is_believed_again_when_it_answers(bench: Bench) -> None:
    """A copy of its card ran elsewhere and started more often; a hub put back from before knows nothing of it (network 20820)."""
    journal = Journal("gambetta")
    journal.write(*life_of(1, ends=False))
    bench.hear(*words_of(journal, 1), journal.batch(1, journal.last, boot=1))
    bench.hear(*words_of(journal, 2), Presence(site="gambetta", status=PresenceStatus.LOST, boot=2))
    shown = "SELECT boot, presence, state_boot FROM site_live WHERE site = 1"
    asked = rebirths(bench)
    bench.now_ms += REBIRTH_PAUSE_MS
    feels = Health(site="gambetta", boot=1, at_ms=1, uptime_ms=1, outbox=0)
    bench.hear(feels)
    assert bench.ask(shown) == [(2, "lost", 2)], "what it says may only be late"
    assert rebirths(bench) == asked + 1
    journal.write(answer(bench))
    bench.hear(words_of(journal, 1)[1], journal.batch(journal.last, journal.last, boot=1), feels)
    assert bench.ask(shown) == [(1, "ready", 0)]
    assert rebirths(bench) == asked + 2, (
        "how the other machine described itself is forgotten, and this one came too early to do so"
    )
    bench.hear(*words_of(journal, 1))
    assert bench.ask(shown) == [(1, "ready", 1)]
    for _late in range(60):
        bench.now_ms += DOUBT_PAUSE_MS // 15
        bench.hear(structs.replace(feels, boot=0))
    assert rebirths(bench) == asked + 2 + 4, "what comes late may come late often"
    assert bench.ask(shown) == [(1, "ready", 1)]


def test_after_another_machine_in_its_name_the_site_that_goes_on_with_the_known_past_is_adopted(bench: Bench) -> None:
    journal = Journal("gambetta")
    journal.write(*life_of(1))
    bench.hear(journal.batch(1, 5))
    twin = forked(journal, 5, *life_of(2, ends=False))
    bench.hear(journal.batch(6, journal.last))
    bench.hear(twin.batch(6, twin.last))
    alerts = "SELECT kind FROM alert WHERE cleared_ms IS NULL"
    assert bench.ask(alerts) == [("identity",)]
    with bench.store.writing() as connection:
        desk.adopt_next_journal(connection, 1)
    bench.hear(journal.batch(1, journal.last))
    assert bench.ask(alerts) == [("identity",)], "nothing new was told"
    journal.write(*life_of(3, ends=False))
    bench.hear(journal.batch(1, journal.last))
    assert bench.ask(alerts) == []
    bench.hear(twin.batch(6, twin.last))
    assert bench.ask(alerts) == [("identity",)], "the other machine is as suspect as before"
    assert bench.ask("SELECT ordinal, seq, adopt FROM site_cursor WHERE site = 1") == [(1, journal.last, False)]


def test_an_adoption_waits_for_another_past_and_a_damaged_batch_is_none(bench: Bench) -> None:
    journal = Journal("gambetta")
    journal.write(*life_of(1))
    bench.hear(journal.batch(1, 5))
    with bench.store.writing() as connection:
        desk.adopt_next_journal(connection, 1)
    bench.hear(journal.batch(1, journal.last))
    bench.hear(structs.replace(journal.batch(3, journal.last), head="00" * 32))
    assert bench.ask("SELECT ordinal, seq, adopt FROM site_cursor WHERE site = 1") == [(1, journal.last, True)]
