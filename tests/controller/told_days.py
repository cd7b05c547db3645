"""The days that are told, as people live them; what the core makes of them is kept in golden/ and compared to the letter.

Written anew by `python -m tests.controller.told_days`, and then read, not believed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from controller.core import events as e
from controller.core.events import Button
from tests.controller import told_errands, told_families
from tests.controller.telling import Day
from tests.controller.virtual_site import LABEL_OF_PARCEL, SITE_KEY, WALL_MS
from wire import facts as f
from wire.badges import CommandCard, badge_text
from wire.ids import Label, ReachZone, SizeClass, Trust, parcel_id_from_bits
from wire.messages import Command
from wire.pickup import PickupKey, qr_text
from wire.plan import Help, Intent, Plan, Settings, SiteCard

FOLDER: Final = Path(__file__).with_name("golden")
BASSO: Final = badge_text(0xB0)
SECOND: Final = "8N00234584109"
THIRD: Final = "XY123456789FR"

# -------------------------------------------------------------------------------------------------------------- the days


def a_quiet_day() -> Day:
    """Announced, put in, collected, counted as collected; the same slip again. All to the millisecond."""
    day = Day()
    day.description()
    parcel = day.announce(heavy=True, reach=ReachZone.MID, language="ar", help=Help.BLIND, group="g1", carrier="poste")
    day.badge()
    day.badge()
    day.deposit(LABEL_OF_PARCEL)
    day.description()
    day.wait(100_000)
    day.slip(parcel)
    day.slip(parcel)
    day.wait(600)
    day.open("3")
    day.open("3")
    day.wait(7_000)
    day.close("3")
    day.slip(parcel)
    day.wait(4_000)
    day.slip(parcel)
    day.open("3")
    day.wait(3_000)
    day.close("3")
    day.description()
    day.wait(899_999)
    day.wait(1)
    day.slip(parcel)
    day.type(day.site.digits(parcel))
    day.badge()
    day.scan(LABEL_OF_PARCEL)
    day.wait(100_000)
    return day


def a_day_of_doors() -> Day:
    """Doors that stick, spring open, slam, stand open, are forced, or are cut off."""
    day = Day()
    one = day.stored(1)
    two = day.stored(2, SECOND, language="pt")
    day.slip(one)
    day.wait(13_000)
    day.open("1")
    day.wait(1_999)
    day.close("1")
    day.open("1")
    day.wait(2_000)
    day.close("1")
    day.wait(2_000)
    day.open("1")
    day.wait(1)
    day.close("1")
    day.slip(two)
    day.wait(4_000)
    day.open("2")
    day.wait(1_999)
    day.close("2")
    day.wait(1_999)
    day.slip(two)
    day.open("2")
    day.wait(60_000)
    day.slip(one)
    day.wait(14_000)
    day.wait(120_000)
    day.slip(two)
    day.close("2")
    day.open("4")
    day.open("4")
    day.close("4")
    day.wait(200_000)
    day.open("9")
    day.feed(e.PulseFailed(Label("1"), "late"))
    day.description()
    day.wait(1_000_000)
    return day


def a_day_of_slow_doors() -> Day:
    """A door helped by hand before and after its minute, a driver that fails, a switch that reads open for ever."""
    day = Day()
    one, two = day.stored(1), day.stored(2, SECOND)
    day.site.recorder.broken.add("1")
    day.slip(one)
    day.wait(10_000)
    day.site.recorder.broken.clear()
    day.wait(60_000)
    day.slip(one)
    day.wait(12_000)
    day.wait(59_999)
    day.open("1")
    day.wait(5_000)
    day.close("1")
    day.slip(two)
    day.wait(12_000)
    day.wait(60_000)
    day.open("2")
    day.wait(5_000)
    day.close("2")
    day.slip(two)
    day.badge()
    day.press(Button.CHECK, at="2")
    day.wait(13_000)
    day.press(Button.PUT_IN_SERVICE, "checked", "2")
    day.press(Button.TAKE_OUT_OF_SERVICE, "lock", "4")
    day.press(Button.CLEAR_ALARM, "latch_failed", "2")
    day.press(Button.CLEAR_ALARM, "latch_failed", "2")
    day.press(Button.CLEAR_LOCKOUT)
    for call in day.site.state.durable.calls:
        day.press(Button.ANSWER_CALL, call.reason, call.compartment, call.parcel)
    day.press(Button.CHECK, at="3")
    day.site.doors[Label("3")] = day.site.doors[Label("4")]
    day.open("3")
    day.wait(200_000)
    day.close("3")
    day.wait(40_000)
    day.press(Button.CHECK, at="3")
    day.open("3")
    day.wait(3_000)
    day.close("3")
    day.press(Button.NOT_EMPTY)
    return day


def a_day_at_the_desk() -> Day:
    """Sizes, the shelf, bigger, cancel, hand-over, removal, and buttons that do not apply."""
    day = Day()
    announced = day.announce(1, size=None, carrier="dhl")
    for button in Button:
        day.press(button)
    day.badge()
    for button in Button:
        if button not in {Button.SIGN_OUT, Button.DONE}:
            day.press(button)
    day.scan("ZZ12", entropy=5)
    day.press(Button.SIZE, "XXL")
    day.press(Button.SIGN_OUT)
    day.press(Button.CHECK, at="4")
    day.card(CommandCard.CANCEL)
    day.scan("ZZ12")
    day.press(Button.SHELF)
    day.press(Button.BIGGER)
    day.scan(SECOND)
    day.press(Button.DONE)
    day.wait(3_000)
    day.press(Button.SIZE, "M")
    day.scan("ZZ13", entropy=6)
    day.press(Button.DONE)
    day.press(Button.SHELF)
    day.open("3")
    day.press(Button.SHELF)
    day.press(Button.CANCEL)
    day.wait(3_000)
    day.close("3")
    day.press(Button.SHELF)
    day.press(Button.EMPTY)
    day.press(Button.CANCEL)
    day.wait(2_000)
    day.scan("ZZ13", entropy=7)
    day.open("3")
    day.card(CommandCard.BIGGER)
    day.wait(3_000)
    day.close("3")
    day.card(CommandCard.EMPTY)
    day.wait(3_000)
    day.open("4")
    day.wait(3_000)
    day.close("4")
    day.card(CommandCard.CANCEL)
    day.card(CommandCard.NOT_EMPTY)
    day.card(CommandCard.CANCEL)
    day.card(CommandCard.EMPTY)
    day.wait(4_000)
    day.card(CommandCard.SIZE_XL)
    day.scan(LABEL_OF_PARCEL)
    day.press(Button.DONE)
    day.description()
    day.slip(announced)
    day.press(Button.HAND_OVER, parcel=announced)
    for parcel in tuple(day.site.state.durable.parcels):
        day.press(Button.REMOVE, parcel=parcel)
    day.press(Button.SIGN_OUT)
    day.scan("ZZ12")
    return day


def a_day_of_checks() -> Day:
    """Compartments that staff look into: found, not found, somebody's things, not answered, taken out, reopened."""
    day = Day()
    one, two, three = day.stored(1), day.stored(2, SECOND), day.stored(3, THIRD)
    day.badge()
    for label, answer in (("1", Button.NOT_EMPTY), ("2", Button.EMPTY), ("4", Button.NOT_EMPTY), ("3", None)):
        day.wait(3_000)
        day.press(Button.CHECK, at=label)
        day.press(Button.CHECK, at=label)
        day.open(label)
        day.press(Button.SIGN_OUT)
        day.wait(3_000)
        day.close(label)
        if answer is None:
            day.wait(29_999)
            day.wait(1)
        else:
            day.press(answer)
    day.slip(two)
    day.slip(three)
    day.wait(3_000)
    day.press(Button.REMOVE, parcel=one)
    day.open("1")
    day.wait(3_000)
    day.close("1")
    day.press(Button.EMPTY)
    day.wait(3_000)
    day.scan(SECOND)
    day.wait(100_000)
    day.badge()
    day.press(Button.CHECK, at="3")
    day.open("3")
    day.wait(3_000)
    day.close("3")
    day.press(Button.NOT_EMPTY)
    day.press(Button.SIGN_OUT)
    day.wait(3_000)
    day.slip(three)
    day.open("3")
    day.wait(5_000)
    day.close("3")
    day.wait(300_000)
    day.slip(three)
    day.press(Button.DISPUTE, parcel=three)
    day.badge()
    day.press(Button.REOPEN, at="3")
    day.open("3")
    day.wait(5_000)
    day.close("3")
    day.press(Button.CHECK, at="3")
    day.wait(1_500)
    day.press(Button.CHECK, at="3")
    day.open("3")
    day.wait(5_000)
    day.close("3")
    day.press(Button.EMPTY)
    day.press(Button.REOPEN, at="2")
    return day


def a_day_with_power_cuts() -> Day:
    """The power goes in every step of a deposit and of a collection."""
    day = Day()
    one, two = day.stored(1), day.stored(2, SECOND)
    day.slip(one)
    day.restart()
    day.wait(3_000)
    day.slip(one)
    day.open("1")
    day.restart()
    day.wait(1_999)
    day.close("1")
    day.slip(one)
    day.wait(2_000)
    day.slip(two)
    day.open("2")
    day.wait(1_000)
    day.site.close("2")
    day.restart()
    day.slip(two)
    day.open("2")
    day.site.doors[Label("2")] = day.site.doors[Label("4")]
    day.restart()
    day.slip(two)
    day.wait(300_000)
    day.slip(two)
    day.badge()
    day.announce(3, THIRD)
    day.wait(4_000)
    day.scan(THIRD)
    day.restart()
    day.badge()
    day.scan(THIRD)
    day.site.open(day.site.task_compartment())
    day.restart()
    day.close("4")
    day.wait(3_000)
    day.badge()
    day.press(Button.CHECK, at="3")
    day.restart()
    day.site.doors[Label("4")] = day.site.doors[Label("1")]
    day.open("1")
    day.restart()
    day.close("1")
    day.description()
    return day


def a_day_of_codes() -> Day:
    """Typed codes good and bad, until the bucket is empty and again full; slips old, new, foreign, forged, not ready."""
    day = Day()
    one = day.stored(1)
    announced = day.announce(2, SECOND)
    site = day.site
    for _ in range(9):
        day.type("0" * 11 + "0")
    day.type("12345")
    day.type("123456789012")
    day.wait(899_999)
    day.type(site.digits(one))
    day.wait(1)
    day.type(site.digits(one))
    day.open("1")
    day.wait(200_000)
    day.type("0" * 12)
    day.wait(3_000)
    day.close("1")
    day.wait(7_200_000)
    day.type("0" * 12)
    day.slip(announced)
    day.type(site.digits(announced))
    day.slip(announced, 3)
    day.slip(announced, 2)
    day.slip(parcel_id_from_bits(77))
    day.scan(site.slip(one, key=bytes(32)))
    day.scan(site.slip(one, number=8))
    day.scan(site.slip(one, number=9))
    day.scan(qr_text(SITE_KEY, PickupKey(7, one, 1, 5)))
    day.scan("https://example.org")
    day.scan("CG1")
    day.scan(BASSO)
    day.scan(LABEL_OF_PARCEL)
    day.card(CommandCard.DONE)
    return day


def a_day_of_many_people() -> Day:
    """Two slips at once, more than may wait, a badge in between, a recall, a door of staff."""
    day = Day()
    one, two, three = day.stored(1), day.stored(2, SECOND, language="uk"), day.stored(3, THIRD)
    day.slip(one)
    for other in (two, three, two):
        day.slip(other)
    day.open("1")
    day.wait(4_000)
    day.close("1")
    day.wait(1_000)
    day.open("2")
    for number in range(6):
        day.slip(three)
        day.type(day.site.digits(three))
        day.wait(3_000 + number)
    day.wait(180_000)
    day.close("2")
    day.plan(parcels=(msgspec.structs.replace(day.site.planned[three], intent=Intent.RECALL),))
    day.slip(three)
    day.wait(10_000)
    day.slip(three)
    day.badge()
    return day


def a_day_of_the_hub() -> Day:
    """Plans, acknowledgements, commands, links, clocks: everything the hub and the machine say."""
    day = Day()
    held = day.stored(1)
    announced = day.announce(2, SECOND)
    day.plan()
    day.plan()
    day.plan(site="elsewhere")
    day.plan(parcels=(day.site.planned[held], day.site.planned[held]))
    day.feed(e.PlanArrived(Plan(site=day.site.setup.site, incarnation=1, revision=99, hash="no")))
    changes: tuple[dict[str, object], ...] = (
        {"size": SizeClass.M}, {"heavy": True}, {"reach": ReachZone.LOW}, {"language": "ta"}, {"help": Help.DEAF},
        {"group": "g"}, {"intent": Intent.RECALL}, {"version": 3}, {"version": 4, "epoch": 2}, {"tracking": "T1234"},
        {"carrier": "c"},
    )  # fmt: skip
    for change in changes:
        for parcel in (held, announced):
            day.site.planned[parcel] = msgspec.structs.replace(day.site.planned[parcel], **change)
        day.plan()
    day.plan(incarnation=2, revision=1, parcels=())
    day.plan(incarnation=1)
    day.plan(
        incarnation=2, revision=2, people=(), sites=(SiteCard(number=8, name="Colombes"),), settings=Settings(nag_ms=1)
    )
    for incarnation, seq in ((1, 3), (1, 2), (2, 1), (1, 9), (2, 500), (2, 500), (2, 400), (3, 600), (3, 2)):
        day.feed(e.AckArrived(incarnation, seq))
    for number, (verb, life_ms, late_ms, trust) in enumerate(
        (
            ("rebirth", 30_000, 0, Trust.NTP),
            ("identify", 30_000, 30_000, Trust.HUB),
            ("identify", 30_001, 0, Trust.NTP),
            ("rebirth", 10_000, 10_001, Trust.HUB),
            ("rebirth", 10_000, 10_001, Trust.NTP),
            ("rebirth", 10_000, 10_001, Trust.FLOOR),
            ("open", 1, 0, Trust.UNSET),
        )
    ):
        day.site.clock.trust = trust
        issued = day.site.clock.wall_ms - late_ms
        command = Command(id=f"command-{number}", verb=verb, issued_at_ms=issued, expires_at_ms=issued + life_ms)
        for _ in range(2):
            day.feed(e.CommandArrived(command))
    for event in (
        e.HubLink(up=True), e.HubPresent(online=True), e.HubLink(up=False), e.HubPresent(online=False),
        e.ScannerLink(up=True), e.ScannerLink(up=False), e.ScannerLink(up=False), e.ScannerLink(up=True),
        e.ClockStepped(WALL_MS, WALL_MS + 9, Trust.HUB), e.Stopping(),
    ):  # fmt: skip
        day.feed(event)
    day.description()
    return day


def a_day_of_second_keys() -> Day:
    """The desk was first, the hub announces the same number: one parcel, two keys, collected by the second."""
    day = Day()
    day.badge()
    day.press(Button.SIZE, "S")
    day.deposit(LABEL_OF_PARCEL, entropy=55)
    day.deposit(SECOND, entropy=56)
    day.press(Button.SIGN_OUT)
    second = day.announce(1, language="ar", help=Help.ASSISTED, group="g", reach=ReachZone.HIGH, carrier="poste")
    day.announce(1)
    day.announce(3, SECOND, version=2)
    day.slip(second, 1)
    day.open("1")
    day.wait(5_000)
    day.close("1")
    day.slip(second, 3)
    day.wait(900_000)
    day.slip(second, 3)
    day.site.announce(4, SECOND)
    day.tell("the same number again")
    day.announce(1, version=7)
    day.restart()
    day.description()
    return day


def a_day_of_another_past() -> Day:
    """A card from an older day: the hub knows more than the journal."""
    day = Day()
    one = day.stored(1)
    two = day.stored(2, SECOND)
    day.feed(e.AckArrived(1, day.site.recorder.last_seq + 5))
    day.slip(one)
    day.badge()
    for label, answer in (("1", Button.NOT_EMPTY), ("2", Button.EMPTY)):
        day.press(Button.CHECK, at=label)
        day.open(label)
        day.wait(3_000)
        day.close(label)
        day.press(answer)
        day.wait(3_000)
    day.slip(one)
    day.slip(two)
    day.restart()
    return day


def a_day_of_facts() -> Day:
    """Facts of an older version, or of another past: whatever they say, the fold goes on."""
    day = Day()
    day.stored(1)
    parcel = parcel_id_from_bits(1)
    odd: tuple[f.AnyFact, ...] = (
        f.ParcelStored(parcel=parcel, place=f.Place(kind=day.site.parcel(parcel).place.kind, name="2"), session="x", by="p"),  # type: ignore[union-attr]
        f.CompartmentReserved(compartment=Label("4"), parcel=parcel, session="9.7"),
        f.ReservationReleased(compartment=Label("4"), parcel=parcel, session="9.7", verified_empty=True),
        f.ParcelDisputed(parcel=parcel, reason="r"),
        f.KeyReplaced(parcel=parcel, version=9, epoch=2, source="slip"),
        f.DoorOpened(compartment=Label("9")),
        f.StaffSignedIn(person="nobody", session="1.44"),
        f.StaffCalled(reason="help"),
        f.SlipRefused(parcel=parcel, version=1, reason="r"),
        f.ParcelReceived(
            parcel=parcel_id_from_bits(8), tracking="T", carrier="c", source="desk", key_version=2, key_epoch=1,
            session="s", by="p",
        ),
        f.ParcelReceived(
            parcel=parcel_id_from_bits(9), tracking="U", carrier="c", source="plan", key_version=2, key_epoch=1,
            session="s", by="p",
        ),
        f.ParcelRemoved(parcel=parcel_id_from_bits(8)),
        f.ParcelCollected(parcel=parcel, place=f.Place(kind=day.site.parcel(parcel).place.kind, name="2")),  # type: ignore[union-attr]
    )  # fmt: skip
    for fact in odd:
        day.site.recorder.facts.append(fact)
        day.restart()
    return day


DAYS: Final[dict[str, Callable[[], Day]]] = {
    day.__name__: day
    for day in (
        a_quiet_day, a_day_of_doors, a_day_of_slow_doors, a_day_at_the_desk, a_day_of_checks, a_day_with_power_cuts,
        a_day_of_codes, a_day_of_many_people, a_day_of_the_hub, a_day_of_second_keys, a_day_of_another_past, a_day_of_facts,
        told_errands.a_day_of_senders, told_errands.a_day_of_senders_let_down, told_errands.a_day_of_couriers,
        told_errands.a_day_of_retrieval, told_errands.a_day_of_words, told_errands.a_day_of_wrong_doors,
        told_errands.a_day_of_room, told_errands.a_day_from_afar,
        told_families.a_day_of_a_family, told_families.a_day_of_a_family_and_a_stranger, told_families.a_day_of_loading,
        told_families.a_day_of_a_blind_switch, told_families.a_day_of_a_pin, told_families.a_day_of_guesses,
        told_families.a_day_of_second_thoughts,
    )
}  # fmt: skip


def main() -> int:
    """Write every day anew."""
    FOLDER.mkdir(exist_ok=True)
    for name, day in DAYS.items():
        (FOLDER / f"{name}.txt").write_text("\n".join(day().lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
