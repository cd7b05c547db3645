"""What the guides, the slips and the hub count on, written out here a second time on purpose: limits, times and words of the core."""

from __future__ import annotations

from enum import StrEnum
from types import ModuleType

import pytest

from controller.core import (
    deposits,
    doors,
    drop,
    drops,
    due,
    extending,
    finding,
    fold_parcels,
    groups,
    hubward,
    keyed,
    latching,
    machine,
    mandates,
    misplaced,
    model,
    needs,
    observe,
    pickup,
    pin,
    reissue,
    remote,
    reports,
    retrieval,
    sending,
    sensors,
    trying,
)
from controller.core.handing_in import SendStep
from controller.core.model import DoorEventKind, Phase

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
"""Milliseconds."""


@pytest.mark.parametrize(
    ("where", "name", "value"),
    [
        (due, "SETTLE_MS", 2 * SECOND), (due, "BOUNCES_MAX", 2), (due, "KEY_MS", 3 * MINUTE), (due, "ASSISTED_TIMES", 2),
        (due, "CHOOSE_MS", MINUTE), (due, "LATE_MS", MINUTE),
        (keyed, "SAID_AFTER_MS", 5 * MINUTE),
        (observe, "REPEAT_MS", 3 * SECOND), (observe, "NOTICE_MS", 10 * SECOND),
        (observe, "STAFF_NOTICE_MS", 30 * SECOND), (observe, "WAITING_MS", 2 * MINUTE),
        (trying, "TRYING_MS", 10 * SECOND), (trying, "HINTS_MAX", 3),
        (remote, "WINDOW_MS", 10 * MINUTE), (remote, "OPENINGS_A_WINDOW", 2), (remote, "DAY_MS", DAY),
        (remote, "OPENINGS_A_DAY", 10), (remote, "CALM_MS", 30 * SECOND),
        (pickup, "HOUR_MS", HOUR), (pickup, "ENDED_TYPED_MAX", 500),
        (pin, "HOUR_MS", HOUR), (pin, "TRIES_BURST", 5), (pin, "TRIES_PER_HOUR", 2),
        (extending, "EXTENSIONS_MAX", 2), (extending, "DAY_MS", DAY),
        (drop, "DROP_MAX", 200), (drop, "DROP_PAUSE_MS", 15 * MINUTE), (drop, "DROPS_KEPT", 10),
        (deposits, "DEPOSITS_MAX", 200), (deposits, "SHOWN_MAX", 30), (finding, "SHOWN_MAX", 20),
        (sending, "FAILED_MAX", 2), (sending, "SLIPS_MAX", 200), (needs, "CARRIER_CHARACTERS_MAX", 32),
        (fold_parcels, "DROPPED_MAX", 1_000),
        (model, "WAITING_MAX", 4), (model, "CALLS_MAX", 50), (model, "ANSWERS_MAX", 200), (model, "ENDED_MAX", 10_000),
        (model, "DOOR_EVENTS_MAX", 10), (model, "ALIASES_MAX", 10_000),
    ],
)  # fmt: skip
def test_a_limit_is_what_the_guides_say(where: ModuleType, name: str, value: int) -> None:
    assert getattr(where, name) == value


@pytest.mark.parametrize(
    ("where", "name", "word"),
    [
        (doors, "LEFT_OPEN", "door_left_open"), (doors, "OPEN_AT_BOOT", "open_at_boot"),
        (doors, "CHATTERS", "sensor_chatters"), (keyed, "FORCED", "door_forced"), (latching, "LATCH_FAILED", "latch_failed"),
        (sensors, "SENSOR", "sensor_suspect"), (hubward, "JOURNAL_BEHIND", "journal_behind"),
        (machine, "SCANNER_LOST", "scanner_lost"), (machine, "DISK_FULL", "disk_full"), (machine, "TOO_HOT", "machine_hot"),
        (machine, "POWER_WEAK", "power_weak"), (machine, "CARD_FAILING", "card_failing"),
    ],
)  # fmt: skip
def test_an_alarm_has_the_word_that_the_hub_knows_it_by(where: ModuleType, name: str, word: str) -> None:
    assert getattr(where, name) == word


@pytest.mark.parametrize(
    ("where", "name", "word"),
    [
        (keyed, "NOT_SEEN", "key_not_seen"), (latching, "DOES_NOT_LATCH", "does_not_latch"),
        (misplaced, "MISPLACED", "misplaced"), (sensors, "READS_OPEN", "sensor_reads_open"),
        (remote, "OPENED", "opened_remotely"), (pickup, "RECALLED", "recalled"), (pickup, "DEPOSIT_CUT", "deposit_cut"),
        (reports, "FOUND_EMPTY", "found_empty"), (reports, "DAMAGED", "damaged"), (reports, "REFUSED", "refused"),
        (retrieval, "WRONG_PARCEL", "wrong_parcel"), (retrieval, "SENT", "sent"),
        (sending, "LOOK_FIRST", "send_look_first"), (sending, "NO_ROOM", "send_no_room"),
        (sending, "ASKS_DESK", "send_help"), (sending, "UNUSED", "slip_unused"),
        (drops, "DONE", "done"), (drops, "LEFT", "left"),
        (groups, "FORM", "group"), (mandates, "FORM", "mandate"), (reissue, "DESK", "desk"),
    ],
)  # fmt: skip
def test_a_reason_in_the_journal_has_the_word_that_its_readers_look_for(
    where: ModuleType, name: str, word: str
) -> None:
    assert getattr(where, name) == word


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (Phase, "pulsing open closed failed declared"),
        (SendStep, "choose_size put_in ask_inside"),
        (DoorEventKind, "ordered opened closed failed"),
    ],
)
def test_words_that_snapshots_and_screens_hold_stay_as_they_are(words: type[StrEnum], kept: str) -> None:
    assert [word.value for word in words] == kept.split()
