"""The kit of a new site is read whole, or not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from wire.enrolment import BadKit, EnrolmentKit, read_kit

KIT: dict[str, Any] = {
    "site": "gambetta", "number": 1, "keys": ["ab" * 32], "broker_host": "b", "broker_port": 1883, "password": "p",
}  # fmt: skip


def test_a_01_a_kit_is_read() -> None:
    kit = read_kit(json.dumps(KIT).encode())
    assert kit == EnrolmentKit(**{**KIT, "keys": ("ab" * 32,)})


@pytest.mark.parametrize(
    "wrong",
    [
        {"number": -1},
        {"site": "../etc"},
        {"keys": ["ab"]},
        {"keys": ["zz" * 32]},
        {"keys": []},
        {"broker_port": 0},
        {"password": 1},
    ],
)
def test_a_01_what_is_no_kit_is_refused_without_being_quoted(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadKit) as refused:
        read_kit(json.dumps({**KIT, **wrong}).encode())
    assert "ab" * 32 not in str(refused.value)
