"""The hub, or whoever holds it, asks for doors: well and badly, late, twice, again after a power cut, as often as it likes (A-03 … A-06)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from controller.core.events import Button
from controller.core.model import Phase
from wire import facts as f
from wire.ids import Door, Label, Occupancy, Purpose
from wire.messages import Command, OpeningReason

if TYPE_CHECKING:
    from tests.simulation.random_site import Act, RandomSite

LIFE_MS: Final = 20_000
CALM_MS: Final = 40_000
"""After this long without anything nobody stands in front of the bank any more."""
FLOOD: Final = 5
ENDS_WITHIN: Final = 40
"""Half seconds: three tries of a latch, each as long as its door is waited for."""
ALL_DAY: Final = 13
NONSENSE: Final = 205
WINDOW_MS: Final = 605_000
DAY_MS: Final = 86_400_000


def asks(bank: RandomSite) -> None:
    """Two people want a door, and it opens if nobody is there; somebody reaches in, or the power fails, or nothing more happens."""
    mood = bank.random.random()
    if mood < 0.5:
        bank.wait(CALM_MS)
    elif mood < 0.7:
        bank.site.press(Button.SIGN_OUT)
        bank.customer_comes()
        bank.wait(16_000)  # Nothing on the screen but their open door.
    command = _command(bank)
    must = _must_be_accepted(bank)
    ordered = _says(bank, command)
    assert ordered or not must, "A-03: two people asked, nobody was there, and the door stayed shut"
    if not ordered:
        return
    assert command.compartment is not None
    if bank.random.random() < 0.25:
        _power_fails(bank, command.compartment)
    else:
        _is_seen_through(bank, command)


def asks_badly(bank: RandomSite) -> None:
    """Late, of another start, by one person alone, without a reason, for a door that is not there."""
    if bank.random.random() < 0.7:
        bank.wait(CALM_MS)  # Nothing else is wrong with it then.
    good, mono = _command(bank), bank.site.clock.mono
    replace = msgspec.structs.replace
    bad = bank.random.choice(
        (
            replace(good, until_mono_ms=mono - bank.random.choice((0, 1, 3_000, 900_000))),
            replace(good, until_mono_ms=mono + 10_000_000),
            replace(good, session=str(bank.site.clock.boot - 1)),
            replace(good, expires_at_ms=bank.site.clock.wall_ms - 1),
            replace(good, approver=""),
            replace(good, actor=""),
            replace(good, approver=f" {good.actor.upper()}"),
            replace(good, reason=""),
            replace(good, reason="Mme Diallo attend"),
            replace(good, compartment=Label("99")),
            replace(good, compartment=None),
        )
    )
    assert not _says(bank, bad), f"A-04, I-30: {bad} opened a door"


def asks_again(bank: RandomSite) -> None:
    """A command of before comes once more, as it was, or with its time set anew by somebody who kept it."""
    if not bank.asked_from_afar:
        return
    old = bank.random.choice(bank.asked_from_afar)
    fresh = msgspec.structs.replace(
        old,
        session=str(bank.site.clock.boot),
        until_mono_ms=bank.site.clock.mono + LIFE_MS,
        issued_at_ms=bank.site.clock.wall_ms,
        expires_at_ms=bank.site.clock.wall_ms + LIFE_MS,
    )
    again = bank.random.choice((old, old, fresh))
    done = old.id in bank.witness.afar.accepted
    assert not (_says(bank, again) and done), "A-05: a command that came twice opened a second time"


def floods(bank: RandomSite) -> None:
    """Whoever holds the hub asks for one door after the other, and has the power cut to be forgotten (I-21)."""
    for _ in range(FLOOD):
        bank.wait(CALM_MS)
        command = _command(bank)
        if _says(bank, command) and command.compartment is not None:
            _is_seen_through(bank, command)
        if bank.random.random() < 0.4:
            bank.power_cut()


def asks_all_day(bank: RandomSite) -> None:
    """Slowly enough for the ten minutes, and too often for the day."""
    live = bank.site.state.live
    calm = bank.witness.closed_calmly() and live.task is None and live.trying_since is None
    if not calm or bank.random.random() < 0.6:
        return  # Whoever looks away for ten minutes sees no more of what others do meanwhile.
    for _ in range(ALL_DAY):
        bank.site.wait(WINDOW_MS)
        command = _command(bank)
        if _says(bank, command):
            _is_seen_through(bank, command)


def drowns(bank: RandomSite) -> None:
    """So much nonsense that the site's answers are pushed out of its memory, and then an old command once more."""
    for _ in range(NONSENSE):
        bank.site.command(msgspec.structs.replace(_command(bank), verb="nonsense"))
    asks_again(bank)


def _command(bank: RandomSite) -> Command:
    bank.counter_of_commands += 1
    now = bank.site.clock
    return Command(
        id=f"command-{bank.counter_of_commands:06}",
        verb="open",
        issued_at_ms=now.wall_ms,
        expires_at_ms=now.wall_ms + LIFE_MS,
        session=str(now.boot),
        until_mono_ms=now.mono + LIFE_MS,
        actor="lea",
        approver="marc",
        reason=bank.random.choice(tuple(OpeningReason)),
        compartment=bank.random.choice(tuple(bank.inside)),
    )


def _says(bank: RandomSite, command: Command) -> bool:
    """The command arrives; whether the site ordered a pulse for it. Every command has its answer at once."""
    before = len(bank.site.recorder.facts)
    stranger = _somebody_else_is_served(bank)
    replies = len(bank.site.hub.replies)
    bank.asked_from_afar.append(command)
    bank.site.command(command)
    told = [reply for reply in bank.site.hub.replies[replies:] if reply.id == command.id]
    assert told, "A-03: a command was not answered at all"
    new = bank.site.recorder.facts[before:]
    ordered = any(isinstance(fact, f.OpeningOrdered) and fact.purpose is Purpose.REMOTE for fact in new)
    assert not (ordered and stranger), "a door opened from afar in front of somebody who came for another one"
    return ordered


def _somebody_else_is_served(bank: RandomSite) -> bool:
    """A door of somebody's is being opened, or stands open for less than the alarm's time."""
    settings, mono = bank.site.state.durable.settings, bank.site.clock.mono
    return any(
        opening.phase is Phase.PULSING
        or (
            opening.phase is Phase.OPEN
            and opening.purpose is not Purpose.REMOTE
            and bank.site.doors[label] is Door.OPEN
            and not opening.alarmed
            and mono - opening.opened_mono < settings.alarm_ms
        )
        for label, opening in bank.site.state.durable.openings.items()
    )


def _must_be_accepted(bank: RandomSite) -> bool:
    """Nobody is there by any sign, and no door was opened from afar for a day: there is no reason to refuse."""
    site, live = bank.site, bank.site.state.live
    accepted = bank.witness.afar.accepted.values()
    nobody = (
        site.state.durable.staff is None
        and live.task is None
        and live.sending is None
        and live.notice is None
        and live.trying_since is None
        and not live.waiting
        and site.clock.mono - live.last_text_mono > CALM_MS
    )
    shut = all(
        opening.phase in {Phase.CLOSED, Phase.FAILED}
        and site.clock.mono - max(opening.closed_mono, opening.pulse_mono) > CALM_MS
        for opening in site.state.durable.openings.values()
    )
    kept = any(known.occupancy is Occupancy.RESERVED for known in site.state.durable.compartments.values())
    return nobody and shut and not kept and all(site.clock.wall_ms - at_ms > 2 * DAY_MS for at_ms in accepted)


def _is_seen_through(bank: RandomSite, command: Command) -> None:
    """What the site says of the door is what the door did, and what lies behind it is not claimed to be known."""
    label = command.compartment
    assert label is not None
    was_shut, jams = bank.site.doors[label] is Door.CLOSED, label in bank.jammed
    rests = bank.site.clock.mono < bank.site.recorder.rests_until
    for _ in range(ENDS_WITHIN):
        if command.id in bank.witness.afar.ended:
            break
        bank.wait(500)
    told = bank.witness.afar.ended.get(command.id)
    wanted = "done" if was_shut and not jams else "failed"
    assert (rests and told) or told == wanted, (
        f"A-03: door {label} was shut: {was_shut}, jammed: {jams}, and the hub hears {told}"
    )
    if bank.site.doors[label] is Door.OPEN:
        occupancy = bank.site.state.durable.compartments[label].occupancy
        assert occupancy is not Occupancy.OCCUPIED, f"I-12: {label} stood open for a stranger and counts as {occupancy}"
        if was_shut:
            shown = bank.site.view().customer
            told_there = shown.from_afar or shown.compartment != label
            assert told_there, "A-03: nobody at the bank is told that the door was opened from afar"
        if bank.inside[label] and bank.random.random() < 0.3:
            bank.stolen |= bank.inside[label]
            bank.inside[label].clear()
        if bank.random.random() < 0.8:
            bank.wait(3_000)
            bank.site.close(label)


def _power_fails(bank: RandomSite, label: Label) -> None:
    """Between the pulse and the door, or while it stands open."""
    if bank.random.random() < 0.5:
        bank.wait(300)
    elif label not in bank.jammed and bank.random.random() < 0.5:
        bank.site.doors[label] = Door.OPEN  # The spring is quicker than the machine.
    bank.power_cut()


ACTS: Final[tuple[tuple[Act, int], ...]] = (
    (asks, 4),
    (asks_badly, 4),
    (asks_again, 2),
    (floods, 1),
    (asks_all_day, 1),
    (drowns, 1),
)
