"""Makes a message of what the tables say, for the moment of sending: the digits in it are derived, never kept (I-25).

Owns which data go into which message. Refuses to know sentences (`hub.notify.words`) and drivers.
"""

from __future__ import annotations

from typing import Any

from hub.core.hours import Held, hold_end, local
from hub.core.telling import MessageKind, Way, brings_key
from hub.keys import KeyRing
from hub.notify.calm import CalmHours
from hub.notify.drivers import Outgoing
from hub.notify.words import Told, lines_of, plain, subject_of
from hub.settings import Notify
from hub.slips import area_of, slip_of
from paper.pictograms import DoorArea
from paper.slip import Slip, SlipKind


class Composer:
    """Makes messages."""

    def __init__(self, keys: KeyRing, rules: Notify, calm: CalmHours) -> None:
        self._keys = keys
        self._rules = rules
        self._calm = calm

    def message(self, row: Any, fresh: Any, kind: MessageKind, way: Way, now_ms: int) -> Outgoing:
        """The message of a row of the outbox by one way; `fresh` is the parcel as it is now."""
        slip = self._slip(row, fresh, kind) if brings_key(kind) else None
        language = row.language or "fr"
        told = Told(
            kind=kind,
            language=language,
            site=row.site_name,
            address=row.address,
            help_phone=row.help_phone,
            at_desk=slip is not None and slip.area is DoorArea.DESK,
            digits="" if slip is None else slip.digits,
            last_day=None if slip is None else slip.hold_until,
            calm=None if slip is None else self._calm.of(row.site, row.number, now_ms),
        )
        lines = lines_of(told, way)
        return Outgoing(
            id=f"{row.parcel}:{row.kind}",
            kind=kind.value,
            to=row.email if way is Way.EMAIL else row.phone,
            language=language,
            text=plain(lines, language),
            parcel=row.parcel,
            site=row.site,
            tenant=row.tenant,
            subject=subject_of(told),
            lines=lines,
            slip=slip,
        )

    def _slip(self, row: Any, fresh: Any, kind: MessageKind) -> Slip:
        held = None if row.stored_ms is None else Held(row.stored_ms, row.extended, row.held_until_ms)
        end_ms = None if held is None else hold_end(held, self._rules.hold)
        return slip_of(
            self._keys,
            site=row.site,
            number=row.number,
            parcel=row.parcel,
            version=fresh.version,
            epoch=fresh.epoch,
            site_name=row.site_name,
            address=row.address,
            help_phone=row.help_phone,
            language=row.language or "fr",
            area=area_of(fresh.place_kind, row.reach),
            kind=SlipKind.REPLACEMENT if kind is MessageKind.REPLACED else SlipKind.PICKUP,
            hold_until=None if end_ms is None else local(end_ms, self._rules.zone_of(row.site)).date(),
        )
