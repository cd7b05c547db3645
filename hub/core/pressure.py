"""Whether a site will have room: occupancy day by day, how long parcels stay, and the first day on which a size runs short (A-15).

Owns the arithmetic. Refuses to know parcels, tables and clocks: times are numbers, days are numbers of days from today.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import Final

ROOM_FOR_CHANCE: Final = 0.5
"""Doors that may be missing on average before it is said: half a door short is as often one too many."""


@dataclass(frozen=True, slots=True)
class Stay:
    """One parcel behind a door: from, until; None: it is still there. Any unit of time, the same for all."""

    since: int
    until: int | None


@dataclass(frozen=True, slots=True)
class Dwell:
    """How long parcels stayed, of those that left: half of them at most `middle`, nine of ten at most `most`."""

    middle: int
    most: int
    count: int


@dataclass(frozen=True, slots=True)
class Shortage:
    """On day `day` (0 is today) `missing` doors of a size are expected to be missing at the worst."""

    day: int
    missing: int


def dwell(stays: Iterable[Stay]) -> Dwell | None:
    """How long parcels stay; None when none has left yet."""
    lasted = sorted(max(0, stay.until - stay.since) for stay in stays if stay.until is not None)
    if not lasted:
        return None
    return Dwell(lasted[(len(lasted) - 1) // 2], lasted[ceil(len(lasted) * 0.9) - 1], len(lasted))


def peaks(stays: Iterable[Stay], bounds: Sequence[int]) -> list[int]:
    """The most parcels at one time in each stretch between two neighbours of `bounds`, which go up."""
    moves: list[tuple[int, int]] = []
    for stay in stays:
        moves.append((stay.since, 1))
        if stay.until is not None:
            moves.append((max(stay.since, stay.until), -1))
    moves.sort()  # whoever leaves as another comes frees the door first
    told, inside, place = [], 0, 0
    for start, end in pairwise(bounds):
        while place < len(moves) and moves[place][0] <= start:
            inside += moves[place][1]
            place += 1
        most = inside
        while place < len(moves) and moves[place][0] < end:
            inside += moves[place][1]
            most = max(most, inside)
            place += 1
        told.append(most)
    return told


def first_shortage(free: int, total: int, come: Sequence[float], leave: Sequence[float]) -> Shortage | None:
    """The first day on which more come than there is room for, and how many doors are missing on the worst day.

    `free`: doors free now, of `total`; `come` and `leave`: what is expected of each day, today first. A day's parcels come before the
    others leave, which is how mornings are. What finds no door goes to the shelf, or elsewhere, and takes none the day after.
    """
    level, first, worst = float(free), None, 0.0
    for day, (arriving, leaving) in enumerate(zip(come, leave, strict=True)):
        left = level - arriving
        if left < -ROOM_FOR_CHANCE:
            first = day if first is None else first
            worst = max(worst, -left)
        level = min(float(total), max(0.0, left) + leaving)
    return None if first is None else Shortage(first, ceil(worst - ROOM_FOR_CHANCE))
