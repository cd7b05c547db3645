# mypy: allow-untyped-calls
"""The reader on a real pseudo-terminal with real pyserial: D-04, D-05."""

import threading
import time

import pytest

from firmware.scanner import IDLE_S, Scanner
from firmware.sim.reader import NotPlugged, SimScanner


class Desk:
    """A reader, the code that reads it, and what was heard."""

    def __init__(self, state_dir, **options):
        self.reader = SimScanner(state_dir)
        self.scans: list[str] = []
        self.links: list[bool] = []
        self.scanner = Scanner(self.reader.path, 9600, self.scans.append, self.links.append, **options)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.scanner.run, args=(self.stop,))
        self.thread.start()

    def close(self):
        self.stop.set()
        self.scanner.wake()
        self.thread.join(IDLE_S - 1)
        assert not self.thread.is_alive(), "a silent line must not keep a stopping program waiting"
        self.scanner.close()
        self.scanner.close()
        self.reader.close()


@pytest.fixture
def desk(tmp_path, wait_for):
    made = Desk(tmp_path)
    wait_for(lambda: made.links == [True])
    time.sleep(0.05)  # pyserial empties the line once it is open; a scan before that is lost, as on a real port.
    yield made
    made.close()


def test_a_scan_arrives_as_its_text(desk, wait_for):
    desk.reader.scan("CG1ABCDEF")
    wait_for(lambda: desk.scans == ["CG1ABCDEF"])


def test_bytes_written_to_the_link_by_another_program_are_a_scan(desk, wait_for):
    with desk.reader.path.open("wb", buffering=0) as line:
        line.write(b"FROM OUTSIDE\r")
    wait_for(lambda: desk.scans == ["FROM OUTSIDE"])


def test_a_text_without_terminator_ends_with_silence(desk, wait_for):
    desk.reader.send(b"NO CR")
    wait_for(lambda: desk.scans == ["NO CR"])


def test_two_codes_in_one_burst_are_two_scans(desk, wait_for):
    desk.reader.send(b"ONE\r\nTWO\r\n")
    wait_for(lambda: desk.scans == ["ONE", "TWO"])


def test_d04_an_unplugged_reader_is_reported_once_and_found_again_within_five_seconds(desk, wait_for):
    desk.reader.unplug()
    wait_for(lambda: desk.links == [True, False])
    time.sleep(1.2)
    assert desk.links == [True, False]
    desk.reader.plug()
    wait_for(lambda: desk.links == [True, False, True], seconds=5)
    time.sleep(0.05)
    desk.reader.scan("BACK")
    wait_for(lambda: desk.scans == ["BACK"])


def test_d04_a_cable_pulled_in_mid_text_leaves_no_half_text(desk, wait_for):
    desk.reader.send(b"HAL")
    time.sleep(0.02)
    desk.reader.unplug()
    wait_for(lambda: desk.links == [True, False])
    desk.reader.plug()
    wait_for(lambda: desk.links == [True, False, True])
    time.sleep(0.05)
    desk.reader.send(b"WHOLE\r")
    wait_for(lambda: "WHOLE" in desk.scans)
    assert desk.scans == ["WHOLE"]


def test_d05_ten_kilobytes_of_garbage_then_a_code(desk, wait_for):
    desk.reader.send_garbage(10_240, seed=7)
    time.sleep(0.3)
    desk.reader.send(b"\0\0\rCG1AFTER\r")
    wait_for(lambda: desk.scans and desk.scans[-1] == "CG1AFTER")
    assert desk.scans.count("CG1AFTER") == 1
    assert desk.links == [True]


def test_a_missing_reader_is_reported_once_at_the_start(tmp_path, wait_for):
    links: list[bool] = []
    stop = threading.Event()
    scanner = Scanner(tmp_path / "none", 9600, lambda _: None, links.append)
    thread = threading.Thread(target=scanner.run, args=(stop,))
    thread.start()
    wait_for(lambda: links == [False])
    time.sleep(0.7)
    stop.set()
    thread.join(5)
    scanner.close()
    assert links == [False]


def test_a_code_held_under_the_reader_is_one_showing(tmp_path, wait_for):
    now = [0.0]
    scans: list[str] = []
    scanner = Scanner(tmp_path / "none", 9600, scans.append, lambda _: None, repeat_s=0.5, clock=lambda: now[0])
    for moment, text in [(0.0, "A"), (0.4, "A"), (0.8, "A"), (0.9, "B"), (1.0, "A"), (1.6, "A")]:
        now[0] = moment
        scanner._present(text)
    scanner.close()
    assert scans == ["A", "B", "A", "A"]


def test_c_33_what_was_not_read_is_told_once_a_second_however_much_noise_there_is(tmp_path):
    now = [0.0]
    unread: list[float] = []
    scanner = Scanner(
        tmp_path / "none",
        9600,
        lambda _: None,
        lambda _: None,
        on_unread=lambda: unread.append(now[0]),
        clock=lambda: now[0],
    )
    for moment in range(30):
        now[0] = moment / 10
        scanner._framer.feed(b"\x01\r" * 50, now[0])
        scanner._look_for_unread()
    scanner._look_for_unread()
    scanner.close()
    assert unread == [0.0, 1.0, 2.0]


def test_c_33_noise_on_the_line_is_told_and_opens_nothing(tmp_path, wait_for):
    unread: list[str] = []
    desk = Desk(tmp_path, on_unread=lambda: unread.append("unread"))
    wait_for(lambda: desk.links == [True])
    time.sleep(0.05)
    desk.reader.send(b"NOREAD\r\n")
    wait_for(lambda: unread == ["unread"])
    assert desk.scans == []
    desk.close()


def test_an_unplugged_reader_sends_nothing(tmp_path):
    reader = SimScanner(tmp_path)
    reader.unplug()
    with pytest.raises(NotPlugged, match="unplugged"):
        reader.scan("X")
    assert not reader.path.is_symlink()
    reader.close()


def test_it_says_when_the_reader_was_tried_for_the_first_time(tmp_path):
    scanner = Scanner(tmp_path / "missing", 9600, lambda _text: None, lambda _up: None)
    stop = threading.Event()
    assert not scanner.tried.is_set()
    thread = threading.Thread(target=scanner.run, args=(stop,))
    thread.start()
    assert scanner.tried.wait(10), "a missing reader keeps nobody waiting"
    stop.set()
    scanner.wake()
    thread.join(10)
    scanner.close()
