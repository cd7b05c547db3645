"""How a process of the hub is: alive, able to work, and in figures; for supervisors, load balancers and Prometheus.

Owns the three addresses. Refuses to know what is measured.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Protocol

from fastapi import FastAPI, Response
from pydantic import BaseModel, Field

from hub.ingest import PahoLink
from hub.metrics import Metrics
from hub.store.engine import Store
from wire.version import VERSION


class Ready(BaseModel):
    """Whether the hub can do its work."""

    ready: bool = Field(examples=[True])
    database: bool = Field(examples=[True])
    broker: bool = Field(examples=[True])
    problem: str = Field(examples=[""])


class Asked(Protocol):
    """A process that can be asked."""

    metrics: Metrics

    def readiness(self) -> Ready:
        """Whether it can do its work."""
        ...

    def gauges(self) -> dict[str, float]:
        """What is counted when somebody asks."""
        ...


def ready(store: Store, link: PahoLink) -> Ready:
    """Whether the database answers and the broker let us in."""
    database, broker = store.is_reachable(), link.is_connected
    problem = "" if database else "the database does not answer"
    return Ready(ready=database and broker, database=database, broker=broker, problem=problem or link.problem)


def gauges_of(state_dir: Path, link: PahoLink) -> dict[str, float]:
    """What every process of a hub can say of itself."""
    return {
        "broker_connected": float(link.is_connected),
        "disk_free_bytes": float(shutil.disk_usage(state_dir).free),
    }


def install_health(app: FastAPI, asked: Asked) -> None:
    """Add the three addresses."""

    @app.get("/healthz", tags=["health"], summary="Whether the process lives")
    def healthz() -> dict[str, str]:
        return {"status": "alive", "version": VERSION}

    @app.get("/readyz", tags=["health"], summary="Whether it can do its work", responses={503: {"model": Ready}})
    def readyz(response: Response) -> Ready:
        found = asked.readiness()
        response.status_code = 200 if found.ready else 503
        return found

    @app.get("/metrics", tags=["health"], summary="Counters for Prometheus", response_class=Response)
    def metrics() -> Response:
        return Response(asked.metrics.page(asked.gauges()), media_type="text/plain; version=0.0.4")
