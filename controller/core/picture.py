"""Pictures of a state: for the screens, for the hub, and the site's description of itself.

Owns what each may see. Refuses to change or decide anything. A key appears only in the slip staff just asked for.
"""

from __future__ import annotations

from typing import Final

from controller.core import courier, deposits, drops, due, finding, groups, pin, sending
from controller.core.allocate import free_by_size, needed_reach
from controller.core.handing_in import Sending, SendStep
from controller.core.latching import is_given_up, may_stay_open
from controller.core.model import (
    NO_NEEDS,
    After,
    Call,
    DoorEvent,
    Needs,
    Now,
    Opening,
    Parcel,
    Phase,
    State,
    Task,
)
from controller.core.moving import room_for
from controller.core.notices import NoticeKind
from controller.core.pickup import typed_wait_ms
from controller.core.reconciliation import is_reconciling
from controller.core.reports import FOUND_EMPTY, REASONS, is_reported
from controller.core.retrieval import is_due, is_retrieving
from controller.core.shelf_look import expected_at
from controller.core.views import (
    AlarmView,
    CallView,
    CompartmentView,
    CustomerView,
    DropView,
    ParcelView,
    Screen,
    ShelfView,
    SlipView,
    StaffView,
    TaskView,
    View,
)
from wire.facts import Place
from wire.ids import Label, ParcelId, PlaceKind, Purpose, ReachZone
from wire.mandate import mandate_text
from wire.messages import (
    AlarmState,
    Birth,
    CompartmentState,
    HeldIntent,
    ShelfState,
    SiteState,
)
from wire.pickup import PickupKey, qr_text, send_text, typed_digits
from wire.plan import Help
from wire.practice import practice_text

CAPABILITIES: Final = ("identify", "open", "rebirth", "shelf")

_FOR_CUSTOMER: Final = (Purpose.COLLECT, Purpose.REOPEN, Purpose.PRACTICE, Purpose.SEND)
_SENDING_SCREENS: Final = {SendStep.CHOOSE_SIZE: Screen.CHOOSE_SIZE, SendStep.ASK_INSIDE: Screen.ASK_INSIDE}


def build_view(state: State, number: int, now: Now) -> View:
    """The picture for the kiosk."""
    return View(
        number=number,
        site=state.setup.site,
        name=state.setup.name,
        now_ms=now.wall_ms,
        customer=_customer(state, now),
        staff=_staff(state, now),
        bank=tuple(_compartment(state, label) for label in state.setup.cards),
        alarms=tuple(AlarmView(alarm.alarm, alarm.compartment, alarm.since_ms) for alarm in _standing_alarms(state)),
        hub_link=state.live.hub_link,
        scanner=state.live.scanner,
        typed_wait_ms=typed_wait_ms(state, now),
        waiting=len(state.live.waiting),
    )


def site_state(state: State, seq: int, now: Now) -> SiteState:
    """The retained snapshot for the hub."""
    return SiteState(
        site=state.setup.site,
        boot=now.boot,
        seq=seq,
        at_ms=now.wall_ms,
        trust=now.trust,
        compartments=tuple(
            CompartmentState(
                label=label,
                occupancy=compartment.occupancy,
                service=compartment.service,
                door=state.door(label),
                parcel=compartment.parcel,
            )
            for label, compartment in state.durable.compartments.items()
        ),
        shelf=tuple(
            ShelfState(place=parcel.place.name, parcel=parcel.id)
            for parcel in state.durable.parcels.values()
            if parcel.place is not None and parcel.place.kind is PlaceKind.SHELF
        ),
        alarms=_standing_alarms(state),
        scanner=state.live.scanner,
        calls=len(state.durable.calls),
    )


def birth(state: State, journal_id: str, last_seq: int, last_hash: str, now: Now) -> Birth:
    """The retained description: what a hub that knows nothing needs to know."""
    return Birth(
        site=state.setup.site,
        boot=now.boot,
        journal=journal_id,
        version=state.setup.version,
        board=state.setup.board,
        compartments=tuple(state.setup.cards.values()),
        shelf_places=state.setup.shelf_places,
        capabilities=CAPABILITIES,
        plan_incarnation=state.durable.plan.incarnation,
        plan_revision=state.durable.plan.revision,
        plan_hash=state.durable.plan.hash,
        last_seq=last_seq,
        last_hash=last_hash,
        held=tuple(
            HeldIntent(
                parcel=parcel.id,
                version=parcel.version,
                epoch=parcel.epoch,
                state=parcel.state,
                tracking=parcel.tracking,
                carrier=parcel.carrier,
            )
            for parcel in state.durable.parcels.values()
        ),
    )


def _customer(state: State, now: Now) -> CustomerView:
    served = [opening for opening in due.open_openings(state) if _is_shown(opening)]
    settings = state.durable.settings
    recent = [
        opening
        for opening in served
        if opening.phase is Phase.PULSING or now.mono - opening.opened_mono < settings.alarm_ms
    ]
    latest = max(recent, key=lambda opening: opening.pulse_mono, default=None)
    if (asked := _asked_of_sender(state, latest)) is not None:
        return asked
    if latest is not None:
        return _serving(state, latest, now)
    notice = state.live.notice
    if notice is not None:
        language = notice.language or "fr"
        parcel = None if notice.parcel is None else state.durable.parcels.get(notice.parcel)
        more = notice.kind is NoticeKind.THANKS and parcel is not None and bool(groups.on_shelf(state, parcel))
        return CustomerView(
            Screen.NOTICE,
            notice.compartment,
            _reach(state, notice.compartment),
            language,
            Help.STANDARD if parcel is None else parcel.help,
            notice=notice,
            also_at_desk=more,
        )
    return CustomerView(Screen.READY)


def _is_shown(opening: Opening) -> bool:
    """Nobody waits for a door that opens from afar: it is spoken of once it stands open."""
    if opening.purpose is Purpose.REMOTE:
        return opening.phase is Phase.OPEN
    return opening.purpose in _FOR_CUSTOMER


def _asked_of_sender(state: State, latest: Opening | None) -> CustomerView | None:
    """What somebody is asked who hands in a parcel, unless a door has opened for somebody else since."""
    known = state.live.sending
    screen = None if known is None else _SENDING_SCREENS.get(known.step)
    if known is None or screen is None or (latest is not None and latest.pulse_mono >= known.asked_mono):
        return None
    parcel = state.durable.parcels.get(known.parcel)
    language, help_profile = ("fr", Help.STANDARD) if parcel is None else (parcel.language, parcel.help)
    label = known.compartment
    return CustomerView(
        screen, label, _reach(state, label), language, help_profile, sending=known.parcel, sizes=sending.sizes(state)
    )


def _sending_at(state: State, opening: Opening) -> Sending | None:
    """The sending that this open door is for; None when whoever began it is served no longer."""
    known = state.live.sending
    return known if known is not None and known.compartment == opening.compartment else None


def _serving(state: State, opening: Opening, now: Now) -> CustomerView:
    if opening.purpose is Purpose.REMOTE:
        label = opening.compartment
        return CustomerView(Screen.CLOSE_DOOR, label, _reach(state, label), from_afar=True)
    parcel = None if opening.parcel is None else state.durable.parcels.get(opening.parcel)
    if opening.phase is Phase.PULSING:
        screen = Screen.OPENING if opening.pulses == 1 else Screen.PUSH_DOOR
    elif now.mono - opening.opened_mono < due.take_ms(state, opening):
        screen = Screen.PUT_IN if opening.purpose is Purpose.SEND else Screen.TAKE
    else:
        screen = Screen.CLOSE_DOOR
    sent = _sending_at(state, opening)
    if screen is Screen.PUT_IN and (sent is None or sent.larger):
        screen = Screen.CLOSE_DOOR
    if opening.phase is Phase.OPEN and parcel is not None and is_reported(parcel):
        screen = Screen.CLOSE_DOOR if parcel.reason == FOUND_EMPTY else Screen.PUT_BACK
    label = opening.compartment
    if parcel is None:
        practising = opening.purpose is Purpose.PRACTICE
        return CustomerView(screen, label, _reach(state, label), practice=practising)
    return CustomerView(
        screen,
        label,
        _reach(state, label),
        parcel.language,
        parcel.help,
        doors=groups.next_doors(state, parcel),
        also_at_desk=bool(groups.on_shelf(state, parcel)),
        sending=None if sent is None else sent.parcel,
        may_grow=screen is Screen.PUT_IN and sent is not None and sending.may_grow(state, sent),
    )


def _reach(state: State, label: Label | None) -> ReachZone | None:
    return None if label is None else state.card(label).reach


def _staff(state: State, now: Now) -> StaffView:
    staff = state.durable.staff
    if staff is None:
        notice = state.live.staff_notice
        return StaffView("", "", None, notice, None, (), (), None, free_by_size(state))
    bound = courier.is_courier(staff)
    return StaffView(
        person=staff.person,
        role=staff.role,
        task=_task(state),
        notice=courier.told(state, state.live.staff_notice),
        slip=None if bound else _slip(state),
        calls=()
        if bound
        else tuple(
            CallView(
                call.reason,
                call.parcel,
                _tracking(state, call.parcel),
                call.compartment,
                _place(state, call.parcel),
                call.at_ms,
                _events(state, call),
                _help(state, call.parcel),
            )
            for call in state.durable.calls
        ),
        parcels=tuple(
            _parcel(parcel) for parcel in state.durable.parcels.values() if courier.is_theirs(staff, parcel.carrier)
        ),
        last_size=state.live.last_size,
        free_by_size=free_by_size(state),
        practice=state.durable.practice,
        practice_text="" if bound else _practice_text(state),
        pin_asked=state.live.pin_for is not None,
        pin_wait_ms=0 if state.live.pin_for is None else pin.wait_ms(state, staff.person, now),
        needs=state.live.needs,
        may_cancel=state.live.slip_for is None,
        carrier=staff.carrier if bound else "",
        left_open=courier.left_open(state, staff) if bound else None,
        deposits=deposits.shown(state),
        session=staff.session,
        drop=_drop(state) if bound else None,
        receipts=tuple(one for one in state.durable.drops if not bound or one.person == staff.person),
        reconciliation=None if bound else state.durable.reconciliation,
        report=None if bound else state.durable.report,
        seal=state.live.report_seal,
        found=finding.shown(state),
        carriers=tuple(sorted({person.carrier for person in state.durable.people if person.carrier})),
    )


def _drop(state: State) -> DropView | None:
    drop = state.durable.drop
    return None if drop is None else DropView(*drops.counts(drop.handed), len(drops.missing(state, drop)))


def _practice_text(state: State) -> str:
    if state.durable.practice is None:
        return ""
    epoch = state.setup.epoch
    return practice_text(state.setup.keys[epoch], state.setup.number, epoch)


def _task(state: State) -> TaskView | None:
    task = state.live.task
    if task is None:
        return None
    parcel = None if task.parcel is None else state.durable.parcels.get(task.parcel)
    return TaskView(
        task.step,
        task.parcel,
        _tracking(state, task.parcel),
        task.compartment,
        task.shelf_place,
        looks_only=task.compartment is not None and task.after is After.NOTHING and not task.in_hand,
        touched=task.touched,
        may_stay_open=may_stay_open(state, task),
        unseen=may_stay_open(state, task) and not is_given_up(state, task),
        needs=NO_NEEDS
        if parcel is None
        else Needs(parcel.heavy or parcel.heavy_said, needed_reach(parcel) is not None, parcel.damaged_said),
        unidentified=parcel is not None and parcel.unidentified,
        room=None if courier.is_courier(state.durable.staff) else room_for(state, task),
        retrieving=is_retrieving(state),
        scanned=task.scanned,
        reconciling=is_reconciling(state),
        believed=None if task.compartment is None else state.durable.compartments[task.compartment].occupancy,
        shelf=_shelf(state, task),
        last=task.last,
    )


def _shelf(state: State, task: Task) -> ShelfView | None:
    if task.shelf is None or task.shelf_place is None:
        return None
    expected = expected_at(state, task.shelf_place)
    return ShelfView(
        tuple((parcel.id, parcel.tracking, parcel.id in task.shelf.seen) for parcel in expected), task.shelf.others
    )


def _slip(state: State) -> SlipView | None:
    """The slip re-issued just now, or that of the parcel stored last in this staff session."""
    shown = state.live.slip_for or state.live.last_stored
    parcel = None if shown is None else state.durable.parcels.get(shown)
    if parcel is None or parcel.unidentified:  # No code is issued for nobody (S-13).
        return None
    site_key = state.setup.keys.get(parcel.epoch)
    if site_key is None:
        return None
    key = PickupKey(state.setup.number, parcel.id, parcel.version, parcel.epoch)
    label = Label(parcel.place.name) if parcel.place and parcel.place.kind is PlaceKind.COMPARTMENT else None
    mandate = state.live.slip_is_mandate and bool(parcel.mandate)
    text = send_text if parcel.sending else qr_text
    return SlipView(
        parcel=parcel.id,
        qr_text=mandate_text(site_key, key, parcel.mandate) if mandate else text(site_key, key),
        digits="" if mandate else typed_digits(site_key, key),
        place=parcel.place,
        reach=_reach(state, label),
        language=parcel.language,
        tracking=parcel.tracking,
        version=parcel.version,
        mandate=mandate,
        beside=() if mandate else groups.waiting_places(state, parcel),
        sends=parcel.sending,
    )


def _parcel(parcel: Parcel) -> ParcelView:
    return ParcelView(
        parcel=parcel.id,
        tracking=parcel.tracking,
        carrier=parcel.carrier,
        state=parcel.state,
        place=parcel.place,
        since_ms=parcel.since_ms,
        recalled=parcel.intent.value == "recall",
        reason=parcel.reason,
        unidentified=parcel.unidentified,
        to_retrieve=is_due(parcel),
        language=parcel.language,
        help=parcel.help,
        reach=needed_reach(parcel),
        heavy=parcel.heavy or parcel.heavy_said,
        extended=parcel.extended,
        until_ms=parcel.until_ms,
        mandate=bool(parcel.mandate),
        sending=parcel.sending,
    )


def _tracking(state: State, parcel: ParcelId | None) -> str:
    known = None if parcel is None else state.durable.parcels.get(parcel)
    return "" if known is None else known.tracking


def _help(state: State, parcel: ParcelId | None) -> Help:
    known = None if parcel is None else state.durable.parcels.get(parcel)
    return Help.STANDARD if known is None else known.help


def _place(state: State, parcel: ParcelId | None) -> Place | None:
    known = None if parcel is None else state.durable.parcels.get(parcel)
    return None if known is None else known.place


def _events(state: State, call: Call) -> tuple[DoorEvent, ...]:
    if call.compartment is None or call.reason not in REASONS.values():
        return ()
    return state.durable.compartments[call.compartment].events


def _compartment(state: State, label: Label) -> CompartmentView:
    card = state.card(label)
    compartment = state.durable.compartments[label]
    shown = courier.may_see(state, compartment.parcel)
    return CompartmentView(
        label=label,
        size=card.size,
        reach=card.reach,
        row=card.row,
        column=card.column,
        rows=card.rows,
        columns=card.columns,
        occupancy=compartment.occupancy,
        service=compartment.service,
        door=state.door(label),
        parcel=compartment.parcel if shown else None,
        tracking=_tracking(state, compartment.parcel) if shown else "",
    )


def _standing_alarms(state: State) -> tuple[AlarmState, ...]:
    return tuple(
        AlarmState(alarm=name, compartment=Label(label) if label else None, since_ms=since)
        for key, since in state.durable.alarms.items()
        for name, _, label in (key.partition("/"),)
    )
