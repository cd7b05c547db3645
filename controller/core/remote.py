"""A door that the hub asks for: whether it may open now, and what its door said (A-03 … A-06).

Owns the refusals, the site's own budget (I-21) and the two answers: *accepted* with the cause of the pulse, then what was seen. Refuses to
believe the hub: whoever speaks in its name opens two doors in ten minutes and ten in a day, none of them late, none of them twice, none
in front of a stranger, and none without two people (I-30). What becomes of the parcel is not guessed: its life goes on as it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from controller.core import answers, sensors
from controller.core.afar import RemoteOpening
from controller.core.effects import Decision, Effect, Pulse, Signal, Sound
from controller.core.events import Booted
from controller.core.model import Answer, Now, Opening, Phase, State
from controller.core.orders import next_session, open_door
from wire import facts as f
from wire.ids import Door, Label, Occupancy, Purpose, Trust
from wire.messages import COMMAND_LIFE_MS_MAX, Command, Outcome, Verb

OPENED: Final = "opened_remotely"
"""Why nobody knows any more what lies behind a door."""

WINDOW_MS: Final = 600_000
OPENINGS_A_WINDOW: Final = 2
DAY_MS: Final = 86_400_000
OPENINGS_A_DAY: Final = 10
"""What no stream of commands exceeds (I-21): a bank of forty doors stays shut whoever holds the hub."""

CALM_MS: Final = 30_000
"""After a door was shut, or something was read: as long as people still stand there with their parcel under the arm."""

_REASON: Final = re.compile(r"[a-z_]{1,32}")
"""A word of a list and never a sentence: it goes into the journal, and no name may (I-33)."""


def asked(state: State, command: Command, now: Now) -> Decision:
    """Refuse it by name, or write down who wants it and why, and pulse. The caller has looked for a stored answer."""
    reason = _refusal(state, command, now)
    label = command.compartment
    if reason:
        fact, reply = answers.given(state, command.id, Answer(command.verb, Outcome.REFUSED, reason))
        return Decision((fact,), (reply,))
    assert label is not None, "a command without a door is refused"
    session = next_session(state)
    accepted = f.RemoteOpeningAccepted(
        command=command.id,
        session=session,
        compartment=label,
        by=command.actor,
        approver=command.approver,
        reason=command.reason,
        counted=len(_within_a_day(state, now)),
    )
    ordered, _ = open_door(state, session=session, compartment=label, purpose=Purpose.REMOTE)
    fact, reply = answers.given(state, command.id, Answer(command.verb, Outcome.ACCEPTED, ""))
    return Decision((accepted, fact, ordered), (Pulse(label), Sound(Signal.ATTENTION), reply))


def seen_open(state: State, opening: Opening) -> Decision:
    """Its door is open: what lies behind it may be gone from now on, and the hub hears that it was seen.

    Where the switch read open before the pulse, nothing was seen: the answer says so, and the content is in doubt all the same.
    """
    if opening.purpose is not Purpose.REMOTE:
        return Decision()
    answer = Answer(Verb.OPEN, Outcome.DONE, "")
    if opening.blind:
        answer = Answer(Verb.OPEN, Outcome.FAILED, sensors.READS_OPEN)
    facts, effects = _answered(state, opening, answer)
    return Decision((*_in_doubt(state, opening.compartment), *facts), effects)


def not_opened(state: State, opening: Opening, reason: str) -> Decision:
    """The last pulse moved nothing. Nobody stands there, so no screen says anything; staff see the door among the alarms."""
    facts, effects = _answered(state, opening, Answer(Verb.OPEN, Outcome.FAILED, reason))
    return Decision(facts, (*effects, Sound(Signal.OFF)))


def resolve_at_boot(state: State, event: Booted) -> Iterator[tuple[f.CommandAnswered, Effect]]:
    """Every opening that a restart left without its last answer gets one now: what the door says, or that nobody knows (A-05).

    A door that reads open now and read shut before the pulse was opened by it. Nothing is pulsed again.
    """
    for known in state.durable.remote:
        if not _is_unanswered(state, known):
            continue
        opening = state.durable.openings.get(known.compartment)
        ours = opening is not None and opening.session == known.session and not opening.blind
        is_open = ours and event.doors.get(known.compartment) is Door.OPEN
        outcome = Outcome.DONE if is_open else Outcome.FAILED
        yield answers.given(state, known.command, Answer(Verb.OPEN, outcome, "restart"))


def _refusal(state: State, command: Command, now: Now) -> str:
    """Why this door stays shut; empty when it may open. What the site would not tell a stranger comes last."""
    if (late := _lateness(command, now)) != "":
        return late
    if not _are_two(command):
        return "two_people"
    if not _REASON.fullmatch(command.reason):
        return "no_reason"
    if command.compartment is None or command.compartment not in state.setup.cards:
        return "unknown_compartment"
    if _is_busy(state, command.compartment, now):
        return "busy"
    return "" if _is_within_budget(state, now) else "budget"


def _lateness(command: Command, now: Now) -> str:
    """By the clock of this boot, which nobody outside can set; and by that on the wall where it is believed (A-04)."""
    if command.session != str(now.boot):
        return "other_session"
    left_ms = command.until_mono_ms - now.mono
    is_over = left_ms <= 0 or left_ms > COMMAND_LIFE_MS_MAX
    return "expired" if is_over or answers.is_late(command, now) else ""


def _are_two(command: Command) -> bool:
    one, other = (who.strip().casefold() for who in (command.actor, command.approver))
    return bool(one and other) and one != other


def _is_busy(state: State, label: Label, now: Now) -> bool:
    """Whether somebody is at work at the bank, or stands in front of it: no door opens before a stranger."""
    live, durable = state.live, state.durable
    at_work = (
        durable.staff is not None
        or live.task is not None
        or live.sending is not None
        or bool(live.waiting)
        or live.notice is not None
        or live.trying_since is not None
        or durable.compartments[label].occupancy is Occupancy.RESERVED
        or (bool(live.last_text) and now.mono - live.last_text_mono < CALM_MS)
    )
    return at_work or any(_keeps_busy(state, opening, now) for opening in durable.openings.values())


def _keeps_busy(state: State, opening: Opening, now: Now) -> bool:
    """A door being opened, the pause after a pulse, and whoever came for another door. One left open for too long keeps nobody away."""
    if opening.phase is Phase.PULSING or now.mono - opening.pulse_mono < state.durable.settings.pulse_gap_ms:
        return True
    if opening.purpose is Purpose.REMOTE:
        return False
    if opening.phase is Phase.OPEN:
        return not opening.alarmed
    return now.mono - opening.closed_mono < CALM_MS


def _within_a_day(state: State, now: Now) -> tuple[RemoteOpening, ...]:
    """From the first that is less than a day old to the newest."""
    known = state.durable.remote
    first = next((place for place, one in enumerate(known) if _age_ms(one, now) < DAY_MS), len(known))
    return known[first:]


def _is_within_budget(state: State, now: Now) -> bool:
    known = _within_a_day(state, now)
    recent = sum(_age_ms(one, now) < WINDOW_MS for one in known)
    return recent < OPENINGS_A_WINDOW and len(known) < OPENINGS_A_DAY


def _age_ms(opening: RemoteOpening, now: Now) -> int:
    """How long ago, at least: what this boot measured, or what a time server said both then and now. No other clock counts (I-6, I-21)."""
    measured_ms = now.mono - opening.at_mono
    if opening.ntp and now.trust is Trust.NTP:
        return max(measured_ms, now.wall_ms - opening.at_ms)
    return measured_ms


def _in_doubt(state: State, label: Label) -> tuple[f.AnyFact, ...]:
    """Nobody of ours stood there: what was inside may have been taken. Known to be empty, it stays so."""
    if state.durable.compartments[label].occupancy in {Occupancy.FREE, Occupancy.UNKNOWN}:
        return ()
    return (f.OccupancySet(compartment=label, occupancy=Occupancy.UNKNOWN, reason=OPENED),)


def _answered(state: State, opening: Opening, answer: Answer) -> tuple[tuple[f.AnyFact, ...], tuple[Effect, ...]]:
    """The last answer to the command behind an opening; nothing when it was given before (a door that opens late)."""
    for known in state.durable.remote:
        if known.session == opening.session and _is_unanswered(state, known):
            fact, reply = answers.given(state, known.command, answer)
            return (fact,), (reply,)
    return (), ()


def _is_unanswered(state: State, known: RemoteOpening) -> bool:
    stored = state.durable.answers.get(known.command)
    return stored is not None and stored.outcome == Outcome.ACCEPTED
