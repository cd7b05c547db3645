"""What the hub says to the site: plans, acknowledgements, commands.

Owns the order of plans and incarnations, and *at most once, never late*. Refuses to know the broker. The hub asks; the
site's own facts stand (design §3).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from controller.core import answers, remote
from controller.core.effects import Acked, Decision, Effect, Rebirth, Signal, Sound
from controller.core.events import AckArrived, CommandArrived, PlanArrived
from controller.core.model import Answer, Ended, Now, Parcel, State, alarm_key
from wire import facts as f
from wire.ids import Occupancy, ParcelId, ParcelState
from wire.labels import read_label
from wire.messages import Command, Outcome, Verb
from wire.plan import Plan, PlannedParcel, plan_hash

JOURNAL_BEHIND: Final = "journal_behind"


def plan_arrived(state: State, event: PlanArrived) -> Decision:
    """Apply a newer plan; refuse a damaged one and keep the present one."""
    plan = event.plan
    mark = state.durable.plan
    if (plan.incarnation, plan.revision) <= (mark.incarnation, mark.revision):
        return Decision()
    reason = _fault(state, plan)
    if reason:
        refused = f.PlanRefused(incarnation=plan.incarnation, revision=plan.revision, reason=reason)
        return Decision((refused,))
    return Decision((_applied(state, plan), *_joined(state, plan)))


def ack_arrived(state: State, event: AckArrived) -> Decision:
    """Move the outbox's mark: forward within an incarnation, anywhere with a newer one, never for an older one."""
    known = state.durable.hub_incarnation
    if event.incarnation < known:
        return Decision()
    if event.seq > event.last_seq or _is_another_past(event):
        return _behind(state, event)
    facts, effects = _was_behind(state, event)
    if event.incarnation == known:
        if event.seq <= state.durable.behind_seq and not _is_common(event):
            return Decision()  # It is about facts of the other past: ours of the same numbers are still to be sent.
        return Decision(facts, (*effects, Acked(event.seq, rewind=False)))
    seen = f.HubIncarnationSeen(incarnation=event.incarnation, acked_seq=event.seq)
    return Decision((*facts, seen), (*effects, Acked(event.seq, rewind=True)))


def _is_another_past(event: AckArrived) -> bool:
    """Whether the hub has another fact of that number than the journal: a card went on from before it was written."""
    return bool(event.head and event.own) and event.head != event.own


def _is_common(event: AckArrived) -> bool:
    """Whether the hub's fact of that number is ours, and with it, by the chain, every one before."""
    return bool(event.head) and event.head == event.own


def _behind(state: State, event: AckArrived) -> Decision:
    """The hub remembers of this site what the site does not: what is behind the doors is not known any more (I-3)."""
    durable = state.durable
    if event.incarnation == durable.hub_incarnation and event.seq <= durable.behind_seq:
        return Decision()
    facts, effects = _doubts(state, event, event.seq, event.head)
    if event.seq <= event.last_seq:
        # The mark may stand beyond where the pasts part, on the word of a hub that was put back since. Told from its first
        # fact on, the hub sees another past and not a gap, and an admin hears of it (ADR 0009).
        effects = (*effects, Acked(0, rewind=True))
    return Decision(facts, effects)


def _was_behind(state: State, event: AckArrived) -> tuple[tuple[f.AnyFact, ...], tuple[Effect, ...]]:
    """An admin took our past for the site's own before the hub's word had come that there is another one (storm 1390)."""
    told = event.before_head in {"", state.durable.behind_head}
    lacks = event.before_seq > event.last_seq or event.own_before not in {"", event.before_head}
    if told or not lacks:
        return (), ()
    return _doubts(state, event, event.before_seq, event.before_head)


def _doubts(
    state: State, event: AckArrived, acked_seq: int, head: str
) -> tuple[tuple[f.AnyFact, ...], tuple[Effect, ...]]:
    durable = state.durable
    behind = f.JournalBehind(incarnation=event.incarnation, acked_seq=acked_seq, last_seq=event.last_seq, head=head)
    alarm = () if alarm_key(JOURNAL_BEHIND, None) in durable.alarms else (f.AlarmRaised(alarm=JOURNAL_BEHIND),)
    unknown = (
        f.OccupancySet(compartment=label, occupancy=Occupancy.UNKNOWN, reason=JOURNAL_BEHIND)
        for label, compartment in durable.compartments.items()
        if compartment.occupancy is not Occupancy.UNKNOWN
    )
    return (behind, *alarm, *unknown), (Sound(Signal.ALARM),)


def command_arrived(state: State, event: CommandArrived, now: Now) -> Decision:
    """Answer a command once; the same id gets the same stored answer."""
    command = event.command
    stored = state.durable.answers.get(command.id)
    if stored is not None:
        return Decision((), (answers.told(state, command.id, stored),))
    if command.verb == Verb.OPEN:
        return remote.asked(state, command, now)
    answer, effects = _carry_out(command, now)
    fact, reply = answers.given(state, command.id, answer)
    return Decision((fact,), (*effects, reply))


def _fault(state: State, plan: Plan) -> str:
    if plan.site != state.setup.site:
        return "other_site"
    if plan.hash != plan_hash(plan):
        return "hash"
    if len({parcel.id for parcel in plan.parcels}) != len(plan.parcels):
        return "parcel_twice"
    return ""


def _applied(state: State, plan: Plan) -> f.PlanApplied:
    durable = state.durable
    wanted = {planned.id for planned in plan.parcels}
    return f.PlanApplied(
        incarnation=plan.incarnation,
        revision=plan.revision,
        hash=plan.hash,
        upserted=tuple(
            planned for planned in plan.parcels if planned.id not in durable.ended and _is_news(state, planned)
        ),
        dropped=_dropped(state, wanted),
        settings=None if plan.settings == durable.settings else plan.settings,
        people=None if plan.people == durable.people else plan.people,
        sites=None if plan.sites == durable.sites else plan.sites,
    )


def _joined(state: State, plan: Plan) -> Iterator[f.ParcelJoined]:
    """Announced parcels that are here already: the desk created them under the same tracking number (ADR 0007).

    The site owns what is physical, so its own record stays, whether the parcel still lies here or has left. One that the hub
    knows to have left and expects once more is another stay, with a record of its own.
    """
    named = {planned.id for planned in plan.parcels}
    records: tuple[Ended | Parcel, ...] = (*state.durable.ended.values(), *state.durable.parcels.values())
    here = {known.tracking: known.id for known in records if known.from_desk and known.tracking}
    if not here:
        return
    for planned in plan.parcels:
        into = here.get(_number(planned.tracking))
        comes_again = planned.again and into in state.durable.ended
        if into is not None and not comes_again and into not in named and _may_be_joined(state, planned.id):
            yield f.ParcelJoined(parcel=planned.id, into=into)


def _may_be_joined(state: State, parcel: ParcelId) -> bool:
    """A parcel that already has a life of its own here, or had one, or is joined, stays what it is."""
    known = state.durable.parcels.get(parcel)
    expected = known is None or known.state is ParcelState.ANNOUNCED
    return expected and parcel not in state.durable.ended and parcel not in state.durable.aliases


def _number(tracking: str) -> str:
    """A tracking number as a reader would give it."""
    label = read_label(tracking)
    return "" if label is None else label.number


def _dropped(state: State, wanted: set[ParcelId]) -> tuple[ParcelId, ...]:
    return tuple(parcel.id for parcel in state.durable.parcels.values() if parcel.planned and parcel.id not in wanted)


def _is_news(state: State, planned: PlannedParcel) -> bool:
    alias = state.durable.aliases.get(planned.id)
    if alias is not None:
        return planned.version > alias.version
    return _differs(state.durable.parcels.get(planned.id), planned)


def _differs(known: Parcel | None, planned: PlannedParcel) -> bool:
    return (
        known is None
        or not known.planned
        or planned.version > known.version
        or planned.extended > known.extended
        or (planned.extended == known.extended and planned.intent is not known.intent)
        or (known.size, known.heavy, known.reach, known.language, known.help, known.group)
        != (
            planned.size,
            planned.heavy,
            planned.reach,
            planned.language,
            planned.help,
            planned.group,
        )
    )


def _carry_out(command: Command, now: Now) -> tuple[Answer, tuple[Effect, ...]]:
    if answers.is_late(command, now):  # The two verbs there are do no harm while no clock can say so.
        return Answer(command.verb, Outcome.REFUSED, "expired"), ()
    if command.verb == Verb.REBIRTH:
        return Answer(command.verb, Outcome.DONE, ""), (Rebirth(),)
    if command.verb == Verb.IDENTIFY:
        return Answer(command.verb, Outcome.DONE, ""), (Sound(Signal.ATTENTION),)
    return Answer(command.verb, Outcome.REFUSED, "unknown_verb"), ()
