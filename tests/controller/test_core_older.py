"""What an older version wrote is read by this one: each thing that nobody had thought of then means that it is not so (I-40)."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from controller.core.afar import RemoteOpening
from controller.core.drop import Drop, Handed
from controller.core.looks import Reconciliation
from controller.core.model import Compartment, DoorEvent, Durable, Ended, Live, Opening, Parcel, PinTries, Staff
from controller.core.views import CallView, CustomerView, ParcelView, SlipView, StaffView, TaskView

ID = "0000000000001"
NO_NEEDS = {"heavy": False, "low": False, "damaged": False, "sends": None}
OF_OLD: list[tuple[type, dict[str, Any], dict[str, Any]]] = [
    (
        Durable,
        {"compartments": {}},
        {
            "parcels": {}, "ended": {}, "aliases": {}, "openings": {}, "staff": None, "alarms": {}, "calls": [],
            "plan": {"incarnation": 0, "revision": 0, "hash": ""}, "settings": {}, "people": [], "sites": [],
            "answers": {}, "hub_incarnation": 0, "behind_seq": 0, "behind_head": "", "bucket_milli": 8_000,
            "bucket_mono": 0, "boot": 0, "sessions": 0, "floor_ms": 0, "practice": None, "reconciliation": None,
            "report": None, "pin_tries": {}, "drop": None, "drops": [], "dropped": {}, "remote": [],
        },
    ),
    (
        Compartment,
        {},
        {
            "occupancy": "free", "service": "in_service", "parcel": None, "cycles": 0, "doubted": False, "events": [],
        },
    ),
    (
        Parcel,
        {"id": ID, "version": 1, "epoch": 0, "state": "stored"},
        {
            "tracking": "", "carrier": "", "size": None, "heavy": False, "reach": None, "language": "fr",
            "help": "standard", "group": "", "intent": "hold", "planned": False, "place": None, "session": "",
            "reopens": 0, "uncertain": False, "since_mono": 0, "since_ms": 0, "from_desk": False, "reason": "",
            "heavy_said": False, "low_said": False, "unidentified": False, "damaged_said": False, "extended": 0,
            "until_ms": 0, "mandate": 0, "mandates": 0, "sending": False,
        },
    ),
    (
        Ended,
        {"id": ID, "version": 1, "state": "collected", "tracking": "T", "place": None, "at_ms": 5, "trust": "ntp"},
        {"language": "fr", "epoch": 0, "from_desk": False, "carrier": "", "group": ""},
    ),
    (
        Opening,
        {"session": "1.1", "compartment": "1", "purpose": "collect", "phase": "open"},
        {
            "parcel": None, "by": "", "pulses": 0, "pulse_mono": 0, "opened_mono": 0, "closed_mono": 0,
            "alarmed": False, "bounces": 0, "blind": False, "dark": False,
        },
    ),
    (Staff, {"person": "amina", "role": "concierge", "session": "1.1"}, {"carrier": ""}),
    (PinTries, {"milli": 5}, {"since_mono": 0}),
    (DoorEvent, {"kind": "opened", "at_ms": 5}, {"session": ""}),
    (Drop, {"person": "karim", "carrier": "ups", "session": "1.1"}, {"handed": [], "left_mono": None}),
    (Handed, {"parcel": ID, "tracking": "T"}, {"place": None, "no_door": False}),
    (RemoteOpening, {"command": "c", "session": "1.1", "compartment": "1", "at_mono": 1, "at_ms": 2}, {"ntp": False}),
    (Reconciliation, {"session": "1.1", "by": "amina", "started_ms": 5, "left": []}, {"looks": [], "ended_ms": 0, "shelf_left": [], "places": []}),
    (
        TaskView,
        {"step": "put_in", "parcel": None, "tracking": "", "compartment": None, "shelf_place": None},
        {
            "looks_only": False, "touched": [], "may_stay_open": False, "needs": NO_NEEDS, "unidentified": False,
            "room": None, "retrieving": False, "scanned": False, "unseen": False, "reconciling": False,
            "believed": None, "shelf": None, "last": False,
        },
    ),
    (
        SlipView,
        {
            "parcel": ID, "qr_text": "", "digits": "", "place": None, "reach": None, "language": "fr", "tracking": "",
            "version": 1,
        },
        {"mandate": False, "beside": [], "sends": False},
    ),
    (
        CallView,
        {"reason": "help", "parcel": None, "tracking": "", "compartment": None, "place": None, "at_ms": 5},
        {"events": [], "help": "standard"},
    ),
    (
        ParcelView,
        {
            "parcel": ID, "tracking": "", "carrier": "", "state": "stored", "place": None, "since_ms": 5,
            "recalled": False,
        },
        {
            "reason": "", "unidentified": False, "to_retrieve": False, "language": "fr", "help": "standard",
            "reach": None, "heavy": False, "extended": 0, "until_ms": 0, "mandate": False, "sending": False,
        },
    ),
    (
        CustomerView,
        {"screen": "ready"},
        {
            "compartment": None, "reach": None, "language": "fr", "help": "standard", "notice": None,
            "practice": False, "doors": [], "also_at_desk": False, "sending": None, "sizes": [], "may_grow": False,
            "from_afar": False,
        },
    ),
    (
        StaffView,
        {
            "person": "", "role": "", "task": None, "notice": None, "slip": None, "calls": [], "parcels": [],
            "last_size": None, "free_by_size": {},
        },
        {
            "pin_asked": False, "practice": None, "practice_text": "", "pin_wait_ms": 0, "needs": NO_NEEDS,
            "may_cancel": False, "carrier": "", "left_open": None, "deposits": [], "session": "", "drop": None,
            "receipts": [], "reconciliation": None, "report": None, "seal": {"seq": 0, "hash": ""}, "found": None,
            "carriers": [],
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "written", "meant"), OF_OLD, ids=lambda given: getattr(given, "__name__", ""))
def test_what_an_older_version_did_not_know_is_not_so(
    shape: type, written: dict[str, Any], meant: dict[str, Any]
) -> None:
    read: object = msgspec.json.decode(json.dumps(written), type=shape)
    assert json.loads(msgspec.json.encode(read)) == written | meant


def test_at_a_start_nothing_is_remembered_of_who_stood_there_and_the_reader_is_believed_to_work() -> None:
    assert msgspec.to_builtins(Live()) == {
        "doors": {}, "scanner": True, "hub_link": False, "hub_online": False, "notice": None, "notice_until": 0,
        "staff_notice": None, "staff_notice_until": 0, "task": None, "last_size": None, "last_stored": None,
        "last_text": "", "last_text_mono": 0, "repeated": False, "active_mono": 0, "nagged_mono": 0, "waiting": (),
        "disk_short": False, "badge": "", "pin_given": False, "pin_for": None, "refused_badge": None,
        "needs": NO_NEEDS, "slip_for": None, "slip_is_mandate": False, "trying_since": None, "hints": 0, "opened": {},
        "booted_mono": 0, "sensor_told": [], "deposits": (), "report_seal": {"seq": 0, "hash": ""}, "found": None,
        "sending": None,
    }  # fmt: skip
