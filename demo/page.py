"""The demonstration's one page: every screen side by side, and the physical world to act on.

Owns addresses, the server's thread and what a browser may do here: our own page only, small bodies, one host name. Refuses
to know what a gesture does (`page_hands`), what is shown (`page_picture`) and the story (`page_tour`).
"""

from __future__ import annotations

import json
import socket
import threading
import urllib.error
from importlib import resources
from typing import Annotated, Any, Final

import msgspec
import uvicorn
from fastapi import FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from controller.kiosk.guard import Guard
from demo.inbox import PATH, Inbox
from demo.page_hands import Act, Hands, Impossible
from demo.page_picture import AWAY, Painter
from demo.page_tour import Tour
from demo.story import StoryBroke
from demo.world import DidNotStart, World

HOST: Final = "127.0.0.1"
STOP_S: Final = 5.0
SITE_CHARACTERS_MAX: Final = 31
POLICY: Final = (
    f"default-src 'self'; img-src data:; frame-src http://{HOST}:*; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
FILES: Final = {"page.css": "text/css", "page.js": "text/javascript", "page_bank.js": "text/javascript"}


class PortTaken(Exception):
    """Somebody else listens there; the text says what to do."""


class PageServer:
    """Serves the page from `start` to `stop`; before `open` it says that the programs are starting."""

    def __init__(self, world: World, port: int = 0) -> None:
        try:
            self._listener = socket.create_server((HOST, port))
        except (OSError, OverflowError) as error:
            message = f"Port {port} cannot be used ({error}). Leave out --port, and a free one is taken."
            raise PortTaken(message) from error
        self.origin = f"http://{HOST}:{self._listener.getsockname()[1]}"
        self._inbox = Inbox()
        self.inbox_url = f"{self.origin}{self._inbox.path}"
        self._desk = Desk(world, self._inbox)
        config = uvicorn.Config(
            make_app(self._desk, self._inbox),
            log_level="warning",
            access_log=False,  # the inbox's address is a secret
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listener]}, name="page", daemon=True
        )

    def start(self) -> None:
        """Serve."""
        self._thread.start()

    def open(self) -> None:
        """Everything runs: show it."""
        self._desk.is_open = True

    def stop(self) -> None:
        """Serve nobody any more."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(STOP_S)
        self._listener.close()


class Desk:
    """What the routes share."""

    def __init__(self, world: World, inbox: Inbox) -> None:
        self._world = world
        self.is_open = False
        self.hands = Hands(world)
        self.tour = Tour(world, self.hands)
        self._painter = Painter(world, self.hands, self.tour, inbox)

    def picture(self, site: str) -> dict[str, Any]:
        """What the page shows now. Raises Impossible, and what AWAY lists."""
        if not self.is_open:
            return {"ready": False}
        return self._painter.paint(site or self._world.sites[0].id)

    def act(self, act: Act) -> str:
        """Do one thing. Raises Impossible."""
        if not self.is_open:
            raise Impossible("Les programmes démarrent. Attendez un instant.")
        if act.do == "tour":
            return self.tour.restart() if act.value == "restart" else self.tour.go_on()
        try:
            return self.hands.do(act)
        except urllib.error.HTTPError as error:
            raise Impossible(_refusal(error)) from error
        except (StoryBroke, DidNotStart, *AWAY) as error:
            raise Impossible(
                f"Ce geste n'a pas abouti : un programme est peut-être arrêté. Redémarrez-le. ({error})"
            ) from error


def make_app(desk: Desk, inbox: Inbox) -> ASGIApp:
    """The page behind the guard, and beside it the inbox, which has a secret address instead."""
    app = FastAPI(title="Consigne, demo", docs_url=None, redoc_url=None, openapi_url=None)
    _add_page(app)
    _add_world(app, desk)
    guarded = Guard(app, frozenset({HOST}))

    async def either(scope: Scope, receive: Receive, send: Send) -> None:
        to_inbox = scope["type"] == "http" and scope["path"].startswith(PATH)
        await (inbox if to_inbox else guarded)(scope, receive, send)

    return either


def _add_page(app: FastAPI) -> None:
    folder = resources.files("demo") / "page_static"

    @app.get("/")
    def page() -> Response:
        headers = {"Content-Security-Policy": POLICY}
        return Response((folder / "page.html").read_bytes(), media_type="text/html", headers=headers)

    @app.get("/static/{name}")
    def static(name: str) -> Response:
        if name not in FILES:
            return Response(status_code=404)
        return Response((folder / name).read_bytes(), media_type=FILES[name])


def _add_world(app: FastAPI, desk: Desk) -> None:
    @app.get("/state")
    def state(site: Annotated[str, Query(max_length=SITE_CHARACTERS_MAX)] = "") -> JSONResponse:
        try:
            return JSONResponse(desk.picture(site))
        except Impossible as error:
            return JSONResponse({"problem": str(error)}, 404)
        except AWAY:
            return JSONResponse({"problem": "Un programme ne répond pas encore."}, 503)

    @app.post("/act")
    async def act(request: Request) -> JSONResponse:
        try:
            wanted = msgspec.json.decode(await request.body(), type=Act)
        except msgspec.DecodeError:
            return JSONResponse({"problem": "Cette page ne connaît pas ce geste."}, 422)
        try:
            return JSONResponse({"said": await run_in_threadpool(desk.act, wanted)})
        except Impossible as error:
            return JSONResponse({"problem": str(error)}, 409)


def _refusal(error: urllib.error.HTTPError) -> str:
    """What a program said no to."""
    try:
        said = json.loads(error.read())
        reason = said.get("error") or said.get("detail") or ""
    except (ValueError, AttributeError):
        reason = ""
    return f"Ce geste est impossible maintenant. {reason}".strip()
