"""A site whose card is older than its own past: no key opens a door that staff have not looked behind (ADR 0009)."""

from __future__ import annotations

import msgspec
import pytest

from controller.core.events import Button
from controller.core.model import Step
from controller.core.notices import NoticeKind
from tests.controller.virtual_site import VirtualSite
from wire.ids import Door, Label, Occupancy, ParcelId, ParcelState
from wire.plan import Intent

BEYOND = 10_000


def behind(site: VirtualSite, incarnation: int = 1) -> None:
    site.forget()
    site.ack(incarnation, BEYOND)


def check(site: VirtualSite, label: str, answer: Button) -> None:
    site.sign_in()
    site.press(Button.CHECK, compartment=Label(label))
    site.open(label)
    site.wait(3_000)
    site.close(label)
    assert site.state.live.task is not None
    assert site.state.live.task.step is Step.ASK_EMPTY
    site.press(answer)
    site.press(Button.SIGN_OUT)
    site.wait(11_000)
    site.forget()


def opens(site: VirtualSite, parcel: ParcelId) -> bool:
    site.wait(11_000)
    site.forget()
    site.scan(site.slip(parcel))
    return site.pulses() == ["1"]


def test_an_acknowledgement_of_facts_that_are_not_here_makes_every_door_doubtful(site: VirtualSite) -> None:
    site.stored()
    before = site.runner.state.durable.plan
    behind(site)
    compartments = site.state.durable.compartments
    assert {c.occupancy for c in compartments.values()} == {Occupancy.UNKNOWN}
    assert all(c.doubted for c in compartments.values())
    assert site.kinds()[:2] == ["journal_behind", "alarm_raised"]
    assert site.recorder.acked == 0
    assert site.state.durable.plan == before
    assert [alarm.alarm for alarm in site.view().alarms] == ["journal_behind"]


def test_another_fact_of_a_number_that_is_here_makes_every_door_doubtful_too(site: VirtualSite) -> None:
    """The older card wrote so much before the line came back that its journal is the longer one."""
    parcel = site.stored()
    last = site.recorder.last_seq
    site.ack(1, last)
    site.forget()
    site.ack(1, last - 2, head="ab" * 32)
    assert site.kinds()[:2] == ["journal_behind", "alarm_raised"]
    assert all(c.doubted for c in site.state.durable.compartments.values())
    assert site.recorder.acked == 0, "the hub is to see where the pasts part"
    site.ack(1, last - 2, head="ab" * 32)
    assert site.kinds().count("journal_behind") == 1, "said once"
    assert not opens(site, parcel)


def test_the_same_fact_of_a_number_is_no_news(site: VirtualSite) -> None:
    parcel = site.stored()
    last = site.recorder.last_seq
    site.ack(1, last, head=site.recorder.hash_at(last))
    assert site.recorder.acked == last
    assert opens(site, parcel)


def test_a_key_opens_nothing_that_staff_have_not_looked_behind_and_its_owner_is_sent_to_them(site: VirtualSite) -> None:
    parcel = site.stored()
    behind(site)
    site.forget()
    for form in ("qr", "digits"):
        if form == "qr":
            site.scan(site.slip(parcel))
        else:
            site.type(site.digits(parcel))
        shown = site.view().customer.notice
        assert shown is not None
        assert shown.kind is NoticeKind.ASK_DESK
        site.wait(11_000)
    assert site.pulses() == []
    assert [call.reason for call in site.state.durable.calls] == ["journal_behind"]
    assert "attempt_failed" not in site.kinds()


def test_a_door_that_staff_looked_behind_is_believed_again(site: VirtualSite) -> None:
    parcel = site.stored()
    behind(site)
    check(site, "1", Button.NOT_EMPTY)
    assert not site.state.durable.compartments[Label("1")].doubted
    assert site.state.durable.compartments[Label("2")].doubted
    assert opens(site, parcel)


def test_a_parcel_that_staff_do_not_find_is_opened_for_no_more(site: VirtualSite) -> None:
    parcel = site.stored()
    behind(site)
    check(site, "1", Button.EMPTY)
    assert not opens(site, parcel)
    assert site.state.durable.compartments[Label("1")].occupancy is Occupancy.FREE


def test_doubt_outlives_restarts_snapshots_and_the_alarm(site: VirtualSite) -> None:
    parcel = site.stored()
    behind(site)
    site.sign_in()
    site.press(Button.CLEAR_ALARM, value="journal_behind")
    site.press(Button.SIGN_OUT)
    assert site.through_a_snapshot() == site.state.durable
    site.restart()
    site.wait(2_000)
    assert not opens(site, parcel)


def test_the_same_word_again_changes_nothing_and_a_door_once_checked_stays_so(site: VirtualSite) -> None:
    parcel = site.stored()
    behind(site)
    check(site, "1", Button.NOT_EMPTY)
    site.ack(1, BEYOND)
    site.ack(1, BEYOND - 1)
    assert site.recorder.done == []
    assert opens(site, parcel)


def test_a_farther_word_doubts_again(site: VirtualSite) -> None:
    site.stored()
    behind(site)
    check(site, "1", Button.NOT_EMPTY)
    site.ack(1, BEYOND + 1)
    assert site.state.durable.compartments[Label("1")].doubted
    assert site.kinds().count("alarm_raised") == 0, "it still stands"


def test_facts_of_our_own_are_not_taken_for_the_ones_acknowledged(site: VirtualSite) -> None:
    site.stored()
    last = site.recorder.last_seq
    site.ack(1, last + 3)
    while site.recorder.last_seq < last + 5:
        site.wait(11_000)
        site.scan("https://example.org/")
        site.press(Button.CALL_DESK)
        site.sign_in()
        site.press(Button.SIGN_OUT)
    site.forget()
    site.ack(1, last + 3)
    assert site.recorder.acked == 0


def test_what_both_pasts_tell_is_acknowledged_so_that_the_hub_comes_to_where_they_part(site: VirtualSite) -> None:
    """A past of more than one batch was sent from its first fact for ever, and could never be adopted (network 1830)."""
    site.stored()
    last = site.recorder.last_seq
    site.ack(1, last - 2, head="ab" * 32)
    assert site.recorder.acked == 0
    site.ack(1, last - 4, head=site.recorder.hash_at(last - 4))
    assert site.recorder.acked == last - 4
    site.ack(1, last - 3, head="cd" * 32)
    site.ack(1, last - 3)
    assert site.recorder.acked == last - 4, "of the other past, or nobody knows of which"


def test_a_hub_that_has_taken_our_history_for_its_own_is_followed_again(site: VirtualSite) -> None:
    site.stored()
    behind(site)
    last = site.recorder.last_seq
    site.forget()
    site.ack(2, last - 2)
    assert site.recorder.acked == last - 2
    assert site.state.durable.behind_seq == 0
    site.ack(2, last)
    assert site.recorder.acked == last


def test_a_new_incarnation_that_knows_more_than_we_do_is_met_with_doubt_too(site: VirtualSite) -> None:
    site.stored()
    behind(site, incarnation=5)
    assert site.state.durable.hub_incarnation == 5
    assert all(c.doubted for c in site.state.durable.compartments.values())


def test_a_past_that_was_given_up_for_ours_makes_every_door_doubtful_although_the_hub_follows_ours(
    site: VirtualSite,
) -> None:
    """An admin was quicker than the hub's word: the site took itself for the only one there had been (storm 1390)."""
    parcel = site.stored()
    last = site.recorder.last_seq
    site.forget()
    given_up = (last - 2, "ab" * 32)
    site.ack(2, last, head=site.recorder.hash_at(last), before=given_up)
    assert site.kinds()[:2] == ["journal_behind", "alarm_raised"]
    assert site.kinds()[-1] == "hub_incarnation_seen"
    assert all(c.doubted for c in site.state.durable.compartments.values())
    assert site.recorder.acked == last
    told = site.recorder.last_seq
    site.ack(2, told, head=site.recorder.hash_at(told), before=given_up)
    assert site.recorder.last_seq == told, "said once"
    assert site.recorder.acked == told, "and our own facts are acknowledged"
    assert not opens(site, parcel)


def test_a_longer_past_that_was_given_up_for_ours_is_one_we_lack(site: VirtualSite) -> None:
    site.stored()
    site.ack(1, 1, head=site.recorder.hash_at(1))
    site.forget()
    site.ack(1, 2, head=site.recorder.hash_at(2), before=(BEYOND, "ab" * 32))
    assert site.kinds()[:2] == ["journal_behind", "alarm_raised"]
    assert site.recorder.acked == 2


def test_a_past_given_up_that_we_heard_of_or_hold_or_keep_no_more_is_no_news(site: VirtualSite) -> None:
    site.stored()
    last = site.recorder.last_seq
    site.ack(1, last - 2, head="ab" * 32)
    assert site.kinds().count("journal_behind") == 1
    known = site.recorder.last_seq
    site.ack(2, known, head=site.recorder.hash_at(known), before=(last - 2, "ab" * 32))
    held = (last, site.recorder.hash_at(last))
    site.ack(2, known, head=site.recorder.hash_at(known), before=held)
    site.recorder.kept_from = 4
    site.ack(2, known, head=site.recorder.hash_at(known), before=(3, "cd" * 32))
    assert site.kinds().count("journal_behind") == 1


def test_a_parcel_put_in_while_the_word_comes_is_where_staff_put_it(site: VirtualSite) -> None:
    parcel = site.announce()
    site.sign_in()
    site.scan("8N00234584108")
    label = site.task_compartment()
    site.open(label)
    site.ack(1, BEYOND)
    site.wait(3_000)
    site.close(label)
    site.press(Button.SIGN_OUT)
    assert site.parcel(parcel).state is ParcelState.STORED
    assert opens(site, parcel)


def test_a_snapshot_of_before_there_was_doubt_is_read(site: VirtualSite) -> None:
    body = msgspec.json.decode(msgspec.json.encode(site.state.durable))
    del body["behind_seq"]
    for compartment in body["compartments"].values():
        del compartment["doubted"]
    assert msgspec.convert(body, type(site.state.durable)) == site.state.durable


@pytest.mark.parametrize("shut", ["before the restart", "after it"])
def test_what_staff_held_when_the_power_failed_is_opened_for_nobody_before_they_looked(
    site: VirtualSite, shut: str
) -> None:
    """Taken out of its door to leave the stock; its slip opened the empty door and called it collected."""
    parcel = site.stored()
    site.sign_in()
    site.press(Button.REMOVE, parcel=parcel)
    site.open("1")
    site.wait(3_000)
    if shut == "before the restart":
        site.doors[Label("1")] = Door.CLOSED
    site.restart()
    if shut == "after it":
        site.wait(3_000)
        site.close("1")
    site.wait(5_000)
    site.forget()
    site.scan(site.slip(parcel))
    assert site.pulses() == []
    shown = site.view().customer.notice
    assert shown is not None
    assert shown.kind is NoticeKind.ASK_DESK
    assert site.parcel(parcel).state is ParcelState.STORED
    check(site, "1", Button.NOT_EMPTY)
    assert opens(site, parcel)


@pytest.mark.parametrize("cut", [False, True], ids=["called away", "power cut at the question"])
@pytest.mark.parametrize("recalled", [False, True], ids=["removed", "retrieved"])
def test_what_staff_were_to_take_out_is_opened_for_nobody_until_somebody_looked(
    site: VirtualSite, *, recalled: bool, cut: bool
) -> None:
    """Seeds 100116 and 478: taken out, never answered for; its slip opened the empty door, and the books called it collected."""
    parcel = site.stored()
    if recalled:
        site.planned[parcel] = msgspec.structs.replace(site.planned[parcel], intent=Intent.RECALL)
        site.publish_plan()
    site.sign_in()
    if recalled:
        site.press(Button.RETRIEVE)
    else:
        site.press(Button.REMOVE, parcel=parcel)
    site.open("1")
    site.wait(3_000)
    site.close("1")
    if cut:
        site.restart()
    site.wait(600_000)
    assert cut or site.occupancy("1") is Occupancy.UNKNOWN
    site.planned[parcel] = msgspec.structs.replace(site.planned[parcel], intent=Intent.HOLD)
    site.publish_plan()
    site.forget()
    site.scan(site.slip(parcel))
    assert site.pulses() == []
    notice = site.view().customer.notice
    assert notice is not None
    assert notice.kind is NoticeKind.ASK_DESK
    check(site, "1", Button.NOT_EMPTY)
    assert opens(site, parcel)
