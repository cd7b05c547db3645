"""Messages, facts, plans, topics and the chain: what is written is read back, and nothing unreadable does harm."""

from __future__ import annotations

import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import chain, facts, messages, topics
from wire.ids import Label, Trust, parcel_id_from_bits
from wire.plan import Plan, PlannedParcel, plan_hash, sealed

PARCEL = parcel_id_from_bits(42)
KINDS = [messages.Presence, messages.Birth, messages.FactBatch, messages.Ack, messages.Command, Plan]


@given(st.sampled_from(KINDS), st.binary(max_size=400))
def test_arbitrary_bytes_raise_bad_message_and_nothing_else(kind: type[messages.Message], payload: bytes) -> None:
    with contextlib.suppress(messages.BadMessage):
        assert isinstance(messages.decode(kind, payload), kind)


@pytest.mark.parametrize(
    "payload", [b"[" * 100_000, b'{"incarnation":' + b"9" * 400 + b',"seq":1}', b"\xff\xfe", b"null"]
)
def test_hostile_bytes_raise_bad_message(payload: bytes) -> None:
    with pytest.raises(messages.BadMessage):
        messages.decode(messages.Ack, payload)


def test_a_message_beyond_the_bound_is_not_even_looked_at() -> None:
    with pytest.raises(messages.BadMessage, match="at most"):
        messages.decode(messages.Ack, b" " * (messages.MESSAGE_BYTES_MAX + 1))


def test_a_field_of_the_future_is_ignored() -> None:
    assert messages.decode(messages.Ack, b'{"incarnation":2,"seq":7,"colour":"red"}') == messages.Ack(
        incarnation=2, seq=7
    )


def test_a_fact_of_an_unknown_kind_is_named_and_left_alone() -> None:
    body = b'{"kind":"door_painted","colour":"red"}'
    assert facts.kind_of(body) == "door_painted"
    with pytest.raises(facts.UnknownFact):
        facts.decode_fact(body)
    assert facts.kind_of(b"not json") == ""


def test_every_kind_of_fact_has_a_name_of_its_own() -> None:
    kinds = [facts.kind(kind) for kind in facts.AnyFact.__args__]
    assert len(set(kinds)) == len(kinds)


def test_a_fact_reads_back() -> None:
    fact = facts.DoorOpened(compartment=Label("7"), session="3.1")
    assert facts.decode_fact(facts.encode_fact(fact)) == fact


@pytest.mark.parametrize("channel", topics.CHANNELS)
def test_every_topic_reads_back(channel: topics.Channel) -> None:
    site = "colombes" if channel.per_site else None
    assert topics.read_topic(topics.topic(channel, site)) == topics.Address(channel, site)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    ["", "consigne/2/a1/up/facts", "consigne/1/A/up/facts", "consigne/1/a1/up/secret", "x/consigne/1/a1/up/facts"],
)
def test_other_topics_are_not_ours(text: str) -> None:
    assert topics.read_topic(text) is None


@pytest.mark.parametrize("site", [None, "hub", "UPPER", "a/b", "+"])
def test_a_topic_needs_a_proper_site(site: str | None) -> None:
    with pytest.raises(ValueError, match="site"):
        topics.topic(topics.FACTS, site)


def test_a_site_may_write_only_under_its_own_up() -> None:
    acl = topics.mosquitto_acl("hub")
    assert "pattern write consigne/1/%u/up/#" in acl
    assert [line for line in acl.splitlines() if line.startswith("pattern write")] == [
        "pattern write consigne/1/%u/up/#"
    ]
    assert topics.site_subscriptions("a1") == (
        "consigne/1/a1/down/plan",
        "consigne/1/a1/down/ack",
        "consigne/1/a1/down/command",
        "consigne/1/hub/presence",
    )
    assert len(topics.hub_subscriptions()) == 6
    retained = [f"{topics.ROOT}/+/up/{what}" for what in ("presence", "birth", "state")]
    others = [f"{topics.ROOT}/+/up/{what}" for what in ("facts", "reply", "health")]
    assert topics.hub_subscriptions() == (*retained, *others)
    assert topics.hub_subscriptions(retained=True) == tuple(retained)
    assert topics.hub_subscriptions(retained=False) == tuple(others)


def a_record(seq: int, text: str) -> chain.FactRecord:
    return chain.FactRecord(seq=seq, boot=1, at_ms=1_000 + seq, trust=Trust.HUB, body=msgspec.Raw(text.encode()))


def test_one_changed_byte_anywhere_changes_every_later_hash() -> None:
    start = chain.genesis("colombes", "abcd")
    records = [a_record(1, '{"kind":"a"}'), a_record(2, '{"kind":"b"}')]
    head = chain.fold(start, records)
    edits = [
        a_record(1, '{"kind":"A"}'),
        chain.FactRecord(seq=1, boot=2, at_ms=1_001, trust=Trust.HUB, body=msgspec.Raw(b'{"kind":"a"}')),
        chain.FactRecord(seq=1, boot=1, at_ms=1_002, trust=Trust.HUB, body=msgspec.Raw(b'{"kind":"a"}')),
        chain.FactRecord(seq=1, boot=1, at_ms=1_001, trust=Trust.NTP, body=msgspec.Raw(b'{"kind":"a"}')),
    ]
    assert all(chain.fold(start, [edit, records[1]]) != head for edit in edits)
    assert chain.fold(chain.genesis("colombes", "abce"), records) != head


def test_the_plan_hash_covers_what_is_asked_and_not_when() -> None:
    plan = Plan(site="colombes", incarnation=1, revision=1, hash="", parcels=(PlannedParcel(id=PARCEL, version=1),))
    later = msgspec.structs.replace(plan, incarnation=9, revision=9, issued_at_ms=5)
    other = msgspec.structs.replace(plan, parcels=(PlannedParcel(id=PARCEL, version=2),))
    assert sealed(plan).hash == plan_hash(plan) == plan_hash(later) == plan_hash(sealed(plan))
    assert plan_hash(other) != plan_hash(plan)


def test_the_hubs_own_topic_belongs_to_no_site() -> None:
    with pytest.raises(ValueError, match="no site"):
        topics.topic(topics.HUB_PRESENCE, "gennevilliers")
    assert topics.read_topic(topics.topic(topics.HUB_PRESENCE)) == topics.Address(topics.HUB_PRESENCE, None)


def test_a_message_reads_back() -> None:
    ack = messages.Ack(incarnation=3, seq=9)
    assert messages.decode(messages.Ack, messages.encode(ack)) == ack
