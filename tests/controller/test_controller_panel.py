"""The panel: pictures to every screen, inputs from well-behaved ones, a reason for the others."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.core import events as e
from controller.core.model import Live, Now, State, fresh
from controller.panel import CLIENTS_MAX, INPUTS_BURST, PanelError, PanelServer
from controller.panel_messages import LINE_BYTES_MAX
from tests.controller.controller_site import setup, wait_for

NOW = Now(mono=0, wall_ms=0)


class Screen:
    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(str(path))
        self.file = self.socket.makefile("rb")

    def line(self) -> Any:
        text = self.file.readline()
        return json.loads(text) if text else None

    def say(self, text: bytes) -> None:
        self.socket.sendall(text)

    def close(self) -> None:
        self.file.close()
        self.socket.close()


class Served:
    def __init__(self, path: Path) -> None:
        self.posted: list[e.Event] = []
        self.accepts = True
        self.server = PanelServer(path, self.post, clock_s=lambda: 0.0)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()
        self.screens: list[Screen] = []
        self.server.show(State(setup(), fresh(setup()), Live()), NOW)

    def post(self, event: e.Event) -> bool:
        self.posted.append(event)
        return self.accepts

    def connect(self) -> Screen:
        self.screens.append(Screen(self.server.path))
        return self.screens[-1]

    def close(self) -> None:
        self.server.stop()
        self.thread.join(10)
        for screen in self.screens:
            screen.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    panel = Served(tmp_path / "panel.sock")
    yield panel
    panel.close()


def test_a_screen_sees_the_picture_when_it_connects_and_after_every_change(served: Served):
    first = served.connect()
    assert first.line()["view"]["number"] == 1
    served.server.show(State(setup(), fresh(setup()), Live(scanner=False)), NOW)
    changed = first.line()["view"]
    assert (changed["number"], changed["scanner"]) == (2, False)
    assert served.connect().line()["view"]["number"] == 2


def test_inputs_become_events(served: Served):
    screen = served.connect()
    screen.say(b'{"input":"digits","text":"1234"}\n{"input":"press","button":"size","value":"M"}\n')
    screen.say(b'{"input":"scan","text":"8R12345678901"}\n')
    wait_for(lambda: len(served.posted) == 3, "three events")
    assert served.posted[:2] == [e.DigitsTyped("1234"), e.Pressed(e.Button.SIZE, "M")]
    scan = served.posted[2]
    assert isinstance(scan, e.Scanned)
    assert scan.text == "8R12345678901"
    assert 0 < scan.entropy < 1 << 64


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense\n",
        b'{"input":"hack"}\n',
        b'{"input":"press","button":"open_all"}\n',
        b'{"input":"press","button":"done","compartment":"../1"}\n',
        b'{"input":"digits","text":"' + b"1" * 600 + b'"}\n',
        b"x" * (LINE_BYTES_MAX + 2),
        b'{"input":"digits","text":"1"}\n' * (INPUTS_BURST + 1),
    ],
)
def test_a_screen_that_misbehaves_is_closed_with_a_reason_and_the_others_stay(served: Served, line: bytes):
    good, bad = served.connect(), served.connect()
    good.line()
    bad.line()
    bad.say(line)
    assert "closed" in bad.line()
    assert bad.line() is None
    good.say(b'{"input":"digits","text":"42"}\n')
    wait_for(lambda: e.DigitsTyped("42") in served.posted, "the other screen's input")


def test_one_screen_too_many_is_told_so(served: Served):
    for _ in range(CLIENTS_MAX):
        served.connect().line()
    assert "too many" in served.connect().line()["closed"]


def test_a_slow_screen_gets_fewer_pictures_and_the_newest_last(served: Served):
    slow = served.connect()
    slow.line()
    state = State(setup(), fresh(setup()), Live())
    for _ in range(2_000):
        served.server.show(state, NOW)
        if not served.server._clients:
            break
    seen = 0
    while seen < 2_001:
        number = slow.line()["view"]["number"]
        assert number > seen
        seen = number


def test_the_socket_a_killed_process_left_is_taken_over_and_a_served_one_is_not(served: Served, tmp_path: Path):
    with pytest.raises(PanelError, match="another lock process"):
        PanelServer(served.server.path, served.post)
    stale = tmp_path / "stale.sock"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(stale))
    left.close()
    server = PanelServer(stale, served.post)
    assert stale.stat().st_mode & 0o777 == 0o660
    server._close_all()
    assert not stale.exists()


def test_a_path_too_long_for_a_socket_is_explained(tmp_path: Path):
    with pytest.raises(PanelError, match="107 bytes"):
        PanelServer(tmp_path / ("x" * 108), lambda _event: True)
