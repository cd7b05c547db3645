"""Days on which people come for something else than their own parcel: they hand one in, fetch what leaves, put right what went wrong.

Owns these days alone; `told_days` keeps and compares them as it does the others.
"""

from __future__ import annotations

from typing import Final

from controller.core import events as e
from controller.core.events import Button
from tests.controller.senders import RETURN_LABEL, slip
from tests.controller.telling import Day
from tests.controller.virtual_site import LABEL_OF_PARCEL, NUMBER, SITE_KEY
from wire.badges import CommandCard, badge_digest, badge_text
from wire.ids import IdentityCheck, Label, Motive, ParcelId, ReachZone, SizeClass, parcel_id_from_bits
from wire.mandate import mandate_text
from wire.messages import Command
from wire.pickup import PickupKey
from wire.plan import Help, Intent, Person

SECOND: Final = "8N00234584109"
THIRD: Final = "XY123456789FR"
KARIM: Final = badge_text(0x4B41)
OTTO: Final = badge_text(0x4F54)
READ_AGAIN_MS: Final = 4_000
"""Longer than a reader in continuous mode repeats a text."""


def _sending(day: Day, parcel: ParcelId) -> None:
    day.scan(slip(parcel))


def _shut(day: Day, label: str, open_ms: int = 3_000) -> None:
    day.open(label)
    day.wait(open_ms)
    day.close(label)


def _issued(day: Day, tracking: str, bits: int) -> ParcelId:
    day.press(Button.SENDING, "poste")
    day.scan(tracking, bits)
    return parcel_id_from_bits(bits)


def a_day_of_senders() -> Day:
    """Slips for handing in are made, and used: a size, one too small, *inside*, *not inside*, no answer, and none at all."""
    day = Day()
    here = day.stored(9, SECOND)
    day.badge()
    day.press(Button.SENDING, "poste")
    day.press(Button.SENDING, "poste")
    day.press(Button.HEAVY)
    one = _issued(day, RETURN_LABEL, 1)
    day.wait(READ_AGAIN_MS)
    _issued(day, RETURN_LABEL, 2)
    _issued(day, SECOND, 3)
    day.press(Button.SENDING, "dhl")
    day.press(Button.LOW)
    day.scan("ZZ12", 4)
    two = parcel_id_from_bits(4)
    day.feed(e.DiskRoom(short=True))
    _issued(day, THIRD, 5)
    _sending(day, one)
    day.feed(e.DiskRoom(short=False))
    day.press(Button.SIGN_OUT)
    day.wait(READ_AGAIN_MS)
    _sending(day, one)
    day.press(Button.SEND_SIZE, "S", parcel=two)
    day.press(Button.SEND_SIZE, "XXL", parcel=one)
    day.press(Button.SEND_INSIDE, parcel=one)
    day.press(Button.SEND_CANCEL, parcel=one)
    day.wait(READ_AGAIN_MS)
    _sending(day, one)
    day.press(Button.SEND_SIZE, "S", parcel=one)
    day.press(Button.SEND_BIGGER, parcel=one)
    day.open("2")
    day.press(Button.SEND_BIGGER, parcel=one)
    day.press(Button.SEND_BIGGER, parcel=one)
    day.wait(3_000)
    day.close("2")
    _shut(day, "3")
    day.press(Button.SEND_INSIDE, parcel=one)
    day.wait(READ_AGAIN_MS)
    _sending(day, one)
    _sending(day, two)
    day.press(Button.SEND_SIZE, "M", parcel=two)
    _shut(day, "4")
    day.press(Button.SEND_NOT_INSIDE, parcel=two)
    day.wait(READ_AGAIN_MS)
    _sending(day, two)
    _sending(day, here)
    _sending(day, parcel_id_from_bits(77))
    day.wait(100_000)
    day.badge()
    day.press(Button.RETRIEVE)
    day.open("3")
    day.wait(3_000)
    day.scan(RETURN_LABEL)
    day.close("3")
    day.press(Button.EMPTY)
    day.press(Button.SIGN_OUT)
    day.wait(READ_AGAIN_MS)
    _sending(day, one)
    day.description()
    return day


def a_day_of_senders_let_down() -> Day:
    """Doors that stay shut, another door that moves, one that springs open, nobody who answers, a power cut, no room left."""
    day = Day()
    day.badge()
    one, two, three = (_issued(day, f"ZZ1{bits}", bits) for bits in (1, 2, 3))
    day.press(Button.SIGN_OUT)
    _sending(day, one)
    day.wait(200_000)
    _sending(day, one)
    day.press(Button.SEND_SIZE, "S", parcel=one)
    day.wait(30_000)
    day.badge()
    for label in ("2", "3"):
        day.press(Button.PUT_IN_SERVICE, "checked", label)
    day.press(Button.SIGN_OUT)
    _sending(day, one)
    day.press(Button.SEND_SIZE, "S", parcel=one)
    day.open("2")
    day.open("4")
    _sending(day, two)
    day.wait(3_000)
    day.close("4")
    day.close("2")
    day.press(Button.SEND_INSIDE, parcel=one)
    day.wait(READ_AGAIN_MS)
    _sending(day, two)
    day.press(Button.SEND_SIZE, "S", parcel=two)
    _shut(day, "3")
    day.wait(300)
    day.open("3")
    day.wait(3_000)
    day.close("3")
    day.wait(200_000)
    _sending(day, three)
    day.press(Button.SEND_SIZE, "S", parcel=three)
    day.open("1")
    day.wait(200_000)
    day.restart()
    day.close("1")
    day.wait(READ_AGAIN_MS)
    _sending(day, three)
    day.badge()
    for label in ("1", "2", "3"):
        day.press(Button.CHECK, at=label)
        _shut(day, label)
        day.press(Button.EMPTY)
        day.wait(READ_AGAIN_MS)
    day.press(Button.SIGN_OUT)
    for label in ("1", "2", "3", "4"):
        day.site.out_of_service(label)
    _sending(day, three)
    day.description()
    return day


def _with_couriers(day: Day) -> None:
    day.site.others = (
        Person(id="karim", role="courier", badge=badge_digest(KARIM), carrier="laposte"),
        Person(id="otto", role="courier", badge=badge_digest(OTTO), carrier="ups"),
    )
    day.site.publish_plan()
    day.tell("two couriers have badges")


def a_day_of_couriers() -> Day:
    """A drop with what differs, one of another carrier, no room, an open door, a receipt; then what they take away again."""
    day = Day()
    _with_couriers(day)
    mine = day.announce(1, LABEL_OF_PARCEL, carrier="La Poste")
    day.announce(2, SECOND, carrier="ups")
    day.announce(3, THIRD, carrier="laposte")
    day.announce(4, "ZZ14", carrier="laposte", size=SizeClass.XL)
    day.scan(KARIM)
    day.deposit(LABEL_OF_PARCEL)
    day.scan(SECOND)
    day.press(Button.SIZE, "S")
    day.deposit("ZZ15", entropy=15)
    day.scan("ZZ14")
    day.press(Button.SIGN_OUT)
    day.press(Button.NOT_THERE)
    day.scan("ZZ16", entropy=16)
    day.press(Button.SIZE, "M")
    day.open("3")
    day.press(Button.SIGN_OUT)
    day.scan(OTTO)
    day.wait(3_000)
    day.press(Button.SHELF)
    day.close("3")
    day.press(Button.SIGN_OUT)
    day.press(Button.EMPTY)
    day.press(Button.DONE)
    day.press(Button.DONE)
    day.description()
    day.wait(READ_AGAIN_MS)
    day.scan("ZZ17", entropy=17)
    _shut(day, "3")
    day.wait(READ_AGAIN_MS)
    day.press(Button.SIGN_OUT)
    day.announce(1, LABEL_OF_PARCEL, carrier="La Poste", intent=Intent.RECALL)
    day.announce(2, SECOND, carrier="ups", intent=Intent.RECALL)
    day.wait(READ_AGAIN_MS)
    day.scan(OTTO)
    day.press(Button.RETRIEVE)
    day.press(Button.RETRIEVE, parcel=mine)
    day.press(Button.SIGN_OUT)
    day.wait(READ_AGAIN_MS)
    day.scan(KARIM)
    day.press(Button.RETRIEVE)
    day.open("1")
    day.wait(3_000)
    day.scan(SECOND)
    day.close("1")
    day.press(Button.NOT_THERE)
    day.press(Button.SIGN_OUT)
    day.wait(1_000_000)
    day.description()
    return day


def a_day_of_retrieval() -> Day:
    """What leaves: behind doors and on the shelf, the wrong label, put back, not there, one that is given more days."""
    day = Day()
    parcels = [(1, LABEL_OF_PARCEL), (2, SECOND), (3, THIRD)]
    for bits, tracking in parcels:
        day.stored(bits, tracking)
    day.announce(4, "ZZ14", size=SizeClass.XL)
    day.announce(5, "ZZ15", size=SizeClass.XL)
    day.badge()
    for tracking in ("ZZ14", "ZZ15"):
        day.scan(tracking)
        day.press(Button.DONE)
    for bits, tracking in (*parcels, (4, "ZZ14"), (5, "ZZ15")):
        day.announce(bits, tracking, intent=Intent.RECALL)
    day.press(Button.RETRIEVE, parcel=parcel_id_from_bits(99))
    day.press(Button.NOT_THERE)
    day.press(Button.RETRIEVE)
    day.press(Button.RETRIEVE)
    day.open("1")
    day.press(Button.CANCEL)
    day.press(Button.EMPTY)
    day.wait(3_000)
    day.scan(SECOND)
    day.scan("ZZ99")
    day.close("1")
    day.press(Button.EMPTY)
    day.scan(LABEL_OF_PARCEL)
    day.press(Button.EMPTY)
    day.wait(READ_AGAIN_MS)
    day.open("2")
    day.press(Button.EXTEND, "2/on_the_way", parcel=parcel_id_from_bits(2))
    day.wait(3_000)
    day.close("2")
    day.press(Button.NOT_EMPTY)
    day.wait(READ_AGAIN_MS)
    day.press(Button.RETRIEVE)
    _shut(day, "3")
    day.scan(THIRD)
    day.press(Button.NOT_EMPTY)
    day.press(Button.RETRIEVE)
    _shut(day, "3")
    day.press(Button.NOT_THERE)
    day.press(Button.RETRIEVE)
    day.scan("ZZ99")
    day.press(Button.EXTEND, "7/asked", parcel=parcel_id_from_bits(4))
    day.press(Button.EXTEND, "9/asked", parcel=parcel_id_from_bits(5))
    day.press(Button.CANCEL)
    day.press(Button.RETRIEVE)
    day.scan("ZZ15")
    for value in ("7/asked", "2/asked"):
        day.press(Button.EXTEND, value, parcel=parcel_id_from_bits(2))
    day.press(Button.EXTEND, "2/asked", parcel=parcel_id_from_bits(5))
    day.announce(4, "ZZ14", intent=Intent.RECALL)
    day.press(Button.RETRIEVE)
    day.press(Button.NOT_THERE)
    day.press(Button.RETRIEVE)
    day.feed(e.Sought("zz 15"))
    day.feed(e.Sought("1"))
    day.feed(e.Sought(" - "))
    day.description()
    return day


def a_day_of_words() -> Day:
    """What customers say at their door, and what the desk does for them: a new slip, a mandate, a door opened for who stands there."""
    day = Day()
    empty, broken, unwanted = day.stored(1), day.stored(2, SECOND, language="ar"), day.stored(3, THIRD)
    for parcel, label, button in (
        (empty, "1", Button.FOUND_EMPTY), (broken, "2", Button.DAMAGED), (unwanted, "3", Button.REFUSE),
    ):  # fmt: skip
        day.press(button, at=label)
        day.slip(parcel)
        day.open(label)
        day.press(button, at=label)
        day.press(button, at=label)
        day.wait(3_000)
        day.close(label)
        day.wait(READ_AGAIN_MS)
        day.slip(parcel)
        day.wait(READ_AGAIN_MS)
    told = day.stored(4, "ZZ14", size=SizeClass.L)
    day.slip(told)
    _shut(day, "4")
    day.press(Button.DAMAGED, at="4")
    day.badge()
    day.press(Button.REISSUE, f"{Motive.OTHER}/{IdentityCheck.KNOWN}", parcel=told)
    for parcel, label in ((empty, "1"), (broken, "2"), (unwanted, "3")):
        day.press(Button.CHECK, at=label)
        _shut(day, label)
        day.press(Button.EMPTY if parcel is empty else Button.NOT_EMPTY)
        day.wait(READ_AGAIN_MS)
    day.press(Button.PUT_IN_SERVICE, "repaired", "1")
    waits = day.announce(5, "ZZ15", help=Help.DEAF, language="pt")
    day.press(Button.REISSUE, f"{Motive.OTHER}/{IdentityCheck.KNOWN}", parcel=waits)
    day.deposit("ZZ15")
    day.press(Button.REISSUE, "why/who", parcel=waits)
    day.press(Button.REISSUE, f"{Motive.OTHER}/{IdentityCheck.KNOWN}", parcel=waits)
    day.press(Button.MANDATE, "who", parcel=waits)
    for _ in range(2):
        day.press(Button.MANDATE, IdentityCheck.DOCUMENT.value, parcel=waits)
    day.press(Button.SIGN_OUT)
    key = PickupKey(NUMBER, waits, 2, 0)
    day.scan(mandate_text(SITE_KEY, key, 1))
    day.scan(mandate_text(SITE_KEY, key, 2))
    _shut(day, "1")
    day.wait(READ_AGAIN_MS)
    day.badge()
    day.press(Button.WITHDRAW_MANDATE, parcel=waits)
    day.press(Button.MANDATE, IdentityCheck.DOCUMENT.value, parcel=waits)
    day.wait(1_000_000)
    last = day.stored(6, "ZZ16")
    shelf = day.announce(7, "ZZ17", size=SizeClass.XL)
    day.badge()
    day.scan("ZZ17")
    day.press(Button.DONE)
    day.press(Button.DISPUTE, parcel=last)
    day.press(Button.CALL_DESK)
    for parcel in (shelf, shelf, last, parcel_id_from_bits(99)):
        day.feed(e.AssistAsked(parcel, Motive.NO_SLIP, IdentityCheck.DOCUMENT, present=True))
    _shut(day, "1")
    day.press(Button.MANDATE, IdentityCheck.KNOWN.value, parcel=broken)
    day.press(Button.WITHDRAW_MANDATE, parcel=broken)
    day.description()
    return day


def a_day_of_wrong_doors() -> Day:
    """Beside the right door, behind one that does not hold, opened with the key, moved to make room, too heavy for its door."""
    day = Day()
    for bits, tracking in ((1, LABEL_OF_PARCEL), (2, SECOND), (3, THIRD)):
        day.announce(bits, tracking)
    day.badge()
    day.scan(LABEL_OF_PARCEL)
    day.open("1")
    day.open("2")
    day.wait(3_000)
    day.close("1")
    day.press(Button.IN_DOOR, at="2")
    day.close("2")
    day.press(Button.IN_DOOR, at="2")
    day.wait(READ_AGAIN_MS)
    day.press(Button.HEAVY)
    day.scan(SECOND)
    day.open("3")
    day.open("2")
    day.wait(3_000)
    day.close("3")
    day.press(Button.IN_DOOR, at="2")
    day.close("2")
    day.press(Button.IN_DOOR, at="2")
    day.wait(READ_AGAIN_MS)
    day.scan(THIRD)
    day.open("4")
    day.wait(3_000)
    day.close("4")
    for _ in range(3):
        day.wait(300)
        day.open("4")
        day.wait(2_000)
        day.close("4")
    day.press(Button.EMPTY)
    day.press(Button.DONE)
    day.press(Button.KEY_OPENING, at="9")
    day.press(Button.KEY_OPENING, at="4")
    day.open("4")
    day.wait(3_000)
    day.close("4")
    day.press(Button.EMPTY)
    day.press(Button.KEY_OPENING, at="1")
    day.press(Button.DONE)
    day.press(Button.EMPTY)
    day.open("4")
    day.wait(1_000)
    day.press(Button.KEY_OPENING, at="4")
    day.close("4")
    day.press(Button.EMPTY)
    day.press(Button.KEY_OPENING, at="1")
    day.press(Button.CANCEL)
    day.open("1")
    day.wait(400_000)
    day.press(Button.KEY_OPENING, at="1")
    day.close("1")
    day.description()
    return day


def a_day_of_room() -> Day:
    """One parcel makes room for a recipient who reaches less; words about the next one; a compartment that practises and one that rests."""
    day = Day()
    first = day.stored(1)
    day.stored(2, SECOND)
    for label in ("3", "4"):
        day.site.out_of_service(label)
    day.badge()
    day.press(Button.REMOVE, parcel=first)
    _shut(day, "1")
    day.press(Button.EMPTY)
    day.press(Button.LOW)
    day.press(Button.HEAVY)
    day.press(Button.ARRIVED_DAMAGED)
    day.press(Button.HEAVY)
    day.announce(3, THIRD, reach=ReachZone.MID)
    day.scan(THIRD)
    day.press(Button.MAKE_ROOM)
    _shut(day, "2")
    day.press(Button.EMPTY)
    _shut(day, "1")
    _shut(day, "2")
    day.wait(READ_AGAIN_MS)
    day.card(CommandCard.UNIDENTIFIED)
    nameless = parcel_id_from_bits(0xABCDEF)
    day.press(Button.HEAVY)
    day.press(Button.DONE)
    for button in (Button.HAND_OVER, Button.IDENTIFIED, Button.IDENTIFIED):
        day.press(button, parcel=nameless)
    day.press(Button.PUT_IN_SERVICE, "cleaned", "3")
    day.press(Button.PRACTISE, at="1")
    day.press(Button.PRACTISE, at="3")
    day.press(Button.PRACTISE, at="3")
    text = day.site.view().staff.practice_text
    day.scan(text)
    _shut(day, "3")
    day.press(Button.END_PRACTICE)
    _shut(day, "3")
    day.press(Button.EMPTY)
    day.press(Button.END_PRACTICE)
    day.wait(READ_AGAIN_MS)
    day.scan(text)
    day.press(Button.TAKE_OUT_OF_SERVICE, "tired", "3")
    day.press(Button.TAKE_OUT_OF_SERVICE, "dirty", "1")
    _shut(day, "1")
    day.press(Button.EMPTY)
    _shut(day, "3")
    day.press(Button.TAKE_OUT_OF_SERVICE, "door", "1")
    day.description()
    return day


def a_day_from_afar() -> Day:
    """Doors that the hub asks for, a machine that is ill, a switch nobody believes, and people whose slip is not read."""
    day = Day()
    day.stored(1)
    day.wait(31_000)
    now = day.site.clock

    def wish(number: int, label: str, life_ms: int = 20_000) -> e.CommandArrived:
        return e.CommandArrived(
            Command(
                id=f"command-{number:04}", verb="open", issued_at_ms=now.wall_ms, expires_at_ms=now.wall_ms + life_ms,
                session=str(now.boot), until_mono_ms=now.mono + life_ms, actor="lea", approver="marc",
                reason="repair", compartment=Label(label),
            )
        )  # fmt: skip

    day.feed(wish(1, "1"))
    day.feed(wish(2, "2"))
    _shut(day, "1")
    day.feed(wish(3, "2"))
    day.wait(20_000)
    day.open("2")
    day.wait(200_000)
    day.close("2")
    day.feed(wish(4, "3"))
    day.wait(400_000)
    day.feed(wish(5, "3"))
    day.restart()
    for celsius, weak, errors in ((80.0, True, 1), (75.0, None, 0), (74.9, False, None), (79.9, False, 0)):
        day.feed(e.MachineFelt(celsius, weak, errors))
    day.feed(e.SwitchChatters(Label("4")))
    day.feed(e.SwitchChatters(Label("4")))
    for event in (e.Unread(), e.Touched(busy=True), e.Touched(busy=False)):
        day.feed(event)
        day.wait(10_000)
    day.open("3")
    day.wait(7_300_000)
    day.close("3")
    day.description()
    return day
