"""Staff who look for a parcel that has left (M-11); whoever comes after them sees nothing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from controller.core.events import Sought
from tests.simulation.people_at_the_bank import courier
from wire import facts as f
from wire.ids import ParcelId

if TYPE_CHECKING:
    from tests.simulation.random_site import Act, RandomSite


def staff_seek(bank: RandomSite) -> None:
    """They know its number but for the first letter; the answer is held against the journal's own lines. Then somebody else may come."""
    staff, left = bank.site.state.durable.staff, _left(bank)
    if staff is None or staff.role == "courier" or not left:
        return
    parcel = bank.random.choice(left)
    bank.site.runner.feed(Sought(f" {bank.tracking[parcel][1:]}"))
    view = bank.site.view().staff
    assert view.found is not None, "M-11: looked for, and no answer"
    assert parcel in {each.parcel for each in view.found.parcels}, f"M-11: {parcel} has left and is not found"
    here = {each.parcel for each in view.parcels} & {each.parcel for each in view.found.parcels}
    assert not here, f"M-11: {here} lie here, and are shown as gone"
    if bank.random.random() < 0.4:
        bank.site.scan(courier.KARIM)
        after = bank.site.view().staff
        assert after.session == view.session or after.found is None, (
            "M-11: the answer to somebody who stood there before"
        )


def _left(bank: RandomSite) -> list[ParcelId]:
    """Every parcel that has left for good and whose number somebody knows."""
    left: dict[ParcelId, None] = {}
    for fact in bank.site.recorder.facts:
        if isinstance(fact, f.ParcelCollected | f.ParcelRemoved) and fact.parcel in bank.tracking:
            left[fact.parcel] = None
        elif isinstance(fact, f.ParcelReceived | f.ParcelStored):
            left.pop(fact.parcel, None)
    return list(left)


ACTS: Final[tuple[tuple[Act, int], ...]] = ((staff_seek, 4),)
