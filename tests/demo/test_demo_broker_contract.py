"""What every broker of ours must do, told once and asked of two: the development broker, and a real Mosquitto.

A story that passes on one and not on the other would mean that the demo shows something production does not do.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from demo.broker import DevBroker, acl_from_mosquitto
from tests.demo.broker_client import Peer, Will
from tests.tools.ports import wait_until
from wire.topics import mosquitto_acl

DAY_S = 86_400
NOT_AUTHORIZED = 0x87

BrokerMaker = Callable[..., int]


@pytest.fixture(params=["development", pytest.param("mosquitto", marks=pytest.mark.mosquitto)])
def make_broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BrokerMaker]:
    """Start a broker, with an ACL file's text if wanted; returns its port."""
    with ExitStack() as running:

        def make(acl: str | None = None) -> int:
            if request.param == "development":
                broker = running.enter_context(DevBroker(acl=None if acl is None else acl_from_mosquitto(acl)))
                return broker.port
            extra: tuple[str, ...] = ()
            if acl is not None:
                (tmp_path / "acl").write_text(acl)
                (tmp_path / "acl").chmod(0o600)
                extra = (f"acl_file {tmp_path / 'acl'}",)
            port: int = request.getfixturevalue("mosquitto_factory")(extra=extra).port
            return port

        yield make


@pytest.fixture
def port(make_broker: BrokerMaker) -> int:
    return make_broker()


def settled(port: int, client_id: str) -> None:
    """Return once the broker has seen the end of the last connection of this client (and dropped its session)."""
    Peer(port, client_id).disconnect()


# ------------------------------------------------------------------------------------------------------------- retained


def test_the_last_retained_message_waits_for_a_new_subscriber(port):
    with Peer(port, "writer") as writer, Peer(port, "reader") as reader:
        writer.publish("a/b", b"first", retain=True)
        writer.publish("a/b", b"second", retain=True)
        reader.subscribe("a/+")
        reader.wait_for(b"second")
        assert reader.got.messages[0].retain


def test_a_live_message_does_not_carry_the_retain_flag_unless_asked_for(port):
    with Peer(port, "writer") as writer, Peer(port, "plain") as plain, Peer(port, "mirror") as mirror:
        plain.subscribe("a/b")
        mirror.subscribe("a/b", retainAsPublished=True)
        writer.publish("a/b", b"x", retain=True)
        plain.wait_for(b"x")
        mirror.wait_for(b"x")
        assert (plain.got.messages[0].retain, mirror.got.messages[0].retain) == (False, True)


def test_an_empty_retained_message_clears_the_topic(port):
    with Peer(port, "writer") as writer, Peer(port, "reader") as reader:
        writer.publish("a/b", b"old", retain=True)
        writer.publish("a/b", b"", retain=True)
        writer.publish("a/c", b"fence", retain=True)
        reader.subscribe("a/#")
        reader.wait_for(b"fence")


def test_a_retained_message_is_given_again_at_every_subscribe_or_only_at_the_first(port):
    with Peer(port, "writer") as writer, Peer(port, "reader") as reader:
        writer.publish("a/b", b"x", retain=True)
        reader.subscribe("a/b", retainHandling=1)
        reader.subscribe("a/b", retainHandling=1)
        reader.subscribe("a/b", retainHandling=2)
        reader.subscribe("a/b", retainHandling=0)
        writer.publish("a/b", b"fence")
        reader.wait_for(b"x", b"x", b"fence")


# ---------------------------------------------------------------------------------------------------------------- wills


def test_a_reset_connection_speaks_its_will_once_and_the_will_is_retained(port):
    with Peer(port, "watcher") as watcher:
        watcher.subscribe("presence")
        Peer(port, "site", will=Will("presence", b"lost", retain=True)).reset()
        watcher.wait_for(b"lost")
        watcher.publish("presence", b"fence")
        watcher.wait_for(b"lost", b"fence")
    with Peer(port, "late") as late:
        late.subscribe("presence")
        late.wait_for(b"lost")
        assert late.got.messages[0].retain


def test_a_clean_disconnect_buries_the_will(port):
    with Peer(port, "watcher") as watcher:
        watcher.subscribe("presence")
        Peer(port, "site", will=Will("presence", b"lost")).disconnect()
        settled(port, "site")
        watcher.publish("presence", b"fence")
        watcher.wait_for(b"fence")


def test_a_taken_over_connection_ends_and_its_will_is_said(port):
    with Peer(port, "watcher") as watcher:
        watcher.subscribe("presence")
        old = Peer(port, "site", will=Will("presence", b"lost"))
        with Peer(port, "site") as new:
            watcher.wait_for(b"lost")
            wait_until(old.gone, "the old connection ends")  # Mosquitto 2.0.11 does not say why, ours does
            assert new.publish("presence", b"ready") in {0, 0x10}
            watcher.wait_for(b"lost", b"ready")


@pytest.mark.slow
def test_a_client_that_falls_silent_is_dead_after_one_and_a_half_keep_alives(port):
    with Peer(port, "watcher") as watcher:
        watcher.subscribe("presence")
        hanging = Peer(port, "site", will=Will("presence", b"lost"), keep_alive_s=1)
        hanging.silence()
        wait_until(lambda: watcher.got.messages, "the will of a silent client", timeout_s=20)
        watcher.wait_for(b"lost")
        hanging.reset()


@pytest.mark.slow
def test_a_delayed_will_is_not_said_when_the_client_is_back_in_time(port):
    with Peer(port, "watcher") as watcher:
        watcher.subscribe("presence")
        Peer(port, "site", expiry_s=DAY_S, will=Will("presence", b"lost", delay_s=1)).reset()
        with Peer(port, "site", clean=False, expiry_s=DAY_S):
            time.sleep(2.2)
            watcher.publish("presence", b"fence")
            watcher.wait_for(b"fence")


@pytest.mark.slow
def test_a_delayed_will_is_said_when_the_client_stays_away(port):
    with Peer(port, "watcher") as watcher:
        watcher.subscribe("presence")
        Peer(port, "site", expiry_s=DAY_S, will=Will("presence", b"lost", delay_s=1)).reset()
        wait_until(lambda: watcher.got.messages, "the delayed will", timeout_s=20)
        watcher.wait_for(b"lost")


# ------------------------------------------------------------------------------------------------------------- sessions


def test_messages_for_a_client_that_is_away_wait_in_order(port):
    with Peer(port, "reader", expiry_s=DAY_S) as reader:
        reader.subscribe("a/#")
    numbers = [str(n).encode() for n in range(50)]
    with Peer(port, "writer") as writer:
        for number in numbers:
            writer.publish(f"a/{int(number) % 3}", number)
    with Peer(port, "reader", clean=False, expiry_s=DAY_S) as reader:
        assert reader.session_present
        reader.wait_for(*numbers)


def test_a_clean_start_forgets_what_waited(port):
    with Peer(port, "reader", expiry_s=DAY_S) as reader:
        reader.subscribe("a")
    with Peer(port, "writer") as writer:
        writer.publish("a", b"old")
        with Peer(port, "reader", clean=True) as reader:
            assert not reader.session_present
            reader.subscribe("a")
            writer.publish("a", b"new")
            reader.wait_for(b"new")


def test_delivered_but_unacknowledged_messages_come_again_marked_as_duplicates(port):
    first = Peer(port, "reader", expiry_s=DAY_S, ack=False, will=Will("dead", b"reader"))
    first.subscribe("a")
    with Peer(port, "writer") as writer:
        writer.subscribe("dead")
        for payload in (b"1", b"2", b"3"):
            writer.publish("a", payload)
        first.wait_for(b"1", b"2", b"3")
        assert [message.dup for message in first.got.messages] == [False] * 3
        first.reset()
        writer.wait_for(b"reader")  # only now does the broker know
        writer.publish("a", b"4")
    with Peer(port, "reader", clean=False, expiry_s=DAY_S) as second:
        second.wait_for(b"1", b"2", b"3", b"4")
        assert [message.dup for message in second.got.messages] == [True, True, True, False]
    with Peer(port, "reader", clean=False) as third:
        third.publish("a", b"fence")
        third.wait_for(b"fence")


def test_no_more_than_receive_maximum_messages_are_unacknowledged(port):
    with Peer(port, "reader", ack=False, receive_max=2) as reader, Peer(port, "writer") as writer:
        reader.subscribe("a")
        for payload in (b"1", b"2", b"3", b"4"):
            writer.publish("a", payload)
        reader.wait_for(b"1", b"2")
        reader.subscribe("unrelated")  # a round trip: what was on its way has arrived
        reader.wait_for(b"1", b"2")
        for message in list(reader.got.messages):
            reader.client.ack(message.mid, 1)
        reader.wait_for(b"1", b"2", b"3", b"4")


@pytest.mark.slow
def test_a_session_ends_when_its_expiry_interval_is_over(port):
    with Peer(port, "reader", expiry_s=1) as reader:
        reader.subscribe("a")
    time.sleep(3.2)
    with Peer(port, "reader", clean=False, expiry_s=1) as reader:
        assert not reader.session_present


@pytest.mark.slow
def test_a_message_that_waited_too_long_is_not_delivered(port):
    with Peer(port, "reader", expiry_s=DAY_S) as reader:
        reader.subscribe("a")
    with Peer(port, "writer") as writer:
        writer.publish("a", b"open door 7 now", expiry_s=1)
        writer.publish("a", b"lasting", expiry_s=1000)
    time.sleep(2.2)
    with Peer(port, "reader", clean=False) as reader:
        reader.wait_for(b"lasting")
        left = reader.got.messages[0].properties
        assert left is not None
        assert 990 <= left.json()["MessageExpiryInterval"] <= 999  # type: ignore[no-untyped-call]


@pytest.mark.slow
def test_a_retained_message_expires_too(port):
    with Peer(port, "writer") as writer, Peer(port, "reader") as reader:
        writer.publish("a/old", b"old", retain=True, expiry_s=1)
        writer.publish("a/new", b"new", retain=True)
        time.sleep(2.2)
        reader.subscribe("a/#")
        reader.wait_for(b"new")


# --------------------------------------------------------------------------------------------------------- who gets what


def test_a_shared_subscription_gives_each_message_to_one_member(port):
    with Peer(port, "one") as one, Peer(port, "two") as two, Peer(port, "all") as everything:
        one.subscribe("$share/ingest/a/#")
        two.subscribe("$share/ingest/a/#")
        everything.subscribe("a/#")
        with Peer(port, "writer") as writer:
            sent = [str(n).encode() for n in range(20)]
            for payload in sent:
                writer.publish("a/b", payload)
        everything.wait_for(*sent)
        wait_until(lambda: len(one.got.messages) + len(two.got.messages) >= 20, "all 20 shared")
        assert sorted(one.got.payloads + two.got.payloads) == sorted(sent)
        assert (len(one.got.payloads), len(two.got.payloads)) == (10, 10)


@pytest.mark.parametrize(
    ("topic_filter", "expected"),
    [
        ("#", ["a", "a/b", "a/b/c", "a/", "/a"]),
        ("a/#", ["a", "a/b", "a/b/c", "a/"]),
        ("a/+", ["a/b", "a/"]),
        ("+", ["a"]),
        ("+/+", ["a/b", "a/", "/a"]),
        ("+/b/#", ["a/b", "a/b/c"]),
        ("a/b", ["a/b"]),
        ("/+", ["/a"]),
    ],
)
def test_wildcards_match_whole_levels(port, topic_filter, expected):
    with Peer(port, "reader") as reader, Peer(port, "writer") as writer:
        assert reader.subscribe(topic_filter) == 1
        reader.subscribe("$fence")
        for topic in ("a", "a/b", "a/b/c", "a/", "/a"):
            writer.publish(topic, topic.encode())
        reader.wait_for(*(topic.encode() for topic in expected))


def test_a_wildcard_at_the_front_does_not_see_topics_with_a_dollar(port):
    with Peer(port, "reader") as reader, Peer(port, "writer") as writer:
        reader.subscribe("#")
        writer.publish("$demo/a", b"hidden")
        writer.publish("a", b"fence")
        reader.wait_for(b"fence")


def test_two_matching_filters_of_one_client_give_one_message_with_the_better_quality(port):
    with Peer(port, "reader") as reader, Peer(port, "writer") as writer:
        reader.subscribe("a/#", qos=0)
        reader.subscribe("a/b", qos=1)
        writer.publish("a/b", b"x")
        writer.publish("a/b", b"fence")
        wait_until(lambda: b"fence" in reader.got.payloads, "fence")
        assert b"x" in reader.got.payloads


def test_quality_of_service_0_is_delivered_as_such(port):
    with Peer(port, "low") as low, Peer(port, "high") as high, Peer(port, "writer") as writer:
        low.subscribe("a", qos=0)
        high.subscribe("a", qos=1)
        writer.publish("a", b"zero", qos=0)
        writer.publish("a", b"one", qos=1)
        low.wait_for(b"zero", b"one")
        high.wait_for(b"zero", b"one")
        assert [message.qos for message in low.got.messages] == [0, 0]
        assert [message.qos for message in high.got.messages] == [0, 1]


def test_no_local_spares_a_client_its_own_echo(port):
    with Peer(port, "hub") as hub, Peer(port, "site") as site:
        hub.subscribe("a", noLocal=True)
        hub.publish("a", b"own")
        site.publish("a", b"other")
        hub.wait_for(b"other")


def test_unsubscribed_is_unsubscribed(port):
    with Peer(port, "reader") as reader, Peer(port, "writer") as writer:
        reader.subscribe("a")
        reader.subscribe("b")
        reader.unsubscribe("a")
        writer.publish("a", b"late")
        writer.publish("b", b"fence")
        reader.wait_for(b"fence")


def test_a_large_payload_arrives_whole(port):
    payload = bytes(range(256)) * 3_900  # just under a megabyte
    with Peer(port, "reader") as reader, Peer(port, "writer") as writer:
        reader.subscribe("a")
        writer.publish("a", payload)
        reader.wait_for(payload)


def test_five_hundred_messages_keep_their_order(port):
    numbers = [str(n).encode() for n in range(500)]
    with Peer(port, "reader") as reader, Peer(port, "writer") as writer:
        reader.subscribe("a/#")
        for number in numbers:
            writer.publish_soon(f"a/{int(number) % 7}", number)
        reader.wait_for(*numbers)


# ------------------------------------------------------------------------------------------------------------------ ACL


def test_a_site_writes_its_own_word_and_reads_what_is_meant_for_it(make_broker):
    port = make_broker(acl=mosquitto_acl("hub"))
    with Peer(port, "hub", user="hub") as hub, Peer(port, "site", user="lilas") as site:
        hub.subscribe("consigne/1/+/up/#")
        site.subscribe("consigne/1/lilas/down/#")
        site.subscribe("consigne/1/hub/#")
        assert site.publish("consigne/1/lilas/up/state", b"mine") == 0
        hub.wait_for(b"mine")
        hub.publish("consigne/1/lilas/down/plan", b"plan")
        hub.publish("consigne/1/hub/presence", b"here")
        site.wait_for(b"plan", b"here")


def test_a_site_cannot_write_for_another_one_nor_for_the_hub(make_broker):
    port = make_broker(acl=mosquitto_acl("hub"))
    with Peer(port, "hub", user="hub") as hub:
        hub.subscribe("consigne/#")
        for topic in ("consigne/1/tilleuls/up/state", "consigne/1/lilas/down/command", "consigne/1/hub/presence"):
            # A connection each: Mosquitto 2.0.11 answers a forbidden PUBLISH properly and then closes the connection.
            with Peer(port, "site", user="lilas") as site:
                assert site.publish(topic, b"forged") == NOT_AUTHORIZED
        with Peer(port, "site", user="lilas") as site:
            site.publish("consigne/1/lilas/up/state", b"mine")
        hub.wait_for(b"mine")


def test_a_site_reads_nothing_meant_for_another_one(make_broker):
    port = make_broker(acl=mosquitto_acl("hub"))
    with Peer(port, "hub", user="hub") as hub, Peer(port, "site", user="lilas") as site:
        hub.publish("consigne/1/tilleuls/down/plan", b"retained, not for lilas", retain=True)
        site.subscribe("consigne/#")
        hub.publish("consigne/1/tilleuls/down/plan", b"not for lilas")
        hub.publish("consigne/1/tilleuls/up/state", b"not for lilas")
        hub.publish("consigne/1/lilas/down/plan", b"for lilas")
        site.wait_for(b"for lilas")


def test_a_will_obeys_the_acl(make_broker):
    port = make_broker(acl=mosquitto_acl("hub"))
    with Peer(port, "hub", user="hub") as hub:
        hub.subscribe("consigne/1/+/up/#")
        Peer(port, "mine", user="lilas", will=Will("consigne/1/lilas/up/presence", b"lost")).reset()
        hub.wait_for(b"lost")
        forger = Peer(
            port, "forger", user="lilas", will=Will("consigne/1/tilleuls/up/presence", b"forged"), accepted=False
        )
        wait_until(lambda: forger.connack is not None, "an answer, whatever it is")
        forger.reset()
        with Peer(port, "forger", user="lilas") as again:
            again.publish("consigne/1/lilas/up/state", b"fence")
        hub.wait_for(b"lost", b"fence")
