"""The answer to a command: stored before it is sent, and the same ever after.

Owns how an answer becomes a fact and a reply, and when a command is late by the clocks on the wall. Refuses to carry anything out.
"""

from __future__ import annotations

from controller.core.effects import Answered
from controller.core.model import Answer, Now, State
from wire import facts as f
from wire.ids import Trust
from wire.messages import COMMAND_LIFE_MS_MAX, Command, Outcome, Reply


def given(state: State, command_id: str, answer: Answer) -> tuple[f.CommandAnswered, Answered]:
    """The fact that keeps an answer, and the effect that tells it."""
    fact = f.CommandAnswered(id=command_id, verb=answer.verb, outcome=answer.outcome, reason=answer.reason)
    return fact, told(state, command_id, answer)


def told(state: State, command_id: str, answer: Answer) -> Answered:
    """An answer that is stored already, told once more."""
    reply = Reply(
        site=state.setup.site,
        id=command_id,
        verb=answer.verb,
        outcome=Outcome(answer.outcome),
        reason=answer.reason,
    )
    return Answered(reply)


def is_late(command: Command, now: Now) -> bool:
    """Whether its time is over by the wall clock. A clock nobody trusts cannot say *late*; what could do harm asks another one (`remote`)."""
    if command.expires_at_ms - command.issued_at_ms > COMMAND_LIFE_MS_MAX:
        return True
    return now.trust in {Trust.HUB, Trust.NTP} and now.wall_ms > command.expires_at_ms
