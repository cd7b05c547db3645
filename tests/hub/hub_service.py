"""A pretend service of somebody else: takes JSON by POST, remembers it, and refuses when it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class OtherService:
    """On a port of its own. `answer` gets path, headers and body of each request, and says the status."""

    def __init__(self, answer: Callable[[str, Message, Any], int]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(answer(self.path, self.headers, body))
                self.end_headers()

            def log_message(self, *_all: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
