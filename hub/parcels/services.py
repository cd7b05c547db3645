"""What people ask of parcels and alerts, each in one transaction, told to the pages afterwards.

Owns the order *check, write, wake the planner*. Refuses to know HTTP. Raises hub.core.parcels.Refused.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from hub.clock import Clock
from hub.core.parcels import NewParcel, Refused, check_recall, next_version
from hub.core.plans import VersionsExhausted, free_version
from hub.core.project import replaced_kind, shown_state
from hub.keys import KeyRing
from hub.live import Live
from hub.receiver import Link
from hub.store import desk, ingest
from hub.store.engine import Store
from wire import topics
from wire.ids import PARCEL_ID_BITS, Label, ParcelId, ParcelState, parcel_id_from_bits
from wire.messages import COMMAND_LIFE_MS_MAX, Command, Verb, encode
from wire.pickup import PickupKey
from wire.plan import PLAN_PARCELS_MAX, Intent


class Desk:
    """Everything a signed-in person or program may ask."""

    def __init__(
        self,
        *,
        store: Store,
        keys: KeyRing,
        live: Live,
        link: Link,
        clock: Clock,
        wake_planner: Callable[[], None],
        wake_sender: Callable[[], None],
    ) -> None:
        self._store = store
        self._keys = keys
        self._live = live
        self._link = link
        self._clock = clock
        self._wake_planner = wake_planner
        self._wake_sender = wake_sender

    def announce(self, parcel: NewParcel, by: str) -> str:  # noqa: ARG002 the audit log will ask who
        """Announce a parcel; its id. Refused: `unknown_site`, `duplicate`, `full`."""
        parcel_id = parcel_id_from_bits(secrets.randbits(PARCEL_ID_BITS))
        with self._store.writing() as connection:
            site = desk.site(connection, parcel.site)
            if site is None:
                raise Refused("unknown_site", f"site: there is no site {parcel.site!r}")
            if parcel.tracking and desk.is_announced(connection, site.number, parcel.tracking):
                raise Refused("duplicate", "tracking: a parcel of this number is at the site, or announced, already")
            live = desk.live_versions(connection, site.number)
            if len(live) >= PLAN_PARCELS_MAX:
                raise Refused("full", f"the site has {len(live)} live parcels; no more fit in its plan")
            version = self._free_version(connection, site, parcel_id, 1, site.epoch)
            desk.announce(
                connection,
                parcel_id,
                parcel,
                number=site.number,
                version=version,
                epoch=site.epoch,
                now_ms=self._clock(),
            )
        self._changed(parcel.site, parcel_id)
        return parcel_id

    def reissue(self, parcel: str, by: str) -> int:  # noqa: ARG002
        """Replace the key of a parcel; the new version. Refused: `unknown_parcel`, `not_here`, `versions_exhausted`."""
        with self._store.writing() as connection:
            row = self._parcel(connection, parcel)
            version = next_version(_state(row), row.version)
            site = desk.site(connection, row.site_id)
            version = self._free_version(connection, site, ParcelId(parcel), version, row.epoch)
            now_ms = self._clock()
            desk.change_parcel(connection, parcel, row.site, now_ms, version=version)
            ingest.add_messages(connection, [(parcel, replaced_kind(version))], now_ms)
        self._changed(row.site_id, parcel)
        self._wake_sender()
        return version

    def recall(self, parcel: str, by: str) -> None:  # noqa: ARG002
        """End the hold: the team takes the parcel out. Refused: `unknown_parcel`, `not_here`."""
        with self._store.writing() as connection:
            row = self._parcel(connection, parcel)
            check_recall(_state(row))
            desk.change_parcel(connection, parcel, row.site, self._clock(), intent=Intent.RECALL)
        self._changed(row.site_id, parcel)

    def acknowledge(self, alert: int, by: str) -> None:
        """Note that somebody looks after an alert. Refused: `unknown_alert`."""
        with self._store.writing() as connection:
            if not desk.acknowledge(connection, alert, by, self._clock()):
                raise Refused("unknown_alert", "there is no such alert")
        self._live.publish("alert", "", str(alert))

    def command(self, site_id: str, verb: Verb, by: str, *, reason: str = "", compartment: Label | None = None) -> str:
        """Send a one-off command that is never executed late; its id. Refused: `unknown_site`, `offline`."""
        if not self._link.is_connected:
            raise Refused("offline", "the broker is away: nothing was sent, and nothing will be")
        now_ms = self._clock()
        command = Command(
            id=uuid4().hex,
            verb=verb,
            issued_at_ms=now_ms,
            expires_at_ms=now_ms + COMMAND_LIFE_MS_MAX,
            actor=by[:64],
            reason=reason[:200],
            compartment=compartment,
        )
        with self._store.writing() as connection:
            site = desk.site(connection, site_id)
            if site is None:
                raise Refused("unknown_site", f"there is no site {site_id!r}")
            ingest.add_command(connection, ingest.command_values(site.number, command))
        if not self._link.publish(topics.topic(topics.COMMAND, site_id), encode(command), qos=1, retain=False):
            raise Refused("offline", "the broker did not take the command")
        return command.id

    def _free_version(self, connection: Connection, site: Any, parcel: ParcelId, version: int, epoch: int) -> int:
        def digits_of(parcel_id: ParcelId, candidate: int) -> str:
            return self._keys.digits(site.id, PickupKey(site.number, parcel_id, candidate, epoch))

        taken = (
            self._keys.digits(site.id, PickupKey(site.number, other, known, other_epoch))
            for other, (known, other_epoch) in desk.live_versions(connection, site.number).items()
            if other != parcel
        )
        try:
            return free_version(parcel, version, digits_of, taken)
        except VersionsExhausted as error:
            raise Refused("versions_exhausted", str(error)) from error

    def _parcel(self, connection: Connection, parcel: str) -> Any:
        row = desk.parcel(connection, parcel)
        if row is None:
            raise Refused("unknown_parcel", "there is no such parcel")
        return row

    def _changed(self, site: str, parcel: str) -> None:
        self._wake_planner()
        self._live.publish("parcel", site, parcel)


def _state(row: Any) -> ParcelState:
    return shown_state(ParcelState(row.state), Intent(row.intent))
