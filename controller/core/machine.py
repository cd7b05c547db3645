"""How the machine under the bank is: which of its figures are an alarm of the whole site, and when that is over (A-09).

Owns the limits. Refuses to stop anything: a bank that is too hot, weakly fed or on a dying card serves as long as it can, and
people are told. A figure the machine does not give changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from controller.core import events as e
from controller.core.effects import Decision, Signal, Sound
from controller.core.model import State, alarm_key
from wire import facts as f

if TYPE_CHECKING:
    from collections.abc import Iterator

SCANNER_LOST: Final = "scanner_lost"
DISK_FULL: Final = "disk_full"
TOO_HOT: Final = "machine_hot"
POWER_WEAK: Final = "power_weak"
CARD_FAILING: Final = "card_failing"

HOT_C: Final = 80.0
"""Here a Pi begins to slow down (Raspberry Pi documentation, *Frequency management and thermal control*)."""

COOL_C: Final = 75.0
"""Only here it is over: a processor that hovers about a limit is one alarm and not fifty."""


def felt(state: State, event: e.MachineFelt) -> Iterator[Decision]:
    """What a look at the machine raises or clears."""
    if event.temperature_c is not None:
        limit = COOL_C if _stands(state, TOO_HOT) else HOT_C
        yield alarm_while(state, TOO_HOT, lasts=event.temperature_c >= limit)
    if event.under_voltage is not None:
        yield alarm_while(state, POWER_WEAK, lasts=event.under_voltage)
    if event.card_errors is not None:
        yield alarm_while(state, CARD_FAILING, lasts=event.card_errors > 0)


def alarm_while(state: State, alarm: str, *, lasts: bool) -> Decision:
    """An alarm of the whole site, raised when its cause begins and cleared when it is over."""
    stands = _stands(state, alarm)
    if stands and not lasts:
        return Decision((f.AlarmCleared(alarm=alarm),))
    if lasts and not stands:
        return Decision((f.AlarmRaised(alarm=alarm),), (Sound(Signal.ATTENTION),))
    return Decision()


def _stands(state: State, alarm: str) -> bool:
    return alarm_key(alarm, None) in state.durable.alarms
