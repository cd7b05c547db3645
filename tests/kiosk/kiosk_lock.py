"""A lock process for the kiosk's tests: the real socket protocol, pictures to order, and a list of what was sent in."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from controller.core.model import Step
from controller.core.notices import Notice, NoticeKind, StaffNotice
from controller.core.views import (
    AlarmView,
    CallView,
    CompartmentView,
    CustomerView,
    ParcelView,
    Screen,
    SlipView,
    StaffView,
    TaskView,
    View,
)
from controller.panel_messages import ClosedLine, Input, TouchInput, ViewLine, decode_input, encode_line
from tests.tools.ports import wait_until
from wire.facts import Place
from wire.ids import (
    Door,
    Label,
    Occupancy,
    ParcelState,
    PlaceKind,
    ReachZone,
    Service,
    SizeClass,
    parcel_id_from_bits,
)
from wire.pickup import PickupKey, qr_text, typed_digits

SITE_KEY = bytes(range(32))
PARCEL = parcel_id_from_bits(0x0123_4567_89AB_CDEF)
OTHER = parcel_id_from_bits(0x0FED_CBA9_8765_4321)
KEY = PickupKey(7, PARCEL, 1, 0)
DIGITS = typed_digits(SITE_KEY, KEY)
SLIP = SlipView(
    PARCEL,
    qr_text(SITE_KEY, KEY),
    DIGITS,
    Place(kind=PlaceKind.COMPARTMENT, name="3"),
    ReachZone.MID,
    "fr",
    "RR123456785FR",
    1,
)

_SHAPES = (
    ("1", SizeClass.S, 0, 0, 1, 1),
    ("2", SizeClass.S, 0, 1, 1, 1),
    ("3", SizeClass.M, 1, 0, 2, 1),
    ("4", SizeClass.M, 1, 1, 2, 1),
    ("5", SizeClass.L, 3, 0, 3, 1),
    ("6", SizeClass.L, 3, 1, 3, 1),
    ("7", SizeClass.XL, 0, 2, 4, 1),
    ("8", SizeClass.M, 4, 2, 2, 1),
)
_REACH = {0: ReachZone.HIGH, 1: ReachZone.MID, 3: ReachZone.LOW, 4: ReachZone.LOW}


def bank() -> tuple[CompartmentView, ...]:
    """Eight doors; the third holds the parcel of the slip."""
    return tuple(
        CompartmentView(
            label=Label(label),
            size=size,
            reach=_REACH[row],
            row=row,
            column=column,
            rows=rows,
            columns=columns,
            occupancy={"3": Occupancy.OCCUPIED, "4": Occupancy.RESERVED, "6": Occupancy.UNKNOWN}.get(
                label, Occupancy.FREE
            ),
            service={"2": Service.SUSPECT, "8": Service.OUT_OF_SERVICE}.get(label, Service.IN_SERVICE),
            door={"5": Door.OPEN, "8": Door.UNKNOWN}.get(label, Door.CLOSED),
            parcel=PARCEL if label == "3" else None,
            tracking="RR123456785FR" if label == "3" else "",
        )
        for label, size, row, column, rows, columns in _SHAPES
    )


NOBODY = StaffView("", "", None, None, None, (), (), None, {"S": 1, "M": 2, "L": 1, "XL": 0})
READY = View(
    number=1,
    site="essai",
    name="Maison de quartier",
    now_ms=1_790_000_000_000,
    customer=CustomerView(Screen.READY),
    staff=NOBODY,
    bank=bank(),
    alarms=(),
    hub_link=True,
    scanner=True,
    typed_wait_ms=0,
    waiting=0,
)


def serving(screen: Screen, language: str = "fr", door: str = "3") -> View:
    """A door is being served."""
    return replace(READY, customer=CustomerView(screen, Label(door), ReachZone.MID, language))


def noticing(kind: NoticeKind, language: str = "fr") -> View:
    """A notice as the core would make it."""
    notice = Notice(kind, language=language)
    if kind is NoticeKind.WRONG_SITE:
        notice = replace(notice, site_name="Centre social Nord", site_address="12 rue des Lilas, 69000 Ville")
    if kind is NoticeKind.ALREADY_COLLECTED:
        notice = replace(notice, compartment=Label("3"), parcel=PARCEL, at_ms=1_789_990_000_000)
    if kind is NoticeKind.WAIT_TO_TYPE:
        notice = replace(notice, wait_ms=240_000)
    return replace(READY, customer=CustomerView(Screen.NOTICE, notice.compartment, None, language, notice=notice))


def staffed(
    step: Step | None = None, notice: StaffNotice | None = None, *, slip: SlipView | None = None, busy: bool = True
) -> View:
    """Somebody is signed in, perhaps with a parcel in hand."""
    task = None
    if step is not None:
        task = TaskView(
            step,
            OTHER,
            "8N12345678901",
            None if step in {Step.CHOOSE_SIZE, Step.PUT_ON_SHELF} else Label("4"),
            "E1" if step is Step.PUT_ON_SHELF else None,
        )
    calls = (
        CallView("at_desk", OTHER, "8N12345678901", None, Place(kind=PlaceKind.SHELF, name="E1"), READY.now_ms),
        CallView("help", None, "", None, None, READY.now_ms),
    )
    parcels = (
        ParcelView(
            PARCEL, "RR123456785FR", "", ParcelState.STORED, Place(kind=PlaceKind.COMPARTMENT, name="3"), 1, False
        ),
        ParcelView(OTHER, "8N12345678901", "", ParcelState.STORED, Place(kind=PlaceKind.SHELF, name="E1"), 1, True),
    )
    staff = replace(
        NOBODY,
        person="p-01",
        role="agent",
        task=task,
        notice=notice,
        slip=slip,
        calls=calls if busy else (),
        parcels=parcels,
        last_size=SizeClass.M,
    )
    alarms = (AlarmView("door_left_open", Label("5"), READY.now_ms),) if busy else ()
    return replace(READY, staff=staff, alarms=alarms, typed_wait_ms=120_000 if busy else 0)


class LockProcess:
    """The server side of the panel. `show` sends a picture to whoever is connected and to whoever connects later."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.inputs: list[Input] = []
        self.touches: list[Input] = []
        """What only says that somebody is there, apart from what they ask for."""
        self._view = READY
        self._number = 0
        self._connections: list[socket.socket] = []
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self.start()

    def start(self) -> None:
        """Serve."""
        self.path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self.path))
        self._listener.listen()
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def stop(self, why: str = "") -> None:
        """Go away, like a process that is killed; with `why`, like one that says goodbye."""
        assert self._listener is not None
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._connections:
                if why:
                    connection.sendall(encode_line(ClosedLine(closed=why)))
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._connections.clear()
        self.path.unlink(missing_ok=True)

    def show(self, view: View) -> None:
        """A new picture."""
        with self._lock:
            self._number += 1
            self._view = replace(view, number=self._number)
            for connection in self._connections:
                connection.sendall(encode_line(ViewLine(view=self._view)))

    def wait_for_input(self, wanted: Callable[[Input], bool], what: str) -> Input:
        """The first input that is `wanted`, waiting for it if need be."""
        wait_until(lambda: any(map(wanted, self.inputs)), what)
        return next(filter(wanted, self.inputs))

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                connection.sendall(encode_line(ViewLine(view=self._view)))
                self._connections.append(connection)
            threading.Thread(target=self._read, args=(connection,), daemon=True).start()

    def _read(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            for line in lines:
                said = decode_input(line)
                (self.touches if isinstance(said, TouchInput) else self.inputs).append(said)
