"""The invariants of design §6, held against the physical truth after every step, and against each other at the end.

Owns what must never be seen. Refuses to act. Every failure names its invariant; `world` adds the story and the seed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

import msgspec
from sqlalchemy import text

from controller.core import due
from controller.core.model import Phase, State
from hub.core.project import ENDED
from tests.simulation.bank import TrueParcel
from tests.simulation.inventory_watch import COLLECTING
from tests.simulation.weather import HOUR_MS
from wire import facts as f
from wire.chain import FactRecord, fold, genesis
from wire.ids import Door, Label, Occupancy, ParcelId, ParcelState, Purpose, Service, Trust
from wire.messages import Birth, PresenceStatus, decode
from wire.plan import Intent

if TYPE_CHECKING:
    from tests.simulation.site import Site
    from tests.simulation.world import World

GAP_MS: Final = 1_000
"""Two coils of one site are never energised within one longest on-time of each other (I-8)."""
BACKLOG_MS: Final = 6 * HOUR_MS
"""Two dozen tries at the longest pause between them: as good as never all lost."""
TOLD_MS: Final = 2 * HOUR_MS
"""Two dozen tries of a site to which the hub answers: as good as never all lost."""
LOOKS: Final = 8
"""So many times a hub may say a plan again, and all of them be lost, which is as good as never."""
REBIRTHS_A_DAY: Final = 100
"""The worst line asks for some forty; each is a fact in the site's journal and a row at the hub."""
_PLAN: Final = text("SELECT revision, hash FROM plan WHERE site = :n")
_SHOWN: Final = text("SELECT boot, birth FROM site_live WHERE site = :n")
_STATES: Final = text("SELECT id, state FROM parcel WHERE site = :n")
_OVERTAKEN: Final = text("SELECT parcel FROM message WHERE kind = 'ready' AND problem = 'overtaken'")
GUESSES_AN_HOUR: Final = 4
GUESSES_BURST: Final = 8


class Broken(AssertionError):
    """An invariant does not hold."""


class Checks:
    """All checkers of one world, and what they have to remember."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.seen: dict[str, int] = defaultdict(int)
        self.causes: dict[str, list[f.OpeningOrdered]] = defaultdict(list)
        self.spent: dict[str, set[ParcelId]] = defaultdict(set)
        self.guesses: dict[str, list[int]] = defaultdict(list)
        self.facts: Counter[str] = Counter()
        self.versions: dict[str, dict[ParcelId, int]] = defaultdict(dict)
        self.written: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self.stored: set[str] = set()
        self.another_past: set[str] = set()
        """Sites of which a copy of the card is or was in use."""
        self.believed: set[str] = set()
        """Those of them that have not heard yet that they lack a part of their past."""
        self.put_back: dict[str, int] = {}
        """How often the hub itself had been put back when an older card came into use."""
        self.lacking: dict[str, tuple[int, str] | None] = {}
        """The end of the past that the hub knew then, if the older card does not hold all of it."""
        self.doubted: dict[str, set[Label]] = defaultdict(set)
        """What no key may open before staff have looked behind it."""
        self.away_since: dict[str, int] = {}
        self.untold_since: dict[str, int] = {}
        self.planned: dict[str, tuple[int, tuple[str, int]]] = {}
        self.plans: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))

    def is_not_alone(self, site: Site) -> None:
        """Another machine speaks in the name of this site: the hub can believe one of them."""
        self.another_past.add(site.name)

    def is_put_back(self, site: Site) -> None:
        """An older card is in use (ADR 0009): until the hub's word has come it is believed, and nobody can know better."""
        name = site.name
        self.is_not_alone(site)
        self.believed.add(name)
        self.put_back[name] = self.world.hub.restored
        for forgotten in (self.causes, self.spent, self.guesses, self.versions, self.written, self.plans, self.doubted):
            forgotten.pop(name, None)
        site.pulses.clear()

    def _could_be_told(self, site: Site) -> bool:
        """Whether the hub had, and kept, facts that an older card does not hold. What it never had is lost unnoticed.

        What a site wrote once more, to the letter, it does not lack: a start at the same count of starts and of the same time, because
        no clock runs while it is off. The chains are one then, and nobody can tell the pasts apart, or has to (storm 8050).
        """
        lacking = self.lacking[site.name]
        if lacking is None or self.put_back[site.name] != self.world.hub.restored:
            return False
        seq, head = lacking
        return site.journal.hash_at(seq) != head

    def card_is_read(self, site: Site) -> None:
        """What an older card does not hold was never written, as far as the site knows."""
        if site.name in self.believed:
            self.seen[site.name] = min(self.seen[site.name], site.journal.last_seq)
            past = self.world.hub.past(site.number)
            self.lacking.setdefault(site.name, past if past[0] > site.journal.last_seq else None)

    # ----------------------------------------------------------------------------------------- after every step of a site

    def look_at(self, site: Site) -> None:
        """The site's belief against what is true, and what it just wrote."""
        if site.runner is None:
            return
        self._read_new(site)
        self._belief(site, site.state)

    def _belief(self, site: Site, state: State) -> None:
        pulsing = [o for o in state.durable.openings.values() if o.phase is Phase.PULSING]
        require(len(pulsing) <= 1, "I-8: two doors are being opened at once")
        held = [c.parcel for c in state.durable.compartments.values() if c.parcel is not None]
        require(len(held) == len(set(held)), "I-1: a parcel stands in two compartments")
        for label, compartment in state.durable.compartments.items():
            kept = compartment.occupancy is not Occupancy.RESERVED or compartment.parcel is not None
            require(kept, f"I-1: {label} is kept for no parcel")
        versions = self.versions[site.name]
        for known_parcel in state.durable.parcels.values():
            newest = versions.get(known_parcel.id, 0)
            require(known_parcel.version >= newest, f"I-3: the key of {known_parcel.id} went back from {newest}")
            versions[known_parcel.id] = known_parcel.version
        twice = state.durable.parcels.keys() & state.durable.ended.keys()
        require(not twice, f"I-3: {twice} have ended and are expected again")
        if site.name in self.believed:
            return
        for parcel in site.bank.parcels.values():
            label = Label(parcel.where)
            if label not in site.bank.open:
                continue
            known = state.durable.compartments[label]
            require(
                known.occupancy is not Occupancy.FREE,
                f"I-5: {parcel.tracking} lies behind {label}, which counts as free",
            )
            if parcel.ids and site.name not in self.another_past:
                require(
                    any(ParcelId(one) in state.durable.parcels for one in parcel.ids),
                    f"I-4: {parcel.tracking} lies behind {label} and the site has forgotten it",
                )

    def _fact(self, site: Site, fact: f.AnyFact) -> None:
        match fact:
            case f.OpeningOrdered():
                self.causes[site.name].append(fact)
                if fact.purpose is Purpose.VERIFY:
                    self.doubted[site.name].discard(fact.compartment)
                if fact.purpose in COLLECTING and fact.parcel is not None:
                    require(fact.parcel not in self.spent[site.name], "I-3: a spent key opened again")
            case f.ParcelCollected() | f.ParcelRemoved():
                require(fact.parcel not in self.spent[site.name], "I-2: a parcel ended twice")
                self.spent[site.name].add(fact.parcel)
                if isinstance(fact, f.ParcelCollected):
                    self._collected(site, fact)
            case f.CompartmentReserved() if site.name not in self.believed:
                inside = site.bank.behind(fact.compartment)
                require(not inside, f"I-5: {fact.compartment} was allotted with something inside")
            case f.AttemptFailed():
                self._attempt(site)
            case f.JournalBehind():
                self.believed.discard(site.name)
                self.doubted[site.name] = set(site.bank.open)
            case f.ParcelStored():
                self.stored.add(fact.parcel)
                if fact.by and not fact.no_door:  # Staff who put it in at an open door have looked behind it.
                    self.doubted[site.name].discard(Label(fact.place.name))
            case f.PlanApplied():
                plan = (fact.incarnation, fact.revision)
                require(plan > self.plans[site.name], f"I-18: plan {plan} undoes {self.plans[site.name]}")
                self.plans[site.name] = plan
            case _:
                return

    def _collected(self, site: Site, fact: f.ParcelCollected) -> None:
        true = next((p for p in site.bank.parcels.values() if fact.parcel in p.ids), None)
        if true is not None and fact.place.name in site.bank.open and site.name not in self.another_past:
            asked = any(c.parcel == fact.parcel and c.compartment == fact.place.name for c in self.causes[site.name])
            require(asked, "I-2: collected without an authorised opening of its own compartment")

    def _attempt(self, site: Site) -> None:
        """I-22: whatever restarts and clocks do, guesses stay within the bucket; judged by the true time."""
        now_ms = self.world.schedule.now_ms
        times = self.guesses[site.name]
        times.append(now_ms)
        for first in range(len(times)):
            allowed = GUESSES_BURST + (now_ms - times[first]) * GUESSES_AN_HOUR / HOUR_MS
            require(len(times) - first <= allowed + 1, "I-22: more guesses than the bucket allows")

    # ----------------------------------------------------------------------------------------------------------- pulses

    def pulsed(self, site: Site, label: Label) -> None:
        """Before a coil moves: its durable cause, no other coil, and nobody else's parcel behind that door."""
        self._read_new(site)
        causes = self.causes[site.name]
        require(len(causes) > len(site.pulses), "I-10: a pulse without a durable cause of its own")
        cause = causes[-1]
        require(cause.compartment == label, "I-10: another door than the one in the journal")
        if site.pulses:
            require(self.world.schedule.now_ms - site.pulses[-1][0] >= GAP_MS, "I-8: two coils within one second")
        if cause.purpose in COLLECTING and site.name not in self.believed:
            require(
                label not in self.doubted[site.name], f"I-3: a key opened {label}, behind which nobody has looked yet"
            )
            wrong = [p.tracking for p in site.bank.behind(label) if cause.parcel not in p.ids]
            require(not wrong, f"a key opened a door with somebody else's parcel: {wrong}")

    def _read_new(self, site: Site) -> None:
        if self.seen[site.name] == site.journal.last_seq:
            return
        for _, fact in site.facts_since(self.seen[site.name]):
            self.seen[site.name] += 1
            self.facts[f.kind(fact)] += 1
            self._fact(site, fact)

    # ------------------------------------------------------------------------------------------------- promises to people

    def must_open(self, site: Site, parcel: TrueParcel) -> bool:
        """Whether the newest slip must open its door now (I-7): it is inside, known, its latch works, nobody is served.

        A slip of a parcel that the hub announced after the desk had made it, while the line was cut, names an id that its site has
        never heard of.
        """
        if site.runner is None or Label(parcel.where) in site.bank.jammed:
            return False
        state, label = site.state, Label(parcel.where)
        known = state.durable.parcels.get(ParcelId(parcel.id))
        return (
            known is not None
            and (parcel.slip_of == parcel.id or ParcelId(parcel.slip_of) in state.durable.aliases)
            and known.state is ParcelState.STORED
            and not known.uncertain
            and known.intent is not Intent.RECALL
            and known.version <= parcel.version
            and known.place is not None
            and known.place.name == label
            and state.durable.compartments[label].service is not Service.OUT_OF_SERVICE
            and not state.durable.compartments[label].doubted
            and state.durable.compartments[label].parcel == parcel.id
            and not any(due.open_openings(state))
            and due.is_ready(state, site.clock.now())
            and state.door(label) is Door.CLOSED
            and (state.live.task is None or state.live.task.compartment != label)
        )

    def times_opened(self, site: Site, parcel: TrueParcel) -> int:
        """How often a key of this parcel opened a door so far."""
        if site.runner is not None:
            self._read_new(site)
        return sum(c.parcel in parcel.ids and c.purpose in COLLECTING for c in self.causes[site.name])

    def was_refused(self, site: Site, parcel: TrueParcel, *, typed: bool) -> None:
        """A valid key did not open its door. Typed digits may have to wait; a scanned slip never."""
        if typed or site.runner is None or Label(parcel.where) in site.bank.jammed or not self.must_open(site, parcel):
            return
        raise Broken(f"I-7: the slip of {parcel.tracking} did not open door {parcel.where}")

    def keeps_up(self, site: Site) -> None:
        """I-17: on a line that stands, to a hub that is there, no fact waits for long, whatever is lost on the way."""
        now_ms = self.world.schedule.now_ms
        stood_ms = self._line_stood_ms(site)
        if site.name in self.another_past:
            # The hub refuses what it tells until an admin has looked, and believes none of the two until then.
            self._is_on_the_map(site, 0 if site.name in self.world.hub.forked_sites() else stood_ms)
            self._hears_what_it_lacks(site, stood_ms)
            return
        stands = stood_ms >= BACKLOG_MS
        self._follows(site, stood_ms)
        self._is_on_the_map(site, stood_ms)
        self._same_states(site)
        written = self.written[site.name]
        written.append((now_ms, site.journal.last_seq))
        while len(written) > 1 and written[1][0] <= now_ms - BACKLOG_MS:
            del written[0]
        at_ms, seq = written[0]
        if stands and at_ms <= now_ms - BACKLOG_MS:
            require(
                site.journal.acked >= seq,
                f"I-17: {site.name} wrote {seq} facts {BACKLOG_MS // HOUR_MS} hours ago, the hub has {site.journal.acked}",
            )

    def _same_states(self, site: Site) -> None:
        """I-15: a hub that has heard everything a site wrote knows each of its parcels as the site does."""
        hub = self.world.hub
        if not hub.alive or hub.cursor(site.number) != site.journal.last_seq:
            return
        with hub.store.reading() as connection:
            states = dict(connection.execute(_STATES, {"n": site.number}).all())
        for parcel in site.state.durable.parcels.values():
            if parcel.state is not ParcelState.ANNOUNCED:
                known = states.get(parcel.id)
                require(known == parcel.state, f"I-15: {parcel.id} is {parcel.state} here and {known} at the hub")

    def _line_stood_ms(self, site: Site) -> int:
        hub = self.world.hub
        if not (site.client.up and hub.line.up):
            return 0
        return self.world.schedule.now_ms - max(site.client.since_ms, hub.line.since_ms)

    def _follows(self, site: Site, stood_ms: int) -> None:
        """I-17: a plan that stays as it is comes to its site, whatever is lost on the way."""
        now_ms, hub = self.world.schedule.now_ms, self.world.hub
        if not stood_ms or not hub.alive:
            self.planned.pop(site.name, None)
            return
        with hub.store.reading() as connection:
            row = connection.execute(_PLAN, {"n": site.number}).one_or_none()
        wanted = ("", 0) if row is None else (str(row.hash), int(row.revision))
        since_ms, known = self.planned.get(site.name, (now_ms, wanted))
        self.planned[site.name] = (since_ms, wanted) if known == wanted else (now_ms, wanted)
        waited_ms = min(stood_ms, now_ms - self.planned[site.name][0])
        if wanted[1] and waited_ms >= max(BACKLOG_MS, LOOKS * self.world.weather.look_ms):
            require(
                site.state.durable.plan.hash == wanted[0],
                f"I-17: {site.name} has not heard of plan {wanted[1]} for {waited_ms // HOUR_MS} hours",
            )

    def _is_on_the_map(self, site: Site, stood_ms: int) -> None:
        """I-18: a will that came late is outlived: who has been there for hours, and says how it feels, counts as there."""
        hub = self.world.hub
        is_away = hub.alive and stood_ms > 0 and hub.lives([site.name])[site.name][0] != PresenceStatus.READY
        away_ms = self._waited_ms(self.away_since, site, stood_ms, waits=is_away)
        told = away_ms < max(BACKLOG_MS, LOOKS * self.world.weather.look_ms)
        require(told, f"I-18: {site.name} is there, and has counted as away for {away_ms // HOUR_MS} hours")

    def _hears_what_it_lacks(self, site: Site, stood_ms: int) -> None:
        """I-3: an older card believes its doors until it is told, and on a line that stands that is soon."""
        lacks = stood_ms > 0 and site.name in self.believed and self._could_be_told(site)
        waited_ms = self._waited_ms(self.untold_since, site, stood_ms, waits=lacks)
        told = waited_ms < max(TOLD_MS, LOOKS * self.world.weather.look_ms)
        require(
            told, f"I-3: nobody has told {site.name} for {waited_ms // HOUR_MS} hours that it lacks a part of its past"
        )

    def _waited_ms(self, since: dict[str, int], site: Site, stood_ms: int, *, waits: bool) -> int:
        """For how long a site has waited for something on a line that stands; 0 while it does not wait."""
        if not waits:
            since.pop(site.name, None)
            return 0
        now_ms = self.world.schedule.now_ms
        return min(stood_ms, now_ms - since.setdefault(site.name, now_ms))

    def wills_read(
        self, before: dict[str, tuple[str, int]], wills: dict[str, int], after: dict[str, tuple[str, int]]
    ) -> None:
        """I-18: that an earlier start of a site was lost takes nobody off the map who started again since."""
        for site, (presence, boot) in before.items():
            if site in self.another_past:
                continue  # A copy of its card has started another number of times.
            was_there = presence == PresenceStatus.READY and wills[site] < boot
            require(
                not was_there or after[site][0] != PresenceStatus.LOST,
                f"I-18: the will of start {wills[site]} took {site} away, which started {boot} times",
            )

    # ---------------------------------------------------------------------------------------------------------- the end

    def at_rest(self) -> None:
        """Once the faults have stopped and everybody has spoken: both sides agree, and nobody was forgotten (I-15, I-17)."""
        hub = self.world.hub
        with hub.store.reading() as connection:
            away = connection.execute(
                text(
                    "SELECT s.id, l.presence FROM site s JOIN site_live l ON l.site = s.number WHERE presence <> 'ready'"
                )
            ).all()
            require(not away, f"I-18: sites that are there count as away: {away}")
            rows = connection.execute(
                text(
                    "SELECT s.id, c.journal, c.seq, c.hash, c.ordinal, s.number, c.adopt FROM site s JOIN site_cursor c ON c.site = s.number"
                )
            ).all()
            for name, journal, seq, head, ordinal, number, adopt in rows:
                site = self.world.sites[name]
                require(
                    seq == site.journal.last_seq, f"I-17: the hub has {seq} of {site.journal.last_seq} facts of {name}"
                )
                require(_hex(head) == site.journal.last_hash, f"I-13: the chains of {name} differ")
                stored = connection.execute(
                    text(
                        "SELECT seq, boot, at_ms, trust, body FROM fact WHERE site = :n AND journal = :j ORDER BY seq"
                    ),
                    {"n": number, "j": ordinal},
                ).all()
                require(
                    [row.seq for row in stored] == list(range(1, seq + 1)),
                    f"I-4: facts of {name} are missing or doubled",
                )
                records = [
                    FactRecord(
                        seq=r.seq, boot=r.boot, at_ms=r.at_ms, trust=Trust(r.trust), body=msgspec.Raw(bytes(r.body))
                    )
                    for r in stored
                ]
                require(
                    fold(genesis(name, journal), records) == site.journal.last_hash, f"I-13: the hub's chain of {name}"
                )
                plan = connection.execute(text("SELECT revision, hash FROM plan WHERE site = :n"), {"n": number}).one()
                mark = site.state.durable.plan
                require(
                    (mark.revision, mark.hash) == (plan.revision, plan.hash),
                    f"I-17: {name} has plan {mark.revision}, the hub's last one is {plan.revision}",
                )
                if name not in self.another_past:
                    self._same_parcels(site, connection, number)
                self._same_compartments(site, connection, number)
                self._is_described_by_itself(site, connection)
                require(not adopt, f"I-28: {name} was let go on, and the next stranger would be taken for it")
            alerts = connection.execute(
                text(
                    "SELECT site, kind, detail FROM alert WHERE cleared_ms IS NULL AND kind IN ('views_differ','identity','bad_message','gap','plan_refused','foreign_parcel')"
                )
            ).all()
            require(not alerts, f"the hub still complains: {alerts}")
            asked = connection.execute(
                text("SELECT site, count(*) FROM command WHERE verb = 'rebirth' GROUP BY site")
            ).all()
            bound = REBIRTHS_A_DAY * (self.world.drawn.days + 2)
            often = [tuple(row) for row in asked if row[1] > bound]
            require(not often, f"I-38: more than {bound:.0f} rebirths, each a fact of its site: {often}")
        self._told_once()
        self._plans_say_what_is_wanted()
        for site in self.world.sites.values():
            site.journal.verify()

    def _is_described_by_itself(self, site: Site, connection: object) -> None:
        """I-15: what the hub shows of a site is what that machine said, not one that ran with a copy of its card."""
        row = connection.execute(_SHOWN, {"n": site.number}).one()  # type: ignore[attr-defined]
        require(row.birth is not None, f"I-15: the hub has no description of {site.name}")
        described = decode(Birth, bytes(row.birth)).boot
        require(
            described <= site.journal.boot,
            f"I-15: {site.name}, start {site.journal.boot}, is described by a start {described}",
        )
        require(
            row.boot == site.journal.boot, f"I-18: {site.name}, start {site.journal.boot}, counts as start {row.boot}"
        )

    def _plans_say_what_is_wanted(self) -> None:
        """I-17: built anew the plan of a site is the one that was said last; nothing in it is over."""
        hub = self.world.hub
        for site in self.world.sites.values():
            plan = hub.planner.build(site.name)
            assert plan is not None
            mark = site.state.durable.plan
            require(
                plan.hash == mark.hash,
                f"I-17: {site.name} follows plan {mark.revision}, which is not what is wanted any more",
            )
            with hub.store.reading() as connection:
                states = dict(connection.execute(_STATES, {"n": site.number}).all())
            over = [planned.id for planned in plan.parcels if ParcelState(states[planned.id]) in ENDED]
            require(not over, f"I-17: the plan of {site.name} expects what has ended: {over}")

    def _told_once(self) -> None:
        """However many records a parcel had; a hub that died or was put back may say something again."""
        hub = self.world.hub
        if not hub.restored and not self.another_past:
            ready = {name.partition(":")[0] for name in hub.post.delivered if name.endswith(":ready")}
            with hub.store.reading() as connection:
                overtaken = set(connection.execute(_OVERTAKEN).scalars())
            never = (hub.announced & self.stored) - ready - overtaken
            require(not never, f"recipients were never told that their parcel is here: {sorted(never)}")
        tracking = {
            one: p.tracking for site in self.world.sites.values() for p in site.bank.parcels.values() for one in p.ids
        }
        told = Counter(
            (tracking.get(name, name), kind) for name, _, kind in (one.partition(":") for one in hub.post.delivered)
        )
        often = 1 + hub.restored + self.world.hub_deaths
        doubled = [one for one, count in told.items() if count > often + self.world.announced_anew[one[0]]]
        require(not doubled, f"recipients were told twice: {doubled}")

    def _same_parcels(self, site: Site, connection: object, number: int) -> None:
        rows = connection.execute(  # type: ignore[attr-defined]
            text("SELECT id, state, version, place_name, joined_into FROM parcel WHERE site = :n"), {"n": number}
        ).all()
        hub = {row.id: row for row in rows}
        durable = site.state.durable
        joined = {row.id: row.joined_into for row in rows if row.joined_into is not None}
        aliases = {second: alias.into for second, alias in durable.aliases.items()}
        require(joined == aliases, f"I-15: joined at the hub {joined}, at {site.name} {aliases}")
        tracking = Counter(parcel.tracking for parcel in durable.parcels.values() if parcel.tracking)
        require(not tracking or max(tracking.values()) == 1, f"one number has two parcels at {site.name}: {tracking}")
        for parcel in durable.parcels.values():
            require(parcel.id in hub, f"I-15: the hub does not know {parcel.id}")
            row = hub[parcel.id]
            if parcel.state is ParcelState.ANNOUNCED:
                continue
            require(row.state == parcel.state, f"I-15: {parcel.id} is {parcel.state} here and {row.state} at the hub")
            require(row.version >= parcel.version, f"I-15: the key of {parcel.id} went back at the hub")
        for ended in durable.ended.values():
            require(
                hub[ended.id].state == ended.state,
                f"I-15: {ended.id} ended here and is {hub[ended.id].state} at the hub",
            )
        for row in rows:
            if ParcelState(row.state) not in ENDED and row.id not in joined:
                require(
                    row.id in durable.parcels, f"I-17: {row.id} is {row.state} at the hub and unknown at {site.name}"
                )

    def _same_compartments(self, site: Site, connection: object, number: int) -> None:
        rows = connection.execute(  # type: ignore[attr-defined]
            text("SELECT label, occupancy, service, parcel FROM compartment WHERE site = :n"), {"n": number}
        ).all()
        for row in rows:
            known = site.state.durable.compartments[Label(row.label)]
            if known.cycles:
                require(
                    (row.occupancy, row.service, row.parcel) == (known.occupancy, known.service, known.parcel),
                    f"I-15: compartment {row.label} of {site.name}: hub {tuple(row)}, site {known}",
                )

    def everybody_served(self) -> None:
        """Liveness: with all faults over, every recipient has, or can have, what is theirs."""
        for site in self.world.sites.values():
            told = site.name not in self.believed or not self._could_be_told(site)
            require(told, f"I-3: nobody told {site.name} that it lacks a part of its past")
            if site.name in self.another_past:
                continue  # What came and went in the past it lacks is settled at the desk.
            for parcel in site.bank.parcels.values():
                require(
                    parcel.where in {"taken", "removed", "shelf"} or not parcel.slips,
                    f"{parcel.tracking} still lies at {parcel.where} of {site.name} after days of good weather",
                )


def require(holds: bool, what: str) -> None:  # noqa: FBT001 reads as an assertion
    """Raise Broken when an invariant does not hold."""
    if not holds:
        raise Broken(what)


def _hex(value: object) -> str:
    return value if isinstance(value, str) else bytes(value).hex()  # type: ignore[call-overload]
