"""Days with more than one of a kind: several parcels of one recipient, doors tried one after the other, a switch that says nothing.

Owns these days alone; `told_days` keeps and compares them as it does the others.
"""

from __future__ import annotations

from typing import Final

from controller.core import events as e
from controller.core.events import Button
from tests.controller.telling import Day
from tests.controller.virtual_site import BADGE, LABEL_OF_PARCEL
from wire.badges import CommandCard, badge_digest, pin_digest
from wire.ids import IdentityCheck, Label, Motive, ReachZone, SizeClass, parcel_id_from_bits
from wire.plan import Intent, Person

SECOND: Final = "8N00234584109"
THIRD: Final = "XY123456789FR"
READ_AGAIN_MS: Final = 4_000
"""Longer than a reader in continuous mode repeats a text."""


def _shut(day: Day, label: str, open_ms: int = 3_000) -> None:
    day.open(label)
    day.wait(open_ms)
    day.close(label)


def _together(day: Day, *parcels: tuple[int, str, SizeClass]) -> None:
    """Parcels of one recipient, put in one after the other."""
    for bits, tracking, size in parcels:
        day.announce(bits, tracking, size=size, group="g")
    day.badge()
    for _, tracking, _ in parcels:
        day.scan(tracking)
        task = day.site.state.live.task
        if task is not None and task.compartment is not None:
            _shut(day, task.compartment)
            day.wait(READ_AGAIN_MS)
        else:
            day.press(Button.DONE)
    day.press(Button.SIGN_OUT)


def a_day_of_a_family() -> Day:
    """One slip, all doors of its recipient: one after the other, one at the desk, one that fails, one that is complained about."""
    day = Day()
    _together(
        day, (1, LABEL_OF_PARCEL, SizeClass.S), (2, SECOND, SizeClass.S), (3, THIRD, SizeClass.M),
        (4, "ZZ14", SizeClass.XL),
    )  # fmt: skip
    first, second, third, shelf = (parcel_id_from_bits(bits) for bits in (1, 2, 3, 4))
    day.slip(second)
    day.slip(first)
    day.open("2")
    day.slip(second)
    day.wait(3_000)
    day.close("2")
    day.wait(14_000)
    _shut(day, "3")
    day.wait(READ_AGAIN_MS)
    day.slip(second)
    day.wait(2_000)
    day.open("1")
    day.press(Button.DAMAGED, at="1")
    day.wait(2_000)
    day.close("1")
    day.wait(READ_AGAIN_MS)
    day.slip(third)
    day.wait(1_000_000)
    day.slip(second)
    day.badge()
    day.press(Button.HAND_OVER, parcel=shelf)
    day.wait(READ_AGAIN_MS)
    day.slip(second)
    day.description()
    return day


def a_day_of_a_family_and_a_stranger() -> Day:
    """A family and a stranger at once; then more for the family: a recall, staff at a door, one left open, a power cut."""
    day = Day()
    _together(day, (1, LABEL_OF_PARCEL, SizeClass.S), (2, SECOND, SizeClass.S), (3, THIRD, SizeClass.M))
    other = day.stored(4, "ZZ14", size=SizeClass.L)
    first, second = parcel_id_from_bits(1), parcel_id_from_bits(2)
    day.slip(first)
    day.slip(other)
    _shut(day, "1")
    day.wait(2_000)
    _shut(day, "2")
    day.wait(2_000)
    _shut(day, "3")
    day.wait(2_000)
    _shut(day, "4")
    day.wait(1_000_000)
    _together(day, (5, "ZZ15", SizeClass.S), (6, "ZZ16", SizeClass.S), (7, "ZZ17", SizeClass.M))
    day.announce(7, "ZZ17", size=SizeClass.M, group="g", intent=Intent.RECALL)
    fifth = parcel_id_from_bits(5)
    day.badge()
    day.press(Button.CHECK, at="2")
    day.slip(fifth)
    day.open("2")
    day.wait(3_000)
    day.close("2")
    day.press(Button.NOT_EMPTY)
    day.wait(READ_AGAIN_MS)
    day.slip(fifth)
    day.open("1")
    day.wait(200_000)
    day.close("1")
    day.wait(READ_AGAIN_MS)
    day.slip(fifth)
    day.open("2")
    day.restart()
    day.close("2")
    day.wait(READ_AGAIN_MS)
    day.slip(fifth)
    day.slip(first)
    day.slip(second)
    day.description()
    return day


def a_day_of_loading() -> Day:
    """A label read twice, one that is gone, another door open, the wind, too small twice, a driver that fails, the disk full, taken back."""
    day = Day()
    day.badge()
    day.press(Button.SIZE, "S")
    day.deposit(LABEL_OF_PARCEL, entropy=1)
    day.scan(LABEL_OF_PARCEL)
    day.press(Button.CANCEL)
    day.press(Button.NOT_EMPTY)
    day.wait(READ_AGAIN_MS)
    day.scan(SECOND, 2)
    _shut(day, "2", 500)
    day.press(Button.NOT_EMPTY)
    day.wait(READ_AGAIN_MS)
    day.scan(SECOND, 2)
    day.press(Button.CANCEL)
    day.press(Button.REMOVE, parcel=parcel_id_from_bits(2))
    day.press(Button.EMPTY)
    day.wait(READ_AGAIN_MS)
    day.scan(SECOND, 3)
    day.scan(THIRD, 4)
    day.wait(READ_AGAIN_MS)
    for _ in range(3):
        task = day.site.state.live.task
        if task is None or task.compartment is None:
            break
        day.press(Button.BIGGER)
        _shut(day, task.compartment)
        day.press(Button.EMPTY)
        day.wait(2_000)
    day.press(Button.MAKE_ROOM)
    day.press(Button.DONE)
    day.site.recorder.broken.add("1")
    day.scan("ZZ15", 5)
    day.site.recorder.broken.clear()
    day.press(Button.SIZE, "M")
    day.wait(2_000)
    day.press(Button.SIZE, "M")
    day.press(Button.CANCEL)
    day.wait(13_000)
    day.feed(e.DiskRoom(short=True))
    day.scan("ZZ16", 6)
    day.card(CommandCard.UNIDENTIFIED)
    day.feed(e.DiskRoom(short=False))
    day.open("4")
    day.wait(READ_AGAIN_MS)
    day.scan("ZZ16", 6)
    day.close("4")
    day.announce(7, "ZZ17", reach=ReachZone.MID, heavy=True)
    day.scan("ZZ17")
    day.press(Button.DONE)
    day.description()
    return day


def a_day_of_a_blind_switch() -> Day:
    """A cut wire reads open for hours: the latch fires, the parcel is collected, staff look, the hub asks; then it is repaired."""
    day = Day()
    one = day.stored(1)
    day.open("1")
    day.wait(100_000)
    day.slip(one)
    day.wait(70_000)
    day.badge()
    day.press(Button.CHECK, at="1")
    day.wait(5_000)
    day.press(Button.NOT_EMPTY)
    day.press(Button.SIGN_OUT)
    day.wait(7_300_000)
    day.slip(one)
    day.wait(70_000)
    day.badge()
    day.press(Button.CHECK, at="1")
    day.wait(5_000)
    day.press(Button.EMPTY)
    day.close("1")
    day.press(Button.PUT_IN_SERVICE, "repaired", "1")
    for alarm in ("sensor_suspect", "door_forced"):
        day.press(Button.CLEAR_ALARM, alarm, "1")
    day.description()
    return day


def a_day_of_a_pin() -> Day:
    """A badge with a PIN: asked before a door that may hold something, wrong until it has to wait, right, and asked anew of the next session."""
    day = Day()
    one = day.stored(1)
    day.plan(people=(Person(id="amina", role="concierge", badge=badge_digest(BADGE), pin=pin_digest(BADGE, "4071")),))
    day.feed(e.PinTyped("4071"))
    day.badge()
    day.feed(e.PinTyped("4071"))
    day.press(Button.CHECK, at="4")
    day.wait(13_000)
    day.press(Button.CHECK, at="1")
    day.press(Button.CANCEL)
    day.press(Button.REMOVE, parcel=one)
    for _ in range(6):
        day.feed(e.PinTyped("0000"))
    day.wait(60_000)
    day.press(Button.CHECK, at="1")
    day.wait(1_740_000)
    day.badge()
    day.feed(e.AssistAsked(one, Motive.CANNOT_REACH, IdentityCheck.KNOWN, present=False))
    day.feed(e.PinTyped("4071"))
    _shut(day, "1")
    day.press(Button.SIGN_OUT)
    day.wait(READ_AGAIN_MS)
    day.badge()
    day.press(Button.KEY_OPENING, at="1")
    day.press(Button.TAKE_OUT_OF_SERVICE, "lock", "4")
    day.press(Button.TAKE_OUT_OF_SERVICE, "lock", "1")
    day.feed(e.Touched(busy=False))
    day.feed(e.PinTyped("4071"))
    day.feed(e.SwitchChatters(Label("1")))
    day.description()
    return day


def a_day_of_guesses() -> Day:
    """Nobody knows behind which of two doors it lies; a key used before a word was said, and one that was never used."""
    day = Day()
    day.stored(1)
    day.badge()
    day.announce(2, SECOND)
    for answer in (Button.EMPTY, Button.CANCEL, Button.NOT_EMPTY, None):
        day.scan(SECOND)
        task = day.site.state.live.task
        if task is None or task.compartment is None:
            break
        day.open(task.compartment)
        day.open("1")
        day.wait(3_000)
        day.close("1")
        day.close(task.compartment)
        if answer is None:
            day.wait(31_000)
        else:
            day.press(answer)
        day.wait(READ_AGAIN_MS)
    day.open("1")
    day.wait(10_000)
    day.press(Button.KEY_OPENING, at="1")
    day.close("1")
    day.press(Button.NOT_EMPTY)
    day.press(Button.CLEAR_ALARM, "door_forced", "1")
    day.open("1")
    day.wait(1_000)
    day.close("1")
    day.press(Button.KEY_OPENING, at="1")
    day.press(Button.EMPTY)
    day.press(Button.KEY_OPENING, at="1")
    day.wait(181_000)
    day.description()
    return day


def a_day_of_second_thoughts() -> Day:
    """Low, heavy and nameless are said when the door stands open already: the parcel comes out again, and lies where it should."""
    day = Day()
    for bits, (tracking, button) in enumerate(
        ((LABEL_OF_PARCEL, Button.LOW), (SECOND, Button.HEAVY), (THIRD, Button.UNIDENTIFIED)), 1
    ):
        day.badge()
        day.announce(bits, tracking)
        day.scan(tracking)
        for _ in range(2):
            task = day.site.state.live.task
            if task is None or task.compartment is None:
                break
            day.open(task.compartment)
            day.press(button)
            day.press(button)
            day.wait(3_000)
            day.close(task.compartment)
            day.press(Button.EMPTY)
            day.wait(READ_AGAIN_MS)
        day.press(Button.IDENTIFIED, parcel=parcel_id_from_bits(bits))
        day.press(Button.DONE)
    day.description()
    return day
