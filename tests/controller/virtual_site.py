"""A whole site in virtual time: the real `Runner` and core over recording ports, with people who scan, pull and press.

Owns the stage of the core's stories. Refuses to know what should happen. Restart = the real fold of the facts so far.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import msgspec

from controller.core import events as e
from controller.core.evolve import evolve, rebase
from controller.core.model import Durable, Live, Now, Parcel, Setup, State, fresh
from controller.core.notices import StaffNoticeKind
from controller.core.picture import build_view
from controller.core.views import TaskView, View
from controller.exchange import heard
from controller.runner import Runner
from firmware.latches import LatchBusy, LatchError
from wire import facts as f
from wire.badges import CommandCard, badge_digest, badge_text, card_text, pin_digest
from wire.ids import Door, Label, Occupancy, ParcelId, ReachZone, Service, SizeClass, Trust, parcel_id_from_bits
from wire.messages import Ack, Command, CompartmentCard, Reply
from wire.pickup import PickupKey, qr_text, typed_digits
from wire.plan import Person, Plan, PlannedParcel, Settings, SiteCard, sealed

SITE_KEY: Final = bytes(range(32))
NUMBER: Final = 7
BADGE: Final = badge_text(0x1234_5678_9ABC_DEF0)
LABEL_OF_PARCEL: Final = "8N00234584108"
WALL_MS: Final = 1_790_000_000_000

_CARDS: Final = (
    ("1", SizeClass.S, ReachZone.HIGH, 1_700),
    ("2", SizeClass.S, ReachZone.MID, 1_000),
    ("3", SizeClass.M, ReachZone.LOW, 600),
    ("4", SizeClass.L, ReachZone.LOW, 300),
)


@dataclass
class VirtualClock:
    """Time that passes only when told to."""

    mono: int = 1_000_000
    wall_ms: int = WALL_MS
    boot: int = 1
    trust: Trust = Trust.NTP

    def now(self) -> Now:
        return Now(self.mono, self.wall_ms, self.trust, self.boot)

    def look(self) -> e.ClockStepped | None:
        return None

    def hear_hub(self, hub_ms: int, *, fresh: bool) -> e.ClockStepped | None:
        del hub_ms, fresh
        return None


@dataclass
class Recorder:
    """Every port of the owner, recording in one list what was done in which order. `rests_until`: no coil may be on before.

    `kept_from`: older facts were thrown away.
    """

    facts: list[f.AnyFact] = field(default_factory=list)
    stamps: list[int] = field(default_factory=list)
    done: list[tuple[str, object]] = field(default_factory=list)
    causes: list[f.OpeningOrdered] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    rests_until: int = 0
    clock: VirtualClock = field(default_factory=VirtualClock)
    acked: int = 0
    kept_from: int = 0
    on_ballast: bool = False

    @property
    def last_seq(self) -> int:
        return len(self.facts)

    def hash_at(self, seq: int) -> str:
        return f"{seq:064x}" if self.kept_from <= seq <= self.last_seq else ""

    def append(self, facts: tuple[f.AnyFact, ...], now: Now) -> None:
        self.facts.extend(facts)
        self.stamps.extend(now.wall_ms for _ in facts)
        self.done.append(("durable", tuple(f.kind(fact) for fact in facts)))

    def set_acked(self, seq: int, *, rewind: bool) -> None:
        self.acked = seq if rewind else max(self.acked, seq)

    def must_tend(self) -> bool:
        return False

    def tend(self, durable: Durable, now: Now) -> None:
        del durable, now

    def pulse(self, label: str) -> None:
        if label in self.broken:
            message = f"compartment {label}: no answer from the driver"
            raise LatchError(message)
        if self.clock.mono < self.rests_until:
            message = "the supply rests"
            raise LatchBusy(message, (self.rests_until - self.clock.mono) / 1000)
        self.causes.append(next(fact for fact in reversed(self.facts) if isinstance(fact, f.OpeningOrdered)))
        self.done.append(("pulse", label))

    def all_off(self) -> None:
        self.done.append(("all_off", None))


class Silent:
    """Screens, lamps, hub and watchdog that only remember."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.signals: list[str] = []
        self.rebirths = 0

    def wake(self) -> None: ...

    def acked(self, seq: int, *, rewind: bool) -> None:
        del seq, rewind

    def publish_state(self, state: State, seq: int, now: Now) -> None:
        del state, seq, now

    def reply(self, reply: Reply) -> None:
        self.replies.append(reply)

    def rebirth(self) -> None:
        self.rebirths += 1

    def ping(self) -> None: ...


class Lamp:
    """Remembers the patterns asked for."""

    def __init__(self) -> None:
        self.patterns: list[str] = []

    def show(self, signal: str) -> None:
        self.patterns.append(signal)


class Screens:
    """Draws nothing; the tests build the view themselves."""

    def show(self, state: State, now: Now) -> None:
        del state, now


class VirtualSite:
    """One site and the people in front of it."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.setup = Setup(
            site="gennevilliers",
            number=NUMBER,
            keys={0: SITE_KEY},
            cards={
                Label(label): CompartmentCard(
                    label=Label(label), size=size, reach=reach, height_mm=height, row=row, column=0
                )
                for row, (label, size, reach, height) in enumerate(_CARDS)
            },
            shelf_places=("E1", "E2"),
            board="virtual",
            version="0",
            name="Gennevilliers",
        )
        self.settings = settings or Settings()
        self.clock = VirtualClock()
        self.recorder = Recorder(clock=self.clock)
        self.hub = Silent()
        self.lamp = Lamp()
        self.doors: dict[Label, Door] = dict.fromkeys(self.setup.cards, Door.CLOSED)
        self.revision = 0
        self.role = "concierge"
        self.pin = ""
        self.valid_until_ms = 0
        self.others: tuple[Person, ...] = ()
        self.planned: dict[ParcelId, PlannedParcel] = {}
        self.runner = self._start(fresh(self.setup), clean=True)
        self.publish_plan()

    # ------------------------------------------------------------------------------------------------ machine

    def _start(self, durable: Durable, *, clean: bool) -> Runner:
        state = State(self.setup, rebase(durable, self.clock.now()), Live())
        runner = Runner(
            state=state,
            clock=self.clock,
            journal=self.recorder,
            latches=self.recorder,
            signals=self.lamp,
            uplink=self.hub,
            panel=Screens(),
            watchdog=self.hub,
        )
        runner.feed(e.Booted(dict(self.doors), clean))
        return runner

    def restart(self) -> None:
        """Power cut: everything not durable is gone, the clock of this boot starts anew, the doors are as they are."""
        durable = fresh(self.setup)
        for fact in self.recorder.facts:
            body = f.encode_fact(fact)
            durable = evolve(durable, f.decode_fact(body), Now(0, self.clock.wall_ms, Trust.FLOOR))
        self.clock.boot += 1
        self.clock.mono = 5_000
        self.recorder.rests_until = 0
        self.runner = self._start(durable, clean=False)

    def through_a_snapshot(self) -> Durable:
        """The durable state as a snapshot keeps it."""
        return msgspec.json.decode(msgspec.json.encode(self.runner.state.durable), type=Durable)

    def wait(self, milliseconds: int) -> None:
        """Let time pass, stopping at every deadline on the way."""
        end = self.clock.mono + milliseconds
        for _ in range(100_000):
            due = self.runner.next_deadline()
            if due is None or due > end:
                break
            step = max(due - self.clock.mono, 0)
            self.clock.mono += step
            self.clock.wall_ms += step
            before = due
            self.runner.advance()
            if self.runner.next_deadline() == before:
                self.runner.advance()  # What a first tick made due at this very instant is seen to by a second one.
            if self.runner.next_deadline() == before:
                message = "a deadline that a tick does not move would spin for ever"
                raise AssertionError(message)
        self.clock.wall_ms += end - self.clock.mono
        self.clock.mono = end
        self.runner.advance()

    # ------------------------------------------------------------------------------------------------- people

    def scan(self, text: str, entropy: int = 0xABCDEF) -> None:
        self.runner.feed(e.Scanned(text, entropy))

    def type(self, digits: str) -> None:
        self.runner.feed(e.DigitsTyped(digits))

    def open(self, label: str) -> None:
        self.doors[Label(label)] = Door.OPEN
        self.runner.feed(e.DoorChanged(Label(label), open=True))

    def close(self, label: str) -> None:
        self.doors[Label(label)] = Door.CLOSED
        self.runner.feed(e.DoorChanged(Label(label), open=False))

    def press(
        self, button: e.Button, value: str = "", compartment: str | None = None, parcel: ParcelId | None = None
    ) -> None:
        label = None if compartment is None else Label(compartment)
        self.runner.feed(e.Pressed(button, value, label, parcel))

    def give_pin(self, pin: str) -> None:
        self.runner.feed(e.PinTyped(pin))

    def card(self, card: CommandCard) -> None:
        self.scan(card_text(card))

    def sign_in(self) -> None:
        self.scan(BADGE)

    # --------------------------------------------------------------------------------------------------- hub

    def publish_plan(self, incarnation: int = 1) -> None:
        self.revision += 1
        plan = Plan(
            site=self.setup.site,
            incarnation=incarnation,
            revision=self.revision,
            hash="",
            parcels=tuple(self.planned.values()),
            people=(
                Person(
                    id="amina",
                    role=self.role,
                    badge=badge_digest(BADGE),
                    pin=pin_digest(BADGE, self.pin) if self.pin else "",
                    valid_until_ms=self.valid_until_ms,
                ),
                *self.others,
            ),
            sites=(SiteCard(number=8, name="Colombes", address="2 rue du Port"),),
            settings=self.settings,
        )
        self.runner.feed(e.PlanArrived(sealed(plan)))

    def announce(self, bits: int = 1, tracking: str = LABEL_OF_PARCEL, **fields: object) -> ParcelId:
        parcel = parcel_id_from_bits(bits)
        base = PlannedParcel(id=parcel, version=1, tracking=tracking, size=SizeClass.S)
        self.planned[parcel] = msgspec.structs.replace(base, **fields)
        self.publish_plan()
        return parcel

    def ack(self, incarnation: int, seq: int, head: str = "", before: tuple[int, str] = (0, "")) -> None:
        ack = Ack(incarnation=incarnation, seq=seq, head=head, before_seq=before[0], before_head=before[1])
        self.runner.feed(heard(ack))

    def command(self, command: Command) -> None:
        self.runner.feed(e.CommandArrived(command))

    # ----------------------------------------------------------------------------------------------- journeys

    def stored(self, bits: int = 1, tracking: str = LABEL_OF_PARCEL, **fields: object) -> ParcelId:
        """A parcel announced, put in by staff who then sign out; its compartment is the first that fits."""
        parcel = self.announce(bits, tracking, **fields)
        self.sign_in()
        self.scan(tracking)
        label = self.task_compartment()
        self.open(label)
        self.wait(3_000)
        self.close(label)
        self.press(e.Button.SIGN_OUT)
        self.wait(5_000)
        self.forget()
        return parcel

    def happen(self, *facts: f.AnyFact) -> None:
        """Facts of which no story is told here."""
        self.recorder.append(facts, self.clock.now())
        durable = self.runner.state.durable
        for fact in facts:
            durable = evolve(durable, fact, self.clock.now())
        self.runner.state = replace(self.runner.state, durable=durable)

    def out_of_service(self, label: str) -> None:
        """A compartment that the site itself locked, whatever lies behind it."""
        self.happen(f.ServiceSet(compartment=Label(label), service=Service.OUT_OF_SERVICE, reason="found_empty"))

    def forget(self) -> None:
        """Only what happens from here on is compared."""
        self.recorder.done.clear()

    def slip(self, parcel: ParcelId, version: int = 1, number: int = NUMBER, key: bytes = SITE_KEY) -> str:
        return qr_text(key, PickupKey(number, parcel, version, 0))

    def digits(self, parcel: ParcelId, version: int = 1) -> str:
        return typed_digits(SITE_KEY, PickupKey(NUMBER, parcel, version, 0))

    # ---------------------------------------------------------------------------------------------- questions

    @property
    def state(self) -> State:
        return self.runner.state

    def parcel(self, parcel: ParcelId) -> Parcel:
        return self.state.durable.parcels[parcel]

    def occupancy(self, label: str) -> Occupancy:
        return self.state.durable.compartments[Label(label)].occupancy

    def service(self, label: str) -> Service:
        return self.state.durable.compartments[Label(label)].service

    def view(self) -> View:
        return build_view(self.state, 1, self.clock.now())

    def task_compartment(self) -> str:
        task = self.state.live.task
        if task is None or task.compartment is None:
            message = "staff are not asked to use a compartment"
            raise AssertionError(message)
        return task.compartment

    def pulses(self) -> list[object]:
        return [what for kind, what in self.recorder.done if kind == "pulse"]

    def kinds(self) -> list[str]:
        """The kinds of all facts, oldest first, since the last `forget`."""
        return [kind for what, kinds in self.recorder.done if what == "durable" for kind in _words(kinds)]


def _words(kinds: object) -> tuple[str, ...]:
    return tuple(str(kind) for kind in kinds) if isinstance(kinds, tuple) else ()


def told(site: VirtualSite) -> StaffNoticeKind | None:
    """What the desk's screen says in words; None when it says nothing."""
    shown = site.view().staff.notice
    return None if shown is None else shown.kind


def task(site: VirtualSite) -> TaskView:
    """What is asked of staff now, who are asked for something."""
    asked = site.view().staff.task
    assert asked is not None
    return asked
