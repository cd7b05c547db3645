"""The people of one site: those who load, those who collect, and those who only pass by.

Owns what hands do and how patient they are. Refuses to know how a site thinks: they see its screens (the state) and its
doors, and they are honest, hurried and sometimes careless. Each is a generator that yields the milliseconds they wait.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from controller.core import events as e
from controller.core.events import Button
from controller.core.model import Parcel, Step, Task
from controller.core.notices import StaffNoticeKind
from controller.core.picture import build_view
from tests.simulation.bank import TrueParcel
from tests.simulation.schedule import Waits
from tests.simulation.weather import DAY_MS
from wire.badges import CommandCard, card_text
from wire.damm import check_digit
from wire.ids import Label, Occupancy, ParcelId, ParcelState, PlaceKind, Service
from wire.plan import Intent

if TYPE_CHECKING:
    from tests.simulation.site import Site
    from tests.simulation.world import World

PATIENCE: Final = 24
"""Half seconds somebody watches the doors after a scan."""
ROUNDS_MAX: Final = 40
"""Steps of one deposit; a dialogue that needs more has no end."""
SLAM_MS: Final = 1_900
"""The wind shuts a door this soon or not at all: what closes later had time for a hand (C-05, ADR 0008)."""
ACCEPT_MS: Final = 2_000
"""A valid key opens its own door within this time, or somebody is told to wait (I-7)."""


class People:
    """Everybody who comes to one site."""

    def __init__(self, world: World, site: Site, badge: str, random: Random) -> None:
        self.world = world
        self.site = site
        self.badge = badge
        self.random = random
        self.at_the_reader = False
        self._on_shift = False
        self._later = Random(f"{world.seed} {site.name} complaints")

    # ------------------------------------------------------------------------------------------------------ staff

    def staff_day(self) -> Waits:
        """Now and then somebody loads what came, looks after what is unclear, and hands over what lies on the shelf."""
        while True:
            yield int(self.random.expovariate(self.world.weather.shifts_a_day / DAY_MS))
            if self._on_shift:
                continue
            self._on_shift = True
            yield from self.shift()
            self._on_shift = False

    def shift(self) -> Waits:
        """One round at the desk."""
        if not self.site.has_power():
            return
        yield from self._sign_in()
        yield from self._clear_task()
        for parcel in list(self.site.bank.parcels.values()):
            if parcel.where in {"van", "hands"} or self._lies_unknown(parcel):
                yield from self._load(parcel)
        yield from self._care()
        yield from self._take_out()
        yield from self._hand_over()
        self._press(Button.SIGN_OUT)

    def _sign_in(self) -> Waits:
        if self.site.has_power() and self.site.state.durable.staff is None:
            self._scan(self.badge)
            yield 1_500

    def _load(self, parcel: TrueParcel) -> Waits:
        """Scan the label, and do what the screen says until it says no more."""
        parcel.where = "hands"
        yield from self._sign_in()
        self._scan(parcel.tracking)
        yield 700
        for _ in range(ROUNDS_MAX):
            task = self._task()
            if task is None:
                break
            yield from self._step(task, parcel)
        self._learn_id(parcel)
        yield 1_000
        self._set_aside(parcel)
        yield from self._follow_the_screen(parcel)

    def _set_aside(self, parcel: TrueParcel) -> None:
        """The books say that the parcel in hand has gone: somebody took it out who was only asked to look. The lead announces it anew."""
        if parcel.where != "hands" or not self.site.has_power():
            return
        notice = self.site.state.live.staff_notice
        if notice is None or notice.kind is not StaffNoticeKind.ALREADY_ENDED or notice.tracking != parcel.tracking:
            return
        self.world.tell(f"{parcel.tracking} is in hand and counts as gone; it is announced anew")
        self.world.announced_anew[parcel.tracking] += 1
        self.world.hub.announce(self.site.name, self.site.number, parcel)

    def _follow_the_screen(self, parcel: TrueParcel) -> Waits:
        """The screen says that the parcel in hand lies somewhere else already: put it there, or look there."""
        if parcel.where != "hands" or not self.site.has_power():
            return
        known = self.site.state.durable.parcels.get(ParcelId(parcel.id))
        if known is None or known.state is not ParcelState.STORED or known.place is None:
            return
        if known.place.kind is PlaceKind.SHELF:
            parcel.where = "shelf"
        else:
            yield from self._look_into(Label(known.place.name))

    def _step(self, task: Task, parcel: TrueParcel) -> Waits:
        if self.random.random() < self.world.weather.careless / 20:
            yield 100_000  # the telephone rings
        match task.step:
            case Step.CHOOSE_SIZE:
                self._press(Button.SIZE, parcel.size)
                yield 800
            case Step.PUT_IN:
                yield from self._put_in(task, parcel)
            case Step.PUT_ON_SHELF:
                if parcel.where == "hands":
                    parcel.where = "shelf"
                self._press(Button.DONE)
                yield 800
            case Step.TAKE_BACK:
                yield from self._take_back(task, parcel)
            case Step.ASK_EMPTY:
                yield from self._answer(task)

    def _put_in(self, task: Task, parcel: TrueParcel) -> Waits:
        label = task.compartment
        assert label is not None
        for _ in range(PATIENCE * 2):
            if self.site.bank.open[label] or self._task() != task:
                break
            yield 500
        if self._task() != task or not self.site.bank.open[label]:
            return
        if self.random.random() < 0.1:
            self._press(self.random.choice((Button.BIGGER, Button.SHELF, Button.CANCEL)))
            yield 500
            return
        self._learn_id(parcel)
        parcel = self._meant(task, parcel)
        if parcel.where == "hands":
            if self.site.bank.behind(label):
                lacks = self.site.name in self.world.checks.believed
                assert lacks, f"I-5: {label} was allotted and something lies inside"
                self._press(Button.BIGGER)  # An older card cannot know better (ADR 0009); whoever stands there sees it.
                yield 500
                return
            self.site.bank.put(parcel, label)
        yield self.random.randrange(500, 6_000)
        if self.random.random() < self.world.weather.careless / 10:
            yield 240_000  # called away with the door open
        self._shut(label)
        yield 500

    def _meant(self, task: Task, parcel: TrueParcel) -> TrueParcel:
        """What the screen speaks of: what was scanned last, or before it, when it had to wait for a customer's door (storm 2744)."""
        if task.parcel in parcel.ids:
            return parcel
        earlier = [one for one in self.site.bank.parcels.values() if task.parcel in one.ids and one.where == "hands"]
        assert earlier, "the screen speaks of another parcel"
        return earlier[0]

    def _take_back(self, task: Task, parcel: TrueParcel) -> Waits:
        label = task.compartment
        assert label is not None
        for _ in range(PATIENCE * 2):
            if self.site.bank.open[label] or self._task() != task:
                break
            yield 500
        if self.site.bank.open[label]:
            if parcel.where == label:
                self.site.bank.take(parcel, "hands")
            yield 1_500
            self._shut(label)
        yield 500
        if self._task() == task and label in self.site.bank.cut:  # Its switch does not show that it was shut.
            yield from self._answer(task)

    def _answer(self, task: Task) -> Waits:
        """Look inside and say what is true; or be called away and say nothing."""
        if self.random.random() < self.world.weather.careless:
            yield 40_000
            return
        assert task.compartment is not None
        empty = not self.site.bank.behind(task.compartment)
        if self._task() == task:
            self._scan(card_text(CommandCard.EMPTY if empty else CommandCard.NOT_EMPTY))
        yield 800

    def _clear_task(self) -> Waits:
        """Whatever an earlier shift left on the screen is ended first."""
        nothing = TrueParcel("", "S", "nowhere")
        for _ in range(ROUNDS_MAX):
            task = self._task()
            if task is None:
                return
            yield from self._end(task, nothing)

    def _end(self, task: Task, parcel: TrueParcel) -> Waits:
        """Nothing is to be put in now: a deposit on the screen, one kept from an earlier scan, is given up."""
        if task.step in {Step.PUT_IN, Step.PUT_ON_SHELF, Step.CHOOSE_SIZE}:
            self._press(Button.CANCEL)
            yield 500
        else:
            yield from self._step(task, parcel)

    def _care(self) -> Waits:
        """Look into what is unclear, and put back into service what works again."""
        for label in self.site.setup.cards:
            if not self.site.has_power():
                return
            known = self.site.state.durable.compartments[label]
            works = label not in self.site.bank.jammed | self.site.bank.cut
            if known.service is not Service.IN_SERVICE and works:
                yield from self._sign_in()
                self._press(Button.PUT_IN_SERVICE, "checked", label)
                yield 500
            if known.service is Service.IN_SERVICE and label in self.site.bank.cut and not self.site.bank.open[label]:
                yield from self._sign_in()
                self._press(Button.TAKE_OUT_OF_SERVICE, "other", label)
                yield 500
                yield from self._clear_task()
            if self.site.bank.open[label] and not self.at_the_reader:  # Nobody shuts a door in front of its customer.
                self._shut(label)
                yield 2_500
            unclear = self.site.has_power() and (
                self.site.state.durable.compartments[label].occupancy in {Occupancy.UNKNOWN, Occupancy.RESERVED}
            )
            if unclear:
                yield from self._look_into(label)
        yield from self._tidy_alarms()

    def _take_out(self) -> Waits:
        """What recipients complained of, and what its carrier wants back, leaves its door, and the stock."""
        known = self.site.state.durable.parcels.values() if self.site.has_power() else ()
        for one in [parcel for parcel in known if _has_to_leave(parcel)]:
            true = next((p for p in self.site.bank.parcels.values() if one.id in p.ids), None)
            if true is None or true.where not in self.site.bank.open or not self.site.has_power():
                continue
            yield from self._sign_in()
            self.site.feed(e.Pressed(Button.REMOVE, parcel=one.id))
            yield 500
            for _ in range(ROUNDS_MAX):
                task = self._task()
                if task is None:
                    break
                yield from self._end(task, true)
            if true.where == "hands" and self.site.has_power() and one.id in self.site.state.durable.ended:
                true.where = "removed"

    def _look_into(self, label: Label) -> Waits:
        yield from self._sign_in()
        self._press(Button.CHECK, label=label)
        yield 500
        inside = self.site.bank.behind(label)
        parcel = inside[0] if inside else TrueParcel("", "S", "nowhere")
        view = build_view(self.site.state, self.site.number, self.site.clock.now()) if self.site.has_power() else None
        only_looks = view is not None and view.staff.task is not None and view.staff.task.looks_only
        obeys = self.random.random() > self.world.weather.careless / 5
        keep = only_looks if obeys else not only_looks
        for _ in range(ROUNDS_MAX):
            task = self._task()
            if task is None:
                return
            if task.step is Step.TAKE_BACK and keep:
                for _ in range(PATIENCE):
                    if self.site.bank.open[label] or self._task() != task:
                        break
                    yield 500
                self._shut(label)
                yield 500
                if self._task() == task and label in self.site.bank.cut:
                    yield from self._answer(task)
            else:
                yield from self._end(task, parcel)
                self._is_rightly_held(parcel, obeys=obeys)

    def _is_rightly_held(self, parcel: TrueParcel, *, obeys: bool) -> None:
        """I-2: of staff who do as the screen says nobody ends up with a parcel that counts as collected."""
        if not obeys or parcel.where != "hands" or not self.site.has_power():
            return
        ended = [self.site.state.durable.ended.get(ParcelId(one)) for one in parcel.ids]
        collected = any(one is not None and one.state is ParcelState.COLLECTED for one in ended)
        assert not collected, f"I-2: staff did as the screen said, hold {parcel.tracking}, and it counts as collected"

    def _tidy_alarms(self) -> Waits:
        if not self.site.has_power():
            return
        yield from self._sign_in()
        if not self.site.has_power():
            return
        for key in list(self.site.state.durable.alarms):
            name, _, label = key.partition("/")
            self._press(Button.CLEAR_ALARM, name, Label(label) if label else None)
            yield 200
        if self.site.has_power():
            for call in self.site.state.durable.calls:
                self.site.feed(e.Pressed(Button.ANSWER_CALL, call.reason, call.compartment, call.parcel))
                yield 200

    def _lies_unknown(self, parcel: TrueParcel) -> bool:
        """A parcel on the shelf that the screen does not list there."""
        if parcel.where != "shelf" or not self.site.has_power():
            return False
        if any(one in self.site.state.durable.ended for one in parcel.ids):
            parcel.where = "taken"  # the power failed while it was handed over; its recipient has it
            return False
        known = self.site.state.durable.parcels
        return not any(one in known and known[ParcelId(one)].state is ParcelState.STORED for one in parcel.ids)

    def _hand_over(self) -> Waits:
        """Recipients of shelf parcels come to the desk themselves."""
        for parcel in list(self.site.bank.parcels.values()):
            if parcel.where != "shelf" or not self.site.has_power() or self.random.random() < 0.5:
                continue
            known = self.site.state.durable.parcels.get(parcel.id)  # type: ignore[call-overload]
            if known is None or known.place is None or known.place.kind is not PlaceKind.SHELF:
                continue
            yield from self._sign_in()
            self.site.feed(e.Pressed(Button.HAND_OVER, parcel=known.id))
            if self.site.has_power() and known.id in self.site.state.durable.ended:
                parcel.where = "taken"
            yield 1_000

    # -------------------------------------------------------------------------------------------------- customers

    def recipient(self, parcel: TrueParcel) -> Waits:
        """Comes when the parcel may be there, and comes again until it is in their hands."""
        while parcel.where not in {"taken", "removed"}:
            yield int(self.random.expovariate(1 / (self.world.weather.visit_days * DAY_MS)))
            if parcel.slips and parcel.where in self.site.bank.open:
                yield from self._visit(parcel)

    def _visit(self, parcel: TrueParcel) -> Waits:
        for _ in range(3):
            while self.at_the_reader:
                yield 10_000
            self.at_the_reader = True
            try:
                yield from self._at_the_bank(parcel)
            finally:
                self.at_the_reader = False
            if parcel.where == "taken" or not self.site.has_power():
                return
            yield self.random.choice((4_000, 60_000))

    def _at_the_bank(self, parcel: TrueParcel) -> Waits:
        if not self.site.has_power() or parcel.where not in self.site.bank.open:
            return
        before = {label for label, is_open in self.site.bank.open.items() if is_open}
        checks = self.world.checks
        expected, boot = checks.must_open(self.site, parcel), self.site.boots
        opened = checks.times_opened(self.site, parcel)
        typed = self.random.random() < 0.2
        old = self.random.random() < 0.1 and len(parcel.slips) > 1
        place = -2 if old else -1
        for _ in range(self.random.choice((1, 1, 1, 5))):
            if typed:
                self.site.feed(e.DigitsTyped(parcel.digits[place]))
            else:
                self._scan(parcel.slips[place])
            yield 300
        own = Label(parcel.where) if parcel.where in self.site.bank.open else None
        for _ in range(PATIENCE):
            now_open = {label for label, is_open in self.site.bank.open.items() if is_open}
            if own is not None and own in now_open:
                yield from self._take(parcel, own)
                return
            if now_open - before:
                break
            yield 500
        # A door that sprang open and was blown shut between two looks did open.
        if expected and not old and boot == self.site.boots and opened == checks.times_opened(self.site, parcel):
            checks.was_refused(self.site, parcel, typed=typed)

    def _take(self, parcel: TrueParcel, label: Label) -> Waits:
        since_ms = self.world.schedule.now_ms - self.site.bank.opened_ms[label]
        if self.random.random() < 0.05 and since_ms + 600 < SLAM_MS:
            yield 600
            self._shut(label)  # the wind, a child
            return
        yield self.random.randrange(1_000, 15_000)
        if self._later.random() < self.world.weather.complaints:
            yield from self._complain(parcel, label)
            return
        if parcel.where == label and self.site.bank.open[label]:
            self.site.bank.take(parcel, "taken")
            self.world.tell(f"somebody takes {parcel.tracking} from door {label}")
        if self.random.random() < self.world.weather.careless / 3:
            self.world.tell(f"and leaves door {label} open")
            return
        yield 1_000
        self._shut(label)

    def _complain(self, parcel: TrueParcel, label: Label) -> Waits:
        """It is damaged, not wanted, or overlooked at the back of the compartment: it stays there, and the desk is told."""
        word = self._later.choice((Button.FOUND_EMPTY, Button.DAMAGED, Button.REFUSE))
        self.world.tell(f"somebody says of {parcel.tracking} behind door {label}: {word.value}")
        self._press(word, label=label)
        yield 2_500
        self._shut(label)

    def guesser(self) -> Waits:
        """Somebody tries their luck."""
        while True:
            yield int(self.random.expovariate(1 / (self.world.weather.guess_days * DAY_MS)))
            for _ in range(self.random.choice((1, 12))):
                digits = f"{self.random.randrange(10**11):011d}"
                self.site.feed(e.DigitsTyped(_with_check_digit(digits)))
                yield 3_000

    # ------------------------------------------------------------------------------------------------------ hands

    def _task(self) -> Task | None:
        return None if not self.site.has_power() else self.site.state.live.task

    def _scan(self, text: str) -> None:
        self.site.feed(e.Scanned(text, self.random.getrandbits(64)))

    def _press(self, button: Button, value: str = "", label: Label | None = None) -> None:
        self.site.feed(e.Pressed(button, value, label))

    def _shut(self, label: Label) -> None:
        self.site.close_door(label)

    def _learn_id(self, parcel: TrueParcel) -> None:
        """A parcel that the desk created gets its slip from the desk's printer."""
        if not self.site.has_power():
            return
        for known in self.site.state.durable.parcels.values():
            if known.tracking == parcel.tracking and known.state is not ParcelState.ANNOUNCED:
                if known.id not in parcel.ids:
                    self.world.print_at_desk(self.site, parcel, known)
                parcel.id = known.id


def _has_to_leave(parcel: Parcel) -> bool:
    wanted = parcel.state is ParcelState.STORED and parcel.intent is Intent.RECALL
    return wanted or parcel.state in {ParcelState.DISPUTED, ParcelState.REFUSED}


def _with_check_digit(digits: str) -> str:
    return digits + check_digit(digits)
