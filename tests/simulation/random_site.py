"""A site lived in by chance: people who load, collect, walk off, slip and guess; power cuts; doors that jam. One seed, one story.

Owns the physical truth (what lies behind which door, what is in whose hands) and holds the site's view against it after every
step (design §6). Refuses to know how the site thinks: it only uses what people, doors and the hub can do.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from random import Random
from typing import Final

from controller.core.events import Button, Scanned
from controller.core.model import Opening, Phase, Step
from controller.core.observe import REPEAT_MS
from tests.controller.virtual_site import VirtualSite
from tests.simulation import people_at_the_bank
from tests.simulation.inventory_watch import COLLECTING
from tests.simulation.people_at_the_bank import courier, helpers, loading, public, sending
from tests.simulation.witness import Witness
from wire import facts as f
from wire.badges import CommandCard
from wire.ids import Door, Label, Occupancy, ParcelId, ParcelState, Purpose, parcel_id_from_bits
from wire.messages import Command
from wire.plan import Settings

SETTINGS: Final = Settings(dispute_ms=120_000, reopen_grace_ms=60_000)
PINLESS: Final = 3
"""One bank of so many has a hub that gave no PINs yet."""
LEFT_IN_THE_DARK: Final = 0.5
STEPS: Final = 150
"""What happens in a life that is told for itself."""

PEOPLE: Final = tuple(
    import_module(f"{people_at_the_bank.__name__}.{found.name}") for found in iter_modules(people_at_the_bank.__path__)
)
"""The people of the journeys, a module each, with their acts and how often they do them."""

Act = Callable[["RandomSite"], None]

_TRUE_CARDS: Final = {True: CommandCard.EMPTY, False: CommandCard.NOT_EMPTY}


class RandomSite:
    """The site, its people and the world around it."""

    def __init__(self, seed: int, *, everybody: bool = False) -> None:
        self.random = Random(seed)
        self._acts = _everybodys_acts() if everybody else _acts_of(Random(seed ^ _DEALT))
        self.site = VirtualSite(SETTINGS)
        if seed % PINLESS:
            self.site.pin = helpers.PIN
        self.site.others = courier.roster(self.site.pin)
        self.site.publish_plan()
        self.inside: dict[Label, set[ParcelId]] = {label: set() for label in self.site.setup.cards}
        self.in_staff_hands: ParcelId | None = None
        self.laid_aside: set[ParcelId] = set()
        """Parcels beside the hands of staff while one makes room for another."""
        self.taken: set[ParcelId] = set()
        self.stolen: set[ParcelId] = set()
        self.jammed: set[Label] = set()
        self.confirmed: set[ParcelId] = set()
        self.reported: set[ParcelId] = set()
        self.damaged: set[ParcelId] = set()
        self.mandates: list[tuple[ParcelId, str]] = []
        """Every mandate slip that was ever printed (C-30)."""
        self.taken_out: set[ParcelId] = set()
        self.versions: dict[ParcelId, int] = {}
        self.tracking: dict[ParcelId, str] = {}
        self.unheard: dict[ParcelId, str] = {}
        """Labels nobody announced, read while somebody else was served: the site makes their parcel when their turn comes."""
        self.left_in_the_dark: set[ParcelId] = set()
        """Put back, or never found, by somebody whom no screen heard while the power was away; until their door opens again."""
        self._dark = Random(f"{seed} dark")
        self.sent: dict[ParcelId, str] = {}
        """The numbers of parcels that a sender hands in; `with_sender` still has them under the arm."""
        self.with_sender: set[ParcelId] = set()
        self.counter = 0
        self.counter_of_commands = 0
        self.asked_from_afar: list[Command] = []
        """Every command for a door that the hub ever sent."""
        self.pulses_seen = 0
        self.lived_ms = 0
        self.said: dict[str, int] = {}
        self.log: list[str] = []
        self._facts_before: list[int] = []
        self.witness = Witness(self.site, self.inside, self.taken, self.stolen)

    # ---------------------------------------------------------------------------------------------- what may happen

    def live(self, steps: int) -> None:
        """Let `steps` things happen, checking after each."""
        names = [act for act, weight in self._acts for _ in range(weight)]
        for _ in range(steps):
            act = self.random.choice(names)
            self.log.append(act.__name__)
            self._facts_before.append(len(self.site.recorder.facts))
            act(self)
            self.wait(0)
            self.witness.look()

    def story(self) -> list[str]:
        """What happened, step by step, each with what the site wrote down of it."""
        facts = self.site.recorder.facts
        told = []
        for step, (act, first, last) in enumerate(
            zip(self.log, self._facts_before, (*self._facts_before[1:], len(facts)), strict=True), 1
        ):
            told += [f"{step:>4} {act.replace('_', ' ')}", *(f"       {fact}" for fact in facts[first:last])]
        return told

    def announce(self) -> None:
        self.counter += 1
        parcel = parcel_id_from_bits(self.counter)
        self.tracking[parcel] = f"8N{10_000_000_000 + self.counter}"
        self.versions[parcel] = 1
        self.site.announce(self.counter, self.tracking[parcel], help=public.help_of(self.counter))

    def staff_load(self) -> None:
        self.site.sign_in()
        waiting = [parcel for parcel in self.tracking if self.is_outside(parcel)]
        if self.in_staff_hands is None and waiting and self.site.state.live.task is None:
            self.in_staff_hands = self.random.choice(waiting)
            self.site.scan(self.tracking[self.in_staff_hands])

    def staff_answers(self) -> None:
        task = self.site.state.live.task
        if task is None:
            if not self.site.state.live.waiting and self.random.random() < 0.3:
                self.in_staff_hands = None
            return
        if task.step is Step.ASK_EMPTY and task.compartment is not None:
            self._answer(task.compartment)
        elif task.step is Step.CHOOSE_SIZE:
            self.site.press(Button.SIZE, self.random.choice("SML"))
        elif task.step is Step.PUT_ON_SHELF:
            # What they put behind the door all the same they do not have: nobody lays on a shelf what lies elsewhere.
            at_hand = task.parcel is not None and self.is_outside(task.parcel)
            self.site.press(Button.DONE if at_hand else Button.NOT_THERE)
            self.in_staff_hands = None
        elif task.step is Step.PUT_IN and self.random.random() < 0.3:
            self.site.card(self.random.choice((CommandCard.BIGGER, CommandCard.CANCEL, CommandCard.SHELF)))

    def _answer(self, label: Label) -> None:
        """They look, and say whether it is empty. What they have just taken out again is in their hands, and nobody looks for it (S-10)."""
        shown = self.site.view().staff.task
        took_back = shown is not None and not (shown.looks_only or shown.reconciling or shown.retrieving)
        held = self.in_staff_hands if took_back and shown is not None and shown.parcel == self.in_staff_hands else None
        self.site.card(_TRUE_CARDS[not self.inside[label]])
        known = None if held is None else self.site.state.durable.parcels.get(held)
        lost = known is not None and known.state is ParcelState.DISPUTED and known.reason == "not_found"
        assert not lost, f"S-10: staff hold {held}, and the books look for it"

    def staff_checks(self) -> None:
        self.site.sign_in()
        doubtful = [
            label
            for label, compartment in self.site.state.durable.compartments.items()
            if compartment.occupancy is Occupancy.UNKNOWN
        ]
        label = self.random.choice(doubtful or tuple(self.inside))
        self.site.press(Button.CHECK, compartment=label)
        if self.random.random() < 0.7:
            helpers.staff_pin(self)

    def staff_load_unannounced(self) -> None:
        """A parcel nobody announced: the desk creates it from its label."""
        self.site.sign_in()
        task = self.site.state.live.task
        if self.in_staff_hands is not None or (task is not None and task.step is not Step.CHOOSE_SIZE):
            return
        self.read_new_label()

    def read_new_label(self) -> None:
        """A label nobody announced, in front of the reader: its parcel is in hand from now on, also while its turn is to come."""
        self.counter += 1
        parcel = parcel_id_from_bits(self.counter)
        self.unheard[parcel] = f"8N{10_000_000_000 + self.counter}"
        self.site.scan(self.unheard[parcel], self.counter)
        kept = [waiting.event for waiting in self.site.state.live.waiting]
        waits = any(isinstance(event, Scanned) and event.text == self.unheard[parcel] for event in kept)
        self._hear()
        if parcel in self.tracking or waits:
            self.in_staff_hands = parcel

    def _hear(self) -> None:
        """What the site has made of labels that nobody announced."""
        for parcel in [parcel for parcel in self.unheard if parcel in self.site.state.durable.parcels]:
            self.tracking[parcel], self.versions[parcel] = self.unheard.pop(parcel), 1

    def customer_comes(self) -> None:
        parcel = self._somebodys_parcel()
        if self.confirmed and self.random.random() < 0.4:
            parcel = self.random.choice(sorted(self.confirmed))
        if parcel is None:
            return
        newest = self.versions[parcel]
        version = self.random.choice((newest, newest, max(1, newest - 1)))
        known = self.site.state.durable.parcels.get(parcel)
        if version == newest or (known is not None and version >= known.version):  # the newest, or the newest it knows
            self.witness.shown.add(parcel)
        slip = self.site.slip(parcel, version)
        asked = version == newest and self._is_heard(slip) and self.witness.must_open(parcel, version)
        served = len(self.site.recorder.causes)
        self._say(slip)
        ordered = self.site.recorder.causes[served:]
        if version < newest and parcel in self.confirmed and not self.site.state.live.waiting:
            assert not [o for o in ordered if o.parcel == parcel], "a replaced slip opened after the newer one had"
        if version == newest and [o for o in ordered if o.parcel == parcel]:
            self.confirmed.add(parcel)
        if asked:
            assert [o.parcel for o in ordered] == [parcel], f"I-7: the slip of {parcel} did not open its door"
        written = len(self.site.recorder.facts)
        for _ in range(self.random.choice((0, 0, 2))):
            self._say(slip)
        assert len(self.site.recorder.facts) == written, "C-23: a slip held still counted twice"

    def customer_types(self) -> None:
        parcel = self._somebodys_parcel()
        if parcel is not None:
            self.witness.shown.add(parcel)
            self.site.type(self.site.digits(parcel, self.versions[parcel]))

    def somebody_guesses(self) -> None:
        for _ in range(self.random.choice((1, 3, 12))):
            self.site.type(self.site.digits(parcel_id_from_bits(self.random.getrandbits(60) | 1 << 60)))

    def somebody_forges(self) -> None:
        """A slip of a real parcel with another tag (I-24)."""
        parcel = self._somebodys_parcel()
        if parcel is not None:
            orders = len(self.site.recorder.facts)
            self._say(self.site.slip(parcel, self.versions[parcel], key=bytes(32)))
            new = self.site.recorder.facts[orders:]
            assert not any(isinstance(fact, f.OpeningOrdered) for fact in new), "I-24: a forged slip opened a door"

    def wind(self) -> None:
        """A door that sprang open is shut again before anybody could reach inside (C-05)."""
        settings = self.site.state.durable.settings
        for label, opening in self.site.state.durable.openings.items():
            young = self.site.clock.mono - opening.opened_mono < settings.quick_close_ms
            if self.site.doors[label] is Door.OPEN and opening.phase is Phase.OPEN and young:
                self.site.close(label)
                return

    def spring(self) -> None:
        """A door that was pushed shut had not latched, and springs open again."""
        for label, opening in self.site.state.durable.openings.items():
            if self.site.doors[label] is Door.CLOSED and self.site.clock.mono - opening.closed_mono < 1_500:
                self.site.open(label)
                return

    def power_cut_at_a_door(self) -> None:
        """The power fails while somebody stands at an open door; they finish, and shut it, in the dark or later."""
        opened = [label for label, door in self.site.doors.items() if door is Door.OPEN]
        label = self.random.choice(opened) if opened else None
        opening = None if label is None else self.site.state.durable.openings.get(label)
        if label is not None:
            self._may_be_left_in_the_dark(label)
            self.hands_at(label)
            if self.random.random() < 0.5:
                self.site.doors[label] = Door.CLOSED
        self.site.restart()
        self.said.clear()
        if label is not None and opening is not None and opening.phase is Phase.OPEN:
            occupancy = self.site.state.durable.compartments[label].occupancy
            assert occupancy is Occupancy.UNKNOWN, (
                f"C-22: {label} stood open at the power cut and counts as {occupancy}"
            )
            if opening.parcel in self.left_in_the_dark and self.site.doors[label] is Door.OPEN:
                self.wait(3_000)
                self.site.close(label)

    def _may_be_left_in_the_dark(self, label: Label) -> None:
        """Their parcel stays behind: damaged, not wanted, not found, and there is nothing to say so to."""
        opening = self.site.state.durable.openings.get(label)
        if opening is None or opening.purpose not in COLLECTING or opening.parcel is None:
            return
        if opening.parcel in self.inside[label] and self._dark.random() < LEFT_IN_THE_DARK:
            self.left_in_the_dark.add(opening.parcel)

    def _say(self, text: str) -> None:
        """Hold a text in front of the reader."""
        self.said[text] = self.site.clock.mono
        self.site.scan(text)

    def _is_heard(self, text: str) -> bool:
        """Whether the reader has not just read this very text."""
        return self.site.clock.mono - self.said.get(text, -REPEAT_MS) >= REPEAT_MS

    def door_moves(self) -> None:
        """A person at an open door does what they came for, and closes it."""
        opened = [label for label, door in self.site.doors.items() if door is Door.OPEN]
        if not opened:
            return
        label = self.random.choice(opened)
        before = self._session_at(label)
        self.hands_at(label)
        self.wait(self.random.choice((300, 3_000, 10_000)))
        if self._session_at(label) != before:
            self.hands_at(label)  # Somebody's turn has come meanwhile, and they find their door open already.
        self.site.close(label)

    def _session_at(self, label: Label) -> str:
        opening = self.site.state.durable.openings.get(label)
        return "" if opening is None else opening.session

    def time_passes(self) -> None:
        self.wait(self.random.choice((100, 2_000, 5_000, 20_000)))

    def long_time_passes(self) -> None:
        self.wait(400_000)

    def power_cut(self) -> None:
        self.site.restart()
        self.said.clear()

    def reissue(self) -> None:
        parcel = self._somebodys_parcel()
        if parcel is not None and parcel in self.site.planned and parcel not in self.taken:
            self.versions[parcel] += 1
            self.confirmed.discard(parcel)
            if self.random.random() < 0.4:
                return  # the line is down: the site hears of the new slip when it is shown, and until then the old one opens
            self.witness.shown.discard(parcel)
            counter = next(n for n in range(1, self.counter + 1) if parcel_id_from_bits(n) == parcel)
            self.site.announce(
                counter, self.tracking[parcel], version=self.versions[parcel], help=public.help_of(counter)
            )

    def jam_or_mend(self) -> None:
        label = self.random.choice(tuple(self.inside))
        self.jammed ^= {label}

    def force(self) -> None:
        label = self.random.choice(tuple(self.inside))
        if self.site.doors[label] is not Door.CLOSED or self.random.random() < 0.7:
            return
        opening = self.site.state.durable.openings.get(label)
        task = self.site.state.live.task
        if task is not None and task.step is Step.OPEN_WITH_KEY and task.compartment == label:
            return  # Under the eyes of staff with the key in their hands.
        recent = opening is not None and self.site.clock.mono - max(opening.pulse_mono, opening.closed_mono) < 70_000
        self.site.open(label)
        if recent:
            return
        state = self.site.state
        assert f"door_forced/{label}" in state.durable.alarms, "I-11: a door opened without a cause and no alarm"
        assert state.durable.compartments[label].occupancy is Occupancy.UNKNOWN, "I-12: a forced door keeps its content"
        if self.random.random() < 0.5 and self.inside[label]:
            self.stolen |= self.inside[label]
            self.inside[label].clear()

    # ------------------------------------------------------------------------------------------------ the world

    def wait(self, milliseconds: int) -> None:
        """Time passes and doors follow their pulses; nothing in this world is slower than half a second."""
        self._doors_follow_pulses()
        self.lived_ms += milliseconds
        while milliseconds > 0:
            step = min(milliseconds, 500)
            self.site.wait(step)
            milliseconds -= step
            self._doors_follow_pulses()

    def _doors_follow_pulses(self) -> None:
        self._hear()
        self.witness.look()
        causes = self.site.recorder.causes
        while self.pulses_seen < len(causes):
            position = self.pulses_seen
            self.pulses_seen += 1
            self._check_cause(position)
            self.left_in_the_dark -= {causes[position].parcel}
            label = causes[position].compartment
            if label not in self.jammed and self.site.doors[label] is Door.CLOSED:
                self.site.open(label)
                public.is_led(self, label)

    def hands_at(self, label: Label) -> None:
        """What the person in front of this open door moves: only what their opening is for."""
        opening = self.site.state.durable.openings.get(label)
        task = self.site.state.live.task
        if opening is None or opening.phase not in {Phase.PULSING, Phase.OPEN} or loading.hands_at(self, label):
            return
        if sending.hands_at(self, label):
            return
        if opening.purpose in COLLECTING and opening.parcel in self.inside[label]:
            if opening.parcel in self.left_in_the_dark:
                return
            if opening.parcel in self.reported and self.random.random() < 0.8:
                return  # Put back; now and then somebody takes it along all the same.
            self.inside[label].discard(opening.parcel)
            self.taken.add(opening.parcel)
        elif opening.purpose in COLLECTING and opening.parcel in self.taken_out:
            if self.random.random() < 0.5:  # staff hold it, and are still there to give it to whoever comes for it
                self.taken.add(opening.parcel)
        elif opening.purpose is Purpose.LOAD and self.in_staff_hands == opening.parcel and opening.parcel:
            if task is not None and task.step is Step.PUT_IN and task.compartment == label:
                self.inside[label].add(opening.parcel)
                self.in_staff_hands = None
        elif (
            opening.purpose is Purpose.LOAD
            and task is None
            and self.in_staff_hands == opening.parcel
            and opening.parcel
        ):
            if self.random.random() < 0.5:  # the screen says otherwise, but the door is open and the parcel at hand
                self.inside[label].add(opening.parcel)
                self.in_staff_hands = None
        elif self._is_taken_back(opening, label) and opening.parcel in self.inside[label]:
            self.inside[label].discard(opening.parcel)
            self.in_staff_hands = opening.parcel

    def _is_left_aside(self, opening: Opening, label: Label) -> bool:
        """An open door of a deposit that the screen no longer speaks of, with its parcel still in the hands of staff."""
        task = self.site.state.live.task
        elsewhere = task is None or task.compartment != label
        return opening.purpose is Purpose.LOAD and elsewhere and self.in_staff_hands == opening.parcel

    def _is_taken_back(self, opening: Opening, label: Label) -> bool:
        task = self.site.view().staff.task
        asked = task is not None and task.step is Step.TAKE_BACK and task.compartment == label
        looks = task is not None and (task.looks_only or task.reconciling)  # an inventory takes nothing out (M-07)
        return opening.purpose is Purpose.LOAD and asked and not looks

    def has_label(self, parcel: ParcelId) -> bool:
        """Whether its label can be read."""
        return parcel in self.tracking or parcel in self.sent

    def label_of(self, parcel: ParcelId) -> str:
        """What is written on its label."""
        return self.tracking.get(parcel) or self.sent[parcel]

    def is_outside(self, parcel: ParcelId) -> bool:
        shelf = self.site.state.durable.parcels.get(parcel)
        on_shelf = shelf is not None and shelf.place is not None and shelf.place.kind.value == "shelf"
        return (
            parcel not in self.taken | self.stolen
            and not on_shelf
            and not any(parcel in held for held in self.inside.values())
        )

    def _somebodys_parcel(self) -> ParcelId | None:
        return self.random.choice(tuple(self.tracking)) if self.tracking else None

    def _check_cause(self, position: int) -> None:
        """I-10 and I-2: each pulse has its own durable cause, and a key opens only the door of its own parcel."""
        ordered = self.site.recorder.causes[position]
        pulses = [label for what, label in self.site.recorder.done if what == "pulse"]
        assert pulses[position] == ordered.compartment, "I-10: another door than the one in the journal"
        spent = any(ordered is earlier for earlier in self.site.recorder.causes[:position])
        assert not spent, "I-10: two pulses for one cause"
        if ordered.purpose in COLLECTING:
            wrong = self.inside[ordered.compartment] - {ordered.parcel}
            assert not wrong, f"a key opened a door with somebody else's parcel: {wrong}"


ACTS: Final[tuple[tuple[Act, int], ...]] = (
    (RandomSite.announce, 3),
    (RandomSite.staff_load, 6),
    (RandomSite.staff_answers, 8),
    (RandomSite.staff_checks, 2),
    (RandomSite.customer_comes, 8),
    (RandomSite.customer_types, 3),
    (RandomSite.somebody_guesses, 1),
    (RandomSite.somebody_forges, 1),
    (RandomSite.staff_load_unannounced, 2),
    (RandomSite.wind, 2),
    (RandomSite.spring, 3),
    (RandomSite.power_cut_at_a_door, 2),
    (RandomSite.door_moves, 10),
    (RandomSite.time_passes, 8),
    (RandomSite.long_time_passes, 1),
    (RandomSite.power_cut, 2),
    (RandomSite.reissue, 2),
    (RandomSite.jam_or_mend, 1),
    (RandomSite.force, 2),
)
"""What may happen, and how often beside the others; the people of each later journey are a module of `people_at_the_bank`."""
_ALWAYS: Final = frozenset(
    {
        RandomSite.announce, RandomSite.staff_load, RandomSite.staff_answers, RandomSite.staff_checks, RandomSite.customer_comes,
        RandomSite.door_moves, RandomSite.time_passes, helpers.staff_pin,
    }
)  # fmt: skip
"""Without these a bank is no bank."""
_DEALT: Final = 0xDEA1
"""Who comes is dealt apart from what they do, so that a life with everybody stays what it was."""


def _everybodys_acts() -> tuple[tuple[Act, int], ...]:
    return (*ACTS, *(act for people in PEOPLE for act in people.ACTS))


def people_of(seed: int) -> set[str]:
    """What is done in the life of a seed, by name."""
    return {act.__name__ for act, _weight in _acts_of(Random(seed ^ _DEALT))}


def _acts_of(random: Random) -> tuple[tuple[Act, int], ...]:
    """Who comes in this life: everybody in one of four, else the people of a few journeys and a part of what may go wrong.

    What a rare journey needs to go wrong comes about more often where most others stay away (swarm testing, Groce et al., ISSTA 2012).
    """
    if random.random() < 1 / 4:
        return _everybodys_acts()
    subjects = random.sample(PEOPLE, random.choice((1, 2, 4)))
    share, often = random.choice((0.3, 0.7)), random.choice((1, 3))
    base = [act for act in ACTS if act[0] in _ALWAYS or random.random() < share]
    invited = {act for people in subjects for act in people.ACTS}
    others = [act for act in _everybodys_acts()[len(ACTS) :] if act in invited or act[0] in _ALWAYS]
    return (*base, *((act, weight * often) for act, weight in others))
