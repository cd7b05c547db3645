"""What correcting a recipient's card asks for: whose address changed, who holds the code by mistake, what is said anew."""

from __future__ import annotations

import pytest

from hub.core.correcting import (
    ANEW_MAX,
    Anew,
    Correction,
    Said,
    anew,
    corrected,
    correction,
    may_correct,
    moved_ways,
    ways_given,
)
from hub.core.join import Wishes
from hub.core.parcels import Refused
from hub.core.telling import Way
from wire.ids import ParcelState
from wire.plan import Help

PHONE, EMAIL = frozenset({Way.PHONE}), frozenset({Way.EMAIL})
BOTH, NONE = frozenset(Way), frozenset[Way]()
CARD = Wishes(name="Awa", phone="0612345678", email="Awa@example.org", carrier="dhl")


def said(
    number: int, kind: str, state: str, told: frozenset[Way] = NONE, attempts: int = 1, refused: frozenset[Way] = NONE
) -> Said:
    return Said(number, kind, state, attempts, told, refused)


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"phone": "no"}, "bad_phone"),
        ({"email": "no"}, "bad_email"),
        ({"language": "français"}, "bad_language"),
        ({"name": "a" * 81}, "bad_name"),
    ],
)
def test_a_correction_is_checked_as_an_announcement_is(wish: dict[str, str], code: str) -> None:
    with pytest.raises(Refused) as refused:
        correction(**wish)  # type: ignore[arg-type]
    assert refused.value.code == code


def test_what_is_not_named_stays_and_what_is_the_same_is_no_change() -> None:
    assert correction() == Correction()
    wanted = correction(
        name="  Awa  Ba ", phone="06 12 34 56 78", email="", language="pt-BR", help_profile=Help.ASSISTED
    )
    after, changed = corrected(CARD, wanted)
    assert changed == ("name", "email", "language", "help")
    assert (after.name, after.phone, after.email, after.language, after.carrier) == (
        "Awa Ba", "0612345678", "", "pt-BR", "dhl"
    )  # fmt: skip
    assert corrected(after, wanted) == (after, ())


def test_a_number_written_in_another_way_is_no_other_number() -> None:
    same, _ = corrected(CARD, correction(phone="+33 6 12 34 56 78", email="awa@example.org"))
    assert moved_ways(CARD, same) == NONE
    other, _ = corrected(CARD, correction(phone="0612345679", email=""))
    assert moved_ways(CARD, other) == BOTH
    assert moved_ways(Wishes(), Wishes()) == NONE
    assert (ways_given(CARD), ways_given(other), ways_given(Wishes())) == (BOTH, PHONE, NONE)


def test_a_carrier_corrects_until_the_parcel_is_at_its_site_and_nobody_after_its_end() -> None:
    ended = {ParcelState.COLLECTED, ParcelState.REMOVED, ParcelState.RETURNED, ParcelState.LOST}
    assert {state for state in ParcelState if may_correct(state, is_carrier=False)} == set(ParcelState) - ended
    assert {state for state in ParcelState if may_correct(state, is_carrier=True)} == {ParcelState.ANNOUNCED}


@pytest.mark.parametrize(
    ("messages", "moved", "before", "after", "expected"),
    [
        # Nothing left yet: the message that waits goes to the new address.
        ([said(1, "ready", "waiting", attempts=0)], PHONE, PHONE, PHONE, Anew()),
        # It told nobody a code.
        ([said(1, "collected", "sent", PHONE), said(2, "sung", "sent", PHONE)], PHONE, PHONE, PHONE, Anew()),
        # The code is with whoever has the wrong number.
        ([said(1, "ready", "sent", PHONE)], PHONE, PHONE, PHONE, Anew(replaces_key=True)),
        ([said(1, "last_day/0", "sent", BOTH)], EMAIL, BOTH, BOTH, Anew(replaces_key=True)),
        # Taken over from another record, which did not keep the ways; a try that nobody noted the end of.
        ([said(1, "ready", "sent", attempts=0)], PHONE, PHONE, PHONE, Anew(replaces_key=True)),
        ([said(1, "ready", "waiting")], PHONE, PHONE, NONE, Anew(replaces_key=True, drops=frozenset({1}))),
        # Nobody is reached at the old address, or there was none: the same code goes to the new one, once.
        (
            [said(1, "ready", "failed", refused=PHONE)],
            PHONE, PHONE, PHONE,
            Anew(says="ready/1", drops=frozenset({1})),
        ),
        ([said(1, "ready", "sent", PHONE)], EMAIL, PHONE, BOTH, Anew(says="ready/1", told=PHONE)),
        # What went another way alone was not at the address that is corrected; the address that is taken away gets nothing.
        ([said(1, "ready", "sent", PHONE)], EMAIL, BOTH, BOTH, Anew(says="ready/1", told=PHONE)),
        ([said(1, "ready", "sent", PHONE)], EMAIL, BOTH, PHONE, Anew()),
        # An earlier correction that waits still is overtaken by this one.
        (
            [said(1, "ready", "sent", PHONE), said(2, "ready/1", "waiting", PHONE, 0)],
            EMAIL, BOTH, BOTH,
            Anew(says="ready/2", told=PHONE, drops=frozenset({2})),
        ),
    ],
)  # fmt: skip
def test_what_is_said_anew(
    messages: list[Said], moved: frozenset[Way], before: frozenset[Way], after: frozenset[Way], expected: Anew
) -> None:
    assert anew(messages, moved=moved, before=before, after=after, keeps_code=False) == expected


def test_a_code_that_is_kept_goes_to_the_new_address_and_not_without_end() -> None:
    sent = [said(0, "ready", "sent", BOTH)]
    kept = anew(sent, moved=PHONE, before=BOTH, after=BOTH, keeps_code=True)
    assert kept == Anew(says="ready/1", told=EMAIL)
    many = sent + [said(number, f"ready/{number}", "sent", PHONE) for number in range(1, ANEW_MAX + 1)]
    with pytest.raises(Refused, match="too often"):
        anew(many, moved=PHONE, before=BOTH, after=BOTH, keeps_code=True)
