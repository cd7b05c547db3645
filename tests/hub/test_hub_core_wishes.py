"""What the hub makes of a wish, and the plan that comes of all of them: its rules, by the letter."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.core.join import Wishes, taken_over, wishes_of
from hub.core.parcels import (
    AlreadyHere,
    NewParcel,
    Refused,
    check_recall,
    fold_name,
    new_parcel,
    next_version,
    tidy_email,
    tidy_phone,
    tidy_tracking,
)
from hub.core.plans import TooManyParcels, VersionsExhausted, Wanted, build_plan, free_version
from wire.ids import (
    ParcelId,
    ParcelState,
    ReachZone,
    SizeClass,
    parcel_id_from_bits,
)
from wire.plan import Help, Intent, Person, Plan, PlannedParcel, Settings, SiteCard, sealed

ONE = parcel_id_from_bits(1)
TWO = parcel_id_from_bits(2)
AT = 1_000_000

# -------------------------------------------------------------------------------------------------------- what is wished


def test_a_wish_is_tidied_and_nothing_else() -> None:
    assert new_parcel(
        site="gambetta", tracking=" 8n 0023.4584-108 ", carrier="  la   poste ", size=SizeClass.M, heavy=True,
        reach=ReachZone.LOW, group="g_1-Z", name="  Awa \t Diallo ", phone="+33 (0)6.12-34/56 78", language="pt-BR",
        help_profile=Help.BLIND, email=" awa@Example.org",
    ) == NewParcel(
        "gambetta", "8N00234584108", "la poste", SizeClass.M, True, ReachZone.LOW, "g_1-Z", "Awa Diallo",
        "+33061234567" + "8", "awa@example.org", "pt-BR", Help.BLIND,
    )  # fmt: skip
    assert new_parcel(site="x") == NewParcel("x", "", "", None, False, None, "", "", "", "", "fr", Help.STANDARD)


@pytest.mark.parametrize(
    ("wish", "code", "text"),
    [
        ({"tracking": "ab1"}, "bad_tracking", "tracking: expected 4 to 48 printable characters"),
        ({"carrier": "c" * 33}, "bad_carrier", "carrier: at most 32 printable characters"),
        ({"carrier": "\x00"}, "bad_carrier", "carrier: at most 32 printable characters"),
        ({"name": "n" * 81}, "bad_name", "name: at most 80 printable characters"),
        ({"phone": "12345"}, "bad_phone", "phone: expected 6 to 15 digits, + in front if foreign"),
        ({"phone": "1" * 16}, "bad_phone", "phone: expected 6 to 15 digits, + in front if foreign"),
        ({"language": "french"}, "bad_language", "language: a language tag such as fr or pt-BR"),
        ({"language": ""}, "bad_language", "language: a language tag such as fr or pt-BR"),
        ({"group": "g" * 33}, "bad_group", "group: at most 32 letters, digits, _ and -"),
        ({"group": "g 1"}, "bad_group", "group: at most 32 letters, digits, _ and -"),
    ],
)
def test_a_wish_that_does_not_fit_is_refused_by_its_field(wish: dict[str, str], code: str, text: str) -> None:
    with pytest.raises(Refused) as refused:
        new_parcel(site="gambetta", **wish)  # type: ignore[arg-type]
    assert (refused.value.code, str(refused.value)) == (code, text)


@pytest.mark.parametrize(
    "wish",
    [{"carrier": "c" * 32}, {"name": "n" * 80}, {"phone": "123456"}, {"phone": "1" * 15}, {"group": "g" * 32}],
)
def test_what_just_fits_is_taken(wish: dict[str, str]) -> None:
    (field, value), made = next(iter(wish.items())), new_parcel(site="gambetta", **wish)  # type: ignore[arg-type]
    assert getattr(made, field) == value


def test_nothing_is_a_number_and_a_phone_too() -> None:
    assert (tidy_tracking("  "), tidy_phone(" ")) == ("", "")


def test_a_name_is_found_without_its_accents_case_and_spaces() -> None:
    assert fold_name("  Zoé   ÉLÉONORE ") == "zoe eleonore"
    assert fold_name("Straße ﬁn") == "strasse fin"


HOLDABLE = {ParcelState.ANNOUNCED, ParcelState.RECEIVED, ParcelState.STORED, ParcelState.RECALLED}


@pytest.mark.parametrize("state", list(ParcelState))
def test_a_key_is_issued_again_and_a_hold_ended_only_for_what_is_here(state: ParcelState) -> None:
    if state in HOLDABLE:
        assert next_version(state, 3) == 4
        check_recall(state)
        return
    with pytest.raises(Refused) as refused:
        next_version(state, 3)
    assert (refused.value.code, str(refused.value)) == (
        "not_here",
        f"the parcel is {state}: a new slip would open nothing",
    )
    with pytest.raises(Refused) as refused:
        check_recall(state)
    assert (refused.value.code, str(refused.value)) == (
        "not_here",
        f"the parcel is {state}: there is nothing to recall",
    )


def test_the_last_version_is_the_last() -> None:
    assert next_version(ParcelState.STORED, 1022) == 1023
    with pytest.raises(Refused) as refused:
        next_version(ParcelState.STORED, 1023)
    assert (refused.value.code, str(refused.value)) == (
        "versions_exhausted",
        "the key of this parcel was replaced too often: announce it anew",
    )


@pytest.mark.parametrize(
    ("kind", "name", "where"),
    [("compartment", "7", ", compartment 7"), ("desk", "", ", desk"), ("", "", "")],
)
def test_who_announces_what_is_here_is_told_which_and_where(kind: str, name: str, where: str) -> None:
    here = AlreadyHere("P1", ParcelState.STORED, kind, name)
    assert str(here) == f"tracking: this parcel is known at the site already: stored{where} (id P1)"
    assert (here.code, here.parcel, here.state, here.place_kind, here.place_name) == (
        "duplicate", "P1", ParcelState.STORED, kind, name,
    )  # fmt: skip


FULL = Wishes(
    "colissimo", "L", "low", True, "g7", Intent.HOLD, "Awa Diallo", "0612345678", "ar", Help.BLIND, "awa@example.org"
)  # fmt: skip


def test_a_wish_for_a_parcel_is_everything_but_its_life() -> None:
    assert Wishes() == Wishes("", None, None, False, "", Intent.HOLD, "", "", "fr", Help.STANDARD)
    wished = new_parcel(
        site="gambetta", carrier="colissimo", size=SizeClass.L, heavy=True, reach=ReachZone.LOW, group="g7",
        name="Awa Diallo", phone="0612345678", email="awa@example.org", language="ar", help_profile=Help.BLIND,
    )  # fmt: skip
    assert wishes_of(wished) == FULL


OTHER = Wishes(
    "poste", "S", "high", False, "g1", Intent.RECALL, "Zoé", "+33712345678", "pt", Help.DEAF, "zoe@example.org"
)


@pytest.mark.parametrize(
    ("lacking", "taken"),
    [
        ({"carrier": ""}, {"carrier": "poste"}),
        ({"size": None}, {"size": "S"}),
        ({"reach": None}, {"reach": "high"}),
        ({"heavy": False}, {"heavy": False}),
        ({"group": ""}, {"group": "g1"}),
        ({"name": ""}, {"name": "Zoé"}),
        ({"phone": ""}, {"phone": "+33712345678"}),
        ({"email": ""}, {"email": "zoe@example.org"}),
        (
            {"name": "", "phone": "", "email": ""},
            {"name": "Zoé", "phone": "+33712345678", "email": "zoe@example.org", "language": "pt"},
        ),
        ({"help": Help.STANDARD}, {"help": Help.DEAF}),
        ({"intent": Intent.RECALL}, {"intent": Intent.RECALL}),
    ],
)
def test_each_wish_that_lacks_is_taken_alone(lacking: dict[str, object], taken: dict[str, object]) -> None:
    here = replace(FULL, **lacking)  # type: ignore[arg-type]
    assert taken_over(here, OTHER) == replace(here, **{"intent": Intent.RECALL, **taken})  # type: ignore[arg-type]
    assert taken_over(replace(here, heavy=False), replace(OTHER, heavy=True)).heavy


@pytest.mark.parametrize("known", ["name", "phone", "email"])
def test_a_name_a_number_or_an_address_is_a_recipient(known: str) -> None:
    assert not Wishes().has_recipient
    assert Wishes(**{known: "a"}).has_recipient  # type: ignore[arg-type]


LONGEST = f"a@{'b.' * 124}fran"
"""254 characters."""


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", ""),
        ("  Awa.Diallo+colis@Exemple.ORG ", "Awa.Diallo+colis@exemple.org"),
        ("a@b-c.d-e.fr", "a@b-c.d-e.fr"),
        (f"{'a' * 64}@{'b' * 63}.fr", f"{'a' * 64}@{'b' * 63}.fr"),
        (LONGEST, LONGEST),
    ],
)
def test_an_address_is_kept_as_its_server_knows_it(typed: str, kept: str) -> None:
    assert tidy_email(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "awa", "awa@", "@example.org", "awa@example", "a wa@example.org", "awa@example.org, b@example.org", "awa@-a.org",
        "awa@a..org", ".awa@a.org", "awa.@a.org", "awa@example.org\nBcc: b@example.org", "<awa@example.org>", "àwa@a.org",
        f"{'a' * 65}@example.org", f"a{LONGEST}", "awa@[127.0.0.1]",
    ],
)  # fmt: skip
def test_what_is_no_single_address_is_refused(typed: str) -> None:
    with pytest.raises(Refused) as refused:
        tidy_email(typed)
    assert refused.value.code == "bad_email"


# ------------------------------------------------------------------------------------------------------------- the plan


def wanted(**more: object) -> Wanted:
    made = Wanted("gambetta", "Gambetta", "1 rue", (), (), (), Settings())
    return replace(made, **more)  # type: ignore[arg-type]


def test_a_plan_is_the_wishes_in_order_and_sealed() -> None:
    parcels = (PlannedParcel(id=TWO, version=1), PlannedParcel(id=ONE, version=2))
    people = (Person(id="b", role="r", badge="x"), Person(id="a", role="r", badge="y"))
    sites = (SiteCard(number=9, name="nine"), SiteCard(number=8, name="eight"))
    settings = Settings(nag_ms=1)
    plan = build_plan(
        wanted(parcels=parcels, people=people, sites=sites, settings=settings),
        incarnation=4,
        revision=5,
        issued_at_ms=6,
    )
    assert plan == sealed(
        Plan(
            site="gambetta", incarnation=4, revision=5, hash="", name="Gambetta", address="1 rue", parcels=parcels[::-1],
            people=people[::-1], sites=sites[::-1], settings=settings, issued_at_ms=6,
        )
    )  # fmt: skip


def test_a_plan_holds_two_thousand_parcels_and_not_one_more() -> None:
    parcels = tuple(PlannedParcel(id=parcel_id_from_bits(number), version=1) for number in range(2_001))
    assert len(build_plan(wanted(parcels=parcels[1:]), incarnation=1, revision=1, issued_at_ms=0).parcels) == 2_000
    with pytest.raises(TooManyParcels, match="gambetta: 2001 live parcels, a plan holds 2000"):
        build_plan(wanted(parcels=parcels), incarnation=1, revision=1, issued_at_ms=0)


def test_a_key_takes_the_first_version_whose_digits_are_free() -> None:
    def digits_of(parcel: ParcelId, version: int) -> str:
        return f"{parcel}{version}"

    taken = {digits_of(ONE, version) for version in (3, 4)}
    assert free_version(ONE, 2, digits_of, taken) == 2
    assert free_version(ONE, 3, digits_of, taken) == 5
    assert free_version(ONE, 1023, digits_of, taken) == 1023
    every = [digits_of(ONE, version) for version in range(1, 1024)]
    with pytest.raises(VersionsExhausted, match=f"parcel {ONE}: no free key version from 1 to 1023"):
        free_version(ONE, 1, digits_of, every)
