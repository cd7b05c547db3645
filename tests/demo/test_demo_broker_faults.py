"""The switches with which the development broker misbehaves, and the manners that only it has."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import MQTTv311

from demo.broker import BrokerDown, DevBroker, acl_from_mosquitto, connection, sessions
from demo.broker.topics import BadFilter, Filter
from tests.demo.broker_client import Peer, Will
from tests.tools.ports import LOOPBACK, wait_until

DAY_S = 86_400
ROOT = Path(__file__).parents[2]


@pytest.fixture
def broker() -> Iterator[DevBroker]:
    with DevBroker() as running:
        yield running


@pytest.fixture
def reader(broker) -> Iterator[Peer]:
    with Peer(broker.port, "reader") as peer:
        peer.subscribe("a/#")
        yield peer


@pytest.fixture
def writer(broker) -> Iterator[Peer]:
    with Peer(broker.port, "writer") as peer:
        yield peer


# ------------------------------------------------------------------------------------------------------------- switches


def test_a_dropped_puback_leaves_the_sender_unsure_of_a_message_that_arrived(broker, reader, writer):
    broker.drop_pubacks(1)
    lost = writer.publish_soon("a/b", b"1")
    writer.publish("a/b", b"2")
    reader.wait_for(b"1", b"2")
    assert not writer.acknowledged(lost)


def test_a_fault_aimed_at_some_topics_spares_the_others(broker, reader, writer):
    broker.drop_pubacks(1, where="a/+/facts")
    writer.publish("a/b", b"1")
    lost = writer.publish_soon("a/b/facts", b"2")
    writer.publish("a/b/facts", b"3")
    reader.wait_for(b"1", b"2", b"3")
    assert not writer.acknowledged(lost)


def test_the_next_messages_come_twice(broker, reader, writer):
    broker.duplicate_next(2)
    for payload in (b"1", b"2", b"3"):
        writer.publish("a/b", payload)
    reader.wait_for(b"1", b"1", b"2", b"2", b"3")


def test_a_message_is_overtaken_by_the_next_one(broker, reader, writer):
    broker.reorder_next()
    for payload in (b"1", b"2", b"3"):
        writer.publish("a/b", payload)
    reader.wait_for(b"2", b"1", b"3")


def test_a_message_that_nothing_overtakes_is_late_but_not_lost(broker, reader, writer):
    broker.reorder_next()
    writer.publish("a/b", b"1")
    reader.wait_for(b"1")


def test_a_frozen_broker_answers_nobody_and_loses_nothing(broker, reader, writer):
    broker.freeze()
    sent = writer.publish_soon("a/b", b"1")
    with socket.create_connection((LOOPBACK, broker.port)) as stranger:
        stranger.settimeout(0.2)
        stranger.sendall(b"\xc0\x00")
        with pytest.raises(TimeoutError):
            stranger.recv(1)
    assert reader.got.payloads == []
    assert not writer.acknowledged(sent)
    with pytest.raises(BrokerDown, match="thaw"):
        broker.drop_pubacks(1)
    broker.thaw()
    reader.wait_for(b"1")
    wait_until(lambda: writer.acknowledged(sent), "PUBACK after the thaw")


def test_a_cut_client_is_lost_and_stays_away_until_healed(broker, reader, writer):
    site = Peer(broker.port, "site", expiry_s=DAY_S, will=Will("a/presence", b"lost"))
    site.subscribe("plan")
    broker.cut("site")
    wait_until(site.gone, "the connection is reset")
    reader.wait_for(b"lost")
    writer.publish("plan", b"while away")
    refused = Peer(broker.port, "site", clean=False, expiry_s=DAY_S, accepted=False)
    wait_until(refused.gone, "a second connection is reset")
    assert refused.connack is None
    broker.heal("site")
    with Peer(broker.port, "site", clean=False, expiry_s=DAY_S) as healed:
        assert healed.session_present
        healed.wait_for(b"while away")


def test_a_killed_broker_has_forgotten_everything_and_said_no_will(broker, reader, writer):
    port = broker.port
    writer.publish("a/b", b"kept", retain=True)
    reader.wait_for(b"kept")
    site = Peer(port, "site", expiry_s=DAY_S, will=Will("a/presence", b"lost"))
    broker.kill()
    for peer in (site, reader, writer):
        wait_until(peer.gone, "every connection is reset")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((LOOPBACK, port))
    assert broker.start() == port
    assert reader.got.payloads == [b"kept"]
    with Peer(port, "site", clean=False) as back:
        assert not back.session_present
        back.subscribe("a/#")
        back.publish("a/b", b"fence")
        back.wait_for(b"fence")


def test_a_frozen_broker_can_be_killed_and_never_reads_what_was_sent_meanwhile(broker, reader, writer):
    broker.freeze()
    sent = writer.publish_soon("a/b", b"1")
    broker.kill()
    wait_until(reader.gone, "the connection is reset")
    assert reader.got.payloads == []
    assert not writer.acknowledged(sent)


def test_switches_of_a_broker_that_is_down_say_so():
    broker = DevBroker()
    with pytest.raises(BrokerDown, match="start"):
        broker.cut("site")
    broker.stop()


def test_a_second_broker_on_the_same_port_says_so_and_leaves_the_first_alone(broker, reader, writer):
    second = DevBroker(port=broker.port)
    with pytest.raises(OSError, match="in use"):
        second.start()
    writer.publish("a/b", b"1")
    reader.wait_for(b"1")


# -------------------------------------------------------------------------------------------------------------- manners


def test_a_stopping_broker_says_goodbye_with_its_reason(broker, reader):
    broker.stop()
    wait_until(reader.gone, "the connection ends")
    assert reader.disconnect_reason == 0x8B


def test_a_taken_over_connection_is_told_why(broker):
    old = Peer(broker.port, "site")
    with Peer(broker.port, "site"):
        wait_until(old.gone, "the old connection ends")
    assert old.disconnect_reason == 0x8E


def test_an_older_client_is_refused_in_its_own_words(broker):
    peer = Peer(broker.port, "old", protocol=MQTTv311, accepted=False)
    wait_until(peer.gone, "the connection ends")
    with socket.create_connection((LOOPBACK, broker.port), timeout=5) as old:
        old.sendall(b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x3c\x00\x03old")
        assert old.recv(64) == b"\x20\x02\x00\x01"
        assert old.recv(64) == b""


def test_quality_of_service_2_is_announced_as_absent_and_refused(broker):
    peer = Peer(broker.port, "exact")
    peer.publish_soon("a/b", b"x", qos=2)
    wait_until(peer.gone, "the connection ends")
    assert peer.disconnect_reason == 0x9B


@pytest.mark.parametrize(
    ("nonsense", "answer"),
    [
        (b"\xc0\x00", 0x82),  # a PINGREQ before any CONNECT
        (b"\x10\xff\xff\xff\xff\x01", 0x81),  # a length field of five bytes
        (b"\x10\xff\xff\xff\x7f", 0x95),  # 256 MiB announced
        (b"\x10\x08\x00\x04MQTT\x05\x02", 0x81),  # complete by its length, not by its fields
    ],
)
def test_nonsense_before_connect_is_answered_and_ends_the_connection(broker, nonsense, answer):
    with socket.create_connection((LOOPBACK, broker.port), timeout=5) as stranger:
        stranger.sendall(nonsense)
        assert stranger.recv(64) == bytes([0x20, 3, 0, answer, 0])
        assert stranger.recv(64) == b""


def test_a_packet_may_come_byte_by_byte(broker, reader):
    connect = b"\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x03bit"
    publish = b"\x30\x09\x00\x03a/b\x00bit"
    with socket.create_connection((LOOPBACK, broker.port), timeout=5) as slow:
        slow.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in connect + publish:
            slow.sendall(bytes([byte]))
        reader.wait_for(b"bit")


def test_the_queue_of_a_client_that_is_away_is_bounded(broker, writer, monkeypatch):
    monkeypatch.setattr(sessions, "MAX_QUEUED_MESSAGES", 3)
    with Peer(broker.port, "away", expiry_s=DAY_S) as away:
        away.subscribe("a/#")
    for payload in (b"1", b"2", b"3", b"4", b"5"):
        writer.publish("a/b", payload)
    with Peer(broker.port, "away", clean=False) as back:
        writer.publish("a/b", b"fence")
        back.wait_for(b"1", b"2", b"3", b"fence")


def test_one_connection_too_many_is_reset(broker, reader, writer, monkeypatch):
    monkeypatch.setattr(connection, "MAX_CONNECTIONS", 2)
    with pytest.raises(ConnectionResetError), socket.create_connection((LOOPBACK, broker.port), timeout=5) as third:
        third.recv(1)
    writer.publish("a/b", b"1")
    reader.wait_for(b"1")


def test_only_known_users_with_their_password_come_in():
    with DevBroker(users={"hub": "secret"}) as broker:
        with Peer(broker.port, "good", user="hub", password="secret"):
            pass
        for user, password in (("hub", "wrong"), ("other", "secret"), (None, None)):
            peer = Peer(broker.port, "bad", user=user, password=password, accepted=False)
            wait_until(peer.gone, "the connection ends")
            assert peer.connack == 0x87


def test_no_log_line_carries_a_payload(broker, reader, writer, caplog):
    caplog.set_level("DEBUG")
    writer.publish("a/b", b"TOPSECRET", retain=True)
    reader.wait_for(b"TOPSECRET")
    Peer(broker.port, "site", will=Will("a/presence", b"TOPSECRET")).reset()
    reader.wait_for(b"TOPSECRET", b"TOPSECRET")
    lines = [record.getMessage() for record in caplog.records if record.name == "demo.broker"]
    assert "site: connected" in lines
    assert not [line for line in lines if "TOPSECRET" in line]


# ----------------------------------------------------------------------------------------------------------- pure parts


@pytest.mark.parametrize(
    "text", ["", "a#", "a/#/b", "a+/b", "$share/g", "$share//a", "$share/g+/a", "$share/g/", "a\0"]
)
def test_a_filter_that_mqtt_forbids_is_refused(text):
    with pytest.raises(BadFilter):
        Filter.parse(text)


def test_an_acl_line_that_is_not_understood_is_named():
    with pytest.raises(ValueError, match="line 2"):
        acl_from_mosquitto("user hub\ntopics readwrite #")
    with pytest.raises(ValueError, match="line 1: %c"):
        acl_from_mosquitto("pattern read a/%c")


def test_a_user_name_with_a_wildcard_in_it_widens_no_pattern():
    allowed = acl_from_mosquitto("pattern readwrite consigne/1/%u/up/#\npattern read hub/#")
    assert allowed("lilas", "write", "consigne/1/lilas/up/facts")
    assert allowed("lilas", "read", "hub/presence")
    assert not allowed("+", "write", "consigne/1/lilas/up/facts")
    assert not allowed(None, "write", "consigne/1//up/facts")


def test_a_deny_line_wins():
    allowed = acl_from_mosquitto("user hub\ntopic readwrite a/#\ntopic deny a/secret")
    assert allowed("hub", "read", "a/b")
    assert not allowed("hub", "read", "a/secret")


# ----------------------------------------------------------------------------------------------- a process of its own


def start_process() -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(
        [sys.executable, "-m", "demo.broker", "--quiet"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())["port"]


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL)])
def test_the_broker_runs_as_a_process_that_ends_cleanly_or_is_killed(sent, status):
    process, port = start_process()
    with process, Peer(port, "peer") as peer:
        peer.subscribe("a")
        peer.publish("a", b"1")
        peer.wait_for(b"1")
        os.kill(process.pid, sent)
        assert process.wait(10) == status
        wait_until(peer.gone, "the connection ends")
        assert peer.disconnect_reason == (0x8B if sent == signal.SIGTERM else 0x80)
