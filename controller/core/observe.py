"""What changes `Live`: levels, links, notices and the inputs kept for later. Nothing here is ever journalled.

Owns `Live`. Refuses to decide. Called with every event before `decide`, and with every inward effect after the facts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from controller.core import effects as x
from controller.core import events as e
from controller.core import trying
from controller.core.deposits import remembered
from controller.core.model import NO_NEEDS, WAITING_MAX, Live, Now, Waiting
from controller.core.notices import StaffNotice
from wire.ids import Door, Label
from wire.labels import CarrierLabel
from wire.mandate import read_mandate
from wire.pickup import read_qr_text
from wire.scans import classify

REPEAT_MS: Final = 3_000
"""A reader in continuous mode says the same text several times a second; it counts once (C-23)."""

NOTICE_MS: Final = 10_000
"""How long a customer notice stays: long enough to be read aloud twice."""

STAFF_NOTICE_MS: Final = 30_000
"""How long a staff notice stays; the next one replaces it at once."""


WAITING_MS: Final = 120_000
"""A kept input older than this is dropped: whoever it was has gone or will try again."""


def observe(live: Live, what: e.Event | x.Inward, now: Now) -> Live:  # noqa: C901, PLR0911, PLR0912 one match, one line a case
    """`live` after an event was seen or an inward effect performed."""
    match what:
        case e.Booted():
            return replace(live, doors=dict(what.doors), booted_mono=now.mono, active_mono=now.mono)
        case e.DoorChanged():
            return trying.answered(_moved(live, what, now))
        case e.Scanned():
            return _scanned(live, what, now)
        case e.Unread():
            return trying.unread(live, now)
        case e.Touched():
            return trying.touched(live, now, busy=what.busy)
        case e.Pressed() | e.DigitsTyped() | e.PinTyped() | e.AssistAsked() | e.Sought():
            return trying.answered(replace(live, active_mono=now.mono))
        case e.ScannerLink():
            return replace(live, scanner=what.up)
        case e.DiskRoom():
            return replace(live, disk_short=what.short)
        case e.HubLink():
            return replace(live, hub_link=what.up, hub_online=live.hub_online and what.up)
        case e.HubPresent():
            return replace(live, hub_online=what.online)
        case e.Tick():
            return _without_the_old(live, now)
        case x.Show():
            return trying.shown(replace(live, notice=what.notice, notice_until=now.mono + NOTICE_MS), what.notice)
        case x.ShowStaff():
            return _staff_notice(live, what.notice, now)
        case x.SetTask():
            return replace(live, task=what.task)
        case x.SetSending():
            return replace(live, sending=what.sending)
        case x.RememberSize():
            return replace(live, last_size=what.size)
        case x.RememberStored():
            return replace(live, last_stored=what.parcel, slip_for=None, slip_is_mandate=False)
        case x.ShowSlip():
            return replace(live, slip_for=what.parcel, slip_is_mandate=what.mandate)
        case x.RememberNeeds():
            return replace(live, needs=what.needs)
        case x.Wait():
            return _wait(live, what.event, now)
        case x.Nagged():
            return replace(live, nagged_mono=now.mono)
        case x.KnowBadge():
            return _badge_known(live, what.text)
        case x.AskPin():
            return replace(live, pin_for=what.event)
        case x.PinGiven():
            return replace(live, pin_given=True, pin_for=None)
        case x.SensorTold():
            return replace(live, sensor_told=live.sensor_told | {what.compartment})
        case x.RefuseBadge():
            return replace(live, refused_badge=what.badge)
        case x.Deposited():
            return replace(live, deposits=remembered(live.deposits, what.deposit))
        case x.ShowFound():
            return replace(live, found=what.found)
        case x.Sealed():
            return replace(live, report_seal=what.seal)
        case _:
            return live


def _moved(live: Live, moved: e.DoorChanged, now: Now) -> Live:
    level = Door.OPEN if moved.open else Door.CLOSED
    opened = live.opened
    if moved.open and live.doors.get(moved.compartment) is not Door.OPEN:
        opened = {**opened, moved.compartment: now.mono}
    told = live.sensor_told if moved.open else live.sensor_told - {moved.compartment}
    doors = _with_door(live.doors, moved.compartment, level)
    return replace(live, doors=doors, opened=opened, sensor_told=told, active_mono=now.mono)


def _badge_known(live: Live, text: str) -> Live:
    """Somebody else works from now on: what was asked of, said by and said to the person before them is over."""
    known = replace(live, badge=text, pin_given=False, pin_for=None, refused_badge=None, needs=NO_NEEDS)
    return replace(known, staff_notice=None) if text else known


def _with_door(doors: Mapping[Label, Door], label: Label, level: Door) -> dict[Label, Door]:
    changed = dict(doors)
    changed[label] = level
    return changed


def _scanned(live: Live, scan: e.Scanned, now: Now) -> Live:
    digest = hashlib.sha256(scan.text.encode()).digest()[:8]
    repeated = digest == live.last_text and now.mono - live.last_text_mono < REPEAT_MS
    waiting = (
        live.waiting if repeated or not _is_label(scan) else tuple(w for w in live.waiting if not _is_label(w.event))
    )
    return trying.answered(
        replace(
            live, last_text=digest, last_text_mono=now.mono, repeated=repeated, active_mono=now.mono, waiting=waiting
        )
    )


def _is_label(event: object) -> bool:
    """A carrier label. Staff hold one parcel at a time: a door for the label before would be opened for the wrong one."""
    return isinstance(event, e.Scanned) and isinstance(classify(event.text), CarrierLabel)


def _without_the_old(live: Live, now: Now) -> Live:
    if live.notice is not None and now.mono >= live.notice_until:
        live = replace(live, notice=None)
    if live.staff_notice is not None and now.mono >= live.staff_notice_until:
        live = replace(live, staff_notice=None)
    waiting = tuple(kept for kept in live.waiting if now.mono - kept.since_mono < WAITING_MS)
    return live if len(waiting) == len(live.waiting) else replace(live, waiting=waiting)


def _staff_notice(live: Live, notice: StaffNotice, now: Now) -> Live:
    return replace(live, staff_notice=notice, staff_notice_until=now.mono + STAFF_NOTICE_MS)


def _wait(live: Live, event: e.Event, now: Now) -> Live:
    """A customer goes before whatever staff asked for meanwhile: loading goes on with the same parcel afterwards (S-11)."""
    full = len(live.waiting) >= WAITING_MAX and not isinstance(
        event, e.NextDoor
    )  # Who is being served is not sent away.
    if full or any(waiting.event == event for waiting in live.waiting):
        return live
    waiting = (*live.waiting, Waiting(event, now.mono))
    return replace(live, waiting=tuple(sorted(waiting, key=lambda kept: not _is_customers(kept.event))))


def _is_customers(event: object) -> bool:
    if isinstance(event, e.NextDoor):
        return True
    if isinstance(event, e.Scanned):
        return read_qr_text(event.text) is not None or read_mandate(event.text) is not None
    return isinstance(event, e.DigitsTyped)
