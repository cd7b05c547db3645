"""A machine that suffers: heat, a weak supply, a dying card, and figures that are not there (A-09)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from controller.core.events import MachineFelt

if TYPE_CHECKING:
    from tests.simulation.random_site import Act, RandomSite

COOL, WARM, HOT = 45.0, 78.0, 84.0
"""Well below every limit; between the one where it is over and the one where it begins; above both."""
LOOKS: Final = 6


def suffers(bank: RandomSite) -> None:
    """A few looks at the machine, each of which says something else; what stands is worked out here by other means."""
    choice = bank.random.choice
    for _ in range(LOOKS):
        stood = _standing(bank)
        temperature, weak, errors = choice((None, COOL, WARM, HOT)), choice((None, False, True)), choice((None, 0, 3))
        bank.site.runner.feed(MachineFelt(temperature, weak, errors))
        wanted = set(stood)
        if temperature == HOT:
            wanted.add("machine_hot")
        elif temperature == COOL:
            wanted.discard("machine_hot")
        for alarm, there in (("power_weak", weak), ("card_failing", errors)):
            if there is not None:
                wanted = wanted | {alarm} if there else wanted - {alarm}
        assert _standing(bank) == wanted, f"A-09: {temperature} °C, weak {weak}, {errors} errors, and {stood} stood"
        bank.wait(500)
    if bank.random.random() < 0.7:
        bank.site.runner.feed(MachineFelt(COOL, under_voltage=False, card_errors=0))


def _standing(bank: RandomSite) -> set[str]:
    return {key.rstrip("/") for key in bank.site.state.durable.alarms} & {"machine_hot", "power_weak", "card_failing"}


ACTS: Final[tuple[tuple[Act, int], ...]] = ((suffers, 1),)
