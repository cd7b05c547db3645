"""The topic table: who writes what where, with which QoS and retention (design §4).

Owns the names of topics, and the access rules drawn from them. Refuses to know brokers and clients.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from wire.ids import SiteId, is_site_id
from wire.messages import (
    Ack,
    Birth,
    Command,
    FactBatch,
    Health,
    HubPresence,
    Message,
    Presence,
    Reply,
    SiteState,
)
from wire.plan import Plan
from wire.version import WIRE_MAJOR

ROOT: Final = f"consigne/{WIRE_MAJOR}"


class Side(StrEnum):
    """Who publishes on a topic."""

    SITE = "site"
    HUB = "hub"


@dataclass(frozen=True, slots=True)
class Channel:
    """One row of the table. `suffix` stands after `consigne/1/<site>/`, or after `consigne/1/` for the hub's own."""

    suffix: str
    sender: Side
    qos: int
    retain: bool
    message: type[Message | Plan]
    will: bool = False
    per_site: bool = True


PRESENCE: Final = Channel("up/presence", Side.SITE, 1, True, Presence, will=True)
BIRTH: Final = Channel("up/birth", Side.SITE, 1, True, Birth)
STATE: Final = Channel("up/state", Side.SITE, 1, True, SiteState)
FACTS: Final = Channel("up/facts", Side.SITE, 1, False, FactBatch)
REPLY: Final = Channel("up/reply", Side.SITE, 1, False, Reply)
HEALTH: Final = Channel("up/health", Side.SITE, 0, False, Health)
PLAN: Final = Channel("down/plan", Side.HUB, 1, True, Plan)
ACK: Final = Channel("down/ack", Side.HUB, 1, True, Ack)
COMMAND: Final = Channel("down/command", Side.HUB, 1, False, Command)
HUB_PRESENCE: Final = Channel("hub/presence", Side.HUB, 1, True, HubPresence, will=True, per_site=False)

CHANNELS: Final = (PRESENCE, BIRTH, STATE, FACTS, REPLY, HEALTH, PLAN, ACK, COMMAND, HUB_PRESENCE)

_BY_SUFFIX: Final = {channel.suffix: channel for channel in CHANNELS if channel.per_site}


@dataclass(frozen=True, slots=True)
class Address:
    """What a topic says: a channel and, for a channel of a site, the site."""

    channel: Channel
    site: SiteId | None


def topic(channel: Channel, site: str | None = None) -> str:
    """The topic of a channel. Raises ValueError when the site is missing, unwanted, or not a site id."""
    if not channel.per_site:
        if site is not None:
            message = f"{channel.suffix} belongs to no site"
            raise ValueError(message)
        return f"{ROOT}/{channel.suffix}"
    if site is None or not is_site_id(site):
        message = f"{site!r} is not a site id"
        raise ValueError(message)
    return f"{ROOT}/{site}/{channel.suffix}"


def read_topic(text: str) -> Address | None:
    """The channel and site of a topic, or None when it is not in the table."""
    if text == topic(HUB_PRESENCE):
        return Address(HUB_PRESENCE, None)
    root, _, rest = text.partition(f"{ROOT}/")
    site, _, suffix = rest.partition("/")
    channel = _BY_SUFFIX.get(suffix)
    if root or channel is None or not is_site_id(site):
        return None
    return Address(channel, SiteId(site))


def hub_subscriptions(*, retained: bool | None = None) -> tuple[str, ...]:
    """Topic filters of the hub: everything the sites publish, or only what the broker retains of it, or only the rest."""
    chosen = (True, False) if retained is None else (retained,)
    ours = [channel for channel in CHANNELS if channel.sender is Side.SITE and channel.retain in chosen]
    return tuple(f"{ROOT}/+/{channel.suffix}" for channel in ours)


def site_subscriptions(site: str) -> tuple[str, ...]:
    """Topic filters of one site: what the hub says to it, and whether the hub is there."""
    own = tuple(topic(channel, site) for channel in CHANNELS if channel.per_site and channel.sender is Side.HUB)
    return (*own, topic(HUB_PRESENCE))


def mosquitto_acl(hub_user: str, home_assistant: str = "") -> str:
    """A Mosquitto ACL file: a site's user name is its site id (I-20).

    `home_assistant`: the topic under which the hub tells Home Assistant, whose user is `home-assistant`, of figures; it may only read.
    """
    window = (
        f"topic write {home_assistant}/#",
        "",
        "user home-assistant",
        f"topic read {home_assistant}/#",
        f"topic read {topic(HUB_PRESENCE)}",
    )
    return "\n".join(
        (
            f"user {hub_user}",
            f"topic readwrite {ROOT}/#",
            *(window if home_assistant else ()),
            "",
            "# Every other user is a site: it writes under its own up/ and reads its own down/ and the hub's word.",
            f"pattern write {ROOT}/%u/up/#",
            f"pattern read {ROOT}/%u/down/#",
            f"pattern read {ROOT}/hub/#",
            "",
        )
    )
