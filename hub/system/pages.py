"""The page of those who keep it running: is the hub well, and is each machine, the ones that need somebody on top.

Owns its URL, and what counts as worth a look. Refuses to count: the hub's gauges and the sites' own words are handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response

from hub.core.permissions import Right, Visitor
from hub.store.pages import SiteRow
from hub.store.tenants import FIRST_TENANT
from hub.system.words import broker_problem
from hub.web.door import Parts, who_may
from hub.web.drawing import draw
from hub.web.word import Tone, Word
from wire.ids import Trust
from wire.version import VERSION

router = APIRouter(include_in_schema=False)
HOT_C: Final = 80.0
"""Where a Raspberry Pi begins to slow down."""
DISK_MB_MIN: Final = 500
OUTBOX_MAX: Final = 1_000
"""Facts not acknowledged yet: half a day of a busy site."""
TOLD_MS_MAX: Final = 300_000
IDLE_S_MAX: Final = 30.0
_UNDER_VOLTAGE: Final = 1
_SURE: Final = frozenset({Trust.HUB, Trust.NTP})


@dataclass(frozen=True, slots=True)
class SystemParts:
    """What this page needs, put into `app.state.system` by the composition root."""

    gauges: Callable[[], Mapping[str, float]]
    readiness: Callable[[], Any]


def install(app: FastAPI, parts: SystemParts) -> None:
    """Put this page into an application."""
    app.state.system = parts
    app.include_router(router)


@router.get("/system")
def page(request: Request, person: Annotated[Visitor, who_may(Right.MANAGE_SITES)], parts: Parts) -> Response:
    """The hub, for the association that runs it, and the machines of one's own sites."""
    ours: SystemParts = request.app.state.system
    now_ms = parts.now_ms()
    rows = [row for row in parts.reads.within(person.scope).sites() if not row.sandbox]
    looked_at = [(row, to_do(row, now_ms)) for row in rows]
    looked_at.sort(key=lambda each: (-_weight(each[1]), each[0].name))
    runs_the_hub = person.scope.tenant in {None, FIRST_TENANT}
    gauges = ours.gauges() if runs_the_hub else {}
    return draw(
        request,
        "system.html",
        person,
        here="system",
        events="/live",
        machines=[{"site": row, "to_do": words} for row, words in looked_at],
        gauges=gauges,
        hub_to_do=hub_to_do(gauges, ours.readiness()) if runs_the_hub else [],
        runs_the_hub=runs_the_hub,
        version=VERSION,
    )


def hub_to_do(gauges: Mapping[str, float], ready: Any) -> list[Word]:
    """What is wrong with the hub itself."""
    told = []
    if not ready.database:
        told.append(Word("La base de données ne répond pas.", "stop", Tone.BAD))
    if not ready.broker:
        why = f" : {broker_problem(ready.problem)}" if ready.database else ""  # the one problem named is the database's
        told.append(Word(f"Le courtier MQTT n'est pas joint{why}.", "offline", Tone.BAD))
    if gauges.get("led") == 0:
        told.append(
            Word("Aucun processus de réception ne travaille : en démarrer un (consigne-hub@ingest).", "stop", Tone.BAD)
        )
    if gauges.get("intake_idle_seconds", 0) > IDLE_S_MAX:
        told.append(Word("La réception des sites est bloquée.", "stop", Tone.BAD))
    if gauges["disk_free_bytes"] < DISK_MB_MIN * 1_000_000:
        told.append(Word("Le disque du serveur est presque plein.", "watch", Tone.BAD))
    if gauges.get("notifications_failed"):
        told.append(Word("Des messages n'ont pas pu partir cette semaine : voir « Messages ».", "message", Tone.WATCH))
    if gauges.get("deliveries_dead"):
        told.append(
            Word("Des transporteurs n'ont pas reçu leurs nouvelles : voir « Transporteurs ».", "message", Tone.WATCH)
        )
    return told


def to_do(row: SiteRow, now_ms: int) -> list[Word]:
    """What somebody should look at, at one machine. A site that never spoke has nothing but that to say."""
    if not row.heard_ms:
        return [Word("n'a jamais parlé", "offline", Tone.WATCH)]
    told = []
    if not row.is_online(now_ms):
        told.append(Word("hors ligne", "offline", Tone.BAD))
    if row.birth and row.birth.version != VERSION:
        told.append(Word(f"version {row.birth.version}", "watch", Tone.WATCH))
    if row.state and not row.state.scanner:
        told.append(Word("lecteur débranché", "stop", Tone.BAD))
    if row.state and row.state.trust not in _SURE:
        told.append(Word("heure pas sûre", "clock", Tone.WATCH))
    if row.health is None or now_ms - row.health_ms > TOLD_MS_MAX:
        return told
    health = row.health
    if health.temperature_c is not None and health.temperature_c >= HOT_C:
        told.append(Word(f"{health.temperature_c:.0f} °C : trop chaud", "watch", Tone.BAD))
    if health.throttled is not None and health.throttled & _UNDER_VOLTAGE:
        told.append(Word("alimentation trop faible", "watch", Tone.BAD))
    if health.disk_free_mb is not None and health.disk_free_mb < DISK_MB_MIN:
        told.append(Word("carte mémoire presque pleine", "watch", Tone.BAD))
    if health.outbox > OUTBOX_MAX:
        told.append(Word(f"{health.outbox} faits en attente", "message", Tone.WATCH))
    return told


def _weight(words: Sequence[Word]) -> int:
    return sum(10 if word.tone is Tone.BAD else 1 for word in words)
