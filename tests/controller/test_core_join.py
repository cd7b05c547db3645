"""One parcel known twice: created at the desk, announced by the hub under the same number (ADR 0007), in virtual time."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from controller.core.events import Button
from controller.core.evolve import evolve
from controller.core.model import ALIASES_MAX, ENDED_MAX, Alias, Now, Parcel, Step
from controller.core.notices import NoticeKind, StaffNoticeKind
from tests.controller.virtual_site import LABEL_OF_PARCEL, VirtualSite
from wire import facts as f
from wire.badges import CommandCard
from wire.ids import ParcelState, PlaceKind, ReachZone, Trust, parcel_id_from_bits
from wire.plan import Help

HERE = parcel_id_from_bits(77)
ANNOUNCED = parcel_id_from_bits(5)
DISPUTE_MS = 900_000


@pytest.fixture
def site() -> VirtualSite:
    """The desk created a parcel while the line was down; it lies behind door 1."""
    site = VirtualSite()
    site.sign_in()
    site.card(CommandCard.SIZE_S)
    site.scan(LABEL_OF_PARCEL, entropy=77)
    site.open("1")
    site.wait(3_000)
    site.close("1")
    site.press(Button.SIGN_OUT)
    site.wait(5_000)
    site.forget()
    return site


def collect(site: VirtualSite, slip: str) -> None:
    site.scan(slip)
    site.open("1")
    site.wait(5_000)
    site.close("1")


def notice(site: VirtualSite) -> NoticeKind | None:
    shown = site.view().customer.notice
    return None if shown is None else shown.kind


def test_an_announced_parcel_that_is_here_already_is_joined_right_after_the_plan(site: VirtualSite) -> None:
    site.announce(5, reach=ReachZone.LOW, language="ar", help=Help.BLIND, group="g7")
    assert site.recorder.done == [("durable", ("plan_applied", "parcel_joined"))]
    assert ANNOUNCED not in site.state.durable.parcels, "it has no life of its own"
    assert [parcel.parcel for parcel in site.view().staff.parcels] == []
    here = site.parcel(HERE)
    assert (here.state, here.language, here.help, here.reach, here.group) == (
        ParcelState.STORED, "ar", Help.BLIND, ReachZone.LOW, "g7",
    )  # fmt: skip


@pytest.mark.parametrize("written", ["8N00234584108", "8n 0023 4584 108", "8N-00234584108"])
def test_the_number_is_compared_as_a_reader_would_give_it(site: VirtualSite, written: str) -> None:
    site.announce(5, written)
    assert site.kinds() == ["plan_applied", "parcel_joined"]


@pytest.mark.parametrize("form", ["qr", "digits"])
def test_either_slip_opens_the_door_of_the_parcel_that_is_here(site: VirtualSite, form: str) -> None:
    site.announce(5)
    site.forget()
    if form == "qr":
        site.scan(site.slip(ANNOUNCED))
    else:
        site.type(site.digits(ANNOUNCED))
    assert site.recorder.done == [("durable", ("opening_ordered",)), ("pulse", "1")]
    ordered = site.recorder.causes[-1]
    assert (ordered.parcel, ordered.form) == (HERE, form), "the history is the parcel's own"
    assert "attempt_failed" not in site.kinds()


def test_the_desks_slip_opens_as_before(site: VirtualSite) -> None:
    site.announce(5)
    collect(site, site.slip(HERE))
    assert site.pulses() == ["1"]
    assert site.parcel(HERE).state is ParcelState.COLLECTING


def test_collected_by_one_slip_the_other_says_when_and_opens_nothing(site: VirtualSite) -> None:
    site.announce(5)
    collect(site, site.slip(ANNOUNCED))
    site.wait(DISPUTE_MS)
    site.forget()
    for slip in (site.slip(HERE), site.slip(ANNOUNCED)):
        site.wait(11_000)
        site.scan(slip)
        assert notice(site) is NoticeKind.ALREADY_COLLECTED
    site.wait(11_000)
    site.type(site.digits(ANNOUNCED))
    assert notice(site) is NoticeKind.ALREADY_COLLECTED
    assert site.pulses() == []
    refused = [fact for fact in site.recorder.facts if isinstance(fact, f.SlipRefused)]
    assert {fact.parcel for fact in refused} == {HERE}


def test_a_slip_issued_again_replaces_the_announced_one_and_not_the_desks(site: VirtualSite) -> None:
    site.announce(5)
    site.announce(5, version=3)
    assert site.state.durable.aliases[ANNOUNCED].version == 3
    assert ANNOUNCED not in site.state.durable.parcels
    site.forget()
    site.scan(site.slip(ANNOUNCED, version=2))
    assert notice(site) is NoticeKind.REPLACED
    site.type(site.digits(ANNOUNCED, version=1))
    assert notice(site) is NoticeKind.REPLACED
    assert site.pulses() == []
    site.scan(site.slip(ANNOUNCED, version=4))
    assert site.kinds()[-2:] == ["key_replaced", "opening_ordered"]
    site.open("1")
    site.wait(1_000)
    site.close("1")
    site.wait(4_000)
    site.scan(site.slip(ANNOUNCED, version=3))
    assert notice(site) is NoticeKind.REPLACED
    site.scan(site.slip(HERE))
    assert site.pulses() == ["1", "1"], "the desk's own slip is another key, and still good"


def test_the_label_leads_to_the_parcel_that_is_here(site: VirtualSite) -> None:
    site.announce(5)
    site.sign_in()
    site.forget()
    site.scan(LABEL_OF_PARCEL)
    told = site.view().staff.notice
    assert told is not None
    assert (told.kind, told.parcel) == (StaffNoticeKind.ALREADY_HERE, HERE)
    assert site.recorder.done == []


def test_the_plan_may_name_the_one_that_is_here_and_the_second_key_stays(site: VirtualSite) -> None:
    site.announce(5)
    site.planned.clear()
    site.announce(77, language="pt")
    assert site.parcel(HERE).language == "pt"
    site.planned.clear()
    site.publish_plan()
    site.forget()
    site.scan(site.slip(ANNOUNCED))
    assert site.pulses() == ["1"]


def test_a_plan_that_still_names_the_announced_one_changes_nothing(site: VirtualSite) -> None:
    site.announce(5)
    before = site.state.durable
    for incarnation in (1, 2, 9):
        site.publish_plan(incarnation)
    after = site.state.durable
    assert (after.parcels, after.aliases) == (before.parcels, before.aliases)
    assert [f.kind(fact) for fact in site.recorder.facts].count("parcel_joined") == 1


def test_a_parcel_that_has_left_is_joined_all_the_same(site: VirtualSite) -> None:
    collect(site, site.slip(HERE))
    site.wait(DISPUTE_MS)
    site.announce(5, language="pt")
    assert ANNOUNCED not in site.state.durable.parcels
    site.forget()
    site.scan(site.slip(ANNOUNCED))
    assert notice(site) is NoticeKind.ALREADY_COLLECTED
    assert site.state.durable.ended[HERE].language == "pt", "as the hub says that its recipient speaks"
    assert site.pulses() == []


def test_a_parcel_that_has_left_and_comes_again_is_another_stay(site: VirtualSite) -> None:
    """Taken out, or collected and brought back by its carrier: whoever has it in hand scans its label and gets a door."""
    collect(site, site.slip(HERE))
    site.wait(DISPUTE_MS)
    site.announce(5, again=True)
    assert site.parcel(ANNOUNCED).state is ParcelState.ANNOUNCED
    site.forget()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    assert site.parcel(ANNOUNCED).state is ParcelState.RECEIVED
    assert site.pulses() == ["1"]


def test_what_the_hub_believed_to_have_left_and_still_lies_here_is_joined(site: VirtualSite) -> None:
    site.announce(5, again=True)
    assert ANNOUNCED not in site.state.durable.parcels
    assert site.parcel(HERE).state is ParcelState.STORED


def test_a_parcel_announced_before_its_number_was_known_is_joined_when_it_is(site: VirtualSite) -> None:
    site.announce(5, "")
    assert ANNOUNCED in site.state.durable.parcels
    site.announce(5, LABEL_OF_PARCEL)
    assert ANNOUNCED not in site.state.durable.parcels
    assert site.state.durable.aliases[ANNOUNCED].into == HERE


def test_a_parcel_in_the_hands_of_staff_is_joined_and_the_deposit_goes_on() -> None:
    site = VirtualSite()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL, entropy=77)
    site.announce(5)
    site.press(Button.SIZE, "S")
    assert site.state.live.task is not None
    assert (site.state.live.task.step, site.state.live.task.parcel) == (Step.PUT_IN, HERE)
    site.open("1")
    site.wait(3_000)
    site.close("1")
    site.press(Button.SIGN_OUT)
    site.wait(5_000)
    site.forget()
    site.scan(site.slip(ANNOUNCED))
    assert site.pulses() == ["1"]


def test_announced_first_there_is_nothing_to_join() -> None:
    site = VirtualSite()
    parcel = site.stored(1)
    site.announce(5)
    assert "parcel_joined" not in site.kinds(), "two announced parcels of one number are the hub's to explain"
    assert {parcel, ANNOUNCED} <= set(site.state.durable.parcels)


def test_a_number_of_no_desk_parcel_joins_nothing(site: VirtualSite) -> None:
    site.announce(5, "8N00234584109")
    site.announce(6, "")
    assert "parcel_joined" not in site.kinds()


def test_the_second_key_outlives_restarts_and_snapshots(site: VirtualSite) -> None:
    site.announce(5, version=2)
    before = site.state.durable.aliases
    assert before == {ANNOUNCED: Alias(HERE, 2, 0)}
    assert site.through_a_snapshot() == site.state.durable
    site.restart()
    assert site.state.durable.aliases == before
    site.wait(2_000)
    site.forget()
    site.scan(site.slip(ANNOUNCED, version=2))
    assert site.pulses() == ["1"]


def test_a_snapshot_of_before_there_were_second_keys_is_read() -> None:
    site = VirtualSite()
    body = msgspec.json.decode(msgspec.json.encode(site.state.durable))
    del body["aliases"]
    assert msgspec.convert(body, type(site.state.durable)) == site.state.durable


def test_facts_that_fit_nothing_change_nothing(site: VirtualSite) -> None:
    stamp = Now(0, 0, Trust.FLOOR)
    durable = site.state.durable
    for joined in (
        f.ParcelJoined(parcel=ANNOUNCED, into=HERE),
        f.ParcelJoined(parcel=HERE, into=ANNOUNCED),
        f.ParcelJoined(parcel=HERE, into=HERE),
    ):
        after = evolve(durable, joined, stamp)
        assert (after.parcels, after.aliases) == (durable.parcels, durable.aliases)
    site.announce(5)
    durable = site.state.durable
    again = evolve(durable, f.ParcelJoined(parcel=ANNOUNCED, into=HERE), stamp)
    assert (again.parcels, again.aliases) == (durable.parcels, durable.aliases)


def test_second_keys_are_forgotten_with_the_record_they_lead_to_and_never_before(site: VirtualSite) -> None:
    site.announce(5)
    collect(site, site.slip(HERE))
    site.wait(DISPUTE_MS)
    stamp = Now(0, 0, Trust.FLOOR)
    durable = site.state.durable
    place = f.Place(kind=PlaceKind.SHELF, name="E1")
    later = {
        one: replace(durable.ended[HERE], id=one)
        for one in (parcel_id_from_bits(n) for n in range(1_000, 999 + ENDED_MAX))
    }
    durable = replace(durable, ended={**durable.ended, **later})
    assert len(durable.ended) == ENDED_MAX
    for bits in (1, 2):
        received = f.ParcelReceived(
            parcel=parcel_id_from_bits(bits), tracking="", carrier="", source="desk", key_version=1, key_epoch=0,
            session="", by="",
        )  # fmt: skip
        assert (ANNOUNCED in durable.aliases) is (bits == 1), (
            "it goes when the record goes, with the first one too many"
        )
        durable = evolve(durable, received, stamp)
        durable = evolve(durable, f.ParcelCollected(parcel=received.parcel, place=place), stamp)
    assert len(durable.ended) == ENDED_MAX
    assert HERE not in durable.ended


def test_second_keys_are_bounded(site: VirtualSite) -> None:
    stamp = Now(0, 0, Trust.FLOOR)
    durable = site.state.durable
    durable = replace(
        durable, aliases={parcel_id_from_bits(n): Alias(HERE, 1, 0) for n in range(1_000, 1_000 + ALIASES_MAX)}
    )
    parcels = {**durable.parcels, ANNOUNCED: Parcel(ANNOUNCED, 1, 0, ParcelState.ANNOUNCED)}
    durable = evolve(replace(durable, parcels=parcels), f.ParcelJoined(parcel=ANNOUNCED, into=HERE), stamp)
    assert len(durable.aliases) == ALIASES_MAX
    assert ANNOUNCED in durable.aliases
    assert parcel_id_from_bits(1_000) not in durable.aliases
