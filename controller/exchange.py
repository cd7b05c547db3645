"""The site's side of the conversation with the hub: what is due on a connection, in which order, and what an answer means.

Owns what of the journal was sent, which of it the hub has committed, and when it is sent again (design §4). Refuses to
know sockets, paho and protocol versions: messages come in as bytes and go out through an `Outlet`, time is a function,
so that a simulator drives this very class. The journal is the outbox: nothing is queued in memory for a hub that is away.

`wake`, `acked`, `publish_state`, `reply` and `rebirth` only leave notes and may be called from any thread; everything
else belongs to the one thread that owns the connection.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Final, Protocol

from controller.core import events as e
from controller.core.model import Now, State
from controller.core.picture import birth, site_state
from controller.health import Readings
from controller.journal import JournalReader
from wire import topics
from wire.messages import (
    Ack,
    BadMessage,
    Command,
    FactBatch,
    Health,
    HubPresence,
    Message,
    Presence,
    PresenceStatus,
    Reply,
    decode,
    encode,
)
from wire.plan import Plan

LOG: Final = logging.getLogger(__name__)

WINDOW_FACTS: Final = 2_000
"""Facts sent ahead of the hub's acknowledgement: ten batches keep a slow line busy, and a restart repeats little."""

ACK_TIMEOUT_S: Final = 10.0
"""After this long without an acknowledgement the facts are sent again; doubled each time in vain."""

ACK_TIMEOUT_MAX_S: Final = 300.0
"""What waited in vain goes out batch by batch until one is acknowledged: a hub that takes nothing costs the line little."""

AWAY_TIMEOUT_S: Final = 900.0
"""The same to a hub that says it is away: a broker that keeps what it is sent gets some hundred batches a day twice, and a
will that came late cannot stop the outbox for good."""

HEALTH_S: Final = 30.0

REPLIES_MAX: Final = 100
"""Answers kept while the broker is away; a hub asks again with the same id and gets the same answer."""


class Outlet(Protocol):
    """The connection, as far as something can be said on it."""

    def has_room(self) -> bool:
        """Whether the connection stands and few enough publications wait for the broker's word."""
        ...

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> None:
        """Hand a message to the broker; what becomes of it is never relied upon."""
        ...


class Exchange:
    """The conversation of one run, over one connection after another."""

    def __init__(
        self,
        *,
        site: str,
        boot: int,
        journal_id: str,
        acked: int,
        post: Callable[[e.Event], bool],
        hear: Callable[[int, bool], None],
        readings: Callable[[], Readings],
        seconds: Callable[[], float],
        random: Random,
    ) -> None:
        """`post` hands an event to the owner, `hear` the hub's time and whether it is fresh; `seconds` is monotonic."""
        self.bad_messages = 0
        self.sent_again = 0
        self._site = site
        self._boot = boot
        self._journal_id = journal_id
        self._post = post
        self._hear = hear
        self._readings = readings
        self._seconds = seconds
        self._random = random
        self._started_s = seconds()
        self._acked = acked
        self._sent_to = acked
        self._hub_away = False
        self._hub_incarnation = 0
        self._progress_s = 0.0
        self._patience_s = ACK_TIMEOUT_S
        self._in_vain = False
        self._health_s = 0.0
        self._marks: deque[tuple[int, bool]] = deque()
        self._replies: deque[Reply] = deque(maxlen=REPLIES_MAX)
        self._newest: tuple[State, int, Now] | None = None
        self._state_due = False
        self._birth_due = False
        self._is_doubted = False
        self._more = True

    # ------------------------------------------------------------------------------------------- notes of other threads

    def wake(self) -> None:
        """New facts are durable."""
        self._more = True

    def acked(self, seq: int, *, rewind: bool) -> None:
        """The mark has moved; with `rewind`, sending starts again from it."""
        self._marks.append((seq, rewind))

    def publish_state(self, state: State, seq: int, now: Now) -> None:
        """The newest snapshot; it is put into words when it is sent."""
        self._newest = (state, seq, now)
        self._state_due = True

    def reply(self, reply: Reply) -> None:
        """Answer a command."""
        self._replies.append(reply)

    def rebirth(self) -> None:
        """Say again that it is here, describe the site and send from the acknowledged mark."""
        self._is_doubted = self._birth_due = True  # In this order: another thread looks for the second.

    # ------------------------------------------------------------------------------------------------- the connection

    def will(self) -> tuple[str, bytes]:
        """Topic and payload the broker says for this site when its connection breaks."""
        lost = Presence(site=self._site, boot=self._boot, status=PresenceStatus.LOST)
        return topics.topic(topics.PRESENCE, self._site), encode(lost)

    def joined(self, outlet: Outlet) -> None:
        """A connection stands and its subscriptions are granted: everything the hub may not have is due again."""
        self._progress_s = self._seconds()
        self._patience_s = ACK_TIMEOUT_S
        self._in_vain = False
        self._health_s = 0.0
        self._publish_ready(outlet)
        self._birth_due = self._state_due = self._more = True
        self._post(e.HubLink(up=True))

    def left(self) -> None:
        """The connection that stood is gone."""
        self._post(e.HubLink(up=False))

    def farewell(self, outlet: Outlet) -> None:
        """Say that this stop is meant."""
        stopping = Presence(site=self._site, boot=self._boot, status=PresenceStatus.STOPPING)
        self._publish(outlet, topics.PRESENCE, stopping)

    # --------------------------------------------------------------------------------------------------- the way down

    def arrived(self, name: str, payload: bytes, *, fresh: bool) -> None:
        """A message, as it came; one that is not understood is counted, named in the log, and changes nothing."""
        address = topics.read_topic(name)
        try:
            if address is None:
                raise BadMessage("the topic is not in the table")
            self._understood(decode(address.channel.message, payload), fresh=fresh)
        except BadMessage as bad:
            self.bad_messages += 1
            LOG.error("a message of the hub was not understood (%s so far): %s", self.bad_messages, bad)  # noqa: TRY400 the sentence is enough, a traceback could quote the payload

    def heed_marks(self) -> None:
        """Follow the core's word on what is acknowledged."""
        while self._marks:
            self._marked(*self._marks.popleft())

    def _understood(self, message: Message | Plan, *, fresh: bool) -> None:
        match message:
            case Plan():
                self._hear(message.issued_at_ms, fresh)
                self._post(e.PlanArrived(message))
            case Ack():
                if fresh and self._hub_away:
                    self._hub_is(online=True)  # Whatever its will says: it may have overtaken the next connection.
                self._post(heard(message))
            case Command():
                self._hear(message.issued_at_ms, False)
                self._post(e.CommandArrived(message))
            case HubPresence():
                self._hear(message.at_ms, fresh)
                self._hub_presence(message)
            case _:
                raise BadMessage(f"a site does not read {type(message).__name__}")

    def _hub_presence(self, message: HubPresence) -> None:
        if message.incarnation < self._hub_incarnation:
            return  # The will of an earlier hub can overtake its successor (I-18).
        if message.online and (message.incarnation > self._hub_incarnation or self._hub_away):
            self._health_s = (
                0.0  # A hub that comes back knows no clock of ours, and opens no door without it (ADR 0021).
            )
        self._hub_incarnation = message.incarnation
        self._hub_is(online=message.online)

    def _hub_is(self, *, online: bool) -> None:
        came_back = online and self._hub_away
        self._hub_away = not online
        if came_back:
            self._send_again()
        self._post(e.HubPresent(online=online))

    def _marked(self, seq: int, rewind: bool) -> None:  # noqa: FBT001 it comes from a tuple
        if rewind:
            LOG.warning("the hub asks for everything after fact %s again", seq)
            self._acked = self._sent_to = seq
        elif seq > self._acked:
            self._acked = seq
            self._sent_to = max(self._sent_to, seq)
        else:
            return
        self._more = True
        self._in_vain = False
        self._progress_s = self._seconds()
        self._patience_s = ACK_TIMEOUT_S

    # ----------------------------------------------------------------------------------------------------- the way up

    @property
    def has_marks(self) -> bool:
        """Whether a mark left by another thread still has to be heeded."""
        return bool(self._marks)

    def is_due(self) -> bool:
        """Whether something could be said now; a note left between two looks must not wait for the broker."""
        return self._birth_due or self._state_due or bool(self._replies) or self._may_send()

    @property
    def sends_again_s(self) -> float:
        """When what was sent and is not acknowledged is sent again, by the clock of `seconds`."""
        patience_s = max(self._patience_s, AWAY_TIMEOUT_S) if self._hub_away else self._patience_s
        return self._progress_s + patience_s

    def pump(self, outlet: Outlet, reader: JournalReader) -> None:
        """Send what is due, in this order: description, facts, answers, snapshot, health."""
        if self._birth_due and self._newest is not None:
            self._birth_due = False
            self._sent_to = self._acked
            self._more = self._state_due = True
            if self._is_doubted:  # The broker may keep the will of a copy of this card, and tell it to whoever joins.
                self._is_doubted = False
                self._publish_ready(outlet)
            self._publish_birth(outlet, reader)
        self._send_facts(outlet, reader)
        self._check_acknowledged()
        while self._replies and outlet.has_room():
            self._publish(outlet, topics.REPLY, self._replies.popleft())
        if self._state_due and self._newest is not None and outlet.has_room():
            self._state_due = False
            state, seq, now = self._newest
            self._publish(outlet, topics.STATE, site_state(state, seq, now))
        if self._seconds() >= self._health_s:
            self._health_s = self._seconds() + HEALTH_S
            self._publish_health(outlet, reader)

    def _may_send(self) -> bool:
        return self._more and self._sent_to - self._acked < (1 if self._in_vain else WINDOW_FACTS)

    def _send_facts(self, outlet: Outlet, reader: JournalReader) -> None:
        while self._may_send() and outlet.has_room():
            self._more = False  # Before reading: a fact made durable meanwhile sets it again.
            batch = reader.batch(self._sent_to)
            if batch is None:
                return
            self._more = True
            if self._sent_to <= self._acked:
                self._progress_s = self._seconds()
            self._sent_to = batch.facts[-1].seq
            message = FactBatch(
                site=self._site,
                journal=self._journal_id,
                boot=self._boot,
                first_seq=batch.facts[0].seq,
                previous=batch.previous,
                head=batch.head,
                facts=batch.facts,
            )
            self._publish(outlet, topics.FACTS, message)

    def _check_acknowledged(self) -> None:
        """The broker's word is no receipt: what the hub did not acknowledge in time is sent again."""
        if self._sent_to <= self._acked or self._seconds() < self.sends_again_s:
            return
        self._patience_s = min(self._patience_s * 2, ACK_TIMEOUT_MAX_S) * self._random.uniform(0.8, 1.2)
        self._in_vain = True
        self._send_again()

    def _send_again(self) -> None:
        if self._sent_to > self._acked:
            self.sent_again += 1
            LOG.warning("facts %s to %s are not acknowledged; sent again", self._acked + 1, self._sent_to)
        self._sent_to = self._acked
        self._progress_s = self._seconds()
        self._more = True

    def _publish_birth(self, outlet: Outlet, reader: JournalReader) -> None:
        assert self._newest is not None
        state, _seq, now = self._newest
        last_seq, last_hash = reader.head()
        self._publish(outlet, topics.BIRTH, birth(state, self._journal_id, last_seq, last_hash, now))

    def _publish_ready(self, outlet: Outlet) -> None:
        self._publish(outlet, topics.PRESENCE, Presence(site=self._site, boot=self._boot, status=PresenceStatus.READY))

    def _publish_health(self, outlet: Outlet, reader: JournalReader) -> None:
        if self._newest is None:
            return
        _state, _seq, now = self._newest
        read = self._readings()
        message = Health(
            site=self._site,
            boot=self._boot,
            at_ms=now.wall_ms + int(self._seconds() * 1000) - now.mono,
            uptime_ms=int((self._seconds() - self._started_s) * 1000),
            outbox=max(reader.head()[0] - self._acked, 0),
            disk_free_mb=read.disk_free_mb,
            temperature_c=read.temperature_c,
            throttled=read.throttled,
            resident_mb=read.resident_mb,
            pin_policy=read.pin_policy,
            mono_ms=int(self._seconds() * 1000),
        )
        self._publish(outlet, topics.HEALTH, message)

    def _publish(self, outlet: Outlet, channel: topics.Channel, message: Message) -> None:
        outlet.publish(topics.topic(channel, self._site), encode(message), qos=int(channel.qos), retain=channel.retain)


def heard(ack: Ack) -> e.AckArrived:
    """An acknowledgement as the core hears it; the owner of the journal adds what is known there."""
    return e.AckArrived(ack.incarnation, ack.seq, head=ack.head, before_seq=ack.before_seq, before_head=ack.before_head)
