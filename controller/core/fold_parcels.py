"""What facts change about parcels: from announced to ended, their keys, their needs and their places.

Owns the parcel's side of the fold. Refuses to decide, to judge or to fail: a fact has happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import Final

from controller.core.edits import edit_compartment, edit_parcel, not_elsewhere, with_key, without_key
from controller.core.model import ALIASES_MAX, ENDED_MAX, Alias, Durable, Ended, Now, Parcel, PlanMark
from wire import facts as f
from wire.ids import Label, Occupancy, ParcelId, ParcelState, PlaceKind
from wire.plan import Intent, PlannedParcel

DROPPED_MAX: Final = 1_000
"""Keys kept of parcels that a plan dropped before they came: a hub that was put back drops what it does not know yet, a day's worth."""


def plan_applied(durable: Durable, fact: f.PlanApplied) -> Durable:
    """What the hub announces comes in; what it dropped goes only where it never was here, and its key is remembered (I-3)."""
    parcels, keys = dict(durable.parcels), dict(durable.dropped)
    aliases = durable.aliases
    for planned in fact.upserted:
        if planned.id in aliases:
            aliases = with_key(aliases, planned.id, _newer_alias(aliases[planned.id], planned.version, planned.epoch))
        else:
            parcels[planned.id] = _planned(parcels.get(planned.id) or _came_back(keys, planned.id), planned)
            keys.pop(planned.id, None)
    for dropped in fact.dropped:
        known = parcels.get(dropped)
        if known is None:
            continue
        # The sender of one that is handed in is on the way with a slip of this desk.
        if known.state is ParcelState.ANNOUNCED and not known.sending:
            del parcels[dropped]
            keys[dropped] = (known.epoch, known.version)
        else:
            parcels[dropped] = replace(known, planned=False)
    return replace(
        durable,
        parcels=parcels,
        aliases=aliases,
        dropped=dict(islice(keys.items(), max(len(keys) - DROPPED_MAX, 0), None)),
        plan=PlanMark(fact.incarnation, fact.revision, fact.hash),
        settings=durable.settings if fact.settings is None else fact.settings,
        people=durable.people if fact.people is None else fact.people,
        sites=durable.sites if fact.sites is None else fact.sites,
    )


def _came_back(keys: Mapping[ParcelId, tuple[int, int]], parcel: ParcelId) -> Parcel | None:
    """A parcel that a plan dropped and another one announces again: a slip that was replaced before stays dead (I-3)."""
    if parcel not in keys:
        return None
    epoch, version = keys[parcel]
    return Parcel(parcel, version, epoch, ParcelState.ANNOUNCED)


def _planned(known: Parcel | None, planned: PlannedParcel) -> Parcel:
    base = known or Parcel(planned.id, planned.version, planned.epoch, ParcelState.ANNOUNCED)
    newer = planned.version > base.version
    return replace(
        base,
        version=max(planned.version, base.version),
        epoch=planned.epoch if newer else base.epoch,
        mandate=0 if newer else base.mandate,
        tracking=base.tracking or planned.tracking,
        carrier=base.carrier or planned.carrier,
        size=planned.size,
        heavy=planned.heavy,
        reach=planned.reach,
        language=planned.language,
        help=planned.help,
        group=planned.group,
        intent=planned.intent if planned.extended >= base.extended else base.intent,
        extended=max(planned.extended, base.extended),
        planned=True,
    )


def hold_extended(durable: Durable, fact: f.HoldExtended) -> Durable:
    """It stays, whatever a plan said that does not know of it yet (ADR 0016)."""
    return edit_parcel(durable, fact.parcel, intent=Intent.HOLD, extended=fact.count, until_ms=fact.until_ms)


def told_of(durable: Durable, fact: f.ParcelNoted | f.HoldExtended | f.KeyReplaced | f.ParcelJoined) -> Durable:
    """What was said of a parcel, and moves it nowhere."""
    match fact:
        case f.ParcelNoted():
            return noted(durable, fact)
        case f.HoldExtended():
            return hold_extended(durable, fact)
        case f.KeyReplaced():
            return key_replaced(durable, fact)
        case _:
            return joined(durable, fact)


def noted(durable: Durable, fact: f.ParcelNoted) -> Durable:
    """What staff said of a parcel; what they did not say stays."""
    said = {
        "heavy_said": fact.heavy,
        "low_said": fact.low,
        "unidentified": fact.unidentified,
        "damaged_said": fact.damaged,
    }
    return edit_parcel(durable, fact.parcel, **{field: word for field, word in said.items() if word is not None})


def key_replaced(durable: Durable, fact: f.KeyReplaced) -> Durable:
    """A slip was issued anew: only the newest version opens (M-04)."""
    alias = durable.aliases.get(fact.parcel)
    if alias is None:
        return edit_parcel(durable, fact.parcel, version=fact.version, epoch=fact.epoch, mandate=0)
    newer = _newer_alias(alias, fact.version, fact.epoch)
    return replace(durable, aliases=with_key(durable.aliases, fact.parcel, newer))


def mandate_changed(durable: Durable, fact: f.MandateIssued | f.MandateWithdrawn) -> Durable:
    """The newest mandate counts, until it is taken back; numbers are never given twice (C-30)."""
    if isinstance(fact, f.MandateIssued):
        return edit_parcel(durable, fact.parcel, mandate=fact.number, mandates=fact.number)
    return edit_parcel(durable, fact.parcel, mandate=0)


def _newer_alias(alias: Alias, version: int, epoch: int) -> Alias:
    return alias if version <= alias.version else replace(alias, version=version, epoch=epoch)


def joined(durable: Durable, fact: f.ParcelJoined) -> Durable:
    """The announced parcel gives its needs and its key to the one that is here, and is none from now on (ADR 0007)."""
    announced = durable.parcels.get(fact.parcel)
    here, ended = durable.parcels.get(fact.into), durable.ended.get(fact.into)
    if announced is None or announced.state is not ParcelState.ANNOUNCED or (here is None and ended is None):
        return durable
    aliases = with_key(durable.aliases, fact.parcel, Alias(fact.into, announced.version, announced.epoch))
    while len(aliases) > ALIASES_MAX:
        del aliases[next(iter(aliases))]
    durable = replace(durable, aliases=aliases, parcels=without_key(durable.parcels, fact.parcel))
    if ended is not None:
        return replace(durable, ended=with_key(durable.ended, fact.into, replace(ended, language=announced.language)))
    return edit_parcel(
        durable,
        fact.into,
        carrier=durable.parcels[fact.into].carrier or announced.carrier,
        reach=announced.reach,
        language=announced.language,
        help=announced.help,
        group=announced.group,
    )


def received(durable: Durable, fact: f.ParcelReceived, stamp: Now) -> Durable:
    """A parcel is in the hands of staff, from its label on."""
    known = durable.parcels.get(fact.parcel) or Parcel(
        fact.parcel, fact.key_version, fact.key_epoch, ParcelState.RECEIVED, from_desk=fact.source == "desk"
    )
    parcel = replace(
        known,
        state=ParcelState.RECEIVED,
        place=None,
        reason="",
        uncertain=False,
        tracking=fact.tracking,
        carrier=known.carrier or fact.carrier,
        since_mono=stamp.mono,
        since_ms=stamp.wall_ms,
    )
    return replace(durable, parcels=with_key(durable.parcels, fact.parcel, parcel))


def deposits_cut(durable: Durable) -> Durable:
    """Nobody stands at a deposit after a start: its parcel lies behind its door or in somebody's hands, until one of both was seen."""
    for compartment in durable.compartments.values():
        parcel = None if compartment.parcel is None else durable.parcels.get(compartment.parcel)
        if parcel is not None and parcel.state is ParcelState.RECEIVED:
            durable = edit_parcel(durable, parcel.id, uncertain=True)
    return durable


def sending_issued(durable: Durable, fact: f.SendingIssued, stamp: Now) -> Durable:
    """A customer has a slip to hand a parcel in with, and the parcel."""
    parcel = Parcel(
        fact.parcel,
        fact.key_version,
        fact.key_epoch,
        ParcelState.ANNOUNCED,
        tracking=fact.tracking,
        carrier=fact.carrier,
        since_mono=stamp.mono,
        since_ms=stamp.wall_ms,
        sending=True,
    )
    return replace(durable, parcels=with_key(durable.parcels, fact.parcel, parcel))


def released(durable: Durable, fact: f.ReservationReleased, stamp: Now) -> Durable:
    """A reserved compartment is given back: free only where it was seen empty (S-05, S-09).

    Where nobody saw that, its parcel lies behind that door or in somebody's hands. What a customer hands in stays theirs until it is seen inside.
    """
    known = durable.parcels.get(fact.parcel)
    lost_sight = known is not None and (known.uncertain or not known.sending)
    durable = edit_compartment(
        durable,
        fact.compartment,
        occupancy=Occupancy.FREE if fact.verified_empty else Occupancy.UNKNOWN,
        parcel=None if fact.verified_empty else fact.parcel,
    )
    return edit_parcel(
        durable,
        fact.parcel,
        state=ParcelState.RECEIVED,
        place=None,
        uncertain=lost_sight and not fact.verified_empty,
        since_mono=stamp.mono,
        since_ms=stamp.wall_ms,
    )


def stored(durable: Durable, fact: f.ParcelStored, stamp: Now) -> Durable:
    """A parcel lies in its place."""
    durable = not_elsewhere(durable, fact.parcel, fact.place.name)
    if fact.place.kind is PlaceKind.COMPARTMENT:
        label = Label(fact.place.name)
        durable = edit_compartment(durable, label, occupancy=Occupancy.OCCUPIED, parcel=fact.parcel, doubted=False)
    return edit_parcel(
        durable,
        fact.parcel,
        state=ParcelState.STORED,
        place=fact.place,
        reason="",
        uncertain=False,
        reopens=0,
        since_mono=stamp.mono,
        since_ms=stamp.wall_ms,
    )


def set_aside(durable: Durable, fact: f.ParcelDisputed | f.ParcelRefused, stamp: Now) -> Durable:
    """It waits for staff, and its door with it: whatever was open about its last opening is answered by them."""
    state, reason = ParcelState.REFUSED, "refused"
    if isinstance(fact, f.ParcelDisputed):
        state, reason = ParcelState.DISPUTED, fact.reason
    return edit_parcel(
        durable,
        fact.parcel,
        state=state,
        place=fact.place,
        reason=reason,
        uncertain=False,
        since_mono=stamp.mono,
        since_ms=stamp.wall_ms,
    )


def taken(durable: Durable, fact: f.ParcelTaken, stamp: Now) -> Durable:
    """A parcel was taken: the dispute window runs."""
    return edit_parcel(
        durable,
        fact.parcel,
        state=ParcelState.COLLECTING,
        session=fact.session,
        uncertain=False,
        since_mono=stamp.mono,
        since_ms=stamp.wall_ms,
    )


def ended(durable: Durable, fact: f.ParcelCollected | f.ParcelRemoved, stamp: Now) -> Durable:
    """A parcel has left for good: a short record of it is kept, and its compartment is free if nothing else was seen."""
    parcel = fact.parcel
    state = ParcelState.COLLECTED if isinstance(fact, f.ParcelCollected) else ParcelState.REMOVED
    known = durable.parcels.get(parcel)
    if known is None:
        return durable
    ended = dict(durable.ended)
    ended[parcel] = Ended(
        id=parcel,
        version=known.version,
        state=state,
        tracking=known.tracking,
        place=known.place,
        at_ms=stamp.wall_ms,
        trust=stamp.trust,
        language=known.language,
        epoch=known.epoch,
        from_desk=known.from_desk,
        carrier=known.carrier,
        group=known.group,
    )
    durable = _bounded(replace(durable, parcels=without_key(durable.parcels, parcel), ended=ended))
    for label, compartment in durable.compartments.items():
        if compartment.parcel == parcel:
            free = compartment.occupancy is Occupancy.OCCUPIED
            return edit_compartment(
                durable, label, occupancy=Occupancy.FREE if free else compartment.occupancy, parcel=None
            )
    return durable


def _bounded(durable: Durable) -> Durable:
    """The oldest records beyond the bound are forgotten, and the second keys that led to them."""
    if len(durable.ended) <= ENDED_MAX:
        return durable
    forgotten = set(islice(durable.ended, len(durable.ended) - ENDED_MAX))
    ended = dict(
        durable.ended
    )  # A copy and a few deletions: ten thousand looks at each parcel's end would be felt on a Pi.
    for id_ in forgotten:
        del ended[id_]
    return replace(
        durable,
        ended=ended,
        aliases={id_: alias for id_, alias in durable.aliases.items() if alias.into not in forgotten},
    )
