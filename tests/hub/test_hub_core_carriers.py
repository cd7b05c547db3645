"""What carriers are told, and the pauses between tries."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.core import carriers
from hub.core.carriers import event_of, pause_ms, rest_ms
from hub.core.moment import Moment
from hub.core.project import Joined, ParcelRecord, Source, join
from hub.web.words_carriers import EVENTS, problem
from wire.ids import ParcelState, Trust, parcel_id_from_bits
from wire.plan import Intent

ONE, TWO = parcel_id_from_bits(1), parcel_id_from_bits(2)
MINE = ParcelRecord(ONE, 1, ParcelState.STORED, Source.PLAN, 0, 0, partner=7)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (None, MINE, "parcel.stored"),
        (None, replace(MINE, partner=None), ""),
        (MINE, MINE, ""),
        (MINE, replace(MINE, version=2), ""),
        (MINE, replace(MINE, state=ParcelState.COLLECTED), "parcel.collected"),
        (MINE, replace(MINE, intent=Intent.RECALL), "parcel.recalled"),
        (replace(MINE, intent=Intent.RECALL), replace(MINE, extended=1), "parcel.stored"),
        (replace(MINE, partner=None), MINE, "parcel.stored"),
        (MINE, replace(MINE, joined_into=TWO), ""),
        (None, replace(MINE, joined_into=TWO), ""),
    ],
)
def test_a_16_a_carrier_is_told_of_each_new_state_of_its_own_parcels(
    before: ParcelRecord | None, after: ParcelRecord, told: str
) -> None:
    assert event_of(before, after) == told


def test_a_16_a_parcel_that_turns_out_to_be_another_stays_its_carriers() -> None:
    announced = replace(MINE, state=ParcelState.ANNOUNCED)
    here = ParcelRecord(TWO, 1, ParcelState.STORED, Source.DESK, 0, 0)
    joined = join(announced, here, Joined(ONE, TWO), Moment(1, 5, Trust.NTP, 5))
    assert joined is not None
    assert joined.stays.partner == 7
    assert event_of(here, joined.stays) == "parcel.stored"
    assert event_of(announced, joined.gives_way) == ""


def test_a_16_every_state_has_a_name_for_programs_and_words_for_people() -> None:
    assert {carriers.event_kind(state) for state in ParcelState} == set(EVENTS)


@pytest.mark.parametrize(
    ("noted", "said"),
    [
        ("it answers 302: a redirect is never followed", "son serveur répond par l'erreur 302"),
        ("it is not reached: TimeoutError", "son serveur ne répond pas"),
        ("something else", "something else"),
    ],
)
def test_a_16_what_does_not_arrive_has_words_for_people(noted: str, said: str) -> None:
    assert problem(noted) == said


def test_a_16_pauses_grow_differ_and_end() -> None:
    pauses_s = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 14_400, 14_400]
    assert carriers.TRIES_MAX == 11, "the pauses between eleven tries"
    assert [pause_ms(tries, 0.5) // 1000 for tries in range(1, 11)] == pauses_s
    assert pause_ms(16, 0.5) == 14_400_000
    assert (pause_ms(1, 0.0), pause_ms(1, 1.0)) == (4_000, 6_000)
    assert [rest_ms(failures, 0.5) // 1000 for failures in range(1, 11)] == [min(each, 600) for each in pauses_s]
    assert rest_ms(1, 0.5, asked_s=60) == 60_000
    assert rest_ms(1, 0.5, asked_s=86_400) == 600_000
    assert carriers.PAUSED_AFTER_MS == 43_200_000, "half a day"
