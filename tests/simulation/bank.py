"""The physical world of one site: doors, what lies behind them, the shelf, the van and people's hands.

Owns the truth, which survives every power cut. Refuses to know what any program believes of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from wire.ids import Label


@dataclass(slots=True)
class TrueParcel:
    """One parcel as it is. `where`: `van`, `hands`, `shelf`, `taken`, `removed`, or the label of a compartment.

    `id` is the one its site uses, `ids` are all that anybody ever gave it: a parcel announced by the hub and created at
    the desk at once has two.
    """

    tracking: str
    size: str
    where: str = "van"
    id: str = ""
    ids: set[str] = field(default_factory=set)
    version: int = 0
    slips: list[str] = field(default_factory=list)
    slip_of: str = ""
    """The id that the newest slip names."""
    digits: list[str] = field(default_factory=list)


class Bank:
    """The doors of one site."""

    def __init__(self, labels: Iterable[Label]) -> None:
        self.open: dict[Label, bool] = dict.fromkeys(labels, False)
        self.opened_ms: dict[Label, int] = dict.fromkeys(self.open, 0)
        self.jammed: set[Label] = set()
        self.cut: set[Label] = set()
        self.parcels: dict[str, TrueParcel] = {}

    def reads_open(self, label: Label) -> bool:
        """What the switch of a door says: its loop is closed by a closed door, so a cut wire reads open."""
        return self.open[label] or label in self.cut

    def behind(self, label: Label) -> list[TrueParcel]:
        """What lies behind a door."""
        return [parcel for parcel in self.parcels.values() if parcel.where == label]

    def put(self, parcel: TrueParcel, label: Label) -> None:
        """A hand puts a parcel in; only an open door lets it."""
        assert self.open[label], "nobody reaches through a closed door"
        parcel.where = label

    def take(self, parcel: TrueParcel, into: str) -> None:
        """A hand takes a parcel from behind an open door."""
        assert self.open[Label(parcel.where)], "nobody reaches through a closed door"
        parcel.where = into
