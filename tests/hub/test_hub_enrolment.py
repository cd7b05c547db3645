"""Tokens that make a machine a site: good once, for a day, at one hub; and what Mosquitto takes for a password (A-01)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from controller.enrol import main as enrol
from hub.core.parcels import Refused
from hub.core.permissions import Scope
from hub.settings import BadSettings, SiteBroker, read_settings
from hub.sites.enrolment import TOKEN_MS, Enrolment, broker_password, mosquitto_passwords
from hub.store import enrolments
from tests.hub.hub_bench import ME, Bench
from tests.hub.hub_process import write_settings
from tests.tools.ports import free_port

BROKER = SiteBroker("broker.example.org", 8883, "-----BEGIN CERTIFICATE-----\n")


@pytest.fixture
def enrolment(bench: Bench) -> Enrolment:
    return Enrolment(store=bench.store, keys=bench.keys, clock=bench.clock, broker=BROKER)


def refused(enrolment: Enrolment, token: str) -> str:
    with pytest.raises(Refused) as error:
        enrolment.enrol(token)
    return error.value.code


def test_a_01_a_token_is_good_once_and_its_second_use_is_told(bench: Bench, enrolment: Enrolment) -> None:
    token = enrolment.invite("gambetta", ME)
    kit = enrolment.enrol(token)
    assert (kit.site, kit.number, kit.name) == ("gambetta", 1, "gambetta")
    assert kit.keys == (bench.keys.site_key("gambetta", 0).hex(),)
    assert (kit.broker_host, kit.broker_port, kit.ca) == (BROKER.host, BROKER.port, BROKER.ca)
    assert kit.password == broker_password(bench.keys, "gambetta") != broker_password(bench.keys, "belleville")
    assert refused(enrolment, token) == "used_token"
    assert bench.ask("SELECT actor, action FROM audit ORDER BY seq DESC LIMIT 2") == [
        ("machine", "site_token_replayed"), ("machine", "site_enrolled"),
    ]  # fmt: skip
    assert token not in str(bench.ask("SELECT * FROM enrolment"))


def test_a_01_a_token_ends_after_a_day_and_with_the_next_one(bench: Bench, enrolment: Enrolment) -> None:
    first, second = enrolment.invite("gambetta", ME), enrolment.invite("gambetta", ME)
    assert refused(enrolment, first) == "bad_token"
    assert refused(enrolment, "cen_guessed") == "bad_token"
    bench.now_ms += TOKEN_MS
    assert refused(enrolment, second) == "old_token"
    assert bench.ask("SELECT count(*) FROM enrolment WHERE used_ms IS NOT NULL") == [(0,)]
    with bench.store.writing() as connection:
        enrolments.prune(connection, bench.now_ms + 1)
    assert refused(enrolment, second) == "bad_token"
    with pytest.raises(Refused):
        enrolment.invite("nowhere", ME)
    with pytest.raises(Refused):
        enrolment.invite("gambetta", replace(ME, scope=Scope(2)))


def test_a_01_mosquittos_file_has_a_line_for_everybody(bench: Bench) -> None:
    lines = mosquitto_passwords(bench.keys, ["gambetta"], "hub", "secret").splitlines()
    assert [line.partition(":")[0] for line in lines] == ["hub", "gambetta"]
    _, kind, rounds, salt, digest = lines[1].split("$")
    password = broker_password(bench.keys, "gambetta").encode()
    assert kind == "7"
    assert base64.b64decode(digest) == hashlib.pbkdf2_hmac("sha512", password, base64.b64decode(salt), int(rounds), 64)
    assert mosquitto_passwords(bench.keys, [], "hub", "") == ""


def test_the_broker_that_sites_reach_is_a_setting_of_its_own(tmp_path: Path) -> None:
    plain = read_settings(write_settings(tmp_path, broker_port=1883))
    assert plain.sites == SiteBroker("127.0.0.1", 1883)
    (tmp_path / "ca.pem").write_text("PEM")
    file = write_settings(tmp_path, broker_port=1883)
    file.write_text(
        file.read_text() + '[sites]\nbroker_host = "b.example.org"\nbroker_port = 8883\nbroker_ca_file = "ca.pem"\n'
    )
    assert read_settings(file).sites == SiteBroker("b.example.org", 8883, "PEM")
    (tmp_path / "ca.pem").unlink()
    with pytest.raises(BadSettings, match="broker_ca_file"):
        read_settings(file)


KIT = {"site": "gambetta", "number": 1, "keys": ["ab" * 32], "broker_host": "b", "broker_port": 1883, "password": "p"}


class Pretender:
    """Something at an address that answers as it is told."""

    def __init__(self) -> None:
        self.status, self.body, self.asked = 200, b"", 0
        pretender = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                pretender.asked += 1
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(pretender.status)
                self.end_headers()
                self.wfile.write(pretender.body)

            def log_message(self, *_all: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def pretender() -> Iterator[Pretender]:
    made = Pretender()
    yield made
    made.close()


def test_a_01_the_machine_looks_before_it_asks_and_says_whether_the_token_is_still_good(
    tmp_path: Path, pretender: Pretender, capsys: pytest.CaptureFixture[str]
) -> None:
    there = tmp_path / "there"
    there.mkdir()
    (there / "site-keys").write_text("0 ab\n")
    (tmp_path / "file").write_text("")
    for arguments, said in (
        (["http://hub.example.org", "t", "--folder", str(tmp_path / "a")], "https only"),
        ([pretender.url, "t", "--folder", str(there)], "a site already"),
        ([pretender.url, "t", "--folder", str(tmp_path / "file" / "below")], "Not a directory"),
    ):
        assert enrol([*arguments, "--simulate"]) == 2
        told = capsys.readouterr().err
        assert said in told
        assert "The token is still good." in told
    assert pretender.asked == 0


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (409, json.dumps({"detail": "this token was used before"}).encode(), "this token was used before"),
        (502, b"<html>", "502"),
        (200, b"<html>", "is this the address of a Consigne hub?"),
        (200, json.dumps({**KIT, "keys": ["ab"]}).encode(), "a key of another length"),
        (200, json.dumps({**KIT, "site": "../../etc"}).encode(), "names no site"),
    ],
)
def test_a_01_what_is_no_kit_writes_nothing(
    tmp_path: Path, pretender: Pretender, capsys: pytest.CaptureFixture[str], status: int, body: bytes, said: str
) -> None:
    pretender.status, pretender.body = status, body
    assert enrol([pretender.url, "t", "--folder", str(tmp_path / "etc"), "--simulate"]) == 2
    assert said in capsys.readouterr().err
    assert list((tmp_path / "etc").iterdir()) == []


def test_a_01_what_cannot_be_written_says_that_the_token_is_used(
    tmp_path: Path, pretender: Pretender, capsys: pytest.CaptureFixture[str]
) -> None:
    pretender.body = json.dumps({**KIT, "name": 'Le "Relais" de l\u2019été', "ca": "PEM"}).encode()
    (tmp_path / "broker-password.new").mkdir()
    (tmp_path / "broker-password.new" / "in the way").write_text("")
    assert enrol([pretender.url, "t", "--folder", str(tmp_path), "--reader", "/dev/ttyACM0"]) == 2
    assert "make another one" in capsys.readouterr().err
    (tmp_path / "site-keys").unlink()
    (tmp_path / "broker-password.new" / "in the way").unlink()
    (tmp_path / "broker-password.new").rmdir()
    assert enrol([pretender.url, "t", "--folder", str(tmp_path), "--reader", "/dev/ttyACM0"]) == 0
    text = (tmp_path / "controller.toml").read_text()
    assert 'name = "Le \\"Relais\\" de l\u2019été"' in text
    assert 'scanner = "/dev/ttyACM0"' in text
    assert 'tls_ca = "broker-ca.pem"' in text
    nobody = f"http://127.0.0.1:{free_port()}"
    assert enrol([nobody, "t", "--folder", str(tmp_path / "more"), "--simulate"]) == 2
    assert "was not reached" in capsys.readouterr().err
