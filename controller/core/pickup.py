"""Pickup: a key is presented, scanned or typed, and a door opens, or a kind sentence says what to do instead.

Owns the rules of keys at a site: genuine, current, spent, replaced, foreign, and the bucket of typed attempts. Refuses
to know pulses (`doors`). A stranger learns nothing: every unknown key gets the same refusal (C-11).
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from controller.core import due, groups, mandates, sending
from controller.core.allocate import compartment_of, is_within_reach
from controller.core.effects import Decision, Show, Signal, Sound, Wait
from controller.core.events import DigitsTyped, NextDoor, Scanned
from controller.core.evolve import MILLI
from controller.core.model import Ended, Now, Parcel, State
from controller.core.notices import Notice, NoticeKind
from controller.core.orders import call_desk, next_session, open_door, slip_refused
from wire import facts as f
from wire.ids import Door, Label, ParcelId, ParcelState, PlaceKind, Purpose, Service
from wire.mandate import ScannedMandate, is_genuine_mandate
from wire.pickup import (
    NotDigits,
    PickupKey,
    ScannedKey,
    WrongCheckDigit,
    is_genuine,
    read_digits,
    typed_digits,
)
from wire.plan import Intent

HOUR_MS: Final = 3_600_000

_NOTHING_BEHIND_ITS_DOOR: Final = {ParcelState.ANNOUNCED, ParcelState.RECEIVED, ParcelState.COLLECTING}
"""Not there yet or taken just now: the slip is shown for the others of the same recipient, as long as they wait."""

RECALLED: Final = "recalled"
DEPOSIT_CUT: Final = "deposit_cut"

ENDED_TYPED_MAX: Final = 500
"""Ended parcels whose digits are still recognised as *already collected*: two weeks of the busiest site."""


def key_scanned(state: State, scanned: ScannedKey, event: Scanned, now: Now) -> Decision:
    """A well-formed QR text. A valid one opens whatever the bucket of typed attempts says (I-23)."""
    if scanned.key.site_number != state.setup.number:
        return _wrong_site(state, scanned.key)
    site_key = state.setup.keys.get(scanned.key.epoch)
    if site_key is None or not is_genuine(scanned, site_key):
        return refused()
    if scanned.sends:
        return sending.presented(state, scanned.key, event, now)
    return _present(state, scanned.key, "qr", event, now)


def mandate_scanned(state: State, scanned: ScannedMandate, event: Scanned, now: Now) -> Decision:
    """A delegate's slip: the door of its one parcel, for the newest mandate that was not taken back (C-30)."""
    if scanned.key.site_number != state.setup.number:
        return _wrong_site(state, scanned.key)
    site_key = state.setup.keys.get(scanned.key.epoch)
    if site_key is None or not is_genuine_mandate(scanned, site_key):
        return refused()
    parcel = state.durable.parcels.get(scanned.key.parcel)
    if parcel is None:
        ended = state.durable.ended.get(scanned.key.parcel)
        return refused() if ended is None else _ended(state, scanned.key, ended)
    if (refusal := mandates.refused(parcel, scanned)) is not None:
        return refusal
    return mandates.came(parcel, _serve_own(state, parcel, scanned.key, mandates.FORM, event, now))


def digits_typed(state: State, event: DigitsTyped, now: Now) -> Decision:
    """Twelve digits at the kiosk; a slip of the finger costs nothing, an unknown code costs an attempt."""
    try:
        digits = read_digits(event.text)
    except (NotDigits, WrongCheckDigit):
        return _notice(Notice(NoticeKind.CHECK_DIGITS))
    tokens = attempts_milli(state, now)
    if tokens < MILLI:
        return _notice(Notice(NoticeKind.WAIT_TO_TYPE, wait_ms=typed_wait_ms(state, now)))
    key = _key_of_digits(state, digits)
    if key is None:
        answer = refused()
        return Decision((f.AttemptFailed(tokens_milli=tokens - MILLI),), answer.effects)
    return _present(state, key, "digits", event, now)


def attempts_milli(state: State, now: Now) -> int:
    """Thousandths of an attempt in the bucket; refilled by measured time only, slower while an alarm stands (I-22)."""
    settings = state.durable.settings
    rate = settings.attempts_per_hour_alarm if state.durable.alarms else settings.attempts_per_hour
    gained = max(0, now.mono - state.durable.bucket_mono) * rate * MILLI // HOUR_MS
    return min(settings.attempts_burst * MILLI, state.durable.bucket_milli + gained)


def typed_wait_ms(state: State, now: Now) -> int:
    """Milliseconds until a code may be typed again; 0 when it may be now."""
    settings = state.durable.settings
    rate = settings.attempts_per_hour_alarm if state.durable.alarms else settings.attempts_per_hour
    missing = MILLI - attempts_milli(state, now)
    return 0 if missing <= 0 else -(-missing * HOUR_MS // (rate * MILLI))


def refused() -> Decision:
    """The one answer to everything unknown."""
    return _notice(Notice(NoticeKind.REFUSED))


def _notice(notice: Notice) -> Decision:
    return Decision((), (Show(notice), Sound(Signal.REFUSED)))


def _wrong_site(state: State, key: PickupKey) -> Decision:
    card = next((card for card in state.durable.sites if card.number == key.site_number), None)
    if card is None:
        return _notice(Notice(NoticeKind.WRONG_SITE))
    return _notice(Notice(NoticeKind.WRONG_SITE, site_name=card.name, site_address=card.address))


def _key_of_digits(state: State, digits: str) -> PickupKey | None:
    """The key these digits belong to. Every candidate is compared, so that the time says nothing."""
    found = None
    for newest in _newest_keys(state):
        site_key = state.setup.keys.get(newest.epoch)
        if site_key is None:
            continue
        for version in range(1, newest.version + 1):
            key = replace(newest, version=version)
            if hmac.compare_digest(typed_digits(site_key, key), digits):
                found = key
    return found


def _newest_keys(state: State) -> Iterator[PickupKey]:
    """The keys that may be typed here: of parcels present or expected, of those that left lately, and their second keys."""
    durable, number = state.durable, state.setup.number
    recent = {parcel: durable.ended[parcel] for parcel in tuple(durable.ended)[-ENDED_TYPED_MAX:]}
    candidates: tuple[Ended | Parcel, ...] = (*recent.values(), *durable.parcels.values())
    for known in candidates:
        yield PickupKey(number, known.id, known.version, known.epoch)
    for second, alias in durable.aliases.items():
        if alias.into in durable.parcels or alias.into in recent:
            yield PickupKey(number, second, alias.version, alias.epoch)


def _present(state: State, key: PickupKey, form: str, event: Scanned | DigitsTyped, now: Now) -> Decision:
    alias = state.durable.aliases.get(key.parcel)
    own = key.parcel if alias is None else alias.into
    parcel = state.durable.parcels.get(own)
    if parcel is None:
        ended = state.durable.ended.get(own)
        return _not_ready(key, own, "") if ended is None else _ended(state, key, ended)
    if parcel.sending:  # It is handed in here, and never collected: its key opens an empty door or none.
        return sending.presented(state, key, event, now)
    newest = parcel.version if alias is None else alias.version
    if key.version < newest:
        return slip_refused(key, Notice(NoticeKind.REPLACED, None, parcel.id, parcel.language), "replaced")
    replaced: tuple[f.AnyFact, ...] = ()
    if key.version > newest:
        replaced = (f.KeyReplaced(parcel=key.parcel, version=key.version, epoch=key.epoch, source="slip"),)
    decision = _serve(state, parcel, key, form, event, now)
    waits = Wait(event) in decision.effects
    return decision if waits else Decision((*replaced, *decision.facts), decision.effects)


def next_door(state: State, event: NextDoor, now: Now) -> Decision:
    """The door before was closed, or never opened: the next parcel of the same recipient has its turn (C-25)."""
    for position, parcel_id in enumerate(event.parcels):
        parcel = state.durable.parcels.get(parcel_id)
        if parcel is not None and _opens_with_others(state, parcel, now):
            return _open_and_queue(state, parcel, groups.FORM, event.parcels[position + 1 :])
    return Decision()


def _serve(state: State, parcel: Parcel, key: PickupKey, form: str, event: Scanned | DigitsTyped, now: Now) -> Decision:
    """What a good key opens: the door of its own parcel, then those of the others of the same recipient."""
    if parcel.group and groups.is_under_way(state, parcel):
        return Decision()
    others = groups.behind_doors(state, parcel)
    rest = tuple(other.id for other in others if _opens_with_others(state, other, now))
    own = Decision()
    if not rest or parcel.state not in _NOTHING_BEHIND_ITS_DOOR:
        own = _serve_own(state, parcel, key, form, event, now)
    if Wait(event) in own.effects:
        return own
    elsewhere = [other for other in others if other.id not in rest]
    called = [*own.facts, *_calls_for(state, elsewhere, "ask_desk")]
    called += _calls_for(state, groups.on_shelf(state, parcel), "at_desk")
    if not rest:
        return Decision(tuple(called), own.effects)
    if any(isinstance(fact, f.OpeningOrdered) for fact in own.facts) and parcel.place is not None:
        return Decision(tuple(called), (*own.effects, Wait(NextDoor(rest, Label(parcel.place.name)))))
    beside = next((other.place for other in groups.others(state, parcel) if groups.is_served(state, other)), None)
    if beside is not None:
        return Decision(tuple(called), (*own.effects, Wait(NextDoor(rest, Label(beside.name)))))
    if not due.is_ready(state, now):
        return _one_moment(parcel, event)
    first = state.durable.parcels[rest[0]]
    opened = _open_and_queue(state, first, groups.FORM, rest[1:])
    return Decision((*called, *opened.facts), (*own.effects, *opened.effects))


def _opens_with_others(state: State, parcel: Parcel, now: Now) -> bool:
    """Whether a slip of the same recipient opens its door as well: it is there, its own slip would, and nobody is at it."""
    if parcel.place is None or parcel.place.kind is not PlaceKind.COMPARTMENT or parcel.state is not ParcelState.STORED:
        return False
    label = Label(parcel.place.name)
    return (
        not _staff_only(state, parcel, label) and _may_open(state, parcel, now) and state.door(label) is not Door.OPEN
    )


def _open_and_queue(state: State, parcel: Parcel, form: str, later: tuple[ParcelId, ...]) -> Decision:
    assert parcel.place is not None, "only a parcel behind a door has a turn (_opens_with_others)"
    label = Label(parcel.place.name)
    opened = _open(state, parcel, label, form)
    return Decision(opened.facts, (*opened.effects, Wait(NextDoor(later, label)))) if later else opened


def _calls_for(state: State, parcels: Iterable[Parcel], reason: str) -> Iterator[f.AnyFact]:
    for parcel in parcels:
        yield from call_desk(state, reason, parcel.id, None)


def _one_moment(parcel: Parcel, event: Scanned | DigitsTyped) -> Decision:
    one_moment = Notice(NoticeKind.ONE_MOMENT, None, parcel.id, parcel.language)
    return Decision((), (Wait(event), Show(one_moment)))


def _serve_own(
    state: State, parcel: Parcel, key: PickupKey, form: str, event: Scanned | DigitsTyped, now: Now
) -> Decision:
    if parcel.state is ParcelState.RECEIVED and parcel.uncertain and not _is_at_hand(state, parcel.id):
        return _look_first(state, parcel)
    if parcel.state in {ParcelState.ANNOUNCED, ParcelState.RECEIVED}:
        return _not_ready(key, parcel.id, parcel.language)
    if parcel.place is None or parcel.state not in {ParcelState.STORED, ParcelState.COLLECTING}:
        return _to_desk(state, parcel, "disputed")
    if parcel.place.kind is PlaceKind.SHELF:
        return _at_desk(state, parcel)
    label = Label(parcel.place.name)
    staff_only = _staff_only(state, parcel, label)
    if staff_only:
        return _to_desk(state, parcel, staff_only)
    if groups.is_served(state, parcel):
        return Decision()
    if not _may_open(state, parcel, now):
        return _to_desk(state, parcel, "reopen_asked")
    if not due.is_ready(state, now):
        return _one_moment(parcel, event)
    return _open(state, parcel, label, form)


def _staff_only(state: State, parcel: Parcel, label: Label) -> str:
    """Why a genuine key does not open this door by itself; empty when it does."""
    compartment, task = state.durable.compartments[label], state.live.task
    if task is not None and task.compartment == label:
        return "staff_at_door"
    if parcel.intent is Intent.RECALL and parcel.state is ParcelState.STORED:
        return RECALLED
    if compartment.parcel != parcel.id:
        return "moved"
    if compartment.doubted:
        return "journal_behind"
    if compartment.service is Service.OUT_OF_SERVICE:
        return "out_of_service"
    if parcel.state is ParcelState.STORED and not is_within_reach(state, parcel, label):
        return "out_of_reach"
    return ""


def _open(state: State, parcel: Parcel, label: Label, form: str) -> Decision:
    again = parcel.state is ParcelState.COLLECTING or parcel.uncertain
    session = parcel.session if again else next_session(state)
    ordered, effects = open_door(
        state,
        session=session,
        compartment=label,
        purpose=Purpose.REOPEN if again else Purpose.COLLECT,
        parcel=parcel.id,
        form=form,
    )
    return Decision((ordered,), effects)


def _may_open(state: State, parcel: Parcel, now: Now) -> bool:
    """Always, for a parcel still inside; within a short and counted grace after its door was opened once (I-9)."""
    if parcel.state is ParcelState.STORED and not parcel.uncertain:
        return True
    settings = state.durable.settings
    return parcel.reopens < settings.reopens_max and now.mono - parcel.since_mono < settings.reopen_grace_ms


def _not_ready(key: PickupKey, parcel: ParcelId, language: str) -> Decision:
    return slip_refused(key, Notice(NoticeKind.NOT_READY, None, parcel, language), "not_ready")


def _ended(state: State, key: PickupKey, ended: Ended) -> Decision:
    """A key that is spent opens nothing more (I-3), the doors of the same recipient neither; what still waits for them is said."""
    if ended.state is not ParcelState.COLLECTED:
        gone = ended.state in {ParcelState.REMOVED, ParcelState.RETURNED}
        kind = NoticeKind.NO_LONGER_HERE if gone else NoticeKind.ASK_DESK
        return slip_refused(key, Notice(kind, None, ended.id, ended.language), ended.state.value)
    label = Label(ended.place.name) if ended.place and ended.place.kind is PlaceKind.COMPARTMENT else None
    waits = any(groups.left_of(state, ended.group))
    kind = NoticeKind.MORE_WAITS if waits else NoticeKind.ALREADY_COLLECTED
    notice = Notice(kind, label, ended.id, ended.language, at_ms=ended.at_ms)
    return slip_refused(key, notice, "collected")


def _at_desk(state: State, parcel: Parcel) -> Decision:
    facts = tuple(call_desk(state, "at_desk", parcel.id, None))
    notice = Notice(NoticeKind.AT_DESK, None, parcel.id, parcel.language)
    return Decision(facts, (Show(notice), Sound(Signal.OK)))


def _is_at_hand(state: State, parcel: ParcelId) -> bool:
    """Whether staff are putting it in, or moving it: they need not be called to look where they stand."""
    task = state.live.task
    return task is not None and task.keeps and task.parcel == parcel


def _look_first(state: State, parcel: Parcel) -> Decision:
    """It may lie behind its door since a deposit that nobody saw through: staff look there, and nobody is sent away as too early."""
    facts = tuple(call_desk(state, DEPOSIT_CUT, parcel.id, compartment_of(state, parcel.id)))
    notice = Notice(NoticeKind.ASK_DESK, None, parcel.id, parcel.language)
    return Decision(facts, (Show(notice), Sound(Signal.ATTENTION)))


def _to_desk(state: State, parcel: Parcel, reason: str) -> Decision:
    label = Label(parcel.place.name) if parcel.place and parcel.place.kind is PlaceKind.COMPARTMENT else None
    facts = tuple(call_desk(state, reason, parcel.id, label))
    kind = NoticeKind.RECALLED if reason == RECALLED else NoticeKind.ASK_DESK
    notice = Notice(kind, None, parcel.id, parcel.language)
    return Decision(facts, (Show(notice), Sound(Signal.ATTENTION)))
