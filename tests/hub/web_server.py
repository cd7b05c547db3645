"""An application of the hub on a port, in a thread of its own. Knows no page."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from hub.live import Live
from tests.tools.ports import free_port, wait_until

START_S = 20.0
STOP_S = 10.0


@contextmanager
def serving(app: FastAPI, live: Live, port: int = 0) -> Iterator[str]:
    """The address of the application while it is served, with its live events; nothing else of a hub is started."""
    port = port or free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", lifespan="off"))

    async def serve() -> None:
        live.attach(asyncio.get_running_loop())
        await server.serve()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="web")
    thread.start()
    wait_until(lambda: server.started, "the pages are served", START_S)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        live.detach()
        server.should_exit = True
        thread.join(STOP_S)
