"""Deposits: what was put in lately, each with its line of the journal, so that the desk can hand out its receipt (S-07).

Owns the shape of the last few, which of them still count, and who may see which. Refuses to know paper, and to be kept: every
deposit is in the journal already, and is read back from there at the start (ADR 0014).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from controller.core.deposit import Deposit
from controller.core.model import Durable, Now, Parcel, Setup, State
from controller.core.rights import Right, may
from controller.core.views import DepositView
from wire import facts as f
from wire.ids import Label, ParcelState, PlaceKind

DEPOSITS_MAX: Final = 200
"""Deposits remembered: three days of the busiest site; an older receipt is drawn from the hub's ledger."""

SHOWN_MAX: Final = 30
"""Deposits of earlier sessions in a picture: who comes back for a forgotten receipt comes the same day."""


def sealed(state: State, fact: f.ParcelStored, now: Now, seq: int, chain: str) -> Deposit | None:
    """The deposit that fact `seq` tells of; `chain` is the journal's hash after it, in hex. None of a parcel nobody knows.

    It is of the session of whoever stands at the desk now; the fact names that of the door.
    """
    parcel, staff = state.durable.parcels.get(fact.parcel), state.durable.staff
    if parcel is None:
        return None
    session = staff.session if staff is not None and staff.person == fact.by else ""
    return _deposit(state.setup, parcel, fact, now, (session, seq, chain))


def _deposit(setup: Setup, parcel: Parcel, fact: f.ParcelStored, now: Now, line: tuple[str, int, str]) -> Deposit:
    size = "" if parcel.size is None else parcel.size.value
    if fact.place.kind is PlaceKind.COMPARTMENT:
        size = setup.cards[Label(fact.place.name)].size.value
    session, seq, chain = line
    return Deposit(
        parcel=parcel.id,
        tracking=parcel.tracking,
        carrier=parcel.carrier,
        place=fact.place,
        size=size,
        heavy=parcel.heavy or parcel.heavy_said,
        damaged=parcel.damaged_said,
        session=session,
        by=fact.by,
        at_ms=now.wall_ms,
        trust=now.trust,
        seq=seq,
        hash=chain,
    )


def remembered(deposits: Iterable[Deposit], deposit: Deposit) -> tuple[Deposit, ...]:
    """`deposits` with a new one; a parcel that was put in again (moved, taken back) has one receipt, the newest."""
    others = (known for known in deposits if known.parcel != deposit.parcel)
    return (*others, deposit)[-DEPOSITS_MAX:]


def read_back(
    setup: Setup, durable: Durable, lines: Iterable[tuple[f.ParcelStored, Now, int, str]]
) -> tuple[Deposit, ...]:
    """The deposits of the journal's lines, oldest first, after a start. Of a parcel that has left, what was seen of it is forgotten."""
    found: tuple[Deposit, ...] = ()
    for fact, now, seq, chain in lines:
        parcel = durable.parcels.get(fact.parcel)
        known = fact.place.kind is PlaceKind.SHELF or fact.place.name in setup.cards
        if parcel is not None and known:
            found = remembered(found, _deposit(setup, parcel, fact, now, ("", seq, chain)))
    return found


def shown(state: State) -> tuple[DepositView, ...]:
    """What whoever is signed in may hand out receipts for, oldest first: their own, and with the right to look those before."""
    staff = state.durable.staff
    if staff is None:
        return ()
    counted = [deposit for deposit in state.live.deposits if _still_counts(state, deposit)]
    own = [deposit for deposit in counted if deposit.session == staff.session]
    earlier = [deposit for deposit in counted if deposit.session != staff.session][-SHOWN_MAX:]
    if not may(staff.role, Right.LOOK):
        earlier = []
    return (
        *(DepositView(deposit, own=False) for deposit in earlier),
        *(DepositView(deposit, own=True) for deposit in own),
    )


def _still_counts(state: State, deposit: Deposit) -> bool:
    """Not one that was cancelled, or taken out again: its parcel is in somebody's hands, and no receipt may say otherwise."""
    parcel = state.durable.parcels.get(deposit.parcel)
    if parcel is not None:
        return parcel.place is not None
    ended = state.durable.ended.get(deposit.parcel)
    return ended is not None and ended.state is ParcelState.COLLECTED
