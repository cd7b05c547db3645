"""What Linux tells of the machine, on a sysfs of the test's own; whatever is missing or odd is only not known (A-09)."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from controller import health
from controller.core.events import MachineFelt


class Machine:
    """A sysfs with a Pi's figures, all well."""

    def __init__(self, folder: Path) -> None:
        self.sys, self.journal = folder / "sys", folder / "state"
        self.journal.mkdir()
        device = self.journal.stat().st_dev
        (self.sys / "devices/mmcblk0p2").mkdir(parents=True)
        (self.sys / "dev/block").mkdir(parents=True)
        (self.sys / f"dev/block/{os.major(device)}:{os.minor(device)}").symlink_to(self.sys / "devices/mmcblk0p2")
        self.put("class/thermal/thermal_zone0/temp", "48312\n")
        self.put("class/hwmon/hwmon0/name", "cpu_thermal\n")
        self.put("class/hwmon/hwmon1/name", "rpi_volt\n")
        self.put("class/hwmon/hwmon1/in0_lcrit_alarm", "0\n")
        self.put("fs/ext4/mmcblk0p2/errors_count", "0\n")
        self.put("module/pinctrl_bcm2835/parameters/persist_gpio_outputs", "N\n")

    def put(self, path: str, text: str) -> None:
        (self.sys / path).parent.mkdir(parents=True, exist_ok=True)
        (self.sys / path).write_text(text)

    def read(self) -> health.Readings:
        return health.read(self.journal, self.sys)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_every_figure_is_read(machine: Machine) -> None:
    found = machine.read()
    assert (found.temperature_c, found.throttled, found.card_errors, found.pin_policy) == (48.312, 0, 0, "released")
    assert found.disk_free_mb is not None
    assert found.resident_mb is not None
    machine.put("class/hwmon/hwmon1/in0_lcrit_alarm", "1\n")
    machine.put("fs/ext4/mmcblk0p2/errors_count", "12\n")
    machine.put("module/pinctrl_bcm2835/parameters/persist_gpio_outputs", "Y\n")
    found = machine.read()
    assert (found.throttled, found.card_errors, found.pin_policy) == (1, 12, "persist")


@pytest.mark.parametrize("odd", ["", "warm\n", "\xe9\xe8", "48.3.1"])
def test_an_odd_file_is_a_figure_that_is_not_known(machine: Machine, odd: str) -> None:
    for path in (
        "class/thermal/thermal_zone0/temp", "class/hwmon/hwmon1/in0_lcrit_alarm", "fs/ext4/mmcblk0p2/errors_count"
    ):  # fmt: skip
        machine.put(path, odd)
    found = machine.read()
    assert (found.temperature_c, found.throttled, found.card_errors) == (None, None, None)


def test_a_machine_without_these_files_tells_what_it_has(tmp_path: Path) -> None:
    found = health.read(tmp_path, tmp_path / "no sys")
    assert (found.temperature_c, found.throttled, found.card_errors, found.pin_policy) == (None, None, None, "unknown")
    assert health.read(tmp_path / "gone", tmp_path).disk_free_mb is None
    assert health.card_errors(tmp_path / "gone") is None


def test_a_watch_says_what_it_feels_and_stops_at_once(machine: Machine) -> None:
    heard: list[MachineFelt] = []
    machine.put("class/hwmon/hwmon1/in0_lcrit_alarm", "1\n")
    watch = health.Watch(machine.journal, heard.append, sys=machine.sys)
    thread = threading.Thread(target=watch.run)
    thread.start()
    watch.stop()
    thread.join(5)
    assert not thread.is_alive()
    assert heard == [MachineFelt(48.312, under_voltage=True, card_errors=0)]
    assert watch.latest.throttled == 1
