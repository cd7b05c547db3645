"""The words, the times, the drawing and the form, without a browser."""

from __future__ import annotations

import re
from datetime import UTC
from importlib import resources
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from controller.core import doors, machine
from hub.core.project import AlertKind
from hub.web import bank, forms, when, words
from wire import facts
from wire.facts import Place
from wire.ids import (
    Door,
    Label,
    Occupancy,
    ParcelState,
    PlaceKind,
    Purpose,
    ReachZone,
    Service,
    SizeClass,
    Trust,
    parcel_id_from_bits,
)
from wire.messages import CompartmentCard, CompartmentState
from wire.plan import Help

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
NOW = 1_795_426_200_000
"""Monday 23 November 2026, 09:30 UTC."""
SAMPLES: dict[Any, Any] = {
    Place: Place(kind=PlaceKind.COMPARTMENT, name="7"),
    Purpose: Purpose.COLLECT,
    Occupancy: Occupancy.FREE,
    Service: Service.SUSPECT,
    Trust: Trust.NTP,
    Label: Label("7"),
    int: 3,
    str: "x",
    bool: False,
}


def a_fact(kind: type[facts.Fact]) -> Any:
    """A fact of this kind with something in every field that must be there."""
    required = [field for field in msgspec.structs.fields(kind) if field.required]
    return kind(**{field.name: SAMPLES.get(field.type, "x") for field in required})


@pytest.mark.parametrize("kind", get_args(facts.AnyFact), ids=lambda kind: str(facts.kind(kind)))
def test_every_kind_of_fact_is_told_in_a_sentence(kind):
    said = words.tell(a_fact(kind))
    assert said.text.endswith(".")
    assert not said.text.startswith("Fait «")


def test_every_alert_of_the_hub_and_every_alarm_of_a_site_has_its_word():
    raised = {*AlertKind, doors.FORCED, doors.LEFT_OPEN, doors.OPEN_AT_BOOT, doors.LATCH_FAILED}
    raised |= {machine.SCANNER_LOST, machine.DISK_FULL, machine.TOO_HOT, machine.POWER_WEAK, machine.CARD_FAILING}
    assert {kind for kind in raised if kind not in words.ALERT} == set()


def test_every_value_has_a_word():
    for values, table in (
        (Occupancy, words.OCCUPANCY),
        (Service, words.SERVICE),
        (Door, words.DOOR),
        (ParcelState, words.PARCEL_STATE),
        (SizeClass, words.SIZE),
        (ReachZone, words.REACH),
        (Help, words.HELP),
    ):
        assert set(table) == set(values)


def test_what_has_no_word_is_shown_as_it_came():
    assert words.alert_word("smoke").text == "Alerte « smoke »"
    assert words.message_kind("replaced/2") == "Votre bon de retrait est remplacé (version 2)"
    assert words.message_kind("new_kind") == "new_kind"
    assert words.message_kind("last_day/1") == "Rappel : venez avant le dernier jour"
    assert words.message_ways("") == ""
    assert words.message_ways("email phone") == "par e-mail et téléphone"
    assert words.message_problem(
        "phone: the receiver answers 503; email: the mail server refuses the address (550)"
    ) == (
        "Par téléphone : Le service de messages refuse pour l'instant. "
        "Par e-mail : Cette adresse n'existe pas. Prévenez la personne autrement."
    )
    assert words.message_problem("overtaken").startswith("Le colis a changé")
    assert words.message_problem("sms: odd") == "sms: odd"
    assert words.message_state("odd").text == "odd"


def test_every_icon_that_is_named_is_drawn():
    web = resources.files("hub.web")
    drawn = set(re.findall(r'symbol id="([^"]+)"', (web / "static" / "icons.svg").read_text("utf-8")))
    tables = (words.OCCUPANCY, words.SERVICE, words.DOOR, words.PARCEL_STATE, words.ALERT, words.MESSAGE_STATE)
    named = {word.icon for table in tables for word in table.values()}
    named |= {words.tell(a_fact(kind)).icon for kind in get_args(facts.AnyFact)}
    for template in (Path(str(web)) / "templates").glob("*.html"):
        named |= set(re.findall(r'icon\("([^"]+)"\)', template.read_text("utf-8")))
    assert named - drawn == set()


@pytest.mark.parametrize(
    ("passed_ms", "said"),
    [
        (-5 * SECOND, "à l'instant"),
        (0, "à l'instant"),
        (12 * SECOND, "il y a 12\u00a0s"),
        (59_999, "il y a 59\u00a0s"),
        (MINUTE, "il y a 1\u00a0min"),
        (3 * HOUR + MINUTE, "il y a 3\u00a0h"),
        (DAY, "il y a 1\u00a0jour"),
        (9 * DAY, "il y a 9\u00a0jours"),
    ],
)
def test_an_age_is_said_in_the_largest_unit(passed_ms, said):
    assert when.age(NOW - passed_ms, NOW) == said


def test_a_moment_is_said_with_as_much_date_as_it_needs():
    assert when.moment(NOW, NOW, UTC) == "aujourd'hui à 09:30:00"
    assert when.moment(NOW - 22 * DAY, NOW, UTC) == "1er novembre à 09:30"
    assert when.moment(NOW - 365 * DAY, NOW, UTC) == "23 novembre 2025 à 09:30"
    assert when.iso(NOW) == "2026-11-23T09:30:00.000+00:00"


def a_card(label: str, row: int, column: int, size: SizeClass = SizeClass.M) -> CompartmentCard:
    return CompartmentCard(
        label=Label(label), size=size, reach=ReachZone.MID, height_mm=900, row=row, column=column, rows=2
    )


def test_a_compartment_the_site_said_nothing_of_is_unknown_never_free():
    (cell,) = bank.draw_bank([a_card("1", 0, 0)], [])
    assert (cell.occupancy, cell.door, cell.needs_look) == (Occupancy.UNKNOWN, Door.UNKNOWN, True)


def test_the_drawing_starts_in_the_top_left_corner_and_stays_inside_the_grid():
    cells = bank.draw_bank([a_card("A", 5, 3), a_card("B", 900, 900)], [])
    assert [(cell.row, cell.column, cell.rows) for cell in cells] == [
        (1, 1, 2),
        (bank.GRID_ROWS_MAX, bank.GRID_COLUMNS_MAX, 2),
    ]
    for name in (f".row-{bank.GRID_ROWS_MAX}{{", f".column-{bank.GRID_COLUMNS_MAX}{{", ".rows-2{", ".columns-1{"):
        assert name in bank.grid_css()


def test_a_free_compartment_out_of_service_does_not_count_as_free():
    cards = [a_card("1", 0, 0), a_card("2", 0, 1), a_card("3", 0, 2, SizeClass.S)]
    parcel = parcel_id_from_bits(1)
    states = [
        CompartmentState(label=Label(label), occupancy=occupancy, service=service, door=Door.CLOSED, parcel=inside)
        for label, occupancy, service, inside in (
            ("1", Occupancy.FREE, Service.OUT_OF_SERVICE, None),
            ("2", Occupancy.FREE, Service.IN_SERVICE, None),
            ("3", Occupancy.OCCUPIED, Service.IN_SERVICE, parcel),
        )
    ]
    assert bank.count_sizes(bank.draw_bank(cards, states)) == (
        bank.Count(SizeClass.S, total=1, free=0, occupied=1),
        bank.Count(SizeClass.M, total=2, free=1, occupied=0),
    )


def test_every_field_that_does_not_fit_is_said_at_once():
    typed = {"site": "x", "tracking": "é", "phone": "abc", "email": "a@", "name": "n" * 99,
             "carrier": "c" * 50, "language": "zz"}  # fmt: skip
    form, parcel = forms.read_form(typed, {"tilleuls"})
    assert parcel is None
    assert set(form.errors) == {"site", "tracking", "phone", "email", "name", "carrier", "language"}


def test_a_form_that_fits_gives_the_parcel():
    typed = {"site": "tilleuls", "tracking": "rr123456785fr", "size": "M", "heavy": "1", "reach": "low", "help": "blind",
             "language": "ar", "phone": "06 12 34 56 78", "name": " Ana  Pereira "}  # fmt: skip
    form, parcel = forms.read_form(typed, {"tilleuls"})
    assert form.errors == {}
    assert parcel is not None
    assert (parcel.tracking, parcel.size, parcel.heavy, parcel.reach, parcel.help, parcel.phone, parcel.name) == (
        "RR123456785FR", SizeClass.M, True, ReachZone.LOW, Help.BLIND, "0612345678", "Ana Pereira",
    )  # fmt: skip


def test_a_parcel_without_number_and_name_could_never_be_found_again():
    form, parcel = forms.read_form({"site": "tilleuls", "language": "fr"}, {"tilleuls"})
    assert parcel is None
    assert set(form.errors) == {"tracking"}
