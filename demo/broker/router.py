"""Who is given which message: sessions, subscriptions, retained messages and wills of the whole broker.

Owns the broker's memory and every bound on it. Refuses to know bytes and packets' framing (see `connection`), threads (see
`server`), and anything on a disk: a broker that is killed has forgotten everything, as the field notes demand of our tests.
Everything here runs on the loop's thread.
"""

import asyncio
import hmac
import itertools
import logging
from collections.abc import Iterator, Mapping
from typing import Protocol

import mqtt5

from demo.broker.acl import Acl, Action
from demo.broker.faults import REORDER_HOLD_S, Faults
from demo.broker.sessions import (
    MAX_QUEUED_BYTES,
    MAX_QUEUED_MESSAGES,
    NEVER_EXPIRES,
    Delivery,
    Link,
    Message,
    Session,
    Subscription,
)
from demo.broker.topics import BadFilter, Filter

log = logging.getLogger("demo.broker")

MAX_SESSIONS = 1_000
"""Client ids remembered at once, connected or not: some twenty times the largest demo."""

MAX_SUBSCRIPTIONS = 1_000
"""Filters of one session."""

MAX_RETAINED = MAX_QUEUED_MESSAGES
"""Topics with a retained message: no more than one client that subscribes to all of them can be given."""

MAX_RETAINED_BYTES = MAX_QUEUED_BYTES
"""Payload bytes of all retained messages together, for the same reason."""

MAX_CACHED_TOPICS = 4_096
"""Topics whose subscribers are remembered between two changes of the subscriptions."""


class Client(Link, Protocol):
    """A connection, as far as the router knows it."""

    user: str | None

    def take_over(self) -> None:
        """Another connection came with the same client id: say so to the old one, and end it."""

    def reset(self) -> None:
        """End the connection at once, as a cut cable does."""


class Router:
    """The state of one broker from its start to its end."""

    def __init__(self, users: Mapping[str, str] | None, acl: Acl | None) -> None:
        self.faults = Faults()
        self.clients: dict[str, Client] = {}
        self._users = users
        self._acl = acl
        self._loop = asyncio.get_running_loop()
        self._sessions: dict[str, Session] = {}
        self._ends: dict[str, asyncio.TimerHandle] = {}
        self._wills: dict[str, tuple[asyncio.TimerHandle, Message]] = {}
        self._retained: dict[str, Message] = {}
        self._retained_bytes = 0
        self._subscribers: dict[str, tuple[Subscription, ...]] = {}
        self._turns: dict[str, int] = {}
        self._held: tuple[asyncio.TimerHandle, Message] | None = None
        self._numbers = itertools.count(1)

    # ------------------------------------------------------------------------------------------------------- permission

    def knows(self, user: str | None, password: bytes | None) -> bool:
        """True if this user may connect at all."""
        if self._users is None:
            return True
        expected = self._users.get(user) if user is not None else None
        return expected is not None and hmac.compare_digest(expected.encode(), password or b"")

    def allows(self, user: str | None, action: Action, topic: str) -> bool:
        """True if the ACL lets this user do that; without an ACL everybody may do everything."""
        return self._acl is None or self._acl(user, action, topic)

    # --------------------------------------------------------------------------------------------------------- sessions

    def new_client_id(self) -> str:
        """An id for a client that brought none."""
        return next(name for name in (f"auto-{n}" for n in self._numbers) if name not in self._sessions)

    def has_room_for(self, client_id: str) -> bool:
        """False if this client would be one too many to remember."""
        return client_id in self._sessions or len(self._sessions) < MAX_SESSIONS

    def attach(self, client_id: str, client: Client, *, clean: bool, expiry_interval: int) -> tuple[Session, bool]:
        """Bind a connection to its session, taking it over from an older one. Returns it and whether it was there before.

        The messages that wait are sent by `Session.pump`, after the caller's CONNACK.
        """
        if older := self.clients.get(client_id):
            older.take_over()
        if timer := self._ends.pop(client_id, None):
            timer.cancel()
        if pending := self._wills.pop(client_id, None):
            timer, will = pending
            timer.cancel()
            if clean:  # the session the will belongs to ends here, so it is due now
                self.publish(will)
        if clean:
            self._forget(client_id)
        present = client_id in self._sessions
        session = self._sessions.setdefault(client_id, Session(client_id))
        session.user, session.expiry_interval, session.link = client.user, expiry_interval, client
        self.clients[client_id] = client
        return session, present

    def detach(self, session: Session, will: mqtt5.Will | None) -> None:
        """The connection of a session ended. `will` is to be said for the client; it is None after a clean end."""
        session.detach()
        del self.clients[session.client_id]
        if session.dropped:
            log.warning("%s: %d messages dropped, its queue was full", session.client_id, session.dropped)
            session.dropped = 0
        if will is not None:
            self._bequeath(session, will)
        if session.expiry_interval == 0:
            self._forget(session.client_id)
        elif session.expiry_interval != NEVER_EXPIRES:
            self._ends[session.client_id] = self._loop.call_later(
                session.expiry_interval, self._forget, session.client_id
            )

    def _bequeath(self, session: Session, will: mqtt5.Will) -> None:
        if not self.allows(session.user, "write", will.topic):
            log.warning("%s: its will is not sent, the ACL forbids the topic", session.client_id)
            return
        delay = min(will.will_delay_interval, session.expiry_interval)
        message = Message.bequeathed(will, session.client_id, self._loop.time() + delay)
        if delay == 0:
            self.publish(message)
        else:
            timer = self._loop.call_later(delay, self._say_will, session.client_id)
            self._wills[session.client_id] = (timer, message)

    def _say_will(self, client_id: str) -> None:
        _, message = self._wills.pop(client_id)
        self.publish(message)

    def _forget(self, client_id: str) -> None:
        self._ends.pop(client_id, None)
        if self._sessions.pop(client_id, None):
            self._subscriptions_changed()

    # ---------------------------------------------------------------------------------------------------- subscriptions

    def subscribe(
        self, session: Session, wanted: mqtt5.TopicFilter, subscription_id: int | None
    ) -> tuple[mqtt5.SubAckReasonCode, list[Delivery]]:
        """Grant or refuse one filter. Returns the reason code and the retained messages to send after the SUBACK."""
        try:
            checked = Filter.parse(wanted.pattern)
        except BadFilter as bad:
            log.warning("%s: %s", session.client_id, bad)
            return mqtt5.SubAckReasonCode.TOPIC_FILTER_INVALID, []
        if not self.allows(session.user, "subscribe", checked.text):
            return mqtt5.SubAckReasonCode.NOT_AUTHORIZED, []
        is_new = checked.text not in session.subscriptions
        if is_new and len(session.subscriptions) >= MAX_SUBSCRIPTIONS:
            return mqtt5.SubAckReasonCode.QUOTA_EXCEEDED, []
        reliable = wanted.max_qos != mqtt5.QoS.AT_MOST_ONCE
        granted = Subscription(session, checked, reliable, wanted.no_local, wanted.retain_as_published, subscription_id)
        session.subscriptions[checked.text] = granted
        self._subscriptions_changed()
        handling = wanted.retain_handling
        wants_retained = handling == mqtt5.RetainHandling.SEND_ALWAYS or (
            is_new and handling == mqtt5.RetainHandling.SEND_IF_SUBSCRIPTION_NOT_EXISTS
        )
        code = mqtt5.SubAckReasonCode
        return (
            code.GRANTED_QOS_AT_LEAST_ONCE if reliable else code.GRANTED_QOS_AT_MOST_ONCE,
            self._retained_for(granted) if wants_retained and checked.group is None else [],
        )

    def unsubscribe(self, session: Session, pattern: str) -> mqtt5.UnsubAckReasonCode:
        """End one subscription; messages that already wait are still delivered."""
        if session.subscriptions.pop(pattern, None) is None:
            return mqtt5.UnsubAckReasonCode.NO_SUBSCRIPTION_EXISTED
        self._subscriptions_changed()
        return mqtt5.UnsubAckReasonCode.SUCCESS

    def _subscriptions_changed(self) -> None:
        self._subscribers.clear()
        self._turns.clear()

    def _retained_for(self, subscription: Subscription) -> list[Delivery]:
        now = self._loop.time()
        return [
            Delivery(
                message, message.reliable and subscription.reliable, retain=True, subscription_ids=subscription.ids
            )
            for message in self._retained.values()
            if subscription.filter.matches(message.topic)
            and not message.expired(now)
            and self.allows(subscription.session.user, "read", message.topic)
        ]

    # --------------------------------------------------------------------------------------------------------- messages

    def accept(self, message: Message, session: Session) -> mqtt5.PubAckReasonCode:
        """Take a message a client published, check it, and give it to whom it concerns (now, twice or later: `faults`)."""
        if "+" in message.topic or "#" in message.topic or not message.topic:
            return mqtt5.PubAckReasonCode.TOPIC_NAME_INVALID
        if not self.allows(session.user, "write", message.topic):
            log.warning("%s: a message is refused, the ACL forbids the topic", message.sender)
            return mqtt5.PubAckReasonCode.NOT_AUTHORIZED
        if message.retain and not self._has_room_to_retain(message):
            return mqtt5.PubAckReasonCode.QUOTA_EXCEEDED
        if self._held is None and self.faults.reorder.strikes(message.topic):
            self._held = (self._loop.call_later(REORDER_HOLD_S, self._release_held), message)
            return mqtt5.PubAckReasonCode.SUCCESS
        self.publish(message)
        if self.faults.duplicate.strikes(message.topic):
            self.publish(message)
        if self._held is not None and self.faults.reorder.where.matches(message.topic):
            self._release_held()
        return mqtt5.PubAckReasonCode.SUCCESS

    def _release_held(self) -> None:
        if self._held is not None:
            timer, message = self._held
            timer.cancel()
            self._held = None
            self.publish(message)

    def publish(self, message: Message) -> None:
        """Retain a message if it asks for it, and offer it to every session that subscribed."""
        if message.retain:
            self._retain(message)
        subscribers = self._subscribers.get(message.topic)
        if subscribers is None:
            subscribers = self._find_subscribers(message.topic)
        now = self._loop.time()
        for session, delivery in self._deliveries(message, subscribers):
            session.offer(delivery, now)

    def _find_subscribers(self, topic: str) -> tuple[Subscription, ...]:
        if len(self._subscribers) >= MAX_CACHED_TOPICS:
            self._subscribers.clear()
        found = tuple(
            subscription
            for session in self._sessions.values()
            for subscription in session.subscriptions.values()
            if subscription.filter.matches(topic)
        )
        self._subscribers[topic] = found
        return found

    def _deliveries(
        self, message: Message, subscribers: tuple[Subscription, ...]
    ) -> Iterator[tuple[Session, Delivery]]:
        """One delivery for each session, however many of its filters match, and one for each shared subscription."""
        own: dict[Session, list[Subscription]] = {}
        shared: dict[str, list[Subscription]] = {}
        for subscription in subscribers:
            if not self.allows(subscription.session.user, "read", message.topic):
                continue
            if subscription.filter.group is not None:
                shared.setdefault(subscription.filter.text, []).append(subscription)
            elif not (subscription.no_local and subscription.session.client_id == message.sender):
                own.setdefault(subscription.session, []).append(subscription)
        for session, several in own.items():
            yield session, _delivery(message, several)
        for text, members in shared.items():
            chosen = self._next_in_turn(text, members)
            yield chosen.session, _delivery(message, [chosen])

    def _next_in_turn(self, text: str, members: list[Subscription]) -> Subscription:
        """Members take turns; those who are away are only asked when nobody is there."""
        present = [member for member in members if member.session.link is not None] or members
        turn = self._turns.get(text, 0)
        self._turns[text] = turn + 1
        return present[turn % len(present)]

    # --------------------------------------------------------------------------------------------------------- retained

    def _has_room_to_retain(self, message: Message) -> bool:
        older = self._retained.get(message.topic)
        count = len(self._retained) + (older is None)
        size = self._retained_bytes + len(message.payload) - (len(older.payload) if older else 0)
        return count <= MAX_RETAINED and size <= MAX_RETAINED_BYTES

    def _retain(self, message: Message) -> None:
        if not self._has_room_to_retain(message):  # of a will: it is delivered all the same, but not kept
            log.warning("%s: its will is not retained, the store is full", message.sender)
            return
        if older := self._retained.pop(message.topic, None):
            self._retained_bytes -= len(older.payload)
        if message.payload:
            self._retained[message.topic] = message
            self._retained_bytes += len(message.payload)


def _delivery(message: Message, subscriptions: list[Subscription]) -> Delivery:
    """The one delivery that serves all matching subscriptions of a session."""
    return Delivery(
        message,
        reliable=message.reliable and any(subscription.reliable for subscription in subscriptions),
        retain=message.retain and any(subscription.retain_as_published for subscription in subscriptions),
        subscription_ids=tuple(number for subscription in subscriptions for number in subscription.ids),
    )
