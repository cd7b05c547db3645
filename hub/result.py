"""What a committed group of messages asks to be told: acknowledgements, rebirths, pages and screens to refresh.

Owns the shape. Refuses to tell anything: the intake does, once the group is committed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.receiver import Incoming
from hub.store.journals import Cursor
from wire.messages import Command


@dataclass(slots=True)
class Result:
    """What a committed group asks to be told."""

    facts: int = 0
    duplicates: int = 0
    refused: int = 0
    messages: int = 0
    replanned: bool = False
    acks: dict[str, Cursor] = field(default_factory=dict)
    need_rebirth: dict[str, int] = field(default_factory=dict)
    doubted: dict[str, int] = field(default_factory=dict)
    """Sites that say they have started less often than is known, or that nobody has described yet."""
    rebirths: dict[str, Command] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    alerted: set[str] = field(default_factory=set)
    parcels: dict[str, str] = field(default_factory=dict)
    foreign_incarnation: int | None = None
    adopted: bool = False
    early: list[Incoming] = field(default_factory=list)
    """Facts that came before those they follow, which another worker has: not applied, not to be acknowledged yet."""
