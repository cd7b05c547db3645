"""One who watches a site and remembers: the invariants of design §6 as a single site can break them, in time as well.

Owns what must never be seen in the facts and beliefs of one site, with arithmetic of its own: nothing here asks the site's
own rules when something is due. Refuses to act.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from controller.core.events import DigitsTyped, Scanned
from controller.core.handing_in import SendStep
from controller.core.model import Phase, State, Step
from tests.controller.virtual_site import VirtualSite
from tests.simulation.afar_watch import AfarWatch
from tests.simulation.inventory_watch import BOUNCES_MAX, COLLECTING, InventoryWatch
from wire import facts as f
from wire.ids import Door, Label, Occupancy, ParcelId, ParcelState, PlaceKind, Purpose, ReachZone, Service
from wire.mandate import ScannedMandate
from wire.pickup import ScannedKey
from wire.plan import Intent
from wire.scans import classify

SLACK_MS: Final = 1_500
"""A world that looks twice a second may see a thing this late."""
WAITING_MS: Final = 120_000
HOUR_MS: Final = 3_600_000
WRONG_PINS_AN_HOUR: Final = 7
"""Five in a row and two more as the bucket fills: by the clock on the wall, which nobody moves here."""
SIZES_MS: Final = 60_000
SENDERS_DOORS_MAX: Final = 2
"""Doors that one slip may leave in doubt before staff have looked: one, and a larger one when it was too small."""
SAID_AFTER_MS: Final = 300_000


class Witness:
    """Looks at one site after each step; `inside` and `taken` are the world's truth, kept by whoever moves the parcels."""

    def __init__(
        self, site: VirtualSite, inside: dict[Label, set[ParcelId]], taken: set[ParcelId], stolen: set[ParcelId]
    ) -> None:
        self.site = site
        self.inside = inside
        self.taken = taken
        self.stolen = stolen
        self.shown: set[ParcelId] = set()
        """Parcels whose newest slip or digits were presented since that version was issued."""
        self._seen = 0
        self._reserved: dict[Label, ParcelId] = {}
        self._ended: set[ParcelId] = set()
        self._asked_for: set[ParcelId] = set()
        self._reopens: dict[ParcelId, int] = defaultdict(int)
        self.broken: set[Label] = set()
        """Compartments whose latch driver has really raised."""
        self._marked: dict[ParcelId, int] = {}
        self._taken_at: dict[ParcelId, int] = {}
        self._overdue: dict[ParcelId, int] = {}
        self._opened_at: dict[Label, int] = {}
        self._ordered_at = -HOUR_MS
        self._started_at = 0
        self._guesses: list[int] = []
        self.labels_read: set[ParcelId] = set()
        """Parcels whose own label was held in front of the reader since their door was ordered."""
        self._set_aside: set[ParcelId] = set()
        self.heavy: set[ParcelId] = set()
        self.low: set[ParcelId] = set()
        """What staff said of parcels: too heavy for a high door or one at the floor; for somebody who cannot reach high."""
        self._complained: set[Label] = set()
        self._helped: set[str] = set()
        self._practice: Label | None = None
        self._mandates: dict[ParcelId, tuple[int, int]] = {}
        """The mandate in force of each parcel: its number, and the version of the key it was made with (C-30)."""
        self._delegated: set[str] = set()
        self._pin_typed = False
        self._wrong_pins: dict[str, list[int]] = defaultdict(list)
        self.carriers: dict[ParcelId, str] = {}
        """Whose each parcel is to bring, as its label says; nothing where nobody knows."""
        self._unread: set[ParcelId] = set()
        """In the middle of a deposit when the power failed, and not seen since: neither their label nor behind their door."""
        self._received: set[ParcelId] = set()
        self._dropped: dict[ParcelId, f.ParcelStored | None] = {}
        """What the courier handed over since their last receipt, and where it was put last."""
        self._sessions: set[str] = set()
        """Of staff: only what they saw empty is free again."""
        self._cycled: dict[Label, ParcelId] = {}
        """Compartments whose door was opened for a sender, and that nobody has answered for (C-32)."""
        self._doors_of: dict[ParcelId, int] = defaultdict(int)
        self.afar = AfarWatch()
        self.inventory = InventoryWatch(site, inside)

    # ---------------------------------------------------------------------------------------------------------- facts

    def look(self) -> None:
        """Everything new, and what is believed now."""
        recorder = self.site.recorder
        while self._seen < len(recorder.facts):
            fact, at_ms = recorder.facts[self._seen], recorder.stamps[self._seen]
            self._seen += 1
            self._fact(fact, at_ms)
        self.afar.look(self.site.clock.wall_ms)
        self._belief(self.site.state)

    def pin_typed(self) -> None:
        """Whoever is signed in types the right PIN now."""
        self.look()  # They signed in before.
        self._pin_typed = True

    def _fact(self, fact: f.AnyFact, at_ms: int) -> None:
        self.afar.hear(fact, at_ms)
        self.inventory.hear(fact)
        self._is_of_their_carrier(fact)
        self._drop(fact)
        match fact:
            case f.SiteStarted():
                self._started_at = at_ms
                self._ordered_at = at_ms - HOUR_MS
                self._opened_at.clear()
                self._marked = dict.fromkeys(self._marked, at_ms)
                self._unread = self._in_deposits()
            case f.ParcelReceived():
                self._unread.discard(fact.parcel)
            case f.OpeningOrdered():
                self._ordered(fact, at_ms)
            case f.OpeningFailed():
                broke = fact.reason != "driver_error" or fact.compartment in self.broken
                assert broke, "a coil that is to rest a moment is called a failure"
            case f.KeyOpeningDeclared():
                self._said_of_key(fact, at_ms)
            case f.ServiceSet() if (
                fact.by and fact.service is Service.OUT_OF_SERVICE and fact.reason != "found_something"
            ):
                assert not self.inside[fact.compartment], (
                    f"M-06: {fact.compartment} is locked away with a parcel inside"
                )
            case f.DoorOpened():
                self._opened_at[fact.compartment] = at_ms
                self._opened_for_sender(fact)
                self._mark_behind(fact.compartment, at_ms)
            case f.CompartmentReserved():
                self._reserve(fact)
            case f.ReservationReleased() | f.OccupancySet():
                self._reserved.pop(fact.compartment, None)
                if isinstance(fact, f.ReservationReleased) and fact.verified_empty:
                    assert fact.parcel not in self._unread, (
                        "I-4: a parcel that nobody has seen since the power cut is in hand"
                    )
                    known = self.site.state.durable.parcels.get(fact.parcel)
                    is_theirs = known is not None and known.sending  # The sender's, until somebody saw it inside.
                    elsewhere = fact.parcel in self.taken | self.stolen and not is_theirs
                    assert not elsewhere, "I-4: a parcel that its recipient has, or a thief, is in hand"
                self._looked_into(fact)
                if isinstance(fact, f.OccupancySet) and fact.by:
                    self._complained.discard(fact.compartment)
            case f.ParcelStored():
                self._handed_in(fact)
                self._complained.discard(Label(fact.place.name))
                self._reserved = {label: held for label, held in self._reserved.items() if held != fact.parcel}
                self._taken_at.pop(fact.parcel, None)
                self._set_aside.discard(fact.parcel)
                self._unread.discard(fact.parcel)
                self._reopens[fact.parcel] = 0
            case f.ParcelDisputed() | f.ParcelRefused():
                self._set_aside.add(fact.parcel)
                if fact.place is not None and not (isinstance(fact, f.ParcelDisputed) and fact.by):
                    self._complained.add(Label(fact.place.name))
            case f.ParcelTaken():
                assert fact.parcel not in self._set_aside, "C-09: what its recipient complained of counts as taken"
                self._take(fact, at_ms)
            case f.ParcelCollected():
                self._collect(fact, at_ms)
            case f.ParcelRemoved():
                self._retrieved(fact)
                self._end(fact.parcel)
            case f.MandateIssued() | f.MandateWithdrawn() | f.KeyReplaced() | f.PlanApplied() | f.CollectionDelegated():
                self._mandate(fact)
            case _:
                self._of_people(fact, at_ms)

    def _in_deposits(self) -> set[ParcelId]:
        known = self.site.state.durable
        held = {compartment.parcel for compartment in known.compartments.values()}
        return {one.id for one in known.parcels.values() if one.id in held and one.state is ParcelState.RECEIVED}

    def _of_people(self, fact: f.AnyFact, at_ms: int) -> None:
        """Help, practice, badges and guesses: facts of nobody's parcel."""
        match fact:
            case f.SlipRefused():
                sent_away = fact.reason == "not_ready" and fact.parcel in self._unread
                assert not sent_away, "somebody comes too early for a parcel that may lie behind its door"
            case f.CollectionAssisted():
                self._helped.add(fact.session)
                self.shown.add(fact.parcel)
            case f.PracticeStarted():
                assert not self.inside[fact.compartment], f"M-10: practice at {fact.compartment} with something inside"
                self._practice = fact.compartment
            case f.PracticeEnded():
                self._practice = None
            case f.StaffSignedIn():
                self._sessions.add(fact.session)
                self._pin_typed = False
            case f.PinRefused():
                self._wrong_pin(fact.person, at_ms)
            case f.AttemptFailed():
                self._guess(at_ms)
            case _:
                return

    def _is_of_their_carrier(self, fact: f.AnyFact) -> None:
        """K-01: whatever a courier did was with a parcel of their carrier; what nobody announced is theirs from then on."""
        by, parcel = getattr(fact, "by", ""), getattr(fact, "parcel", None)
        if by not in self._couriers() or parcel is None:
            return
        if isinstance(fact, f.ParcelReceived) and fact.source == "desk":
            self.carriers.setdefault(fact.parcel, fact.carrier)
        assert self._is_same(self.carriers.get(parcel, ""), self._couriers()[by]), f"K-01: {by} did {fact}"

    def _drop(self, fact: f.AnyFact) -> None:
        """K-02, K-03: the receipt of a drop, beside a list kept by hand."""
        if isinstance(fact, f.ParcelReceived):
            self._received.add(fact.parcel)
            if fact.by in self._couriers():
                self._dropped[fact.parcel] = None
        elif isinstance(fact, f.ParcelStored) and fact.parcel in self._dropped:
            self._dropped[fact.parcel] = fact
        elif isinstance(fact, f.ReservationReleased) and fact.parcel in self._dropped:
            self._dropped[fact.parcel] = None
        elif isinstance(fact, f.DropEnded):
            self._receipt(fact)
            self._dropped.clear()

    def _receipt(self, end: f.DropEnded) -> None:
        put = [stored for stored in self._dropped.values() if stored is not None]
        shelf = [stored for stored in put if stored.place.kind is PlaceKind.SHELF]
        full = sum(stored.no_door for stored in shelf)
        counted = (len(put) - len(shelf), len(shelf) - full, full, len(self._dropped) - len(put))
        said = (end.in_doors, end.on_shelf, end.at_desk, end.without_place)
        assert said == counted, f"K-02: the receipt counts {said}, and it was {counted}"
        nowhere = {parcel for parcel, stored in self._dropped.items() if stored is None}
        looked_for = nowhere <= self._set_aside | self._ended
        assert end.reason != "done" or looked_for, (
            "K-03: a parcel is handed over, lies nowhere, and nobody looks for it"
        )
        own = self._couriers()[end.person]
        awaited = {parcel for parcel in self.site.planned if self._is_same(self.carriers.get(parcel, ""), own)}
        assert set(end.missing) == awaited - self._received, "K-02: announced, not brought, and not on the receipt"
        made = {parcel for parcel in self._dropped if parcel not in self.site.planned}
        assert set(end.unannounced) == made, "K-02: brought, not announced, and not on the receipt"

    def _couriers(self) -> dict[str, str]:
        return {person.id: person.carrier for person in self.site.others if person.role == "courier"}

    @staticmethod
    def _is_same(one: str, other: str) -> bool:
        return bool(one) and one.lower().replace(" ", "") == other.lower().replace(" ", "")

    def _is_shown_their_own(self, state: State) -> None:
        """K-01: nothing of another carrier's parcel stands anywhere on the screen of a courier."""
        staff = state.durable.staff
        if staff is None or staff.person not in self._couriers():
            return
        view, own = self.site.view(), self._couriers()[staff.person]
        shown = {parcel.parcel for parcel in view.staff.parcels} | {box.parcel for box in view.bank}
        shown |= {asked.parcel for asked in (view.staff.task, view.staff.notice) if asked is not None}
        for parcel in shown - {None}:
            assert self._is_same(self.carriers.get(ParcelId(str(parcel)), ""), own), f"K-01: {parcel} is shown"
        assert view.staff.slip is None, "K-01: a courier sees the key of a recipient"
        assert view.staff.calls == (), "K-01: a courier sees who waits"

    def _mandate(
        self, fact: f.MandateIssued | f.MandateWithdrawn | f.KeyReplaced | f.PlanApplied | f.CollectionDelegated
    ) -> None:
        """C-30: the newest mandate that was not taken back, and no slip newer than it."""
        match fact:
            case f.MandateIssued():
                self._mandates[fact.parcel] = (fact.number, self.site.state.durable.parcels[fact.parcel].version)
            case f.MandateWithdrawn() | f.KeyReplaced():
                self._mandates.pop(fact.parcel, None)
            case f.PlanApplied():
                for planned in fact.upserted:
                    if planned.version > self._mandates.get(planned.id, (0, planned.version))[1]:
                        del self._mandates[planned.id]
            case f.CollectionDelegated():
                number, _ = self._mandates.get(fact.parcel, (0, 0))
                assert fact.number == number > 0, "C-30: a mandate that was taken back or replaced counted"
                self._delegated.add(fact.session)
                self.shown.add(fact.parcel)

    def _opened_for_sender(self, fact: f.DoorOpened) -> None:
        opening = self.site.state.durable.openings.get(fact.compartment)
        if opening is None or opening.purpose is not Purpose.SEND or opening.parcel is None:
            return
        if opening.session != fact.session or self._cycled.get(fact.compartment) == opening.parcel:
            return
        self._cycled[fact.compartment] = opening.parcel
        self._doors_of[opening.parcel] += 1
        assert self._doors_of[opening.parcel] <= SENDERS_DOORS_MAX, "C-32: one slip opens one door after the other"

    def _looked_into(self, fact: f.ReservationReleased | f.OccupancySet) -> None:
        """Only staff, or nobody's hand having been there, make a compartment free that a sender's door cycle touched."""
        by_staff = fact.by if isinstance(fact, f.OccupancySet) else fact.session in self._sessions
        freed = fact.verified_empty if isinstance(fact, f.ReservationReleased) else fact.occupancy is Occupancy.FREE
        parcel = self._cycled.get(fact.compartment)
        assert not freed or by_staff or parcel is None, f"C-32: {fact.compartment} is free, and nobody looked behind it"
        if by_staff and parcel is not None:
            del self._cycled[fact.compartment]
            self._doors_of[parcel] = 0

    def _handed_in(self, fact: f.ParcelStored) -> None:
        label = Label(fact.place.name)
        self._cycled.pop(label, None)
        self._doors_of[fact.parcel] = 0
        known = fact.by or fact.parcel in self.inside[label]
        assert known, f"C-32: {fact.parcel} is booked behind {label}, its sender never said so, and it is not there"

    def _retrieved(self, fact: f.ParcelRemoved) -> None:
        """M-01: out of stock by its own label, with its door shut behind it and nothing of it inside."""
        assert fact.parcel in self.labels_read, f"M-01: {fact.parcel} was taken out and nobody read its label"
        inside = [label for label, held in self.inside.items() if fact.parcel in held]
        assert not inside, f"I-4: {fact.parcel} is out of stock and lies behind {inside}"
        if fact.place is not None and fact.place.kind is PlaceKind.COMPARTMENT:
            label = Label(fact.place.name)
            opening = self.site.state.durable.openings.get(label)
            holds = opening is None or opening.bounces < BOUNCES_MAX
            assert not holds or self.site.doors[label] is Door.CLOSED, f"I-12: {label} is freed while it stands open"

    def _ordered(self, fact: f.OpeningOrdered, at_ms: int) -> None:
        settings = self.site.state.durable.settings
        gap_ms = at_ms - self._ordered_at
        assert gap_ms >= settings.pulse_gap_ms, f"I-8: two pulses within {gap_ms} ms"
        self._ordered_at = at_ms
        if fact.by and fact.purpose is not Purpose.LOAD and fact.pulse == 1:  # A second try needs nobody at the desk.
            held = self.inside[fact.compartment]
            assert self._pin_typed or not self.site.pin or not held, "opened for staff who gave no PIN"
        if fact.by and fact.purpose is Purpose.COLLECT:
            assert fact.session in self._helped, "M-05: opened for somebody, and nobody wrote down why"
        if fact.form == "mandate":
            assert fact.session in self._delegated, "C-30: a delegate's door opened, and nothing says that it was one"
        if fact.purpose is Purpose.VERIFY and fact.parcel is not None and fact.pulse == 1:
            self.labels_read.discard(fact.parcel)
        if fact.purpose not in COLLECTING or fact.parcel is None or fact.pulse > 1:
            return
        assert fact.parcel not in self._ended, "I-3: a spent key opened again"
        assert fact.parcel in self.shown, "a replaced slip opened"
        assert fact.parcel not in self._set_aside, "C-10: a key opened the door that waits for staff"
        self._asked_for.add(fact.parcel)
        if fact.purpose is Purpose.REOPEN:
            self._reopens[fact.parcel] += 1
            assert self._reopens[fact.parcel] <= settings.reopens_max, "I-9: opened again too often"
            late_ms = at_ms - self._marked.get(fact.parcel, self._started_at)
            assert late_ms <= settings.reopen_grace_ms, f"I-9: opened again {late_ms} ms later"
        self._marked[fact.parcel] = at_ms

    def _said_of_key(self, fact: f.KeyOpeningDeclared, at_ms: int) -> None:
        """M-09: an alarm is explained by whoever opened the door just now, and by nobody an hour later."""
        held = self.inside[fact.compartment]
        assert self._pin_typed or not self.site.pin or not held, "a key for a door with a parcel, and no PIN"
        late_ms = at_ms - fact.opened_ms
        assert not fact.opened_ms or late_ms <= SAID_AFTER_MS, f"M-09: a break-in explained {late_ms} ms later"

    def _wrong_pin(self, person: str, at_ms: int) -> None:
        recent = self._wrong_pins[person] = [before for before in self._wrong_pins[person] if at_ms - before < HOUR_MS]
        recent.append(at_ms)
        assert len(recent) <= WRONG_PINS_AN_HOUR, "I-22: a PIN may be tried more often than the bucket allows"

    def _mark_behind(self, label: Label, at_ms: int) -> None:
        for parcel in self.site.state.durable.parcels.values():
            if parcel.place is not None and parcel.place.name == label:
                self._marked[parcel.id] = at_ms

    def _reserve(self, fact: f.CompartmentReserved) -> None:
        label = fact.compartment
        assert label != self._practice, f"M-10: {label} is set aside for practice and was allotted"
        assert not self.inside[label], f"I-5: {label} allotted while something is inside"
        assert self._reserved.get(label, fact.parcel) == fact.parcel, f"I-1: {label} is reserved twice"
        assert self.site.doors[label] is Door.CLOSED, f"{label} allotted while its door stands open"
        service = self.site.state.durable.compartments[label].service
        assert service is Service.IN_SERVICE, f"{label} allotted although it is {service}"
        card = self.site.setup.cards[label]
        light = fact.parcel not in self.heavy
        assert light or 400 <= card.height_mm <= 1_300, f"S-15: a heavy parcel at {card.height_mm} mm"
        assert fact.parcel not in self.low or card.reach is not ReachZone.HIGH, f"S-14: {label} is out of reach"
        self._reserved[label] = fact.parcel

    def _take(self, fact: f.ParcelTaken, at_ms: int) -> None:
        opened_ms = self._opened_at.get(Label(fact.place.name))
        if opened_ms is not None and fact.parcel not in self._taken_at:
            open_ms = at_ms - opened_ms
            assert open_ms >= self.site.state.durable.settings.quick_close_ms, f"C-05: taken within {open_ms} ms"
        self._taken_at[fact.parcel] = self._marked[fact.parcel] = at_ms

    def _collect(self, fact: f.ParcelCollected, at_ms: int) -> None:
        by_hand = fact.place.kind is PlaceKind.SHELF
        assert by_hand or fact.parcel not in self._set_aside, (
            "C-09: what its recipient complained of counts as collected"
        )
        gone = fact.parcel in self.taken | self.stolen or fact.place.kind is PlaceKind.SHELF
        assert gone, "I-2: collected, but never taken"
        authorised = fact.parcel in self._asked_for or fact.place.kind is PlaceKind.SHELF
        assert authorised, "I-2: collected without an authorised opening of its own compartment"
        if not fact.by and fact.place.kind is PlaceKind.COMPARTMENT:
            since_ms = max(self._taken_at.get(fact.parcel, 0), self._started_at)
            window_ms = self.site.state.durable.settings.dispute_ms
            assert at_ms - since_ms >= window_ms, "C-01: the dispute window was cut short"
            label = Label(fact.place.name)
            opening = self.site.state.durable.openings.get(label)
            own = opening is not None and opening.phase is Phase.OPEN and opening.purpose in COLLECTING
            assert not own, "collected while its door stands open"
        self._end(fact.parcel)

    def _end(self, parcel: ParcelId) -> None:
        assert parcel not in self._ended, "I-2: a parcel ended twice"
        self._ended.add(parcel)

    def _guess(self, at_ms: int) -> None:
        """I-22, by the true time and whatever restarts there were."""
        settings = self.site.state.durable.settings
        self._guesses.append(at_ms)
        for place, first_ms in enumerate(self._guesses):
            allowed = settings.attempts_burst + (at_ms - first_ms) * settings.attempts_per_hour / HOUR_MS
            assert len(self._guesses) - place <= allowed + 1, "I-22: more guesses than the bucket allows"

    # -------------------------------------------------------------------------------------------------------- beliefs

    def _belief(self, state: State) -> None:
        pulsing = [o for o in state.durable.openings.values() if o.phase is Phase.PULSING]
        assert len(pulsing) <= 1, "I-8: two coils"
        held = [c.parcel for c in state.durable.compartments.values() if c.parcel is not None]
        assert len(held) == len(set(held)), "I-1: a parcel in two compartments"
        for label, compartment in state.durable.compartments.items():
            booked = None if compartment.parcel is None else state.durable.parcels.get(compartment.parcel)
            elsewhere = booked is not None and booked.place is not None and booked.place.name != label
            assert not elsewhere, f"I-1: {compartment.parcel} is booked behind {label} and elsewhere"
            kept = compartment.occupancy is not Occupancy.RESERVED or compartment.parcel is not None
            assert kept, f"I-1: {label} is kept for no parcel"
        self._is_shown_their_own(state)
        for label in self._complained:
            occupancy = state.durable.compartments[label].occupancy
            assert occupancy is Occupancy.UNKNOWN, f"C-09: {label} is called {occupancy} before staff looked behind it"
        numbers = [p.tracking for p in state.durable.parcels.values() if p.tracking]
        assert len(numbers) == len(set(numbers)), "I-1: one label, two parcels"
        for label, parcels in self.inside.items():
            assert len(parcels) <= 1, "I-1: two parcels behind one door"
            for parcel in parcels:
                assert parcel in state.durable.parcels, f"I-4: {parcel} lies behind {label} and the site forgot it"
                compartment = state.durable.compartments[label]
                # A door that came late stands open, and nothing is allotted to it; what it holds is asked when it is shut.
                late = self.site.doors[label] is Door.OPEN and compartment.service is Service.SUSPECT
                assert late or compartment.occupancy is not Occupancy.FREE, (
                    f"I-5: {label} holds {parcel} and counts as free"
                )
        for parcel in self.taken:
            assert parcel not in held or self._may_still_count(state, parcel), (
                f"{parcel} was taken and counts as inside"
            )
        self._nothing_is_overdue(state)

    def _may_still_count(self, state: State, parcel: ParcelId) -> bool:
        """Until its door was closed, and until a doubt was settled by staff, a taken parcel may count as inside."""
        known = state.durable.parcels[parcel]
        return known.uncertain or known.state.value in {"stored", "collecting", "disputed", "refused"}

    def _nothing_is_overdue(self, state: State) -> None:
        """Whatever runs out by time alone has been seen to (liveness of one site)."""
        settings, mono = state.durable.settings, self.site.clock.mono
        last_ms = 0
        for opening in state.durable.openings.values():
            last_ms = max(last_ms, opening.pulse_mono)
            if opening.phase is Phase.PULSING:
                given = max(settings.open_timeout_ms, settings.pulse_gap_ms) + SLACK_MS
                assert mono - opening.pulse_mono <= given, "a pulse that its door did not answer is never given up"
            elif opening.phase is Phase.OPEN and not opening.alarmed:
                open_ms = mono - opening.opened_mono
                assert open_ms <= settings.alarm_ms + SLACK_MS, "a door stands open and nobody is told"
        busy_openings = [o for o in state.durable.openings.values() if o.phase in {Phase.PULSING, Phase.OPEN}]
        busy = {o.session for o in busy_openings}
        self._overdue = {
            parcel.id: self._overdue.get(parcel.id, mono)
            for parcel in state.durable.parcels.values()
            if parcel.state is ParcelState.COLLECTING and parcel.session not in busy
            if mono - parcel.since_mono > settings.dispute_ms
        }
        # From when it was seen: another opening of the door may have taken the place of one that had kept it waiting.
        for since_ms in self._overdue.values():
            assert mono - since_ms <= SLACK_MS, "I-17: taken for ever, collected never"
        sending = state.live.sending
        asked = sending is not None and sending.step is SendStep.ASK_INSIDE
        if sending is not None and sending.step is not SendStep.PUT_IN:
            given = settings.cancel_answer_ms if asked else SIZES_MS
            assert mono - sending.asked_mono <= given + SLACK_MS, "C-32: a sender is asked for ever"
            later = [o for o in busy_openings if asked and o.pulse_mono > sending.asked_mono]
            assert not later, "C-32: a door opens for somebody else before the sender could answer"
        task = state.live.task
        if task is not None and task.step in {Step.PUT_IN, Step.TAKE_BACK} and task.compartment is not None:
            doors = {o.compartment for o in state.durable.openings.values() if o.phase in {Phase.PULSING, Phase.OPEN}}
            assert task.compartment in doors, (
                f"staff are told to do something at door {task.compartment}, which is shut, and nothing else goes on"
            )
        asked_about = task is not None and task.step in {Step.ASK_EMPTY, Step.WHICH_DOOR, Step.OPEN_WITH_KEY}
        if state.durable.staff is not None and not busy_openings and not asked_about:
            silent_ms = mono - state.live.active_mono
            assert silent_ms <= settings.staff_idle_ms + SLACK_MS, (
                "S-18: staff went away, and whoever passes has their rights"
            )
        turns = [_is_a_key(kept.event) for kept in state.live.waiting]
        assert turns == sorted(turns, reverse=True), "S-11: a customer waits for what staff asked later or before"
        if state.live.waiting:
            asked_ms = mono - state.live.waiting[0].since_mono
            idle = not busy and not asked and mono - last_ms > settings.pulse_gap_ms + SLACK_MS
            assert asked_ms <= WAITING_MS + SLACK_MS, "somebody was told to wait, and is forgotten"
            assert not idle, "somebody was told to wait, and nobody is before them"

    # -------------------------------------------------------------------------------------------------------- promises

    def closed_calmly(self) -> bool:
        """Nobody is served, asked or told anything: whoever shows a slip now is answered at once."""
        state = self.site.state
        moving = any(o.phase in {Phase.PULSING, Phase.OPEN} for o in state.durable.openings.values())
        return not moving and not state.live.waiting and state.live.sending is None

    def must_open(self, parcel: ParcelId, version: int) -> bool:
        """Whether its newest slip opens its door at once (I-7, I-23), as anybody at the bank could say."""
        state, mono = self.site.state, self.site.clock.mono
        known = state.durable.parcels.get(parcel)
        if known is None or known.state is not ParcelState.STORED or known.uncertain or known.version > version:
            return False
        if known.intent is Intent.RECALL or known.low_said or known.reach is not None:
            return False  # staff may have to open a door that is too high or too low (C-27)
        if known.place is None or known.place.kind is not PlaceKind.COMPARTMENT or state.live.waiting:
            return False
        label = Label(known.place.name)
        if state.live.task is not None and state.live.task.compartment == label:
            return False  # staff are at this very door
        if state.live.sending is not None and state.live.sending.step is SendStep.ASK_INSIDE:
            return False  # a sender is asked, for a bounded time (`_waits`), and nobody else's door opens (C-32)
        compartment = state.durable.compartments[label]
        openings = state.durable.openings.values()
        rest_ms = state.durable.settings.pulse_gap_ms
        return (
            compartment.parcel == parcel
            and compartment.service is not Service.OUT_OF_SERVICE
            and not compartment.doubted
            and self.site.doors[label] is Door.CLOSED
            and not any(o.phase in {Phase.PULSING, Phase.OPEN} for o in openings)
            and all(mono - o.pulse_mono > rest_ms for o in openings)
            and mono >= self.site.recorder.rests_until
        )


def _is_a_key(event: object) -> bool:
    """Whether a customer waits with it."""
    if isinstance(event, Scanned):
        return isinstance(classify(event.text), ScannedKey | ScannedMandate)
    return isinstance(event, DigitsTyped)
