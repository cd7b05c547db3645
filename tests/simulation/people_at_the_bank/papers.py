"""Staff who say that a parcel came damaged, and who take the receipts of what they put in (S-07)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from controller.core.events import Button
from controller.core.model import Step
from wire import facts as f
from wire.ids import ParcelId, ParcelState

if TYPE_CHECKING:
    from tests.simulation.random_site import Act, RandomSite


def staff_say_damaged(bank: RandomSite) -> None:
    """It came torn; now and then somebody touched the wrong button, and takes it back."""
    task = bank.site.state.live.task
    if task is None or task.parcel is None or task.step not in {Step.CHOOSE_SIZE, Step.PUT_IN, Step.PUT_ON_SHELF}:
        return
    bank.site.press(Button.ARRIVED_DAMAGED)
    bank.damaged ^= {task.parcel}


def staff_take_receipts(bank: RandomSite) -> None:
    """Each receipt says what the journal says at that line; together they are all that this session put in and left there."""
    state, shown = bank.site.state, bank.site.view().staff.deposits
    if state.durable.staff is None:
        assert not shown, "S-07: receipts for nobody"
        return
    facts = bank.site.recorder.facts
    for each in shown:
        deposit = each.deposit
        fact = facts[deposit.seq - 1]
        assert isinstance(fact, f.ParcelStored), f"S-07: line {deposit.seq} of the journal is no deposit but {fact}"
        assert (fact.parcel, fact.place, fact.by) == (deposit.parcel, deposit.place, deposit.by), (
            "S-07: another deposit"
        )
        assert deposit.hash == bank.site.recorder.hash_at(deposit.seq), "S-07: the seal is of another line"
        assert deposit.damaged == (deposit.parcel in bank.damaged), "S-07: the receipt says another condition"
        known = state.durable.parcels.get(deposit.parcel)
        in_hands = known is not None and known.state is ParcelState.RECEIVED
        assert not in_hands, f"S-07: a receipt for {deposit.parcel}, which is in the hands of staff"
    own = {each.deposit.parcel for each in shown if each.own}
    assert own == _left_here(bank), "S-07: not all that was put in, or more than that"


def _left_here(bank: RandomSite) -> set[ParcelId]:
    """What was put in since somebody signed in and was not taken out again, by the facts alone.

    A door of whoever stood there before them may spring open now and be shut: what lies behind it stays the other's deposit;
    and what a customer hands in is no deposit of staff.
    """
    found: set[ParcelId] = set()
    person = ""
    for fact in bank.site.recorder.facts:
        if isinstance(fact, f.StaffSignedIn):
            found.clear()
            person = fact.person
        elif isinstance(fact, f.ParcelStored):
            found.discard(fact.parcel)
            if fact.by == person:
                found.add(fact.parcel)
        elif isinstance(fact, f.ParcelRemoved | f.ParcelReceived | f.ReservationReleased):
            found.discard(fact.parcel)
    return found


ACTS: Final[tuple[tuple[Act, int], ...]] = ((staff_say_damaged, 1), (staff_take_receipts, 3))
