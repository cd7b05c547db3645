"""What a receipt is drawn from: every deposit with its own line of the journal, and none that was taken back (S-07)."""

from __future__ import annotations

from dataclasses import replace

from controller.core import deposits
from controller.core.deposit import Deposit
from controller.core.deposits import DEPOSITS_MAX, read_back, remembered, sealed
from controller.core.events import Button
from controller.core.model import Now, Parcel, in_compartment, on_shelf
from controller.core.notices import StaffNoticeKind
from tests.controller.virtual_site import BADGE, LABEL_OF_PARCEL, VirtualSite
from wire import facts as f
from wire.badges import CommandCard, badge_digest, badge_text
from wire.ids import Label, ParcelId, ParcelState, SizeClass, Trust, parcel_id_from_bits
from wire.plan import Person, Role

NEXT = "8N00234584999"


def load(site: VirtualSite, tracking: str, entropy: int) -> str:
    """A parcel behind a door; the door's label."""
    site.scan(tracking, entropy)
    label = site.task_compartment()
    site.open(label)
    site.wait(3_000)
    site.close(label)
    site.wait(3_000)
    return label


def own(site: VirtualSite) -> list[str]:
    return [each.deposit.tracking for each in site.view().staff.deposits if each.own]


def earlier(site: VirtualSite) -> list[str]:
    return [each.deposit.tracking for each in site.view().staff.deposits if not each.own]


def test_each_deposit_names_its_own_line_of_the_journal_and_the_chain_there(site: VirtualSite) -> None:
    site.announce(1, LABEL_OF_PARCEL, carrier="La Poste", heavy=True, size=SizeClass.M)
    site.sign_in()
    site.card(CommandCard.DAMAGED)
    label = load(site, LABEL_OF_PARCEL, 1)
    site.card(CommandCard.SIZE_S)
    load(site, NEXT, 2)
    first, second = [each.deposit for each in site.view().staff.deposits]
    for deposit in (first, second):
        fact = site.recorder.facts[deposit.seq - 1]
        assert isinstance(fact, f.ParcelStored)
        assert (fact.parcel, fact.place, fact.by) == (deposit.parcel, deposit.place, "amina")
        assert deposit.hash == site.recorder.hash_at(deposit.seq)
        assert deposit.at_ms == site.recorder.stamps[deposit.seq - 1]
    assert (first.carrier, first.size, first.heavy, first.damaged) == ("La Poste", "M", True, True)
    assert (first.place, first.trust) == (in_compartment(Label(label)), Trust.NTP)
    assert (second.carrier, second.size, second.heavy, second.damaged) == ("", "S", False, False), (
        "the word counts once"
    )


def test_damaged_is_said_of_the_parcel_in_hand_too_and_taken_back_when_said_again(site: VirtualSite) -> None:
    site.sign_in()
    site.scan(NEXT, 2)
    site.press(Button.ARRIVED_DAMAGED)
    task = site.view().staff.task
    assert task is not None
    assert task.needs.damaged
    site.press(Button.ARRIVED_DAMAGED)
    said = [fact.damaged for fact in site.recorder.facts if isinstance(fact, f.ParcelNoted)]
    assert said == [True, False]
    assert [fact.heavy for fact in site.recorder.facts if isinstance(fact, f.ParcelNoted)] == [None, None]
    site.press(Button.ARRIVED_DAMAGED)
    site.press(Button.SHELF)
    site.press(Button.DONE)
    (deposit,) = [each.deposit for each in site.view().staff.deposits]
    assert (deposit.damaged, deposit.size, deposit.place.name) == (True, "", "E1")


def test_what_was_cancelled_or_taken_out_again_has_no_receipt(site: VirtualSite) -> None:
    site.sign_in()
    site.card(CommandCard.SIZE_S)
    load(site, LABEL_OF_PARCEL, 1)
    load(site, NEXT, 2)
    assert own(site) == [LABEL_OF_PARCEL, NEXT]
    site.press(Button.CANCEL)
    site.press(Button.EMPTY)
    assert own(site) == [LABEL_OF_PARCEL]
    known = parcel_id_from_bits(1)
    place = site.parcel(known).place
    assert place is not None
    site.press(Button.REMOVE, parcel=known)
    site.open(place.name)
    site.wait(3_000)
    site.close(place.name)
    site.press(Button.EMPTY)
    assert site.view().staff.notice is not None
    assert site.view().staff.notice.kind is StaffNoticeKind.REMOVED  # type: ignore[union-attr]
    assert own(site) == []


def test_a_parcel_collected_before_the_load_is_over_was_a_deposit_all_the_same(site: VirtualSite) -> None:
    site.announce(1)
    site.sign_in()
    label = load(site, LABEL_OF_PARCEL, 1)
    site.scan(site.slip(parcel_id_from_bits(1)))
    site.open(label)
    site.wait(3_000)
    site.close(label)
    assert own(site) == [LABEL_OF_PARCEL], "being collected"
    for _ in range(12):
        site.wait(80_000)
        site.press(Button.SIZE, "S")
    assert site.state.durable.ended[parcel_id_from_bits(1)].state is ParcelState.COLLECTED
    assert own(site) == [LABEL_OF_PARCEL]


def test_put_in_again_is_one_deposit_not_two(site: VirtualSite) -> None:
    site.sign_in()
    site.card(CommandCard.SIZE_S)
    load(site, LABEL_OF_PARCEL, 1)
    site.press(Button.CANCEL)
    site.press(Button.NOT_EMPTY)
    site.scan(NEXT, 2)
    assert own(site) == [LABEL_OF_PARCEL]


def test_those_who_may_look_see_what_was_put_in_before_them_and_nobody_sees_anything_signed_out(
    site: VirtualSite,
) -> None:
    courier, mediator = badge_text(0xC0), badge_text(0xED)
    site.others = (
        Person(id="karim", role=Role.COURIER, badge=badge_digest(courier), carrier="poste"),
        Person(id="mina", role=Role.MEDIATOR, badge=badge_digest(mediator)),
    )
    site.publish_plan()
    site.stored(1, carrier="dhl")
    assert site.view().staff.deposits == ()
    assert deposits.shown(site.state) == ()
    assert site.view().staff.session == ""
    for badge, may_see in ((mediator, [LABEL_OF_PARCEL]), (courier, []), (BADGE, [LABEL_OF_PARCEL])):
        site.scan(badge)
        assert (own(site), earlier(site)) == ([], may_see)
        assert site.view().staff.session
        site.press(Button.SIGN_OUT)


def test_a_deposit_of_nobody_here_or_of_a_parcel_nobody_knows_is_no_session_s(site: VirtualSite) -> None:
    fact, now, seq, chain = line(1, on_shelf("E1"), 3)
    assert sealed(site.state, fact, now, seq, chain) is None
    site.announce(1)
    for sign_in in (False, True):
        if sign_in:
            site.sign_in()
        deposit = sealed(site.state, fact, now, seq, chain)
        assert deposit is not None
        assert bool(deposit.session) == sign_in
        other = sealed(
            site.state, f.ParcelStored(parcel=fact.parcel, place=fact.place, session="s", by="mina"), now, 3, ""
        )
        assert other is not None
        assert other.session == ""


def a_parcel(bits: int, **changes: object) -> Parcel:
    return Parcel(parcel_id_from_bits(bits), 1, 0, ParcelState.STORED, tracking=f"T{bits}", **changes)  # type: ignore[arg-type]


def line(bits: int, place: f.Place, seq: int) -> tuple[f.ParcelStored, Now, int, str]:
    fact = f.ParcelStored(parcel=parcel_id_from_bits(bits), place=place, session="s", by="amina")
    return fact, Now(0, seq * 1_000, Trust.FLOOR), seq, f"{seq:064x}"


def test_after_a_restart_they_are_read_back_from_the_journal(site: VirtualSite) -> None:
    shelf = a_parcel(2, size=SizeClass.XL, place=on_shelf("E1"))
    durable = site.state.durable
    known = {each.id: each for each in (a_parcel(1, place=in_compartment(Label("2"))), shelf)}
    lines = [
        line(1, in_compartment(Label("1")), 4),
        line(9, on_shelf("E1"), 5),
        line(2, on_shelf("E1"), 6),
        line(2, in_compartment(Label("77")), 7),
        line(1, in_compartment(Label("2")), 8),
    ]
    found = read_back(site.setup, replace(durable, parcels=known), lines)
    assert [(each.tracking, each.place.name, each.size, each.seq) for each in found] == [
        ("T2", "E1", "XL", 6),
        ("T1", "2", "S", 8),
    ], "who has left, and a door that is no longer here, have none; the newest counts"
    assert (found[0].at_ms, found[0].trust) == (6_000, Trust.FLOOR)


def test_only_so_many_are_remembered_and_fewer_of_others_are_shown(site: VirtualSite) -> None:
    found: tuple[Deposit, ...] = ()
    for number in range(1, DEPOSITS_MAX + 11):
        one = line(number, on_shelf("E1"), number)
        (deposit,) = read_back(
            site.setup, replace(site.state.durable, parcels={one[0].parcel: a_parcel(number)}), [one]
        )
        found = remembered(found, deposit)
    assert [each.seq for each in found] == list(range(11, DEPOSITS_MAX + 11))
    site.sign_in()
    parcels = {parcel_id_from_bits(n): a_parcel(n, place=on_shelf("E1")) for n in range(1, DEPOSITS_MAX + 11)}
    state = site.state
    state = replace(state, live=replace(state.live, deposits=found), durable=replace(state.durable, parcels=parcels))
    assert len(deposits.shown(state)) == 30
    missing: dict[ParcelId, Parcel] = {}
    assert deposits.shown(replace(state, durable=replace(state.durable, parcels=missing))) == ()
