"""Whatever people, doors, the hub and the power do, in whatever order: a hypothesis state machine on the real owner and core.

Hypothesis chooses what happens and shrinks what fails to the shortest story; the witness of the simulator holds the invariants of
design §6 against every step. The simulator lives longer lives with people who mean something; here nobody means anything.
"""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from controller.core.events import Button, DiskRoom, PulseFailed
from controller.core.model import Phase, Step
from controller.core.picture import build_view
from tests.controller.virtual_site import VirtualSite
from tests.simulation.witness import Witness
from wire.badges import CommandCard
from wire.ids import Door, Label, Occupancy, ParcelId, PlaceKind, Purpose, ReachZone, SizeClass, parcel_id_from_bits
from wire.plan import Intent, Settings

LABELS = tuple(Label(name) for name in "1234")
PARCELS = range(1, 6)
SITE_SETTINGS = Settings(dispute_ms=60_000, reopen_grace_ms=30_000)
TAKING = {Purpose.COLLECT, Purpose.REOPEN}

doors = st.sampled_from(LABELS)
parcels = st.sampled_from(PARCELS)


def tracking(number: int) -> str:
    return f"8N{10_000_000_000 + number}"


class Bank(RuleBasedStateMachine):
    """One bank, and a world that keeps what truly lies behind each door."""

    def __init__(self) -> None:
        super().__init__()
        self.site = VirtualSite(SITE_SETTINGS)
        self.inside: dict[Label, set[ParcelId]] = {label: set() for label in LABELS}
        self.taken: set[ParcelId] = set()
        self.versions: dict[int, int] = {}
        self.witness = Witness(self.site, self.inside, self.taken, set())

    # ------------------------------------------------------------------------------------------------------- the hub

    @initialize()
    def somebody_works_here(self) -> None:
        self.site.sign_in()

    @rule(
        number=parcels,
        reach=st.none() | st.sampled_from(ReachZone),
        heavy=st.booleans(),
        intent=st.sampled_from(Intent),
    )
    def plan(self, number: int, reach: ReachZone | None, heavy: bool, intent: Intent) -> None:  # noqa: FBT001
        self.versions.setdefault(number, 1)
        version = self.versions[number]
        self.site.announce(number, tracking(number), reach=reach, heavy=heavy, intent=intent, version=version)

    # --------------------------------------------------------------------------------------------------------- staff

    @rule()
    def badge(self) -> None:
        self.site.sign_in()

    @rule(number=parcels)
    def scan_label(self, number: int) -> None:
        if parcel_id_from_bits(number) not in self.taken and not self._lies(number):
            self.versions.setdefault(number, 1)
            self.site.scan(tracking(number), entropy=number)

    @rule(size=st.sampled_from(SizeClass))
    def size(self, size: SizeClass) -> None:
        self.site.press(Button.SIZE, size.value)

    @rule(
        card=st.sampled_from(
            (
                CommandCard.SHELF,
                CommandCard.BIGGER,
                CommandCard.CANCEL,
                CommandCard.DONE,
                CommandCard.HEAVY,
                CommandCard.LOW,
                CommandCard.MAKE_ROOM,
            )
        )
    )
    def card(self, card: CommandCard) -> None:
        if self._may_press(card):
            self.site.card(card)

    @rule(label=doors)
    def check(self, label: Label) -> None:
        self.site.press(Button.CHECK, compartment=label)

    @precondition(lambda self: self._step() is Step.ASK_EMPTY)
    @rule()
    def answer(self) -> None:
        """Staff say what they see."""
        task = self.site.state.live.task
        assert task is not None
        assert task.compartment is not None
        self.site.press(Button.NOT_EMPTY if self.inside[task.compartment] else Button.EMPTY)

    @precondition(lambda self: self._step() is Step.WHICH_DOOR)
    @rule(knows=st.booleans())
    def say_which_door(self, knows: bool) -> None:  # noqa: FBT001
        task = self.site.state.live.task
        assert task is not None
        where = next((label for label in LABELS if task.parcel in self.inside[label]), None)
        self.site.press(Button.IN_DOOR, compartment=where if knows else None)

    # ----------------------------------------------------------------------------------------------------- customers

    @rule(number=parcels)
    def show_slip(self, number: int) -> None:
        if number in self.versions:
            parcel = parcel_id_from_bits(number)
            self.witness.shown.add(parcel)
            self.site.scan(self.site.slip(parcel, self.versions[number]))

    @rule(number=parcels)
    def type_digits(self, number: int) -> None:
        if number in self.versions:
            parcel = parcel_id_from_bits(number)
            self.witness.shown.add(parcel)
            self.site.type(self.site.digits(parcel, self.versions[number]))

    @rule(label=doors, word=st.sampled_from((Button.DAMAGED, Button.REFUSE)))
    def complain(self, label: Label, word: Button) -> None:
        self.site.press(word, compartment=label)

    # --------------------------------------------------------------------------------------------------- doors, power

    @precondition(lambda self: any(self._pulsed()))
    @rule()
    def door_springs_open(self) -> None:
        self.site.open(next(self._pulsed()))

    @precondition(lambda self: any(self._pulsed()))
    @rule()
    def driver_fails(self) -> None:
        label = next(self._pulsed())
        self.witness.broken.add(label)
        self.site.runner.feed(PulseFailed(label, "no answer"))

    @precondition(lambda self: Door.OPEN in self.site.doors.values())
    @rule(label=doors, hands=st.booleans(), pause_ms=st.sampled_from((300, 3_000, 90_000)))
    def shut(self, label: Label, hands: bool, pause_ms: int) -> None:  # noqa: FBT001
        if self.site.doors[label] is Door.OPEN:
            self._wait(pause_ms)
            if hands:
                self._hands(label)
                self._wait(3_000)
            self.site.close(label)

    @rule(label=doors)
    def bounce(self, label: Label) -> None:
        opening = self.site.state.durable.openings.get(label)
        if opening is not None and opening.phase is Phase.CLOSED and self.site.clock.mono - opening.closed_mono < 1_500:
            self.site.open(label)

    @rule(pause_ms=st.sampled_from((500, 1_600, 5_000, 40_000, 200_000)))
    def time_passes(self, pause_ms: int) -> None:
        self._wait(pause_ms)

    @rule()
    def power_cut(self) -> None:
        self.site.restart()

    @rule(short=st.booleans())
    def disk(self, short: bool) -> None:  # noqa: FBT001
        self.site.runner.feed(DiskRoom(short=short))

    # ---------------------------------------------------------------------------------------------------- invariants

    @invariant()
    def the_witness_sees_nothing_wrong(self) -> None:
        """I-1 to I-5, I-8, I-9, I-22 and the rest a single site can break."""
        self.witness.look()

    @invariant()
    def every_pulse_had_its_cause_before_it(self) -> None:
        """I-10: as many durable causes as pulses, door for door."""
        pulses = [label for what, label in self.site.recorder.done if what == "pulse"]
        assert pulses == [cause.compartment for cause in self.site.recorder.causes]

    @invariant()
    def the_state_can_be_kept_and_drawn(self) -> None:
        """I-37: a snapshot holds all of it; and there is a picture of every state."""
        state = self.site.state
        assert self.site.through_a_snapshot() == state.durable
        build_view(state, 1, self.site.clock.now())

    @invariant()
    def a_question_always_has_an_end(self) -> None:
        """S-09: what nobody answers becomes unknown by itself, and nothing stands still for ever."""
        if self._step() in {Step.ASK_EMPTY, Step.WHICH_DOOR}:
            assert self.site.runner.next_deadline() is not None

    def teardown(self) -> None:
        """The people go home; what is left is settled, and every parcel is in exactly one place (I-4)."""
        for label in LABELS:
            if self.site.doors[label] is Door.OPEN:
                self.site.close(label)
        self._wait(400_000)
        self.witness.look()
        for label, held in self.inside.items():
            for parcel in held:
                known = self.site.state.durable.parcels[parcel]
                assert self.site.state.durable.compartments[label].occupancy is not Occupancy.FREE
                assert (
                    known.place is None
                    or known.place.kind is PlaceKind.SHELF
                    or known.place.name == label
                    or (self.site.state.durable.compartments[label].occupancy is Occupancy.UNKNOWN)
                )

    # -------------------------------------------------------------------------------------------------------- helpers

    def _wait(self, milliseconds: int) -> None:
        """Time passes from deadline to deadline, and the witness looks at each: it judges by what is true at that moment."""
        end = self.site.clock.mono + milliseconds
        while self.site.clock.mono < end:
            due = self.site.runner.next_deadline()
            until = end if due is None else min(end, max(due, self.site.clock.mono + 1))
            self.site.wait(until - self.site.clock.mono)
            self.witness.look()

    def _step(self) -> Step | None:
        task = self.site.state.live.task
        return None if task is None else task.step

    def _lies(self, number: int) -> bool:
        return any(parcel_id_from_bits(number) in held for held in self.inside.values())

    def _may_press(self, card: CommandCard) -> bool:
        """Staff obey the screen: they confirm only what they did, and take nothing back that they no longer hold."""
        task = self.site.state.live.task
        if card is CommandCard.CANCEL:
            return task is not None and task.step is not Step.WHICH_DOOR
        if card is CommandCard.DONE:
            return task is not None
        return True

    def _pulsed(self) -> Iterator[Label]:
        openings = self.site.state.durable.openings.values()
        return (
            opening.compartment
            for opening in openings
            if opening.phase is Phase.PULSING and self.site.doors[opening.compartment] is Door.CLOSED
        )

    def _hands(self, label: Label) -> None:
        """What the person before this door does: what the screen says."""
        opening, task = self.site.state.durable.openings.get(label), self.site.state.live.task
        if opening is None or opening.phase is not Phase.OPEN or opening.parcel is None:
            return
        here = task is not None and task.compartment == label
        if opening.purpose in TAKING and opening.parcel in self.inside[label]:
            self.inside[label].discard(opening.parcel)
            self.taken.add(opening.parcel)
        elif here and task is not None and task.step is Step.PUT_IN and task.parcel is not None:
            if not any(task.parcel in held for held in self.inside.values()) and task.parcel not in self.taken:
                self.inside[label].add(task.parcel)
        elif here and task is not None and task.step is Step.TAKE_BACK and opening.purpose is Purpose.LOAD:
            self.inside[label].clear()


Bank.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestBank = Bank.TestCase
"""Sixty stories of forty steps: about ten seconds; `--hypothesis-seed` tells others."""
