"""What the hub concludes when somebody was sent (C-30)."""

from __future__ import annotations

from hub.core.delegates import Delegated
from hub.core.moment import Moment
from hub.core.project import Evolved, ParcelRecord, Source, evolve, project
from wire import facts as f
from wire.ids import IdentityCheck, ParcelState, Trust, parcel_id_from_bits

ONE = parcel_id_from_bits(1)
MOMENT = Moment(site=1, at_ms=5, trust=Trust.HUB, now_ms=9)


def test_c_30_a_delegates_visit_is_a_message_and_the_making_of_a_mandate_is_none() -> None:
    assert project(f.CollectionDelegated(parcel=ONE, number=2, session="s")) == (Delegated(ONE, 2),)
    assert project(f.MandateIssued(parcel=ONE, number=2, by="b", identity=IdentityCheck.KNOWN)) == ()
    assert project(f.MandateWithdrawn(parcel=ONE, number=2, by="b")) == ()


def test_c_30_the_parcel_stays_as_it_is_and_one_the_hub_forgot_has_nobody_to_tell() -> None:
    known = ParcelRecord(ONE, 1, ParcelState.STORED, Source.PLAN, 0, 0)
    assert evolve(known, Delegated(ONE, 2), MOMENT) == Evolved(known, messages=("delegated/2",))
    assert evolve(None, Delegated(ONE, 2), MOMENT) is None
