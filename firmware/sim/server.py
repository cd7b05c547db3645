"""The simulated world over HTTP on loopback: look at it, open a door, put a parcel in, break something.

Owns the addresses and the bodies. Refuses to know anything of the controller; the world is in `bank` and `reader`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final

from firmware.sim.bank import FAULTS, Refused, SimBank
from firmware.sim.clock import SimClock
from firmware.sim.reader import NotPlugged, SimScanner

BODY_BYTES_MAX: Final = 8_192
REQUEST_S: Final = 5
STOP_LOOK_S: Final = 0.1
SECONDS_MAX: Final = 3_600.0

HELP: Final = (
    "GET /sim; POST /sim/doors/<label> open|close; POST /sim/faults/<label> " + "|".join(FAULTS) + "|clear; "
    'POST /sim/contents/<label> {"put": name} or {"take": true}; POST /sim/customers/<label> {"seconds": 8, "take": true}; '
    'POST /sim/scan {"text": …} or {"hex": …} or {"garbage": bytes}; POST /sim/clock {"offset_ms": 0, "synchronised": true|false}; POST /sim/scanner plug|unplug'
)

Answer = tuple[int, dict[str, Any]]


class BadRequest(Exception):
    """A request nobody can follow; its text says what would be understood."""


class SimServer:
    """Serves one simulated site until closed. `port` is the one chosen."""

    def __init__(self, bank: SimBank, reader: SimScanner, clock: SimClock, port: int = 0) -> None:
        self._bank, self._reader, self._clock = bank, reader, clock
        self._posts: dict[str, Callable[[str, Any], Answer]] = {
            "doors": self._door,
            "faults": self._fault,
            "contents": self._contents,
            "customers": self._customer,
            "scan": self._scan,
            "scanner": self._scanner,
            "clock": self._set_clock,
        }
        self._http = ThreadingHTTPServer(("127.0.0.1", port), _handler_for(self))
        self._http.daemon_threads = True
        self.port: int = self._http.server_address[1]
        self._thread = Thread(target=self._http.serve_forever, args=(STOP_LOOK_S,), name="sim-http", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving. Idempotent."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(timeout=2)

    def look(self, path: str) -> Answer:
        """Answer a GET."""
        if path.rstrip("/") != "/sim":
            return 404, {"error": f"There is nothing at {path}. {HELP}"}
        return 200, {
            **self._bank.picture(),
            "scanner": self._scanner_picture(),
            "clock": self._clock_picture(),
        }

    def act(self, path: str, body: bytes) -> Answer:
        """Answer a POST."""
        parts = path.strip("/").split("/")
        action = self._posts.get(parts[1]) if len(parts) in {2, 3} and parts[0] == "sim" else None
        if action is None:
            return 404, {"error": f"There is nothing at {path}. {HELP}"}
        label = parts[2] if len(parts) == 3 else ""
        try:
            return action(label, _read_body(body))
        except KeyError:
            return 404, {"error": f"No compartment is labelled {label!r} on the board {self._bank.board.name!r}."}
        except BadRequest as error:
            return 400, {"error": str(error)}
        except (Refused, NotPlugged) as error:
            return 409, {"error": str(error)}

    def _door(self, label: str, body: Any) -> Answer:
        word = _word(body, "action")
        if word == "open":
            self._bank.open_door(label)
        elif word == "close":
            self._bank.close_door(label)
        else:
            raise BadRequest(f"A door can be told open or close, not {word!r}.")
        return 200, {"label": label, "door": "open" if self._bank.is_open(label) else "closed"}

    def _fault(self, label: str, body: Any) -> Answer:
        word = _word(body, "fault")
        if word not in FAULTS and word != "clear":
            raise BadRequest(f"There is no fault {word!r}; known are {', '.join(FAULTS)} and clear.")
        self._bank.set_fault(label, word)
        return 200, {"label": label, "faults": self._bank.picture()["faults"][label]}

    def _contents(self, label: str, body: Any) -> Answer:
        match body:
            case {"put": str(name)}:
                self._bank.put(label, name)
            case {"take": True}:
                self._bank.take(label)
            case {"take": str(name)}:
                self._bank.take(label, name)
            case _:
                raise BadRequest('The body is {"put": "<name>"}, {"take": true} or {"take": "<name>"}.')
        return 200, {"label": label, "contents": self._bank.picture()["contents"][label]}

    def _customer(self, label: str, body: Any) -> Answer:
        match body:
            case {"seconds": int() | float() as seconds} if 0 <= seconds <= SECONDS_MAX:
                self._bank.send_customer(label, float(seconds), take=bool(body.get("take", True)))
            case _:
                raise BadRequest(f'The body is {{"seconds": 0 to {SECONDS_MAX:.0f}, "take": true|false}}.')
        return 200, {"label": label, "customer": "waiting"}

    def _scan(self, _label: str, body: Any) -> Answer:
        match body:
            case {"text": str(text)}:
                self._reader.scan(text)
            case {"hex": str(digits)}:
                self._reader.send(_bytes_of(digits))
            case {"garbage": int(size)} if size > 0:
                self._reader.send_garbage(size, int(body.get("seed", 0)))
            case str(text):
                self._reader.scan(text)
            case _:
                raise BadRequest('The body is {"text": …}, {"hex": …} or {"garbage": <number of bytes>}.')
        return 200, {"scanned": True}

    def _scanner(self, _label: str, body: Any) -> Answer:
        word = _word(body, "action")
        if word == "plug":
            self._reader.plug()
        elif word == "unplug":
            self._reader.unplug()
        else:
            raise BadRequest(f"The scanner can be told plug or unplug, not {word!r}.")
        return 200, {"scanner": self._scanner_picture()}

    def _set_clock(self, _label: str, body: Any) -> Answer:
        offset, kept = (body.get("offset_ms"), body.get("synchronised")) if isinstance(body, dict) else (None, None)
        if not isinstance(offset, int | None) or not isinstance(kept, bool | None) or (offset is None and kept is None):
            raise BadRequest(
                'The body is {"offset_ms": <milliseconds from the true time>, "synchronised": true|false}.'
            )
        try:
            self._clock.set(offset_ms=offset, synchronised=kept)
        except ValueError as error:
            raise BadRequest(str(error)) from error
        return 200, {"clock": self._clock_picture()}

    def _clock_picture(self) -> dict[str, Any]:
        clock = self._clock
        return {"wall_ms": clock.wall_ms(), "offset_ms": clock.offset_ms, "synchronised": clock.synchronised}

    def _scanner_picture(self) -> dict[str, Any]:
        return {"path": str(self._reader.path), "plugged": self._reader.plugged}


def _read_body(body: bytes) -> Any:
    """JSON, or the plain text itself."""
    try:
        text = body.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise BadRequest("The body is neither text nor JSON in UTF-8.") from error
    try:
        return json.loads(text)
    except ValueError:
        return text


def _word(body: Any, key: str) -> str:
    """One word: plain text, a JSON string, or under `key` (or `action`) of an object."""
    if isinstance(body, dict):
        body = body.get(key, body.get("action", ""))
    return body.strip().lower() if isinstance(body, str) else ""


def _bytes_of(digits: str) -> bytes:
    try:
        return bytes.fromhex(digits)
    except ValueError as error:
        raise BadRequest("hex wants pairs of hexadecimal digits.") from error


def _handler_for(server: SimServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Moves bytes between the socket and `SimServer`."""

        timeout = REQUEST_S

        def do_GET(self) -> None:
            self._answer(*server.look(self.path.partition("?")[0]))

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "0")
            if not length.isdecimal() or int(length) > BODY_BYTES_MAX:
                self._answer(413, {"error": f"A body has at most {BODY_BYTES_MAX} bytes and says its length."})
                return
            self._answer(*server.act(self.path.partition("?")[0], self.rfile.read(int(length))))

        def _answer(self, status: int, picture: dict[str, Any]) -> None:
            data = json.dumps(picture, ensure_ascii=False).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_arguments: Any) -> None:
            """Requests to a simulated world are no news."""

    return Handler
