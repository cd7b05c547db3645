"""How hostile one world is: every probability and bound of it, drawn from the seed.

Owns the figures. Refuses to act. A calm world is as valuable as a wild one: some faults only show where nothing else fails.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
SHORT_DAYS = 2.0
LONG_DAYS = 120.0
"""Long enough for facts to be thrown away that were acknowledged, and for a hub that is put back from before that."""
LOOK_STRETCH_MAX = 6.0
REST_DAYS = 1.5
"""Good weather at the end, in which everybody is served."""


@dataclass(frozen=True, slots=True)
class Weather:
    """Probabilities are for each occasion; `*_days` are means of what happens by itself, 0 for never.

    `days` is how long it lasts. In a month about as much happens as in two bad days, with more time in between.
    """

    days: float
    lost: float
    doubled: float
    overtaken: float
    late: float
    """How many messages come once more within a day: from a queue that outlived its hub, or from a hub that should be off."""
    latency_ms: int
    partition_days: float
    partition_ms: int
    power_cut_days: float
    cut_at_commit: float
    broker_death_days: float
    broker_forgets: bool
    hub_death_days: float
    hub_dies_after_commit: float
    hub_reads_ms: int
    restore_days: float
    jam_days: float
    force_days: float
    chatter: float
    cut_days: float
    newer: float
    """How many messages come from a version that says more than this one knows."""
    careless: float
    keeps_time: bool
    synchronised: bool
    clock_jump_days: float
    parcels_a_day: float
    reissue: float
    """How many slips are lost and replaced."""
    shifts_a_day: float
    visit_days: float
    guess_days: float
    look_ms: int
    """How often site and hub look at what nobody told them, and a site says how it feels; the real ones do it all the time."""
    nag_ms: int
    swap_days: float
    """A copy of a site's card is put into it some time after it was made."""
    twin_days: float
    """The same copy is put into a spare machine, and both run for a while."""
    admin_days: float
    """How soon somebody takes another past for a site's own while everything fails; 0: only when nothing does any more."""
    complaints: float
    """How many recipients say at their open door that something is wrong, and leave the parcel there."""
    late_ms: int = DAY_MS
    """How late that is, at most."""
    sites: int = 2
    rest_days: float = REST_DAYS
    hub_cut_days: float = 0.0
    """The hub's own line breaks for a moment; its will may be heard after it is back."""
    hub_muted: float = 0.0
    """How often a hub that was put back is not heard in its first minute: a broker full to the brim, a switch that still learns."""
    recalls: float = 0.0
    """How many parcels are wanted back by their carrier, wherever they are by then."""
    swapped_unheard: float = 0.0
    """How often the line is down as well when an older card comes into use: the site writes on and nobody contradicts."""


def draw(random: Random, later: Random) -> Weather:
    """One kind of weather out of many; each fault is absent in half of the worlds.

    What was thought of later has a chance of its own, so that the worlds known before stay as they were.
    """
    days = random.choice((SHORT_DAYS, 7.0, 35.0, LONG_DAYS))
    stretch = days / SHORT_DAYS

    def some(value: float) -> float:
        return value * random.random() if random.random() < 0.5 else 0.0

    return Weather(
        days=days,
        lost=some(0.1),
        doubled=some(0.2),
        overtaken=some(0.2),
        late=later.choice((0.0, 0.02, 0.2)),
        latency_ms=random.choice((20, 200, 2_000)),
        partition_days=random.choice((0.0, 0.5, 3.0, 20.0)) * stretch,
        partition_ms=random.choice((60_000, HOUR_MS, DAY_MS, 30 * DAY_MS)),
        power_cut_days=random.choice((0.0, 0.3, 2.0)) * stretch,
        cut_at_commit=some(0.02),
        broker_death_days=random.choice((0.0, 1.0)) * stretch,
        broker_forgets=random.random() < 0.5,
        hub_death_days=random.choice((0.0, 1.0)) * stretch,
        hub_dies_after_commit=some(0.05),
        hub_reads_ms=random.choice((300, 10_000, 120_000)),
        restore_days=random.choice((0.0, 0.0, 0.3, 1.0)) * stretch,
        jam_days=random.choice((0.0, 1.0)) * stretch,
        force_days=random.choice((0.0, 5.0)) * stretch,
        chatter=some(0.5),
        cut_days=random.choice((0.0, 2.0)) * stretch,
        newer=some(0.5),
        careless=some(0.3),
        keeps_time=random.random() < 0.5,
        synchronised=random.random() < 0.5,
        clock_jump_days=random.choice((0.0, 2.0)) * stretch,
        parcels_a_day=random.choice((3.0, 10.0, 40.0)) / stretch,
        reissue=later.choice((0.1, 0.1, 0.7)),
        shifts_a_day=2.0 / math.sqrt(stretch),
        visit_days=math.sqrt(stretch),
        guess_days=2.0 * stretch,
        look_ms=int(HOUR_MS * min(stretch, LOOK_STRETCH_MAX)),
        nag_ms=int(random.choice((15_000, 1_800_000)) * stretch**2),
        swap_days=later.choice((0.0,) * 9 + (0.5,)) * stretch,
        twin_days=later.choice((0.0,) * 9 + (0.5,)) * stretch,
        admin_days=later.choice((0.0, 0.01, 0.2)) * stretch,
        complaints=later.choice((0.0, 0.2, 0.4)),
    )


def storm(seed: int) -> Weather:
    """One site for a day in which what seldom happens happens, and what a network waits weeks for follows within hours.

    A tenth of a network's work: for what goes wrong between a site and its hub when two rare things meet.
    """

    random = Random(seed ^ 0x57)

    def some(value: float) -> float:
        return value * random.random() if random.random() < 0.5 else 0.0

    copies = random.choice(("", "", "", "swap", "swap", "twin"))
    return Weather(
        days=random.choice((0.5, 1.0)),
        lost=random.choice((0.0, 0.05, 0.2)),
        doubled=some(0.3),
        overtaken=some(0.3),
        late=random.choice((0.0, 0.05, 0.3)),
        latency_ms=random.choice((20, 200, 2_000)),
        partition_days=random.choice((0.0, 0.05, 0.3)),
        partition_ms=random.choice((10_000, 10_000, HOUR_MS, 8 * HOUR_MS)),
        power_cut_days=random.choice((0.0, 0.1, 0.5)),
        cut_at_commit=random.choice((0.0, 0.005, 0.03)),
        broker_death_days=random.choice((0.0, 0.0, 0.3)),
        broker_forgets=random.random() < 0.5,
        hub_death_days=random.choice((0.0, 0.0, 0.2)),
        hub_dies_after_commit=random.choice((0.0, 0.0, 0.05)),
        hub_reads_ms=random.choice((300, 10_000)),
        restore_days=random.choice((0.0, 0.1, 0.3)),
        jam_days=0.0,
        force_days=0.0,
        chatter=0.0,
        cut_days=0.0,
        newer=some(0.5),
        careless=some(0.3),
        keeps_time=random.random() < 0.5,
        synchronised=random.random() < 0.5,
        clock_jump_days=0.0,
        parcels_a_day=random.choice((2.0, 10.0)),
        reissue=random.choice((0.1, 0.7)),
        shifts_a_day=8.0,
        visit_days=0.15,
        guess_days=4.0,
        look_ms=HOUR_MS // 4,
        nag_ms=1_800_000,
        swap_days=0.1 if copies == "swap" else 0.0,
        twin_days=0.1 if copies == "twin" else 0.0,
        admin_days=random.choice((0.0, 0.01, 0.1)),
        complaints=random.choice((0.0, 0.3)),
        late_ms=6 * HOUR_MS,
        sites=1,
        rest_days=0.75,
        hub_cut_days=random.choice((0.0, 0.03, 0.2)),
        hub_muted=random.choice((0.0, 0.8)),
        swapped_unheard=random.choice((0.0, 0.7)),
        recalls=random.choice((0.0, 0.0, 0.5)),
    )


def calm() -> Weather:
    """Nothing fails."""
    return Weather(
        days=1.0, lost=0, doubled=0, overtaken=0, late=0, latency_ms=20, partition_days=0, partition_ms=0, power_cut_days=0,
        cut_at_commit=0, broker_death_days=0, broker_forgets=False, hub_death_days=0, hub_dies_after_commit=0, hub_reads_ms=5_000,
        restore_days=0, jam_days=0, force_days=0, chatter=0, cut_days=0, newer=0, careless=0, keeps_time=True, synchronised=True, clock_jump_days=0,
        parcels_a_day=10, reissue=0.1, shifts_a_day=12, visit_days=0.1, guess_days=2.0, look_ms=HOUR_MS, nag_ms=15_000, swap_days=0, twin_days=0,
        admin_days=1 / 24, complaints=0,
    )  # fmt: skip
