"""The staff loading screen: a picture of the site becomes one page that says what to do now. French.

Owns what is shown when; its words are in `staff_words`. Refuses to decide what is allowed: every button is sent and the lock process judges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from jinja2 import Environment
from markupsafe import Markup

from controller.core.extending import EXTENSIONS_MAX
from controller.core.model import Step
from controller.core.notices import StaffNoticeKind
from controller.core.rights import Right, may
from controller.core.views import FoundView, GoneView, View
from controller.kiosk import courier
from controller.kiosk.bank import placed, rows
from controller.kiosk.link import Picture
from controller.kiosk.settings import Settings
from controller.kiosk.staff_words import (
    ALARMS,
    BACK_REASONS,
    CALLS,
    HELPS,
    IDENTITIES,
    MOTIVES,
    OUT_REASONS,
    STATES,
    clock_words,
    door_words,
    notice_words,
    on_place,
    place_words,
    state_words,
    what_to_do,
)
from paper import pictograms
from paper.drawing import Picture as Drawing
from paper.drawing import svg
from wire.badges import CommandCard
from wire.ids import SIZE_ORDER, Occupancy, PlaceKind, Service
from wire.labels import LabelFormat, has_s10_check_digit, read_label

ANSWER_S: Final = 30
"""How long *empty?* is asked before the compartment is unknown (S-09)."""

_GOOD: Final = frozenset(
    {
        StaffNoticeKind.STORED,
        StaffNoticeKind.SIZE_NOTED,
        StaffNoticeKind.CHECKED,
        StaffNoticeKind.REMOVED,
        StaffNoticeKind.HANDED_OVER,
        StaffNoticeKind.CANCELLED,
        StaffNoticeKind.NEEDS_NOTED,
        StaffNoticeKind.ASSISTED,
        StaffNoticeKind.PRACTICE_ON,
        StaffNoticeKind.IDENTIFIED,
        StaffNoticeKind.LABEL_MATCHED,
        StaffNoticeKind.ALL_RETRIEVED,
        StaffNoticeKind.REISSUED,
        StaffNoticeKind.OUT_OF_SERVICE,
        StaffNoticeKind.DROP_ENDED,
        StaffNoticeKind.EXTENDED,
        StaffNoticeKind.ON_ITS_PLACE,
        StaffNoticeKind.LAST_LOOK,
        StaffNoticeKind.RECONCILED,
        StaffNoticeKind.MANDATE_ISSUED,
        StaffNoticeKind.MANDATE_WITHDRAWN,
        StaffNoticeKind.SENDING_NEXT,
        StaffNoticeKind.SENDING_ISSUED,
    }
)
_DRAWINGS: Final[dict[Step | None, Drawing]] = {
    None: pictograms.SHOW_SLIP,
    Step.CHOOSE_SIZE: pictograms.CARDS[CommandCard.SIZE_M],
    Step.PUT_IN: pictograms.CARDS[CommandCard.NOT_EMPTY],
    Step.PUT_ON_SHELF: pictograms.CARDS[CommandCard.SHELF],
    Step.TAKE_BACK: pictograms.TAKE_PARCEL,
    Step.ASK_EMPTY: pictograms.CARDS[CommandCard.EMPTY],
    Step.TAKE_FROM_SHELF: pictograms.TAKE_PARCEL,
    Step.CHECK_SHELF: pictograms.CARDS[CommandCard.SHELF],
    Step.WHICH_DOOR: pictograms.CARDS[CommandCard.NOT_EMPTY],
    Step.OPEN_WITH_KEY: pictograms.KEY,
}


@dataclass(frozen=True, slots=True)
class Echo:
    """A typed label as understood, for the person to confirm; `warning` says what looks wrong."""

    number: str
    shown: str
    warning: str


def show(environment: Environment, settings: Settings, picture: Picture | None, now_s: float) -> str:
    """The staff screen of a picture as a fragment."""
    if picture is None:
        return environment.get_template("staff_away.html").render()
    view = picture.view
    task = view.staff.task
    asked = int(now_s - picture.asked_s) if picture.asked_s else 0
    if courier.is_for(view.staff):
        shared = _shared(view, max(0, ANSWER_S - asked))
        return courier.show(environment, view, {**shared, "printer": settings.printing.queue})
    return environment.get_template("staff_fragment.html").render(
        view=view,
        staff=view.staff,
        task=task,
        step="" if task is None else task.step.value,
        todo=what_to_do(view),
        drawing=_inline(_DRAWINGS[None if task is None else task.step]),
        badge_drawing=_inline(pictograms.KEY),
        sending_drawing=_inline(pictograms.GIVE_BACK),
        heavy_drawing=_inline(pictograms.CARDS[CommandCard.HEAVY]),
        low_drawing=_inline(pictograms.CARDS[CommandCard.LOW]),
        damaged_drawing=_inline(pictograms.CARDS[CommandCard.DAMAGED]),
        nameless_drawing=_inline(pictograms.CARDS[CommandCard.UNIDENTIFIED]),
        on_place=on_place(task),
        seconds_left=max(0, ANSWER_S - asked),
        notice=None if view.staff.notice is None else notice_words(view.staff.notice),
        notice_good=view.staff.notice is not None and view.staff.notice.kind in _GOOD,
        slip_place="" if view.staff.slip is None else place_words(view.staff.slip.place),
        beside=_beside(view),
        sizes=[
            (size.value, view.staff.free_by_size.get(size.value, 0), _inline(pictograms.SIZES[size]))
            for size in SIZE_ORDER
        ],
        doors=[(door, classes, door_words(door)) for door, classes in placed(view.bank)],
        calls=[(call, CALLS.get(call.reason, "Une personne attend à l'accueil.")) for call in view.staff.calls],
        helps=HELPS,
        alarms=[(alarm, ALARMS.get(alarm.alarm, alarm.alarm)) for alarm in view.alarms],
        unknown=[door for door in view.bank if door.occupancy is Occupancy.UNKNOWN],
        due=[(parcel, place_words(parcel.place)) for parcel in view.staff.parcels if parcel.to_retrieve],
        parcels=[(parcel, state_words(parcel), place_words(parcel.place)) for parcel in view.staff.parcels],
        gone=[] if view.staff.found is None else _gone(view.staff.found),
        shelf=PlaceKind.SHELF,
        out=Service.OUT_OF_SERVICE,
        in_service=Service.IN_SERVICE,
        printer=settings.printing.queue,
        drops=[(one, courier.receipt_words(one)) for one in reversed(view.staff.receipts)],
        clock=clock_words,
        motives=[(motive.value, words) for motive, words in MOTIVES.items()],
        identities=[(check.value, words) for check, words in IDENTITIES.items()],
        receipt=_receipt(view),
        may_look=may(view.staff.role, Right.LOOK),
        may_reconcile=may(view.staff.role, Right.RECONCILE),
        bank_rows=rows(view.bank),
        may_practise=may(view.staff.role, Right.PRACTISE),
        out_reasons=tuple(OUT_REASONS.items()),
        back_reasons=tuple(BACK_REASONS.items()),
        may_extend=may(view.staff.role, Right.EXTEND),
        extensions_max=EXTENSIONS_MAX,
        may_doors=may(view.staff.role, Right.DOORS),
        may_assist=may(view.staff.role, Right.ASSIST),
        pin_wait_minutes=-(-view.staff.pin_wait_ms // 60_000),
        wait_minutes=-(-view.typed_wait_ms // 60_000),
    )


def _beside(view: View) -> str:
    """Where other parcels of the same recipient wait, for whoever would print a second slip (S-16)."""
    slip = view.staff.slip
    return "" if slip is None else ", ".join(place_words(place) for place in slip.beside)


def _gone(found: FoundView) -> list[tuple[GoneView, str, str]]:
    return [(parcel, STATES[parcel.state], place_words(parcel.place)) for parcel in found.parcels]


def _shared(view: View, seconds_left: int) -> dict[str, object]:
    """What the screen of a courier has of this one."""
    task = view.staff.task
    return {
        "view": view,
        "staff": view.staff,
        "task": task,
        "step": "" if task is None else task.step.value,
        "drawing": _inline(_DRAWINGS[None if task is None else task.step]),
        "heavy_drawing": _inline(pictograms.CARDS[CommandCard.HEAVY]),
        "low_drawing": _inline(pictograms.CARDS[CommandCard.LOW]),
        "seconds_left": seconds_left,
        "notice_good": view.staff.notice is not None and view.staff.notice.kind in _GOOD,
        "sizes": [
            (size.value, view.staff.free_by_size.get(size.value, 0), _inline(pictograms.SIZES[size]))
            for size in SIZE_ORDER
        ],
        "doors": [(door, classes, door_words(door)) for door, classes in placed(view.bank)],
        "clock": clock_words,
    }


def _receipt(view: View) -> int:
    """The journal's line of the parcel whose slip is offered, when its receipt can be had; 0 otherwise."""
    slip = view.staff.slip
    return (
        0
        if slip is None
        else next((each.deposit.seq for each in view.staff.deposits if each.deposit.parcel == slip.parcel), 0)
    )


def echo(text: str) -> Echo | None:
    """A typed number as it would be kept, in groups of four; None when it cannot be a label (S-02)."""
    label = read_label(text)
    if label is None:
        return None
    shown = " ".join(label.number[start : start + 4] for start in range(0, len(label.number), 4))
    return Echo(label.number, shown, _warning(label.format, label.number))


def _warning(label_format: LabelFormat, number: str) -> str:
    looks_like_s10 = len(number) == 13 and number[:2].isalpha() and number[2:11].isdigit() and number[11:].isalpha()
    if looks_like_s10 and not has_s10_check_digit(number):
        return "Le chiffre de contrôle ne va pas avec les autres : un chiffre est sans doute faux. Relisez l'étiquette."
    if label_format is LabelFormat.UNKNOWN:
        return "Format inconnu : relisez bien chaque caractère."
    return ""


def _inline(drawing: Drawing) -> Markup:
    return Markup(svg(drawing))  # noqa: S704 our own drawings
