"""Many small lives of one site, each from a seed: the invariants hold after every step, and a seed always tells the same story."""

from __future__ import annotations

import pytest

from tests.simulation.random_site import STEPS, RandomSite

pytestmark = pytest.mark.slow

SEEDS = range(150)

KEPT = (1126, 1212, 1219, 1238, 3183, 4867, 2185, 12, 173, 202, 126, 233, 245, 246)
"""Seeds that once failed; they stay. 1126, 1212, 1219: an old slip opened a compartment found empty and used again.
1238, 3183: a deposit whose door opened late was booked where the parcel was not.
4867: a size pressed while another latch was pulsed fired a second coil. 2185: a door that sprang open during *empty?* booked a
parcel that was in the hands of staff. 12: the wind shut the door of a deposit, and nothing was booked as stored. 173: a door that
was open at a restart and shut at once counted as a collection. 202: a door of a deposit that sprang open again, and was shut while
the power was away, was believed to hold its parcel. 126: a key opened the door that staff were asked about, and their answer booked the
parcel in their hands as collected; and again, with the people of loading: a parcel stored, collected and complained of counted as back in
the hands of staff once they had looked. 233: the power failed while a parcel was moved, and its slip opened the door it had left. 245: a door that sprang open during retrieval
was freed. 246: practice ended in a compartment whose parcel had been collected, and another door was kept for it."""

DEALT = (429, 931, 1757, 2511, 4483, 7075, 11218, 14409, 18176, 18929)
"""Of those with the people of a few journeys only. 931, 1757, 4483, 14409, 18176, 18929: what its recipient had taken counted as in
hand once its door was opened with the key. 429, 2511: staff read the label of a parcel that has none. 7075: a recipient's door right after
the deposit was called a bounce. 11218: a parcel that its sender had never confirmed was stolen, and a checker wanted it in the books."""


@pytest.mark.parametrize(
    ("seed", "everybody"),
    [*((seed, False) for seed in (*SEEDS, *DEALT)), *((seed, True) for seed in (*SEEDS[::2], *KEPT))],
)
def test_no_story_breaks_an_invariant(seed: int, everybody: bool) -> None:  # noqa: FBT001 a parameter of the test
    story = RandomSite(seed, everybody=everybody)
    try:
        story.live(STEPS)
    except AssertionError as broken:
        last = ", ".join(story.log[-12:])
        message = f"seed {seed}, step {len(story.log)}: {broken}; last acts: {last}"
        raise AssertionError(message) from broken


def test_the_same_seed_tells_the_same_story() -> None:
    one, other = RandomSite(42), RandomSite(42)
    one.live(STEPS)
    other.live(STEPS)
    assert one.site.recorder.facts == other.site.recorder.facts
    assert one.site.recorder.done == other.site.recorder.done


def test_the_stories_reach_what_they_should() -> None:
    kinds: set[str] = set()
    for seed in range(40):
        story = RandomSite(seed)
        story.live(STEPS)
        kinds |= set(story.site.kinds())
    wanted = {
        "parcel_collected",
        "parcel_stored",
        "opening_failed",
        "opening_resolved",
        "attempt_failed",
        "reservation_released",
        "slip_refused",
        "alarm_raised",
        "parcel_noted",
    }
    assert wanted - kinds == set()
